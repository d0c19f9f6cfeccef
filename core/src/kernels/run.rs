//! A layer through all steps of a run, 128 neurons at a time.
//!
//! What a layer is fed with does not depend on what it does (there is no conductance from
//! the apical dendrite to the soma), so a run may be worked off layer by layer instead of
//! step by step, and within a layer a few blocks of neurons at a time: their filters and
//! potentials stay in registers, and the part of the weights that belongs to them in the
//! first-level cache. The bits are those of the way step by step.

use super::columns::{TileOf, Width, add_parts, add_some, each, width_of};
use super::fire::{THRICE, credit_thrice, credit_twice, draw_places, fire_thrice, fire_twice, places_of};
use super::lanes::Lanes;
use super::neurons::{NarrowSum, Step, mask, pulls};
use super::vector::Vector;
use super::watch::{Count, Look, Nobody, Note, Trust};
use crate::arithmetic::{Columns, Neurons, Run, Scratch, Wanted};
use crate::formats::STATE_LIMIT;
use crate::losses::Losses;
use crate::native::Weight;
use crate::parameters::Coefficients;
use crate::random::Generator;
use crate::tables::noise::BLOCK;
use crate::tables::psp::TAPS;
use crate::trains::{Masks, Trains, WORDS};

/// Blocks that are worked off together.
const TILE: usize = 4;

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
        let whole = neurons.soma.len().min(neurons.psp.len()) >= blocks.wrapping_mul(BLOCK);
        if !whole || !has_room(neurons.units, run.steps, trains, scratch) {
            return false;
        }
        trains.masks.begin(blocks, run.steps);
        draw_places(self.0, draws, run.steps, blocks, scratch.places);
        // A single block of neurons whose potentials alone count.
        let nothing = run.wanted == Wanted::Nothing && run.shares.is_empty();
        let silent = nothing && blocks == 1 && run.label.is_none();
        // A single block is an output layer, fed by many spikes: wide, and without bounds.
        let width = match blocks > 1 {
            true => width_of::<W>(columns.bounds, run),
            false if run.presynaptic.in_masks() => Width::Known,
            false => Width::Wide,
        };
        let tiles = Tiles::<L, W> { lanes: self.0, layer, columns, run, blocks, width, silent };
        let mut first = 0usize;
        while first.wrapping_add(TILE) <= blocks {
            tiles.work::<TILE, COUNT>(first, &mut neurons, scratch, &mut trains.masks, losses);
            first = first.wrapping_add(TILE);
        }
        while first < blocks {
            tiles.work::<1, COUNT>(first, &mut neurons, scratch, &mut trains.masks, losses);
            first = first.wrapping_add(1);
        }
        if COUNT {
            // What is lost at the end of a phase is lost in its last step.
            losses.enter_run_step(run.steps.saturating_sub(1));
        }
        match run.wanted {
            Wanted::Nothing => {}
            Wanted::Lists => self.list(run.steps, trains, None),
            Wanted::Masks => self.0.apart(
                #[inline(always)]
                || trains.leave(self.0, run.steps),
            ),
        }
        true
    }

    /// Makes lists of masks.
    #[inline(always)]
    pub(super) fn list(&self, steps: usize, trains: &mut Trains<'_>, names: Option<&[u16]>) {
        self.0.apart(
            #[inline(always)]
            || trains.list(self.0, steps, names),
        );
    }
}

/// Whether there is memory for a run of so many units and steps.
#[inline(always)]
pub(crate) fn has_room(units: usize, steps: usize, trains: &Trains<'_>, scratch: &Scratch<'_>) -> bool {
    let blocks = units.div_ceil(BLOCK);
    steps <= scratch.sums.len()
        && places_of(blocks).wrapping_mul(steps) <= scratch.places.len()
        && blocks.wrapping_mul(BLOCK) <= scratch.psp.len()
        && trains.masks.has_room(blocks, steps)
}

/// Neurons that fire, …
const FREE: u8 = 0;
/// that do so under a teaching current, …
const TAUGHT: u8 = 1;
/// or whose spikes nobody hears, …
const SILENT: u8 = 2;
/// that fire, and whose basal drive never has to be held, …
const WITHIN: u8 = 3;
/// or the same, of whose spikes the credits alone count.
const CREDITED: u8 = 4;

/// What moves in a block of neurons.
#[derive(Clone, Copy)]
struct Moving<B> {
    x1: B,
    x2: B,
    c: B,
    credit: B,
}

impl<B: Copy> Moving<B> {
    #[inline(always)]
    fn at_rest<L: Lanes<Block = B>>(l: L) -> Self {
        Self { x1: l.splat(0), x2: l.splat(0), c: l.splat(0), credit: l.splat(0) }
    }
}

/// What all tiles of a layer share.
struct Tiles<'a, L: Lanes, W> {
    lanes: L,
    layer: &'a Coefficients,
    columns: Columns<'a, W>,
    run: &'a Run<'a>,
    blocks: usize,
    width: Width,
    silent: bool,
}

impl<L: Lanes, W: Weight> Tiles<'_, L, W> {
    /// All steps of the `TILE` blocks from `first` on.
    #[inline(always)]
    fn work<const TILE: usize, const COUNT: bool>(
        &self,
        first: usize,
        neurons: &mut Neurons<'_, i16, i32>,
        scratch: &mut Scratch<'_>,
        masks: &mut Masks<'_>,
        losses: &mut Losses<'_>,
    ) {
        let layer = self.layer;
        let halved = layer.sum_shift == -1;
        let usual = neurons.history.is_empty() && halved == (W::EXACT_SPIKES == 0) && layer.basal_whole == 0;
        let l = self.lanes;
        let within = usual
            && TILE > 1
            && l.apart(
                #[inline(always)]
                || self.stays_within::<TILE>(first, neurons),
            );
        let credited = within && !COUNT && self.run.wanted == Wanted::Nothing;
        macro_rules! steps {
            ($usual:literal, $task:ident, $width:literal, $note:expr) => {
                l.apart(
                    #[inline(always)]
                    || self.steps::<TILE, $usual, { $task }, $width>(first, neurons, scratch, masks, $note),
                )
            };
        }
        macro_rules! usual {
            ($note:expr) => {
                match (self.run.label.is_some(), self.width) {
                    (taught, Width::Known) if TILE == 1 => match (taught, self.silent) {
                        (true, _) => steps!(true, TAUGHT, 3, $note),
                        (false, true) => steps!(true, SILENT, 3, $note),
                        (false, false) => steps!(true, FREE, 3, $note),
                    },
                    (true, _) => steps!(true, TAUGHT, 2, $note),
                    (false, _) if TILE == 1 && self.silent => steps!(true, SILENT, 2, $note),
                    (false, Width::Narrow) if credited => steps!(true, CREDITED, 0, $note),
                    (false, Width::Parted(_)) if credited => steps!(true, CREDITED, 1, $note),
                    (false, Width::Narrow) if within => steps!(true, WITHIN, 0, $note),
                    (false, Width::Parted(_)) if within => steps!(true, WITHIN, 1, $note),
                    (false, Width::Narrow) => steps!(true, FREE, 0, $note),
                    (false, Width::Parted(_)) => steps!(true, FREE, 1, $note),
                    (false, _) => steps!(true, FREE, 2, $note),
                }
            };
        }
        macro_rules! any {
            ($note:expr) => {
                match (self.run.label.is_some(), self.width) {
                    (taught, Width::Known) if TILE == 1 => match (taught, self.silent) {
                        (true, _) => steps!(false, TAUGHT, 3, $note),
                        (false, true) => steps!(false, SILENT, 3, $note),
                        (false, false) => steps!(false, FREE, 3, $note),
                    },
                    (true, _) => steps!(false, TAUGHT, 2, $note),
                    (false, _) if TILE == 1 && self.silent => steps!(false, SILENT, 2, $note),
                    (false, Width::Narrow) => steps!(false, FREE, 0, $note),
                    (false, Width::Parted(_)) => steps!(false, FREE, 1, $note),
                    (false, _) => steps!(false, FREE, 2, $note),
                }
            };
        }
        // A step's sums of 8-bit weights seldom leave the range of a state: they are taken for small at first. Nothing
        // else can be held in such a tile, so that there is nothing to count where they are.
        let trusts = within && const { W::EXACT_SPIKES != 0 } && matches!(self.width, Width::Narrow);
        if trusts && let Some(before) = Before::<TILE>::of(neurons, first) {
            let mut trust = Trust::new(l);
            match credited {
                true => steps!(true, CREDITED, 0, &mut trust),
                false => steps!(true, WITHIN, 0, &mut trust),
            }
            if NarrowSum::new(l, layer.sum_shift).are_small(trust.ends()) {
                return;
            }
            before.restore(neurons, first);
        }
        if !COUNT {
            return if usual { usual!(&mut Nobody) } else { any!(&mut Nobody) };
        }
        if usual && let Some(before) = Before::<TILE>::of(neurons, first) {
            let mut look = Look::new(l);
            usual!(&mut look);
            if !look.found(l) {
                return;
            }
            before.restore(neurons, first);
        }
        any!(&mut Count(losses));
    }

    /// Whether the basal drive of a tile stays within the limits of a state whatever spikes: the filters
    /// do, and what they leave of them is less than what the largest bias leaves.
    #[inline(always)]
    fn stays_within<const TILE: usize>(&self, first: usize, neurons: &Neurons<'_, i16, i32>) -> bool {
        let l = self.lanes;
        let limit = l.splat(STATE_LIMIT);
        let left = l.subtract(limit, l.product(limit, l.splat(self.layer.basal)));
        within::<L, TILE>(l, neurons.fast, first, limit)
            && within::<L, TILE>(l, neurons.slow, first, limit)
            && within::<L, TILE>(l, neurons.bias, first, left)
    }

    /// The same, where `USUAL` stands for weights at their usual place and no cut kernel, whose
    /// loop has the fewest instructions; `TASK` is [`FREE`] or the like, `WIDTH` a [`Width`]. A loop that holds nothing
    /// rare keeps its state in registers.
    #[inline(always)]
    fn steps<const TILE: usize, const USUAL: bool, const TASK: u8, const WIDTH: u8>(
        &self,
        first: usize,
        neurons: &mut Neurons<'_, i16, i32>,
        scratch: &mut Scratch<'_>,
        masks: &mut Masks<'_>,
        note: &mut impl Note<L>,
    ) {
        let (l, run) = (self.lanes, self.run);
        let narrow = NarrowSum::new(l, self.layer.sum_shift);
        let step_of = Step::new(l, self.layer);
        let (Some(fast), Some(slow), Some(soma), Some(bias), Some(psp)) = (
            tile_mut::<TILE, _>(neurons.fast, first),
            tile_mut::<TILE, _>(neurons.slow, first),
            tile_mut::<TILE, _>(neurons.soma, first),
            neurons.bias.as_chunks::<BLOCK>().0.get(first..).and_then(|b| b.first_chunk::<TILE>()),
            tile_mut::<TILE, _>(neurons.psp, first),
        ) else {
            return;
        };
        let bias = bias.map(|block| l.load(&block));
        let mut moving = [Moving::at_rest(l); TILE];
        let (mut pull, mut live) = (bias, [0u32; TILE]);
        for (block, moving) in moving.iter_mut().enumerate() {
            let load = |blocks: &[[i16; BLOCK]; TILE]| blocks.get(block).map_or(l.splat(0), |b| l.load(b));
            (moving.x1, moving.x2, moving.c) = (load(fast), load(slow), load(soma));
            moving.credit = psp.get(block).map_or(l.splat(0), |psp| l.load_unsigned(psp));
            let unit = first.wrapping_add(block).wrapping_mul(BLOCK);
            if let (Some(pull), Some(live)) = (pull.get_mut(block), live.get_mut(block)) {
                *pull = l.load(&pulls(run.label.unwrap_or(usize::MAX).wrapping_sub(unit)));
                *live = mask(neurons.units.saturating_sub(unit));
            }
        }
        let mut oldest = neurons.oldest;
        let stride = self.blocks.max(1);
        // What is read through a reference is read again after every store: here it is not.
        let (window, shares) = (run.window.clone(), run.shares);
        let part = if let Width::Parted(part) = self.width { part } else { usize::MAX };
        let columns = TileOf::<W, TILE>::new(self.columns, first);
        let mut spikes = run.presynaptic.steps_from(run.first);
        let Some(fired) = masks.fired.get_mut(first..).and_then(|fired| fired.first_chunk_mut::<TILE>())
        else {
            return;
        };
        let mut words = scratch.places.chunks_exact(places_of(stride)).zip(&mut *masks.more);
        let steps = run.steps.min(WORDS);
        // Columns of 8 bits take all the arithmetic there is while they are added up, and the neurons after them
        // wait for one another. So there the neurons go one step behind the sums, for which nothing has to wait.
        let late = usize::from(const { USUAL && TILE > 1 && W::IN_PAIRS });
        for step in 0..steps.wrapping_add(late) {
            let mut totals = [l.splat(0); TILE];
            if late == 0 || step < steps {
                let Some(spikes) = spikes.next() else { break };
                note.enter_step(step);
                match WIDTH {
                    0 => add_some(l, columns, spikes, &mut totals),
                    1 => {
                        if !add_parts(l, columns, spikes, part, &mut totals, first, note) {
                            // Hardly ever: in a function of its own, which leaves the registers alone.
                            totals = l.apart(
                                #[inline(always)]
                                || self.add_widely(spikes, first, note),
                            );
                        }
                    }
                    2 => totals = self.add_widely(spikes, first, note),
                    _ => {
                        let sums = scratch.sums.get(run.first.wrapping_add(step));
                        if let (Some(total), Some(sums)) = (totals.first_mut(), sums) {
                            *total = Vector(l).held_sums([l.load_totals(sums), l.no_totals()], 0, note);
                        }
                    }
                }
            }
            // The filters follow the sums, …
            macro_rules! follow {
                ($block:expr, $moving:expr) => {
                    if let (Some(&total), Some(&live)) = (totals.get($block), live.get($block)) {
                        let at = first.wrapping_add($block);
                        let unit = at.wrapping_mul(BLOCK);
                        if !USUAL {
                            let sum = narrow.narrowed(total, live, unit, note);
                            let tail = exchange(l, neurons.history, oldest, at, sum);
                            ($moving.x1, $moving.x2) = step_of.filtered(sum, $moving.x1, $moving.x2, tail);
                        } else {
                            let sum = match W::EXACT_SPIKES {
                                0 => narrow.halved(total),
                                _ => narrow.raised(total, live, unit, note),
                            };
                            $moving.x1 = step_of.first_filtered(sum, $moving.x1);
                        }
                    }
                };
            }
            if late == 0 || step > 0 {
                // … and the neurons the filters.
                let step = step.wrapping_sub(late);
                // A step below this bound needs no look whether there is a word for it.
                if step >= WORDS {
                    break;
                }
                let Some((places, more)) = words.next() else { break };
                let Some(places) = places.get(first..).and_then(|places| places.first_chunk::<TILE>()) else {
                    return;
                };
                let share = shares.get(step).map(|&share| l.splat(share as i16));
                each::<TILE>(
                    #[inline(always)]
                    |block| {
                        let Some(moving) = moving.get_mut(block) else { return };
                        let (Some(&bias), Some(&pull), Some(&live)) =
                            (bias.get(block), pull.get(block), live.get(block))
                        else {
                            return;
                        };
                        let (Some(&place), Some(fired)) = (places.get(block), fired.get_mut(block)) else {
                            return;
                        };
                        let unit = first.wrapping_add(block).wrapping_mul(BLOCK);
                        let pull = if TASK == TAUGHT { Some(pull) } else { None };
                        if late == 0 {
                            follow!(block, moving);
                        }
                        let Moving { x1, mut x2, mut c, mut credit } = *moving;
                        if USUAL {
                            x2 = step_of.second_filtered(x1, x2);
                            let drive = l.product(x2, step_of.basal);
                            c = match TASK {
                                WITHIN | CREDITED => step_of.followed(l.add(drive, bias), c),
                                _ => step_of.moved_by(drive, bias, c, pull, (live, unit), note),
                            };
                        } else {
                            c = step_of.moved(x2, bias, c, pull, (live, unit), note);
                        }
                        match TASK {
                            SILENT => {}
                            CREDITED => {
                                credit_twice(l, c, place, share, &mut credit);
                            }
                            _ => fire_twice(l, c, place, share, &mut credit, (step, fired)),
                        }
                        *moving = Moving { x1, x2, c, credit };
                    },
                );
                if TASK != SILENT && places.iter().any(|place| place & THRICE != 0) {
                    let blocks = moving.iter_mut().zip(places).zip(&mut *fired).zip(first..);
                    for (((Moving { c, credit, .. }, &place), fired), at) in blocks {
                        match TASK {
                            _ if place & THRICE == 0 => {}
                            CREDITED => {
                                credit_thrice(l, *c, place, share, credit);
                            }
                            _ => fire_thrice(l, *c, place, share, credit, (at, step, fired, more)),
                        }
                    }
                }
                if window.contains(&step) {
                    for (block, moving) in moving.iter().enumerate() {
                        let at = first.wrapping_add(block);
                        if let Some(sums) = neurons.soma_sums.as_chunks_mut::<BLOCK>().0.get_mut(at) {
                            l.accumulate(if TASK == TAUGHT { l.sigmoids(moving.c) } else { moving.c }, sums);
                        }
                    }
                }
            }
            if late != 0 && step < steps {
                each::<TILE>(
                    #[inline(always)]
                    |block| {
                        if let Some(moving) = moving.get_mut(block) {
                            follow!(block, moving);
                        }
                    },
                );
            }
            if !USUAL {
                let next = oldest.wrapping_add(1);
                oldest = if next >= TAPS { 0 } else { next };
            }
        }
        let states = fast.iter_mut().zip(slow).zip(soma).zip(psp).zip(&moving);
        for ((((fast, slow), soma), psp), moving) in states {
            l.store(moving.x1, fast);
            l.store(moving.x2, slow);
            l.store(moving.c, soma);
            l.store_unsigned(moving.credit, psp);
        }
        for (block, &live) in (first..).zip(&live) {
            if TASK != SILENT && TASK != CREDITED {
                masks.keep(block, live, run.steps);
            }
        }
    }

    /// Σ of the columns that spiked, in 32 bits.
    #[inline(always)]
    fn add_widely<const TILE: usize>(
        &self,
        spikes: &[u16],
        first: usize,
        note: &mut impl Note<L>,
    ) -> [L::Block; TILE] {
        let mut totals = [self.lanes.splat(0); TILE];
        for (block, total) in (first..).zip(&mut totals) {
            *total = Vector(self.lanes).sum_block(self.columns, spikes, block.wrapping_mul(BLOCK), note);
        }
        totals
    }
}

/// Whether the numbers of a tile are at most these in magnitude.
#[inline(always)]
fn within<L: Lanes, const TILE: usize>(l: L, numbers: &[i16], first: usize, most: L::Block) -> bool {
    let (mut least, mut largest) = (l.splat(0), l.splat(0));
    for block in numbers.as_chunks::<BLOCK>().0.iter().skip(first).take(TILE) {
        let block = l.load(block);
        (least, largest) = (l.min(least, block), l.max(largest, block));
    }
    l.greater(largest, most) | l.greater(l.subtract(l.splat(0), most), least) == 0
}

/// What a tile changes, as it was before.
struct Before<const TILE: usize> {
    states: [[[i16; BLOCK]; TILE]; 3],
    soma_sums: [[i32; BLOCK]; TILE],
    psp: [[u16; BLOCK]; TILE],
}

impl<const TILE: usize> Before<TILE> {
    #[inline(always)]
    fn of(neurons: &mut Neurons<'_, i16, i32>, first: usize) -> Option<Self> {
        Some(Self {
            states: [
                *tile_mut(neurons.fast, first)?,
                *tile_mut(neurons.slow, first)?,
                *tile_mut(neurons.soma, first)?,
            ],
            soma_sums: *tile_mut(neurons.soma_sums, first)?,
            psp: *tile_mut(neurons.psp, first)?,
        })
    }

    #[inline(always)]
    fn restore(&self, neurons: &mut Neurons<'_, i16, i32>, first: usize) {
        let states = [&mut *neurons.fast, &mut *neurons.slow, &mut *neurons.soma];
        for (to, from) in states.into_iter().zip(&self.states) {
            if let Some(to) = tile_mut(to, first) {
                *to = *from;
            }
        }
        if let Some(to) = tile_mut(neurons.soma_sums, first) {
            *to = self.soma_sums;
        }
        if let Some(to) = tile_mut(neurons.psp, first) {
            *to = self.psp;
        }
    }
}

#[inline(always)]
pub(crate) fn tile_mut<const TILE: usize, T>(
    memory: &mut [T],
    first: usize,
) -> Option<&mut [[T; BLOCK]; TILE]> {
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
