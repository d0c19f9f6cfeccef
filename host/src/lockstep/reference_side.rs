//! A watch of the reference that records a [`Trace`].

use crate::reference::constants::SHARE;
use crate::reference::rounding::sigmoid;
use crate::reference::{Layer, Phase, State, Watch};
use apical_core::formats::Variable;

use super::trace::Trace;

/// Records one example of the reference.
#[derive(Debug, Clone, Default)]
pub struct Witness {
    /// What was recorded.
    pub trace: Trace,
}

impl Witness {
    /// A witness of layers of so many units.
    #[must_use]
    pub fn new(units: &[usize]) -> Self {
        Self { trace: Trace::new(units) }
    }

    /// What the apical dendrites saw in the phase before, and made of it.
    fn apical(&mut self, phase: Phase, layers: &[Layer], state: &State) {
        let Some((output, hidden)) = self.trace.layers.split_last_mut() else { return };
        let psp = &state.output().feedback_psp;
        for ((trace, layer), neurons) in hidden.iter_mut().zip(layers).zip(&state.neurons) {
            trace.push(Variable::Apical, (0..layer.units).map(|unit| apical(layer, unit, psp)));
            let plateaus = match phase {
                Phase::Forward => &neurons.plateau.forward,
                Phase::Target => &neurons.plateau.target,
            };
            trace.push(Variable::Plateau, plateaus.iter().copied());
        }
        match phase {
            Phase::Forward => {
                output.push(Variable::Rate, state.output().soma_mean.iter().map(|&c| sigmoid(c)))
            }
            Phase::Target => output.push(Variable::Rate, state.output().rate_mean.iter().copied()),
        }
        output.push(Variable::Psp, psp.iter().copied());
    }
}

/// Mean apical potential of a unit.
fn apical(layer: &Layer, unit: usize, psp: &[f64]) -> f64 {
    let weights = layer.feedback.iter().skip(unit).step_by(layer.units);
    weights.zip(psp).map(|(weight, psp)| weight * psp).sum()
}

impl Watch for Witness {
    fn phase(&mut self, phase: Phase, _: usize, layers: &[Layer], state: &State) {
        if phase == Phase::Target {
            self.apical(Phase::Forward, layers, state);
        }
    }

    fn step(&mut self, phase: Phase, _: usize, _: &[Layer], state: &State) {
        self.trace.forward_steps += usize::from(phase == Phase::Forward);
        self.trace.input.push(state.input_spikes.clone());
        for (trace, neurons) in self.trace.layers.iter_mut().zip(&state.neurons) {
            trace.push(Variable::Basal, neurons.drive.iter().map(|drive| drive / SHARE));
            trace.push(Variable::Soma, neurons.soma.iter().copied());
            trace.spikes.push(neurons.spikes.clone());
        }
    }

    fn before_update(&mut self, layers: &[Layer], state: &State) {
        self.apical(Phase::Target, layers, state);
        let below = [&state.input_psp].into_iter().chain(state.neurons.iter().map(|neurons| &neurons.psp));
        for ((trace, neurons), below) in self.trace.layers.iter_mut().zip(&state.neurons).zip(below) {
            trace.push(Variable::Error, neurons.error.iter().copied());
            trace.push(Variable::Psp, below.iter().copied());
            for psp in below {
                trace.push(Variable::Delta, neurons.error.iter().map(|error| error * psp));
            }
        }
    }

    fn example_end(&mut self, layers: &[Layer], _: &State) {
        for (trace, layer) in self.trace.layers.iter_mut().zip(layers) {
            trace.push(Variable::Weight, layer.weights.iter().copied());
            trace.push(Variable::Bias, layer.bias.iter().copied());
        }
    }
}
