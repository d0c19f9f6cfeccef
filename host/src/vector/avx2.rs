//! 32 numbers in two registers of AVX2.

use super::sse::{largest, next_offsets};
use apical_core::kernels::Lanes;
use bytemuck::must_cast;
use core::arch::x86_64::{__m128i, __m256i};
use pulp::x86::V3;

/// AVX2: two registers.
#[derive(Debug, Clone, Copy)]
pub struct Pair(pub V3);

impl Pair {
    #[inline(always)]
    fn each(a: [__m256i; 2], b: [__m256i; 2], f: impl Fn(__m256i, __m256i) -> __m256i) -> [__m256i; 2] {
        [f(a[0], b[0]), f(a[1], b[1])]
    }
}

impl Lanes for Pair {
    type Block = [__m256i; 2];
    type Totals = [__m256i; 2];
    #[inline(always)]
    fn no_totals(self) -> Self::Totals {
        self.splat(0)
    }
    #[inline(always)]
    fn add_totals(self, totals: Self::Totals, terms: &[i16; 16]) -> Self::Totals {
        let halves: [__m128i; 2] = must_cast(*terms);
        let terms = halves.map(|half| self.0.avx2._mm256_cvtepi16_epi32(half));
        Self::each(totals, terms, |a, b| self.0.avx2._mm256_add_epi32(a, b))
    }
    #[inline(always)]
    fn store_totals(self, totals: Self::Totals, to: &mut [i32; 16]) {
        *to = must_cast(totals);
    }
    #[inline(always)]
    fn add_products(self, totals: Self::Totals, terms: &[i16; 16], factor: i16) -> Self::Totals {
        let halves: [__m128i; 2] = must_cast(*terms);
        let terms = halves.map(|half| self.0.avx2._mm256_cvtepi16_epi32(half));
        let factor = self.0.avx._mm256_set1_epi32(i32::from(factor as u16));
        let products = terms.map(|terms| self.0.avx2._mm256_madd_epi16(terms, factor));
        Self::each(totals, products, |a, b| self.0.avx2._mm256_add_epi32(a, b))
    }
    #[inline(always)]
    fn shift_totals(self, totals: Self::Totals, half: i32, shift: u32) -> Self::Totals {
        let half = [self.0.avx._mm256_set1_epi32(half); 2];
        let count = self.0.sse2._mm_cvtsi32_si128(shift as i32);
        Self::each(totals, half, |a, b| self.0.avx2._mm256_add_epi32(a, b))
            .map(|sum| self.0.avx2._mm256_sra_epi32(sum, count))
    }
    #[inline(always)]
    fn held_totals(self, [low, high]: [Self::Totals; 2], limit: i32) -> Self::Block {
        let (avx, avx2) = (self.0.avx, self.0.avx2);
        let (least, most) = (avx._mm256_set1_epi32(-limit), avx._mm256_set1_epi32(limit));
        let held = |half| avx2._mm256_max_epi32(least, avx2._mm256_min_epi32(most, half));
        let packed = |[a, b]: Self::Totals| {
            let packed = avx2._mm256_packs_epi32(held(a), held(b));
            avx2._mm256_permute4x64_epi64::<0b11_01_10_00>(packed)
        };
        [packed(low), packed(high)]
    }
    #[inline(always)]
    fn beyond(self, totals: Self::Totals, limit: i32) -> u32 {
        let (avx, avx2) = (self.0.avx, self.0.avx2);
        let limit = avx._mm256_set1_epi32(limit);
        let [low, high] = Self::each(totals, [limit; 2], |total, limit| {
            avx2._mm256_cmpgt_epi32(avx2._mm256_abs_epi32(total), limit)
        });
        let low = avx._mm256_movemask_ps(must_cast(low)) as u32;
        low | (avx._mm256_movemask_ps(must_cast(high)) as u32) << 8
    }
    #[inline(always)]
    fn splat_totals(self, value: i32) -> Self::Totals {
        [self.0.avx._mm256_set1_epi32(value); 2]
    }
    #[inline(always)]
    fn load_totals(self, from: &[i32; 16]) -> Self::Totals {
        must_cast(*from)
    }
    #[inline(always)]
    fn widened(self, block: Self::Block) -> [Self::Totals; 2] {
        let quarters: [__m128i; 4] = must_cast(block);
        let [a, b, c, d] = quarters.map(|quarter| self.0.avx2._mm256_cvtepi16_epi32(quarter));
        [[a, b], [c, d]]
    }
    #[inline(always)]
    fn sum_totals(self, a: Self::Totals, b: Self::Totals) -> Self::Totals {
        Self::each(a, b, |a, b| self.0.avx2._mm256_add_epi32(a, b))
    }
    #[inline(always)]
    fn subtract_totals(self, a: Self::Totals, b: Self::Totals) -> Self::Totals {
        Self::each(a, b, |a, b| self.0.avx2._mm256_sub_epi32(a, b))
    }
    #[inline(always)]
    fn multiply_totals(self, a: Self::Totals, b: Self::Totals) -> Self::Totals {
        Self::each(a, b, |a, b| self.0.avx2._mm256_mullo_epi32(a, b))
    }
    #[inline(always)]
    fn min_totals(self, a: Self::Totals, b: Self::Totals) -> Self::Totals {
        Self::each(a, b, |a, b| self.0.avx2._mm256_min_epi32(a, b))
    }
    #[inline(always)]
    fn max_totals(self, a: Self::Totals, b: Self::Totals) -> Self::Totals {
        Self::each(a, b, |a, b| self.0.avx2._mm256_max_epi32(a, b))
    }
    #[inline(always)]
    fn and_totals(self, a: Self::Totals, b: Self::Totals) -> Self::Totals {
        Self::each(a, b, |a, b| self.0.avx2._mm256_and_si256(a, b))
    }
    #[inline(always)]
    fn xor_totals(self, a: Self::Totals, b: Self::Totals) -> Self::Totals {
        Self::each(a, b, |a, b| self.0.avx2._mm256_xor_si256(a, b))
    }
    #[inline(always)]
    fn shift_totals_left(self, a: Self::Totals, shift: u32) -> Self::Totals {
        let count = self.0.sse2._mm_cvtsi32_si128(shift as i32);
        a.map(|a| self.0.avx2._mm256_sll_epi32(a, count))
    }
    #[inline(always)]
    fn shift_totals_unsigned(self, a: Self::Totals, shift: u32) -> Self::Totals {
        let count = self.0.sse2._mm_cvtsi32_si128(shift as i32);
        a.map(|a| self.0.avx2._mm256_srl_epi32(a, count))
    }
    #[inline(always)]
    fn differing_totals(self, a: Self::Totals, b: Self::Totals) -> u32 {
        let [low, high] = Self::each(a, b, |a, b| self.0.avx2._mm256_cmpeq_epi32(a, b));
        let low = self.0.avx._mm256_movemask_ps(must_cast(low)) as u32;
        0xFFFF ^ (low | (self.0.avx._mm256_movemask_ps(must_cast(high)) as u32) << 8)
    }
    #[inline(always)]
    fn add_neighbours(self, totals: Self::Totals, block: Self::Block) -> Self::Totals {
        let (one, avx2) = (self.0.avx._mm256_set1_epi16(1), self.0.avx2);
        Self::each(totals, block, |totals, half| {
            avx2._mm256_add_epi32(totals, avx2._mm256_madd_epi16(half, one))
        })
    }
    #[inline(always)]
    fn accumulate(self, block: Self::Block, sums: &mut [i32; 32]) {
        let avx2 = self.0.avx2;
        let terms: [core::arch::x86_64::__m128i; 4] = must_cast(block);
        let (quarters, _) = sums.as_chunks_mut::<8>();
        for (quarter, terms) in quarters.iter_mut().zip(terms) {
            let sum = avx2._mm256_add_epi32(must_cast(*quarter), avx2._mm256_cvtepi16_epi32(terms));
            *quarter = must_cast(sum);
        }
    }
    #[inline(always)]
    fn load_generators(self, from: &[u32; 16]) -> Self::Totals {
        must_cast(*from)
    }
    #[inline(always)]
    fn store_generators(self, generators: Self::Totals, to: &mut [u32; 16]) {
        *to = must_cast(generators);
    }
    #[inline(always)]
    fn next_offsets(self, last: &mut [u32; 4], to: &mut [[[u16; 2]; 4]]) {
        next_offsets(self.0.sse2, last, to);
    }
    #[inline(always)]
    fn next_generators(self, x: Self::Totals) -> (Self::Totals, Self::Block) {
        let avx2 = self.0.avx2;
        let xor = |a, b| Self::each(a, b, |a, b| avx2._mm256_xor_si256(a, b));
        let x = xor(x, x.map(|x| avx2._mm256_slli_epi32::<13>(x)));
        let x = xor(x, x.map(|x| avx2._mm256_srli_epi32::<17>(x)));
        let x = xor(x, x.map(|x| avx2._mm256_slli_epi32::<5>(x)));
        let (up, down) =
            (x.map(|x| avx2._mm256_slli_epi32::<16>(x)), x.map(|x| avx2._mm256_srli_epi32::<16>(x)));
        (x, xor(up, down))
    }
    #[inline(always)]
    fn splat(self, value: i16) -> Self::Block {
        [self.0.avx._mm256_set1_epi16(value); 2]
    }
    #[inline(always)]
    fn load(self, from: &[i16; 32]) -> Self::Block {
        must_cast(*from)
    }
    #[inline(always)]
    fn load_bytes(self, from: &[i8; 32]) -> Self::Block {
        let halves: [__m128i; 2] = must_cast(*from);
        halves.map(|half| self.0.avx2._mm256_cvtepi8_epi16(half))
    }
    #[inline(always)]
    fn store(self, block: Self::Block, to: &mut [i16; 32]) {
        *to = must_cast(block);
    }
    #[inline(always)]
    fn store_bytes(self, block: Self::Block, to: &mut [i8; 32]) {
        let packed = self.0.avx2._mm256_packs_epi16(block[0], block[1]);
        *to = must_cast(self.0.avx2._mm256_permute4x64_epi64::<0b11_01_10_00>(packed));
    }
    #[inline(always)]
    fn add(self, a: Self::Block, b: Self::Block) -> Self::Block {
        Self::each(a, b, |a, b| self.0.avx2._mm256_add_epi16(a, b))
    }
    #[inline(always)]
    fn add_bytes(self, sums: [Self::Block; 2], one: &[i8; 64], other: &[i8; 64]) -> [Self::Block; 2] {
        // As above, in two halves.
        let avx2 = self.0.avx2;
        let ones = self.0.avx._mm256_set1_epi16(0x0101);
        let (one, other): ([__m256i; 2], [__m256i; 2]) = (must_cast(*one), must_cast(*other));
        let half = |[first, last]: [__m256i; 2], one, other| {
            let low = avx2._mm256_maddubs_epi16(ones, avx2._mm256_unpacklo_epi8(one, other));
            let high = avx2._mm256_maddubs_epi16(ones, avx2._mm256_unpackhi_epi8(one, other));
            [avx2._mm256_add_epi16(first, low), avx2._mm256_add_epi16(last, high)]
        };
        [half(sums[0], one[0], other[0]), half(sums[1], one[1], other[1])]
    }
    #[inline(always)]
    fn in_order(self, sums: [Self::Block; 2]) -> [Self::Block; 2] {
        let avx2 = self.0.avx2;
        sums.map(|[first, last]| {
            [
                avx2._mm256_permute2x128_si256::<0x20>(first, last),
                avx2._mm256_permute2x128_si256::<0x31>(first, last),
            ]
        })
    }
    #[inline(always)]
    fn move_bytes(self, numbers: &mut [i8; 64], steps: [Self::Block; 2]) {
        let avx2 = self.0.avx2;
        let (halves, _) = numbers.as_chunks_mut::<32>();
        for (half, [low, high]) in halves.iter_mut().zip(steps) {
            let packed = avx2._mm256_packs_epi16(low, high);
            let steps = avx2._mm256_permute4x64_epi64::<0b11_01_10_00>(packed);
            *half = must_cast(avx2._mm256_adds_epi8(must_cast(*half), steps));
        }
    }
    #[inline(always)]
    fn subtract(self, a: Self::Block, b: Self::Block) -> Self::Block {
        Self::each(a, b, |a, b| self.0.avx2._mm256_sub_epi16(a, b))
    }
    #[inline(always)]
    fn add_held(self, a: Self::Block, b: Self::Block) -> Self::Block {
        Self::each(a, b, |a, b| self.0.avx2._mm256_adds_epi16(a, b))
    }
    #[inline(always)]
    fn min(self, a: Self::Block, b: Self::Block) -> Self::Block {
        Self::each(a, b, |a, b| self.0.avx2._mm256_min_epi16(a, b))
    }
    #[inline(always)]
    fn max(self, a: Self::Block, b: Self::Block) -> Self::Block {
        Self::each(a, b, |a, b| self.0.avx2._mm256_max_epi16(a, b))
    }
    #[inline(always)]
    fn and(self, a: Self::Block, b: Self::Block) -> Self::Block {
        Self::each(a, b, |a, b| self.0.avx2._mm256_and_si256(a, b))
    }
    #[inline(always)]
    fn magnitude(self, a: Self::Block) -> Self::Block {
        a.map(|a| self.0.avx2._mm256_abs_epi16(a))
    }
    #[inline(always)]
    fn product(self, a: Self::Block, b: Self::Block) -> Self::Block {
        Self::each(a, b, |a, b| self.0.avx2._mm256_mulhrs_epi16(a, b))
    }
    #[inline(always)]
    fn shift_right(self, a: Self::Block, shift: u32) -> Self::Block {
        let count = self.0.sse2._mm_cvtsi32_si128(shift as i32);
        a.map(|a| self.0.avx2._mm256_sra_epi16(a, count))
    }
    #[inline(always)]
    fn shift_right_unsigned(self, a: Self::Block, shift: u32) -> Self::Block {
        let count = self.0.sse2._mm_cvtsi32_si128(shift as i32);
        a.map(|a| self.0.avx2._mm256_srl_epi16(a, count))
    }
    #[inline(always)]
    fn shift_left(self, a: Self::Block, shift: u32) -> Self::Block {
        let count = self.0.sse2._mm_cvtsi32_si128(shift as i32);
        a.map(|a| self.0.avx2._mm256_sll_epi16(a, count))
    }
    #[inline(always)]
    fn apart<R>(self, f: impl FnOnce() -> R) -> R {
        #[inline(never)]
        fn outlined<R>(token: V3, f: impl FnOnce() -> R) -> R {
            token.vectorize(f)
        }
        outlined(self.0, f)
    }
    #[inline(always)]
    fn largest(self, [low, high]: Self::Block) -> u16 {
        largest(self.0.sse2, self.0.sse4_1, self.0.avx2._mm256_max_epu16(low, high))
    }
    type Mask = [__m256i; 2];
    #[inline(always)]
    fn exceeding(self, a: Self::Block, b: Self::Block) -> Self::Mask {
        Self::each(a, b, |a, b| self.0.avx2._mm256_cmpgt_epi16(a, b))
    }
    #[inline(always)]
    fn bits(self, [low, high]: Self::Mask) -> u32 {
        let packed = self.0.avx2._mm256_packs_epi16(low, high);
        let ordered = self.0.avx2._mm256_permute4x64_epi64::<0b11_01_10_00>(packed);
        self.0.avx2._mm256_movemask_epi8(ordered) as u32
    }
    #[inline(always)]
    fn mask(self, bits: u32) -> Self::Mask {
        let lanes: [i16; 16] = core::array::from_fn(|lane| 1 << lane);
        let lanes: __m256i = must_cast(lanes);
        [bits as i16, (bits >> 16) as i16].map(|half| {
            let chosen = self.0.avx2._mm256_and_si256(self.0.avx._mm256_set1_epi16(half), lanes);
            self.0.avx2._mm256_cmpeq_epi16(chosen, lanes)
        })
    }
    #[inline(always)]
    fn add_in(self, a: Self::Block, mask: Self::Mask, b: Self::Block) -> Self::Block {
        self.add(a, self.and(mask, b))
    }
    #[inline(always)]
    fn add_where(self, a: Self::Block, mask: Self::Mask, b: Self::Block) -> Self::Block {
        let chosen = Self::each(mask, b, |mask, b| self.0.avx2._mm256_and_si256(mask, b));
        Self::each(a, chosen, |a, b| self.0.avx2._mm256_adds_epu16(a, b))
    }
    #[inline(always)]
    fn load_unsigned(self, from: &[u16; 32]) -> Self::Block {
        must_cast(*from)
    }
    #[inline(always)]
    fn store_unsigned(self, block: Self::Block, to: &mut [u16; 32]) {
        *to = must_cast(block);
    }
    #[inline(always)]
    fn min_unsigned(self, a: Self::Block, b: Self::Block) -> Self::Block {
        Self::each(a, b, |a, b| self.0.avx2._mm256_min_epu16(a, b))
    }
    #[inline(always)]
    fn differing(self, a: Self::Block, b: Self::Block) -> u32 {
        !self.bits(Self::each(a, b, |a, b| self.0.avx2._mm256_cmpeq_epi16(a, b)))
    }
    #[inline(always)]
    fn differing_or(self, found: Self::Block, a: Self::Block, b: Self::Block) -> Self::Block {
        let differing = Self::each(a, b, |a, b| self.0.avx2._mm256_xor_si256(a, b));
        Self::each(found, differing, |a, b| self.0.avx2._mm256_or_si256(a, b))
    }
    #[inline(always)]
    fn differ(self, a: Self::Block, b: Self::Block) -> bool {
        let [low, high] = Self::each(a, b, |a, b| self.0.avx2._mm256_xor_si256(a, b));
        let either = self.0.avx2._mm256_or_si256(low, high);
        self.0.avx._mm256_testz_si256(either, either) == 0
    }
}
