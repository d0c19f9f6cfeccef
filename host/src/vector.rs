//! The vector units of x86-64, as [`Lanes`] of the core's kernels.
//!
//! Chosen when the program runs. The intrinsics are safe here because `pulp` hands out a
//! token of an instruction set only where the processor has it; the one it does not offer is
//! called by its token's warrant.

use apical_core::kernels::Lanes;

/// Which instructions run the kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// Plain loops over single numbers.
    Scalar,
    /// AVX2: 32 numbers in two registers.
    Avx2,
    /// AVX-512 (F, BW, VBMI2, VPOPCNTDQ: Ice Lake, Zen 4 and later): 32 numbers in one register.
    Avx512,
}

impl Path {
    /// The name shown in manifests and by `--version`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Avx2 => "AVX2",
            Self::Avx512 => "AVX-512",
        }
    }

    /// The paths this machine has, the fastest last.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let mut paths = vec![Self::Scalar];
        #[cfg(target_arch = "x86_64")]
        {
            if pulp::x86::V3::try_new().is_some() {
                paths.push(Self::Avx2);
            }
            if Avx512::try_new().is_some() {
                paths.push(Self::Avx512);
            }
        }
        paths
    }

    /// The fastest path of this machine, or the one that `APICAL_PATH` names.
    #[must_use]
    pub fn best() -> Self {
        let available = Self::available();
        let wanted = std::env::var("APICAL_PATH").unwrap_or_default();
        let named = available.iter().find(|path| path.name().eq_ignore_ascii_case(&wanted));
        *named.or(available.last()).unwrap_or(&Self::Scalar)
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Lanes;
    use apical_core::trains::WORDS;
    use bytemuck::must_cast;
    use core::arch::x86_64::{__m128i, __m256i, __m512i};
    use pulp::x86::V3;

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

    /// The largest of 16 unsigned numbers: the least of their complements.
    #[inline(always)]
    fn largest(sse2: pulp::core_arch::x86::Sse2, sse41: pulp::core_arch::x86::Sse4_1, a: __m256i) -> u16 {
        let [low, high]: [__m128i; 2] = must_cast(a);
        let all = sse2._mm_xor_si128(sse41._mm_max_epu16(low, high), sse2._mm_set1_epi16(-1));
        !(sse2._mm_cvtsi128_si32(sse41._mm_minpos_epu16(all)) as u16)
    }

    /// See [`Lanes::next_offsets`]; one number after another takes twice the time.
    #[inline(always)]
    fn next_offsets(sse2: pulp::core_arch::x86::Sse2, last: &mut [u32; 4], to: &mut [[[u16; 2]; 4]]) {
        let xor = |a, b| sse2._mm_xor_si128(a, b);
        let mut s: __m128i = must_cast(*last);
        for to in to {
            // T of each. Shifts distribute over ⊕, so nothing waits for more than it must.
            let (left, right) = (sse2._mm_slli_epi32::<11>(s), sse2._mm_srli_epi32::<8>(s));
            let t = xor(xor(xor(s, left), right), sse2._mm_srli_epi32::<8>(left));
            // What the fourth number adds to the first two, …
            let fourth = sse2._mm_srli_si128::<12>(s);
            let early = xor(fourth, sse2._mm_srli_epi32::<19>(fourth));
            let early = xor(early, sse2._mm_slli_si128::<4>(fourth));
            // … and the other three to those after them.
            let before = sse2._mm_slli_si128::<4>(t);
            let v = xor(xor(xor(t, early), before), sse2._mm_srli_epi32::<19>(before));
            s = xor(v, sse2._mm_slli_si128::<8>(v));
            let high = sse2._mm_and_si128(sse2._mm_slli_epi32::<12>(s), sse2._mm_set1_epi32(0xFFF << 16));
            *to = must_cast(sse2._mm_or_si128(sse2._mm_srli_epi32::<20>(s), high));
        }
        *last = must_cast(s);
    }

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
    }

    impl Wide {
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
            self.0.avx512f._mm512_srlv_epi32(a, self.splat_totals(shift as i32))
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
}

#[cfg(target_arch = "x86_64")]
pub use x86::{Avx512, Pair, Wide};

#[cfg(target_arch = "x86_64")]
pub use dispatch::{OnAvx2, OnAvx512};

/// Kernels that enter their instructions call by call, so that each is compiled for them,
/// as a function of its own.
#[cfg(target_arch = "x86_64")]
mod dispatch {
    use super::{Pair, Wide};
    use apical_core::arithmetic::{Columns, ColumnsMut, Dynamics, Neurons, Run, Scratch};
    use apical_core::formats::Variable;
    use apical_core::kernels::{Job, Kernels, Vector};
    use apical_core::losses::Losses;
    use apical_core::native::Weight;
    use apical_core::parameters::Coefficients;
    use apical_core::random::{Dither, Generator, Offsets};
    use apical_core::spikes::Spikes;
    use apical_core::trains::Trains;

    macro_rules! dispatched {
        ($name:ident, $lanes:ident, $token:ty, $what:literal) => {
            #[doc = $what]
            #[derive(Debug, Clone, Copy)]
            pub struct $name($token);

            impl Default for $name {
                fn default() -> Self {
                    Self(<$token>::try_new().expect(concat!($what, " was found before")))
                }
            }

            impl Kernels for $name {
                fn enter<R>(&self, f: impl FnOnce() -> R) -> R {
                    self.0.vectorize(f)
                }

                fn on_lanes<J: Job>(&self, job: J) -> Option<J::Outcome> {
                    let lanes = $lanes(self.0);
                    self.0.vectorize(
                        #[inline(always)]
                        || Some(job.work(lanes)),
                    )
                }

                fn sum_columns<W: Weight, const COUNT: bool>(
                    &self,
                    shift: i8,
                    columns: Columns<'_, W>,
                    spikes: &[u16],
                    sums: &mut [i16],
                    losses: &mut Losses<'_>,
                ) {
                    let kernels = Vector($lanes(self.0));
                    self.0.vectorize(
                        #[inline(always)]
                        || kernels.sum_columns::<W, COUNT>(shift, columns, spikes, sums, losses),
                    );
                }

                fn advance<const COUNT: bool>(
                    &self,
                    layer: &Coefficients,
                    state: Dynamics<'_, i16>,
                    units: usize,
                    label: Option<usize>,
                    offsets: Offsets<'_, Generator>,
                    spikes: &mut Spikes<'_>,
                    losses: &mut Losses<'_>,
                ) {
                    let kernels = Vector($lanes(self.0));
                    self.0.vectorize(
                        #[inline(always)]
                        || kernels.advance::<COUNT>(layer, state, units, label, offsets, spikes, losses),
                    );
                }

                fn fire(
                    &self,
                    potentials: &[i16],
                    names: &[u16],
                    offsets: Offsets<'_, Generator>,
                    spikes: &mut Spikes<'_>,
                ) {
                    let kernels = Vector($lanes(self.0));
                    self.0.vectorize(
                        #[inline(always)]
                        || kernels.fire(potentials, names, offsets, spikes),
                    );
                }

                fn run<W: Weight, const COUNT: bool>(
                    &self,
                    layer: &Coefficients,
                    columns: Columns<'_, W>,
                    neurons: Neurons<'_, i16, i32>,
                    run: &Run<'_>,
                    draws: &mut Generator,
                    trains: &mut Trains<'_>,
                    scratch: &mut Scratch<'_>,
                    losses: &mut Losses<'_>,
                ) -> bool {
                    let kernels = Vector($lanes(self.0));
                    self.0.vectorize(
                        #[inline(always)]
                        || {
                            kernels
                                .run::<W, COUNT>(layer, columns, neurons, run, draws, trains, scratch, losses)
                        },
                    )
                }

                fn reads_masks<W: Weight>(
                    &self,
                    columns: Columns<'_, W>,
                    steps: usize,
                    trains: &Trains<'_>,
                    scratch: &Scratch<'_>,
                ) -> bool {
                    Vector($lanes(self.0)).reads_masks(columns, steps, trains, scratch)
                }

                fn sum_masks<W: Weight>(
                    &self,
                    columns: Columns<'_, W>,
                    trains: &Trains<'_>,
                    steps: usize,
                    scratch: &mut Scratch<'_>,
                ) {
                    let kernels = Vector($lanes(self.0));
                    self.0.vectorize(
                        #[inline(always)]
                        || kernels.sum_masks::<W>(columns, trains, steps, scratch),
                    )
                }

                fn find_active(&self, greys: &[u8], names: &mut [u16]) -> Option<usize> {
                    let kernels = Vector($lanes(self.0));
                    self.0.vectorize(
                        #[inline(always)]
                        || kernels.find_active(greys, names),
                    )
                }

                fn fire_run(
                    &self,
                    potentials: &[i16],
                    names: &[u16],
                    run: &Run<'_>,
                    draws: &mut Generator,
                    trains: &mut Trains<'_>,
                    scratch: &mut Scratch<'_>,
                ) -> bool {
                    let kernels = Vector($lanes(self.0));
                    self.0.vectorize(
                        #[inline(always)]
                        || kernels.fire_run(potentials, names, run, draws, trains, scratch),
                    )
                }

                fn accumulate(&self, somas: &[i16], sums: &mut [i32]) {
                    let kernels = Vector($lanes(self.0));
                    self.0.vectorize(
                        #[inline(always)]
                        || kernels.accumulate(somas, sums),
                    );
                }

                fn plateaus<W: Weight, const COUNT: bool>(
                    &self,
                    shift: i8,
                    feedback: Columns<'_, W>,
                    psp: &[i16],
                    plateaus: &mut [i16],
                    losses: &mut Losses<'_>,
                ) {
                    let kernels = Vector($lanes(self.0));
                    self.0.vectorize(
                        #[inline(always)]
                        || kernels.plateaus::<W, COUNT>(shift, feedback, psp, plateaus, losses),
                    );
                }

                fn slopes<const COUNT: bool>(
                    &self,
                    sums: &[i32],
                    steps: u32,
                    slopes: &mut [i16],
                    losses: &mut Losses<'_>,
                ) {
                    let kernels = Vector($lanes(self.0));
                    self.0.vectorize(
                        #[inline(always)]
                        || kernels.slopes::<COUNT>(sums, steps, slopes, losses),
                    );
                }

                fn errors<const COUNT: bool>(
                    &self,
                    gain: i32,
                    targets: &[i16],
                    forwards: &[i16],
                    errors: &mut [i16],
                    losses: &mut Losses<'_>,
                ) {
                    let kernels = Vector($lanes(self.0));
                    self.0.vectorize(
                        #[inline(always)]
                        || kernels.errors::<COUNT>(gain, targets, forwards, errors, losses),
                    );
                }

                fn learn<W: Weight, const COUNT: bool>(
                    &self,
                    layer: &Coefficients,
                    matrix: ColumnsMut<'_, W>,
                    presynaptic: &[u16],
                    steps: u32,
                    errors: &[i16],
                    dither: &mut Dither,
                    losses: &mut Losses<'_>,
                ) {
                    let kernels = Vector($lanes(self.0));
                    self.0.vectorize(
                        #[inline(always)]
                        || {
                            kernels.learn::<W, COUNT>(
                                layer,
                                matrix,
                                presynaptic,
                                steps,
                                errors,
                                dither,
                                losses,
                            )
                        },
                    );
                }

                fn update<W: Weight, const COUNT: bool>(
                    &self,
                    variable: Variable,
                    layer: &Coefficients,
                    weights: &mut [W],
                    errors: &[i16],
                    psp: i16,
                    dither: &[u16; 32],
                    losses: &mut Losses<'_>,
                ) -> u16 {
                    let kernels = Vector($lanes(self.0));
                    self.0.vectorize(
                        #[inline(always)]
                        || kernels.update::<W, COUNT>(variable, layer, weights, errors, psp, dither, losses),
                    )
                }
            }
        };
    }

    dispatched!(OnAvx512, Wide, super::Avx512, "AVX-512");
    dispatched!(OnAvx2, Pair, pulp::x86::V3, "AVX2");
}
