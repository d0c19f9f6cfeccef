//! Narrowings whose numbers certainly fit into 32 bits, or products into two parts of 32, 16 at a time.
//!
//! What fits is proved by intervals when the coefficients of a layer are made; the operations
//! are those of [`super::quick`], with the same bits.

use super::VariableFormat;
use super::shift::{Approach, Shift};
use crate::formats::Variable;
use crate::kernels::Lanes;
use crate::rounding::Overflow;

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

    /// How much further its ends are than those of another.
    fn minus_ends(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0), self.1.saturating_sub(other.1))
    }

    /// What the upper part of its numbers can be, whole or before the lower part is carried.
    fn high(self) -> Self {
        let most = i128::from(MOST);
        Self((self.0 >> LOW).saturating_sub(most), (self.1 >> LOW).saturating_add(most))
    }

    pub(super) fn common(self, other: Self) -> Self {
        Self(self.0.max(other.0), self.1.min(other.1))
    }
}

/// Bits of the lower of two [`Parts`].
pub(super) const LOW: u32 = 8;
/// Largest factor of which [`Parts`] can be made.
pub(super) const MOST: i64 = 1 << 22;

/// Numbers of up to 39 bits: `high` · 2⁸ + `low`, which is not negative and has 8 bits.
#[derive(Clone, Copy)]
pub(super) struct Parts<T> {
    high: T,
    low: T,
}

impl<T: Copy> Parts<T> {
    /// A product with a factor that is not negative and at most [`MOST`].
    #[inline(always)]
    pub(super) fn of<L: Lanes<Totals = T>>(l: L, number: T, factor: i32) -> Self {
        let (factor, bits) = (l.splat_totals(factor), l.splat_totals((1 << LOW) - 1));
        let low = l.multiply_totals(l.and_totals(number, bits), factor);
        let high = l.multiply_totals(l.shift_totals(number, 0, LOW), factor);
        Self { high: l.sum_totals(high, l.shift_totals(low, 0, LOW)), low: l.and_totals(low, bits) }
    }

    /// With something added to the upper part.
    #[inline(always)]
    pub(super) fn plus<L: Lanes<Totals = T>>(self, l: L, high: T) -> Self {
        Self { high: l.sum_totals(self.high, high), ..self }
    }
}

/// Any narrowing, …
pub(super) const ANY: u8 = 0;
/// one of which [`Narrowing::is_simple`], …
pub(super) const SIMPLE: u8 = 1;
/// or of which [`Narrowing::is_plain`] is true: what a loop knows of all its narrowings, so that it keeps
/// its registers for those.
pub(super) const PLAIN: u8 = 2;

/// A rounding by a shift to the right, the limits of its result, and what becomes of one beyond them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Narrowing {
    pub(super) down: u32,
    pub(super) added: i32,
    /// What is added to negative numbers besides.
    pub(super) negative: i32,
    pub(super) dithered: bool,
    /// Whether one more is added where the result would be odd: to even.
    even: bool,
    /// Whether one step is all there may be.
    unit: bool,
    pub(super) lowest: i32,
    pub(super) highest: i32,
    overflow: Overflow,
    /// Bits of 32 that are lost where a result wraps.
    unused: u32,
    /// Whether what is rounded comes in [`Parts`].
    pub(super) split: bool,
}

impl Narrowing {
    /// For exact numbers of an interval; with what may come of them before they are held.
    pub(super) fn new(shift: &Shift, exact: Interval) -> Option<(Self, Interval)> {
        Self::of(shift, exact, false)
    }

    /// The same for numbers that come in [`Parts`].
    pub(super) fn split(shift: &Shift, exact: Interval) -> Option<(Self, Interval)> {
        Self::of(shift, exact, true).filter(|_| !shift.unit && shift.down >= LOW)
    }

    fn of(shift: &Shift, exact: Interval, split: bool) -> Option<(Self, Interval)> {
        let dithered = shift.dithered != 0 && shift.down > 0 && !shift.unit;
        let dither = if dithered { (1i128 << shift.down.min(62)).saturating_sub(1) } else { 0 };
        let (added, negative) = (i128::from(shift.added), i128::from(shift.negative));
        let lifted = exact.plus(Interval(negative.min(0), negative.max(0).max(dither)));
        let lifted = lifted.plus(Interval(0, shift.even.into()));
        let sum = lifted.plus(Interval(added, added));
        let limits = Interval(shift.lowest.into(), shift.highest.into());
        // The magnitude of the least number has no place in 32 bits.
        let turned = Interval(exact.0.saturating_sub(shift.unit.into()), exact.1);
        let whole = [turned, lifted, sum].map(|all| if split { all.high() } else { all });
        // What is added to a lower part.
        let low = Interval(0, 255).plus(Interval(added, added)).plus(lifted.minus_ends(exact));
        let all = [Interval(added, added), Interval(negative, negative), limits, low];
        let mut all = all.into_iter().chain(whole);
        if shift.left != 0 || shift.down > 30 || !all.all(Interval::fits) {
            return None;
        }
        let made = Self {
            down: shift.down,
            added: shift.added as i32,
            negative: shift.negative as i32,
            dithered,
            even: shift.even,
            unit: shift.unit,
            lowest: shift.lowest as i32,
            highest: shift.highest as i32,
            overflow: shift.overflow,
            unused: 32u32.saturating_sub(shift.bits),
            split,
        };
        let result = match shift.unit {
            true => Interval(exact.0.clamp(-1, 0), exact.1.clamp(0, 1)),
            false => Interval(sum.0 >> shift.down, sum.1 >> shift.down),
        };
        Some((made, result))
    }

    /// What is known of it.
    pub(super) const fn kind(&self) -> u8 {
        match () {
            () if self.is_plain() => PLAIN,
            () if self.is_simple() => SIMPLE,
            () => ANY,
        }
    }

    /// Whether an addition, a shift and two limits are all.
    pub(super) const fn is_simple(&self) -> bool {
        !self.even && !self.unit && !self.split && matches!(self.overflow, Overflow::Saturate)
    }

    /// Whether nothing but a constant is added, and what is beyond the limits is held there.
    pub(super) const fn is_plain(&self) -> bool {
        self.negative == 0 && !self.dithered && self.is_simple()
    }

    /// Rounded, not yet held; of a `KIND`.
    #[inline(always)]
    pub(super) fn round<L: Lanes, const KIND: u8>(
        &self,
        l: L,
        exact: L::Totals,
        noise: impl FnOnce() -> L::Totals,
    ) -> L::Totals {
        if KIND == ANY && self.unit {
            return self.one_step(l, exact, noise());
        }
        let mut sum = exact;
        if KIND == ANY && self.even {
            let odd = l.and_totals(l.shift_totals(exact, 0, self.down), l.splat_totals(1));
            sum = l.sum_totals(sum, odd);
        }
        if KIND != PLAIN && self.negative != 0 {
            let below_zero = l.shift_totals(exact, 0, 31);
            sum = l.sum_totals(sum, l.and_totals(below_zero, l.splat_totals(self.negative)));
        }
        if KIND != PLAIN && self.dithered {
            sum = l.sum_totals(sum, l.shift_totals_unsigned(noise(), 32u32.wrapping_sub(self.down)));
        }
        l.shift_totals(sum, self.added, self.down)
    }

    /// A number in parts rounded, not yet held; `noise` is made of its lowest 32 bits.
    #[inline(always)]
    pub(super) fn round_parts<L: Lanes>(
        &self,
        l: L,
        Parts { high, low }: Parts<L::Totals>,
        noise: impl FnOnce(L::Totals) -> L::Totals,
    ) -> L::Totals {
        let down = self.down.wrapping_sub(LOW);
        let mut sum = low;
        if self.even {
            sum = l.sum_totals(sum, l.and_totals(l.shift_totals(high, 0, down), l.splat_totals(1)));
        }
        if self.negative != 0 {
            let below_zero = l.shift_totals(high, 0, 31);
            sum = l.sum_totals(sum, l.and_totals(below_zero, l.splat_totals(self.negative)));
        }
        if self.dithered {
            let noise = noise(l.sum_totals(l.shift_totals_left(high, LOW), low));
            sum = l.sum_totals(sum, l.shift_totals_unsigned(noise, 32u32.wrapping_sub(self.down)));
        }
        l.shift_totals(l.sum_totals(high, l.shift_totals(sum, self.added, LOW)), 0, down)
    }

    /// A step of one toward a number, with the probability that its magnitude is.
    #[inline(always)]
    fn one_step<L: Lanes>(&self, l: L, exact: L::Totals, noise: L::Totals) -> L::Totals {
        let below_zero = l.shift_totals(exact, 0, 31);
        // The magnitude of a number, and back: −x is the complement of x − 1.
        let turn = |x| l.subtract_totals(l.xor_totals(x, below_zero), below_zero);
        let size = l.min_totals(turn(exact), l.splat_totals(1 << (self.down & 31)));
        let dither = l.shift_totals_unsigned(noise, 32u32.wrapping_sub(self.down));
        turn(l.shift_totals(l.sum_totals(size, dither), 0, self.down))
    }

    /// What becomes of a value beyond the limits; of a `KIND`.
    #[inline(always)]
    pub(super) fn overflow<const KIND: u8>(&self) -> Overflow {
        if KIND == ANY { self.overflow } else { Overflow::Saturate }
    }

    /// Held within the limits, or what else becomes of a value beyond them, in whose place `old` was;
    /// of a `KIND`.
    #[inline(always)]
    pub(super) fn hold<L: Lanes, const KIND: u8>(&self, l: L, value: L::Totals, old: L::Totals) -> L::Totals {
        let held =
            l.max_totals(l.splat_totals(self.lowest), l.min_totals(l.splat_totals(self.highest), value));
        match self.overflow::<KIND>() {
            Overflow::Saturate => held,
            Overflow::Wrap => l.shift_totals(l.shift_totals_left(value, self.unused), 0, self.unused),
            Overflow::Drop => {
                // −1, 0 or 1; then all bits where it is not 0.
                let by = l.subtract_totals(value, held);
                let by = l.max_totals(l.splat_totals(-1), l.min_totals(l.splat_totals(1), by));
                let beyond = l.subtract_totals(l.splat_totals(0), l.and_totals(by, l.splat_totals(1)));
                l.xor_totals(value, l.and_totals(l.xor_totals(value, old), beyond))
            }
        }
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
        let (narrowing, moved) = Narrowing::new(shift, exact).or_else(|| Narrowing::split(shift, exact))?;
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

    /// What is known of it; [`PLAIN`] only where x and the target have the same binary point.
    pub(super) fn kind(&self) -> u8 {
        let kind = self.narrowing.kind();
        if self.target == 0 && self.own == 0 { kind } else { kind.min(SIMPLE) }
    }

    /// The narrowed move.
    #[inline(always)]
    pub(super) fn moved<L: Lanes, const KIND: u8>(
        &self,
        l: L,
        x: L::Totals,
        target: L::Totals,
        noise: impl FnOnce(L::Totals) -> L::Totals,
    ) -> L::Totals {
        let (mut from, mut to) = (x, target);
        if KIND != PLAIN {
            from = l.shift_totals_left(from, self.own);
            to = l.shift_totals_left(to, self.target);
        }
        let difference = l.subtract_totals(to, from);
        if KIND == ANY && self.narrowing.split {
            return self.narrowing.round_parts(l, Parts::of(l, difference, self.gain), noise);
        }
        let exact = l.multiply_totals(difference, l.splat_totals(self.gain));
        self.narrowing.round::<L, KIND>(
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
