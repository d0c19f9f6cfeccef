//! A layer in emulated formats through all steps of a run, a few blocks of neurons at a time:
//! the schedule of the compiled-in formats, in lanes of 32 bits.

use super::narrow::{ANY, Interval, LOW, MOST, Narrowing, PLAIN, Parts, SIMPLE, Toward, noise_of, spread};
use super::quick::{Block, Draws, QuickStep, QuickSum};
use super::shift::Shift;
use super::{EmulatedCoefficients, VariableFormat};
use crate::arithmetic::{Columns, Neurons, Run, Scratch, Wanted};
use crate::formats::Variable;
use crate::kernels::{
    Job, Lanes, THRICE, TileOf, Width, add_some, draw_places, each, fire, has_room, places_of, tile_mut,
    width_of,
};
use crate::losses::Losses;
use crate::parameters::TEACHER;
use crate::random::Generator;
use crate::rounding::Overflow;
use crate::schedule::MOST_STEPS;
use crate::tables::noise::BLOCK;
use crate::tables::psp::TAPS;
use crate::trains::{Masks, Trains};

/// Blocks that are worked off together.
const TILE: usize = 4;
/// Largest sum that is added up in 16 bits.
const NARROW: Interval = Interval(-32766, 32766);

/// Σ of columns, taken to the filter's binary point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sum {
    accumulator: Narrowing,
    /// Whether the accumulator may be beyond its limits.
    limited: bool,
    /// What is beyond these ends is held at the filter's limits whatever it is.
    near: (i32, i32),
    far: bool,
    left: u32,
    narrowing: Narrowing,
    held: bool,
}

impl Sum {
    fn new(layer: &EmulatedCoefficients, total: Interval) -> Option<Self> {
        let of = |variable| layer.table.of(variable);
        let from = of(Variable::Accumulator);
        let to = VariableFormat { rounding: from.rounding, ..*of(Variable::FilterFast) };
        let accumulator = Interval::of(from);
        // What was there before is not at hand.
        let keeps = |format: &VariableFormat| matches!(format.overflow, Overflow::Drop);
        let mut shift = Shift::new(&to, of(Variable::Weight).format.fraction.into())
            .filter(|_| !keeps(from) && !keeps(&to))?;
        let (own, _) = Narrowing::new(&Shift::new(from, from.format.fraction.into())?, total)?;
        let left = core::mem::replace(&mut shift.left, 0);
        let limits = Interval(shift.lowest.into(), shift.highest.into());
        let kept = total.common(accumulator);
        let near = match left {
            _ if to.overflow == Overflow::Wrap => kept,
            0 => Interval(limits.0.saturating_sub(1), limits.1.saturating_add(2)).raised(shift.down),
            _ => Interval((limits.0 >> left).saturating_sub(1), (limits.1 >> left).saturating_add(1)),
        };
        let nearest = kept.common(near);
        let exact = nearest.raised(left);
        let (narrowing, result) = Narrowing::new(&shift, exact).filter(|_| nearest.0 <= nearest.1)?;
        let ends = [nearest.0, nearest.1].map(i32::try_from);
        let [Ok(low), Ok(high)] = ends else { return None };
        Some(Self {
            accumulator: own,
            limited: !total.is_within(accumulator),
            near: (low, high),
            far: !kept.is_within(near),
            left,
            narrowing,
            held: !result.is_within(limits),
        })
    }
}

/// The narrowings of a run, if 32 bits hold their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct QuickRun {
    /// Of sums that fit into 16 bits, and of any.
    sums: [Sum; 2],
    fast: Toward,
    slow: Toward,
    gain: i32,
    constant: u32,
    basal: Narrowing,
    basal_held: bool,
    soma: Toward,
    /// The potential of the teaching current, and whether a potential it pulls may be held.
    pull: i32,
    /// What a cut kernel takes from the filters, if 32 bits hold that.
    tails: Option<[Tail; 2]>,
    /// Potentials whose sum 32 bits hold.
    sums_of: usize,
    /// Up to 8 fraction bits, or down to them.
    raised: u32,
    lowered: u32,
    /// What is known of all of them.
    kind: u8,
}

impl QuickRun {
    pub(super) fn new(layer: &EmulatedCoefficients) -> Option<Self> {
        let step = QuickStep::new(layer)?;
        let limits = |variable| Interval::of(layer.table.of(variable));
        let any = Interval(i32::MIN.into(), i32::MAX.into());
        let sums = [Sum::new(layer, NARROW)?, Sum::new(layer, any)?];
        let (fast, _) = Toward::new(&step.fast, limits(Variable::FilterFast))?;
        let (slow, _) = Toward::new(&step.slow, limits(Variable::FilterFast))?;
        let gain = i64::from(layer.basal).checked_shl(step.synaptic).filter(|_| step.synaptic < 32)?;
        let synaptic = limits(Variable::FilterSlow).times(gain);
        let exact = synaptic.plus(limits(Variable::Bias).raised(step.constant));
        let (basal, driven) = Narrowing::new(&step.basal, exact)
            .or_else(|| Narrowing::split(&step.basal, exact).filter(|_| gain <= MOST))?;
        // The bias is added to the whole drive, or to its upper part.
        let constant = if basal.split { step.constant.checked_sub(LOW)? } else { step.constant };
        let (soma, moved) = Toward::new(&step.soma, limits(Variable::Basal))?;
        let pull = Interval(i128::from(TEACHER).saturating_neg(), TEACHER.into())
            .raised(step.soma_fraction.max(0) as u32);
        let potential = limits(Variable::Soma);
        let down = step.soma_fraction.saturating_sub(8);
        let (raised, lowered) = (down.saturating_neg().max(0) as u32, down.max(0) as u32);
        let one = Interval(0, 1).raised(lowered);
        // Potentials are added up in 32 bits for so many steps.
        let largest = potential.0.unsigned_abs().max(potential.1.unsigned_abs()).max(1);
        let sums_of = (i32::MAX as u128).checked_div(largest).unwrap_or(1).min(MOST_STEPS as u128);
        let all = [
            if basal.split { Interval(0, 0) } else { synaptic },
            limits(Variable::Bias).raised(constant),
            pull,
            pull.plus(moved),
            potential.raised(raised),
            potential.plus(one),
        ];
        let fits = all.into_iter().all(Interval::fits) && lowered <= 30 && raised <= 30;
        let tails = match (
            Tail::new(layer, Variable::FilterFast, layer.tail_fast),
            Tail::new(layer, Variable::FilterSlow, layer.tail_slow),
        ) {
            (Some(fast), Some(slow)) => Some([fast, slow]),
            _ => None,
        };
        // Of sums, and of what a cut kernel forgets, no more is asked than that they are simple.
        let others = sums.iter().flat_map(|sum| [sum.accumulator, sum.narrowing]);
        let mut others = others.chain(tails.iter().flatten().map(|tail| tail.narrowing));
        let kind = match others.all(|narrowing| narrowing.is_simple()) {
            true => fast.kind().min(slow.kind()).min(basal.kind()).min(soma.kind()),
            false => ANY,
        };
        Some(Self {
            sums,
            fast,
            slow,
            gain: i32::try_from(gain).ok().filter(|_| fits)?,
            constant,
            basal,
            basal_held: !driven.is_within(limits(Variable::Basal)),
            soma,
            pull: pull.1 as i32,
            tails,
            sums_of: sums_of as usize,
            raised,
            lowered,
            kind,
        })
    }
}

/// What a run is calculated with.
#[derive(Clone, Copy)]
pub(super) enum Way<'a> {
    /// Lanes of 32 bits.
    Short(&'a QuickRun),
    /// Numbers of 64 bits, whose losses are not counted.
    Long(&'a QuickStep, &'a QuickSum),
}

impl QuickRun {
    /// Whether it can be a run of a layer whose kernel is cut, or is not.
    pub(super) const fn is_for(&self, cut: bool) -> bool {
        !cut || self.tails.is_some()
    }
}

/// What a cut kernel takes from a filter: narrow(gain · sum) of the sum ten steps ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tail {
    gain: i32,
    narrowing: Narrowing,
}

impl Tail {
    fn new(layer: &EmulatedCoefficients, variable: Variable, gain: i32) -> Option<Self> {
        let (sum, to) = (layer.table.of(Variable::FilterFast), layer.table.of(variable));
        let exact = Interval::of(sum).times(u32::try_from(gain).ok()?.into());
        let shift = Shift::new(to, i32::from(sum.format.fraction).wrapping_add(15))?;
        let (narrowing, gone) = Narrowing::new(&shift, exact)?;
        Interval::of(to).minus(gone).fits().then_some(Self { gain, narrowing })
    }
}

/// A run of a layer.
pub(super) struct RunJob<'j, 't, 's, 'l, const COUNT: bool> {
    pub(super) layer: &'j EmulatedCoefficients,
    pub(super) way: Way<'j>,
    pub(super) columns: Columns<'j, i16>,
    pub(super) neurons: Neurons<'j, i32, i64>,
    pub(super) run: &'j Run<'j>,
    pub(super) draws: &'j mut Generator,
    pub(super) trains: &'j mut Trains<'t>,
    pub(super) scratch: &'j mut Scratch<'s>,
    pub(super) losses: &'j mut Losses<'l>,
}

impl<const COUNT: bool> Job for RunJob<'_, '_, '_, '_, COUNT> {
    /// Whether there was room for it.
    type Outcome = bool;

    #[inline(always)]
    fn work<L: Lanes>(self, l: L) -> bool {
        let Self { layer, way, columns, mut neurons, run, draws, trains, scratch, losses } = self;
        let blocks = neurons.units.div_ceil(BLOCK);
        let whole = neurons.soma.len().min(neurons.psp.len()) >= blocks.wrapping_mul(BLOCK);
        if !whole || !has_room(neurons.units, run.steps, trains, scratch) {
            return false;
        }
        trains.masks.begin(blocks, run.steps);
        draw_places(l, draws, run.steps, blocks, scratch.places);
        let silent = run.wanted == Wanted::Nothing && run.label.is_none();
        // A single block is an output layer, fed by many spikes: wide, and without bounds.
        let width = match blocks > 1 {
            true => width_of::<i16>(columns.bounds, run),
            false => Width::Wide,
        };
        let tiles = Tiles { l, layer, way, columns, run, blocks, width, silent };
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
        if !silent {
            l.apart(
                #[inline(always)]
                || trains.list(l, run.steps, None),
            );
        }
        true
    }
}

/// What all tiles of a layer share.
struct Tiles<'a, L> {
    l: L,
    layer: &'a EmulatedCoefficients,
    way: Way<'a>,
    columns: Columns<'a, i16>,
    run: &'a Run<'a>,
    blocks: usize,
    width: Width,
    silent: bool,
}

/// What moves in 16 neurons.
#[derive(Clone, Copy)]
struct Moving<T> {
    fast: T,
    slow: T,
    soma: T,
    /// Sum of the potentials over the window.
    sum: T,
}

/// What stays.
#[derive(Clone, Copy)]
struct Fixed<T> {
    /// Bias, in the fraction bits that the basal drive, or its upper part, has before it is narrowed.
    constant: T,
    /// What the teaching current pulls to.
    base: T,
    /// For the noise of stochastic rounding.
    spread: T,
}

/// Counts what is held.
pub(super) struct Counting<'a, 'l, const COUNT: bool> {
    pub(super) losses: &'a mut Losses<'l>,
}

impl<const COUNT: bool> Counting<'_, '_, COUNT> {
    /// 16 numbers of a variable that overflows like this were to be `exact` and are `held`; only those of
    /// `live` are neurons.
    #[inline(always)]
    pub(super) fn held<L: Lanes>(
        &mut self,
        l: L,
        what: (Variable, Overflow),
        (exact, held): (L::Totals, L::Totals),
        (live, first): (u32, usize),
    ) {
        if COUNT {
            let beyond = l.differing_totals(exact, held) & live;
            if beyond != 0 {
                note(self.losses, what, beyond, first);
            }
        }
    }
}

#[cold]
#[inline(never)]
pub(super) fn note(
    losses: &mut Losses<'_>,
    (variable, overflow): (Variable, Overflow),
    beyond: u32,
    first: usize,
) {
    let index = first.wrapping_add(beyond.trailing_zeros() as usize);
    losses.overflowed(variable, overflow, beyond.count_ones(), index);
}

impl<L: Lanes> Tiles<'_, L> {
    /// All steps of the `TILE` blocks from `first` on.
    #[inline(always)]
    fn work<const TILE: usize, const COUNT: bool>(
        &self,
        first: usize,
        neurons: &mut Neurons<'_, i32, i64>,
        scratch: &mut Scratch<'_>,
        masks: &mut Masks<'_>,
        losses: &mut Losses<'_>,
    ) {
        // Each in a function of its own, which has all registers.
        macro_rules! steps {
            ($how:ident, $kind:ident) => {
                self.l.apart(
                    #[inline(always)]
                    || self.steps::<TILE, $kind, COUNT>($how, first, neurons, scratch, masks, losses),
                )
            };
        }
        macro_rules! long_steps {
            ($how:expr, $noisy:literal) => {
                self.l.apart(
                    #[inline(always)]
                    || self.long_steps::<TILE, $noisy>($how, first, neurons, scratch, masks),
                )
            };
        }
        match self.way {
            Way::Short(quick) => match (quick.kind, neurons.history.is_empty()) {
                (ANY, _) => steps!(quick, ANY),
                (PLAIN, true) => steps!(quick, PLAIN),
                _ => steps!(quick, SIMPLE),
            },
            Way::Long(..) if COUNT => {}
            Way::Long(step, sum) if step.is_noisy() => long_steps!((step, sum), true),
            Way::Long(step, sum) => long_steps!((step, sum), false),
        }
    }

    /// In lanes of 32 bits.
    #[inline(always)]
    fn steps<const TILE: usize, const KIND: u8, const COUNT: bool>(
        &self,
        quick: &QuickRun,
        first: usize,
        neurons: &mut Neurons<'_, i32, i64>,
        scratch: &mut Scratch<'_>,
        masks: &mut Masks<'_>,
        losses: &mut Losses<'_>,
    ) {
        let (l, run) = (self.l, self.run);
        let zero = l.splat_totals(0);
        let (Some(fast), Some(slow), Some(soma), Some(psp)) = (
            tile_mut::<TILE, _>(neurons.fast, first),
            tile_mut::<TILE, _>(neurons.slow, first),
            tile_mut::<TILE, _>(neurons.soma, first),
            tile_mut::<TILE, _>(neurons.psp, first),
        ) else {
            return;
        };
        let biases = neurons.bias.as_chunks::<BLOCK>().0.get(first..).unwrap_or(&[]);
        let mut moving = [[Moving { fast: zero, slow: zero, soma: zero, sum: zero }; 2]; TILE];
        let mut fixed = [[Fixed { constant: zero, base: zero, spread: zero }; 2]; TILE];
        let (mut credits, mut live) = ([l.splat(0); TILE], [0u32; TILE]);
        for block in 0..TILE {
            let unit = first.wrapping_add(block).wrapping_mul(BLOCK);
            if let (Some(moving), Some(fixed)) = (moving.get_mut(block), fixed.get_mut(block)) {
                for (half, (moving, fixed)) in moving.iter_mut().zip(fixed).enumerate() {
                    moving.fast = half_of(l, fast.get(block), half);
                    moving.slow = half_of(l, slow.get(block), half);
                    moving.soma = half_of(l, soma.get(block), half);
                    let bias = half_of(l, biases.get(block), half);
                    fixed.constant = l.shift_totals_left(bias, quick.constant);
                    let unit = unit.wrapping_add(half.wrapping_mul(16));
                    fixed.base = self.bases(quick, unit);
                    fixed.spread = spread(l, unit);
                }
            }
            if let (Some(credit), Some(psp), Some(live)) =
                (credits.get_mut(block), psp.get(block), live.get_mut(block))
            {
                *credit = l.load_unsigned(psp);
                *live = mask(neurons.units.saturating_sub(unit));
            }
        }
        let stride = self.blocks.max(1);
        let (window, shares) = (run.window.clone(), run.shares);
        let (silent, taught, width) = (self.silent, run.label.is_some(), self.width);
        let columns = TileOf::<i16, TILE>::new(self.columns, first);
        let spikes = run.presynaptic.steps_from(run.first);
        let Some(fired) = masks.fired.get_mut(first..).and_then(|fired| fired.first_chunk_mut::<TILE>())
        else {
            return;
        };
        let words = scratch.places.chunks_exact(places_of(stride)).zip(&mut *masks.more);
        let words = words.zip(spikes).take(run.steps);
        let mut summed = 0usize;
        let (mut oldest, taps) = (neurons.oldest, neurons.history.len() / TAPS / BLOCK);
        for (step, ((places, more), spikes)) in words.enumerate() {
            if COUNT {
                losses.enter_run_step(step);
            }
            let Some(places) = places.get(first..).and_then(|places| places.first_chunk::<TILE>()) else {
                return;
            };
            let share = shares.get(step);
            let totals = self.totals(columns, spikes, first);
            let sum_of = match width {
                Width::Narrow => &quick.sums[0],
                _ => &quick.sums[1],
            };
            let in_window = window.contains(&step);
            // In a loop: a step's state is more than registers hold, and four blocks written out take a
            // compiler half a minute.
            for block in 0..TILE {
                let (Some(moving), Some(fixed), Some(totals)) =
                    (moving.get_mut(block), fixed.get(block), totals.get(block))
                else {
                    continue;
                };
                let (Some(credit), Some(&live), Some(&place), Some(fired)) =
                    (credits.get_mut(block), live.get(block), places.get(block), fired.get_mut(block))
                else {
                    continue;
                };
                let unit = first.wrapping_add(block).wrapping_mul(BLOCK);
                let ([low, high], [low_fixed, high_fixed]) = (moving, fixed);
                let step_of = Step {
                    l,
                    quick,
                    sum: sum_of,
                    taught,
                    offset: (place & !THRICE).into(),
                    spikes: spikes.len() as u32,
                };
                let mut counting = Counting::<COUNT> { losses: &mut *losses };
                let mut tails = [None, None];
                if KIND != PLAIN {
                    let at = oldest.wrapping_mul(taps).wrapping_add(first).wrapping_add(block);
                    let tail = neurons.history.as_chunks_mut::<BLOCK>().0.get_mut(at);
                    if let Some([low, high]) = tail.map(|tail| tail.as_chunks_mut::<16>().0) {
                        tails = [Some(low), Some(high)];
                    }
                }
                let ([tail, other], lower) = (tails, (live & 0xFFFF, unit));
                step_of.step::<KIND, COUNT>(totals[0], low, low_fixed, tail, lower, &mut counting);
                let upper = (live >> 16, unit.wrapping_add(16));
                step_of.step::<KIND, COUNT>(totals[1], high, high_fixed, other, upper, &mut counting);
                if !silent {
                    let potentials = l.held_totals(
                        [self.comparable(quick, low.soma), self.comparable(quick, high.soma)],
                        32766,
                    );
                    fire(l, potentials, place, share, credit, (first.wrapping_add(block), step, fired, more));
                }
                if in_window && !taught {
                    low.sum = l.sum_totals(low.sum, low.soma);
                    high.sum = l.sum_totals(high.sum, high.soma);
                }
            }
            if KIND != PLAIN {
                let next = oldest.wrapping_add(1);
                oldest = if next >= TAPS { 0 } else { next };
            }
            if in_window && !taught {
                summed = summed.wrapping_add(1);
                if summed >= quick.sums_of {
                    self.move_sums(&mut moving, first, neurons.soma_sums);
                    summed = 0;
                }
            }
            if in_window && taught {
                for (block, moving) in (first..).zip(&moving) {
                    let units = neurons.units.saturating_sub(block.wrapping_mul(BLOCK));
                    let sums = neurons.soma_sums.as_chunks_mut::<BLOCK>().0.get_mut(block);
                    let halves = sums.into_iter().flat_map(|sums| sums.as_chunks_mut::<16>().0);
                    for ((sums, moving), done) in halves.zip(moving).zip([0usize, 16]) {
                        let mut somata = [0; 16];
                        l.store_totals(moving.soma, &mut somata);
                        for (sum, soma) in sums.iter_mut().zip(somata).take(units.saturating_sub(done)) {
                            let rate = self.layer.sigmoid(Variable::Soma, Variable::Rate, soma);
                            *sum = sum.wrapping_add(i64::from(rate));
                        }
                    }
                }
            }
        }
        let states = fast.iter_mut().zip(slow).zip(soma).zip(psp).zip(&moving).zip(&credits);
        for (((((fast, slow), soma), psp), moving), &credit) in states {
            l.store_unsigned(credit, psp);
            let halves = fast.as_chunks_mut::<16>().0.iter_mut().zip(slow.as_chunks_mut::<16>().0);
            for (((fast, slow), soma), moving) in halves.zip(soma.as_chunks_mut::<16>().0).zip(moving) {
                l.store_totals(moving.fast, fast);
                l.store_totals(moving.slow, slow);
                l.store_totals(moving.soma, soma);
            }
        }
        self.move_sums(&mut moving, first, neurons.soma_sums);
        if !silent {
            for (block, &live) in (first..).zip(&live) {
                masks.keep(block, live, run.steps);
            }
        }
    }

    /// Adds sums of potentials to those of 64 bits, and begins them anew.
    #[inline(always)]
    fn move_sums<const TILE: usize>(
        &self,
        moving: &mut [[Moving<L::Totals>; 2]; TILE],
        first: usize,
        soma_sums: &mut [i64],
    ) {
        let blocks = soma_sums.as_chunks_mut::<BLOCK>().0.iter_mut().skip(first);
        for (moving, sums) in moving.iter_mut().zip(blocks) {
            for (moving, sums) in moving.iter_mut().zip(sums.as_chunks_mut::<16>().0) {
                let mut more = [0i32; 16];
                self.l.store_totals(moving.sum, &mut more);
                sums.iter_mut().zip(more).for_each(|(sum, more)| *sum = sum.wrapping_add(i64::from(more)));
                moving.sum = self.l.splat_totals(0);
            }
        }
    }

    /// What the teaching current pulls 16 units to.
    #[inline(always)]
    fn bases(&self, quick: &QuickRun, first: usize) -> L::Totals {
        let pull = quick.pull;
        let mut bases = [pull.wrapping_neg(); 16];
        if let Some(base) = bases.get_mut(self.run.label.unwrap_or(usize::MAX).wrapping_sub(first)) {
            *base = pull;
        }
        self.l.load_totals(&bases)
    }

    /// Potentials in 8 fraction bits, rounded up; see [`super::comparable`].
    #[inline(always)]
    fn comparable(&self, quick: &QuickRun, soma: L::Totals) -> L::Totals {
        let l = self.l;
        if quick.lowered > 0 {
            let almost_one = (1i32 << (quick.lowered & 31)).wrapping_sub(1);
            return l.shift_totals(soma, almost_one, quick.lowered);
        }
        if quick.raised > 0 { l.shift_totals_left(soma, quick.raised) } else { soma }
    }

    /// In numbers of 64 bits.
    #[inline(always)]
    fn long_steps<const TILE: usize, const NOISY: bool>(
        &self,
        (step_of, sum_of): (&QuickStep, &QuickSum),
        first: usize,
        neurons: &mut Neurons<'_, i32, i64>,
        scratch: &mut Scratch<'_>,
        masks: &mut Masks<'_>,
    ) {
        let (l, run) = (self.l, self.run);
        let (Some(fast), Some(slow), Some(soma), Some(psp), Some(sums)) = (
            tile_mut::<TILE, _>(neurons.fast, first),
            tile_mut::<TILE, _>(neurons.slow, first),
            tile_mut::<TILE, _>(neurons.soma, first),
            tile_mut::<TILE, _>(neurons.psp, first),
            tile_mut::<TILE, _>(neurons.soma_sums, first),
        ) else {
            return;
        };
        let biases = neurons.bias.as_chunks::<BLOCK>().0.get(first..).unwrap_or(&[]);
        let stride = self.blocks.max(1);
        let columns = TileOf::<i16, TILE>::new(self.columns, first);
        let spikes = run.presynaptic.steps_from(run.first);
        let Some(fired) = masks.fired.get_mut(first..).and_then(|fired| fired.first_chunk_mut::<TILE>())
        else {
            return;
        };
        let words = scratch.places.chunks_exact(places_of(stride)).zip(&mut *masks.more);
        let words = words.zip(spikes).take(run.steps);
        for (step, ((places, more), spikes)) in words.enumerate() {
            let Some(places) = places.get(first..) else { return };
            let totals = self.totals(columns, spikes, first);
            let state = fast.iter_mut().zip(&mut *slow).zip(&mut *soma).zip(biases).zip(&mut *psp);
            let state = state.zip(&mut *sums).zip(totals).zip(places.iter().zip(&mut *fired)).zip(first..);
            for ((((((((fast, slow), soma), bias), psp), sums), totals), (&place, fired)), at) in state {
                let unit = at.wrapping_mul(BLOCK);
                let mut total = [0i32; BLOCK];
                for (total, to) in totals.into_iter().zip(total.as_chunks_mut::<16>().0) {
                    l.store_totals(total, to);
                }
                let mut block =
                    Block { sums: [0; BLOCK], fast: *fast, slow: *slow, soma: *soma, bias: *bias };
                sum_of.narrow(&total, &mut block.sums);
                let bases = run.label.map(|label| step_of.bases(label.wrapping_sub(unit)));
                let draws = Draws { offset: (place & !THRICE).into(), first: unit };
                step_of.run_block::<NOISY>(&mut block, bases.as_ref(), draws);
                (*fast, *slow, *soma) = (block.fast, block.slow, block.soma);
                if !self.silent {
                    let (mut potentials, mut credit) = ([0; BLOCK], l.load_unsigned(psp));
                    step_of.comparable(soma, &mut potentials);
                    fire(
                        l,
                        l.load(&potentials),
                        place,
                        run.shares.get(step),
                        &mut credit,
                        (at, step, fired, more),
                    );
                    l.store_unsigned(credit, psp);
                }
                if !run.window.contains(&step) {
                    continue;
                }
                let units = neurons.units.saturating_sub(unit);
                for (sum, &soma) in sums.iter_mut().zip(&*soma).take(units) {
                    let term = match run.label {
                        Some(_) => self.layer.sigmoid(Variable::Soma, Variable::Rate, soma),
                        None => soma,
                    };
                    *sum = sum.wrapping_add(i64::from(term));
                }
            }
        }
        if !self.silent {
            for block in first..first.wrapping_add(TILE) {
                masks.keep(block, mask(neurons.units.saturating_sub(block.wrapping_mul(BLOCK))), run.steps);
            }
        }
    }

    /// Σ of the columns that spiked, for each half of each block.
    #[inline(always)]
    fn totals<const TILE: usize>(
        &self,
        columns: TileOf<'_, i16, TILE>,
        spikes: &[u16],
        first: usize,
    ) -> [[L::Totals; 2]; TILE] {
        let mut totals = [[self.l.splat_totals(0); 2]; TILE];
        match self.width {
            Width::Narrow => add_narrow(self.l, columns, spikes, &mut totals),
            Width::Parted(part) => {
                for spikes in spikes.chunks(part.max(1)) {
                    add_narrow(self.l, columns, spikes, &mut totals);
                }
            }
            // Sums from masks are those of the compiled-in formats.
            Width::Wide | Width::Known => self.add_widely(spikes, first, &mut totals),
        }
        totals
    }

    /// Σ of the columns that spiked, in 32 bits.
    #[inline(always)]
    fn add_widely<const TILE: usize>(
        &self,
        spikes: &[u16],
        first: usize,
        totals: &mut [[L::Totals; 2]; TILE],
    ) {
        let (l, columns) = (self.l, &self.columns);
        let stride = columns.stride / 16;
        for (block, totals) in (first..).zip(totals) {
            for (total, half) in
                totals.iter_mut().zip([block.wrapping_mul(2), block.wrapping_mul(2).wrapping_add(1)])
            {
                if half.wrapping_mul(16) >= columns.units {
                    continue;
                }
                let weights = columns.weights.as_chunks::<16>().0.get(half..).unwrap_or(&[]);
                let mut sum = *total;
                for &unit in spikes {
                    if let Some(column) = weights.get(usize::from(unit).wrapping_mul(stride)) {
                        sum = l.add_totals(sum, column);
                    }
                }
                *total = sum;
            }
        }
    }
}

/// Adds columns that certainly add up in 16 bits.
#[inline(always)]
fn add_narrow<L: Lanes, const TILE: usize>(
    l: L,
    columns: TileOf<'_, i16, TILE>,
    spikes: &[u16],
    totals: &mut [[L::Totals; 2]; TILE],
) {
    let mut sums = [l.splat(0); TILE];
    add_some(l, columns, spikes, &mut sums);
    each::<TILE>(
        #[inline(always)]
        |block| {
            if let (Some(&sum), Some([low, high])) = (sums.get(block), totals.get_mut(block)) {
                let sum = l.widened(sum);
                (*low, *high) = (l.sum_totals(*low, sum[0]), l.sum_totals(*high, sum[1]));
            }
        },
    );
}

/// One half of a block.
#[inline(always)]
fn half_of<L: Lanes>(l: L, from: Option<&[i32; BLOCK]>, half: usize) -> L::Totals {
    from.and_then(|from| from.as_chunks::<16>().0.get(half))
        .map_or(l.splat_totals(0), |from| l.load_totals(from))
}

/// The lanes of a block that are neurons, of which so many are left.
pub(super) fn mask(units: usize) -> u32 {
    if units >= BLOCK { u32::MAX } else { (1u32 << (units & 31)).wrapping_sub(1) }
}

/// A step of 16 neurons.
struct Step<'a, L> {
    l: L,
    quick: &'a QuickRun,
    sum: &'a Sum,
    taught: bool,
    offset: u32,
    spikes: u32,
}

impl<L: Lanes> Step<'_, L> {
    #[inline(always)]
    fn step<const KIND: u8, const COUNT: bool>(
        &self,
        total: L::Totals,
        moving: &mut Moving<L::Totals>,
        fixed: &Fixed<L::Totals>,
        tail: Option<&mut [i32; 16]>,
        live: (u32, usize),
        counting: &mut Counting<'_, '_, COUNT>,
    ) {
        use Variable::{Basal, FilterFast, FilterSlow, Soma};
        let (l, quick) = (self.l, self.quick);
        let sum = match KIND {
            ANY => self.narrowed::<ANY, COUNT>(total, fixed.spread, live, counting),
            _ => self.narrowed::<SIMPLE, COUNT>(total, fixed.spread, live, counting),
        };
        // Today's sum in the place of that of ten steps ago.
        let gone = tail.and_then(
            #[inline(always)]
            |tail| {
                let old = l.load_totals(tail);
                l.store_totals(sum, tail);
                quick.tails.map(|tails| (old, tails))
            },
        );
        let Moving { fast, slow, soma, .. } = *moving;
        let moved_to = l.sum_totals(
            fast,
            quick.fast.moved::<L, KIND>(
                l,
                fast,
                sum,
                #[inline(always)]
                |exact| noise_of(l, self.offset, fixed.spread, FilterFast, exact),
            ),
        );
        let mut fast = hold::<L, KIND, COUNT>(l, &quick.fast, FilterFast, (fast, moved_to), live, counting);
        if let Some((old, [tail, _])) = gone {
            fast = self.forget::<KIND, COUNT>(FilterFast, fast, (old, tail), fixed.spread, live, counting);
        }
        let moved_to = l.sum_totals(
            slow,
            quick.slow.moved::<L, KIND>(
                l,
                slow,
                fast,
                #[inline(always)]
                |exact| noise_of(l, self.offset, fixed.spread, FilterSlow, exact),
            ),
        );
        let mut slow = hold::<L, KIND, COUNT>(l, &quick.slow, FilterSlow, (slow, moved_to), live, counting);
        if let Some((old, [_, tail])) = gone {
            slow = self.forget::<KIND, COUNT>(FilterSlow, slow, (old, tail), fixed.spread, live, counting);
        }
        let exact = self.driven::<KIND>(slow, fixed);
        let mut basal = exact;
        if quick.basal_held {
            basal = quick.basal.hold::<L, KIND>(l, exact, l.splat_totals(0));
            counting.held(l, (Basal, quick.basal.overflow::<KIND>()), (exact, basal), live);
        }
        let moved = quick.soma.moved::<L, KIND>(
            l,
            soma,
            basal,
            #[inline(always)]
            |exact| noise_of(l, self.offset, fixed.spread, Soma, exact),
        );
        let soma = if self.taught {
            let exact = l.sum_totals(fixed.base, moved);
            let held = quick.soma.narrowing.hold::<L, KIND>(l, exact, soma);
            counting.held(l, (Soma, quick.soma.narrowing.overflow::<KIND>()), (exact, held), live);
            held
        } else {
            let moved_to = l.sum_totals(soma, moved);
            hold::<L, KIND, COUNT>(l, &quick.soma, Soma, (soma, moved_to), live, counting)
        };
        (moving.fast, moving.slow, moving.soma) = (fast, slow, soma);
    }

    /// The basal drive of a filter, not yet held.
    #[inline(always)]
    fn driven<const KIND: u8>(&self, slow: L::Totals, fixed: &Fixed<L::Totals>) -> L::Totals {
        let (l, quick) = (self.l, self.quick);
        if KIND == ANY && quick.basal.split {
            return quick.basal.round_parts(
                l,
                Parts::of(l, slow, quick.gain).plus(l, fixed.constant),
                #[inline(always)]
                |drive| noise_of(l, self.offset, fixed.spread, Variable::Basal, drive),
            );
        }
        let synaptic = l.multiply_totals(slow, l.splat_totals(quick.gain));
        let drive = l.sum_totals(synaptic, fixed.constant);
        quick.basal.round::<L, KIND>(
            l,
            drive,
            #[inline(always)]
            || noise_of(l, self.offset, fixed.spread, Variable::Basal, drive),
        )
    }

    /// Takes from a filter what a cut kernel forgets.
    #[inline(always)]
    fn forget<const KIND: u8, const COUNT: bool>(
        &self,
        variable: Variable,
        x: L::Totals,
        (old, tail): (L::Totals, Tail),
        spread: L::Totals,
        live: (u32, usize),
        counting: &mut Counting<'_, '_, COUNT>,
    ) -> L::Totals {
        let l = self.l;
        let exact = l.multiply_totals(old, l.splat_totals(tail.gain));
        let gone = tail.narrowing.round::<L, KIND>(
            l,
            exact,
            #[inline(always)]
            || noise_of(l, self.offset, spread, variable, exact),
        );
        let left = l.subtract_totals(x, gone);
        let held = tail.narrowing.hold::<L, KIND>(l, left, x);
        counting.held(l, (variable, tail.narrowing.overflow::<KIND>()), (left, held), live);
        held
    }

    /// A sum of columns as the filter takes it.
    #[inline(always)]
    fn narrowed<const KIND: u8, const COUNT: bool>(
        &self,
        total: L::Totals,
        spread: L::Totals,
        live: (u32, usize),
        counting: &mut Counting<'_, '_, COUNT>,
    ) -> L::Totals {
        let (l, sum) = (self.l, self.sum);
        let mut kept = total;
        if sum.limited {
            kept = sum.accumulator.hold::<L, KIND>(l, total, total);
            counting.held(
                l,
                (Variable::Accumulator, sum.accumulator.overflow::<KIND>()),
                (total, kept),
                live,
            );
        }
        let mut near = kept;
        if sum.far {
            near = l.max_totals(l.splat_totals(sum.near.0), l.min_totals(l.splat_totals(sum.near.1), kept));
        }
        let raised = if sum.left > 0 { l.shift_totals_left(near, sum.left) } else { near };
        let exact = sum.narrowing.round::<L, KIND>(
            l,
            raised,
            #[inline(always)]
            || noise_of(l, self.spikes, spread, Variable::Accumulator, kept),
        );
        if !sum.held {
            return exact;
        }
        let held = sum.narrowing.hold::<L, KIND>(l, exact, exact);
        counting.held(l, (Variable::FilterFast, sum.narrowing.overflow::<KIND>()), (exact, held), live);
        held
    }
}

/// The sum of a state and its move, held where that is needed; `old` is the state before.
#[inline(always)]
fn hold<L: Lanes, const KIND: u8, const COUNT: bool>(
    l: L,
    toward: &Toward,
    variable: Variable,
    (old, exact): (L::Totals, L::Totals),
    live: (u32, usize),
    counting: &mut Counting<'_, '_, COUNT>,
) -> L::Totals {
    if !toward.held {
        return exact;
    }
    let held = toward.narrowing.hold::<L, KIND>(l, exact, old);
    counting.held(l, (variable, toward.narrowing.overflow::<KIND>()), (exact, held), live);
    held
}
