//! Initial weights, from named streams.

use crate::arithmetic::Arithmetic;
use crate::formats::Variable;
use crate::layer::Layer;
use crate::parameters::{Preset, Uniform};
use crate::random::Stream;
use rand_core::Rng;

impl<A: Arithmetic> Layer<'_, A> {
    /// Draws feed-forward weights and biases (layer `number` of the network).
    ///
    /// # Draws
    /// `Weights(number)`: one a weight, column by column, then one a bias.
    pub fn draw_weights(&mut self, arithmetic: &A, seed: u64, number: u8, weights: Uniform, bias: Uniform) {
        let mut draws = Stream::Weights(number).open(seed);
        for column in self.weights.chunks_exact_mut(self.stride.max(1)) {
            for weight in column.iter_mut().take(self.units) {
                let value = weights.value(draws.next_u32());
                *weight = arithmetic.initial_weight(self.coefficients, Variable::Weight, value);
            }
        }
        for place in self.bias.iter_mut().take(self.units) {
            *place = arithmetic.initial_bias(self.coefficients, bias.value(draws.next_u32()));
        }
        self.refresh_bounds(arithmetic);
    }

    /// Draws feedback weights independently of other layers'.
    ///
    /// # Draws
    /// `Feedback(number)`: one a weight, column by column.
    pub fn draw_feedback(&mut self, arithmetic: &A, seed: u64, number: u8, feedback: Uniform) {
        let mut draws = Stream::Feedback(number).open(seed);
        for column in self.feedback.chunks_exact_mut(self.stride.max(1)) {
            for weight in column.iter_mut().take(self.units) {
                let value = feedback.value(draws.next_u32());
                *weight = arithmetic.initial_weight(self.coefficients, Variable::Feedback, value);
            }
        }
    }

    /// Sets feedback weights from 20-fraction-bit numbers, output by output.
    pub fn set_feedback(&mut self, arithmetic: &A, values: &[i64]) {
        let columns = self.feedback.chunks_exact_mut(self.stride.max(1));
        for (column, values) in columns.zip(values.chunks_exact(self.units.max(1))) {
            for (weight, &value) in column.iter_mut().zip(values) {
                let value = value.wrapping_shl(12);
                *weight = arithmetic.initial_weight(self.coefficients, Variable::Feedback, value);
            }
        }
    }

    /// Makes the bounds of the columns true again after the weights were set.
    pub fn refresh_bounds(&mut self, arithmetic: &A) {
        let columns = self.weights.chunks_exact(self.stride.max(1));
        for (bound, column) in self.bounds.iter_mut().zip(columns) {
            *bound = arithmetic.bound(column);
        }
    }
}

/// Feedback weights of an earlier hidden layer in the `Paper` preset: a random matrix R
/// times the next layer's Y. `above` and `below` hold Y of the layer above and receive that
/// of this one, as 20-fraction-bit numbers, output by output.
///
/// # Draws
/// `Feedback(number)`: one an entry of R, all `units` of this layer for unit 0 of the layer
/// above, then for unit 1, …
pub fn paper_feedback(
    seed: u64,
    number: u8,
    units: usize,
    (above, above_units): (&[i64], usize),
    below: &mut [i64],
) {
    let mut draws = Stream::Feedback(number).open(seed);
    let distribution = Preset::Paper.feedback(units);
    below.fill(0);
    for unit_above in 0..above_units {
        for unit in 0..units {
            // 2⁻³² → 2⁻²⁰
            let r = distribution.value(draws.next_u32()) >> 12;
            let y = above.iter().skip(unit_above).step_by(above_units.max(1));
            let sums = below.iter_mut().skip(unit).step_by(units.max(1));
            for (sum, &y) in sums.zip(y) {
                *sum = sum.wrapping_add(r.wrapping_mul(y).wrapping_add(1 << 19) >> 20);
            }
        }
    }
}

/// Y of the last hidden layer in 2⁻²⁰, as [`paper_feedback`] takes it.
pub fn last_feedback(seed: u64, number: u8, units: usize, to: &mut [i64]) {
    let mut draws = Stream::Feedback(number).open(seed);
    let distribution = Preset::Paper.feedback(units);
    for place in to.iter_mut() {
        *place = distribution.value(draws.next_u32()) >> 12;
    }
}
