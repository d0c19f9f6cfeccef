//! Updates of columns of weights.

use super::counted::Counted;
use super::lanes::Lanes;
use super::listed::{Listed, SECTION};
use super::vector::Vector;
use super::watch::note_beyond;
use super::{NARROW_GRAIN, Reach, grown_bound, learn_column};
use crate::arithmetic::{ColumnsMut, Updates};
use crate::formats::Variable;
use crate::losses::Losses;
use crate::native::{Weight, mean_psp, reciprocal};
use crate::parameters::Coefficients;
use crate::random::DITHER_STRIDE;
use crate::rounding::Rounding;
use crate::tables::noise::BLOCK;

/// What is added to a change before its lower bits are cut off.
#[derive(Clone, Copy)]
pub(super) enum Added {
    Constant(i16),
    Dither,
}

/// What changes, and by how many bits the change is shifted.
#[derive(Clone, Copy)]
pub(super) struct Change {
    pub variable: Variable,
    pub shift: u8,
}

impl Added {
    /// None for the roundings that are more than an addition.
    #[inline(always)]
    pub(super) fn of(layer: &Coefficients) -> Option<Self> {
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
    pub(super) fn learn_all<
        W: Weight,
        const LOST: bool,
        const DITHERED: bool,
        const BOUNDED: bool,
        const SAFE: bool,
    >(
        &self,
        (shift, added, reach): (u8, Added, Reach),
        updates: Updates<'_, W, i16>,
        losses: &mut Losses<'_>,
    ) {
        let l = self.0;
        if !LOST
            && SAFE
            && !BOUNDED
            && let ([errors], []) = updates.errors.as_chunks()
        {
            return self.learn_block::<W, DITHERED>((shift, added), errors, updates);
        }
        let Updates { matrix, presynaptic, steps, errors, dither } = updates;
        let mut counted = Counted::new(l, shift, if LOST { errors } else { &[] });
        let change = Change { variable: Variable::Weight, shift };
        let constant = l.splat(if let Added::Constant(value) = added { value } else { 0 });
        let mut generators = l.load_generators(dither.state());
        macro_rules! each {
            ($noting:expr) => {
                learn_credited::<L, W, { $noting }>(
                    l,
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
        errors: &[i16; BLOCK],
        updates: Updates<'_, W, i16>,
    ) {
        let Updates { matrix, presynaptic, steps, dither, .. } = updates;
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
    pub(super) fn magnitude<W: Weight>(&self, weights: &[W]) -> u16 {
        let l = self.0;
        let mut largest = l.splat(0);
        for block in weights.as_chunks::<BLOCK>().0 {
            largest = l.max(largest, l.magnitude(W::load(l, block)));
        }
        l.largest(largest)
    }

    /// The update of a column with `noise` added before the shift: a constant, or the dither
    /// of the first block. `LOST` updates are counted; where it is `SAFE`, no weight can reach
    /// its limit, or nobody wants to know.
    #[inline(always)]
    #[allow(clippy::too_many_arguments)] // a column, its two factors, its noise, its losses
    pub(super) fn change<W: Weight, const LOST: bool, const DITHERED: bool, const SAFE: bool>(
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

/// [`learn_columns`](super::learn_columns), for which the units that are not credited with nothing are
/// listed first: no column waits for a guess whether it is one.
#[inline(always)]
fn learn_credited<L: Lanes, W: Weight, const COUNT: bool>(
    l: L,
    mut matrix: ColumnsMut<'_, W>,
    presynaptic: &[u16],
    steps: u32,
    losses: &mut Losses<'_>,
    mut update: impl FnMut(&mut [W], i16, Option<u16>, &mut Losses<'_>) -> u16,
) {
    let reciprocal = reciprocal(steps);
    for (sums, first) in presynaptic.chunks(SECTION).zip((0..).step_by(SECTION)) {
        for &name in Listed::of_sums(l, sums).places() {
            let name = usize::from(name);
            let (input, sum) = (name.wrapping_add(first), sums.get(name).copied().unwrap_or(0));
            if !learn_column::<W, COUNT>(&mut matrix, input, sum, reciprocal, losses, &mut update) {
                break;
            }
        }
    }
    if COUNT {
        losses.enter_column(0);
    }
}
