//! The one table of number formats.
//!
//! Every variable of the compiled-in arithmetic lives in one of these; no other file
//! states a width. Run-time formats ([`Format`]) describe the same variables for
//! [`crate::emulated`].
//!
//! | variable | type | range | step |
//! |---|---|---|---|
//! | weight, feedback (16 bits) | [`Weight16`] | ±128 | 2⁻⁸ |
//! | weight, feedback (8 bits) | [`Weight8`], binary point per layer | ±8 or ±16 | 2⁻⁴ or 2⁻³ |
//! | accumulator of one step | [`Accumulator`] | ±128 | as the weight |
//! | PSP filters | [`Filter`] | ±128 | 2⁻⁷ |
//! | basal drive, soma, bias | [`Potential`] | ±64 (bias ±128) | 2⁻⁸ |
//! | apical mean | [`Potential`] | ±128 | 2⁻⁸ |
//! | rate, plateau, mean PSP, slope | [`Fraction`] | ±1 | 2⁻¹⁵ |
//! | error | [`Change`] | ±2 | 2⁻¹⁴, or larger by choice |
//! | ΔW | [`Change`] | ±2 | 2⁻¹⁴ |

use fixed::types::extra::{U3, U4, U7, U8, U14, U15};
use fixed::{FixedI8, FixedI16};

/// Weight of 16 bits. Weights reach ±30 in long runs and are rounded stochastically, so
/// range is worth more than resolution.
pub type Weight16 = FixedI16<U8>;
/// Weight of 8 bits in a hidden layer.
pub type Weight8 = FixedI8<U4>;
/// Weight of 8 bits in the output layer, whose weights reach ±14.
pub type Weight8Output = FixedI8<U3>;
/// Sum of the columns of weights that spiked in a step, before it is narrowed.
pub type Accumulator = FixedI16<U8>;
/// The two filters of the postsynaptic potential. Kept within ±128 (15 of 16 bits), so
/// that a difference of two never overflows.
pub type Filter = FixedI16<U7>;
/// Potentials and biases. Soma and basal drive are kept within ±64 for the same reason.
pub type Potential = FixedI16<U8>;
/// Numbers below one: rates relative to their maximum, plateaus, mean PSPs, σ′.
pub type Fraction = FixedI16<U15>;
/// Errors and weight changes. e reaches 0.53 at the paper's learning rates.
pub type Change = FixedI16<U14>;

/// Largest magnitude of a [`Filter`], a basal drive or a soma in raw units.
pub const STATE_LIMIT: i16 = 16383;
/// Fraction bits of an error, unless a layer's are coarser ([`crate::parameters::LayerParameters`]): they are kept as
/// multiples of a larger step.
pub const ERROR_FRACTION: u8 = 14;
/// Largest magnitude of an error, ±1.94: leaves room for the dither of an 8-bit weight's
/// update (10 bits) in the 16 bits of the change.
pub const ERROR_LIMIT: i64 = 31743;
/// Largest sum of magnitudes that may be added up in 16 bits without a check.
pub const ACCUMULATOR_LIMIT: i32 = 32766;

/// Bits and binary point of a variable, chosen at run time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Format {
    /// Width with sign, 2 to 32.
    pub bits: u8,
    /// Fraction bits: the step is 2^−fraction. May be negative.
    pub fraction: i8,
}

impl Format {
    /// A format of so many bits with so many behind the binary point.
    #[must_use]
    pub const fn new(bits: u8, fraction: i8) -> Self {
        Self { bits, fraction }
    }

    /// Largest raw value.
    #[must_use]
    pub const fn largest(self) -> i64 {
        (1i64 << ((self.bits as u32).wrapping_sub(1) & 63)).wrapping_sub(1)
    }

    /// Smallest raw value.
    #[must_use]
    pub const fn smallest(self) -> i64 {
        self.largest().wrapping_neg().wrapping_sub(1)
    }
}

/// The variables that have a format, in the order in which data flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Variable {
    /// Sum of the columns that spiked.
    Accumulator,
    /// First (fast) filter of the PSP cascade.
    FilterFast,
    /// Second (slow) filter of the PSP cascade.
    FilterSlow,
    /// Basal drive k_B·B.
    Basal,
    /// Somatic potential.
    Soma,
    /// Mean apical potential.
    Apical,
    /// Plateau potential α.
    Plateau,
    /// σ of a somatic potential.
    Rate,
    /// Mean postsynaptic potential of a presynaptic unit.
    Psp,
    /// Error e of a neuron.
    Error,
    /// Change of a weight before it is added.
    Delta,
    /// Feed-forward weight.
    Weight,
    /// Bias.
    Bias,
    /// Feedback weight.
    Feedback,
}

impl Variable {
    /// How many there are.
    pub const COUNT: usize = 14;
    /// All of them.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Accumulator,
        Self::FilterFast,
        Self::FilterSlow,
        Self::Basal,
        Self::Soma,
        Self::Apical,
        Self::Plateau,
        Self::Rate,
        Self::Psp,
        Self::Error,
        Self::Delta,
        Self::Weight,
        Self::Bias,
        Self::Feedback,
    ];

    /// The name used in reports, files and flags.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accumulator => "accumulator",
            Self::FilterFast => "filter_fast",
            Self::FilterSlow => "filter_slow",
            Self::Basal => "basal",
            Self::Soma => "soma",
            Self::Apical => "apical",
            Self::Plateau => "plateau",
            Self::Rate => "rate",
            Self::Psp => "psp",
            Self::Error => "error",
            Self::Delta => "delta",
            Self::Weight => "weight",
            Self::Bias => "bias",
            Self::Feedback => "feedback",
        }
    }
}
