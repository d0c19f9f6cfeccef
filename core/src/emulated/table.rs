//! The table of formats: one line a variable.

use crate::formats::{ERROR_FRACTION, ERROR_LIMIT, Format, STATE_LIMIT, Variable};
use crate::rounding::{Overflow, Rounding};

/// How one variable is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VariableFormat {
    /// Bits and binary point.
    pub format: Format,
    /// Rounding of its one narrowing.
    pub rounding: Rounding,
    /// What happens beyond its range.
    pub overflow: Overflow,
    /// Largest raw value.
    pub highest: i64,
    /// Smallest raw value.
    pub lowest: i64,
}

impl VariableFormat {
    /// A format with the whole range of two's complement, saturating.
    #[must_use]
    pub const fn new(bits: u8, fraction: i8, rounding: Rounding) -> Self {
        let format = Format::new(bits, fraction);
        Self {
            format,
            rounding,
            overflow: Overflow::Saturate,
            highest: format.largest(),
            lowest: format.smallest(),
        }
    }

    /// The same within ± a largest magnitude.
    #[must_use]
    pub const fn within(self, limit: i64) -> Self {
        Self { highest: limit, lowest: limit.wrapping_neg(), ..self }
    }

    /// The same with another width and binary point, over its whole range.
    #[must_use]
    pub const fn with_format(self, bits: u8, fraction: i8) -> Self {
        let format = Format::new(bits, fraction);
        Self { format, highest: format.largest(), lowest: format.smallest(), ..self }
    }
}

/// A format for every variable of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table([VariableFormat; Variable::COUNT]);

#[allow(clippy::arithmetic_side_effects)] // constants
impl Table {
    /// The compiled-in formats, with weights of these bits and this binary point and this
    /// rounding of updates: gives the bits of [`crate::native::Native`].
    ///
    /// Filters, basal drive and soma have 15 bits, so that a difference of two fits in 16.
    #[must_use]
    pub const fn native(weight_bits: u8, weight_fraction: i8, updates: Rounding) -> Self {
        use Rounding::Nearest;
        let weight = VariableFormat::new(weight_bits, weight_fraction, updates);
        let error = VariableFormat::new(16, 14, Nearest).within(ERROR_LIMIT);
        let limit = STATE_LIMIT as i64;
        Self([
            VariableFormat::new(16, weight_fraction, Nearest),
            VariableFormat::new(15, 7, Nearest).within(limit),
            VariableFormat::new(15, 7, Nearest).within(limit),
            VariableFormat::new(15, 8, Nearest).within(limit),
            VariableFormat::new(15, 8, Nearest).within(limit),
            VariableFormat::new(16, 8, Nearest),
            VariableFormat::new(16, 15, Nearest),
            VariableFormat::new(16, 15, Nearest),
            VariableFormat::new(16, 15, Nearest),
            error,
            VariableFormat::new(16, 14, Nearest),
            weight,
            VariableFormat::new(16, 8, updates),
            VariableFormat::new(weight_bits, weight_fraction, Nearest),
        ])
    }

    /// The same with so many fraction bits of errors, over the range that they have in [`crate::native::Native`].
    #[must_use]
    pub const fn with_errors(mut self, fraction: u8) -> Self {
        let coarser = ERROR_FRACTION.saturating_sub(fraction);
        let error = self.of(Variable::Error).with_format(16 - coarser, (ERROR_FRACTION - coarser) as i8);
        *self.of_mut(Variable::Error) = error.within(ERROR_LIMIT >> coarser);
        self
    }

    /// Formats so wide that what is left is the model's own error: states of 32 bits,
    /// weights of 16.
    #[must_use]
    pub const fn wide() -> Self {
        use Rounding::Nearest;
        Self([
            VariableFormat::new(32, 11, Nearest),
            VariableFormat::new(32, 20, Nearest),
            VariableFormat::new(32, 20, Nearest),
            VariableFormat::new(32, 20, Nearest),
            VariableFormat::new(32, 20, Nearest),
            VariableFormat::new(32, 20, Nearest),
            VariableFormat::new(16, 15, Nearest),
            VariableFormat::new(16, 15, Nearest),
            VariableFormat::new(24, 22, Nearest),
            VariableFormat::new(24, 20, Nearest),
            VariableFormat::new(32, 24, Nearest),
            VariableFormat::new(16, 10, Rounding::Stochastic),
            VariableFormat::new(32, 22, Nearest),
            VariableFormat::new(16, 10, Nearest),
        ])
    }

    /// The line of a variable.
    #[inline(always)]
    #[must_use]
    #[allow(clippy::indexing_slicing)] // as many lines as variables
    pub const fn of(&self, variable: Variable) -> &VariableFormat {
        &self.0[variable as usize]
    }

    /// The line of a variable, to be changed.
    #[allow(clippy::indexing_slicing)] // as many lines as variables
    pub const fn of_mut(&mut self, variable: Variable) -> &mut VariableFormat {
        &mut self.0[variable as usize]
    }
}
