//! A layer through all steps of a run, 64 neurons at a time.
//!
//! What a layer is fed with does not depend on what it does (there is no conductance from
//! the apical dendrite to the soma), so a run may be worked off layer by layer instead of
//! step by step, and within a layer a few blocks of neurons at a time: their filters and
//! potentials stay in registers, and the part of the weights that belongs to them in the
//! first-level cache. The bits are those of the way step by step.

use super::lanes::{Lanes, NarrowSum, Step, Vector, mask, note_lanes, pulls};
use super::plain;
use crate::arithmetic::{Columns, Neurons, Run, Scratch};
use crate::formats::{ACCUMULATOR_LIMIT, Variable};
use crate::losses::Losses;
use crate::native::Weight;
use crate::parameters::Coefficients;
use crate::random::{Generator, Offsets};
use crate::tables::noise::{BLOCK, SINGLE_ABOVE, SINGLE_WITHIN, count, thresholds};
use crate::tables::psp::TAPS;
use crate::tables::sigmoid::sigmoid;
use crate::trains::Trains;

/// Blocks that are worked off together.
const TILE: usize = 2;

/// A step whose columns must be added up in 32 bits.
const WIDELY: u16 = u16::MAX;

impl<L: Lanes> Vector<L> {
    /// See [`Kernels::run`](super::Kernels::run).
    #[inline(always)]
    #[allow(clippy::too_many_arguments)] // those of `Kernels::run`
    pub(super) fn run_layer<W: Weight, const COUNT: bool>(
        &self,
        layer: &Coefficients,
        columns: Columns<'_, W>,
        mut neurons: Neurons<'_, i16, i32>,
        run: &Run<'_>,
        draws: &mut Generator,
        trains: &mut Trains<'_>,
        scratch: &mut Scratch<'_>,
        losses: &mut Losses<'_>,
    ) -> bool {
        let blocks = neurons.units.div_ceil(BLOCK);
        let words = blocks.wrapping_mul(run.steps);
        let whole = neurons.soma.len().min(neurons.psp.len()) >= blocks.wrapping_mul(BLOCK);
        if !whole || !scratch.holds(words, run.steps) {
            return false;
        }
        draw_places(draws, run.steps, blocks, scratch.places);
        split_spikes::<W>(columns.bounds, run, scratch.splits);
        for masks in [&mut *scratch.twice, &mut *scratch.thrice] {
            masks.get_mut(..words).unwrap_or(&mut []).fill(0);
        }
        let tiles = Tiles::<L, W> { lanes: self.0, layer, columns, run, blocks };
        let mut first = 0usize;
        while first.wrapping_add(TILE) <= blocks {
            tiles.work::<TILE, COUNT>(first, &mut neurons, scratch, losses);
            first = first.wrapping_add(TILE);
        }
        while first < blocks {
            tiles.work::<1, COUNT>(first, &mut neurons, scratch, losses);
            first = first.wrapping_add(1);
        }
        take_down(run.steps, blocks, scratch, trains);
        true
    }

    /// See [`Kernels::fire_run`](super::Kernels::fire_run).
    #[inline(always)]
    pub(super) fn fire_all(
        &self,
        potentials: &[i16],
        names: &[u16],
        run: &Run<'_>,
        draws: &mut Generator,
        trains: &mut Trains<'_>,
        scratch: &mut Scratch<'_>,
    ) -> bool {
        let potentials = potentials.as_chunks::<BLOCK>().0;
        let blocks = potentials.len();
        let words = blocks.wrapping_mul(run.steps);
        if !scratch.holds(words, run.steps) || scratch.psp.len() < blocks.wrapping_mul(BLOCK) {
            return false;
        }
        draw_places(draws, run.steps, blocks, scratch.places);
        for masks in [&mut *scratch.twice, &mut *scratch.thrice] {
            masks.get_mut(..words).unwrap_or(&mut []).fill(0);
        }
        let l = self.0;
        let decision = Decision::new(l);
        for (block, potentials) in potentials.iter().enumerate() {
            let lanes = l.load(potentials);
            let mut psp = l.splat(0);
            for step in 0..run.steps {
                let word = step.wrapping_mul(blocks).wrapping_add(block);
                let fired = decision.fire(lanes, word, u32::MAX, scratch);
                if let Some(&share) = run.shares.get(step) {
                    psp = decision.credit(psp, fired, word, share, scratch);
                }
            }
            if let Some(to) = scratch.psp.as_chunks_mut::<BLOCK>().0.get_mut(block) {
                l.store_unsigned(psp, to);
            }
        }
        let first = trains.steps();
        take_down(run.steps, blocks, scratch, trains);
        trains.rename(first, names);
        true
    }
}

/// Offsets into the noise for all steps and blocks, in the order of the steps.
#[inline(always)]
fn draw_places(draws: &mut Generator, steps: usize, blocks: usize, places: &mut [u16]) {
    for places in places.chunks_exact_mut(blocks.max(1)).take(steps) {
        let mut offsets = Offsets::new(draws);
        places.iter_mut().for_each(|place| *place = offsets.draw());
    }
}

/// For each step how many of its spikes have columns that certainly add up in 16 bits; the
/// others must do so among themselves.
#[inline(always)]
fn split_spikes<W: Weight>(bounds: &[u16], run: &Run<'_>, splits: &mut [u16]) {
    for (split, step) in splits.iter_mut().zip(run.first..run.first.wrapping_add(run.steps)) {
        let spikes = run.presynaptic.step(step);
        *split = spikes.len() as u16;
        if spikes.len() <= W::EXACT_SPIKES {
            continue;
        }
        let bound = |&unit: &u16| i32::from(bounds.get(usize::from(unit)).copied().unwrap_or(u16::MAX));
        let sum = |spikes: &[u16]| spikes.iter().map(bound).fold(0i32, i32::wrapping_add);
        if sum(spikes) > ACCUMULATOR_LIMIT {
            *split = halves(spikes, sum);
        }
    }
}

#[cold]
#[inline(never)]
fn halves(spikes: &[u16], sum: impl Fn(&[u16]) -> i32) -> u16 {
    let (first, second) = spikes.split_at(spikes.len() / 2);
    let fits = |part| sum(part) <= ACCUMULATOR_LIMIT;
    if fits(first) && fits(second) { first.len() as u16 } else { WIDELY }
}

/// From masks to lists.
#[inline(always)]
fn take_down(steps: usize, blocks: usize, scratch: &Scratch<'_>, trains: &mut Trains<'_>) {
    let blocks = blocks.max(1);
    let fired = scratch.fired.chunks_exact(blocks);
    let more = scratch.twice.chunks_exact(blocks).zip(scratch.thrice.chunks_exact(blocks));
    for (fired, (twice, thrice)) in fired.zip(more).take(steps) {
        trains.push_words(fired, [twice, thrice]);
    }
}

/// Who fires, by comparison with the noise.
#[derive(Clone, Copy)]
struct Decision<L: Lanes> {
    lanes: L,
    low: L::Block,
    gap: L::Block,
}

impl<L: Lanes> Decision<L> {
    #[inline(always)]
    fn new(lanes: L) -> Self {
        let (low, gap) = (SINGLE_ABOVE.wrapping_add(1), SINGLE_WITHIN);
        Self { lanes, low: lanes.splat(low), gap: lanes.splat(gap) }
    }

    /// Writes down who of a block fired, among the lanes of `live`.
    #[inline(always)]
    fn fire(&self, potentials: L::Block, word: usize, live: u32, scratch: &mut Scratch<'_>) -> L::Mask {
        let l = self.lanes;
        let place = scratch.places.get(word).copied().unwrap_or(0);
        let noise = l.load(thresholds(place));
        let fired = l.exceeding(potentials, noise);
        let bits = l.bits(fired) & live;
        if let Some(to) = scratch.fired.get_mut(word) {
            *to = bits;
        }
        let doubtful = l.greater(self.low, noise) & l.greater(potentials, l.add_held(noise, self.gap));
        if doubtful & bits != 0 {
            self.fire_more(potentials, word, place, doubtful & bits, scratch);
        }
        fired
    }

    /// A second and a third spike.
    #[inline(never)]
    fn fire_more(
        &self,
        potentials: L::Block,
        word: usize,
        place: u16,
        mut doubtful: u32,
        scratch: &mut Scratch<'_>,
    ) {
        let mut numbers = [0; BLOCK];
        self.lanes.store(potentials, &mut numbers);
        let noise = thresholds(place);
        let (mut twice, mut thrice) = (0, 0);
        while doubtful != 0 {
            let lane = doubtful.trailing_zeros() as usize;
            let bit = doubtful & doubtful.wrapping_neg();
            doubtful ^= bit;
            if let (Some(&potential), Some(&threshold)) = (numbers.get(lane), noise.get(lane)) {
                let spikes = count(potential, threshold);
                twice |= if spikes > 1 { bit } else { 0 };
                thrice |= if spikes > 2 { bit } else { 0 };
            }
        }
        if let (Some(two), Some(three)) = (scratch.twice.get_mut(word), scratch.thrice.get_mut(word)) {
            (*two, *three) = (twice, thrice);
        }
    }

    /// Credits the spikes of a step with their share of the window.
    #[inline(always)]
    fn credit(
        &self,
        psp: L::Block,
        fired: L::Mask,
        word: usize,
        share: u16,
        scratch: &Scratch<'_>,
    ) -> L::Block {
        let l = self.lanes;
        let share = l.splat(share as i16);
        let mut psp = l.add_where(psp, fired, share);
        let twice = scratch.twice.get(word).copied().unwrap_or(0);
        if twice != 0 {
            psp = l.add_where(psp, l.mask(twice), share);
            let thrice = scratch.thrice.get(word).copied().unwrap_or(0);
            psp = l.add_where(psp, l.mask(thrice), share);
        }
        psp
    }
}

/// What all tiles of a layer share.
struct Tiles<'a, L: Lanes, W> {
    lanes: L,
    layer: &'a Coefficients,
    columns: Columns<'a, W>,
    run: &'a Run<'a>,
    blocks: usize,
}

impl<L: Lanes, W: Weight> Tiles<'_, L, W> {
    /// All steps of the `TILE` blocks from `first` on.
    #[inline(always)]
    fn work<const TILE: usize, const COUNT: bool>(
        &self,
        first: usize,
        neurons: &mut Neurons<'_, i16, i32>,
        scratch: &mut Scratch<'_>,
        losses: &mut Losses<'_>,
    ) {
        let taught = self.run.label.is_some();
        match (neurons.history.is_empty(), taught) {
            (true, false) => self.steps::<TILE, false, false, COUNT>(first, neurons, scratch, losses),
            (true, true) => self.steps::<TILE, false, true, COUNT>(first, neurons, scratch, losses),
            (false, false) => self.steps::<TILE, true, false, COUNT>(first, neurons, scratch, losses),
            (false, true) => self.steps::<TILE, true, true, COUNT>(first, neurons, scratch, losses),
        }
    }

    #[inline(always)]
    fn steps<const TILE: usize, const CUT: bool, const TAUGHT: bool, const COUNT: bool>(
        &self,
        first: usize,
        neurons: &mut Neurons<'_, i16, i32>,
        scratch: &mut Scratch<'_>,
        losses: &mut Losses<'_>,
    ) {
        let (l, run) = (self.lanes, self.run);
        let narrow = NarrowSum::new(l, self.layer.sum_shift);
        let step_of = Step::new(l, self.layer);
        let decision = Decision::new(l);
        let (Some(fast), Some(slow), Some(soma), Some(bias), Some(psp)) = (
            tile_mut::<TILE, _>(neurons.fast, first),
            tile_mut::<TILE, _>(neurons.slow, first),
            tile_mut::<TILE, _>(neurons.soma, first),
            neurons.bias.as_chunks::<BLOCK>().0.get(first..).and_then(|b| b.first_chunk::<TILE>()),
            tile_mut::<TILE, _>(neurons.psp, first),
        ) else {
            return;
        };
        let mut x1 = fast.map(|block| l.load(&block));
        let mut x2 = slow.map(|block| l.load(&block));
        let mut potential = soma.map(|block| l.load(&block));
        let bias = bias.map(|block| l.load(&block));
        let mut credit = psp.map(|block| l.load_unsigned(&block));
        let mut pull = bias;
        let mut live = [0u32; TILE];
        for (block, (pull, live)) in pull.iter_mut().zip(&mut live).enumerate() {
            let unit = first.wrapping_add(block).wrapping_mul(BLOCK);
            *pull = l.load(&pulls(run.label.unwrap_or(usize::MAX).wrapping_sub(unit)));
            *live = mask(neurons.units.saturating_sub(unit));
        }
        let mut oldest = neurons.oldest;
        for step in 0..run.steps {
            if COUNT {
                losses.enter_run_step(step);
            }
            let spikes = run.presynaptic.step(run.first.wrapping_add(step));
            let split = scratch.splits.get(step).copied().unwrap_or(WIDELY);
            let totals = self.add::<TILE, COUNT>(spikes, split, first, losses);
            let word = step.wrapping_mul(self.blocks).wrapping_add(first);
            for block in 0..TILE {
                let (Some(x1), Some(x2), Some(c), Some(&total), Some(&bias), Some(&pull), Some(&live)) = (
                    x1.get_mut(block),
                    x2.get_mut(block),
                    potential.get_mut(block),
                    totals.get(block),
                    bias.get(block),
                    pull.get(block),
                    live.get(block),
                ) else {
                    continue;
                };
                let at = first.wrapping_add(block);
                let unit = at.wrapping_mul(BLOCK);
                let sum = narrow.narrowed::<COUNT>(total, live, at, losses);
                let tail = if CUT { exchange(l, neurons.history, oldest, at, sum) } else { None };
                (*x1, *x2) = step_of.filtered(sum, *x1, *x2, tail);
                let pull = if TAUGHT { Some(pull) } else { None };
                *c = step_of.moved::<COUNT>(*x2, bias, *c, pull, live, unit, losses);
                let word = word.wrapping_add(block);
                let fired = decision.fire(*c, word, live, scratch);
                if let (Some(&share), Some(credit)) = (run.shares.get(step), credit.get_mut(block)) {
                    *credit = decision.credit(*credit, fired, word, share, scratch);
                }
            }
            if run.window.contains(&step) {
                for (block, &c) in potential.iter().enumerate() {
                    let at = first.wrapping_add(block).wrapping_mul(BLOCK);
                    let mut numbers = [0; BLOCK];
                    l.store(c, &mut numbers);
                    let sums = neurons.soma_sums.get_mut(at..).unwrap_or(&mut []);
                    if TAUGHT {
                        let units = neurons.units.saturating_sub(at);
                        for (sum, &c) in sums.iter_mut().zip(&numbers).take(units) {
                            *sum = sum.wrapping_add(i32::from(sigmoid(c)));
                        }
                    } else if let Some(sums) = sums.first_chunk_mut::<BLOCK>() {
                        plain::accumulate(&numbers, sums);
                    }
                }
            }
            if CUT {
                let next = oldest.wrapping_add(1);
                oldest = if next >= TAPS { 0 } else { next };
            }
        }
        let states = fast.iter_mut().zip(slow).zip(soma).zip(psp).zip(x1.iter().zip(&x2));
        for (((((fast, slow), soma), psp), (&x1, &x2)), (&c, &credit)) in
            states.zip(potential.iter().zip(&credit))
        {
            l.store(x1, fast);
            l.store(x2, slow);
            l.store(c, soma);
            l.store_unsigned(credit, psp);
        }
    }

    /// Σ of the columns that spiked, held within ±[`ACCUMULATOR_LIMIT`].
    #[inline(always)]
    fn add<const TILE: usize, const COUNT: bool>(
        &self,
        spikes: &[u16],
        split: u16,
        first: usize,
        losses: &mut Losses<'_>,
    ) -> [L::Block; TILE] {
        if usize::from(split) == spikes.len() {
            return self.add_some(spikes, first);
        }
        self.add_many::<TILE, COUNT>(spikes, split, first, losses)
    }

    #[inline(always)]
    fn add_some<const TILE: usize>(&self, spikes: &[u16], first: usize) -> [L::Block; TILE] {
        let l = self.lanes;
        let mut totals = [l.splat(0); TILE];
        let weights = self.columns.weights.as_chunks::<BLOCK>().0;
        let stride = self.columns.stride / BLOCK;
        let weights = weights.get(first..).unwrap_or(&[]);
        let Some(last) = weights.len().checked_sub(TILE) else { return totals };
        for &unit in spikes {
            let at = usize::from(unit).wrapping_mul(stride).min(last);
            if let Some(column) = weights.get(at..).and_then(|column| column.first_chunk::<TILE>()) {
                for (total, weights) in totals.iter_mut().zip(column) {
                    *total = l.add(*total, W::load(l, weights));
                }
            }
        }
        totals
    }

    /// The same where 16 bits may not do: in two parts, or in 32 bits.
    #[cold]
    #[inline(never)]
    fn add_many<const TILE: usize, const COUNT: bool>(
        &self,
        spikes: &[u16],
        split: u16,
        first: usize,
        losses: &mut Losses<'_>,
    ) -> [L::Block; TILE] {
        let l = self.lanes;
        let mut held = [l.splat(0); TILE];
        if let Some((one, other)) = spikes.split_at_checked(usize::from(split)) {
            let limit = ACCUMULATOR_LIMIT as i16;
            let (low, high) = (l.splat(limit.wrapping_neg()), l.splat(limit));
            let (ones, others) = (self.add_some::<TILE>(one, first), self.add_some::<TILE>(other, first));
            for (block, ((held, one), other)) in held.iter_mut().zip(ones).zip(others).enumerate() {
                let sum = l.add_held(one, other);
                *held = l.max(low, l.min(high, sum));
                if COUNT {
                    let beyond = l.greater(sum, *held) | l.greater(*held, sum);
                    let unit = first.wrapping_add(block).wrapping_mul(BLOCK);
                    note_lanes(losses, Variable::Accumulator, beyond, unit);
                }
            }
            return held;
        }
        for (block, held) in held.iter_mut().enumerate() {
            let unit = first.wrapping_add(block).wrapping_mul(BLOCK);
            let mut numbers = [0i16; BLOCK];
            for (half, numbers) in numbers.as_chunks_mut::<16>().0.iter_mut().enumerate() {
                let from = unit.wrapping_add(half.wrapping_mul(16));
                let totals = Vector(l).sum_widely(self.columns, spikes, from);
                plain::hold_totals(totals, from / plain::WIDE_TILE, numbers, losses);
            }
            *held = l.load(&numbers);
        }
        held
    }
}

#[inline(always)]
fn tile_mut<const TILE: usize, T>(memory: &mut [T], first: usize) -> Option<&mut [[T; BLOCK]; TILE]> {
    memory.as_chunks_mut::<BLOCK>().0.get_mut(first..).and_then(|blocks| blocks.first_chunk_mut())
}

/// Puts today's sum in the place of that of ten steps ago, which it returns.
#[inline(always)]
fn exchange<L: Lanes>(
    l: L,
    history: &mut [i16],
    oldest: usize,
    block: usize,
    sum: L::Block,
) -> Option<L::Block> {
    let taps = history.len() / TAPS / BLOCK;
    let place = oldest.wrapping_mul(taps).wrapping_add(block);
    let place = history.as_chunks_mut::<BLOCK>().0.get_mut(place)?;
    let old = l.load(place);
    l.store(sum, place);
    Some(old)
}
