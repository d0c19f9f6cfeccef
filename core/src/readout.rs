//! A test's answer from what each spike is worth.
//!
//! The answer is the output with the highest mean somatic potential, and that potential is linear in
//! the spikes below: synapses, basal drive and leak are filters. So it is not followed step by step. A spike adds to
//! the sum over the window what is left of its [response](Areas::soma) there, times its weight and k_B; each unit of
//! the last hidden layer is credited with what its spikes are worth, and the outputs are worked out once, from the
//! credits. Exact numbers would give the same sums either way; here they are rounded once instead of in every step,
//! and no potential meets the end of its range. Biases count as settled by the time the window begins.

use crate::arithmetic::Columns;
use crate::tables::psp::{AREA_BITS, Areas};

/// The window of a test, and the unit of the credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Readout {
    steps: u32,
    start: u32,
    shift: u32,
}

/// Bits of a credit.
const BITS: u32 = i16::BITS - 1;
/// The coarsest unit is 2 to this times that of the areas, for tests of 16,000 steps.
const MOST_SHIFT: u32 = 8;

impl Readout {
    /// Of a test of so many steps, whose means run from step `start`.
    ///
    /// A unit can spike in every second step, two and a half times as often as one spikes at its highest rate on
    /// average, before its credit saturates.
    #[must_use]
    pub fn new(areas: &Areas, steps: u32, start: u32) -> Self {
        let most = u32::from(areas.soma.whole()).saturating_mul(steps >> 1);
        let beyond = u32::BITS.wrapping_sub((most >> BITS).leading_zeros());
        Self { steps, start, shift: beyond.min(MOST_SHIFT) }
    }

    /// What a spike of this step is worth.
    #[inline]
    #[must_use]
    pub fn share(self, areas: &Areas, step: u32) -> u16 {
        self.rounded(areas.soma.within(self.start, self.steps, step))
    }

    /// What a spike of step `first` and of each that follows is worth.
    #[inline]
    pub fn shares(self, areas: &Areas, first: u32, to: &mut [u16]) {
        areas.soma.within_each(self.start, self.steps, first, to);
        to.iter_mut().for_each(|share| *share = self.rounded(*share));
    }

    #[inline(always)]
    fn rounded(self, area: u16) -> u16 {
        let half = 1u16.wrapping_shl(self.shift) >> 1;
        area.saturating_add(half) >> (self.shift & 15)
    }

    /// Steps of the window.
    #[inline]
    #[must_use]
    pub fn window(self) -> u32 {
        self.steps.saturating_sub(self.start)
    }

    /// Fraction bits of a credit.
    #[inline]
    #[must_use]
    pub fn fraction(self) -> u32 {
        AREA_BITS.wrapping_sub(self.shift)
    }
}

/// A credit within its range.
#[inline(always)]
#[must_use]
pub fn held(credit: u16) -> i16 {
    credit.min(const { (1 << BITS) - 1 }) as i16
}

/// The first of the highest of some outputs' sums.
#[inline(always)]
pub(crate) fn highest<S: Copy>(sums: &[S], exceeds: impl Fn(S, S) -> bool) -> usize {
    let mut best = None;
    for (unit, &sum) in sums.iter().enumerate() {
        if best.is_none_or(|(_, other)| exceeds(sum, other)) {
            best = Some((unit, sum));
        }
    }
    best.map_or(0, |(unit, _)| unit)
}

/// What an output layer is read out from.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a, W, S> {
    /// Its weights.
    pub columns: Columns<'a, W>,
    /// Its biases times k_B.
    pub bias: &'a [S],
    /// What the spikes of each presynaptic unit are worth.
    pub credits: &'a [u16],
    /// In which unit.
    pub readout: Readout,
}
