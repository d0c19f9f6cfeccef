//! Phase lengths: 50 steps plus ⌊Wald(mean 2, scale 1)⌋ (eLife 2017, methods).

mod values {
    include!("wald_values.rs");
}

use rand_core::Rng;

/// Longest extra length; beyond it lies less than 2⁻³¹ of the distribution.
pub const LONGEST_EXTRA: u32 = values::WALD.len() as u32;

/// Extra steps of one phase, by inversion of the distribution function.
///
/// # Draws
/// One `u32`.
#[must_use]
pub fn extra_steps(draws: &mut impl Rng) -> u32 {
    let draw = draws.next_u32();
    values::WALD.partition_point(|&below| below <= draw) as u32
}

/// The stored distribution function, for the test that makes it again.
#[must_use]
pub fn stored() -> &'static [u32] {
    &values::WALD
}
