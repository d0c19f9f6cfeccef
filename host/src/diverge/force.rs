//! The integers are given the float state.

use super::probe::{Probed, layers};
use crate::reference::{self, Phase, State};
use apical_core::arithmetic::Arithmetic;
use apical_core::formats::Variable;
use apical_core::network::Network;
use apical_core::tables::psp::AREA_BITS;

fn set<A: Probed>(c: &A::Coefficients, variable: Variable, to: &mut [A::State], values: &[f64]) {
    for (place, &value) in to.iter_mut().zip(values) {
        *place = A::to_state(A::nearest(c, variable, value));
    }
}

fn set_matrix<A: Probed>(
    c: &A::Coefficients,
    variable: Variable,
    (to, stride, units): (&mut [A::Weight], usize, usize),
    values: &[f64],
) {
    for (column, values) in to.chunks_exact_mut(stride).zip(values.chunks_exact(units)) {
        for (place, &value) in column.iter_mut().zip(values) {
            *place = A::to_weight(A::nearest(c, variable, value));
        }
    }
}

fn set_sums(to: &mut [u16], values: &[f64]) {
    let scale = f64::from(1u32 << AREA_BITS);
    for (place, value) in to.iter_mut().zip(values) {
        *place = (value * scale).round() as u16;
    }
}

/// Filters, somata and sums of postsynaptic potentials after a step.
pub fn state<A: Probed>(network: &mut Network<'_, A>, phase: Option<Phase>, state: &State) {
    let forward = phase == Some(Phase::Forward);
    if forward {
        set_sums(network.input.psp, &state.input_psp);
    }
    for (layer, neurons) in layers(network).zip(&state.neurons) {
        let c = layer.coefficients;
        set::<A>(c, Variable::FilterFast, layer.fast, &neurons.x1);
        set::<A>(c, Variable::FilterSlow, layer.slow, &neurons.x2);
        set::<A>(c, Variable::Soma, layer.soma, &neurons.soma);
        let rows = layer.history.chunks_exact_mut(layer.stride).zip(neurons.past.chunks_exact(layer.units));
        rows.for_each(|(row, past)| set::<A>(c, Variable::FilterFast, row, past));
        if !neurons.feedback_psp.is_empty() {
            set_sums(layer.psp, &neurons.feedback_psp);
        } else if forward {
            set_sums(layer.psp, &neurons.psp);
        }
    }
}

/// Weights, biases (times k_B there) and feedback weights.
pub fn weights<A: Probed>(network: &mut Network<'_, A>, from: &[reference::Layer]) {
    let arithmetic = network.arithmetic;
    for (layer, from) in layers(network).zip(from) {
        let (c, stride, units) = (layer.coefficients, layer.stride, layer.units);
        set_matrix::<A>(c, Variable::Weight, (layer.weights, stride, units), &from.weights);
        set_matrix::<A>(c, Variable::Feedback, (layer.feedback, stride, units), &from.feedback);
        set::<A>(c, Variable::Bias, layer.bias, &drives(&from.bias));
        layer.refresh_bounds(arithmetic);
    }
}

/// Biases in units of the basal drive.
#[must_use]
pub fn drives(biases: &[f64]) -> Vec<f64> {
    biases.iter().map(|bias| reference::constants::SHARE * bias).collect()
}

/// α^t, plateaus and errors at the end of the target phase.
pub fn errors<A: Probed + Arithmetic>(network: &mut Network<'_, A>, end: &State) {
    for (layer, neurons) in layers(network).zip(&end.neurons) {
        set::<A>(layer.coefficients, Variable::Error, layer.errors, &neurons.error);
    }
}
