//! Where a number may be narrowed: the places at which the integer core rounds.
//!
//! The reference is written against [`Rounding`]; with [`Exact`] every hook is the
//! identity and compiles away. A hook that quantises shows what one format costs alone;
//! [`Quantised`](super::Quantised) narrows all of them as the core does.

use apical_core::random::Generator;

/// A variable that the core narrows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Site {
    /// u, the sum of the columns.
    Accumulator,
    /// What the fast filter gains in a step, and what a cut takes from it.
    FilterFast,
    /// The same of the slow filter.
    FilterSlow,
    /// k_B·(gain·x2 + b), the basal drive.
    Basal,
    /// What a soma gains in a step (target phase of an output: before E is added).
    Soma,
    /// A somatic potential where it is compared with the noise.
    Potential,
    /// Mean apical potential.
    Apical,
    /// Plateau potential.
    Plateau,
    /// σ of a somatic potential; its mean in the target phase.
    Rate,
    /// What one spike adds to the sum of its potential over the window.
    PspSum,
    /// Mean postsynaptic potential.
    PspMean,
    /// Mean somatic potential.
    SomaMean,
    /// Error e.
    Error,
    /// e·⟨s⟩, through [`Rounding::dithered`].
    Delta,
    /// A weight after its change, and an initial one.
    Weight,
    /// Change of a bias (in units of b, not of k_B·b).
    BiasDelta,
    /// A bias after its change, and an initial one.
    Bias,
    /// An initial feedback weight.
    Feedback,
}

/// A coefficient that the core rounds once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Coefficient {
    /// 1 − e^(−1/3).
    Fast,
    /// 1 − e^(−1/10).
    Slow,
    /// What the cut takes from the fast filter.
    FastTail,
    /// What the cut takes from the slow filter.
    SlowTail,
    /// k_B·gain.
    BasalGain,
    /// k_B, for the bias.
    Share,
    /// g_L + g_B.
    Settle,
    /// 20 η k_B of a layer.
    Learning,
    /// A potential stored in the noise; may be infinite.
    Threshold,
    /// A running sum of the kernel.
    Area,
    /// The rate of a pixel, as a share of the highest.
    Grey,
}

/// How numbers are narrowed.
pub trait Rounding {
    /// A step of a layer begins: so many spikes reach it, and it will draw from `stream`.
    #[inline(always)]
    fn enter(&mut self, _layer: usize, _presynaptic: usize, _stream: &Generator) {}

    /// The value as it is kept. Layers count from 0, the first hidden one; at the sites of
    /// postsynaptic potentials they are presynaptic and 0 is the input.
    #[inline(always)]
    fn narrow(&mut self, _site: Site, _layer: usize, value: f64) -> f64 {
        value
    }

    /// The same, told whose value it is.
    #[inline(always)]
    fn narrow_at(&mut self, site: Site, layer: usize, unit: usize, value: f64) -> f64 {
        let _ = unit;
        self.narrow(site, layer, value)
    }

    /// What is kept of a sum of the old value and a narrowed change: here a range ends.
    #[inline(always)]
    fn keep(&mut self, _site: Site, _layer: usize, _unit: usize, _old: f64, new: f64) -> f64 {
        new
    }

    /// The mean of a sum over so many steps.
    #[inline(always)]
    fn mean(&mut self, site: Site, layer: usize, sum: f64, steps: usize) -> f64 {
        self.narrow(site, layer, sum / steps as f64)
    }

    /// σ of a potential, as a rate or plateau.
    #[inline(always)]
    fn rate(&mut self, site: Site, layer: usize, potential: f64) -> f64 {
        let rate = self.sigmoid(potential);
        self.narrow(site, layer, rate)
    }

    /// σ′ = σ(1 − σ) from σ.
    #[inline(always)]
    fn slope(&mut self, _layer: usize, rate: f64) -> f64 {
        rate * (1.0 - rate)
    }

    /// The value as it is kept, with dither of its own for each weight. Columns come in
    /// ascending order, only those that change.
    #[inline(always)]
    fn dithered(&mut self, site: Site, layer: usize, column: usize, unit: usize, value: f64) -> f64 {
        let _ = (column, unit);
        self.narrow(site, layer, value)
    }

    /// A coefficient as it is stored.
    #[inline(always)]
    fn coefficient(&self, _which: Coefficient, value: f64) -> f64 {
        value
    }

    /// The logistic function.
    #[inline(always)]
    fn sigmoid(&self, potential: f64) -> f64 {
        sigmoid(potential)
    }
}

/// No rounding but that of f64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Exact;

impl Rounding for Exact {}

/// 1/(1 + e^(−potential)).
#[inline(always)]
#[must_use]
pub fn sigmoid(potential: f64) -> f64 {
    1.0 / (1.0 + (-potential).exp())
}
