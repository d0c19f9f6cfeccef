//! Initial weights: W and Y that give dendritic potentials a mean and a spread of 3.
//!
//! With N the fan-in, ν = 0.25 λ_max, b = 0.8 and V_sm = V_sd² + V_avg² (eLife 2017,
//! methods):
//!
//! ```text
//! W_avg = (V_avg − b) / (ν N V_avg)
//! W_sm  = [V_sm + ν² (N − N²) W_avg² V_avg² − 2 N ν b V_avg W_avg − b²] / (N ν² V_sm)
//! W_sd  = √(W_sm − W_avg²)
//! ```
//!
//! Every number is mean + U·width with U uniform between −1 and 1.
//!
//! # Draws
//! One `u32` a number, U = draw (read as signed) · 2⁻³¹. Stream `Weights(l)`: the weights
//! column by column, then the biases. Stream `Feedback(l)`: the feedback weights column by
//! column; in an earlier hidden layer of the preset `paper`, instead of them the entries of
//! R, for each unit of the layer above, for each unit of this one.

use apical_core::random::{Generator, Stream};
use rand_core::Rng;

use super::constants::{
    AIM_DEVIATION, AIM_MEAN, ASSUMED_RATE, INITIAL_BIAS, INITIAL_BIAS_DEVIATION, MAX_RATE,
};
use super::rounding::{Rounding, Site};
use super::settings::{Preset, Settings};

/// The synapses onto a layer. Matrices are kept column by column.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// Neurons.
    pub units: usize,
    /// Presynaptic units.
    pub fan_in: usize,
    /// W, one column of `units` a presynaptic unit.
    pub weights: Vec<f64>,
    /// b.
    pub bias: Vec<f64>,
    /// Y, one column of `units` an output; empty in the output layer.
    pub feedback: Vec<f64>,
}

impl Layer {
    /// The weights from one presynaptic unit.
    #[inline(always)]
    #[must_use]
    pub fn column(&self, presynaptic: usize) -> &[f64] {
        &self.weights[presynaptic * self.units..][..self.units]
    }
}

/// W_avg and W_sd for a fan-in.
#[must_use]
pub fn weight_statistics(fan_in: usize) -> (f64, f64) {
    let n = fan_in as f64;
    let nu = ASSUMED_RATE * MAX_RATE;
    let (v, b) = (AIM_MEAN, INITIAL_BIAS);
    let square = AIM_DEVIATION.powi(2) + v.powi(2);
    let mean = (v - b) / (nu * n * v);
    let second =
        square + nu.powi(2) * (n - n * n) * (mean * v).powi(2) - 2.0 * n * nu * b * v * mean - b.powi(2);
    let second = second / (n * nu.powi(2) * square);
    (mean, (second - mean.powi(2)).sqrt())
}

impl Preset {
    /// Half-width of a uniform distribution for a standard deviation of 1, as the
    /// programs have it: √3 and 2√3, roughly.
    #[must_use]
    pub fn width(self) -> f64 {
        match self {
            Self::Paper => 1.7325,
            Self::May2017 => 3.465,
        }
    }
}

/// A number of the distribution that a mean and a half-width stand for.
fn draw(stream: &mut Generator, mean: f64, width: f64) -> f64 {
    let uniform = f64::from(stream.next_u32() as i32) / 2f64.powi(31);
    mean + uniform * width
}

fn matrix(stream: &mut Generator, entries: usize, mean: f64, width: f64) -> Vec<f64> {
    (0..entries).map(|_| draw(stream, mean, width)).collect()
}

/// The layers of a network as they begin.
#[must_use]
pub fn layers(settings: &Settings, rounding: &mut impl Rounding) -> Vec<Layer> {
    let mut layers: Vec<Layer> = (0..settings.layers()).map(|l| feedforward(settings, l)).collect();
    for l in (0..layers.len() - 1).rev() {
        layers[l].feedback = feedback(settings, l, &layers[l + 1].feedback);
    }
    for (l, layer) in layers.iter_mut().enumerate() {
        let parts = [
            (&mut layer.weights, Site::Weight),
            (&mut layer.bias, Site::Bias),
            (&mut layer.feedback, Site::Feedback),
        ];
        for (values, site) in parts {
            values.iter_mut().for_each(|value| *value = rounding.narrow(site, l, *value));
        }
    }
    layers
}

fn feedforward(settings: &Settings, l: usize) -> Layer {
    let (fan_in, units) = (settings.sizes[l], settings.sizes[l + 1]);
    let width = settings.preset.width();
    let (mean, deviation) = weight_statistics(fan_in);
    let mut stream = Stream::Weights(l as u8).open(settings.seed);
    let weights = matrix(&mut stream, fan_in * units, mean, width * deviation);
    let bias = matrix(&mut stream, units, INITIAL_BIAS, width * INITIAL_BIAS_DEVIATION);
    Layer { units, fan_in, weights, bias, feedback: Vec::new() }
}

/// Y of a hidden layer, given that of the layer above.
fn feedback(settings: &Settings, l: usize, above: &[f64]) -> Vec<f64> {
    let units = settings.sizes[l + 1];
    let outputs = settings.sizes[settings.layers()];
    let (mean, deviation) = weight_statistics(units);
    let width = settings.preset.width() * deviation;
    let mut stream = Stream::Feedback(l as u8).open(settings.seed);
    let last_hidden = l + 2 == settings.layers();
    match settings.preset {
        Preset::May2017 => matrix(&mut stream, units * outputs, mean, width),
        Preset::Paper if last_hidden => matrix(&mut stream, units * outputs, 0.0, width),
        Preset::Paper => {
            let next = settings.sizes[l + 2];
            let mixing = matrix(&mut stream, units * next, 0.0, width);
            product(&mixing, above, units, next)
        }
    }
}

/// The product of two matrices kept column by column, the first of `rows` × `inner`.
fn product(first: &[f64], second: &[f64], rows: usize, inner: usize) -> Vec<f64> {
    second
        .chunks_exact(inner)
        .flat_map(|weights| {
            let mut column = vec![0.0; rows];
            for (&weight, entries) in weights.iter().zip(first.chunks_exact(rows)) {
                column.iter_mut().zip(entries).for_each(|(sum, entry)| *sum += weight * entry);
            }
            column
        })
        .collect()
}
