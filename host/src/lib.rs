//! The host side of Apical.

pub mod aligned;
pub mod cli;
pub mod counters;
pub mod data;
pub mod diverge;
pub mod emulate;
pub mod experiment;
#[cfg(target_arch = "x86_64")]
pub mod float32;
pub mod laboratory;
pub mod learner;
pub mod lockstep;
pub mod model;
pub mod network;
pub mod parallel;
pub mod readable;
pub mod reference;
pub mod regress;
pub mod report;
pub mod statistics;
pub mod vector;
pub mod width;
