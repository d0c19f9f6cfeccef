//! The updates of a layer in emulated formats, all columns at once, in lanes of 16 or 32 bits.

use super::narrow::{ANY, Interval, Narrowing, SIMPLE};
use super::run::{Counting, note};
use super::shift::Shift;
use super::{BAND, EmulatedCoefficients, VariableFormat, mean_psp};
use crate::arithmetic::Updates;
use crate::formats::Variable;
use crate::kernels::{Job, Lanes};
use crate::losses::Losses;
use crate::native::reciprocal;
use crate::random::DITHER_STRIDE;
use crate::rounding::Overflow;
use crate::tables::noise::BLOCK;

/// All lanes of a block: nothing moves in its padding.
const ALL: u32 = u32::MAX;

/// An error times a factor, narrowed to a change, and that to steps of what changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Change {
    delta: Narrowing,
    /// Whether a change may be beyond its limits.
    delta_held: bool,
    step: Narrowing,
}

impl Change {
    /// Of a variable, from exact numbers of an interval with so many fraction bits more than the error.
    fn new(layer: &EmulatedCoefficients, variable: Variable, bits: i32, exact: Interval) -> Option<Self> {
        let of = |variable| layer.table.of(variable);
        let fraction = |variable| i32::from(of(variable).format.fraction);
        let (change, to) = (of(Variable::Delta), of(variable));
        let shift = Shift::new(change, fraction(Variable::Error).wrapping_add(bits))?;
        let (delta, made) = Narrowing::new(&shift, exact)?;
        let limits = Interval::of(change);
        let (step, steps) = Narrowing::new(&Shift::new(to, fraction(Variable::Delta))?, made.common(limits))?;
        let sum = Interval::of(to).plus(steps);
        sum.fits().then_some(Self { delta, delta_held: !made.is_within(limits), step })
    }

    /// Whether both narrowings are simple.
    const fn is_simple(&self) -> bool {
        self.delta.is_simple() && self.step.is_simple()
    }

    /// The change and its steps; of a `KIND`.
    #[inline(always)]
    fn of<L: Lanes, const KIND: u8, const COUNT: bool>(
        &self,
        l: L,
        exact: L::Totals,
        lanes: L::Totals,
        first: usize,
        losses: &mut Losses<'_>,
    ) -> (L::Totals, L::Totals) {
        let nothing = l.splat_totals(0);
        let rounded = self.delta.round::<L, KIND>(
            l,
            exact,
            #[inline(always)]
            || noise_of(l, turned(l, lanes), self.delta.down),
        );
        let mut delta = rounded;
        if self.delta_held {
            delta = self.delta.hold::<L, KIND>(l, rounded, nothing);
            let what = (Variable::Delta, self.delta.overflow::<KIND>());
            Counting::<COUNT> { losses }.held(l, what, (rounded, delta), (ALL, first));
        }
        let step = self.step.round::<L, KIND>(
            l,
            delta,
            #[inline(always)]
            || noise_of(l, lanes, self.step.down),
        );
        (delta, step)
    }
}

/// [`super::weight_noise`] of lanes of 16 bits, of which so many of its 32 are used.
#[inline(always)]
fn noise_of<L: Lanes>(l: L, lanes: L::Totals, used: u32) -> L::Totals {
    let high = l.shift_totals_left(lanes, 16);
    if used <= 16 {
        return high;
    }
    let low = l.multiply_totals(lanes, l.splat_totals(40503));
    let low = l.and_totals(l.sum_totals(low, l.splat_totals(12345)), l.splat_totals(0xFFFF));
    l.sum_totals(high, low)
}

/// Lanes of 16 bits turned left by 5: a change and its steps do not share their noise.
#[inline(always)]
fn turned<L: Lanes>(l: L, lanes: L::Totals) -> L::Totals {
    let low = l.and_totals(lanes, l.splat_totals(0xFFFF));
    l.sum_totals(l.shift_totals_left(low, 5), l.shift_totals_unsigned(low, 11))
}

/// The narrowings of the updates, if 32 bits hold their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct QuickLearn {
    /// If it is simple.
    psp: Option<Shift>,
    weight: Change,
    /// If 16 bits hold the numbers of weights, too, whenever errors are not larger than this.
    short_below: u32,
    bias: Option<Change>,
}

impl QuickLearn {
    pub(super) fn new(layer: &EmulatedCoefficients) -> Option<Self> {
        let psp = layer.table.of(Variable::Psp);
        let mean = Shift::new(psp, 31).filter(|shift| shift.is_simple() && shift.dithered == 0);
        let errors = Interval::of(layer.table.of(Variable::Error));
        // A mean PSP is below zero where it wraps.
        let wraps = psp.overflow == Overflow::Wrap;
        let exact = match wraps {
            true => Interval(errors.0, errors.0.saturating_neg()).times(psp.lowest.saturating_neg()),
            false => errors.times(psp.highest),
        };
        let weight = Change::new(layer, Variable::Weight, psp.format.fraction.into(), exact)?;
        let Change { delta, delta_held, step } = weight;
        // ⌊e · ⟨s⟩ · 2⁻¹⁵ + ½⌋, and room for what is added to it.
        let simple = delta.is_plain() && (delta.down, delta.added) == (15, 1 << 14) && !delta_held;
        let short = simple
            && step.is_simple()
            && !wraps
            && psp.highest <= i64::from(i16::MAX)
            && step.negative == 0
            && step.down <= 15;
        let added = if step.dithered { 1u32 << step.down } else { step.added.unsigned_abs() };
        Some(Self {
            psp: mean,
            weight,
            short_below: if short { 32766u32.saturating_sub(added) } else { 0 },
            bias: Change::new(layer, Variable::Bias, 15, errors.times(layer.share.into())),
        })
    }

    /// Whether 16 bits hold the numbers of weights unless errors are very large.
    pub(super) const fn is_short(&self) -> bool {
        self.short_below > 0
    }
}

/// All updates of the weights of a layer.
pub(super) struct LearnJob<'j, 'l, const COUNT: bool> {
    pub(super) quick: &'j QuickLearn,
    /// The format of mean PSPs.
    pub(super) psp: &'j VariableFormat,
    pub(super) updates: Updates<'j, i16, i32>,
    pub(super) losses: &'j mut Losses<'l>,
}

impl<const COUNT: bool> Job for LearnJob<'_, '_, COUNT> {
    /// Whether it could be done.
    type Outcome = bool;

    #[inline(always)]
    fn work<L: Lanes>(self, l: L) -> bool {
        let lost = COUNT && self.losses.looks_at_updates();
        // The bias of a change of more bits than that is a rounded number.
        if lost && self.quick.weight.step.down > 16 {
            return false;
        }
        let job = Self { updates: self.updates.trimmed(), ..self };
        let errors = job.updates.errors;
        let largest = errors.iter().map(|error| error.unsigned_abs()).max().unwrap_or(0);
        if largest < job.quick.short_below && errors.len() <= BAND && !lost {
            l.apart(
                #[inline(always)]
                || job.learn_short(l),
            );
        } else if lost {
            l.apart(
                #[inline(always)]
                || job.learn_long::<L, true, ANY>(l),
            );
        } else if job.quick.weight.is_simple() {
            l.apart(
                #[inline(always)]
                || job.learn_long::<L, false, SIMPLE>(l),
            );
        } else {
            l.apart(
                #[inline(always)]
                || job.learn_long::<L, false, ANY>(l),
            );
        }
        true
    }
}

/// The ends of the weights of a column.
#[derive(Clone, Copy)]
struct Ends<B>(B, B);

impl<B: Copy> Ends<B> {
    #[inline(always)]
    fn none<L: Lanes<Block = B>>(l: L) -> Self {
        Self(l.splat(0), l.splat(0))
    }

    #[inline(always)]
    fn take_in<L: Lanes<Block = B>>(&mut self, l: L, weights: B) {
        *self = Self(l.min(self.0, weights), l.max(self.1, weights));
    }

    /// The weights of a column from one on: those that did not move, because they had no error.
    #[inline(always)]
    fn take_in_all<L: Lanes<Block = B>>(&mut self, l: L, column: &[i16], from: usize) {
        for weights in column.get(from..).unwrap_or(&[]).as_chunks::<BLOCK>().0 {
            self.take_in(l, l.load(weights));
        }
    }

    /// No magnitude is larger.
    #[inline(always)]
    fn bound<L: Lanes<Block = B>>(self, l: L) -> u16 {
        // Of −w as well as of w − 1, which 16 bits hold.
        let below = l.subtract(l.splat(-1), self.0);
        l.largest(l.max(below, self.1)).wrapping_add(1)
    }
}

impl<const COUNT: bool> LearnJob<'_, '_, COUNT> {
    /// Calls `update` with each column whose presynaptic unit has a mean PSP, and that, and
    /// the noise of its first block; it returns the column's new bound.
    #[inline(always)]
    fn each<L: Lanes>(self, l: L, mut update: impl FnMut(&mut [i16], i32, L::Block, &mut Losses<'_>) -> u16) {
        let Self { quick, psp: format, updates, losses } = self;
        let Updates { matrix, presynaptic, steps, dither, .. } = updates;
        let reciprocal = reciprocal(steps);
        let mut generators = l.load_generators(dither.state());
        let columns = matrix.weights.chunks_exact_mut(matrix.stride.max(1));
        for ((column, &sum), input) in columns.zip(presynaptic).zip(0usize..) {
            if sum == 0 {
                continue;
            }
            if COUNT {
                losses.enter_column(input as u32);
            }
            let psp = match &quick.psp {
                None => mean_psp::<COUNT>(format, sum, steps, losses),
                Some(shift) => {
                    let rounded = shift.round(i64::from(sum).wrapping_mul(reciprocal));
                    let held = shift.hold(rounded);
                    if COUNT && i64::from(held) != rounded {
                        losses.saturated(Variable::Psp, 1, 0);
                    }
                    held
                }
            };
            if psp == 0 {
                continue;
            }
            let numbers;
            (generators, numbers) = l.next_generators(generators);
            let bound = update(column, psp, numbers, losses);
            if let Some(place) = matrix.bounds.get_mut(input) {
                *place = bound;
            }
        }
        l.store_generators(generators, dither.lanes_mut());
        if COUNT {
            losses.enter_column(0);
        }
    }

    /// In lanes of 16 bits.
    #[inline(always)]
    fn learn_short<L: Lanes>(self, l: L) {
        let errors = self.updates.errors;
        let mut short = [0i16; BAND];
        short.iter_mut().zip(errors).for_each(|(to, &error)| *to = error as i16);
        let errors = short.get(..errors.len()).unwrap_or(&[]);
        let Change { step, .. } = self.quick.weight;
        let (down, dithered) = (step.down, step.dithered);
        let (lowest, highest) = (l.splat(step.lowest as i16), l.splat(step.highest as i16));
        let constant = l.splat(step.added as i16);
        self.each(
            l,
            #[inline(always)]
            |column, psp, noise, losses| {
                let (psp, mut lanes, mut ends) = (l.splat(psp as i16), noise, Ends::none(l));
                let blocks = column.as_chunks_mut::<BLOCK>().0.iter_mut().zip(errors.as_chunks::<BLOCK>().0);
                for ((weights, errors), block) in blocks.zip(0usize..) {
                    let delta = l.product(l.load(errors), psp);
                    let mut added = constant;
                    if dithered {
                        added = l.shift_right_unsigned(lanes, 16u32.wrapping_sub(down));
                        lanes = l.add(lanes, l.splat(DITHER_STRIDE as i16));
                    }
                    let step = l.shift_right(l.add(delta, added), down);
                    let old = l.load(weights);
                    let new = l.max(lowest, l.min(highest, l.add_held(old, step)));
                    if COUNT && l.differ(l.add(old, step), new) {
                        let beyond = l.differing(l.add(old, step), new);
                        let what = (Variable::Weight, Overflow::Saturate);
                        note(losses, what, beyond, block.wrapping_mul(BLOCK));
                    }
                    ends.take_in(l, new);
                    l.store(new, weights);
                }
                ends.take_in_all(l, column, errors.len());
                ends.bound(l)
            },
        );
    }

    /// In lanes of 32 bits; with `LOST`, updates that come to nothing are counted.
    #[inline(always)]
    fn learn_long<L: Lanes, const LOST: bool, const KIND: u8>(self, l: L) {
        let (change, errors) = (self.quick.weight, self.updates.errors);
        let down = change.step.down;
        let (mut columns, mut moved, mut bias) = (0u64, 0u64, 0i64);
        let meant: usize = errors.iter().map(|&error| usize::from(error != 0)).sum();
        let none = l.splat_totals(0);
        let Self { quick, psp, updates, losses } = self;
        LearnJob::<COUNT> { quick, psp, updates, losses: &mut *losses }.each(
            l,
            #[inline(always)]
            |column, psp, noise, losses| {
                let (psp, mut lanes, mut ends) = (l.splat_totals(psp), noise, Ends::none(l));
                let mut lost = none;
                let blocks = column.as_chunks_mut::<BLOCK>().0.iter_mut().zip(errors.as_chunks::<BLOCK>().0);
                for ((weights, errors), block) in blocks.zip(0usize..) {
                    let (olds, noise) = (l.widened(l.load(weights)), l.widened(lanes));
                    lanes = l.add(lanes, l.splat(DITHER_STRIDE as i16));
                    let mut news = olds;
                    let halves = news.iter_mut().zip(noise).zip(errors.as_chunks::<16>().0);
                    for (((new, noise), errors), half) in halves.zip(0usize..) {
                        let first = block.wrapping_mul(BLOCK).wrapping_add(half.wrapping_mul(16));
                        let exact = l.multiply_totals(l.load_totals(errors), psp);
                        let (delta, step) = change.of::<L, KIND, COUNT>(l, exact, noise, first, losses);
                        if LOST {
                            moved = moved.wrapping_add(l.differing_totals(step, none).count_ones().into());
                            let off = l.subtract_totals(l.shift_totals_left(step, down), delta);
                            lost = l.sum_totals(lost, off);
                        }
                        let sum = l.sum_totals(*new, step);
                        *new = change.step.hold::<L, KIND>(l, sum, *new);
                        let what = (Variable::Weight, change.step.overflow::<KIND>());
                        let mut counting = Counting::<COUNT> { losses: &mut *losses };
                        counting.held(l, what, (sum, *new), (ALL, first));
                    }
                    let new = l.held_totals(news, 1 << 15);
                    ends.take_in(l, new);
                    l.store(new, weights);
                }
                if LOST {
                    columns = columns.wrapping_add(1);
                    let mut sums = [0i32; 16];
                    l.store_totals(lost, &mut sums);
                    bias = sums.iter().fold(bias, |bias, &sum| bias.wrapping_add(i64::from(sum)));
                }
                ends.take_in_all(l, column, errors.len());
                ends.bound(l)
            },
        );
        if LOST {
            let meant = columns.wrapping_mul(meant as u64);
            let bias = bias.wrapping_shl(16u32.wrapping_sub(down));
            losses.updated(Variable::Weight, meant, meant.wrapping_sub(moved), bias);
        }
    }
}

/// The update of the biases of a layer.
pub(super) struct BiasJob<'j, 'l, const COUNT: bool> {
    pub(super) quick: &'j QuickLearn,
    pub(super) share: i32,
    pub(super) bias: &'j mut [i32],
    pub(super) errors: &'j [i32],
    pub(super) dither: &'j [u16; 32],
    pub(super) losses: &'j mut Losses<'l>,
}

impl<const COUNT: bool> Job for BiasJob<'_, '_, COUNT> {
    /// Whether it could be done.
    type Outcome = bool;

    #[inline(always)]
    fn work<L: Lanes>(self, l: L) -> bool {
        let Some(change) = self.quick.bias.filter(|_| !(COUNT && self.losses.looks_at_updates())) else {
            return false;
        };
        let (share, mut lanes) = (l.splat_totals(self.share), l.load_unsigned(self.dither));
        let blocks = self.bias.as_chunks_mut::<BLOCK>().0.iter_mut().zip(self.errors.as_chunks::<BLOCK>().0);
        for ((bias, errors), block) in blocks.zip(0usize..) {
            let noise = l.widened(lanes);
            lanes = l.add(lanes, l.splat(DITHER_STRIDE as i16));
            let halves = bias.as_chunks_mut::<16>().0.iter_mut().zip(noise).zip(errors.as_chunks::<16>().0);
            for (((bias, noise), errors), half) in halves.zip(0usize..) {
                let first = block.wrapping_mul(BLOCK).wrapping_add(half.wrapping_mul(16));
                let exact = l.multiply_totals(l.load_totals(errors), share);
                let (_, step) = change.of::<L, ANY, COUNT>(l, exact, noise, first, self.losses);
                let old = l.load_totals(bias);
                let sum = l.sum_totals(old, step);
                let new = change.step.hold::<L, ANY>(l, sum, old);
                let what = (Variable::Bias, change.step.overflow::<ANY>());
                let mut counting = Counting::<COUNT> { losses: &mut *self.losses };
                counting.held(l, what, (sum, new), (ALL, first));
                l.store_totals(new, bias);
            }
        }
        true
    }
}
