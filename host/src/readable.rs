//! Raw integers as numbers in real units.

use apical_core::arithmetic::Arithmetic;
use apical_core::emulated::Emulated;
use apical_core::formats::Variable;
use apical_core::kernels::Kernels;
use apical_core::native::{Native, Weight};

/// An arithmetic whose raw numbers can be read.
pub trait Readable: Arithmetic {
    /// Fraction bits of a variable in a layer.
    fn fraction(layer: &Self::Coefficients, variable: Variable) -> i32;
    /// A weight as an integer.
    fn weight(weight: Self::Weight) -> i64;
    /// A state as an integer.
    fn state(state: Self::State) -> i64;
    /// The nearest weight to an integer.
    fn to_weight(raw: i64) -> Self::Weight;
    /// The nearest state to an integer.
    fn to_state(raw: i64) -> Self::State;

    /// Step of a variable in real units. Biases and basal drives are kept times k_B.
    fn lsb(layer: &Self::Coefficients, variable: Variable) -> f64 {
        f64::exp2(-f64::from(Self::fraction(layer, variable)))
    }
}

impl<K: Kernels, W: Weight + Into<i64>, O: Weight, const COUNT: bool> Readable for Native<K, W, COUNT, O> {
    fn fraction(layer: &Self::Coefficients, variable: Variable) -> i32 {
        match variable {
            Variable::Weight | Variable::Feedback | Variable::Accumulator => 7 - i32::from(layer.sum_shift),
            Variable::FilterFast | Variable::FilterSlow => 7,
            Variable::Basal | Variable::Soma | Variable::Apical | Variable::Bias => 8,
            Variable::Plateau | Variable::Rate | Variable::Psp => 15,
            Variable::Error | Variable::Delta => 14,
        }
    }

    fn weight(weight: W) -> i64 {
        weight.into()
    }

    fn state(state: i16) -> i64 {
        i64::from(state)
    }

    fn to_weight(raw: i64) -> W {
        W::saturate(Self::to_state(raw))
    }

    fn to_state(raw: i64) -> i16 {
        raw.clamp(i64::from(i16::MIN), i64::from(i16::MAX)) as i16
    }
}

impl<K: Kernels, const COUNT: bool> Readable for Emulated<K, COUNT> {
    fn fraction(layer: &Self::Coefficients, variable: Variable) -> i32 {
        i32::from(layer.table.of(variable).format.fraction)
    }

    fn weight(weight: i16) -> i64 {
        i64::from(weight)
    }

    fn state(state: i32) -> i64 {
        i64::from(state)
    }

    fn to_weight(raw: i64) -> i16 {
        raw.clamp(i64::from(i16::MIN), i64::from(i16::MAX)) as i16
    }

    fn to_state(raw: i64) -> i32 {
        raw.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
    }
}
