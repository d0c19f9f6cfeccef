//! Who watches a run: is told that something was held within its range, or what sums there were.
//!
//! Counting in a loop that keeps its state in registers would cost it the registers. So a
//! run only looks whether anything was held, and the rare tile where something was is gone
//! through again, slowly and counted.

use super::lanes::Lanes;
use crate::formats::Variable;
use crate::losses::Losses;

/// Who is told.
pub(super) trait Note<L: Lanes> {
    /// Whether anybody wants to know.
    const ASKS: bool;
    /// Whether sums are taken for small, and [`Self::taken`] is told what they are.
    const TRUSTS: bool = false;
    /// Sums of a block were taken for small.
    #[inline(always)]
    fn taken(&mut self, l: L, sums: L::Block) {
        let _ = (l, sums);
    }
    /// A step of a run begins.
    #[inline(always)]
    fn enter_step(&mut self, step: usize) {
        let _ = step;
    }
    /// The chosen lanes of a block, whose first is unit `first`, were beyond their range.
    fn beyond(&mut self, l: L, variable: Variable, lanes: u32, first: usize);
    /// A block was to be `exact` and is `held`; only the lanes of `live` are neurons.
    #[inline(always)]
    fn held(
        &mut self,
        l: L,
        variable: Variable,
        exact: L::Block,
        held: L::Block,
        (live, first): (u32, usize),
    ) {
        if Self::ASKS && l.differ(exact, held) {
            self.beyond(l, variable, l.differing(exact, held) & live, first);
        }
    }
}

/// Nobody.
pub(super) struct Nobody;

impl<L: Lanes> Note<L> for Nobody {
    const ASKS: bool = false;
    #[inline(always)]
    fn beyond(&mut self, _: L, _: Variable, _: u32, _: usize) {}
}

/// Somebody who only wants to know whether there was anything, were it in the padding.
pub(super) struct Look<L: Lanes>(L::Block);

impl<L: Lanes> Look<L> {
    /// Nothing yet.
    #[inline(always)]
    pub(super) fn new(l: L) -> Self {
        Self(l.splat(0))
    }

    /// Whether there was.
    #[inline(always)]
    pub(super) fn found(&self, l: L) -> bool {
        l.differ(self.0, l.splat(0))
    }
}

impl<L: Lanes> Note<L> for Look<L> {
    const ASKS: bool = true;
    #[inline(always)]
    fn beyond(&mut self, l: L, _: Variable, lanes: u32, _: usize) {
        if lanes != 0 {
            self.0 = l.splat(1);
        }
    }
    #[inline(always)]
    fn held(&mut self, l: L, _: Variable, exact: L::Block, held: L::Block, _: (u32, usize)) {
        self.0 = l.differing_or(self.0, exact, held);
    }
}

/// Somebody who takes sums for small, and finds out in the end whether they were: to keep their ends takes half the time of
/// holding each within its range.
pub(super) struct Trust<L: Lanes> {
    least: L::Block,
    most: L::Block,
}

impl<L: Lanes> Trust<L> {
    /// In no sums yet.
    #[inline(always)]
    pub(super) fn new(l: L) -> Self {
        Self { least: l.splat(0), most: l.splat(0) }
    }

    /// The least and the largest of each lane.
    #[inline(always)]
    pub(super) fn ends(&self) -> [L::Block; 2] {
        [self.least, self.most]
    }
}

impl<L: Lanes> Note<L> for Trust<L> {
    const ASKS: bool = false;
    const TRUSTS: bool = true;
    #[inline(always)]
    fn taken(&mut self, l: L, sums: L::Block) {
        self.least = l.min(self.least, sums);
        self.most = l.max(self.most, sums);
    }
    #[inline(always)]
    fn beyond(&mut self, _: L, _: Variable, _: u32, _: usize) {}
}

/// The losses.
pub(super) struct Count<'a, 'b>(pub &'a mut Losses<'b>);

impl<L: Lanes> Note<L> for Count<'_, '_> {
    const ASKS: bool = true;
    #[inline(always)]
    fn enter_step(&mut self, step: usize) {
        self.0.enter_run_step(step);
    }
    #[inline(always)]
    fn beyond(&mut self, _: L, variable: Variable, lanes: u32, first: usize) {
        note_beyond(self.0, variable, lanes, first);
    }
}

/// Counts lanes beyond their range. Out of line, so that a loop that calls it where it never
/// comes keeps its registers.
#[cold]
#[inline(never)]
pub(super) fn note_beyond(losses: &mut Losses<'_>, variable: Variable, beyond: u32, first: usize) {
    if beyond != 0 {
        let index = first.wrapping_add(beyond.trailing_zeros() as usize);
        losses.saturated(variable, beyond.count_ones(), index);
    }
}
