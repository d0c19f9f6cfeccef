//! `apical regress`: whether the bits, the losses, the errors and the cost are those of the
//! committed baseline.
//!
//! | what | held to |
//! |---|---|
//! | digests of the native and the emulated core, 16 and 8 bits | equality |
//! | counters of the same runs | equality |
//! | local error of every variable, from the forced twin ([`crate::diverge`]) | [`RMS_SHARE`], [`LSB_OFF`] |
//! | cost in accuracy over paired seeds | the budget in the baseline |
//!
//! Errors have a tolerance because the float twin's `exp` may differ from machine to machine
//! in its last bit. The forced twin makes every error the work of one narrowing, so that the
//! first variable in the flow of data whose error drifted is where to look.
//!
//! | file | what |
//! |---|---|
//! | [`mod@measure`] | the measurement |
//! | [`baseline`] | what was recorded, and what drifted from it |
//! | [`output`] | table, annotations, JUnit |

pub mod baseline;
pub mod measure;
pub mod output;

pub use baseline::{Baseline, Drift};
pub use measure::{Measured, measure};

/// Share of a recorded RMS error that a measured one may be off.
pub const RMS_SHARE: f64 = 0.02;
/// LSB that an RMS error or a bias may be off beyond that.
pub const LSB_OFF: f64 = 0.01;
