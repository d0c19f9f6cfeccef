//! Everything one training example was, in real units.
//!
//! | variable | values, in this order |
//! |---|---|
//! | basal, soma | every unit, step by step, through both phases |
//! | apical, plateau | every hidden unit, of the forward phase, then of the target phase |
//! | psp | output layer: every output as the apical dendrites see it, forward, then target; then in every layer each presynaptic unit of the forward phase |
//! | rate | every output: σ(⟨C⟩_f), then ⟨σ(C)⟩_t |
//! | error, bias | every unit |
//! | delta, weight | every synapse, column by column |
//!
//! Basal potentials and biases are those of the dendrite, not of the drive k_B·B that both
//! sides keep.

use apical_core::formats::Variable;

/// One example.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trace {
    /// Spikes of the inputs, step by step.
    pub input: Vec<Vec<u32>>,
    /// Layers, output last.
    pub layers: Vec<LayerTrace>,
    /// Steps of the forward phase; the others belong to the target phase.
    pub forward_steps: usize,
}

/// One layer of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LayerTrace {
    /// Neurons.
    pub units: usize,
    /// Values by [`Variable`]; empty for those that are not compared.
    pub values: [Vec<f64>; Variable::COUNT],
    /// Units that spiked, ascending, as often as each did, step by step.
    pub spikes: Vec<Vec<u32>>,
}

impl Trace {
    /// An empty trace of layers of so many units.
    #[must_use]
    pub fn new(units: &[usize]) -> Self {
        let layer = |&units: &usize| LayerTrace { units, ..LayerTrace::default() };
        Self { layers: units.iter().map(layer).collect(), ..Self::default() }
    }

    /// Forgets the example, not the layers.
    pub fn clear(&mut self) {
        self.input.clear();
        self.forward_steps = 0;
        for layer in &mut self.layers {
            layer.values.iter_mut().for_each(Vec::clear);
            layer.spikes.clear();
        }
    }

    /// Steps of both phases.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.input.len()
    }

    /// Spikes of the inputs (0) or of a layer (from 1), step by step.
    #[must_use]
    pub fn spikes(&self, level: usize) -> &[Vec<u32>] {
        match level {
            0 => &self.input,
            level => &self.layers[level - 1].spikes,
        }
    }
}

impl LayerTrace {
    /// Takes values of a variable in.
    pub fn push(&mut self, variable: Variable, values: impl IntoIterator<Item = f64>) {
        self.values[variable as usize].extend(values);
    }

    /// Values of a variable.
    #[must_use]
    pub fn of(&self, variable: Variable) -> &[f64] {
        &self.values[variable as usize]
    }
}
