//! W += narrow(e · ⟨s⟩) with stochastic rounding, and how large weights may have become.

use super::neurons::{half, scaled};
use crate::arithmetic::Updates;
use crate::kernels::{NARROW_GRAIN, grown_bound, learn_columns};
use crate::losses::Losses;
use crate::native::Weight;
use crate::random::DITHER_STRIDE;
use crate::tables::noise::BLOCK;

/// Every column whose presynaptic unit has a mean PSP.
#[inline(never)]
pub(super) fn learn_stochastically<W: Weight, const SHIFT: u32>(updates: Updates<'_, W, i16>) {
    let Updates { matrix, presynaptic, steps, errors, dither } = updates;
    let largest = errors.iter().fold(0, |largest, error| error.unsigned_abs().max(largest));
    learn_columns::<W, false>(matrix, presynaptic, steps, &mut Losses::none(), |column, psp, bound, _| {
        change::<W, SHIFT>(column, errors, psp, &dither.draw());
        let most = u32::from(largest).wrapping_mul(u32::from(psp.unsigned_abs())) >> (15 & 31);
        bound.map_or(0, |bound| grown(bound, (most >> SHIFT).wrapping_add(2), column))
    });
}

/// The grain of bounds ([`grown_bound`]): measuring takes long without vectors.
const GRAIN: u32 = 9;

/// The bound of a column whose weights moved by so much at most.
#[inline(always)]
pub fn grown<W: Weight>(bound: u16, by: u32, column: &[W]) -> u16 {
    let grain = if W::EXACT_SPIKES == 0 { GRAIN } else { NARROW_GRAIN };
    grown_bound(bound, by, grain, || magnitude(column))
}

/// The largest magnitude of these weights.
#[inline(never)]
fn magnitude<W: Weight>(weights: &[W]) -> u16 {
    let (mut least, mut most) = (0i16, 0i16);
    for weight in weights {
        least = weight.widen().min(least);
        most = weight.widen().max(most);
    }
    least.unsigned_abs().max(most.unsigned_abs())
}

/// The update of one column; returns its largest magnitude.
#[inline(never)]
pub(super) fn change_and_measure<W: Weight, const SHIFT: u32>(
    weights: &mut [W],
    errors: &[i16],
    psp: i16,
    dither: &[u16; 32],
) -> u16 {
    change::<W, SHIFT>(weights, errors, psp, dither);
    magnitude(weights)
}

#[inline(always)]
fn change<W: Weight, const SHIFT: u32>(weights: &mut [W], errors: &[i16], psp: i16, dither: &[u16; 32]) {
    const { assert!(SHIFT > 0 && SHIFT < 16) };
    let (psp, half) = (i32::from(psp), half());
    let mut weyl = 0u32;
    for (weights, errors) in weights.chunks_mut(BLOCK).zip(errors.chunks(BLOCK)) {
        for ((weight, &error), &lane) in weights.iter_mut().zip(errors).zip(dither) {
            let noise = (u32::from(lane) << 16).wrapping_add(weyl) >> const { 32u32.wrapping_sub(SHIFT) };
            let delta = scaled(i32::from(error), psp, half);
            *weight = weight.moved(delta.wrapping_add(noise as i32) >> SHIFT);
        }
        weyl = weyl.wrapping_add(u32::from(DITHER_STRIDE) << 16);
    }
}
