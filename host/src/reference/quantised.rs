//! The reference in the core's formats: a second text of every narrowing, in f64.
//!
//! [`Quantised`] is a [`Rounding`] that narrows where `apical_core::emulated` narrows, with
//! the same [`Table`], the same rounding modes and the same random numbers, so that a
//! reference that carries it ends with the same integers as the core. It shares the draws
//! and the tables of formats with the core, and none of its arithmetic: numbers are real
//! ones, a narrowing is a product with a power of two, `floor` and a division.
//!
//! | what | as it is kept |
//! |---|---|
//! | decays, g_L + g_B, k_B | 15 fraction bits |
//! | k_B·gain | 16 |
//! | 20 η k_B | 11 |
//! | sums of the kernel | 11 |
//! | potentials compared with noise | 8, rounded up; those of pixels to nearest |
//! | 1/steps | 20, to nearest |
//! | bias | as k_B·b, so k_B is 1 where it is read and 15 bits where it changes |
//!
//! # Numerics
//! Exact wherever a product and its dither have at most 53 bits, which all formats of up to
//! 24 bits do.

use apical_core::emulated::{Decay, Table, VariableFormat};
use apical_core::formats::Variable;
use apical_core::random::{DITHER_STRIDE, Dither, Generator, Offsets, Stream};
use apical_core::rounding::{Overflow, Rounding as Mode};
use apical_core::tables::noise::BLOCK;

use super::constants::SHARE;
use super::rounding::{Coefficient, Rounding, Site, sigmoid};
use super::settings::{Settings, SettingsError};
use super::{Network, quantised_initial};

/// Narrows as the core does in the formats of a table for each layer.
#[derive(Debug, Clone)]
pub struct Quantised {
    tables: Vec<Table>,
    decay: Decay,
    dither: Vec<Dither>,
    lanes: [u16; BLOCK],
    offsets: Vec<u16>,
    presynaptic: usize,
    /// Sums of the step before, for overflows that keep the old value.
    sums: Vec<Vec<f64>>,
}

/// 2^exponent.
fn power(exponent: i32) -> f64 {
    f64::from(exponent).exp2()
}

/// `value` with `from` fraction bits as an integer with `to`; `noise` are 32 uniform bits.
fn round(mode: Mode, value: f64, from: i32, to: i32, noise: u32) -> f64 {
    let steps = value * power(to);
    if from <= to {
        return steps;
    }
    let dither = (f64::from(noise) * power(from - to - 32)).floor() * power(to - from);
    match mode {
        Mode::Floor => steps.floor(),
        Mode::TowardZero => steps.trunc(),
        Mode::Nearest => (steps + 0.5).floor(),
        Mode::NearestEven => steps.round_ties_even(),
        Mode::NearestAway => steps.round(),
        Mode::Stochastic => (steps + dither).floor(),
        Mode::UnitStep => (steps.abs().min(1.0) + dither).floor() * if steps < 0.0 { -1.0 } else { 1.0 },
    }
}

/// An integer within the range of its format, as an overflow leaves it.
fn fit(to: &VariableFormat, raw: f64, old: f64) -> f64 {
    let (lowest, highest) = (to.lowest as f64, to.highest as f64);
    if (lowest..=highest).contains(&raw) {
        return raw;
    }
    let turn = power(i32::from(to.format.bits));
    match to.overflow {
        Overflow::Saturate => raw.clamp(lowest, highest),
        Overflow::Wrap => raw - turn * (raw / turn + 0.5).floor(),
        Overflow::Drop => old,
    }
}

/// The core's hash of where a state is rounded (see `apical_core::emulated`).
fn state_noise(offset: u32, unit: usize, site: Variable, value: f64) -> u32 {
    const PLACE: u32 = 0x9E37_79B1;
    const NAME: u32 = 0x85EB_CA6B;
    let place = offset ^ (unit as u32).wrapping_mul(PLACE) ^ (site as u32).wrapping_mul(NAME);
    let mut x = place.wrapping_add((value as i64 as u32).wrapping_mul(0xC2B2_AE35));
    for (shift, factor) in [(16, 0x7FEB_352D), (15, 0x846C_A68B)] {
        x = (x ^ (x >> shift)).wrapping_mul(factor);
    }
    x ^ (x >> 16)
}

/// 32 bits from the 16 of a lane.
fn weight_noise(lane: u16) -> u32 {
    let low = u32::from(lane) * 40503 + 12345;
    u32::from(lane) << 16 | low & 0xFFFF
}

/// The core's σ: straight lines between its 129 stored values, in 2⁻¹⁵.
fn lines(potential: f64) -> f64 {
    let table = apical_core::tables::sigmoid::stored();
    let scaled = (potential * 256.0 + 0.5).floor().clamp(-32768.0, 32767.0);
    let line = (scaled.abs() / 32.0).floor();
    let along = scaled.abs() - 32.0 * line;
    let above_half = match table.get(line as usize..) {
        Some([low, high, ..]) => {
            let (low, high) = (f64::from(*low), f64::from(*high));
            low + ((high - low) * along / 32.0 + 0.5).floor()
        }
        _ => 32767.0,
    };
    if scaled < 0.0 { 32768.0 - above_half } else { above_half }
}

impl Quantised {
    /// The hook for a network of these settings, with a table for each layer.
    #[must_use]
    pub fn new(settings: &Settings, tables: &[Table], decay: Decay) -> Self {
        let units = &settings.sizes[1..];
        let dither = (0..units.len()).map(|l| {
            let mut dither = Dither::unseeded();
            dither.seed(&mut Stream::Dither(l as u8).open(settings.seed));
            dither
        });
        Self {
            tables: tables.to_vec(),
            decay,
            dither: dither.collect(),
            lanes: [0; BLOCK],
            offsets: Vec::new(),
            presynaptic: 0,
            sums: units.iter().map(|&n| vec![0.0; n]).collect(),
        }
    }

    /// A reference network that carries the hook, with the core's initial weights.
    ///
    /// # Errors
    /// Settings that make no network.
    pub fn network(
        settings: &Settings,
        tables: &[Table],
        decay: Decay,
    ) -> Result<Network<Self>, SettingsError> {
        let mut network = Network::with_rounding(settings, Self::new(settings, tables, decay))?;
        let layers = quantised_initial::layers(settings, tables);
        network.layers_mut().clone_from_slice(&layers);
        Ok(network)
    }

    fn of(&self, layer: usize, variable: Variable) -> &VariableFormat {
        self.tables[layer].of(variable)
    }

    fn fraction(&self, layer: usize, variable: Variable) -> i32 {
        i32::from(self.of(layer, variable).format.fraction)
    }

    /// An exact value with `from` fraction bits, rounded as the variable is, in steps of it.
    fn rounded(&self, layer: usize, variable: Variable, exact: f64, from: i32, noise: (u32, usize)) -> f64 {
        let to = self.of(layer, variable);
        let noise = state_noise(noise.0, noise.1, variable, exact * power(from));
        round(to.rounding, exact, from, i32::from(to.format.fraction), noise)
    }

    /// The same fitted, in real units.
    fn narrowed(&self, layer: usize, variable: Variable, exact: f64, from: i32, noise: (u32, usize)) -> f64 {
        let raw = self.rounded(layer, variable, exact, from, noise);
        fit(self.of(layer, variable), raw, 0.0) * power(-self.fraction(layer, variable))
    }

    /// Where in its block's noise a unit stands.
    fn place(&self, unit: usize) -> (u32, usize) {
        (u32::from(self.offsets.get(unit / BLOCK).copied().unwrap_or(0)), unit)
    }

    /// The sum of the columns: held in its own format, then narrowed to the filter's.
    fn accumulated(&mut self, layer: usize, unit: usize, value: f64) -> f64 {
        let (own, filter) = (*self.of(layer, Variable::Accumulator), *self.of(layer, Variable::FilterFast));
        let (from, to) = (self.fraction(layer, Variable::Weight), self.fraction(layer, Variable::FilterFast));
        let old = self.sums[layer][unit];
        let total = fit(&own, value * power(from), old);
        let noise = state_noise(self.presynaptic as u32, unit, Variable::Accumulator, total);
        let sum = fit(&filter, round(own.rounding, total * power(-from), from, to, noise), old);
        self.sums[layer][unit] = sum;
        sum * power(-to)
    }

    /// A change through its own format and then to whole steps of what it changes.
    fn change(&self, layer: usize, variable: Variable, exact: f64, from: i32, lane: u16) -> f64 {
        let (delta, to) = (self.of(layer, Variable::Delta), self.of(layer, variable));
        let (delta_f, to_f) = (i32::from(delta.format.fraction), i32::from(to.format.fraction));
        let raw = round(delta.rounding, exact, from, delta_f, weight_noise(lane.rotate_left(5)));
        let raw = fit(delta, raw, 0.0);
        round(to.rounding, raw * power(-delta_f), delta_f, to_f, weight_noise(lane)) * power(-to_f)
    }
}

/// The variable of a site where a change is narrowed and a sum kept.
fn moved(site: Site) -> Option<Variable> {
    match site {
        Site::FilterFast => Some(Variable::FilterFast),
        Site::FilterSlow => Some(Variable::FilterSlow),
        Site::Soma => Some(Variable::Soma),
        Site::Weight => Some(Variable::Weight),
        Site::Bias => Some(Variable::Bias),
        _ => None,
    }
}

impl Rounding for Quantised {
    fn enter(&mut self, layer: usize, presynaptic: usize, stream: &Generator) {
        let mut ahead = stream.clone();
        let mut offsets = Offsets::new(&mut ahead);
        let blocks = self.sums[layer].len().div_ceil(BLOCK);
        self.offsets.clear();
        self.offsets.extend((0..blocks).map(|_| offsets.draw()));
        self.presynaptic = presynaptic;
    }

    fn narrow(&mut self, site: Site, _layer: usize, value: f64) -> f64 {
        match site {
            // Up: "greater than a multiple of 2⁻⁸" stays as it was.
            Site::Potential => (value * 256.0).ceil().clamp(-32768.0, 32766.0) / 256.0,
            _ => value,
        }
    }

    fn narrow_at(&mut self, site: Site, layer: usize, unit: usize, value: f64) -> f64 {
        let f = |variable| self.fraction(layer, variable);
        match site {
            Site::Accumulator => self.accumulated(layer, unit, value),
            Site::FilterFast | Site::FilterSlow | Site::Soma => {
                let (variable, toward) = match site {
                    Site::FilterFast => (Variable::FilterFast, Variable::FilterFast),
                    Site::FilterSlow => (Variable::FilterSlow, Variable::FilterFast),
                    _ => (Variable::Soma, Variable::Basal),
                };
                let from = f(variable).max(f(toward)) + 15;
                self.rounded(layer, variable, value, from, self.place(unit)) * power(-f(variable))
            }
            Site::Basal => {
                let from = (f(Variable::FilterSlow) + 16).max(f(Variable::Bias));
                self.narrowed(layer, Variable::Basal, value, from, self.place(unit))
            }
            Site::Apical => {
                let from = f(Variable::Feedback) + f(Variable::Psp);
                self.narrowed(layer, Variable::Apical, value, from, (0, unit))
            }
            Site::Error => {
                let output = layer + 1 == self.tables.len();
                let kind = if output { Variable::Rate } else { Variable::Plateau };
                let from = f(kind) + f(Variable::Rate) + 11;
                self.narrowed(layer, Variable::Error, value, from, (0, unit))
            }
            _ => self.narrow(site, layer, value),
        }
    }

    fn keep(&mut self, site: Site, layer: usize, _unit: usize, old: f64, new: f64) -> f64 {
        let Some(variable) = moved(site) else { return new };
        let fraction = self.fraction(layer, variable);
        fit(self.of(layer, variable), new * power(fraction), old * power(fraction)) * power(-fraction)
    }

    fn mean(&mut self, site: Site, layer: usize, sum: f64, steps: usize) -> f64 {
        let reciprocal = (power(20) / steps as f64 + 0.5).floor() * power(-20);
        // Presynaptic layers: 0 is the input, whose spikes the first layer reads.
        let (variable, layer, own) = match site {
            Site::PspMean => (Variable::Psp, layer.min(self.tables.len() - 1), 11),
            Site::Rate => (Variable::Rate, layer, self.fraction(layer, Variable::Rate)),
            _ => (Variable::Soma, layer, self.fraction(layer, Variable::Soma)),
        };
        let to = self.of(layer, variable);
        let noise = state_noise(steps as u32, 0, variable, sum * power(own));
        let raw = round(to.rounding, sum * reciprocal, own + 20, i32::from(to.format.fraction), noise);
        fit(to, raw, 0.0) * power(-i32::from(to.format.fraction))
    }

    fn rate(&mut self, site: Site, layer: usize, potential: f64) -> f64 {
        let (from, variable) = match site {
            Site::Plateau => (Variable::Apical, Variable::Plateau),
            _ => (Variable::Soma, Variable::Rate),
        };
        let to = self.of(layer, variable);
        let noise = state_noise(0, 0, variable, potential * power(self.fraction(layer, from)));
        let raw = round(to.rounding, lines(potential) * power(-15), 15, i32::from(to.format.fraction), noise);
        fit(to, raw, 0.0) * power(-i32::from(to.format.fraction))
    }

    fn slope(&mut self, layer: usize, rate: f64) -> f64 {
        let fraction = self.fraction(layer, Variable::Rate);
        rate - self.rounded(layer, Variable::Rate, rate * rate, 2 * fraction, (0, 0)) * power(-fraction)
    }

    fn dithered(&mut self, site: Site, layer: usize, _column: usize, unit: usize, value: f64) -> f64 {
        if unit == 0 {
            self.lanes = self.dither[layer].draw();
        }
        let block = (unit / BLOCK) as u16;
        let lane = self.lanes[unit % BLOCK].wrapping_add(block.wrapping_mul(DITHER_STRIDE));
        let error = self.fraction(layer, Variable::Error);
        if site == Site::BiasDelta {
            let share = (SHARE * 32768.0).round() / 32768.0;
            return self.change(layer, Variable::Bias, value * share, error + 15, lane);
        }
        let from = error + self.fraction(layer, Variable::Psp);
        self.change(layer, Variable::Weight, value, from, lane)
    }

    fn coefficient(&self, which: Coefficient, value: f64) -> f64 {
        let to = |bits| (value * power(bits) + 0.5).floor() * power(-bits);
        match which {
            Coefficient::Fast | Coefficient::Slow | Coefficient::Settle => match self.decay {
                Decay::Fine => to(15),
                Decay::Bits(bits) => to(i32::from(bits.min(15))),
                Decay::Shift => power((value * 2f64.sqrt()).log2().floor().max(-15.0) as i32),
            },
            Coefficient::FastTail | Coefficient::SlowTail => to(15),
            Coefficient::BasalGain => to(16),
            Coefficient::Share => 1.0,
            Coefficient::Learning | Coefficient::Area => to(11),
            Coefficient::Threshold => (value * 256.0).floor() / 256.0,
            // A pixel is a neuron of this potential to the core.
            Coefficient::Grey => sigmoid(((value / (1.0 - value)).ln() * 256.0).round() / 256.0),
        }
    }
}
