//! The dynamics of 32 neurons: narrowed sums, filters, drive and soma.

use super::lanes::Lanes;
use super::watch::{Count, Nobody, Note};
use crate::formats::{STATE_LIMIT, Variable};
use crate::losses::Losses;
use crate::parameters::{Coefficients, TEACHER};
use crate::tables::noise::BLOCK;

/// From the weights' binary point to the filters', as [`plain`] does it.
pub(super) struct NarrowSum<L: Lanes> {
    pub lanes: L,
    halve: bool,
    shift: u32,
    one: L::Block,
    beyond: (L::Block, L::Block),
    limits: (L::Block, L::Block),
}

impl<L: Lanes> NarrowSum<L> {
    #[inline(always)]
    pub(super) fn new(lanes: L, shift: i8) -> Self {
        let beyond = (1i16 << 14) >> (shift.max(0) & 15);
        Self {
            lanes,
            halve: shift < 0,
            shift: shift.max(0) as u32,
            one: lanes.splat(1),
            beyond: (lanes.splat(beyond.wrapping_neg()), lanes.splat(beyond)),
            limits: (lanes.splat(STATE_LIMIT.wrapping_neg()), lanes.splat(STATE_LIMIT)),
        }
    }

    #[inline(always)]
    pub(super) fn store<const COUNT: bool>(
        &self,
        total: L::Block,
        sums: &mut [i16; 32],
        block: usize,
        losses: &mut Losses<'_>,
    ) {
        let first = block.wrapping_mul(BLOCK);
        let narrowed = match COUNT {
            true => self.narrowed(total, u32::MAX, first, &mut Count(losses)),
            false => self.narrowed(total, u32::MAX, first, &mut Nobody),
        };
        self.lanes.store(narrowed, sums);
    }

    /// Narrows the sums of a block whose weights have one fraction bit more than the filters, as those of
    /// 16 bits have.
    #[inline(always)]
    pub(super) fn halved(&self, total: L::Block) -> L::Block {
        self.lanes.shift_right(self.lanes.add(total, self.one), 1)
    }

    /// Narrows the sums of a block, of which the lanes of `live` are counted, the first being
    /// unit `first`.
    #[inline(always)]
    pub(super) fn narrowed(
        &self,
        total: L::Block,
        live: u32,
        first: usize,
        note: &mut impl Note<L>,
    ) -> L::Block {
        if self.halve {
            return self.halved(total);
        }
        self.raised(total, live, first, note)
    }

    /// Narrows the sums of a block whose weights have fewer fraction bits than the filters.
    #[inline(always)]
    pub(super) fn raised<N: Note<L>>(
        &self,
        total: L::Block,
        live: u32,
        first: usize,
        note: &mut N,
    ) -> L::Block {
        let l = self.lanes;
        if N::TRUSTS {
            note.taken(l, total);
            return l.shift_left(total, self.shift);
        }
        let near = l.max(self.beyond.0, l.min(self.beyond.1, total));
        let shifted = l.shift_left(near, self.shift);
        let held = l.max(self.limits.0, l.min(self.limits.1, shifted));
        // What is beyond the range is shifted to 2¹⁴, which is not held there.
        note.held(l, Variable::Accumulator, shifted, held, (live, first));
        held
    }

    /// Whether [`Self::raised`] need not hold sums between these.
    #[inline(always)]
    pub(super) fn are_small(&self, [least, most]: [L::Block; 2]) -> bool {
        let l = self.lanes;
        l.greater(least, self.beyond.0) & l.greater(self.beyond.1, most) == u32::MAX
    }
}

/// The coefficients of a layer, spread over the lanes.
pub(super) struct Step<L: Lanes> {
    lanes: L,
    fast: L::Block,
    slow: L::Block,
    tail_fast: L::Block,
    tail_slow: L::Block,
    pub(super) basal: L::Block,
    basal_whole: L::Block,
    soma: L::Block,
    limits: (L::Block, L::Block),
}

impl<L: Lanes> Step<L> {
    #[inline(always)]
    pub(super) fn new(lanes: L, layer: &Coefficients) -> Self {
        Self {
            lanes,
            fast: lanes.splat(layer.fast),
            slow: lanes.splat(layer.slow),
            tail_fast: lanes.splat(layer.tail_fast),
            tail_slow: lanes.splat(layer.tail_slow),
            basal: lanes.splat(layer.basal),
            basal_whole: lanes.splat(layer.basal_whole),
            soma: lanes.splat(layer.soma),
            limits: (lanes.splat(STATE_LIMIT.wrapping_neg()), lanes.splat(STATE_LIMIT)),
        }
    }

    /// x + narrow(gain · (target − x)).
    #[inline(always)]
    fn approach(&self, from: L::Block, to: L::Block, gain: L::Block) -> L::Block {
        let l = self.lanes;
        l.add(from, l.product(l.subtract(to, from), gain))
    }

    #[inline(always)]
    fn held(&self, block: L::Block) -> L::Block {
        self.lanes.max(self.limits.0, self.lanes.min(self.limits.1, block))
    }

    /// Both PSP filters, of which the second is returned; `tail` are the sums that a cut kernel forgets now.
    #[inline(always)]
    pub(super) fn filter(
        &self,
        sums: &[i16; 32],
        fast: &mut [i16; 32],
        slow: &mut [i16; 32],
        tail: Option<[i16; 32]>,
    ) -> L::Block {
        let l = self.lanes;
        let tail = tail.map(|tail| l.load(&tail));
        let (x1, x2) = self.filtered(l.load(sums), l.load(fast), l.load(slow), tail);
        l.store(x1, fast);
        l.store(x2, slow);
        x2
    }

    /// The first PSP filter alone, without a tail.
    #[inline(always)]
    pub(super) fn first_filtered(&self, sums: L::Block, fast: L::Block) -> L::Block {
        self.approach(fast, sums, self.fast)
    }

    /// The second, which follows the first.
    #[inline(always)]
    pub(super) fn second_filtered(&self, fast: L::Block, slow: L::Block) -> L::Block {
        self.approach(slow, fast, self.slow)
    }

    /// Both in registers.
    #[inline(always)]
    pub(super) fn filtered(
        &self,
        sums: L::Block,
        fast: L::Block,
        slow: L::Block,
        tail: Option<L::Block>,
    ) -> (L::Block, L::Block) {
        let l = self.lanes;
        let mut x1 = self.approach(fast, sums, self.fast);
        if let Some(tail) = tail {
            x1 = self.held(l.subtract(x1, l.product(tail, self.tail_fast)));
        }
        let mut x2 = self.approach(slow, x1, self.slow);
        if let Some(tail) = tail {
            x2 = self.held(l.subtract(x2, l.product(tail, self.tail_slow)));
        }
        (x1, x2)
    }

    /// Basal drive and soma.
    #[inline(always)]
    pub(super) fn integrate<const COUNT: bool>(
        &self,
        x2: L::Block,
        bias: &[i16; 32],
        soma: &mut [i16; 32],
        pull: Option<L::Block>,
        block: usize,
        losses: &mut Losses<'_>,
    ) {
        let l = self.lanes;
        let first = block.wrapping_mul(BLOCK);
        let (bias, old) = (l.load(bias), l.load(soma));
        let potential = match COUNT {
            true => self.moved(x2, bias, old, pull, (u32::MAX, first), &mut Count(losses)),
            false => self.moved(x2, bias, old, pull, (u32::MAX, first), &mut Nobody),
        };
        l.store(potential, soma);
    }

    /// The same in registers; `lanes` says which are neurons, and which unit the first is.
    #[inline(always)]
    pub(super) fn moved(
        &self,
        x2: L::Block,
        bias: L::Block,
        old: L::Block,
        pull: Option<L::Block>,
        lanes: (u32, usize),
        note: &mut impl Note<L>,
    ) -> L::Block {
        let l = self.lanes;
        let drive = l.add(l.product(x2, self.basal), l.and(x2, self.basal_whole));
        self.moved_by(drive, bias, old, pull, lanes, note)
    }

    /// The soma after a step in which its basal drive was this.
    #[inline(always)]
    pub(super) fn followed(&self, basal: L::Block, old: L::Block) -> L::Block {
        self.approach(old, basal, self.soma)
    }

    /// The same from narrow(k_B · gain · x₂).
    #[inline(always)]
    pub(super) fn moved_by(
        &self,
        drive: L::Block,
        bias: L::Block,
        old: L::Block,
        pull: Option<L::Block>,
        lanes: (u32, usize),
        note: &mut impl Note<L>,
    ) -> L::Block {
        let l = self.lanes;
        let exact = l.add_held(drive, bias);
        let basal = self.held(exact);
        note.held(l, Variable::Basal, exact, basal, lanes);
        match pull {
            None => self.followed(basal, old),
            Some(pull) => {
                let moved = l.product(l.subtract(basal, old), self.soma);
                let exact = l.add_held(pull, moved);
                let potential = self.held(exact);
                note.held(l, Variable::Soma, exact, potential, lanes);
                potential
            }
        }
    }
}

/// What the teaching current pulls the units of a block to, the label being unit `label`.
#[inline(always)]
pub(super) fn pulls(label: usize) -> [i16; 32] {
    let mut pulls = [-(TEACHER << 8); 32];
    if let Some(pull) = pulls.get_mut(label) {
        *pull = TEACHER << 8;
    }
    pulls
}

#[inline(always)]
pub(super) fn mask(units: usize) -> u32 {
    if units >= BLOCK { u32::MAX } else { (1u32 << (units & 31)).wrapping_sub(1) }
}
