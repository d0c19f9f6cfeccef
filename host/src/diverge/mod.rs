//! `apical diverge`: where, when and in which variable the integers leave the floats.
//!
//! Core and reference share every random draw, so each number of one has its counterpart in
//! the other. Two ways to compare them:
//!
//! * **free**: the integers run from their own state. A spike that only one of them fires
//!   sends the two apart, so this error grows with time and says little about a format.
//! * **forced**: after every step the integers are given the float state (filters, somata,
//!   sums of postsynaptic potentials), after every example the weights. What is left is the
//!   error that one step, one phase end or one update makes: the *local* error. Steps into
//!   which other spikes come are left out; spikes are counted by themselves.
//!
//! Errors are integer − float in steps of the variable's format (LSB). Basal potentials and
//! biases are k_B·B and k_B·b, as both networks keep them; an accumulator is the sum of a
//! step after it was narrowed to the filter; `delta` is what an update really changed a
//! weight by, less what it should have. The mean apical potential is read back through σ,
//! where σ is steep enough to tell.
//!
//! | file | what |
//! |---|---|
//! | [`probe`], [`force`] | the core's state in real units, read and set |
//! | [`recording`] | an example of the reference |
//! | [`against`] | an example of the core, held against it |
//! | [`tally`], [`spikes`] | errors and spikes, added up |
//! | [`measure`] | both networks side by side |
//! | [`trace`], [`plot`] | one neuron, and its picture |
//! | [`report`] | the tables and the CSV |
//! | [`fault`] | a variable that rounds otherwise |

pub mod against;
pub mod fault;
pub mod force;
pub mod measure;
pub mod plot;
pub mod probe;
pub mod recording;
pub mod report;
pub mod spikes;
pub mod tally;
pub mod trace;

pub use against::Mode;
pub use measure::{Traced, Twins};
pub use plot::{Picture, svg};
pub use tally::{Tally, When};
