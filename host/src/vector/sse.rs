//! What both vector units do with 8 numbers.

use bytemuck::must_cast;
use core::arch::x86_64::{__m128i, __m256i};
use pulp::core_arch::x86::{Sse2, Sse4_1};

/// The largest of 16 unsigned numbers: the least of their complements.
#[inline(always)]
pub(super) fn largest(sse2: Sse2, sse41: Sse4_1, a: __m256i) -> u16 {
    let [low, high]: [__m128i; 2] = must_cast(a);
    let all = sse2._mm_xor_si128(sse41._mm_max_epu16(low, high), sse2._mm_set1_epi16(-1));
    !(sse2._mm_cvtsi128_si32(sse41._mm_minpos_epu16(all)) as u16)
}

/// See [`next_offsets`](apical_core::kernels::Lanes::next_offsets); one number after another takes twice the time.
#[inline(always)]
pub(super) fn next_offsets(sse2: Sse2, last: &mut [u32; 4], to: &mut [[[u16; 2]; 4]]) {
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
