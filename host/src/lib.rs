//! The host side of Apical.

pub mod aligned;
pub mod cli;
pub mod counters;
pub mod data;
pub mod diverge;
pub mod emulate;
pub mod experiment;
pub mod laboratory;
pub mod learner;
pub mod lockstep;
pub mod model;
pub mod network;
pub mod readable;
pub mod reference;
pub mod regress;
pub mod report;
pub mod statistics;
pub mod vector;
