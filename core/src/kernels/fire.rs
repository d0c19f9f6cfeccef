//! Who of a block fires: noise is drawn for a whole run, and compared block by block.

use super::lanes::Lanes;
use crate::random::{Generator, draw_offsets};
use crate::tables::noise::{BEYOND, THIRD, may_fire_thrice, thresholds_by_count};
use crate::trains::Fired;

/// Offsets into the noise for all steps and blocks, in the order of the steps; those of a
/// step begin at a multiple of [`places_of`].
///
/// An offset's highest bit says whether its noise lets anybody fire a third time
/// ([`THRICE`]): asking the table for each block takes as long as a comparison.
///
/// # Draws
/// One `u32` a step for every two blocks.
#[inline(always)]
pub fn draw_places<L: Lanes>(
    lanes: L,
    draws: &mut Generator,
    steps: usize,
    blocks: usize,
    places: &mut [u16],
) {
    let pairs = places.as_chunks_mut::<2>().0;
    let Some(pairs) = pairs.get_mut(..blocks.div_ceil(2).wrapping_mul(steps)) else { return };
    draw_offsets(
        draws,
        pairs,
        #[inline(always)]
        |last, fours| lanes.next_offsets(last, fours),
    );
    mark(lanes, pairs.as_flattened_mut());
}

/// Marks the offsets whose noise lets somebody fire a third time.
#[inline(always)]
fn mark<L: Lanes>(l: L, places: &mut [u16]) {
    let (chunks, rest) = places.as_chunks_mut::<32>();
    for places in chunks {
        let offsets = l.load_unsigned(places);
        let mut without = u32::MAX;
        for place in THIRD {
            let ahead = l.subtract(l.splat(place as i16), offsets);
            without &= l.differing(l.and(ahead, l.splat(BEYOND as i16)), l.splat(0));
        }
        l.store_unsigned(l.add_in(offsets, l.mask(!without), l.splat(THRICE as i16)), places);
    }
    for place in rest {
        *place |= if may_fire_thrice(*place) { THRICE } else { 0 };
    }
}

/// The bit of an offset from [`draw_places`] whose noise lets somebody fire a third time.
pub const THRICE: u16 = 1 << 15;

/// Places that the offsets of so many blocks take up: two for each draw.
#[inline(always)]
#[must_use]
pub const fn places_of(blocks: usize) -> usize {
    blocks.next_multiple_of(2)
}

/// Writes down who of block `at` fires once, twice and three times in a step; adds what the
/// spikes are credited with to `psp`, and to `more` whether anybody fires three times.
#[inline(always)]
pub(crate) fn fire<L: Lanes>(
    l: L,
    potentials: L::Block,
    place: u16,
    share: Option<&u16>,
    psp: &mut L::Block,
    (at, step, fired, more): (usize, usize, &mut Fired, &mut u32),
) {
    let share = share.map(|&share| l.splat(share as i16));
    fire_twice(l, potentials, place, share, psp, (step, fired));
    if place & THRICE != 0 {
        fire_thrice(l, potentials, place, share, psp, (at, step, fired, more));
    }
}

/// Who fires once and twice.
#[inline(always)]
pub(super) fn fire_twice<L: Lanes>(
    l: L,
    potentials: L::Block,
    place: u16,
    share: Option<L::Block>,
    psp: &mut L::Block,
    (step, [once, twice, _]): (usize, &mut Fired),
) {
    let [one, two, _] = thresholds_by_count(place);
    let first = l.exceeding(potentials, l.load(one));
    let second = l.exceeding(potentials, l.load(two));
    if let (Some(once), Some(twice)) = (once.get_mut(step), twice.get_mut(step)) {
        (*once, *twice) = (l.bits(first), l.bits(second));
    }
    if let Some(share) = share {
        *psp = l.add_where(l.add_where(*psp, first, share), second, share);
    }
}

/// Who fires three times: one block in 25 has noise that lets anybody do so, one unit in a
/// thousand of which does.
#[inline(always)]
pub(super) fn fire_thrice<L: Lanes>(
    l: L,
    potentials: L::Block,
    place: u16,
    share: Option<L::Block>,
    psp: &mut L::Block,
    (at, step, [_, _, thrice], more): (usize, usize, &mut Fired, &mut u32),
) {
    let [_, _, three] = thresholds_by_count(place);
    let third = l.exceeding(potentials, l.load(three));
    let word = l.bits(third);
    if let Some(thrice) = thrice.get_mut(step) {
        *thrice = word;
    }
    *more |= u32::from(word != 0) << (at & 31);
    if let Some(share) = share {
        *psp = l.add_where(*psp, third, share);
    }
}
