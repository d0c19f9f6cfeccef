//! The arithmetic laboratory: which bits matter, with which rounding.
//!
//! | file | what |
//! |---|---|
//! | [`notation`] | formats as text |
//! | [`formats`] | formats of a whole network |
//! | [`ranges`], [`lint`], [`table`] | the effective table and its warnings |
//! | [`profile`], [`trial`] | chips as data, and a network under one beside the reference |
//! | [`cell`] | one network, trained and tested |
//! | [`store`], [`runner`] | rows that survive a kill, and what fills them |
//! | [`sweep`] | a grid of networks |
//! | [`attribute`] | one variable quantised, or spared, at a time |
//! | [`bias`] | what each rounding does on average |

pub mod attribute;
pub mod bias;
pub mod cell;
pub mod error;
pub mod figure;
pub mod formats;
pub mod lint;
pub mod notation;
pub mod profile;
pub mod ranges;
pub mod runner;
pub mod store;
pub mod sweep;
pub mod table;
pub mod trial;

pub use error::LabError;
