//! The reference: the model in plain f64, a second text of the same equations.
//!
//! Written from the paper's equations (Guerguiev, Lillicrap & Richards, eLife 2017, doi
//! 10.7554/eLife.22901), apart from `apical-core`. The two share the random draws, their
//! order and the names, so that they can be run in lock-step; they share no arithmetic.
//!
//! One step of a layer, in the order of the code ([`Network::train`]):
//!
//! ```text
//! u      = sum of the columns of W of the presynaptic spikes of this step
//! x1    += (1 − e^(−1/3)) (u − x1)              the PSP kernel as two one-pole filters
//! x2    += (1 − e^(−1/10)) (x1 − x2)
//! drive  = k_B (gain·x2 + b) = k_B·basal        what the soma would settle at
//! soma  += (g_L + g_B) (drive − soma)           dC/dt = −g_L C + g_B (B − C), dt = 1
//! n      ~ Poisson(0.2 σ(soma)), at most 3      spikes act on the next layer in this step
//! ```
//!
//! The apical conductance is 0, so an apical potential never needs stepping: its mean is
//! Y times the mean postsynaptic potentials of the outputs. [`dense`] evaluates the same
//! equations word for word, without filters, and the tests hold the two together.
//!
//! | file | what |
//! |---|---|
//! | [`constants`] | every physical constant |
//! | [`kernel`] | the postsynaptic potential's kernel, its areas, the filters that make it |
//! | [`spikes`] | Poisson counts from uniform numbers |
//! | [`initial`] | initial weights |
//! | [`rounding`] | where a number may be narrowed; [`Exact`] narrows none |
//! | [`dynamics`] | one step |
//! | [`quantised`] | the narrowings of the core, in f64 |
//! | [`learning`] | the updates |
//! | [`network`], [`tester`] | phases, training, testing |
//! | [`watch`] | who looks on |
//! | [`dense`] | the literal evaluator |

pub mod constants;
pub mod dense;
pub mod dynamics;
pub mod initial;
pub mod kernel;
pub mod learning;
pub mod network;
pub mod quantised;
mod quantised_initial;
pub mod rounding;
pub mod settings;
pub mod spikes;
pub mod state;
pub mod tester;
pub mod watch;

pub use initial::Layer;
pub use network::Network;
pub use quantised::Quantised;
pub use rounding::{Coefficient, Exact, Rounding, Site};
pub use settings::{Draws, Kernel, Preset, Settings, SettingsError};
pub use state::{Neurons, Phase, State};
pub use tester::Tester;
pub use watch::Watch;
