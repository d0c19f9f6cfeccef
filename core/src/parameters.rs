//! The constants of the model, and the coefficients made of them.
//!
//! The only file of this crate with floats: they are evaluated by the compiler, or once
//! before a run, never in a step.
#![allow(clippy::float_arithmetic, clippy::arithmetic_side_effects)]

use crate::formats::ERROR_FRACTION;
use crate::rounding::Rounding;
use crate::tables::psp::{KEEP_FAST, KEEP_SLOW, Kernel, TAPS};

/// Leak conductance g_L.
pub const LEAK: f64 = 0.1;
/// Conductance from the basal dendrite to the soma, g_B (hidden) and g_D (output).
pub const BASAL: f64 = 0.6;
/// What a soma moves toward its drive in a step: g_L + g_B, with g_A = 0.
pub const APPROACH: f64 = LEAK + BASAL;
/// k_B = g_B/(g_L + g_B): the share of the basal potential a soma settles at.
pub const BASAL_SHARE: f64 = BASAL / APPROACH;
/// E_E and −E_I: potential the teaching current pulls the right and the wrong outputs to.
pub const TEACHER: i16 = 8;
/// Steps of a phase before its random extra.
pub const PHASE_STEPS: u32 = 50;
/// Steps of a phase that are left out of its means.
pub const SETTLING_STEPS: u32 = 30;
/// Factor of every update: 20 = 4/λ_max (the paper's P₀, P₁ with rates in spikes per ms).
pub const UPDATE_SCALE: f64 = 20.0;

/// What a layer is made with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayerParameters {
    /// Synaptic kernel.
    pub kernel: Kernel,
    /// η of this layer.
    pub learning_rate: f64,
    /// Fraction bits of its weights: 8 for 16-bit weights, 3 or 4 for 8-bit ones.
    pub weight_fraction: u8,
    /// Fraction bits of its errors: [`ERROR_FRACTION`], or fewer for coarser ones, to nearest.
    pub error_fraction: u8,
    /// Rounding of its updates.
    pub rounding: Rounding,
}

/// Coefficients of a layer in the compiled-in arithmetic; shared by its neurons, never
/// changed by a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coefficients {
    /// 1 − e^(−1/3), Q15: what the fast filter moves toward its input.
    pub fast: i16,
    /// 1 − e^(−1/10), Q15.
    pub slow: i16,
    /// What a cut kernel takes from the fast filter ten steps later, Q15; else 0.
    pub tail_fast: i16,
    /// The same for the slow filter.
    pub tail_slow: i16,
    /// k_B · gain of the kernel · 2 (from 7 to 8 fraction bits): its integer part, 0 or −1
    /// as a mask for 0 or 1 …
    pub basal_whole: i16,
    /// … and its fraction, Q15.
    pub basal: i16,
    /// g_L + g_B, Q15.
    pub soma: i16,
    /// k_B, Q15, for biases in units of the basal drive.
    pub share: i16,
    /// 20 η k_B, 11 fraction bits.
    pub error: i32,
    /// From the error's usual fraction bits down to those it has.
    pub error_shift: u8,
    /// From the weight's fraction bits up to the filter's 7.
    pub sum_shift: i8,
    /// From the change's 14 fraction bits down to the weight's.
    pub update_shift: u8,
    /// Rounding of the updates.
    pub rounding: Rounding,
}

/// A number to the nearest integer, halves away from zero.
const fn nearest(value: f64) -> i64 {
    (if value < 0.0 { value - 0.5 } else { value + 0.5 }) as i64
}

const fn q15(value: f64) -> i16 {
    let raw = nearest(value * 32768.0);
    if raw > 32767 { 32767 } else { raw as i16 }
}

/// e^(−10/10) and e^(−10/3): what is left of a spike when the cut kernel ends.
const fn kept(keep: f64) -> f64 {
    let (mut kept, mut n) = (1.0, 0);
    while n < TAPS {
        kept *= keep;
        n += 1;
    }
    kept
}

/// What the cut takes from the fast and from the slow filter.
#[must_use]
pub const fn tails(kernel: Kernel) -> (f64, f64) {
    match kernel {
        Kernel::Scaled | Kernel::Paper => (0.0, 0.0),
        Kernel::Cut => {
            let (slow, fast) = (1.0 - KEEP_SLOW, 1.0 - KEEP_FAST);
            let left = (kept(KEEP_SLOW) - kept(KEEP_FAST)) / (KEEP_SLOW - KEEP_FAST);
            (fast * kept(KEEP_FAST), KEEP_SLOW * slow * fast * left)
        }
    }
}

impl LayerParameters {
    /// The coefficients, each rounded to nearest.
    #[must_use]
    pub const fn coefficients(&self) -> Coefficients {
        let basal = BASAL_SHARE * self.kernel.gain() * 2.0;
        let whole = basal as i16;
        let (tail_fast, tail_slow) = tails(self.kernel);
        Coefficients {
            fast: q15(1.0 - KEEP_FAST),
            slow: q15(1.0 - KEEP_SLOW),
            tail_fast: q15(tail_fast),
            tail_slow: q15(tail_slow),
            basal_whole: -whole,
            basal: q15(basal - whole as f64),
            soma: q15(APPROACH),
            share: q15(BASAL_SHARE),
            error: nearest(UPDATE_SCALE * self.learning_rate * BASAL_SHARE * 2048.0) as i32,
            error_shift: ERROR_FRACTION.saturating_sub(self.error_fraction),
            sum_shift: 7 - self.weight_fraction as i8,
            update_shift: 14 - self.weight_fraction,
            rounding: self.rounding,
        }
    }
}

/// How initial weights are made (eLife 2017, methods; both of the authors' programs).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Preset {
    /// The program that made the headline figures, until May 2017.
    Paper,
    /// The program as last published: twice the spread.
    #[default]
    May2017,
}

/// Mean and half-width of a uniform distribution, in 2⁻³² and 2⁻²⁰.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uniform {
    /// Mean, 32 fraction bits.
    pub mean: i64,
    /// Half of the width, 20 fraction bits.
    pub spread: i64,
}

impl Uniform {
    const fn new(mean: f64, spread: f64) -> Self {
        Self { mean: nearest(mean * 4_294_967_296.0), spread: nearest(spread * 1_048_576.0) }
    }

    /// The value that a draw stands for, 32 fraction bits.
    #[inline]
    #[must_use]
    pub const fn value(self, draw: u32) -> i64 {
        self.mean.wrapping_add((draw as i32 as i64).wrapping_mul(self.spread) >> 19)
    }
}

/// W_avg and W_sd for a fan-in (model's "optimised" initial weights): dendritic
/// potentials of mean 3 and standard deviation 3 at a quarter of the highest rate.
#[must_use]
pub const fn weight_statistics(fan_in: usize) -> (f64, f64) {
    const MEAN: f64 = 3.0;
    const SQUARE: f64 = 3.0 * 3.0 + MEAN * MEAN;
    const BIAS: f64 = 0.8;
    const RATE: f64 = 0.25 * 0.2;
    let n = fan_in as f64;
    let mean = (MEAN - BIAS) / (RATE * n * MEAN);
    let square = (SQUARE + RATE * RATE * (n - n * n) * mean * mean * MEAN * MEAN
        - 2.0 * n * RATE * BIAS * MEAN * mean
        - BIAS * BIAS)
        / (n * RATE * RATE * SQUARE);
    (mean, root(square - mean * mean))
}

/// Square root by Newton's method; `f64::sqrt` is not `const`.
const fn root(square: f64) -> f64 {
    let (mut root, mut n) = (1.0, 0);
    while n < 60 {
        root = 0.5 * (root + square / root);
        n += 1;
    }
    root
}

impl Preset {
    const fn width(self) -> f64 {
        match self {
            Self::Paper => 1.7325,
            Self::May2017 => 3.465,
        }
    }

    /// Distribution of the feed-forward weights of a layer of this fan-in.
    #[must_use]
    pub const fn weights(self, fan_in: usize) -> Uniform {
        let (mean, sd) = weight_statistics(fan_in);
        Uniform::new(mean, self.width() * sd)
    }

    /// Distribution of the biases, times k_B as they are kept.
    #[must_use]
    pub const fn bias(self) -> Uniform {
        Uniform::new(0.8 * BASAL_SHARE, self.width() * 0.001 * BASAL_SHARE)
    }

    /// Distribution of the feedback weights of a hidden layer of this size; for the paper's
    /// earlier hidden layers, of the random matrix that takes them from the next layer's.
    #[must_use]
    pub const fn feedback(self, units: usize) -> Uniform {
        let (mean, sd) = weight_statistics(units);
        match self {
            Self::Paper => Uniform::new(0.0, self.width() * sd),
            Self::May2017 => Uniform::new(mean, self.width() * sd),
        }
    }
}
