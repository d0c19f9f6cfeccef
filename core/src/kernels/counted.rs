//! What updates lose, counted 32 weights at a time while they are made.
//!
//! Counting must not hold up the update: a block of weights costs one comparison, one
//! subtraction and two additions. The counts stay in lanes until they would overflow.

use super::lanes::Lanes;
use crate::formats::Variable;
use crate::losses::Losses;
use crate::tables::noise::BLOCK;

/// Losses of the updates of a layer, lane by lane.
pub(super) struct Counted<L: Lanes> {
    /// Changes that came to something.
    moved: L::Block,
    /// Rounded change − change, in the changes' own steps.
    bias: L::Block,
    /// Blocks that the lanes have room for.
    room: usize,
    /// Whether a column has more blocks than there ever is room for.
    tight: bool,
    /// Blocks of a column.
    blocks: usize,
    /// Bits that a change loses; and the mask of them.
    shift: u32,
    below_one: L::Block,
    one: L::Block,
    columns: i64,
    /// Entries of a column, and those whose error is zero.
    entries: i64,
    idle: i64,
    totals: (i64, i64),
}

impl<L: Lanes> Counted<L> {
    /// Nothing counted yet of updates with these errors, narrowed by `shift` bits.
    #[inline(always)]
    pub(super) fn new(l: L, shift: u8, errors: &[i16]) -> Self {
        let (none, shift) = (l.splat(0), u32::from(shift) & 15);
        let blocks = errors.len().div_ceil(BLOCK);
        let tight = blocks > Self::room(shift);
        let idle: usize = errors.iter().map(|&error| usize::from(error == 0)).sum();
        Self {
            moved: none,
            bias: none,
            room: Self::room(shift),
            blocks: if tight { 0 } else { blocks },
            tight,
            shift,
            // A compiler that knew it would make a mask of the comparison with it, and take longer.
            one: l.splat(core::hint::black_box(1)),
            below_one: l.splat((1i16 << shift).wrapping_sub(1)),
            columns: 0,
            entries: errors.len() as i64,
            idle: idle as i64,
            totals: (0, 0),
        }
    }

    /// A bias below 2^shift in each block fits into 16 bits so often.
    #[inline(always)]
    fn room(shift: u32) -> usize {
        1usize << (15u32.wrapping_sub(shift) & 15)
    }

    /// A column is to be changed.
    #[inline(always)]
    pub(super) fn enter_column(&mut self, l: L) {
        self.columns = self.columns.wrapping_add(1);
        let blocks = self.blocks;
        if self.room < blocks {
            self.empty(l);
        }
        self.room = self.room.wrapping_sub(blocks);
    }

    /// The counts in lanes, to be kept in registers while a column is changed.
    #[inline(always)]
    pub(super) fn lanes(&self) -> (L::Block, L::Block) {
        (self.moved, self.bias)
    }

    /// The other way round.
    #[inline(always)]
    pub(super) fn put(&mut self, (moved, bias): (L::Block, L::Block)) {
        (self.moved, self.bias) = (moved, bias);
    }

    /// Adds a block of changes to the counts in lanes: `rounded` is the change with `noise`
    /// added, `step` its upper bits.
    #[inline(always)]
    pub(super) fn add(
        &mut self,
        l: L,
        (moved, bias): &mut (L::Block, L::Block),
        rounded: L::Block,
        noise: L::Block,
        step: L::Block,
    ) {
        *moved = l.add(*moved, l.min_unsigned(step, self.one));
        // step·2^shift − change = noise − what the shift cut off.
        *bias = l.add(*bias, l.subtract(noise, l.and(rounded, self.below_one)));
        if self.tight {
            self.put((*moved, *bias));
            self.empty(l);
            (*moved, *bias) = self.lanes();
        }
    }

    #[inline(always)]
    fn empty(&mut self, l: L) {
        let (moved, bias) = self.totals;
        let sums = (i64::from(l.sum(self.moved)), i64::from(l.sum(self.bias)));
        self.totals = (moved.wrapping_add(sums.0), bias.wrapping_add(sums.1));
        let none = l.splat(0);
        (self.moved, self.bias, self.room) = (none, none, Self::room(self.shift));
    }

    /// Notes everything.
    #[inline(always)]
    pub(super) fn note(mut self, l: L, losses: &mut Losses<'_>, variable: Variable) {
        self.empty(l);
        let (moved, bias) = self.totals;
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
