//! What the apical dendrites are fed back.

use super::lanes::Lanes;
use super::vector::Vector;
use crate::arithmetic::Columns;
use crate::formats::Variable;
use crate::losses::Losses;
use crate::native::{Weight, narrow};
use crate::tables::noise::BLOCK;

impl<L: Lanes> Vector<L> {
    /// Mean apical potentials as [`plain::apical_means`] has them, where their sums certainly
    /// fit into 32 bits; false where they may not.
    #[inline(always)]
    pub(super) fn apical_means<W: Weight, const COUNT: bool>(
        &self,
        shift: i8,
        feedback: Columns<'_, W>,
        psp: &[i16],
        means: &mut [i16],
        losses: &mut Losses<'_>,
    ) -> bool {
        let l = self.0;
        let shift = 14i8.wrapping_sub(shift) as u32 & 63;
        let sum: u32 = psp.iter().map(|psp| u32::from(psp.unsigned_abs())).fold(0, u32::saturating_add);
        // 2¹⁵ times that, and a half of 2^shift, are below 2³¹.
        if sum > 0xF000 || shift > 20 {
            return false;
        }
        let half = (1i32 << shift) >> 1;
        for (block, means) in means.as_chunks_mut::<BLOCK>().0.iter_mut().enumerate() {
            let mut totals = [l.no_totals(); 2];
            for (column, &psp) in feedback.weights.chunks_exact(feedback.stride.max(1)).zip(psp) {
                if let Some(weights) = column.as_chunks::<BLOCK>().0.get(block) {
                    for (total, weights) in totals.iter_mut().zip(weights.as_chunks::<16>().0) {
                        *total = l.add_products(*total, &weights.map(W::widen), psp);
                    }
                }
            }
            let [low, high] =
                [l.shift_totals(totals[0], half, shift), l.shift_totals(totals[1], half, shift)];
            if COUNT && l.beyond(low, 32767) | l.beyond(high, 32767) != 0 {
                for half in [low, high] {
                    let mut sums = [0; 16];
                    l.store_totals(half, &mut sums);
                    for sum in sums {
                        narrow::<COUNT>(i64::from(sum), Variable::Apical, losses);
                    }
                }
            }
            l.store(l.held_totals([low, high], 1 << 15), means);
        }
        true
    }
}
