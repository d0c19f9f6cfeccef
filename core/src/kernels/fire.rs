//! Who of a block fires: noise is drawn for a whole run, and compared block by block.

use super::lanes::Lanes;
use super::neurons::mask;
use super::vector::Vector;
use crate::random::{Generator, Offsets, draw_offsets};
use crate::spikes::Spikes;
use crate::tables::noise::{
    BEYOND, BLOCK, NEVER, SINGLE_ABOVE, SINGLE_WITHIN, THIRD, count, may_fire_thrice, thresholds,
    thresholds_by_count,
};
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
    let [first, second] = credit_twice(l, potentials, place, share, psp);
    if let (Some(once), Some(twice)) = (once.get_mut(step), twice.get_mut(step)) {
        (*once, *twice) = (l.bits(first), l.bits(second));
    }
}

/// The same without writing it down: who does is credited.
#[inline(always)]
pub(super) fn credit_twice<L: Lanes>(
    l: L,
    potentials: L::Block,
    place: u16,
    share: Option<L::Block>,
    psp: &mut L::Block,
) -> [L::Mask; 2] {
    let [one, two, _] = thresholds_by_count(place);
    let first = l.exceeding(potentials, l.load(one));
    let second = l.exceeding(potentials, l.load(two));
    if let Some(share) = share {
        *psp = l.add_where(l.add_where(*psp, first, share), second, share);
    }
    [first, second]
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
    let word = l.bits(credit_thrice(l, potentials, place, share, psp));
    if let Some(thrice) = thrice.get_mut(step) {
        *thrice = word;
    }
    *more |= u32::from(word != 0) << (at & 31);
}

/// The same without writing it down.
#[inline(always)]
pub(super) fn credit_thrice<L: Lanes>(
    l: L,
    potentials: L::Block,
    place: u16,
    share: Option<L::Block>,
    psp: &mut L::Block,
) -> L::Mask {
    let [_, _, three] = thresholds_by_count(place);
    let third = l.exceeding(potentials, l.load(three));
    if let Some(share) = share {
        *psp = l.add_where(*psp, third, share);
    }
    third
}

/// Blocks whose spikes are taken down together.
const BAND: usize = 16;

impl<L: Lanes> Vector<L> {
    /// Spikes of the first `units` of these potentials.
    ///
    /// Found block by block and taken down sixteen blocks later, so that the branches of
    /// the taking down do not hold up the comparisons.
    #[inline(always)]
    pub(super) fn compare(
        &self,
        potentials: &[i16],
        units: usize,
        mut offsets: Offsets<'_, Generator>,
        spikes: &mut Spikes<'_>,
    ) {
        let blocks = potentials.as_chunks::<32>().0;
        let whole = blocks.len().wrapping_mul(BLOCK).min(units);
        let mut first = 0usize;
        for band in blocks.chunks(BAND) {
            let left = whole.saturating_sub(first);
            if left == 0 {
                return;
            }
            let mut places = [0u16; BAND];
            for place in places.iter_mut().take(left.div_ceil(BLOCK)) {
                *place = offsets.draw();
            }
            self.compare_band(band, &places, first, left, spikes);
            first = first.wrapping_add(BAND * BLOCK);
        }
        // What does not fill a block: only where memory is not padded.
        let mut rest = [NEVER.wrapping_neg(); 32];
        for (to, from) in rest.iter_mut().zip(potentials.get(whole..units).unwrap_or(&[])) {
            *to = *from;
        }
        if whole < units {
            let mut places = [0u16; BAND];
            places[0] = offsets.draw();
            self.compare_band(&[rest], &places, whole, units.wrapping_sub(whole), spikes);
        }
    }

    /// One spike of every unit that fired, then what some fired beyond their first.
    #[inline(always)]
    fn compare_band(
        &self,
        band: &[[i16; 32]],
        places: &[u16; BAND],
        first: usize,
        units: usize,
        spikes: &mut Spikes<'_>,
    ) {
        let l = self.0;
        let mut fired = [0u32; BAND];
        let mut doubtful = [0u32; BAND];
        let (low, gap) = (l.splat(SINGLE_ABOVE.wrapping_add(1)), l.splat(SINGLE_WITHIN));
        let found = fired.iter_mut().zip(&mut doubtful);
        let blocks = units.div_ceil(BLOCK);
        for ((potentials, &place), (fired, doubtful)) in band.iter().zip(places).zip(found).take(blocks) {
            let (potentials, noise) = (l.load(potentials), l.load(thresholds(place)));
            *fired = l.greater(potentials, noise);
            *doubtful = l.greater(low, noise) & l.greater(potentials, l.add_held(noise, gap));
        }
        if let Some(last) = fired.get_mut(blocks.wrapping_sub(1)) {
            *last &= mask(units.wrapping_sub(blocks.wrapping_sub(1).wrapping_mul(BLOCK)));
        }
        spikes.push_blocks(first as u16, fired.get(..blocks).unwrap_or(&fired));
        let found = fired.iter().zip(&doubtful).zip(band.iter().zip(places));
        for ((&fired, &doubtful), (block, (potentials, &place))) in
            found.zip(0..).map(|(((f, d), (p, o)), b)| ((f, d), (b, (p, o))))
        {
            for_each_bit(fired & doubtful, |lane| {
                let potential = potentials.get(lane).copied().unwrap_or(0);
                let threshold = thresholds(place).get(lane).copied().unwrap_or(0);
                let unit = first.wrapping_add(BLOCK.wrapping_mul(block)).wrapping_add(lane);
                (1..count(potential, threshold)).for_each(|_| spikes.push(unit as u16));
            });
        }
    }
}

#[inline(always)]
fn for_each_bit(mut bits: u32, mut each: impl FnMut(usize)) {
    while bits != 0 {
        each(bits.trailing_zeros() as usize);
        bits &= bits.wrapping_sub(1);
    }
}
