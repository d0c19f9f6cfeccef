//! Sums of columns a tile at a time: 16 bits as long as they hold them, in as many parts as it takes.
//!
//! Weights grow for as long as a network learns, and with them what the spikes of a step may add up
//! to at most, though the sums themselves seldom come near it. In 32 bits an addition takes twice the
//! time and more; so each part is so short that it is exact whatever its weights are, and what the
//! parts say about the whole tells whether that is.

use super::SAFE_SUM;
use super::lanes::Lanes;
use super::neurons::NarrowSum;
use super::vector::Vector;
use super::watch::Note;
use crate::arithmetic::{Columns, Run};
use crate::formats::{ACCUMULATOR_LIMIT, Variable};
use crate::losses::Losses;
use crate::native::Weight;
use crate::tables::noise::BLOCK;

/// What the sums of a run need: the most that any of its steps does.
#[derive(Clone, Copy)]
pub(crate) enum Width {
    /// 16 bits.
    Narrow,
    /// 16 bits for each of up to [`MOST_PARTS`] parts of so many spikes.
    Parted(usize),
    /// 32 bits.
    Wide,
    /// They are known already.
    Known,
}

/// The width of a run: as many spikes as certainly add up in 16 bits, whichever they are, make a part.
///
/// The bounds of each step's own spikes would make for fewer parts, but take longer to add up than
/// the parts they save.
#[inline(always)]
pub(crate) fn width_of<W: Weight>(bounds: &[u16], run: &Run<'_>) -> Width {
    let part = match W::EXACT_SPIKES {
        0 => {
            let largest = bounds.iter().copied().max().unwrap_or(u16::MAX);
            SAFE_SUM.checked_div(u64::from(largest)).unwrap_or(SAFE_SUM) as usize
        }
        spikes => spikes,
    };
    let steps = run.presynaptic.steps_from(run.first).take(run.steps);
    let most = steps.map(<[u16]>::len).max().unwrap_or(0);
    match part.saturating_mul(MOST_PARTS) {
        _ if most <= part => Width::Narrow,
        parts if most <= parts => Width::Parted(part),
        _ => Width::Wide,
    }
}

/// Calls `f` for each block of a tile; in one line after another, so that what belongs to a
/// block stays in registers of its own.
#[inline(always)]
pub(crate) fn each<const TILE: usize>(mut f: impl FnMut(usize)) {
    f(0);
    if TILE > 1 {
        f(1);
    }
    if TILE > 2 {
        f(2);
        f(3);
    }
    const { assert!(TILE == 1 || TILE == 2 || TILE == 4) };
}

/// The part of a matrix that belongs to a tile: its blocks stand at the head of every
/// `stride` of `weights`.
#[derive(Clone, Copy)]
pub(crate) struct TileOf<'a, W, const TILE: usize> {
    weights: &'a [W],
    stride: u32,
}

impl<'a, W, const TILE: usize> TileOf<'a, W, TILE> {
    #[inline(always)]
    pub(crate) fn new(columns: Columns<'a, W>, first: usize) -> Self {
        let weights = columns.weights.get(first.wrapping_mul(BLOCK)..).unwrap_or(&[]);
        Self { weights, stride: columns.stride as u32 }
    }

    /// The blocks of a column.
    #[inline(always)]
    fn column(&self, unit: u16) -> Option<&'a [[W; BLOCK]; TILE]> {
        // A product of 48 bits: no end wraps, and one comparison is all that is left to check.
        let at = usize::from(unit).wrapping_mul(self.stride as usize);
        let column = self.weights.get(at..at.wrapping_add(const { TILE * BLOCK }))?;
        column.as_chunks::<BLOCK>().0.first_chunk()
    }
}

/// Σ of the columns that spiked, where it certainly fits.
#[inline(always)]
pub(crate) fn add_some<L: Lanes, W: Weight, const TILE: usize>(
    l: L,
    columns: TileOf<'_, W, TILE>,
    spikes: &[u16],
    totals: &mut [L::Block; TILE],
) {
    if W::IN_PAIRS && TILE > 1 {
        return add_pairs(l, columns, spikes, totals);
    }
    for &unit in spikes {
        if let Some(column) = columns.column(unit) {
            each::<TILE>(
                #[inline(always)]
                |block| {
                    if let (Some(total), Some(weights)) = (totals.get_mut(block), column.get(block)) {
                        *total = l.add(*total, W::load(l, weights));
                    }
                },
            );
        }
    }
}

/// The same of weights of 8 bits, two columns at once.
#[inline(always)]
fn add_pairs<L: Lanes, W: Weight, const TILE: usize>(
    l: L,
    columns: TileOf<'_, W, TILE>,
    spikes: &[u16],
    totals: &mut [L::Block; TILE],
) {
    let (totals, _) = totals.as_chunks_mut::<2>();
    let (pairs, last) = spikes.as_chunks::<2>();
    let nothing = [W::default(); 64];
    for &[one, other] in pairs {
        if let (Some(one), Some(other)) = (columns.column(one), columns.column(other)) {
            let (one, other) =
                (one.as_flattened().as_chunks::<64>().0, other.as_flattened().as_chunks::<64>().0);
            for ((totals, one), other) in totals.iter_mut().zip(one).zip(other) {
                *totals = W::add_pair(l, *totals, one, other);
            }
        }
    }
    if let [one] = last
        && let Some(one) = columns.column(*one)
    {
        for (totals, one) in totals.iter_mut().zip(one.as_flattened().as_chunks::<64>().0) {
            *totals = W::add_pair(l, *totals, one, &nothing);
        }
    }
    for totals in totals {
        *totals = l.in_order(*totals);
    }
}

/// Parts that the spikes of a step are taken in at most.
const MOST_PARTS: usize = 31;

/// The same where each `part` of the spikes certainly fits; false where their sum may not.
///
/// Sums modulo 2¹⁶ are right if the whole is within 16 bits, which its parts say: each tells
/// how many times 32 it is, and what that leaves out are less than 32 for each part.
#[inline(always)]
pub(super) fn add_parts<L: Lanes, W: Weight, const TILE: usize>(
    l: L,
    columns: TileOf<'_, W, TILE>,
    spikes: &[u16],
    part: usize,
    totals: &mut [L::Block; TILE],
    first: usize,
    note: &mut impl Note<L>,
) -> bool {
    if spikes.len() <= part {
        add_some(l, columns, spikes, totals);
        return true;
    }
    let (one, others) = spikes.split_at_checked(part).unwrap_or((spikes, &[]));
    let (two, others) = others.split_at_checked(part).unwrap_or((others, &[]));
    add_some(l, columns, one, totals);
    let mut sums = [l.splat(0); TILE];
    add_some(l, columns, two, &mut sums);
    if others.is_empty() {
        let limit = ACCUMULATOR_LIMIT as i16;
        let (low, high) = (l.splat(limit.wrapping_neg()), l.splat(limit));
        each::<TILE>(
            #[inline(always)]
            |block| {
                let (Some(total), Some(&other)) = (totals.get_mut(block), sums.get(block)) else { return };
                let sum = l.add_held(*total, other);
                *total = l.max(low, l.min(high, sum));
                let unit = first.wrapping_add(block).wrapping_mul(BLOCK);
                note.held(l, Variable::Accumulator, sum, *total, (u32::MAX, unit));
            },
        );
        return true;
    }
    let mut highs = totals.map(
        #[inline(always)]
        |sum| l.shift_right(sum, 5),
    );
    let mut add = |sums: [L::Block; TILE]| {
        each::<TILE>(
            #[inline(always)]
            |block| {
                let (Some(total), Some(high), Some(&sum)) =
                    (totals.get_mut(block), highs.get_mut(block), sums.get(block))
                else {
                    return;
                };
                *total = l.add(*total, sum);
                *high = l.add(*high, l.shift_right(sum, 5));
            },
        );
    };
    add(sums);
    for spikes in others.chunks(part.max(1)) {
        let mut sums = [l.splat(0); TILE];
        add_some(l, columns, spikes, &mut sums);
        add(sums);
    }
    let mut highest = l.splat(0);
    for high in highs {
        highest = l.max(highest, l.magnitude(high));
    }
    const { assert!((MOST_HIGH as usize + MOST_PARTS) * 32 <= ACCUMULATOR_LIMIT as usize) };
    l.greater(highest, l.splat(MOST_HIGH)) == 0
}

/// How many times 32 a sum is at most that is certainly within 16 bits.
const MOST_HIGH: i16 = 990;

impl<L: Lanes> Vector<L> {
    /// Sums in 32 bits of the block whose first is unit `unit`, held within
    /// ±[`ACCUMULATOR_LIMIT`].
    #[inline(always)]
    pub(super) fn sum_block<W: Weight, N: Note<L>>(
        &self,
        columns: Columns<'_, W>,
        spikes: &[u16],
        unit: usize,
        note: &mut N,
    ) -> L::Block {
        let l = self.0;
        let half = |unit| match unit {
            beyond if beyond >= columns.units => l.no_totals(),
            unit => self.sum_widely(columns, spikes, unit),
        };
        self.held_sums([half(unit), half(unit.wrapping_add(16))], unit, note)
    }

    /// 32 sums from unit `unit` on, held within ±[`ACCUMULATOR_LIMIT`].
    #[inline(always)]
    pub(super) fn held_sums<N: Note<L>>(
        &self,
        [low, high]: [L::Totals; 2],
        unit: usize,
        note: &mut N,
    ) -> L::Block {
        let l = self.0;
        if N::ASKS {
            let beyond = l.beyond(low, ACCUMULATOR_LIMIT) | l.beyond(high, ACCUMULATOR_LIMIT) << 16;
            if beyond != 0 {
                note.beyond(l, Variable::Accumulator, beyond, unit);
            }
        }
        l.held_totals([low, high], ACCUMULATOR_LIMIT)
    }

    /// Sums in 32 bits of 16 units from `first`.
    #[inline(always)]
    fn sum_widely<W: Weight>(&self, columns: Columns<'_, W>, spikes: &[u16], first: usize) -> L::Totals {
        let mut totals = self.0.no_totals();
        let weights = columns.weights.as_chunks::<16>().0.get(first / 16..).unwrap_or(&[]);
        let stride = columns.stride / 16;
        for &unit in spikes {
            if let Some(column) = weights.get(usize::from(unit).wrapping_mul(stride)) {
                totals = W::add_totals(self.0, totals, column);
            }
        }
        totals
    }
}

/// Adds columns of `TILE` blocks in registers as long as whole tiles are left; returns
/// the first block not done.
#[inline(always)]
pub(super) fn sum_tiles<L: Lanes, W: Weight, const TILE: usize, const COUNT: bool>(
    narrow: &NarrowSum<L>,
    columns: Columns<'_, W>,
    spikes: &[u16],
    first: usize,
    sums: &mut [i16],
    losses: &mut Losses<'_>,
) -> usize {
    let l = narrow.lanes;
    let mut block = first;
    let blocks = sums.as_chunks_mut::<32>().0;
    for tile in blocks.get_mut(first..).unwrap_or(&mut []).as_chunks_mut::<TILE>().0 {
        let mut totals = [l.splat(0); TILE];
        let at = block.wrapping_mul(BLOCK);
        for &unit in spikes {
            let start = usize::from(unit).wrapping_mul(columns.stride).wrapping_add(at);
            let column = columns.weights.get(start..).unwrap_or(&[]);
            if let Some(column) = column.as_chunks::<32>().0.first_chunk::<TILE>() {
                for (total, weights) in totals.iter_mut().zip(column) {
                    *total = l.add(*total, W::load(l, weights));
                }
            }
        }
        for (sums, total) in tile.iter_mut().zip(totals) {
            narrow.store::<COUNT>(total, sums, block, losses);
            block = block.wrapping_add(1);
        }
    }
    block
}
