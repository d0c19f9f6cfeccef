//! The kernels 32 numbers at a time.
//!
//! Written once over [`Lanes`], a handful of operations on 32 numbers of 16 bits, which a
//! host crate supplies for its vector unit; this crate stays free of `unsafe`. Memory must
//! be padded to whole blocks of 32 units; weights in the padding are zero.

use super::by_time::{MOST_UNITS, sum_by_time};
use super::counted::{Counted, MOST_WEIGHTS};
use super::note::{Count, Nobody, Note};
use super::run::has_room;
use super::{Kernels, NARROW_GRAIN, Reach, fits, grown_bound, learn_columns, nothing_is_held, plain};
use crate::arithmetic::{Columns, ColumnsMut, Dynamics, Neurons, Run, Scratch};
use crate::formats::{ACCUMULATOR_LIMIT, STATE_LIMIT, Variable};
use crate::losses::Losses;
use crate::native::{Weight, mean, mean_psp, narrow, reciprocal};
use crate::parameters::{Coefficients, TEACHER};
use crate::random::{DITHER_STRIDE, Dither, Generator, Offsets, next_four, offsets_of};
use crate::rounding::Rounding;
use crate::spikes::Spikes;
use crate::tables::noise::{BLOCK, NEVER, SINGLE_ABOVE, SINGLE_WITHIN, count, thresholds};
use crate::trains::{Trains, WORDS};

/// 32 numbers of 16 bits, and what a vector unit does with them.
pub trait Lanes: Copy {
    /// The numbers.
    type Block: Copy;
    /// The same number 32 times.
    fn splat(self, value: i16) -> Self::Block;
    /// From memory.
    fn load(self, from: &[i16; 32]) -> Self::Block;
    /// From memory, 8 bits each.
    fn load_bytes(self, from: &[i8; 32]) -> Self::Block;
    /// To memory.
    fn store(self, block: Self::Block, to: &mut [i16; 32]);
    /// To memory, each held within 8 bits.
    fn store_bytes(self, block: Self::Block, to: &mut [i8; 32]);
    /// Sum, modulo 2¹⁶.
    fn add(self, a: Self::Block, b: Self::Block) -> Self::Block;
    /// Difference, modulo 2¹⁶.
    fn subtract(self, a: Self::Block, b: Self::Block) -> Self::Block;
    /// Adds two rows of 64 numbers of 8 bits to 64 sums, which stand in an order of the
    /// lanes' own.
    fn add_bytes(self, sums: [Self::Block; 2], one: &[i8; 64], other: &[i8; 64]) -> [Self::Block; 2];
    /// Those sums in the order of the numbers.
    fn in_order(self, sums: [Self::Block; 2]) -> [Self::Block; 2];
    /// Adds steps, which fit into 8 bits, to numbers of 8 bits, each sum held.
    fn move_bytes(self, numbers: &mut [i8; 64], steps: [Self::Block; 2]);
    /// Sum, held within 16 bits.
    fn add_held(self, a: Self::Block, b: Self::Block) -> Self::Block;
    /// The smaller of each pair.
    fn min(self, a: Self::Block, b: Self::Block) -> Self::Block;
    /// The larger of each pair.
    fn max(self, a: Self::Block, b: Self::Block) -> Self::Block;
    /// Bits that both have.
    fn and(self, a: Self::Block, b: Self::Block) -> Self::Block;
    /// Magnitudes; that of −2¹⁵ stays as it is.
    fn magnitude(self, a: Self::Block) -> Self::Block;
    /// ⌊a·b·2⁻¹⁵ + ½⌋.
    fn product(self, a: Self::Block, b: Self::Block) -> Self::Block;
    /// a·2^−shift toward −∞.
    fn shift_right(self, a: Self::Block, shift: u32) -> Self::Block;
    /// a·2^−shift of unsigned numbers.
    fn shift_right_unsigned(self, a: Self::Block, shift: u32) -> Self::Block;
    /// a·2^shift modulo 2¹⁶.
    fn shift_left(self, a: Self::Block, shift: u32) -> Self::Block;
    /// 16 sums of 32 bits.
    type Totals: Copy;
    /// All zero.
    fn no_totals(self) -> Self::Totals;
    /// Adds a number to each.
    fn add_totals(self, totals: Self::Totals, terms: &[i16; 16]) -> Self::Totals;
    /// Adds a number of 8 bits to each.
    #[inline(always)]
    fn add_totals_bytes(self, totals: Self::Totals, terms: &[i8; 16]) -> Self::Totals {
        self.add_totals(totals, &terms.map(i16::from))
    }
    /// To memory.
    fn store_totals(self, totals: Self::Totals, to: &mut [i32; 16]);
    /// From memory.
    fn load_totals(self, from: &[i32; 16]) -> Self::Totals;
    /// Bit i: whether number i of a is greater than number i of b.
    #[inline(always)]
    fn greater(self, a: Self::Block, b: Self::Block) -> u32 {
        self.bits(self.exceeding(a, b))
    }
    /// Calls `f` as a function of its own, compiled for this vector unit: a loop that needs
    /// all registers must not share them with its neighbours.
    fn apart<R>(self, f: impl FnOnce() -> R) -> R;
    /// Writes down the names whose bits are set, in order, those of the low 32 bits and then
    /// those of the high; what follows them does not matter.
    #[inline(always)]
    fn choose(self, bits: u64, names: &[u16; 32], to: &mut [u16; 128]) {
        let mut places = [0; 128];
        self.number(bits, 0, &mut places);
        for (to, &place) in to.iter_mut().zip(&places).take(bits.count_ones() as usize) {
            *to = names.get(usize::from(place) & 31).copied().unwrap_or(0);
        }
    }
    /// Writes down `first` + the places of the bits that are set, in order; what follows them
    /// does not matter.
    #[inline(always)]
    fn number(self, bits: u64, first: u16, to: &mut [u16; 128]) {
        let (low, high) = (bits as u32, (bits >> 32) as u32);
        for (word, first, at) in [(low, first, 0), (high, first.wrapping_add(32), low.count_ones() as usize)]
        {
            if let Some(to) = to.get_mut(at..).and_then(|to| to.first_chunk_mut()) {
                crate::spikes::name_set(word, first, to);
            }
        }
    }
    /// σ of each, in Q15 ([`crate::tables::sigmoid`]).
    #[inline(always)]
    fn sigmoids(self, potentials: Self::Block) -> Self::Block {
        self.load(&spill(self, potentials).map(crate::tables::sigmoid::sigmoid))
    }
    /// Adds factor times a number to each.
    fn add_products(self, totals: Self::Totals, terms: &[i16; 16], factor: i16) -> Self::Totals;
    /// (sum + half) · 2^−shift of each, toward −∞.
    fn shift_totals(self, totals: Self::Totals, half: i32, shift: u32) -> Self::Totals;
    /// 32 sums, each held within ±limit and 16 bits.
    fn held_totals(self, totals: [Self::Totals; 2], limit: i32) -> Self::Block;
    /// Bit i: whether sum i is beyond ±limit.
    fn beyond(self, totals: Self::Totals, limit: i32) -> u32;
    /// The same number of 32 bits 16 times.
    fn splat_totals(self, value: i32) -> Self::Totals;
    /// The numbers of a block with 32 bits each.
    fn widened(self, block: Self::Block) -> [Self::Totals; 2];
    /// Sum, modulo 2³².
    fn sum_totals(self, a: Self::Totals, b: Self::Totals) -> Self::Totals;
    /// Difference, modulo 2³².
    fn subtract_totals(self, a: Self::Totals, b: Self::Totals) -> Self::Totals;
    /// Product, modulo 2³².
    fn multiply_totals(self, a: Self::Totals, b: Self::Totals) -> Self::Totals;
    /// The smaller of each pair.
    fn min_totals(self, a: Self::Totals, b: Self::Totals) -> Self::Totals;
    /// The larger of each pair.
    fn max_totals(self, a: Self::Totals, b: Self::Totals) -> Self::Totals;
    /// Bits that both have.
    fn and_totals(self, a: Self::Totals, b: Self::Totals) -> Self::Totals;
    /// Bits that one of them has.
    fn xor_totals(self, a: Self::Totals, b: Self::Totals) -> Self::Totals;
    /// a·2^shift modulo 2³².
    fn shift_totals_left(self, a: Self::Totals, shift: u32) -> Self::Totals;
    /// a·2^−shift of unsigned numbers.
    fn shift_totals_unsigned(self, a: Self::Totals, shift: u32) -> Self::Totals;
    /// Bit i: whether number i of a is not number i of b.
    fn differing_totals(self, a: Self::Totals, b: Self::Totals) -> u32;
    /// Adds neighbours, the first two numbers to the first sum, and so on.
    fn add_neighbours(self, totals: Self::Totals, block: Self::Block) -> Self::Totals;
    /// Adds each number to its sum.
    fn accumulate(self, block: Self::Block, sums: &mut [i32; 32]);
    /// 16 generators of a dither, from memory.
    fn load_generators(self, from: &[u32; 16]) -> Self::Totals;
    /// To memory.
    fn store_generators(self, generators: Self::Totals, to: &mut [u32; 16]);
    /// The offsets of the next draws after the `last` four, which become those.
    #[inline(always)]
    fn next_offsets(self, last: &mut [u32; 4], to: &mut [[[u16; 2]; 4]]) {
        for to in to {
            *last = next_four(*last);
            *to = last.map(offsets_of);
        }
    }
    /// A step of each, and the 32 numbers it yields; see [`Dither::draw`].
    fn next_generators(self, generators: Self::Totals) -> (Self::Totals, Self::Block);
    /// A choice of lanes.
    type Mask: Copy;
    /// The lanes where a is greater than b.
    fn exceeding(self, a: Self::Block, b: Self::Block) -> Self::Mask;
    /// A choice as bits.
    fn bits(self, mask: Self::Mask) -> u32;
    /// Bits as a choice.
    fn mask(self, bits: u32) -> Self::Mask;
    /// a + b modulo 2¹⁶ in the chosen lanes; a in the others.
    fn add_in(self, a: Self::Block, mask: Self::Mask, b: Self::Block) -> Self::Block;
    /// Whether [`Self::half`], [`Self::look_up`] and [`Self::look_up_in_two`] are there.
    const LOOKS_UP: bool = false;
    /// The lower halves (0) of 32 numbers of 32 bits, or the upper ones (1).
    #[inline(always)]
    fn half(self, from: &[u32; 32], half: usize) -> Self::Block {
        let _ = (from, half);
        self.splat(0)
    }
    /// For each lane the number of the table that its lowest 5 bits name.
    #[inline(always)]
    fn look_up(self, table: Self::Block, places: Self::Block) -> Self::Block {
        let _ = places;
        table
    }
    /// For each lane the number of the tables that its lowest 6 bits name.
    #[inline(always)]
    fn look_up_in_two(self, tables: [Self::Block; 2], places: Self::Block) -> Self::Block {
        let _ = places;
        tables[0]
    }
    /// Writes down the words that are not zero, and their places from `first` on; returns how
    /// many. What follows them does not matter.
    #[inline(always)]
    fn pick(self, words: &[u32; 16], first: u32, found: &mut [u32; 16], places: &mut [u32; 16]) -> usize {
        let mut end = 0usize;
        for (&word, place) in words.iter().zip(first..) {
            if let (Some(found), Some(at)) = (found.get_mut(end), places.get_mut(end)) {
                (*found, *at) = (word, place);
            }
            end = end.wrapping_add(usize::from(word != 0));
        }
        end
    }
    /// Bits that are set in the first `used` words.
    #[inline(always)]
    fn count_ones(self, words: &[u32; WORDS], used: usize) -> u32 {
        let (pairs, last) = words.get(..used).unwrap_or(words).as_chunks::<2>();
        let mut count = last.first().map_or(0, |word| word.count_ones());
        for &[one, other] in pairs {
            let both = u64::from(one) | u64::from(other) << 32;
            count = count.wrapping_add(both.count_ones());
        }
        count
    }
    /// a + b of unsigned numbers in the chosen lanes, held within 16 bits; a in the others.
    fn add_where(self, a: Self::Block, mask: Self::Mask, b: Self::Block) -> Self::Block;
    /// From memory, unsigned.
    fn load_unsigned(self, from: &[u16; 32]) -> Self::Block;
    /// To memory, unsigned.
    fn store_unsigned(self, block: Self::Block, to: &mut [u16; 32]);
    /// The smaller of each pair of unsigned numbers.
    fn min_unsigned(self, a: Self::Block, b: Self::Block) -> Self::Block;
    /// Bit i: whether number i of a is not number i of b.
    fn differing(self, a: Self::Block, b: Self::Block) -> u32;
    /// Whether any number of a is not that of b.
    fn differ(self, a: Self::Block, b: Self::Block) -> bool;
    /// `found`, and where a number of a is not that of b, not zero.
    fn differing_or(self, found: Self::Block, a: Self::Block, b: Self::Block) -> Self::Block;
    /// The largest of all numbers, unsigned.
    fn largest(self, a: Self::Block) -> u16;
}

/// Something to be done on whatever lanes there are.
pub trait Job {
    /// What comes of it.
    type Outcome;
    /// Does it; inlined, so that the instructions of these lanes may be used.
    fn work<L: Lanes>(self, lanes: L) -> Self::Outcome;
}

/// Kernels on a vector unit.
#[derive(Debug, Clone, Copy, Default)]
pub struct Vector<L>(pub L);

impl<L: Lanes> Kernels for Vector<L> {
    #[inline(always)]
    fn on_lanes<J: Job>(&self, job: J) -> Option<J::Outcome> {
        Some(job.work(self.0))
    }

    #[inline(always)]
    fn sum_columns<W: Weight, const COUNT: bool>(
        &self,
        shift: i8,
        columns: Columns<'_, W>,
        spikes: &[u16],
        sums: &mut [i16],
        losses: &mut Losses<'_>,
    ) {
        let narrow = NarrowSum::new(self.0, shift);
        if sums.len() > BLOCK && fits::<W>(columns.bounds, spikes) {
            let mut rest = sum_tiles::<L, W, 16, COUNT>(&narrow, columns, spikes, 0, sums, losses);
            rest = sum_tiles::<L, W, 4, COUNT>(&narrow, columns, spikes, rest, sums, losses);
            sum_tiles::<L, W, 1, COUNT>(&narrow, columns, spikes, rest, sums, losses);
            return;
        }
        for (block, sums) in sums.as_chunks_mut::<32>().0.iter_mut().enumerate() {
            let unit = block.wrapping_mul(BLOCK);
            let total = match COUNT {
                true => self.sum_block(columns, spikes, unit, &mut Count(losses)),
                false => self.sum_block(columns, spikes, unit, &mut Nobody),
            };
            narrow.store::<COUNT>(total, sums, block, losses);
        }
    }

    #[inline(always)]
    fn advance<const COUNT: bool>(
        &self,
        layer: &Coefficients,
        state: Dynamics<'_, i16>,
        units: usize,
        label: Option<usize>,
        offsets: Offsets<'_, Generator>,
        spikes: &mut Spikes<'_>,
        losses: &mut Losses<'_>,
    ) {
        spikes.clear();
        let step = Step::new(self.0, layer);
        let sums = state.sums.as_chunks::<32>().0;
        let fast = state.fast.as_chunks_mut::<32>().0;
        let slow = state.slow.as_chunks_mut::<32>().0;
        let soma = state.soma.as_chunks_mut::<32>().0;
        let bias = state.bias.as_chunks::<32>().0;
        let oldest = state.oldest.as_chunks_mut::<32>().0;
        if oldest.is_empty() && label.is_none() {
            let blocks = sums.iter().zip(fast).zip(slow).zip(soma.iter_mut()).zip(bias);
            for (((((sums, fast), slow), soma), bias), block) in blocks.zip(0..) {
                let x2 = step.filter(sums, fast, slow, None);
                step.integrate::<COUNT>(x2, bias, soma, None, block, losses);
            }
        } else {
            let blocks = sums.iter().zip(fast).zip(slow).zip(soma.iter_mut()).zip(bias);
            let mut oldest = oldest.iter_mut();
            for (((((sums, fast), slow), soma), bias), block) in blocks.zip(0usize..) {
                let tail = oldest.next().map(|old| core::mem::replace(old, *sums));
                let x2 = step.filter(sums, fast, slow, tail);
                let first = block.wrapping_mul(BLOCK);
                let pull = label.map(|label| self.0.load(&pulls(label.wrapping_sub(first))));
                step.integrate::<COUNT>(x2, bias, soma, pull, block, losses);
            }
        }
        self.compare(state.soma, units, offsets, spikes);
    }

    #[inline(always)]
    fn fire(
        &self,
        potentials: &[i16],
        names: &[u16],
        offsets: Offsets<'_, Generator>,
        spikes: &mut Spikes<'_>,
    ) {
        spikes.clear();
        self.compare(potentials, potentials.len(), offsets, spikes);
        spikes.rename(names);
    }

    #[inline(always)]
    fn run<W: Weight, const COUNT: bool>(
        &self,
        layer: &Coefficients,
        columns: Columns<'_, W>,
        neurons: Neurons<'_, i16, i32>,
        run: &Run<'_>,
        draws: &mut Generator,
        trains: &mut Trains<'_>,
        scratch: &mut Scratch<'_>,
        losses: &mut Losses<'_>,
    ) -> bool {
        self.run_layer::<W, COUNT>(layer, columns, neurons, run, draws, trains, scratch, losses)
    }

    #[inline(always)]
    fn reads_masks(&self, units: usize, steps: usize, trains: &Trains<'_>, scratch: &Scratch<'_>) -> bool {
        L::LOOKS_UP && units <= MOST_UNITS && has_room(units, steps, trains, scratch)
    }

    #[inline(always)]
    fn sum_masks<W: Weight>(
        &self,
        columns: Columns<'_, W>,
        trains: &Trains<'_>,
        steps: usize,
        scratch: &mut Scratch<'_>,
    ) {
        if let Some(sums) = scratch.sums.get_mut(..steps) {
            sum_by_time(self.0, columns, &trains.masks, scratch.reaches, sums);
        }
    }

    #[inline(always)]
    fn fire_run(
        &self,
        potentials: &[i16],
        names: &[u16],
        run: &Run<'_>,
        draws: &mut Generator,
        trains: &mut Trains<'_>,
        scratch: &mut Scratch<'_>,
    ) -> bool {
        self.fire_all(potentials, names, run, draws, trains, scratch)
    }

    #[inline(always)]
    fn update<W: Weight, const COUNT: bool>(
        &self,
        variable: Variable,
        layer: &Coefficients,
        weights: &mut [W],
        errors: &[i16],
        psp: i16,
        dither: &[u16; 32],
        losses: &mut Losses<'_>,
    ) -> u16 {
        let Some(added) = Added::of(layer) else {
            return plain::Plain.update::<W, COUNT>(variable, layer, weights, errors, psp, dither, losses);
        };
        let noise = match added {
            Added::Constant(value) => self.0.splat(value),
            Added::Dither => self.0.load_unsigned(dither),
        };
        let mut counted = Counted::new(self.0, layer.update_shift, if COUNT { errors } else { &[] });
        let change = Change { variable, shift: layer.update_shift };
        macro_rules! change {
            ($counting:literal, $dithered:literal, $safe:literal) => {
                self.change::<W, $counting, $dithered, $safe>(
                    change,
                    weights,
                    errors,
                    psp,
                    noise,
                    &mut counted,
                    losses,
                )
            };
        }
        match (COUNT, added) {
            (false, Added::Constant(_)) => change!(false, false, true),
            (false, Added::Dither) => change!(false, true, true),
            (true, Added::Constant(_)) => change!(true, false, false),
            (true, Added::Dither) => change!(true, true, false),
        }
        if COUNT {
            counted.note(self.0, losses, variable);
        }
        self.magnitude(weights)
    }

    #[inline(always)]
    fn learn<W: Weight, const COUNT: bool>(
        &self,
        layer: &Coefficients,
        matrix: ColumnsMut<'_, W>,
        presynaptic: &[u16],
        steps: u32,
        errors: &[i16],
        dither: &mut Dither,
        losses: &mut Losses<'_>,
    ) {
        let Some(added) = Added::of(layer) else {
            return plain::Plain.learn::<W, COUNT>(layer, matrix, presynaptic, steps, errors, dither, losses);
        };
        if COUNT && matrix.weights.len() > MOST_WEIGHTS {
            return plain::Plain.learn::<W, COUNT>(layer, matrix, presynaptic, steps, errors, dither, losses);
        }
        // Padding has no errors, and nothing moves without one.
        let used = errors.iter().rposition(|&error| error != 0).map_or(0, |last| last.wrapping_add(1));
        let errors = errors.get(..used.next_multiple_of(BLOCK)).unwrap_or(errors);
        // Without bounds to keep, a column's magnitude is nobody's concern; those of narrow
        // weights say where counting must look.
        let bounded = (COUNT || W::EXACT_SPIKES == 0) && !matrix.bounds.is_empty();
        let reach = Reach::new::<W>(layer, if bounded || COUNT { errors } else { &[] });
        let safe = !COUNT || nothing_is_held(&matrix, reach, presynaptic, steps);
        let lost = COUNT && losses.looks_at_updates();
        let of = (layer.update_shift, added, reach);
        macro_rules! learn {
            ($lost:literal, $dithered:literal, $safe:literal) => {
                self.0.apart(
                    #[inline(always)]
                    || match bounded {
                        true => self.learn_all::<W, $lost, $dithered, true, $safe>(
                            of,
                            matrix,
                            presynaptic,
                            steps,
                            errors,
                            dither,
                            losses,
                        ),
                        false => self.learn_all::<W, $lost, $dithered, false, $safe>(
                            of,
                            matrix,
                            presynaptic,
                            steps,
                            errors,
                            dither,
                            losses,
                        ),
                    },
                )
            };
        }
        let dithered = matches!(added, Added::Dither);
        match (lost, dithered, safe) {
            (false, true, true) => learn!(false, true, true),
            (false, false, true) => learn!(false, false, true),
            _ if !COUNT => {}
            (true, true, true) => learn!(true, true, true),
            (true, false, true) => learn!(true, false, true),
            (true, true, false) => learn!(true, true, false),
            (true, false, false) => learn!(true, false, false),
            (false, true, false) => learn!(false, true, false),
            (false, false, false) => learn!(false, false, false),
        }
    }

    #[inline(always)]
    fn plateaus<W: Weight, const COUNT: bool>(
        &self,
        shift: i8,
        feedback: Columns<'_, W>,
        psp: &[i16],
        plateaus: &mut [i16],
        losses: &mut Losses<'_>,
    ) {
        if !self.apical_means::<W, COUNT>(shift, feedback, psp, plateaus, losses) {
            plain::apical_means::<W, COUNT>(shift, feedback, psp, plateaus, losses);
        }
        for plateaus in plateaus.as_chunks_mut::<BLOCK>().0 {
            self.0.store(self.0.sigmoids(self.0.load(plateaus)), plateaus);
        }
    }

    /// As plain as elsewhere, but compiled for the vector unit.
    #[inline(always)]
    fn errors<const COUNT: bool>(
        &self,
        gain: i32,
        targets: &[i16],
        forwards: &[i16],
        errors: &mut [i16],
        losses: &mut Losses<'_>,
    ) {
        plain::errors::<COUNT>(gain, targets, forwards, errors, losses);
    }

    #[inline(always)]
    fn slopes<const COUNT: bool>(
        &self,
        sums: &[i32],
        steps: u32,
        slopes: &mut [i16],
        losses: &mut Losses<'_>,
    ) {
        let l = self.0;
        let reciprocal = reciprocal(steps);
        let (blocks, _) = slopes.as_chunks_mut::<BLOCK>();
        for (slopes, sums) in blocks.iter_mut().zip(sums.as_chunks::<BLOCK>().0) {
            let means = sums.map(|sum| mean::<COUNT>(sum, reciprocal, Variable::Soma, losses));
            let rates = l.sigmoids(l.load(&means));
            l.store(l.subtract(rates, l.product(rates, rates)), slopes);
        }
    }
}

/// What is added to a change before its lower bits are cut off.
#[derive(Clone, Copy)]
enum Added {
    Constant(i16),
    Dither,
}

/// What changes, and by how many bits the change is shifted.
#[derive(Clone, Copy)]
struct Change {
    variable: Variable,
    shift: u8,
}

impl Added {
    /// None for the roundings that are more than an addition.
    #[inline(always)]
    fn of(layer: &Coefficients) -> Option<Self> {
        match layer.rounding {
            Rounding::Floor => Some(Self::Constant(0)),
            Rounding::Nearest => Some(Self::Constant((1i16 << (layer.update_shift & 15)) >> 1)),
            Rounding::Stochastic => Some(Self::Dither),
            _ => None,
        }
    }
}

impl<L: Lanes> Vector<L> {
    /// The updates of all columns; see [`Kernels::learn`]. `LOST` updates are counted; where it
    /// is `SAFE`, nothing is held.
    #[inline(always)]
    #[allow(clippy::too_many_arguments)] // those of `learn`
    fn learn_all<W: Weight, const LOST: bool, const DITHERED: bool, const BOUNDED: bool, const SAFE: bool>(
        &self,
        (shift, added, reach): (u8, Added, Reach),
        matrix: ColumnsMut<'_, W>,
        presynaptic: &[u16],
        steps: u32,
        errors: &[i16],
        dither: &mut Dither,
        losses: &mut Losses<'_>,
    ) {
        let l = self.0;
        if !LOST
            && SAFE
            && !BOUNDED
            && let ([errors], []) = errors.as_chunks()
        {
            return self.learn_block::<W, DITHERED>(
                (shift, added),
                matrix,
                presynaptic,
                steps,
                errors,
                dither,
            );
        }
        let mut counted = Counted::new(l, shift, if LOST { errors } else { &[] });
        let change = Change { variable: Variable::Weight, shift };
        let constant = l.splat(if let Added::Constant(value) = added { value } else { 0 });
        let mut generators = l.load_generators(dither.state());
        macro_rules! each {
            ($noting:expr) => {
                learn_columns::<W, { $noting }>(
                    matrix,
                    presynaptic,
                    steps,
                    losses,
                    #[inline(always)]
                    |column, psp, bound, losses| {
                        let numbers;
                        (generators, numbers) = l.next_generators(generators);
                        let noise = if DITHERED { numbers } else { constant };
                        let counted = &mut counted;
                        // Where no weight can reach its limit, nobody need look.
                        let safe = SAFE || BOUNDED && bound.is_some_and(|bound| reach.is_within(bound, psp));
                        match safe {
                            true => self.change::<W, LOST, DITHERED, true>(
                                change, column, errors, psp, noise, counted, losses,
                            ),
                            false => self.change::<W, LOST, DITHERED, false>(
                                change, column, errors, psp, noise, counted, losses,
                            ),
                        }
                        match bound {
                            Some(bound) if BOUNDED => self.grown(bound, reach.steps(psp), column),
                            _ => 0,
                        }
                    },
                )
            };
        }
        // Nothing is noted, and there is no branch to it, where nothing can be held.
        if SAFE {
            each!(false);
        } else {
            each!(true);
        }
        l.store_generators(generators, dither.lanes_mut());
        if LOST {
            counted.note(l, losses, Variable::Weight);
        }
    }

    /// The updates of all columns of a layer of one block, where nothing is counted: half a
    /// thousand short columns, between which there must be little to do.
    #[inline(always)]
    fn learn_block<W: Weight, const DITHERED: bool>(
        &self,
        (shift, added): (u8, Added),
        matrix: ColumnsMut<'_, W>,
        presynaptic: &[u16],
        steps: u32,
        errors: &[i16; BLOCK],
        dither: &mut Dither,
    ) {
        let (l, reciprocal) = (self.0, reciprocal(steps));
        let constant = l.splat(if let Added::Constant(value) = added { value } else { 0 });
        let mut generators = l.load_generators(dither.state());
        let columns = matrix.weights.chunks_exact_mut(matrix.stride.max(BLOCK));
        for (column, &sum) in columns.zip(presynaptic) {
            let psp = mean_psp::<false>(sum, reciprocal, &mut Losses::none());
            let Some(weights) = column.first_chunk_mut() else { return };
            if psp == 0 {
                continue;
            }
            let numbers;
            (generators, numbers) = l.next_generators(generators);
            let mut noise = if DITHERED { numbers } else { constant };
            let step = self.step::<DITHERED>(shift, errors, l.splat(psp), &mut noise).step;
            W::store(l, l.add_held(W::load(l, weights), step), weights);
        }
        l.store_generators(generators, dither.lanes_mut());
    }

    /// The bound of a column whose weights moved by so much at most.
    #[inline(always)]
    fn grown<W: Weight>(&self, bound: u16, by: u32, column: &[W]) -> u16 {
        let grain = if W::EXACT_SPIKES == 0 { 6 } else { NARROW_GRAIN };
        grown_bound(
            bound,
            by,
            grain,
            #[inline(always)]
            || self.magnitude(column),
        )
    }

    /// The largest magnitude of these weights.
    #[inline(always)]
    fn magnitude<W: Weight>(&self, weights: &[W]) -> u16 {
        let l = self.0;
        let mut largest = l.splat(0);
        for block in weights.as_chunks::<BLOCK>().0 {
            largest = l.max(largest, l.magnitude(W::load(l, block)));
        }
        l.largest(largest)
    }

    /// Mean apical potentials as [`plain::apical_means`] has them, where their sums certainly
    /// fit into 32 bits; false where they may not.
    #[inline(always)]
    fn apical_means<W: Weight, const COUNT: bool>(
        &self,
        shift: i8,
        feedback: Columns<'_, W>,
        psp: &[i16],
        means: &mut [i16],
        losses: &mut Losses<'_>,
    ) -> bool {
        let l = self.0;
        let shift = 14i8.wrapping_sub(shift) as u32 & 63;
        let sum: u32 = psp.iter().map(|psp| u32::from(psp.unsigned_abs())).fold(0, u32::saturating_add);
        // 2¹⁵ times that, and a half of 2^shift, are below 2³¹.
        if sum > 0xF000 || shift > 20 {
            return false;
        }
        let half = (1i32 << shift) >> 1;
        for (block, means) in means.as_chunks_mut::<BLOCK>().0.iter_mut().enumerate() {
            let mut totals = [l.no_totals(); 2];
            for (column, &psp) in feedback.weights.chunks_exact(feedback.stride.max(1)).zip(psp) {
                if let Some(weights) = column.as_chunks::<BLOCK>().0.get(block) {
                    for (total, weights) in totals.iter_mut().zip(weights.as_chunks::<16>().0) {
                        *total = l.add_products(*total, &weights.map(W::widen), psp);
                    }
                }
            }
            let [low, high] =
                [l.shift_totals(totals[0], half, shift), l.shift_totals(totals[1], half, shift)];
            if COUNT && l.beyond(low, 32767) | l.beyond(high, 32767) != 0 {
                for half in [low, high] {
                    let mut sums = [0; 16];
                    l.store_totals(half, &mut sums);
                    for sum in sums {
                        narrow::<COUNT>(i64::from(sum), Variable::Apical, losses);
                    }
                }
            }
            l.store(l.held_totals([low, high], 1 << 15), means);
        }
        true
    }

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

    /// The update of a column with `noise` added before the shift: a constant, or the dither
    /// of the first block. `LOST` updates are counted; where it is `SAFE`, no weight can reach
    /// its limit, or nobody wants to know.
    #[inline(always)]
    #[allow(clippy::too_many_arguments)] // a column, its two factors, its noise, its losses
    fn change<W: Weight, const LOST: bool, const DITHERED: bool, const SAFE: bool>(
        &self,
        Change { variable, shift }: Change,
        weights: &mut [W],
        errors: &[i16],
        psp: i16,
        noise: L::Block,
        counted: &mut Counted<L>,
        losses: &mut Losses<'_>,
    ) {
        // Steps of eight bits on weights of eight, where nothing is counted.
        if !LOST && SAFE && W::IN_PAIRS && shift >= 8 {
            return self.move_pairs::<W, DITHERED>(shift, weights, errors, psp, noise);
        }
        let l = self.0;
        let mut lanes = noise;
        if !LOST && SAFE {
            return self.change_part::<W, DITHERED>(
                shift,
                weights,
                errors,
                psp,
                &mut lanes,
                #[inline(always)]
                |_, _, _, _| {},
            );
        }
        let stretch = if LOST { counted.stretch().min(weights.len()) } else { weights.len() };
        let (mut rest, mut first) = (weights, 0usize);
        if LOST {
            counted.enter_column();
        }
        // Once, but for columns too long for the counts.
        while let Some((part, others)) = rest.split_at_mut_checked(stretch.min(rest.len())) {
            let mut counts = if LOST { Some(counted.counts(l, part.len())) } else { None };
            self.change_part::<W, DITHERED>(
                shift,
                part,
                errors.get(first..).unwrap_or(&[]),
                psp,
                &mut lanes,
                #[inline(always)]
                |block, Stepped { rounded, noise, step }, old, sum| {
                    if let Some(counts) = &mut counts {
                        counted.add(l, counts, rounded, noise, step);
                    }
                    let exact = if SAFE { sum } else { W::exact_or_held(l, old, step, sum) };
                    if !SAFE && l.differ(exact, sum) {
                        let first = block.wrapping_mul(BLOCK).wrapping_add(first);
                        note_beyond(losses, variable, l.differing(exact, sum), first);
                    }
                },
            );
            if let Some(counts) = counts {
                counted.put(counts);
            }
            if others.is_empty() {
                break;
            }
            (rest, first) = (others, first.wrapping_add(stretch));
        }
    }

    /// A whole column of weights of 8 bits, 64 at a time, whose steps have no more.
    #[inline(always)]
    fn move_pairs<W: Weight, const DITHERED: bool>(
        &self,
        shift: u8,
        weights: &mut [W],
        errors: &[i16],
        psp: i16,
        noise: L::Block,
    ) {
        let (l, factor) = (self.0, self.0.splat(psp));
        let mut dither = noise;
        let (pairs, rest) = weights.as_chunks_mut::<64>();
        let (errors, others) = errors.as_chunks::<64>();
        for (weights, errors) in pairs.iter_mut().zip(errors) {
            let [low, high] = errors.as_chunks::<32>().0 else { return };
            let low = self.step::<DITHERED>(shift, low, factor, &mut dither).step;
            let high = self.step::<DITHERED>(shift, high, factor, &mut dither).step;
            W::move_pair(l, weights, [low, high]);
        }
        let rest = pairs.get_mut(errors.len()).map_or(rest, |pair| pair.as_mut_slice());
        self.change_part::<W, DITHERED>(
            shift,
            rest,
            others,
            psp,
            &mut dither,
            #[inline(always)]
            |_, _, _, _| {},
        );
    }

    /// The steps of a block, `dither` being its noise as drawn, which becomes the next block's.
    #[inline(always)]
    fn step<const DITHERED: bool>(
        &self,
        shift: u8,
        errors: &[i16; BLOCK],
        psp: L::Block,
        dither: &mut L::Block,
    ) -> Stepped<L> {
        let l = self.0;
        let shift = u32::from(shift);
        let mut noise = *dither;
        if DITHERED {
            *dither = l.add(noise, l.splat(DITHER_STRIDE as i16));
            noise = l.shift_right_unsigned(noise, 16u32.wrapping_sub(shift));
        }
        let rounded = l.add(l.product(l.load(errors), psp), noise);
        Stepped { rounded, noise, step: l.shift_right(rounded, shift) }
    }

    /// A part of a column; `look` is shown each block: its number, its steps, the old and the
    /// new weights.
    #[inline(always)]
    fn change_part<W: Weight, const DITHERED: bool>(
        &self,
        shift: u8,
        weights: &mut [W],
        errors: &[i16],
        psp: i16,
        dither: &mut L::Block,
        mut look: impl FnMut(usize, Stepped<L>, L::Block, L::Block),
    ) {
        let (l, psp) = (self.0, self.0.splat(psp));
        let mut lanes = *dither;
        let blocks = weights.as_chunks_mut::<32>().0.iter_mut().zip(errors.as_chunks::<32>().0);
        for ((weights, errors), block) in blocks.zip(0usize..) {
            let stepped = self.step::<DITHERED>(shift, errors, psp, &mut lanes);
            let old = W::load(l, weights);
            let sum = l.add_held(old, stepped.step);
            W::store(l, sum, weights);
            look(block, stepped, old, sum);
        }
        *dither = lanes;
    }
}

/// The steps of a block and what they come from.
struct Stepped<L: Lanes> {
    /// The changes with their noise.
    rounded: L::Block,
    /// The noise.
    noise: L::Block,
    /// Their upper bits.
    step: L::Block,
}

/// Blocks whose spikes are taken down together.
const BAND: usize = 16;

impl<L: Lanes> Vector<L> {
    /// Spikes of the first `units` of these potentials.
    ///
    /// Found block by block and taken down sixteen blocks later, so that the branches of
    /// the taking down do not hold up the comparisons.
    #[inline(always)]
    fn compare(
        &self,
        potentials: &[i16],
        units: usize,
        mut offsets: Offsets<'_, Generator>,
        spikes: &mut Spikes<'_>,
    ) {
        let blocks = potentials.as_chunks::<32>().0;
        let whole = blocks.len().wrapping_mul(BLOCK).min(units);
        let mut first = 0usize;
        for band in blocks.chunks(BAND) {
            let left = whole.saturating_sub(first);
            if left == 0 {
                return;
            }
            let mut places = [0u16; BAND];
            for place in places.iter_mut().take(left.div_ceil(BLOCK)) {
                *place = offsets.draw();
            }
            self.compare_band(band, &places, first, left, spikes);
            first = first.wrapping_add(BAND * BLOCK);
        }
        // What does not fill a block: only where memory is not padded.
        let mut rest = [NEVER.wrapping_neg(); 32];
        for (to, from) in rest.iter_mut().zip(potentials.get(whole..units).unwrap_or(&[])) {
            *to = *from;
        }
        if whole < units {
            let mut places = [0u16; BAND];
            places[0] = offsets.draw();
            self.compare_band(&[rest], &places, whole, units.wrapping_sub(whole), spikes);
        }
    }

    /// One spike of every unit that fired, then what some fired beyond their first.
    #[inline(always)]
    fn compare_band(
        &self,
        band: &[[i16; 32]],
        places: &[u16; BAND],
        first: usize,
        units: usize,
        spikes: &mut Spikes<'_>,
    ) {
        let l = self.0;
        let mut fired = [0u32; BAND];
        let mut doubtful = [0u32; BAND];
        let (low, gap) = (l.splat(SINGLE_ABOVE.wrapping_add(1)), l.splat(SINGLE_WITHIN));
        let found = fired.iter_mut().zip(&mut doubtful);
        let blocks = units.div_ceil(BLOCK);
        for ((potentials, &place), (fired, doubtful)) in band.iter().zip(places).zip(found).take(blocks) {
            let (potentials, noise) = (l.load(potentials), l.load(thresholds(place)));
            *fired = l.greater(potentials, noise);
            *doubtful = l.greater(low, noise) & l.greater(potentials, l.add_held(noise, gap));
        }
        if let Some(last) = fired.get_mut(blocks.wrapping_sub(1)) {
            *last &= mask(units.wrapping_sub(blocks.wrapping_sub(1).wrapping_mul(BLOCK)));
        }
        spikes.push_blocks(first as u16, fired.get(..blocks).unwrap_or(&fired));
        let found = fired.iter().zip(&doubtful).zip(band.iter().zip(places));
        for ((&fired, &doubtful), (block, (potentials, &place))) in
            found.zip(0..).map(|(((f, d), (p, o)), b)| ((f, d), (b, (p, o))))
        {
            for_each_bit(fired & doubtful, |lane| {
                let potential = potentials.get(lane).copied().unwrap_or(0);
                let threshold = thresholds(place).get(lane).copied().unwrap_or(0);
                let unit = first.wrapping_add(BLOCK.wrapping_mul(block)).wrapping_add(lane);
                (1..count(potential, threshold)).for_each(|_| spikes.push(unit as u16));
            });
        }
    }
}

#[inline(always)]
pub(super) fn spill<L: Lanes>(lanes: L, block: L::Block) -> [i16; 32] {
    let mut numbers = [0; 32];
    lanes.store(block, &mut numbers);
    numbers
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

#[inline(always)]
fn for_each_bit(mut bits: u32, mut each: impl FnMut(usize)) {
    while bits != 0 {
        each(bits.trailing_zeros() as usize);
        bits &= bits.wrapping_sub(1);
    }
}

/// Adds columns of `TILE` blocks in registers as long as whole tiles are left; returns
/// the first block not done.
#[inline(always)]
fn sum_tiles<L: Lanes, W: Weight, const TILE: usize, const COUNT: bool>(
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

/// From the weights' binary point to the filters', as [`plain`] does it.
pub(super) struct NarrowSum<L: Lanes> {
    lanes: L,
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
    fn store<const COUNT: bool>(
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
    pub(super) fn raised(
        &self,
        total: L::Block,
        live: u32,
        first: usize,
        note: &mut impl Note<L>,
    ) -> L::Block {
        let l = self.lanes;
        let near = l.max(self.beyond.0, l.min(self.beyond.1, total));
        let shifted = l.shift_left(near, self.shift);
        let held = l.max(self.limits.0, l.min(self.limits.1, shifted));
        // What is beyond the range is shifted to 2¹⁴, which is not held there.
        note.held(l, Variable::Accumulator, shifted, held, (live, first));
        held
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
    fn filter(
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

    /// The same in registers.
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
    fn integrate<const COUNT: bool>(
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
        let moved = l.product(l.subtract(basal, old), self.soma);
        match pull {
            None => l.add(old, moved),
            Some(pull) => {
                let exact = l.add_held(pull, moved);
                let potential = self.held(exact);
                note.held(l, Variable::Soma, exact, potential, lanes);
                potential
            }
        }
    }
}
