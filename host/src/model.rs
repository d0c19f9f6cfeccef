//! What a network is, whatever it is calculated with.

use crate::width::Width;
use apical_core::emulated::{Decay, EmulatedParameters, Table};
use apical_core::parameters::{LayerParameters, Preset};
use apical_core::rounding::Rounding;
use apical_core::tables::psp::Kernel;

/// Sizes, kernel, initial weights, learning rates, seed.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Inputs, hidden layers, outputs.
    pub sizes: Vec<usize>,
    /// Synaptic kernel.
    pub kernel: Kernel,
    /// Initial weights.
    pub preset: Preset,
    /// η of each layer, the output layer last.
    pub learning_rates: Vec<f64>,
    /// Seed of every stream.
    pub seed: u64,
}

impl Model {
    /// Layers of neurons, the output layer included.
    #[must_use]
    pub fn layers(&self) -> usize {
        self.sizes.len() - 1
    }

    /// A layer of it in the compiled-in arithmetic.
    #[must_use]
    pub fn native(&self, number: usize, width: Width, rounding: Rounding) -> LayerParameters {
        LayerParameters {
            kernel: self.kernel,
            learning_rate: self.learning_rates[number],
            weight_fraction: width.of(number + 1 == self.layers()).fraction as u8,
            error_fraction: width.errors(),
            rounding,
        }
    }

    /// A layer of it in formats chosen at run time.
    #[must_use]
    pub fn emulated(&self, number: usize, table: Table, decay: Decay) -> EmulatedParameters {
        EmulatedParameters {
            kernel: self.kernel,
            learning_rate: self.learning_rates[number],
            table,
            decay,
            is_output: number + 1 == self.layers(),
        }
    }

    /// Sizes of the hidden layers.
    #[must_use]
    pub fn hidden(&self) -> &[usize] {
        &self.sizes[1..self.sizes.len() - 1]
    }

    /// Output units.
    #[must_use]
    pub fn outputs(&self) -> usize {
        *self.sizes.last().expect("a model has an output layer")
    }

    /// `784-500-10`.
    #[must_use]
    pub fn topology(&self) -> String {
        self.sizes.iter().map(ToString::to_string).collect::<Vec<_>>().join("-")
    }
}
