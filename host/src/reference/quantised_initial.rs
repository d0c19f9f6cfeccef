//! Initial weights as the core draws them: from means of 32 and widths of 20 fraction bits,
//! so that no compiler's sine or root decides a bit.

use apical_core::emulated::Table;
use apical_core::formats::Variable;
use apical_core::random::{Generator, Stream};
use rand_core::Rng;

use super::constants::{INITIAL_BIAS, INITIAL_BIAS_DEVIATION, SHARE};
use super::initial::{Layer, weight_statistics};
use super::settings::{Preset, Settings};

/// Mean and half-width as they are stored.
#[derive(Clone, Copy)]
struct Spread {
    mean: f64,
    width: f64,
}

impl Spread {
    fn new(mean: f64, width: f64) -> Self {
        let (fine, coarse) = (32f64.exp2(), 20f64.exp2());
        Self { mean: (mean * fine).round() / fine, width: (width * coarse).round() / coarse }
    }

    /// The number that a draw stands for, to 2⁻³² downward.
    fn draw(self, stream: &mut Generator) -> f64 {
        let grain = 32f64.exp2();
        let part = f64::from(stream.next_u32() as i32) * self.width * 2.0;
        self.mean + part.floor() / grain
    }
}

/// To the nearest step of a format, within its range.
fn stored(table: &Table, variable: Variable, value: f64) -> f64 {
    let to = table.of(variable);
    let step = (-f64::from(to.format.fraction)).exp2();
    (value / step + 0.5).floor().clamp(to.lowest as f64, to.highest as f64) * step
}

/// The layers of a network as they begin; biases times k_B.
pub(super) fn layers(settings: &Settings, tables: &[Table]) -> Vec<Layer> {
    let width = settings.preset.width();
    let feedbacks = feedbacks(settings);
    let layers = feedbacks.into_iter().enumerate().map(|(l, feedback)| {
        let (fan_in, units, table) = (settings.sizes[l], settings.sizes[l + 1], &tables[l]);
        let (mean, deviation) = weight_statistics(fan_in);
        let mut stream = Stream::Weights(l as u8).open(settings.seed);
        let mut matrix = |entries, variable, spread: Spread| -> Vec<f64> {
            (0..entries).map(|_| stored(table, variable, spread.draw(&mut stream))).collect()
        };
        let weights = matrix(fan_in * units, Variable::Weight, Spread::new(mean, width * deviation));
        let bias_width = width * INITIAL_BIAS_DEVIATION * SHARE;
        let bias = matrix(units, Variable::Bias, Spread::new(INITIAL_BIAS * SHARE, bias_width));
        let feedback = feedback.into_iter().map(|y| stored(table, Variable::Feedback, y)).collect();
        Layer { units, fan_in, weights, bias, feedback }
    });
    layers.collect()
}

/// Y of every layer, before it is stored; none of the output layer.
fn feedbacks(settings: &Settings) -> Vec<Vec<f64>> {
    let outputs = settings.sizes[settings.layers()];
    let mut all = vec![Vec::new()];
    for l in (0..settings.layers() - 1).rev() {
        let units = settings.sizes[l + 1];
        let (mean, deviation) = weight_statistics(units);
        let width = settings.preset.width() * deviation;
        let mut stream = Stream::Feedback(l as u8).open(settings.seed);
        let feedback = match settings.preset {
            Preset::May2017 => {
                let spread = Spread::new(mean, width);
                (0..units * outputs).map(|_| spread.draw(&mut stream)).collect()
            }
            Preset::Paper => paper(&mut stream, Spread::new(0.0, width), units, outputs, &all[0]),
        };
        all.insert(0, feedback);
    }
    all
}

/// The paper's Y: drawn in the last hidden layer, R·Y of the layer above in the others,
/// every product to 2⁻²⁰.
fn paper(stream: &mut Generator, spread: Spread, units: usize, outputs: usize, above: &[f64]) -> Vec<f64> {
    let grain = 20f64.exp2();
    let mut draw = || (spread.draw(stream) * grain).floor() / grain;
    if above.is_empty() {
        return (0..units * outputs).map(|_| draw()).collect();
    }
    let units_above = above.len() / outputs;
    let mut feedback = vec![0.0; units * outputs];
    for unit_above in 0..units_above {
        for unit in 0..units {
            let r = draw();
            for output in 0..outputs {
                let product = r * above[output * units_above + unit_above];
                feedback[output * units + unit] += (product * grain + 0.5).floor() / grain;
            }
        }
    }
    feedback
}
