//! The arithmetic laboratory: which bits matter, with which rounding.
//!
//! | file | what |
//! |---|---|
//! | [`notation`] | formats as text |
//! | [`formats`] | formats of a whole network |
//! | [`ranges`], [`lint`], [`table`] | the effective table and its warnings |
//! | [`profile`], [`trial`] | chips as data, and a network under one |
//! | [`cell`] | one network, trained and tested |
//! | [`sweep`] | many of them |

pub mod args;
pub mod cell;
pub mod error;
pub mod formats;
pub mod lint;
pub mod notation;
pub mod profile;
pub mod ranges;
pub mod sweep;
pub mod table;
pub mod trial;

pub use error::LabError;
