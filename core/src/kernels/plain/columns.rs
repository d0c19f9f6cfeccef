//! u = narrow(Σ columns): two or four weights a word, several words at a time in registers.

use super::{hold_total, sum_widely};
use crate::arithmetic::Columns;
use crate::formats::{ACCUMULATOR_LIMIT, STATE_LIMIT, Variable};
use crate::losses::Losses;
use crate::native::Weight;

/// From the weights' binary point to the filters'.
///
/// # Numerics
/// One fraction bit less: to nearest, halves upward. The same or more: exact, held within
/// ±[`STATE_LIMIT`].
#[inline(always)]
fn narrow_sum(sum: i16, shift: i8) -> i16 {
    if shift < 0 {
        return sum.wrapping_add(1) >> 1;
    }
    let (exact, limit) = (i32::from(sum) << (shift & 15), i32::from(STATE_LIMIT));
    // One comparison for what is usual.
    if exact.wrapping_add(limit) as u32 <= const { (STATE_LIMIT as u32) << 1 } {
        return exact as i16;
    }
    exact.clamp(limit.wrapping_neg(), limit) as i16
}

/// u = narrow(Σ columns). Not inlined: one text for all layers and phases, and all registers
/// for its loops. With `REST`, small rather than fast: a machine's own kernels do what is usual.
#[inline(never)]
pub fn sum_columns<W: Weight, const COUNT: bool, const REST: bool>(
    shift: i8,
    columns: Columns<'_, W>,
    spikes: &[u16],
    sums: &mut [i16],
    losses: &mut Losses<'_>,
) {
    let whole = columns.stride.is_multiple_of(W::PER_WORD) && sums.len().is_multiple_of(W::PER_WORD);
    if let Some(words) = W::words(columns.weights).filter(|_| whole) {
        let words = Words { words, stride: columns.stride.checked_div(W::PER_WORD).unwrap_or(0) };
        if W::PER_WORD == 4 && !REST && spikes.len() <= W::EXACT_SPIKES {
            sum_quads::<W>(words, spikes, sums.as_chunks_mut().0);
            return narrow_sums::<COUNT>(shift, sums, losses);
        }
        if W::PER_WORD == 2
            && !REST
            && let Some(parts) = Parts::of(columns.bounds, spikes)
        {
            if parts.count == 1 && shift == -1 {
                return sum_pairs::<W>(words, spikes, sums.as_chunks_mut().0);
            }
            sum_parts::<W>(words, spikes, &parts, sums, losses);
            return narrow_sums::<COUNT>(shift, sums, losses);
        }
    }
    sum_widely::<W>(columns, spikes, sums, losses);
    narrow_sums::<COUNT>(shift, sums, losses);
}

/// Sums of columns, from the weights' binary point to the filters'.
#[inline(never)]
pub fn narrow_sums<const COUNT: bool>(shift: i8, sums: &mut [i16], losses: &mut Losses<'_>) {
    if COUNT && shift >= 0 {
        // Whether anything is held, without a branch for each sum.
        let held = |sum: i16| (narrow_sum(sum, shift) >> (shift & 15)) ^ sum;
        if sums.iter().fold(0, |any, &sum| any | held(sum)) != 0 {
            for (unit, _) in sums.iter().enumerate().filter(|&(_, &sum)| held(sum) != 0) {
                losses.saturated(Variable::Accumulator, 1, unit);
            }
        }
    }
    for sum in sums {
        *sum = narrow_sum(*sum, shift);
    }
}

/// The spikes of a step cut into runs whose columns can each be added up in 16 bits.
struct Parts {
    ends: [usize; Self::MOST],
    count: usize,
}

impl Parts {
    const MOST: usize = 8;

    /// None where more runs are needed, or the bounds are not known.
    #[inline(always)]
    fn of(bounds: &[u16], spikes: &[u16]) -> Option<Self> {
        let mut parts = Self { ends: [spikes.len(); Self::MOST], count: 0 };
        let mut room = ACCUMULATOR_LIMIT;
        for (place, &unit) in spikes.iter().enumerate() {
            let bound = i32::from(*bounds.get(usize::from(unit))?);
            room = room.wrapping_sub(bound);
            if room < 0 {
                *parts.ends.get_mut(parts.count)? = place;
                parts.count = parts.count.wrapping_add(1);
                room = ACCUMULATOR_LIMIT.wrapping_sub(bound);
            }
        }
        // A weight of −128 alone is beyond the limit: such a run has no room from the start.
        *parts.ends.get_mut(parts.count)? = spikes.len();
        parts.count = parts.count.wrapping_add(1);
        (room >= 0).then_some(parts)
    }
}

/// Words of pairs that are added up at a time: as many as stay in registers.
const PAIRS: usize = if cfg!(target_arch = "arm") { 4 } else { 10 };

/// What makes the halves of a pair of weights that must not borrow unsigned numbers: the
/// low one, where they are signed.
const fn flipped<W: Weight>() -> u32 {
    if W::OFFSET { 0 } else { 0x8000 }
}

/// What each pair then holds beside its weights.
const fn bias<W: Weight>() -> u32 {
    if W::OFFSET { 0x8000_8000 } else { 0x8000 }
}

/// Columns of weights as words.
#[derive(Clone, Copy)]
struct Words<'a> {
    words: &'a [u32],
    /// Words of a column.
    stride: usize,
}

impl Words<'_> {
    /// The last place where `TILE` words begin.
    #[inline(always)]
    fn last<const TILE: usize>(self) -> Option<usize> {
        self.words.len().checked_sub(TILE)
    }

    /// `TILE` words of a unit's column, from its word `first` on; `last` says where the
    /// last such tile begins.
    #[inline(always)]
    fn tile<const TILE: usize>(&self, unit: u16, first: usize, last: usize) -> Option<&[u32; TILE]> {
        let at = usize::from(unit).wrapping_mul(self.stride).wrapping_add(first);
        // One comparison instead of two.
        if at > last {
            return None;
        }
        self.words.get(at..at.wrapping_add(TILE)).and_then(|column| column.first_chunk::<TILE>())
    }
}

/// Adds the columns of `TILE` words, two units each, in registers. Beside its two sums of
/// 16 bits, each below 2¹⁵, a word then holds nothing but `start`.
#[inline(always)]
fn add_pairs<W: Weight, const TILE: usize>(
    words: Words<'_>,
    spikes: &[u16],
    first: usize,
    last: usize,
    start: u32,
) -> [u32; TILE] {
    let bias = (spikes.len() as u32).wrapping_mul(const { bias::<W>() });
    let mut totals = [start.wrapping_sub(bias); TILE];
    for &unit in spikes {
        if let Some(column) = words.tile::<TILE>(unit, first, last) {
            for (total, pair) in totals.iter_mut().zip(column) {
                *total = total.wrapping_add(pair ^ const { flipped::<W>() });
            }
        }
    }
    totals
}

/// The sums of pairs that fit in 16 bits, with one fraction bit less.
#[inline(never)]
fn sum_pairs<W: Weight>(words: Words<'_>, spikes: &[u16], sums: &mut [[i16; 2]]) {
    let rest = pair_tiles::<W, PAIRS>(words, spikes, 0, sums);
    let rest = pair_tiles::<W, 2>(words, spikes, rest, sums);
    pair_tiles::<W, 1>(words, spikes, rest, sums);
}

/// Whole tiles of pairs from `first` on; returns the first pair not done.
#[inline(always)]
fn pair_tiles<W: Weight, const TILE: usize>(
    words: Words<'_>,
    spikes: &[u16],
    mut first: usize,
    sums: &mut [[i16; 2]],
) -> usize {
    let Some(last) = words.last::<TILE>() else { return first };
    for tile in sums.get_mut(first..).unwrap_or(&mut []).as_chunks_mut::<TILE>().0 {
        // One more in each half, for the rounding.
        let totals = add_pairs::<W, TILE>(words, spikes, first, last, 0x0001_0001);
        for (pair, total) in tile.iter_mut().zip(totals) {
            let low = (total << 16) as i32 >> 17;
            let high = total.wrapping_add(0x8000) as i32 >> 17;
            *pair = [low as i16, high as i16];
        }
        first = first.wrapping_add(TILE);
    }
    first
}

/// Sums that need more than one run, held within ±[`ACCUMULATOR_LIMIT`] at the end.
#[inline(never)]
fn sum_parts<W: Weight>(
    words: Words<'_>,
    spikes: &[u16],
    parts: &Parts,
    sums: &mut [i16],
    losses: &mut Losses<'_>,
) {
    let rest = part_tiles::<W, 4>(words, spikes, parts, 0, sums, losses);
    part_tiles::<W, 1>(words, spikes, parts, rest, sums, losses);
}

#[inline(always)]
fn part_tiles<W: Weight, const TILE: usize>(
    words: Words<'_>,
    spikes: &[u16],
    parts: &Parts,
    mut first: usize,
    sums: &mut [i16],
    losses: &mut Losses<'_>,
) -> usize {
    let Some(last) = words.last::<TILE>() else { return first };
    let (pairs, _) = sums.as_chunks_mut::<2>();
    for tile in pairs.get_mut(first..).unwrap_or(&mut []).as_chunks_mut::<TILE>().0 {
        let mut totals = [[0i32; 2]; TILE];
        let mut start = 0;
        for &end in parts.ends.iter().take(parts.count) {
            let run = spikes.get(start..end).unwrap_or(&[]);
            let sums = add_pairs::<W, TILE>(words, run, first, last, 0);
            for (total, sum) in totals.iter_mut().zip(sums) {
                let [low, high] = halves(sum);
                *total = [total[0].wrapping_add(i32::from(low)), total[1].wrapping_add(i32::from(high))];
            }
            start = end;
        }
        for (unit, (sum, total)) in tile.as_flattened_mut().iter_mut().zip(totals.as_flattened()).enumerate()
        {
            *sum = hold_total(*total, first.wrapping_mul(2).wrapping_add(unit), losses);
        }
        first = first.wrapping_add(TILE);
    }
    first
}

/// The two sums of a word, whose low one is signed and has borrowed from the high one.
#[inline(always)]
fn halves(total: u32) -> [i16; 2] {
    [total as i16, (total.wrapping_add(0x8000) >> 16) as i16]
}

/// Words of four weights that are added up at a time.
const QUADS: usize = if cfg!(target_arch = "arm") { 2 } else { 5 };

/// Sums of weights of 8 bits, of four units a word. 255 unsigned bytes add up in 16 bits.
#[inline(never)]
fn sum_quads<W: Weight>(words: Words<'_>, spikes: &[u16], sums: &mut [[i16; 4]]) {
    let rest = quad_tiles::<W, QUADS>(words, spikes, 0, sums);
    quad_tiles::<W, 1>(words, spikes, rest, sums);
}

#[inline(always)]
fn quad_tiles<W: Weight, const TILE: usize>(
    words: Words<'_>,
    spikes: &[u16],
    mut first: usize,
    sums: &mut [[i16; 4]],
) -> usize {
    const EVEN: u32 = 0x00FF_00FF;
    let bias = (spikes.len() as u16).wrapping_mul(128);
    let Some(last) = words.last::<TILE>() else { return first };
    for tile in sums.get_mut(first..).unwrap_or(&mut []).as_chunks_mut::<TILE>().0 {
        let mut totals = [[0u32; 2]; TILE];
        for &unit in spikes {
            if let Some(column) = words.tile::<TILE>(unit, first, last) {
                for ([even, upper], quad) in totals.iter_mut().zip(column) {
                    let quad = if W::OFFSET { *quad } else { quad ^ 0x8080_8080 };
                    *even = even.wrapping_add(quad & EVEN);
                    *upper = upper.wrapping_add(quad >> 8);
                }
            }
        }
        for (quad, [even, upper]) in tile.iter_mut().zip(totals) {
            // The upper three bytes without the third: cheaper once than with every spike.
            let odd = upper.wrapping_sub(even >> 16 << 8);
            let sums = [even as u16, odd as u16, (even >> 16) as u16, (odd >> 16) as u16];
            *quad = sums.map(|sum| sum.wrapping_sub(bias) as i16);
        }
        first = first.wrapping_add(TILE);
    }
    first
}
