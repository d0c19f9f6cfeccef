//! Narrowings whose numbers certainly fit into 32 bits, 16 at a time.
//!
//! What fits is proved by intervals when the coefficients of a layer are made; the operations
//! are those of [`super::quick`], with the same bits.

use super::VariableFormat;
use super::quick::{Approach, Shift};
use crate::formats::Variable;
use crate::kernels::Lanes;

/// All numbers from one to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Interval(pub i128, pub i128);

impl Interval {
    /// What a variable can be.
    pub(super) fn of(format: &VariableFormat) -> Self {
        Self(format.lowest.into(), format.highest.into())
    }

    /// Whether it lies within another.
    pub(super) fn is_within(self, other: Self) -> bool {
        self.0 >= other.0 && self.1 <= other.1
    }

    /// Whether 32 bits hold all of it.
    pub(super) fn fits(self) -> bool {
        self.is_within(Self(i32::MIN.into(), i32::MAX.into()))
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0), self.1.saturating_add(other.1))
    }

    pub(super) fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.1), self.1.saturating_sub(other.0))
    }

    /// Times a factor that is not negative.
    pub(super) fn times(self, factor: i64) -> Self {
        Self(self.0.saturating_mul(factor.into()), self.1.saturating_mul(factor.into()))
    }

    /// Times 2^by; everything from 2⁶³ on is too much anyway.
    pub(super) fn raised(self, by: u32) -> Self {
        self.times(1i64.checked_shl(by.min(62)).unwrap_or(i64::MAX))
    }

    pub(super) fn common(self, other: Self) -> Self {
        Self(self.0.max(other.0), self.1.min(other.1))
    }
}

/// A rounding by a shift to the right and the limits of its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Narrowing {
    pub(super) down: u32,
    pub(super) added: i32,
    /// What is added to negative numbers besides.
    pub(super) negative: i32,
    pub(super) dithered: bool,
    pub(super) lowest: i32,
    pub(super) highest: i32,
}

impl Narrowing {
    /// For exact numbers of an interval; with what may come of them before they are held.
    pub(super) fn new(shift: &Shift, exact: Interval) -> Option<(Self, Interval)> {
        let dithered = shift.dithered != 0 && shift.down > 0;
        let dither = if dithered { (1i128 << shift.down.min(62)).saturating_sub(1) } else { 0 };
        let (added, negative) = (i128::from(shift.added), i128::from(shift.negative));
        let lifted = exact.plus(Interval(negative.min(0), negative.max(0).max(dither)));
        let sum = lifted.plus(Interval(added, added));
        let limits = Interval(shift.lowest.into(), shift.highest.into());
        let all = [exact, lifted, sum, Interval(added, added), Interval(negative, negative), limits];
        if shift.left != 0 || shift.down > 30 || !all.into_iter().all(Interval::fits) {
            return None;
        }
        let made = Self {
            down: shift.down,
            added: shift.added as i32,
            negative: shift.negative as i32,
            dithered,
            lowest: shift.lowest as i32,
            highest: shift.highest as i32,
        };
        Some((made, Interval(sum.0 >> shift.down, sum.1 >> shift.down)))
    }

    /// Whether nothing but a constant is added.
    pub(super) const fn is_plain(&self) -> bool {
        self.negative == 0 && !self.dithered
    }

    /// Rounded, not yet held; `PLAIN` as [`Self::is_plain`] says.
    #[inline(always)]
    pub(super) fn round<L: Lanes, const PLAIN: bool>(
        &self,
        l: L,
        exact: L::Totals,
        noise: impl FnOnce() -> L::Totals,
    ) -> L::Totals {
        let mut sum = exact;
        if !PLAIN && self.negative != 0 {
            let below_zero = l.shift_totals(exact, 0, 31);
            sum = l.sum_totals(sum, l.and_totals(below_zero, l.splat_totals(self.negative)));
        }
        if !PLAIN && self.dithered {
            sum = l.sum_totals(sum, l.shift_totals_unsigned(noise(), 32u32.wrapping_sub(self.down)));
        }
        l.shift_totals(sum, self.added, self.down)
    }

    /// Held within the limits.
    #[inline(always)]
    pub(super) fn hold<L: Lanes>(&self, l: L, value: L::Totals) -> L::Totals {
        l.max_totals(l.splat_totals(self.lowest), l.min_totals(l.splat_totals(self.highest), value))
    }
}

/// x + narrow(gain · (target − x)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Toward {
    target: u32,
    own: u32,
    gain: i32,
    pub(super) narrowing: Narrowing,
    /// Whether the sum may be beyond its limits.
    pub(super) held: bool,
}

impl Toward {
    /// Of an x within its limits toward a target of an interval; with the interval of the
    /// narrowed move.
    pub(super) fn new(approach: &Approach, target: Interval) -> Option<(Self, Interval)> {
        let shift = &approach.shift;
        let limits = Interval(shift.lowest.into(), shift.highest.into());
        let gain = i32::try_from(approach.gain).ok().filter(|gain| (0..=1 << 15).contains(gain))?;
        let (raised, own) = (target.raised(approach.target), limits.raised(approach.own));
        let difference = raised.minus(own);
        let exact = difference.times(approach.gain);
        let (narrowing, moved) = Narrowing::new(shift, exact)?;
        let all = [raised, own, difference, limits.plus(moved)];
        if !all.into_iter().all(Interval::fits) {
            return None;
        }
        // The gain is at most one: the sum lies between x and the target, or is the next whole
        // number.
        let end = Interval(raised.0 >> approach.own, raised.1.saturating_neg() >> approach.own);
        let held = !Interval(end.0, end.1.saturating_neg()).is_within(limits);
        Some((Self { target: approach.target, own: approach.own, gain, narrowing, held }, moved))
    }

    /// Whether x and the target have the same binary point, and nothing but a constant is
    /// added to their difference.
    pub(super) const fn is_plain(&self) -> bool {
        self.target == 0 && self.own == 0 && self.narrowing.is_plain()
    }

    /// The narrowed move.
    #[inline(always)]
    pub(super) fn moved<L: Lanes, const PLAIN: bool>(
        &self,
        l: L,
        x: L::Totals,
        target: L::Totals,
        noise: impl FnOnce(L::Totals) -> L::Totals,
    ) -> L::Totals {
        let (mut from, mut to) = (x, target);
        if !PLAIN {
            from = l.shift_totals_left(from, self.own);
            to = l.shift_totals_left(to, self.target);
        }
        let exact = l.multiply_totals(l.subtract_totals(to, from), l.splat_totals(self.gain));
        self.narrowing.round::<L, PLAIN>(
            l,
            exact,
            #[inline(always)]
            || noise(exact),
        )
    }
}

/// What [`super::state_noise`] makes of 16 units: its part that depends on nothing but the unit.
#[inline(always)]
pub(super) fn spread<L: Lanes>(l: L, first: usize) -> L::Totals {
    let mut units = [0i32; 16];
    for (unit, number) in units.iter_mut().zip(first as u32..) {
        *unit = number.wrapping_mul(0x9E37_79B1) as i32;
    }
    l.load_totals(&units)
}

/// [`super::state_noise`] of 16 values.
#[inline(always)]
pub(super) fn noise_of<L: Lanes>(
    l: L,
    offset: u32,
    spread: L::Totals,
    site: Variable,
    value: L::Totals,
) -> L::Totals {
    let start = offset ^ (site as u32).wrapping_mul(0x85EB_CA6B);
    let x = l.xor_totals(spread, l.splat_totals(start as i32));
    let x = l.sum_totals(x, times(l, value, 0xC2B2_AE35));
    let x = times(l, folded(l, x, 16), 0x7FEB_352D);
    let x = times(l, folded(l, x, 15), 0x846C_A68B);
    folded(l, x, 16)
}

#[inline(always)]
fn times<L: Lanes>(l: L, a: L::Totals, factor: u32) -> L::Totals {
    l.multiply_totals(a, l.splat_totals(factor as i32))
}

#[inline(always)]
fn folded<L: Lanes>(l: L, a: L::Totals, by: u32) -> L::Totals {
    l.xor_totals(a, l.shift_totals_unsigned(a, by))
}
