//! 16 floats on the vector units that [`crate::vector`] has.

use apical_core::kernels::Lanes;

/// What a vector unit does with 16 floats.
pub trait FloatLanes: Lanes + Send + Sync + core::fmt::Debug + 'static {
    /// The floats.
    type Floats: Copy;
    /// The same one 16 times.
    fn splat_floats(self, value: f32) -> Self::Floats;
    /// From memory.
    fn load_floats(self, from: &[f32; 16]) -> Self::Floats;
    /// To memory.
    fn store_floats(self, floats: Self::Floats, to: &mut [f32; 16]);
    /// a + b.
    fn add_floats(self, a: Self::Floats, b: Self::Floats) -> Self::Floats;
    /// a − b.
    fn subtract_floats(self, a: Self::Floats, b: Self::Floats) -> Self::Floats;
    /// a·b + c, rounded once.
    fn fused(self, a: Self::Floats, b: Self::Floats, c: Self::Floats) -> Self::Floats;
    /// Bit i: whether float i of a is greater than float i of b.
    fn greater_floats(self, a: Self::Floats, b: Self::Floats) -> u32;
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::FloatLanes;
    use crate::vector::{Pair, Wide};
    use bytemuck::must_cast;
    use core::arch::x86_64::{__m256, __m512};

    impl FloatLanes for Wide {
        type Floats = __m512;
        #[inline(always)]
        fn splat_floats(self, value: f32) -> __m512 {
            self.0.avx512f._mm512_set1_ps(value)
        }
        #[inline(always)]
        fn load_floats(self, from: &[f32; 16]) -> __m512 {
            must_cast(*from)
        }
        #[inline(always)]
        fn store_floats(self, floats: __m512, to: &mut [f32; 16]) {
            *to = must_cast(floats);
        }
        #[inline(always)]
        fn add_floats(self, a: __m512, b: __m512) -> __m512 {
            self.0.avx512f._mm512_add_ps(a, b)
        }
        #[inline(always)]
        fn subtract_floats(self, a: __m512, b: __m512) -> __m512 {
            self.0.avx512f._mm512_sub_ps(a, b)
        }
        #[inline(always)]
        fn fused(self, a: __m512, b: __m512, c: __m512) -> __m512 {
            self.0.avx512f._mm512_fmadd_ps(a, b, c)
        }
        #[inline(always)]
        fn greater_floats(self, a: __m512, b: __m512) -> u32 {
            u32::from(self.0.avx512f._mm512_cmp_ps_mask::<{ core::arch::x86_64::_CMP_GT_OQ }>(a, b))
        }
    }

    impl FloatLanes for Pair {
        type Floats = [__m256; 2];
        #[inline(always)]
        fn splat_floats(self, value: f32) -> Self::Floats {
            [self.0.avx._mm256_set1_ps(value); 2]
        }
        #[inline(always)]
        fn load_floats(self, from: &[f32; 16]) -> Self::Floats {
            must_cast(*from)
        }
        #[inline(always)]
        fn store_floats(self, floats: Self::Floats, to: &mut [f32; 16]) {
            *to = must_cast(floats);
        }
        #[inline(always)]
        fn add_floats(self, [a, b]: Self::Floats, [c, d]: Self::Floats) -> Self::Floats {
            [self.0.avx._mm256_add_ps(a, c), self.0.avx._mm256_add_ps(b, d)]
        }
        #[inline(always)]
        fn subtract_floats(self, [a, b]: Self::Floats, [c, d]: Self::Floats) -> Self::Floats {
            [self.0.avx._mm256_sub_ps(a, c), self.0.avx._mm256_sub_ps(b, d)]
        }
        #[inline(always)]
        fn fused(self, a: Self::Floats, b: Self::Floats, c: Self::Floats) -> Self::Floats {
            let fma = self.0.fma;
            [fma._mm256_fmadd_ps(a[0], b[0], c[0]), fma._mm256_fmadd_ps(a[1], b[1], c[1])]
        }
        #[inline(always)]
        fn greater_floats(self, [a, b]: Self::Floats, [c, d]: Self::Floats) -> u32 {
            const GREATER: i32 = core::arch::x86_64::_CMP_GT_OQ;
            let avx = self.0.avx;
            let low = avx._mm256_movemask_ps(avx._mm256_cmp_ps::<GREATER>(a, c)) as u32;
            low | (avx._mm256_movemask_ps(avx._mm256_cmp_ps::<GREATER>(b, d)) as u32) << 8
        }
    }
}
