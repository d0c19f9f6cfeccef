//! A layer through all steps of a run, two blocks of 32 neurons at a time: as many registers
//! as the integers' four.

use super::{Coefficients, Float32, FloatLanes, pull, sigmoid};
use apical_core::arithmetic::{Columns, Neurons, Run, Scratch, Wanted};
use apical_core::kernels::{THRICE, draw_places, places_of};
use apical_core::random::Generator;
use apical_core::tables::noise::BLOCK;
use apical_core::trains::{Masks, Trains};

/// Blocks that are worked off together.
const TILE: usize = 2;

/// What moves in a block of neurons.
#[derive(Clone, Copy)]
struct Moving<L: FloatLanes> {
    x1: [L::Floats; 2],
    x2: [L::Floats; 2],
    c: [L::Floats; 2],
    credit: L::Block,
}

impl<L: FloatLanes> Float32<L> {
    /// All steps of a run; see [`Arithmetic::run`](apical_core::arithmetic::Arithmetic::run).
    #[allow(clippy::too_many_arguments)] // those of `Arithmetic::run`
    pub(super) fn run_layer(
        &self,
        layer: &Coefficients,
        columns: Columns<'_, f32>,
        mut neurons: Neurons<'_, f32, f32>,
        run: &Run<'_>,
        draws: &mut Generator,
        trains: &mut Trains<'_>,
        scratch: &mut Scratch<'_>,
    ) -> bool {
        let blocks = neurons.units.div_ceil(BLOCK);
        let whole = neurons.soma.len().min(neurons.psp.len()) >= blocks * BLOCK;
        if !whole
            || places_of(blocks) * run.steps > scratch.places.len()
            || !trains.masks.has_room(blocks, run.steps)
        {
            return false;
        }
        trains.masks.begin(blocks, run.steps);
        self.lanes.apart(
            #[inline(always)]
            || draw_places(self.lanes, draws, run.steps, blocks, scratch.places),
        );
        let tiles = Tiles { float: self, layer, columns, run, blocks };
        let (places, masks) = (&*scratch.places, &mut trains.masks);
        let mut first = 0;
        while first + TILE <= blocks {
            tiles.work::<TILE, 2>(first, &mut neurons, places, masks);
            first += TILE;
        }
        while first < blocks {
            // Ten outputs are half a block.
            if neurons.units - first * BLOCK <= 16 {
                tiles.work::<1, 1>(first, &mut neurons, places, masks);
            } else {
                tiles.work::<1, 2>(first, &mut neurons, places, masks);
            }
            first += 1;
        }
        if run.wanted != Wanted::Nothing {
            self.lanes.apart(
                #[inline(always)]
                || trains.list(self.lanes, run.steps, None),
            );
        }
        true
    }

    /// W += e · ⟨s⟩ for a column.
    #[inline(always)]
    pub(super) fn update(&self, column: &mut [f32], errors: &[f32], psp: f32) {
        let (l, psp) = (self.lanes, self.lanes.splat_floats(psp));
        for (weights, errors) in column.as_chunks_mut::<16>().0.iter_mut().zip(errors.as_chunks::<16>().0) {
            l.store_floats(l.fused(l.load_floats(errors), psp, l.load_floats(weights)), weights);
        }
    }
}

/// What all tiles of a layer share.
struct Tiles<'a, L> {
    float: &'a Float32<L>,
    layer: &'a Coefficients,
    columns: Columns<'a, f32>,
    run: &'a Run<'a>,
    blocks: usize,
}

impl<L: FloatLanes> Tiles<'_, L> {
    /// All steps of the `TILE` blocks from `first` on, of which `HALVES` halves have neurons.
    #[inline(always)]
    fn work<const TILE: usize, const HALVES: usize>(
        &self,
        first: usize,
        neurons: &mut Neurons<'_, f32, f32>,
        places: &[u16],
        masks: &mut Masks<'_>,
    ) {
        let l = self.float.lanes;
        macro_rules! steps {
            ($taught:literal, $heard:literal) => {
                l.apart(
                    #[inline(always)]
                    || self.steps::<TILE, HALVES, $taught, $heard>(first, neurons, places, masks),
                )
            };
        }
        match (self.run.label.is_some(), self.run.wanted == Wanted::Nothing) {
            (true, _) => steps!(true, true),
            (false, false) => steps!(false, true),
            (false, true) => steps!(false, false),
        }
    }

    #[inline(always)]
    fn steps<const TILE: usize, const HALVES: usize, const TAUGHT: bool, const HEARD: bool>(
        &self,
        first: usize,
        neurons: &mut Neurons<'_, f32, f32>,
        places: &[u16],
        masks: &mut Masks<'_>,
    ) {
        let (l, run, stride) = (self.float.lanes, self.run, self.blocks);
        let none = [l.splat_floats(0.0); 2];
        let mut moving = [Moving::<L> { x1: none, x2: none, c: none, credit: l.splat(0) }; TILE];
        let (mut bias, mut pulls) = ([none; TILE], [none; TILE]);
        for block in 0..TILE {
            moving[block].x1 = load(l, neurons.fast, first + block);
            moving[block].x2 = load(l, neurons.slow, first + block);
            moving[block].c = load(l, neurons.soma, first + block);
            moving[block].credit = l.load_unsigned(&neurons.psp.as_chunks().0[first + block]);
            bias[block] = load(l, neurons.bias, first + block);
            let unit = (first + block) * BLOCK;
            let pull: [f32; BLOCK] = core::array::from_fn(|lane| pull(run.label == Some(unit + lane)));
            pulls[block] = load(l, &pull, 0);
        }
        // What is read through a reference is read again after every store: here it is not.
        let window = run.window.clone();
        let (weights, column) = (&self.columns.weights[first * BLOCK..], self.columns.stride);
        let spikes = run.presynaptic.steps_from(run.first);
        let Some(fired) = masks.fired[first..].first_chunk_mut::<TILE>() else { return };
        let words = places.chunks_exact(places_of(stride)).zip(&mut *masks.more);
        let words = words.zip(spikes).take(run.steps);
        for (step, ((places, more), spikes)) in words.enumerate() {
            let mut totals = [none; TILE];
            for &unit in spikes {
                let Some(column) = weights.get(usize::from(unit) * column..) else { continue };
                let (blocks, _) = column.as_chunks::<BLOCK>();
                let Some(blocks) = blocks.first_chunk::<TILE>() else { continue };
                for (totals, block) in totals.iter_mut().zip(blocks) {
                    for (total, terms) in totals.iter_mut().zip(block.as_chunks().0).take(HALVES) {
                        *total = l.add_floats(*total, l.load_floats(terms));
                    }
                }
            }
            let Some(places) = places[first..].first_chunk::<TILE>() else { return };
            let share = run.shares.get(step);
            for block in 0..TILE {
                let (state, fixed) = (&mut moving[block], (bias[block], pulls[block], places[block]));
                let words = self.advance::<HALVES, TAUGHT>(state, totals[block], fixed, share);
                if HEARD {
                    *more |= u32::from(words[2] != 0) << ((first + block) % 32);
                    for (fired, word) in fired[block].iter_mut().zip(words) {
                        fired[step] = word;
                    }
                }
            }
            if window.contains(&step) {
                for (block, moving) in moving.iter().enumerate() {
                    let (sums, _) = neurons.soma_sums[(first + block) * BLOCK..].as_chunks_mut::<16>();
                    for (sums, &c) in sums.iter_mut().zip(&moving.c).take(HALVES) {
                        let mut c = c;
                        if TAUGHT {
                            let mut rates = [0.0; 16];
                            l.store_floats(c, &mut rates);
                            c = l.load_floats(&rates.map(sigmoid));
                        }
                        l.store_floats(l.add_floats(l.load_floats(sums), c), sums);
                    }
                }
            }
        }
        for (block, moving) in moving.iter().enumerate() {
            let at = (first + block) * BLOCK;
            let states =
                [(&mut *neurons.fast, moving.x1), (neurons.slow, moving.x2), (neurons.soma, moving.c)];
            for (to, from) in states {
                let (halves, _) = to[at..].as_chunks_mut::<16>();
                halves.iter_mut().zip(from).for_each(|(to, from)| l.store_floats(from, to));
            }
            l.store_unsigned(moving.credit, &mut neurons.psp.as_chunks_mut().0[first + block]);
            let units = neurons.units - at;
            masks.keep(first + block, if units < BLOCK { (1 << units) - 1 } else { u32::MAX }, run.steps);
        }
    }

    /// One step of a block: filters, soma, spikes, their credit.
    #[inline(always)]
    fn advance<const HALVES: usize, const TAUGHT: bool>(
        &self,
        moving: &mut Moving<L>,
        totals: [L::Floats; 2],
        (bias, pulls, place): ([L::Floats; 2], [L::Floats; 2], u16),
        share: Option<&u16>,
    ) -> [u32; 3] {
        let (l, layer) = (self.float.lanes, self.layer);
        let Moving { mut x1, mut x2, mut c, mut credit } = *moving;
        for half in 0..HALVES {
            let (fast, slow) = (l.splat_floats(layer.fast), l.splat_floats(layer.slow));
            x1[half] = l.fused(l.subtract_floats(totals[half], x1[half]), fast, x1[half]);
            x2[half] = l.fused(l.subtract_floats(x1[half], x2[half]), slow, x2[half]);
            let drive = l.fused(x2[half], l.splat_floats(layer.basal), bias[half]);
            let from = if TAUGHT { pulls[half] } else { c[half] };
            c[half] = l.fused(l.subtract_floats(drive, c[half]), l.splat_floats(layer.soma), from);
        }
        let (once, twice) = (self.fired::<HALVES>(c, 1, place), self.fired::<HALVES>(c, 2, place));
        let mut thrice = 0;
        if let Some(&share) = share {
            let share = l.splat(share as i16);
            credit = l.add_where(l.add_where(credit, l.mask(once), share), l.mask(twice), share);
        }
        if place & THRICE != 0 {
            thrice = self.fired::<HALVES>(c, 3, place);
            if let Some(&share) = share {
                credit = l.add_where(credit, l.mask(thrice), l.splat(share as i16));
            }
        }
        *moving = Moving { x1, x2, c, credit };
        [once, twice, thrice]
    }

    /// Who of a block fires so many times.
    #[inline(always)]
    fn fired<const HALVES: usize>(&self, c: [L::Floats; 2], spikes: usize, place: u16) -> u32 {
        let l = self.float.lanes;
        let thresholds = self.float.noise.at(spikes, place).as_chunks::<16>().0;
        let low = l.greater_floats(c[0], l.load_floats(&thresholds[0]));
        match HALVES {
            1 => low,
            _ => low | l.greater_floats(c[1], l.load_floats(&thresholds[1])) << 16,
        }
    }
}

/// Two halves of a block.
#[inline(always)]
fn load<L: FloatLanes>(l: L, from: &[f32], block: usize) -> [L::Floats; 2] {
    let halves = from[block * BLOCK..].as_chunks::<16>().0;
    [l.load_floats(&halves[0]), l.load_floats(&halves[1])]
}
