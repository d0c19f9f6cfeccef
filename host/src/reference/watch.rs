//! Who looks on while a network runs.

use super::initial::Layer;
use super::state::{Phase, State};

/// Looks at every step and every example; by default at nothing, which costs nothing.
pub trait Watch {
    /// A phase of so many steps begins.
    fn phase(&mut self, _phase: Phase, _steps: usize, _layers: &[Layer], _state: &State) {}

    /// Step `t` of a phase, counted from 0, has been taken.
    fn step(&mut self, _phase: Phase, _t: usize, _layers: &[Layer], _state: &State) {}

    /// Both phases are over: means, plateaus and errors are there, the weights still old.
    fn before_update(&mut self, _layers: &[Layer], _state: &State) {}

    /// The weights have changed.
    fn example_end(&mut self, _layers: &[Layer], _state: &State) {}
}

/// Nobody.
impl Watch for () {}
