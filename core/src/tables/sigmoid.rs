//! The logistic function σ(x) = 1/(1 + e⁻ˣ), by table and straight lines.

mod values {
    include!("sigmoid_values.rs");
}

use values::SIGMOID;

/// σ of a potential with 8 fraction bits, in Q15.
///
/// # Numerics
/// 128 lines over 0 ≤ |x| < 16, then held. Largest error 2.2·10⁻⁴ (near |x| = 1.3),
/// RMS 5·10⁻⁵ over ±16; bias 0 by the exact symmetry σ(−x) = 1 − σ(x).
#[inline(always)]
#[must_use]
pub fn sigmoid(potential: i16) -> i16 {
    let size = potential.unsigned_abs();
    let (line, along) = ((size >> 5) as usize, i32::from(size & 31));
    let above_half = match SIGMOID.get(line..) {
        Some([low, high, ..]) => {
            let (low, high) = (i32::from(*low), i32::from(*high));
            let rise = high.wrapping_sub(low).wrapping_mul(along);
            low.wrapping_add(rise.wrapping_add(16) >> 5)
        }
        _ => 32767,
    };
    if potential < 0 { 32768i32.wrapping_sub(above_half) as i16 } else { above_half as i16 }
}

/// The stored values, for the test that makes them again.
#[must_use]
pub const fn stored() -> &'static [i16] {
    &SIGMOID
}
