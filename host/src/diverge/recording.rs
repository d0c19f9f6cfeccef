//! An example of the reference, step by step, to hold the core against.

use crate::reference::{Layer, Phase, State, Watch};

/// Everything one example was.
#[derive(Debug, Clone, Default)]
pub struct Recording {
    /// Phase, step in it, state after it. Sums over the window are sums still.
    pub steps: Vec<(Option<Phase>, usize, State)>,
    /// State at the end of the forward phase.
    pub forward: State,
    /// State before the updates: plateaus and errors are there.
    pub end: State,
    /// Weights before …
    pub before: Vec<Layer>,
    /// … and after the updates.
    pub after: Vec<Layer>,
}

impl Watch for Recording {
    fn phase(&mut self, phase: Phase, _: usize, _: &[Layer], state: &State) {
        if phase == Phase::Target {
            self.forward = state.clone();
        }
    }

    fn step(&mut self, phase: Phase, t: usize, _: &[Layer], state: &State) {
        self.steps.push((Some(phase), t, state.clone()));
    }

    fn before_update(&mut self, layers: &[Layer], state: &State) {
        self.end = state.clone();
        self.before = layers.to_vec();
    }

    fn example_end(&mut self, layers: &[Layer], _: &State) {
        self.after = layers.to_vec();
    }
}
