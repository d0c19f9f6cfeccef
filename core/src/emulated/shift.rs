//! A narrowing as an addition, a shift, and what becomes of a result beyond its range.

use super::VariableFormat;
use crate::rounding::{Overflow, Rounding};

/// What is added before a shift to the right by `down` bits: to any value, and to a negative
/// one besides.
const fn constants(rounding: Rounding, down: u32) -> (i64, i64) {
    let half = 1i64.wrapping_shl(down) >> 1;
    match rounding {
        Rounding::Floor | Rounding::Stochastic | Rounding::UnitStep => (0, 0),
        Rounding::Nearest => (half, 0),
        Rounding::TowardZero => (0, 1i64.wrapping_shl(down).wrapping_sub(1)),
        Rounding::NearestAway => (half, if down > 0 { -1 } else { 0 }),
        Rounding::NearestEven => (if down > 0 { half.wrapping_sub(1) } else { 0 }, 0),
    }
}

/// A rounding by shift: to the left, or to the right after adding something; and what becomes of a
/// result beyond its range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shift {
    pub(super) left: u32,
    pub(super) down: u32,
    pub(super) added: i64,
    pub(super) negative: i64,
    /// All bits if the dither counts, else none.
    pub(super) dithered: u64,
    /// Whether one more is added where the result would be odd: to even.
    pub(super) even: bool,
    /// Whether one step is all there may be.
    pub(super) unit: bool,
    pub(super) lowest: i64,
    pub(super) highest: i64,
    pub(super) bits: u32,
    pub(super) overflow: Overflow,
}

impl Shift {
    /// From so many fraction bits to a variable, if 64 bits hold that.
    pub(super) fn new(to: &VariableFormat, from: i32) -> Option<Self> {
        let down = from.wrapping_sub(i32::from(to.format.fraction));
        let (left, down) = (down.wrapping_neg().max(0) as u32, down.max(0) as u32);
        if down >= 63 || left >= 63 {
            return None;
        }
        let (added, negative) = constants(to.rounding, down);
        let draws = matches!(to.rounding, Rounding::Stochastic | Rounding::UnitStep);
        Some(Self {
            left,
            down,
            added,
            negative,
            dithered: if draws { u64::MAX } else { 0 },
            even: down > 0 && matches!(to.rounding, Rounding::NearestEven),
            unit: down > 0 && matches!(to.rounding, Rounding::UnitStep),
            lowest: to.lowest,
            highest: to.highest,
            bits: to.format.bits.into(),
            overflow: to.overflow,
        })
    }

    /// Whether an addition, a shift and two limits are all: what the methods below do.
    pub(super) const fn is_simple(&self) -> bool {
        !self.even && !self.unit && matches!(self.overflow, Overflow::Saturate)
    }

    #[inline(always)]
    pub(super) fn round(&self, exact: i64) -> i64 {
        let negative = exact.wrapping_shr(63) & self.negative;
        let added = self.added.wrapping_add(negative);
        exact.wrapping_shl(self.left).wrapping_add(added).wrapping_shr(self.down)
    }

    /// The same with 32 uniform bits, of which the highest count.
    #[inline(always)]
    pub(super) fn round_with(&self, exact: i64, noise: u32) -> i64 {
        let dither = (u64::from(noise) << 32).checked_shr(64u32.wrapping_sub(self.down)).unwrap_or(0);
        // A shift to the left leaves nothing to dither: `down` is 0 then.
        self.round(exact.wrapping_add((dither & self.dithered) as i64))
    }

    #[inline(always)]
    pub(super) fn hold(&self, value: i64) -> i32 {
        value.max(self.lowest).min(self.highest) as i32
    }
}

/// x + narrow(gain · (target − x)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Approach {
    pub(super) target: u32,
    pub(super) own: u32,
    pub(super) gain: i64,
    pub(super) shift: Shift,
}

impl Approach {
    pub(super) fn new(to: &VariableFormat, target: i32, gain: i32) -> Option<Self> {
        let own = i32::from(to.format.fraction);
        let common = own.max(target);
        Some(Self {
            target: common.wrapping_sub(target) as u32,
            own: common.wrapping_sub(own) as u32,
            gain: i64::from(gain),
            shift: Shift::new(to, common.wrapping_add(15))?,
        })
    }

    /// What is narrowed.
    #[inline(always)]
    fn exact(&self, x: i32, target: i32) -> i64 {
        let target = i64::from(target).wrapping_shl(self.target);
        let from = i64::from(x).wrapping_shl(self.own);
        target.wrapping_sub(from).wrapping_mul(self.gain)
    }

    /// The narrowed move.
    #[inline(always)]
    pub(super) fn moved<const NOISY: bool>(
        &self,
        x: i32,
        target: i32,
        noise: impl FnOnce(i64) -> u32,
    ) -> i64 {
        let exact = self.exact(x, target);
        if NOISY { self.shift.round_with(exact, noise(exact)) } else { self.shift.round(exact) }
    }

    #[inline(always)]
    pub(super) fn step<const NOISY: bool>(&self, x: i32, target: i32, noise: impl FnOnce(i64) -> u32) -> i32 {
        self.shift.hold(i64::from(x).wrapping_add(self.moved::<NOISY>(x, target, noise)))
    }
}
