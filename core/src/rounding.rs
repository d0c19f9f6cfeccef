//! How an exact number becomes one with fewer bits.

/// Which neighbour a number between two steps becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Rounding {
    /// Toward −∞ (a plain shift). Biased by −½ step.
    Floor,
    /// Toward zero. Biased toward zero by ½ step.
    TowardZero,
    /// To the nearest, halves upward: add one half and shift, as `pmulhrsw` does.
    /// Biased by half of a step for exact halves alone.
    #[default]
    Nearest,
    /// To the nearest, halves to the even neighbour.
    NearestEven,
    /// To the nearest, halves away from zero.
    NearestAway,
    /// Up with a probability equal to the fraction. Unbiased.
    Stochastic,
    /// A change becomes −1, 0 or +1 step, ±1 with probability |change| (ReckOn's rule).
    /// Unbiased below one step, clipped above.
    UnitStep,
}

impl Rounding {
    /// All modes.
    pub const ALL: [Self; 7] = [
        Self::Floor,
        Self::TowardZero,
        Self::Nearest,
        Self::NearestEven,
        Self::NearestAway,
        Self::Stochastic,
        Self::UnitStep,
    ];

    /// The name used in reports, files and flags.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::TowardZero => "toward-zero",
            Self::Nearest => "nearest",
            Self::NearestEven => "nearest-even",
            Self::NearestAway => "nearest-away",
            Self::Stochastic => "stochastic",
            Self::UnitStep => "unit-step",
        }
    }

    /// `value / 2^shift` as an integer. `noise` are 32 uniform bits, of which the highest
    /// `shift` are used; more than 32 are not needed below a shift of 33.
    ///
    /// # Numerics
    /// Exact but for the one rounding. `shift` ≤ 62 and |value| < 2⁶¹; a shift of 0
    /// changes nothing (but [`Self::UnitStep`] clips).
    #[inline(always)]
    #[must_use]
    pub fn shift(self, value: i64, shift: u32, noise: u32) -> i64 {
        let shift = shift & 63;
        let one = 1i64.wrapping_shl(shift);
        let mask = one.wrapping_sub(1);
        let half = one >> 1;
        let dither = (u64::from(noise) << 32).checked_shr(64u32.wrapping_sub(shift)).unwrap_or(0) as i64;
        let added = match self {
            Self::Floor => 0,
            Self::TowardZero => mask & (value >> 63),
            Self::Nearest => half,
            Self::NearestEven => {
                let odd = (value >> shift) & 1;
                half.wrapping_sub(1).max(0).wrapping_add(odd & i64::from(shift > 0))
            }
            Self::NearestAway => half.wrapping_sub((value < 0 && shift > 0) as i64),
            Self::Stochastic => dither,
            Self::UnitStep => {
                let size = value.unsigned_abs().min(one.unsigned_abs()) as i64;
                let up = size.wrapping_add(dither) >> shift;
                return if value < 0 { up.wrapping_neg() } else { up };
            }
        };
        value.wrapping_add(added) >> shift
    }
}

/// What becomes of a value beyond its range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Overflow {
    /// Held at the end of the range.
    #[default]
    Saturate,
    /// The low bits are kept, as an adder without a guard does.
    Wrap,
    /// The old value stays.
    Drop,
}

impl Overflow {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Saturate, Self::Wrap, Self::Drop];

    /// The name used in reports, files and flags.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Saturate => "saturate",
            Self::Wrap => "wrap",
            Self::Drop => "drop",
        }
    }
}
