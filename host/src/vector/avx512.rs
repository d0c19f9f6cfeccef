//! 32 numbers in one register of AVX-512.

use super::sse::{largest, next_offsets};
use apical_core::kernels::Lanes;
use apical_core::trains::WORDS;
use bytemuck::must_cast;
use core::arch::x86_64::{__m128i, __m256i, __m512i};

pulp::simd_type! {
    /// The instructions of [`Wide`].
    #[allow(missing_docs)]
    pub struct Avx512 {
        pub sse: "sse",
        pub sse2: "sse2",
        pub fxsr: "fxsr",
        pub sse3: "sse3",
        pub ssse3: "ssse3",
        pub sse4_1: "sse4.1",
        pub sse4_2: "sse4.2",
        pub popcnt: "popcnt",
        pub avx: "avx",
        pub avx2: "avx2",
        pub bmi1: "bmi1",
        pub bmi2: "bmi2",
        pub fma: "fma",
        pub lzcnt: "lzcnt",
        pub avx512f: "avx512f",
        pub avx512bw: "avx512bw",
        pub avx512cd: "avx512cd",
        pub avx512dq: "avx512dq",
        pub avx512vl: "avx512vl",
        pub avx512vbmi2: "avx512vbmi2",
        pub avx512vpopcntdq: "avx512vpopcntdq",
    }
}

/// The lines of σ: where each of the 128 begins, and how far it rises.
static LINES: [i16; 256] = {
    let (table, mut lines, mut line) = (apical_core::tables::sigmoid::stored(), [0; 256], 0);
    while line < 128 {
        lines[line] = table[line];
        lines[128 + line] = table[line + 1] - table[line];
        line += 1;
    }
    lines
};

/// AVX-512: one register.
#[derive(Debug, Clone, Copy)]
pub struct Wide(pub Avx512);

impl Wide {
    /// Two permutations of 64 numbers of [`LINES`] each, from its block `from` on.
    #[inline(always)]
    fn on_lines(self, from: usize, index: __m512i, upper: u32) -> __m512i {
        let (lines, bw) = (LINES.as_chunks::<32>().0, self.0.avx512bw);
        let (a, b) = (self.load(&lines[from]), self.load(&lines[from + 1]));
        let (c, d) = (self.load(&lines[from + 2]), self.load(&lines[from + 3]));
        let low = bw._mm512_permutex2var_epi16(a, index, b);
        let high = bw._mm512_permutex2var_epi16(c, index, d);
        bw._mm512_mask_blend_epi16(upper, low, high)
    }

    /// The places of the bits that are set, in order.
    #[inline(always)]
    fn places(self, bits: u64) -> __m512i {
        let places: [u8; 64] = core::array::from_fn(|place| place as u8);
        // SAFETY: the token says that the processor has VBMI2. pulp has no call for this one.
        unsafe { core::arch::x86_64::_mm512_maskz_compress_epi8(bits, must_cast(places)) }
    }

    /// Bits that are set in each number.
    #[inline(always)]
    fn ones(self, words: __m512i) -> __m512i {
        // SAFETY: the token says that the processor has VPOPCNTDQ. pulp has no call for it.
        unsafe { core::arch::x86_64::_mm512_popcnt_epi32(words) }
    }
}

impl Lanes for Wide {
    type Block = __m512i;
    type Totals = __m512i;
    #[inline(always)]
    fn no_totals(self) -> __m512i {
        self.splat(0)
    }
    #[inline(always)]
    fn add_totals(self, totals: __m512i, terms: &[i16; 16]) -> __m512i {
        let terms = self.0.avx512f._mm512_cvtepi16_epi32(must_cast(*terms));
        self.0.avx512f._mm512_add_epi32(totals, terms)
    }
    #[inline(always)]
    fn add_totals_bytes(self, totals: __m512i, terms: &[i8; 16]) -> __m512i {
        let terms = self.0.avx512f._mm512_cvtepi8_epi32(must_cast(*terms));
        self.0.avx512f._mm512_add_epi32(totals, terms)
    }
    #[inline(always)]
    fn store_totals(self, totals: __m512i, to: &mut [i32; 16]) {
        *to = must_cast(totals);
    }
    #[inline(always)]
    fn add_products(self, totals: __m512i, terms: &[i16; 16], factor: i16) -> __m512i {
        let (f, bw) = (self.0.avx512f, self.0.avx512bw);
        let terms = f._mm512_cvtepi16_epi32(must_cast(*terms));
        // The factor in the lower half of each pair, nothing in the upper one.
        let factor = f._mm512_set1_epi32(i32::from(factor as u16));
        f._mm512_add_epi32(totals, bw._mm512_madd_epi16(terms, factor))
    }
    #[inline(always)]
    fn shift_totals(self, totals: __m512i, half: i32, shift: u32) -> __m512i {
        let f = self.0.avx512f;
        let sum = f._mm512_add_epi32(totals, f._mm512_set1_epi32(half));
        f._mm512_sra_epi32(sum, self.0.sse2._mm_cvtsi32_si128(shift as i32))
    }
    #[inline(always)]
    fn held_totals(self, [low, high]: [__m512i; 2], limit: i32) -> __m512i {
        let f = self.0.avx512f;
        let (least, most) = (f._mm512_set1_epi32(-limit), f._mm512_set1_epi32(limit));
        let low = f._mm512_max_epi32(least, f._mm512_min_epi32(most, low));
        let high = f._mm512_max_epi32(least, f._mm512_min_epi32(most, high));
        let low = f._mm512_zextsi256_si512(f._mm512_cvtsepi32_epi16(low));
        f._mm512_inserti64x4::<1>(low, f._mm512_cvtsepi32_epi16(high))
    }
    #[inline(always)]
    fn beyond(self, totals: __m512i, limit: i32) -> u32 {
        let f = self.0.avx512f;
        u32::from(f._mm512_cmpgt_epi32_mask(f._mm512_abs_epi32(totals), f._mm512_set1_epi32(limit)))
    }
    #[inline(always)]
    fn splat_totals(self, value: i32) -> __m512i {
        self.0.avx512f._mm512_set1_epi32(value)
    }
    #[inline(always)]
    fn load_totals(self, from: &[i32; 16]) -> __m512i {
        must_cast(*from)
    }
    #[inline(always)]
    fn widened(self, block: __m512i) -> [__m512i; 2] {
        let f = self.0.avx512f;
        let high = f._mm512_extracti64x4_epi64::<1>(block);
        [f._mm512_cvtepi16_epi32(f._mm512_castsi512_si256(block)), f._mm512_cvtepi16_epi32(high)]
    }
    #[inline(always)]
    fn sum_totals(self, a: __m512i, b: __m512i) -> __m512i {
        self.0.avx512f._mm512_add_epi32(a, b)
    }
    #[inline(always)]
    fn subtract_totals(self, a: __m512i, b: __m512i) -> __m512i {
        self.0.avx512f._mm512_sub_epi32(a, b)
    }
    #[inline(always)]
    fn multiply_totals(self, a: __m512i, b: __m512i) -> __m512i {
        self.0.avx512f._mm512_mullo_epi32(a, b)
    }
    #[inline(always)]
    fn min_totals(self, a: __m512i, b: __m512i) -> __m512i {
        self.0.avx512f._mm512_min_epi32(a, b)
    }
    #[inline(always)]
    fn max_totals(self, a: __m512i, b: __m512i) -> __m512i {
        self.0.avx512f._mm512_max_epi32(a, b)
    }
    #[inline(always)]
    fn and_totals(self, a: __m512i, b: __m512i) -> __m512i {
        self.and(a, b)
    }
    #[inline(always)]
    fn xor_totals(self, a: __m512i, b: __m512i) -> __m512i {
        self.0.avx512f._mm512_xor_si512(a, b)
    }
    #[inline(always)]
    fn shift_totals_left(self, a: __m512i, shift: u32) -> __m512i {
        self.0.avx512f._mm512_sll_epi32(a, self.0.sse2._mm_cvtsi32_si128(shift as i32))
    }
    #[inline(always)]
    fn shift_totals_unsigned(self, a: __m512i, shift: u32) -> __m512i {
        self.shift_totals_by(a, self.splat_totals(shift as i32))
    }
    #[inline(always)]
    fn shift_totals_by(self, a: __m512i, shifts: __m512i) -> __m512i {
        self.0.avx512f._mm512_srlv_epi32(a, shifts)
    }
    #[inline(always)]
    fn add_side_by_side(self, rows: &mut [[i32; 16]], first: usize, a: __m512i, b: __m512i) {
        let f = self.0.avx512f;
        let even: [__m128i; 4] = must_cast(f._mm512_unpacklo_epi64(a, b));
        let odd: [__m128i; 4] = must_cast(f._mm512_unpackhi_epi64(a, b));
        let terms = [even[0], odd[0], even[1], odd[1], even[2], odd[2], even[3], odd[3]];
        for (row, terms) in rows.iter_mut().zip(terms) {
            // In registers of four: the compiler would make a loop over numbers one of gathers and scatters.
            if let Some(sums) = row.as_chunks_mut::<4>().0.get_mut(first / 4) {
                *sums = must_cast(self.0.sse2._mm_add_epi32(must_cast(*sums), terms));
            }
        }
    }
    #[inline(always)]
    fn differing_totals(self, a: __m512i, b: __m512i) -> u32 {
        u32::from(self.0.avx512f._mm512_cmpneq_epi32_mask(a, b))
    }
    #[inline(always)]
    fn add_neighbours(self, totals: __m512i, block: __m512i) -> __m512i {
        self.0.avx512f._mm512_add_epi32(totals, self.0.avx512bw._mm512_madd_epi16(block, self.splat(1)))
    }
    #[inline(always)]
    fn accumulate(self, block: __m512i, sums: &mut [i32; 32]) {
        let f = self.0.avx512f;
        let low = f._mm512_cvtepi16_epi32(f._mm512_castsi512_si256(block));
        let high = f._mm512_cvtepi16_epi32(f._mm512_extracti64x4_epi64::<1>(block));
        let (halves, _) = sums.as_chunks_mut::<16>();
        for (half, terms) in halves.iter_mut().zip([low, high]) {
            *half = must_cast(f._mm512_add_epi32(must_cast(*half), terms));
        }
    }
    #[inline(always)]
    fn load_generators(self, from: &[u32; 16]) -> __m512i {
        must_cast(*from)
    }
    #[inline(always)]
    fn store_generators(self, generators: __m512i, to: &mut [u32; 16]) {
        *to = must_cast(generators);
    }
    #[inline(always)]
    fn next_offsets(self, last: &mut [u32; 4], to: &mut [[[u16; 2]; 4]]) {
        next_offsets(self.0.sse2, last, to);
    }
    #[inline(always)]
    fn next_generators(self, x: __m512i) -> (__m512i, __m512i) {
        let f = self.0.avx512f;
        let x = f._mm512_xor_si512(x, f._mm512_slli_epi32::<13>(x));
        let x = f._mm512_xor_si512(x, f._mm512_srli_epi32::<17>(x));
        let x = f._mm512_xor_si512(x, f._mm512_slli_epi32::<5>(x));
        (x, f._mm512_rol_epi32::<16>(x))
    }
    #[inline(always)]
    fn splat(self, value: i16) -> __m512i {
        self.0.avx512f._mm512_set1_epi16(value)
    }
    #[inline(always)]
    fn load(self, from: &[i16; 32]) -> __m512i {
        must_cast(*from)
    }
    #[inline(always)]
    fn load_bytes(self, from: &[i8; 32]) -> __m512i {
        self.0.avx512bw._mm512_cvtepi8_epi16(must_cast(*from))
    }
    #[inline(always)]
    fn store(self, block: __m512i, to: &mut [i16; 32]) {
        *to = must_cast(block);
    }
    #[inline(always)]
    fn store_bytes(self, block: __m512i, to: &mut [i8; 32]) {
        *to = must_cast(self.0.avx512bw._mm512_cvtsepi16_epi8(block));
    }
    #[inline(always)]
    fn add(self, a: __m512i, b: __m512i) -> __m512i {
        self.0.avx512bw._mm512_add_epi16(a, b)
    }
    #[inline(always)]
    fn add_bytes(self, [low, high]: [__m512i; 2], one: &[i8; 64], other: &[i8; 64]) -> [__m512i; 2] {
        // Numbers of both rows side by side, and the sums of such pairs: of every 16
        // numbers, the first 8 and the last 8 part.
        let (bw, one, other) = (self.0.avx512bw, must_cast(*one), must_cast(*other));
        let ones = self.splat(0x0101);
        let first = bw._mm512_maddubs_epi16(ones, bw._mm512_unpacklo_epi8(one, other));
        let last = bw._mm512_maddubs_epi16(ones, bw._mm512_unpackhi_epi8(one, other));
        [self.add(low, first), self.add(high, last)]
    }
    #[inline(always)]
    fn in_order(self, [first, last]: [__m512i; 2]) -> [__m512i; 2] {
        let f = self.0.avx512f;
        [[0i64, 1, 8, 9, 2, 3, 10, 11], [4, 5, 12, 13, 6, 7, 14, 15]]
            .map(|order| f._mm512_permutex2var_epi64(first, must_cast(order), last))
    }
    #[inline(always)]
    fn move_bytes(self, numbers: &mut [i8; 64], [low, high]: [__m512i; 2]) {
        let (f, bw) = (self.0.avx512f, self.0.avx512bw);
        // Packed, eights of both come in turn.
        let order: [i64; 8] = [0, 2, 4, 6, 1, 3, 5, 7];
        let steps = f._mm512_permutexvar_epi64(must_cast(order), bw._mm512_packs_epi16(low, high));
        *numbers = must_cast(bw._mm512_adds_epi8(must_cast(*numbers), steps));
    }
    #[inline(always)]
    fn subtract(self, a: __m512i, b: __m512i) -> __m512i {
        self.0.avx512bw._mm512_sub_epi16(a, b)
    }
    #[inline(always)]
    fn add_held(self, a: __m512i, b: __m512i) -> __m512i {
        self.0.avx512bw._mm512_adds_epi16(a, b)
    }
    #[inline(always)]
    fn min(self, a: __m512i, b: __m512i) -> __m512i {
        self.0.avx512bw._mm512_min_epi16(a, b)
    }
    #[inline(always)]
    fn max(self, a: __m512i, b: __m512i) -> __m512i {
        self.0.avx512bw._mm512_max_epi16(a, b)
    }
    #[inline(always)]
    fn and(self, a: __m512i, b: __m512i) -> __m512i {
        self.0.avx512f._mm512_and_si512(a, b)
    }
    #[inline(always)]
    fn magnitude(self, a: __m512i) -> __m512i {
        self.0.avx512bw._mm512_abs_epi16(a)
    }
    #[inline(always)]
    fn product(self, a: __m512i, b: __m512i) -> __m512i {
        self.0.avx512bw._mm512_mulhrs_epi16(a, b)
    }
    #[inline(always)]
    fn shift_right(self, a: __m512i, shift: u32) -> __m512i {
        // By a count for each lane: by one for all takes two instructions inside the processor.
        self.0.avx512bw._mm512_srav_epi16(a, self.splat(shift as i16))
    }
    #[inline(always)]
    fn shift_right_unsigned(self, a: __m512i, shift: u32) -> __m512i {
        self.0.avx512bw._mm512_srlv_epi16(a, self.splat(shift as i16))
    }
    #[inline(always)]
    fn shift_left(self, a: __m512i, shift: u32) -> __m512i {
        self.0.avx512bw._mm512_sllv_epi16(a, self.splat(shift as i16))
    }
    #[inline(always)]
    fn apart<R>(self, f: impl FnOnce() -> R) -> R {
        #[inline(never)]
        fn outlined<R>(token: Avx512, f: impl FnOnce() -> R) -> R {
            token.vectorize(f)
        }
        outlined(self.0, f)
    }
    #[inline(always)]
    fn choose(self, bits: u64, names: &[u16; 32], to: &mut [u16; 128]) {
        let (f, bw) = (self.0.avx512f, self.0.avx512bw);
        // Of each place the lowest five bits count.
        let chosen = self.places(bits);
        let names = self.load_unsigned(names);
        let (to, _) = to.as_chunks_mut::<32>();
        let low = bw._mm512_cvtepu8_epi16(f._mm512_castsi512_si256(chosen));
        let low = bw._mm512_permutexvar_epi16(low, names);
        // Seldom more than a quarter: a narrow store crosses fewer lines of the cache.
        if let Some(to) = to[0].first_chunk_mut::<16>() {
            *to = must_cast(f._mm512_castsi512_si256(low));
        }
        if bits.count_ones() > 16 {
            self.store_unsigned(low, &mut to[0]);
            let high = bw._mm512_cvtepu8_epi16(f._mm512_extracti64x4_epi64::<1>(chosen));
            self.store_unsigned(bw._mm512_permutexvar_epi16(high, names), &mut to[1]);
        }
    }
    #[inline(always)]
    fn number(self, bits: u64, first: u16, to: &mut [u16; 128]) {
        let (f, bw) = (self.0.avx512f, self.0.avx512bw);
        let chosen = self.places(bits);
        let (to, _) = to.as_chunks_mut::<32>();
        let low = bw._mm512_cvtepu8_epi16(f._mm512_castsi512_si256(chosen));
        let low = self.add(low, self.splat(first as i16));
        if let Some(to) = to[0].first_chunk_mut::<16>() {
            *to = must_cast(f._mm512_castsi512_si256(low));
        }
        if bits.count_ones() > 16 {
            let high = bw._mm512_cvtepu8_epi16(f._mm512_extracti64x4_epi64::<1>(chosen));
            self.store_unsigned(low, &mut to[0]);
            self.store_unsigned(self.add(high, self.splat(first as i16)), &mut to[1]);
        }
    }
    #[inline(always)]
    fn sigmoids(self, x: __m512i) -> __m512i {
        let (f, bw) = (self.0.avx512f, self.0.avx512bw);
        let size = bw._mm512_abs_epi16(x);
        let index = bw._mm512_srli_epi16::<5>(size);
        let along = f._mm512_and_si512(size, self.splat(31));
        // Line i: two permutations of 64 lines each, the upper one from line 64 on. What
        // lies beyond line 127 is replaced at the end.
        let upper = bw._mm512_cmpgt_epi16_mask(index, self.splat(63));
        let (value, rise) = (self.on_lines(0, index, upper), self.on_lines(4, index, upper));
        let risen = bw._mm512_add_epi16(bw._mm512_mullo_epi16(rise, along), self.splat(16));
        let above_half = bw._mm512_add_epi16(value, bw._mm512_srai_epi16::<5>(risen));
        // Unsigned: |−32768| is beyond as well.
        let beyond = bw._mm512_cmpgt_epu16_mask(index, self.splat(127));
        let above_half = bw._mm512_mask_blend_epi16(beyond, above_half, self.splat(32767));
        let below = bw._mm512_sub_epi16(self.splat(i16::MIN), above_half);
        let negative = bw._mm512_movepi16_mask(x);
        bw._mm512_mask_blend_epi16(negative, above_half, below)
    }
    #[inline(always)]
    fn largest(self, a: __m512i) -> u16 {
        let halves: [__m256i; 2] = must_cast(a);
        largest(self.0.sse2, self.0.sse4_1, self.0.avx2._mm256_max_epu16(halves[0], halves[1]))
    }
    type Mask = u32;
    #[inline(always)]
    fn exceeding(self, a: __m512i, b: __m512i) -> u32 {
        self.0.avx512bw._mm512_cmpgt_epi16_mask(a, b)
    }
    #[inline(always)]
    fn bits(self, mask: u32) -> u32 {
        mask
    }
    #[inline(always)]
    fn mask(self, bits: u32) -> u32 {
        bits
    }
    #[inline(always)]
    fn add_in(self, a: __m512i, mask: u32, b: __m512i) -> __m512i {
        self.0.avx512bw._mm512_mask_add_epi16(a, mask, a, b)
    }
    const LOOKS_UP: bool = true;
    #[inline(always)]
    fn splat_pair(self, pair: [i16; 2]) -> __m512i {
        self.0.avx512f._mm512_set1_epi32(must_cast(pair))
    }
    #[inline(always)]
    fn look_up(self, [low, high]: [__m512i; 2], places: __m512i) -> __m512i {
        self.0.avx512f._mm512_permutex2var_epi32(low, places, high)
    }
    #[inline(always)]
    fn pick(self, words: &[u32; 16], first: u32, found: &mut [u32; 16], places: &mut [u32; 16]) -> usize {
        const PLACES: [u32; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
        let f = self.0.avx512f;
        let words = must_cast(*words);
        let chosen = f._mm512_test_epi32_mask(words, words);
        *found = must_cast(f._mm512_maskz_compress_epi32(chosen, words));
        let all = f._mm512_add_epi32(must_cast(PLACES), f._mm512_set1_epi32(first as i32));
        *places = must_cast(f._mm512_maskz_compress_epi32(chosen, all));
        chosen.count_ones() as usize
    }
    #[inline(always)]
    fn count_ones(self, words: &[u32; WORDS], used: usize) -> u32 {
        let f = self.0.avx512f;
        let (mut counts, mut used) = (f._mm512_setzero_si512(), used.min(WORDS));
        for words in words.as_chunks::<16>().0 {
            let some = (1u32 << used.min(16)) - 1;
            let words = f._mm512_maskz_mov_epi32(some as u16, must_cast(*words));
            counts = f._mm512_add_epi32(counts, self.ones(words));
            if used <= 16 {
                break;
            }
            used -= 16;
        }
        f._mm512_reduce_add_epi32(counts) as u32
    }
    #[inline(always)]
    fn add_where(self, a: __m512i, mask: u32, b: __m512i) -> __m512i {
        self.0.avx512bw._mm512_mask_adds_epu16(a, mask, a, b)
    }
    #[inline(always)]
    fn load_unsigned(self, from: &[u16; 32]) -> __m512i {
        must_cast(*from)
    }
    #[inline(always)]
    fn store_unsigned(self, block: __m512i, to: &mut [u16; 32]) {
        *to = must_cast(block);
    }
    #[inline(always)]
    fn min_unsigned(self, a: __m512i, b: __m512i) -> __m512i {
        self.0.avx512bw._mm512_min_epu16(a, b)
    }
    #[inline(always)]
    fn differing(self, a: __m512i, b: __m512i) -> u32 {
        self.0.avx512bw._mm512_cmpneq_epi16_mask(a, b)
    }
    #[inline(always)]
    fn differing_or(self, found: __m512i, a: __m512i, b: __m512i) -> __m512i {
        // found | (a ^ b)
        self.0.avx512f._mm512_ternarylogic_epi32::<0b1111_0110>(found, a, b)
    }
    #[inline(always)]
    fn differ(self, a: __m512i, b: __m512i) -> bool {
        self.differing(a, b) != 0
    }
}
