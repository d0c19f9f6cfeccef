//! 32 numbers in the vectors that every machine of a kind has: NEON, SSE2, the web's `simd128`.
//!
//! The crate `wide` knows their instructions, and does number by number what a machine has none for, so that
//! nothing has to be asked when the program runs, and nothing here is `unsafe`.

#![allow(clippy::arithmetic_side_effects)] // operators of `wide` are modulo 2ⁿ

use super::lanes::Lanes;
use bytemuck::must_cast;
use wide::{i8x16, i8x32, i16x8, i16x16, i16x32, i32x8, i32x16, u16x32, u32x16};

/// Registers of 128 bits, or whatever the machine is compiled for: four to a block.
#[derive(Debug, Clone, Copy, Default)]
pub struct Baseline;

/// Both halves of a block.
#[inline(always)]
fn halves(block: i16x32) -> [i16x16; 2] {
    must_cast(block)
}

#[inline(always)]
fn unsigned(block: i16x32) -> u16x32 {
    must_cast(block)
}

#[inline(always)]
fn unsigned_totals(totals: i32x16) -> u32x16 {
    must_cast(totals)
}

impl Lanes for Baseline {
    type Block = i16x32;
    type Totals = i32x16;
    type Mask = i16x32;

    #[inline(always)]
    fn splat(self, value: i16) -> i16x32 {
        i16x32::splat(value)
    }
    #[inline(always)]
    fn load(self, from: &[i16; 32]) -> i16x32 {
        i16x32::new(*from)
    }
    #[inline(always)]
    fn load_bytes(self, from: &[i8; 32]) -> i16x32 {
        i16x32::from_i8x32(i8x32::new(*from))
    }
    #[inline(always)]
    fn store(self, block: i16x32, to: &mut [i16; 32]) {
        *to = block.to_array();
    }
    #[inline(always)]
    fn store_bytes(self, block: i16x32, to: &mut [i8; 32]) {
        *to = must_cast(halves(block).map(i8x16::from_i16x16_saturate));
    }
    #[inline(always)]
    fn add(self, a: i16x32, b: i16x32) -> i16x32 {
        a + b
    }
    #[inline(always)]
    fn subtract(self, a: i16x32, b: i16x32) -> i16x32 {
        a - b
    }
    #[inline(always)]
    fn add_bytes(self, [low, high]: [i16x32; 2], one: &[i8; 64], other: &[i8; 64]) -> [i16x32; 2] {
        let widened = |row: &[i8; 64]| must_cast::<_, [i8x32; 2]>(*row).map(i16x32::from_i8x32);
        let ([one, one_high], [other, other_high]) = (widened(one), widened(other));
        [low + (one + other), high + (one_high + other_high)]
    }
    #[inline(always)]
    fn in_order(self, sums: [i16x32; 2]) -> [i16x32; 2] {
        sums
    }
    #[inline(always)]
    fn move_bytes(self, numbers: &mut [i8; 64], steps: [i16x32; 2]) {
        let steps: [i8x32; 2] = must_cast(steps.map(|steps| halves(steps).map(i8x16::from_i16x16_saturate)));
        let [low, high]: [i8x32; 2] = must_cast(*numbers);
        *numbers = must_cast([low.saturating_add(steps[0]), high.saturating_add(steps[1])]);
    }
    #[inline(always)]
    fn add_held(self, a: i16x32, b: i16x32) -> i16x32 {
        a.saturating_add(b)
    }
    #[inline(always)]
    fn min(self, a: i16x32, b: i16x32) -> i16x32 {
        a.min(b)
    }
    #[inline(always)]
    fn max(self, a: i16x32, b: i16x32) -> i16x32 {
        a.max(b)
    }
    #[inline(always)]
    fn and(self, a: i16x32, b: i16x32) -> i16x32 {
        a & b
    }
    #[inline(always)]
    fn magnitude(self, a: i16x32) -> i16x32 {
        a.abs()
    }
    #[inline(always)]
    fn product(self, a: i16x32, b: i16x32) -> i16x32 {
        let ([a, a_high], [b, b_high]) = (halves(a), halves(b));
        must_cast([a.mul_scale_round(b), a_high.mul_scale_round(b_high)])
    }
    #[inline(always)]
    fn shift_right(self, a: i16x32, shift: u32) -> i16x32 {
        a.unbounded_shr_scalar(shift)
    }
    #[inline(always)]
    fn shift_right_unsigned(self, a: i16x32, shift: u32) -> i16x32 {
        must_cast(unsigned(a).unbounded_shr_scalar(shift))
    }
    #[inline(always)]
    fn shift_left(self, a: i16x32, shift: u32) -> i16x32 {
        a.unbounded_shl_scalar(shift)
    }
    #[inline(always)]
    fn no_totals(self) -> i32x16 {
        i32x16::splat(0)
    }
    #[inline(always)]
    fn add_totals(self, totals: i32x16, terms: &[i16; 16]) -> i32x16 {
        totals + i32x16::from_i16x16(i16x16::new(*terms))
    }
    #[inline(always)]
    fn add_totals_bytes(self, totals: i32x16, terms: &[i8; 16]) -> i32x16 {
        totals + i32x16::from_i16x16(i16x16::from_i8x16(i8x16::new(*terms)))
    }
    #[inline(always)]
    fn store_totals(self, totals: i32x16, to: &mut [i32; 16]) {
        *to = totals.to_array();
    }
    #[inline(always)]
    fn load_totals(self, from: &[i32; 16]) -> i32x16 {
        i32x16::new(*from)
    }
    #[inline(always)]
    fn apart<R>(self, f: impl FnOnce() -> R) -> R {
        #[inline(never)]
        fn outlined<R>(f: impl FnOnce() -> R) -> R {
            f()
        }
        outlined(f)
    }
    #[inline(always)]
    fn add_products(self, totals: i32x16, terms: &[i16; 16], factor: i16) -> i32x16 {
        totals + i32x16::from_i16x16(i16x16::new(*terms)) * i32x16::splat(factor.into())
    }
    #[inline(always)]
    fn shift_totals(self, totals: i32x16, half: i32, shift: u32) -> i32x16 {
        (totals + i32x16::splat(half)).unbounded_shr_scalar(shift)
    }
    #[inline(always)]
    fn held_totals(self, totals: [i32x16; 2], limit: i32) -> i16x32 {
        let (least, most) = (i32x16::splat(limit.wrapping_neg()), i32x16::splat(limit));
        let held = totals.map(|totals| must_cast::<_, [i32x8; 2]>(totals.min(most).max(least)));
        must_cast(held.map(|halves| halves.map(i16x8::from_i32x8_saturate)))
    }
    #[inline(always)]
    fn beyond(self, totals: i32x16, limit: i32) -> u32 {
        totals.abs().simd_gt(i32x16::splat(limit)).to_bitmask()
    }
    #[inline(always)]
    fn splat_totals(self, value: i32) -> i32x16 {
        i32x16::splat(value)
    }
    #[inline(always)]
    fn widened(self, block: i16x32) -> [i32x16; 2] {
        halves(block).map(i32x16::from_i16x16)
    }
    #[inline(always)]
    fn sum_totals(self, a: i32x16, b: i32x16) -> i32x16 {
        a + b
    }
    #[inline(always)]
    fn subtract_totals(self, a: i32x16, b: i32x16) -> i32x16 {
        a - b
    }
    #[inline(always)]
    fn multiply_totals(self, a: i32x16, b: i32x16) -> i32x16 {
        a * b
    }
    #[inline(always)]
    fn min_totals(self, a: i32x16, b: i32x16) -> i32x16 {
        a.min(b)
    }
    #[inline(always)]
    fn max_totals(self, a: i32x16, b: i32x16) -> i32x16 {
        a.max(b)
    }
    #[inline(always)]
    fn and_totals(self, a: i32x16, b: i32x16) -> i32x16 {
        a & b
    }
    #[inline(always)]
    fn xor_totals(self, a: i32x16, b: i32x16) -> i32x16 {
        a ^ b
    }
    #[inline(always)]
    fn shift_totals_left(self, a: i32x16, shift: u32) -> i32x16 {
        a.unbounded_shl_scalar(shift)
    }
    #[inline(always)]
    fn shift_totals_unsigned(self, a: i32x16, shift: u32) -> i32x16 {
        must_cast(unsigned_totals(a).unbounded_shr_scalar(shift))
    }
    #[inline(always)]
    fn shift_totals_by(self, a: i32x16, shifts: i32x16) -> i32x16 {
        must_cast(unsigned_totals(a).unbounded_shr(unsigned_totals(shifts)))
    }
    #[inline(always)]
    fn differing_totals(self, a: i32x16, b: i32x16) -> u32 {
        a.simd_eq(b).to_bitmask() ^ 0xFFFF
    }
    #[inline(always)]
    fn add_neighbours(self, totals: i32x16, block: i16x32) -> i32x16 {
        totals + block.dot(i16x32::splat(1))
    }
    #[inline(always)]
    fn accumulate(self, block: i16x32, sums: &mut [i32; 32]) {
        let [low, high] = self.widened(block);
        let [to_low, to_high]: [i32x16; 2] = must_cast(*sums);
        *sums = must_cast([to_low + low, to_high + high]);
    }
    #[inline(always)]
    fn load_generators(self, from: &[u32; 16]) -> i32x16 {
        must_cast(*from)
    }
    #[inline(always)]
    fn store_generators(self, generators: i32x16, to: &mut [u32; 16]) {
        *to = must_cast(generators);
    }
    #[inline(always)]
    fn next_generators(self, generators: i32x16) -> (i32x16, i16x32) {
        let x = unsigned_totals(generators);
        let x = x ^ (x << 13);
        let x = x ^ (x >> 17);
        let x = x ^ (x << 5);
        // The high half first.
        let numbers = if cfg!(target_endian = "little") { (x << 16) | (x >> 16) } else { x };
        (must_cast(x), must_cast(numbers))
    }
    #[inline(always)]
    fn exceeding(self, a: i16x32, b: i16x32) -> i16x32 {
        a.simd_gt(b)
    }
    #[inline(always)]
    fn bits(self, mask: i16x32) -> u32 {
        mask.to_bitmask()
    }
    #[inline(always)]
    fn mask(self, bits: u32) -> i16x32 {
        let place: [i16; 32] = core::array::from_fn(|lane| 1 << (lane & 15));
        let word = [[bits as i16; 16], [(bits >> 16) as i16; 16]];
        let place = i16x32::new(place);
        (must_cast::<_, i16x32>(word) & place).simd_eq(place)
    }
    #[inline(always)]
    fn add_in(self, a: i16x32, mask: i16x32, b: i16x32) -> i16x32 {
        a + (mask & b)
    }
    #[inline(always)]
    fn add_where(self, a: i16x32, mask: i16x32, b: i16x32) -> i16x32 {
        must_cast(unsigned(a).saturating_add(unsigned(mask & b)))
    }
    #[inline(always)]
    fn load_unsigned(self, from: &[u16; 32]) -> i16x32 {
        must_cast(*from)
    }
    #[inline(always)]
    fn store_unsigned(self, block: i16x32, to: &mut [u16; 32]) {
        *to = must_cast(block);
    }
    #[inline(always)]
    fn min_unsigned(self, a: i16x32, b: i16x32) -> i16x32 {
        must_cast(unsigned(a).min(unsigned(b)))
    }
    #[inline(always)]
    fn differing(self, a: i16x32, b: i16x32) -> u32 {
        !a.simd_eq(b).to_bitmask()
    }
    #[inline(always)]
    fn differ(self, a: i16x32, b: i16x32) -> bool {
        self.differing(a, b) != 0
    }
    #[inline(always)]
    fn differing_or(self, found: i16x32, a: i16x32, b: i16x32) -> i16x32 {
        found | (a ^ b)
    }
    #[inline(always)]
    fn largest(self, a: i16x32) -> u16 {
        unsigned(a).reduce_max()
    }
}
