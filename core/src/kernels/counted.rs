//! What updates lose, counted 32 weights at a time while they are made.
//!
//! Counting must not hold up the update: a block of weights costs one comparison, one
//! subtraction, one mask and two additions, all in registers. The counts stay in lanes of 16
//! bits until these might overflow, then in lanes of 32, which the weights of a layer cannot.

use super::lanes::Lanes;
use crate::formats::Variable;
use crate::losses::Losses;
use crate::tables::noise::BLOCK;

/// Losses of the updates of a layer.
pub(super) struct Counted<L: Lanes> {
    /// The latest counts, and the blocks they have room for.
    latest: Counts<L>,
    room: usize,
    /// The earlier ones.
    moved: L::Totals,
    bias: L::Totals,
    /// Bits that a change loses; and the mask of them.
    shift: u32,
    below_one: L::Block,
    one: L::Block,
    columns: i64,
    /// Entries of a column, and those whose error is zero.
    entries: i64,
    idle: i64,
}

/// Counts in lanes of 16 bits.
#[derive(Clone, Copy)]
pub(super) struct Counts<L: Lanes> {
    /// Changes that came to something.
    moved: L::Block,
    /// Rounded change − change, in the changes' own steps.
    bias: L::Block,
}

/// Weights of a layer whose counts surely fit: 2¹⁵ pairs of counts below 2¹⁵ each, of at least
/// 8 blocks of 32 weights.
pub(super) const MOST_WEIGHTS: usize = 1 << 23;

impl<L: Lanes> Counted<L> {
    /// Nothing counted yet of updates with these errors, narrowed by `shift` bits.
    #[inline(always)]
    pub(super) fn new(l: L, shift: u8, errors: &[i16]) -> Self {
        let shift = u32::from(shift) & 15;
        let idle: usize = errors.iter().map(|&error| usize::from(error == 0)).sum();
        Self {
            latest: Counts { moved: l.splat(0), bias: l.splat(0) },
            room: Self::most(shift),
            moved: l.no_totals(),
            bias: l.no_totals(),
            shift,
            // A compiler that knew it would make a mask of the comparison with it, and take longer.
            one: l.splat(core::hint::black_box(1)),
            below_one: l.splat((1i16 << shift).wrapping_sub(1)),
            columns: 0,
            entries: errors.len() as i64,
            idle: idle as i64,
        }
    }

    /// A bias below 2^shift in each block fits into 16 bits so often.
    #[inline(always)]
    const fn most(shift: u32) -> usize {
        1 << (15u32.wrapping_sub(shift) & 15)
    }

    /// Weights whose changes the counts surely have room for.
    #[inline(always)]
    pub(super) fn stretch(&self) -> usize {
        Self::most(self.shift).wrapping_mul(BLOCK)
    }

    /// A column is to be changed.
    #[inline(always)]
    pub(super) fn enter_column(&mut self) {
        self.columns = self.columns.wrapping_add(1);
    }

    /// The counts with room for no more than a stretch of weights, to be kept in registers.
    #[inline(always)]
    pub(super) fn counts(&mut self, l: L, weights: usize) -> Counts<L> {
        let blocks = weights / BLOCK;
        if self.room < blocks {
            self.moved = l.add_neighbours(self.moved, self.latest.moved);
            self.bias = l.add_neighbours(self.bias, self.latest.bias);
            self.latest = Counts { moved: l.splat(0), bias: l.splat(0) };
            self.room = Self::most(self.shift);
        }
        self.room = self.room.wrapping_sub(blocks);
        self.latest
    }

    /// The other way round.
    #[inline(always)]
    pub(super) fn put(&mut self, counts: Counts<L>) {
        self.latest = counts;
    }

    /// Adds a block of changes: `rounded` is the change with `noise` added, `step` its upper
    /// bits.
    #[inline(always)]
    pub(super) fn add(
        &self,
        l: L,
        counts: &mut Counts<L>,
        rounded: L::Block,
        noise: L::Block,
        step: L::Block,
    ) {
        counts.moved = l.add(counts.moved, l.min_unsigned(step, self.one));
        // step·2^shift − change = noise − what the shift cut off.
        counts.bias = l.add(counts.bias, l.subtract(noise, l.and(rounded, self.below_one)));
    }

    /// Notes everything.
    #[inline(always)]
    pub(super) fn note(mut self, l: L, losses: &mut Losses<'_>, variable: Variable) {
        self.room = 0;
        self.counts(l, BLOCK);
        let [moved, bias] = [self.moved, self.bias].map(
            #[inline(always)]
            |totals| {
                let mut sums = [0; 16];
                l.store_totals(totals, &mut sums);
                sums.into_iter().map(i64::from).fold(0, i64::wrapping_add)
            },
        );
        let meant = self.columns.wrapping_mul(self.entries.wrapping_sub(self.idle));
        let lost = meant.wrapping_sub(moved);
        losses.updated(
            variable,
            meant as u64,
            lost as u64,
            bias.wrapping_shl(16u32.wrapping_sub(self.shift)),
        );
    }
}
