//! The postsynaptic potential's kernel κ and what follows from it.
//!
//! κ(n) = (e^(−n/τ_L) − e^(−n/τ_s)) / (τ_L − τ_s), n = 1, 2, … steps (eLife 2017, eq. 3;
//! τ_L = 10, τ_s = 3 steps). With d_S = e^(−1/3), d_L = e^(−1/10) it is a cascade of two
//! one-pole filters: x₁ += (1 − d_S)(u − x₁), x₂ += (1 − d_L)(x₁ − x₂), PSP = area · x₂,
//! for the cascade passes a constant unchanged and κ alone has the area 0.99723.

#![allow(clippy::float_arithmetic, clippy::arithmetic_side_effects)] // evaluated by the compiler

use crate::parameters::APPROACH;

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

/// Steps after which a spike has contributed all that it will, to 2⁻¹¹.
pub const AREAS: usize = 96;
/// Fraction bits of an entry of [`Areas`], and of the sums made of them.
pub const AREA_BITS: u32 = 11;

/// What a spike contributes to sums over steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Areas {
    /// Of its postsynaptic potential: κ(1) + … + κ(n).
    pub psp: Sums,
    /// Of a soma that follows that potential by g_L + g_B of its distance a step.
    pub soma: Sums,
}

/// What a spike has contributed after n steps, in 2⁻¹¹ rounded to nearest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sums(pub [u16; AREAS]);

/// The running sums of a kernel.
#[must_use]
#[allow(clippy::indexing_slicing)] // evaluated by the compiler
pub const fn areas(kernel: Kernel) -> Areas {
    let mut areas = Areas { psp: Sums([0; AREAS]), soma: Sums([0; AREAS]) };
    let (mut soma, mut n) = (0.0, 0);
    while n < AREAS {
        let psp = kernel.area(n);
        soma += (psp - soma) * APPROACH;
        areas.psp.0[n] = stored(psp);
        areas.soma.0[n] = stored(soma);
        n += 1;
    }
    areas
}

const fn stored(area: f64) -> u16 {
    (area * (1u32 << AREA_BITS) as f64 + 0.5) as u16
}

impl Sums {
    /// After a long time.
    #[inline(always)]
    #[must_use]
    pub fn whole(&self) -> u16 {
        self.0.last().copied().unwrap_or(0)
    }

    #[inline]
    fn after(&self, steps: u32) -> u16 {
        self.0.get(steps as usize).copied().unwrap_or(self.whole())
    }

    /// What a spike of step `fired`, which acts from that step on, contributes to the steps from `start` to `end`.
    #[inline]
    #[must_use]
    pub fn within(&self, start: u32, end: u32, fired: u32) -> u16 {
        self.after(end.saturating_sub(fired)).saturating_sub(self.after(start.saturating_sub(fired)))
    }

    /// The same of spikes of step `first` and those that follow.
    #[inline(always)]
    pub fn within_each(&self, start: u32, end: u32, first: u32, to: &mut [u16]) {
        to.fill(0);
        self.each_after(end.saturating_sub(first), to, |to, sum| *to = sum);
        self.each_after(start.saturating_sub(first), to, |to, sum| *to = to.saturating_sub(sum));
    }

    /// Calls `f` with the sums after so many steps, and one less, and so on.
    #[inline(always)]
    fn each_after(&self, steps: u32, to: &mut [u16], f: impl Fn(&mut u16, u16)) {
        let beyond = (steps as usize).saturating_sub(const { AREAS - 1 }).min(to.len());
        let (far, near) = to.split_at_mut(beyond);
        far.iter_mut().for_each(|to| f(to, self.whole()));
        let sums = self.0.get(..=steps as usize).unwrap_or(&self.0).iter().rev();
        near.iter_mut().zip(sums).for_each(|(to, &sum)| f(to, sum));
    }
}
