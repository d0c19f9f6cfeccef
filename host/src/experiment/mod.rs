//! Running networks: a [`Plan`] says what, an outcome says what came of it.
//!
//! | file | what |
//! |---|---|
//! | [`plan`] | sizes, rates, seeds, numbers of examples: checked before anything runs |
//! | [`order`] | which example comes when |
//! | [`twin`] | the f64 reference as a [`Learner`](crate::learner::Learner) |
//! | [`course`] | one network, trained epoch by epoch and tested after each |
//! | [`mod@compare`] | core and reference over seeds, side by side |
//! | [`manifest`] | where a number came from |
//! | [`progress`] | bars |
//! | [`saved`] | weights in a file |
//! | [`recorded`] | runs that were recorded, and their paired cost |
//!
//! Nothing that is reported, times apart, depends on the number of threads.

pub mod compare;
pub mod course;
pub mod manifest;
pub mod order;
pub mod plan;
pub mod progress;
pub mod recorded;
pub mod saved;
pub mod twin;

pub use compare::{Comparison, compare};
pub use course::{Course, Epoch};
pub use manifest::Manifest;
pub use plan::{Kind, Plan, PlanError};
pub use progress::Progress;
