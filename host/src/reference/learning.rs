//! The updates, at the end of the target phase.
//!
//! ```text
//! output: e = 20 η k_D [⟨σ(C)⟩_t − σ(⟨C⟩_f)] σ′(⟨C⟩_f)
//! hidden: e = 20 η k_B [α^t − α^f] σ′(⟨C⟩_f)
//! ΔW = e ⟨s⟩_fᵀ      Δb = e
//! ```
//!
//! The rate is averaged after the sigmoid in the target phase, the potential before it in
//! the forward phase. A presynaptic unit that was silent changes nothing.

use super::constants::{SHARE, UPDATE};
use super::initial::Layer;
use super::rounding::{Coefficient, Rounding, Site};
use super::state::Neurons;

/// e of every unit of a layer.
pub fn errors<R: Rounding>(l: usize, learning_rate: f64, neurons: &mut Neurons, rounding: &mut R) {
    let gain = rounding.coefficient(Coefficient::Learning, UPDATE * learning_rate * SHARE);
    let output = neurons.plateau.forward.is_empty();
    let Neurons { soma_mean, rate_mean, plateau, error, .. } = neurons;
    let targets = if output { &*rate_mean } else { &plateau.target };
    for (unit, ((error, &mean), target)) in error.iter_mut().zip(&*soma_mean).zip(targets).enumerate() {
        let rate = rounding.rate(Site::Rate, l, mean);
        let forward = if output { rate } else { plateau.forward[unit] };
        let slope = rounding.slope(l, rate);
        *error = rounding.narrow_at(Site::Error, l, unit, gain * (target - forward) * slope);
    }
}

/// W += e ⟨s⟩ᵀ and b += e.
pub fn update<R: Rounding>(l: usize, layer: &mut Layer, error: &[f64], psp: &[f64], rounding: &mut R) {
    let columns = layer.weights.chunks_exact_mut(layer.units).zip(psp).enumerate();
    for (column, (weights, &psp)) in columns.filter(|(_, (_, psp))| **psp != 0.0) {
        for (unit, (weight, error)) in weights.iter_mut().zip(error).enumerate() {
            let delta = rounding.dithered(Site::Delta, l, column, unit, error * psp);
            let changed = rounding.narrow(Site::Weight, l, *weight + delta);
            *weight = rounding.keep(Site::Weight, l, unit, *weight, changed);
        }
    }
    for (unit, (bias, &error)) in layer.bias.iter_mut().zip(error).enumerate() {
        let delta = rounding.dithered(Site::BiasDelta, l, layer.fan_in, unit, error);
        let changed = rounding.narrow(Site::Bias, l, *bias + delta);
        *bias = rounding.keep(Site::Bias, l, unit, *bias, changed);
    }
}

/// Mean apical potentials A = Y ⟨s⟩ into plateaus σ(A).
pub fn plateaus<R: Rounding>(
    l: usize,
    feedback: &[f64],
    psp: &[f64],
    plateaus: &mut [f64],
    rounding: &mut R,
) {
    plateaus.fill(0.0);
    let units = plateaus.len();
    for (column, psp) in feedback.chunks_exact(units).zip(psp) {
        plateaus.iter_mut().zip(column).for_each(|(apical, weight)| *apical += weight * psp);
    }
    for (unit, plateau) in plateaus.iter_mut().enumerate() {
        let apical = rounding.narrow_at(Site::Apical, l, unit, *plateau);
        *plateau = rounding.rate(Site::Plateau, l, apical);
    }
}
