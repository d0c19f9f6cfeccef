//! Core and reference side by side, number by number.
//!
//! Both draw the same random numbers, so that whatever differs is arithmetic. But a single
//! spike that only one of them fires sends the two on different ways for good; therefore
//! errors are measured *one example at a time*: before an example the reference is given the
//! core's weights, state and generators ([`align`](mod@align)), then both run both phases on their own and
//! their [`Trace`]s are compared ([`Comparer`]). Spikes that differ within the example count,
//! and make up most of the error of everything that comes after them: [`Errors`] keeps the
//! values before the first such spike apart.
//!
//! [`first_difference`] runs both freely from their initial weights instead, and says where
//! they part.
//!
//! | file | what |
//! |---|---|
//! | [`trace`] | everything one example was, in real units |
//! | [`core_side`], [`reference_side`] | who records it |
//! | [`align`](mod@align) | the reference takes over the core's state |
//! | [`errors`] | two traces compared |
//! | [`first`] | where two free runs part |
//! | [`mod@shadow`] | a whole training run of the core, some of its examples compared |

pub mod align;
pub mod core_side;
pub mod errors;
pub mod first;
pub mod reference_side;
pub mod shadow;
pub mod trace;

pub use align::align;
pub use core_side::{Recorder, Traced};
pub use errors::{Agreement, Comparer, Errors, LayerErrors};
pub use first::{Exceeded, FirstSpike, Parting, first_difference, tolerance};
pub use reference_side::Witness;
pub use shadow::{Shadow, shadow};
pub use trace::{LayerTrace, Trace};

use apical_core::formats::Variable;

/// The variables that are compared, in the order of reports.
pub const COMPARED: [Variable; 10] = [
    Variable::Basal,
    Variable::Soma,
    Variable::Apical,
    Variable::Plateau,
    Variable::Psp,
    Variable::Rate,
    Variable::Error,
    Variable::Delta,
    Variable::Weight,
    Variable::Bias,
];
