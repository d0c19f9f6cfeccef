//! What updates lose, counted 32 weights at a time while they are made.
//!
//! Counting must not hold up the update: a block of weights costs one comparison, one
//! subtraction and two additions. The counts stay in lanes until they would overflow.

use super::lanes::{Lanes, spill};
use crate::formats::Variable;
use crate::losses::Losses;

/// Losses of the updates of a layer, lane by lane.
pub(super) struct Counted<L: Lanes> {
    /// Changes that rounded to nothing, those without an error among them.
    still: L::Block,
    /// Rounded change − change, in the changes' own steps.
    bias: L::Block,
    /// Blocks that the lanes have room for.
    room: u32,
    /// Bits that a change loses; and the mask of them.
    shift: u32,
    below_one: L::Block,
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
        let idle: usize = errors.iter().map(|&error| usize::from(error == 0)).sum();
        Self {
            still: none,
            bias: none,
            room: Self::room(shift),
            shift,
            below_one: l.splat((1i16 << shift).wrapping_sub(1)),
            columns: 0,
            entries: errors.len() as i64,
            idle: idle as i64,
            totals: (0, 0),
        }
    }

    /// A bias below 2^shift in each block fits into 16 bits so often.
    #[inline(always)]
    fn room(shift: u32) -> u32 {
        1u32 << (15u32.wrapping_sub(shift) & 15)
    }

    /// A column is to be changed.
    #[inline(always)]
    pub(super) fn enter_column(&mut self) {
        self.columns = self.columns.wrapping_add(1);
    }

    /// A block of changes: `rounded` is the change with `noise` added, `step` its upper bits.
    #[inline(always)]
    pub(super) fn add(&mut self, l: L, rounded: L::Block, noise: L::Block, step: L::Block) {
        self.still = l.count_zeros(self.still, step);
        // step·2^shift − change = noise − what the shift cut off.
        self.bias = l.add(self.bias, l.subtract(noise, l.and(rounded, self.below_one)));
        self.room = self.room.wrapping_sub(1);
        if self.room == 0 {
            self.empty(l);
        }
    }

    #[inline(always)]
    fn empty(&mut self, l: L) {
        let (still, bias) = self.totals;
        let sums = (i64::from(l.sum(self.still)), i64::from(l.sum(self.bias)));
        self.totals = (still.wrapping_add(sums.0), bias.wrapping_add(sums.1));
        let none = l.splat(0);
        (self.still, self.bias, self.room) = (none, none, Self::room(self.shift));
    }

    /// Notes everything.
    #[inline(always)]
    pub(super) fn note(mut self, l: L, losses: &mut Losses<'_>, variable: Variable) {
        self.empty(l);
        let (still, bias) = self.totals;
        let meant = self.columns.wrapping_mul(self.entries.wrapping_sub(self.idle));
        let lost = still.wrapping_sub(self.columns.wrapping_mul(self.idle));
        losses.updated(
            variable,
            meant as u64,
            lost as u64,
            bias.wrapping_shl(16u32.wrapping_sub(self.shift)),
        );
    }
}

/// The sum of 32 numbers.
#[inline(always)]
pub(super) fn sum<L: Lanes>(l: L, numbers: L::Block) -> i32 {
    spill(l, numbers).iter().fold(0i32, |sum, &number| sum.wrapping_add(i32::from(number)))
}
