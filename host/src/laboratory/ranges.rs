//! How large each variable gets: what decides where a binary point belongs.
//!
//! Largest magnitudes seen in runs of the float and integer engines at η = 0.21; weights
//! and biases after one epoch of 784-100-10 (they go on growing: ±30 after 14 epochs of
//! 784-500-100-10). Errors and changes scale with η.

use crate::model::Model;
use apical_core::formats::Variable;
use apical_core::parameters::UPDATE_SCALE;

/// η at which the ranges were seen.
const RATE: f64 = 0.21;
/// Typical |ΔW| at that η: below half a step it is lost by rounding to nearest.
const CHANGE: f64 = 0.0025;
/// Typical mean postsynaptic potential of a unit that spiked.
pub const TYPICAL_PSP: f64 = 0.1;

/// Magnitudes to be expected of a layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expected {
    /// Inputs of a neuron.
    pub fan_in: usize,
    /// η.
    pub learning_rate: f64,
    is_output: bool,
    initial: f64,
    feedback: f64,
}

impl Expected {
    /// Of layer `number` of a model.
    #[must_use]
    pub fn new(model: &Model, number: usize) -> Self {
        let fan_in = model.sizes[number];
        let largest = |(mean, spread): (f64, f64)| mean.abs() + spread;
        Self {
            fan_in,
            learning_rate: model.learning_rates[number],
            is_output: number + 1 == model.layers(),
            initial: largest(initial_weights(model, number)),
            feedback: largest(uniform(model.preset.feedback(model.sizes[number + 1]))),
        }
    }

    /// Largest magnitude to be expected.
    #[must_use]
    pub fn largest(&self, variable: Variable) -> f64 {
        let faster = (self.learning_rate / RATE).max(1.0);
        match variable {
            Variable::Accumulator => 85.0,
            Variable::FilterFast => 25.0,
            Variable::FilterSlow => 20.0,
            Variable::Basal => 18.0,
            Variable::Soma => 17.0,
            // Ten outputs, the busiest of them near the highest rate.
            Variable::Apical => 3.0 * self.feedback,
            Variable::Plateau | Variable::Rate => 1.0,
            Variable::Psp => 0.3,
            Variable::Error => 0.53 * self.learning_rate / RATE,
            Variable::Delta => 0.16 * self.learning_rate / RATE,
            Variable::Weight if self.is_output => (14.0 * faster).max(self.initial + 5.0),
            Variable::Weight => (6.8 * faster).max(self.initial),
            Variable::Bias => 7.5,
            Variable::Feedback => {
                if self.is_output {
                    0.0
                } else {
                    self.feedback
                }
            }
        }
    }

    /// Typical change of a weight.
    #[must_use]
    pub fn change(&self) -> f64 {
        CHANGE * self.learning_rate / RATE
    }

    /// Typical error of a neuron.
    #[must_use]
    pub fn error(&self) -> f64 {
        self.change() / TYPICAL_PSP
    }

    /// Factor of every error, 20 η.
    #[must_use]
    pub fn gain(&self) -> f64 {
        UPDATE_SCALE * self.learning_rate
    }
}

/// Mean and half-width of the initial weights of a layer.
#[must_use]
pub fn initial_weights(model: &Model, number: usize) -> (f64, f64) {
    uniform(model.preset.weights(model.sizes[number]))
}

fn uniform(distribution: apical_core::parameters::Uniform) -> (f64, f64) {
    (distribution.mean as f64 / f64::exp2(32.0), distribution.spread as f64 / f64::exp2(20.0))
}
