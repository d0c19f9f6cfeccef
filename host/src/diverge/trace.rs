//! The three compartments of one neuron in both networks, step by step.

use crate::reference::kernel::tap;
use crate::reference::{Kernel, Layer, Neurons};

/// One number a step in each field.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Side {
    /// Basal drive k_B·B.
    pub basal: Vec<f64>,
    /// Somatic potential.
    pub soma: Vec<f64>,
    /// Spikes.
    pub spikes: Vec<usize>,
    /// Plateau potentials of the forward and the target phase; none in the output layer.
    pub plateaus: [Option<f64>; 2],
    /// Spikes of the outputs.
    outputs: Vec<Vec<u32>>,
}

/// A neuron of an example.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trace {
    /// Layer, from 0.
    pub layer: usize,
    /// Neuron.
    pub unit: usize,
    /// Layers of the network.
    pub layers: usize,
    /// Example's place in its set, and label.
    pub example: (u32, u8),
    /// Steps of the forward phase.
    pub forward_steps: usize,
    /// The reference.
    pub float: Side,
    /// The core.
    pub integer: Side,
}

impl Trace {
    /// A trace of this neuron.
    #[must_use]
    pub fn new(layer: usize, unit: usize, layers: usize) -> Self {
        Self { layer, unit, layers, ..Self::default() }
    }

    /// Takes one step of a layer in.
    pub fn step(&mut self, layer: usize, float: &Neurons, (basal, soma): (&[f64], &[f64]), spikes: &[u32]) {
        if layer == self.layer {
            let times = |spikes: &[u32]| spikes.iter().filter(|&&unit| unit as usize == self.unit).count();
            self.float.spikes.push(times(&float.spikes));
            self.integer.spikes.push(times(spikes));
            self.float.basal.push(float.drive[self.unit]);
            self.float.soma.push(float.soma[self.unit]);
            self.integer.basal.push(basal[self.unit]);
            self.integer.soma.push(soma[self.unit]);
        }
        if layer + 1 == self.layers {
            self.float.outputs.push(float.spikes.clone());
            self.integer.outputs.push(spikes.to_vec());
        }
    }

    /// Takes the plateaus of a layer in.
    pub fn plateau(&mut self, layer: usize, target: bool, float: &[f64], integer: &[f64]) {
        if layer == self.layer {
            self.float.plateaus[usize::from(target)] = Some(float[self.unit]);
            self.integer.plateaus[usize::from(target)] = Some(integer[self.unit]);
        }
    }

    /// Steps of both phases.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.float.soma.len()
    }
}

impl Side {
    /// Apical potential of a neuron, step by step, from the output spikes of this example
    /// and these feedback weights. Neither network steps it, since no apical current flows;
    /// it is computed for the eye.
    #[must_use]
    pub fn apical(&self, kernel: Kernel, layer: &Layer, unit: usize) -> Vec<f64> {
        let weight = |output: u32| layer.feedback[output as usize * layer.units + unit];
        let arrived: Vec<f64> =
            self.outputs.iter().map(|spikes| spikes.iter().map(|&k| weight(k)).sum()).collect();
        let potential = |step: usize| (0..step).map(|fired| tap(kernel, step - fired) * arrived[fired]).sum();
        (0..arrived.len()).map(potential).collect()
    }
}
