//! The postsynaptic potential's kernel κ and what follows from it.
//!
//! κ(n) = (e^(−n/τ_L) − e^(−n/τ_s)) / (τ_L − τ_s), n = 1, 2, … steps (eLife 2017, eq. 3;
//! τ_L = 10, τ_s = 3 steps). With d_S = e^(−1/3), d_L = e^(−1/10) it is a cascade of two
//! one-pole filters: x₁ += (1 − d_S)(u − x₁), x₂ += (1 − d_L)(x₁ − x₂), PSP = area · x₂,
//! for the cascade passes a constant unchanged and κ alone has the area 0.99723.

#![allow(clippy::float_arithmetic, clippy::arithmetic_side_effects)] // evaluated by the compiler

/// e^(−1/10): what the slow exponential keeps in a step.
pub const KEEP_SLOW: f64 = 0.904_837_418_035_959_6;
/// e^(−1/3): what the fast exponential keeps in a step.
pub const KEEP_FAST: f64 = 0.716_531_310_573_789_3;
/// Sum of κ(1), κ(2), …
pub const FULL_AREA: f64 = (KEEP_SLOW / (1.0 - KEEP_SLOW) - KEEP_FAST / (1.0 - KEEP_FAST)) / 7.0;
/// Taps of the authors' program.
pub const TAPS: usize = 10;
/// Sum of κ(1) … κ(10).
pub const CUT_AREA: f64 = partial_area(TAPS);

/// Which kernel the synapses have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kernel {
    /// Infinite, scaled to the area of the cut one (0.5104). Learns as the cut one does,
    /// and needs no memory of past input.
    #[default]
    Scaled,
    /// κ(1) … κ(10), then nothing: what the authors' program does. Area 0.5104.
    Cut,
    /// Infinite, area 1: the paper's text.
    Paper,
}

impl Kernel {
    /// Factor from the cascade's second filter to the postsynaptic potential.
    #[must_use]
    pub const fn gain(self) -> f64 {
        match self {
            Self::Scaled => CUT_AREA,
            Self::Cut | Self::Paper => FULL_AREA,
        }
    }

    /// Sum of the first `taps` values of this kernel.
    #[must_use]
    pub const fn area(self, taps: usize) -> f64 {
        match self {
            Self::Scaled => partial_area(taps) / FULL_AREA * CUT_AREA,
            Self::Cut => partial_area(if taps < TAPS { taps } else { TAPS }),
            Self::Paper => partial_area(taps),
        }
    }
}

/// Sum of κ(1) … κ(taps).
const fn partial_area(taps: usize) -> f64 {
    let (mut slow, mut fast, mut sum, mut n) = (1.0, 1.0, 0.0, 0);
    while n < taps {
        slow *= KEEP_SLOW;
        fast *= KEEP_FAST;
        sum += (slow - fast) / 7.0;
        n += 1;
    }
    sum
}

/// Longest phase: 50 steps and the longest extra, or a long test.
pub const AREAS: usize = 178;
/// Fraction bits of an entry of [`areas`], and of the sums made of them.
pub const AREA_BITS: u32 = 11;

/// Running sums of the kernel, `areas[n]` = κ(1) + … + κ(n) in 2⁻¹¹ rounded to nearest:
/// what a spike contributes to the sum of its potential over n steps.
#[must_use]
#[allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)] // evaluated by the compiler
pub const fn areas(kernel: Kernel) -> [u16; AREAS] {
    let mut areas = [0u16; AREAS];
    let mut n = 0;
    while n < AREAS {
        areas[n] = (kernel.area(n) * (1u32 << AREA_BITS) as f64 + 0.5) as u16;
        n += 1;
    }
    areas
}
