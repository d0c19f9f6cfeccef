//! The kernels as loops over single numbers: what a microcontroller runs, and the text
//! that the vectorised ones are compared with.

mod change;
mod columns;
mod neurons;

pub use change::grown;
pub use columns::{narrow_sums, sum_columns};
pub use neurons::{fire, fire_block, push_more};

use super::{Kernels, Reach, learn_columns, nothing_is_held};
use crate::arithmetic::{Columns, Dynamics, Updates};
use crate::formats::{ACCUMULATOR_LIMIT, ERROR_LIMIT, STATE_LIMIT, Variable};
use crate::losses::Losses;
use crate::native::{self, Weight, mean, narrow, product, reciprocal, slope};
use crate::parameters::{Coefficients, TEACHER};
use crate::random::{DITHER_STRIDE, Generator, Offsets};
use crate::readout::{self, Reading};
use crate::rounding::Rounding;
use crate::spikes::Spikes;
use crate::tables::noise::BLOCK;
use crate::tables::sigmoid::sigmoid;

/// Kernels for any machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Plain;

impl Kernels for Plain {
    #[inline(always)]
    fn sum_columns<W: Weight, const COUNT: bool>(
        &self,
        shift: i8,
        columns: Columns<'_, W>,
        spikes: &[u16],
        sums: &mut [i16],
        losses: &mut Losses<'_>,
    ) {
        columns::sum_columns::<W, COUNT, false>(shift, columns, spikes, sums, losses);
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
        let Dynamics { sums, fast, slow, soma, bias, oldest } = state;
        let state = Dynamics { sums, fast, slow, soma: &mut *soma, bias, oldest };
        integrate::<COUNT>(layer, state, units, label, losses);
        neurons::fire(soma.get(..units).unwrap_or(&[]), None, offsets, spikes);
    }

    #[inline(always)]
    fn fire(
        &self,
        potentials: &[i16],
        names: &[u16],
        offsets: Offsets<'_, Generator>,
        spikes: &mut Spikes<'_>,
    ) {
        neurons::fire(potentials, Some(names), offsets, spikes);
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
        match (layer.rounding, layer.update_shift) {
            (Rounding::Stochastic, 6) if !COUNT && W::PER_WORD == 2 => {
                change::change_and_measure::<W, 6>(weights, errors, psp, dither)
            }
            (Rounding::Stochastic, 10) if !COUNT && W::PER_WORD == 4 => {
                change::change_and_measure::<W, 10>(weights, errors, psp, dither)
            }
            (Rounding::Stochastic, 11) if !COUNT && W::PER_WORD == 4 => {
                change::change_and_measure::<W, 11>(weights, errors, psp, dither)
            }
            _ => update_any::<W, COUNT>(variable, layer, weights, errors, psp, dither, losses),
        }
    }

    #[inline(never)]
    fn learn<W: Weight, const COUNT: bool>(
        &self,
        layer: &Coefficients,
        updates: Updates<'_, W, i16>,
        losses: &mut Losses<'_>,
    ) {
        if COUNT
            && !losses.looks_at_updates()
            && nothing_is_held(&updates, Reach::new::<W>(layer, updates.errors))
        {
            return self.learn::<W, false>(layer, updates, losses);
        }
        match (layer.rounding, layer.update_shift) {
            (Rounding::Stochastic, 6) if !COUNT && W::PER_WORD == 2 => {
                change::learn_stochastically::<W, 6>(updates);
            }
            (Rounding::Stochastic, 10) if !COUNT && W::PER_WORD == 4 => {
                change::learn_stochastically::<W, 10>(updates);
            }
            (Rounding::Stochastic, 11) if !COUNT && W::PER_WORD == 4 => {
                change::learn_stochastically::<W, 11>(updates);
            }
            _ => {
                let Updates { matrix, presynaptic, steps, errors, dither } = updates;
                learn_columns::<W, COUNT>(matrix, presynaptic, steps, losses, |column, psp, _, losses| {
                    let (weight, noise) = (Variable::Weight, dither.draw());
                    self.update::<W, COUNT>(weight, layer, column, errors, psp, &noise, losses)
                });
            }
        }
    }

    #[inline(never)]
    fn plateaus<W: Weight, const COUNT: bool>(
        &self,
        shift: i8,
        feedback: Columns<'_, W>,
        psp: &[i16],
        to: &mut [i16],
        losses: &mut Losses<'_>,
    ) {
        plateaus::<W, COUNT>(shift, feedback, psp, to, losses);
    }

    #[inline(never)]
    fn slopes<const COUNT: bool>(&self, sums: &[i32], steps: u32, to: &mut [i16], losses: &mut Losses<'_>) {
        slopes::<COUNT>(sums, steps, to, losses);
    }

    #[inline(never)]
    fn errors<const COUNT: bool>(
        &self,
        layer: &Coefficients,
        targets: &[i16],
        forwards: &[i16],
        to: &mut [i16],
        losses: &mut Losses<'_>,
    ) {
        errors::<COUNT>(layer, targets, forwards, to, losses);
    }
}

/// delta · 2^−shift in this rounding; `noise` are 16 uniform bits.
#[inline(always)]
pub(super) fn round_change(rounding: Rounding, delta: i16, shift: u32, noise: u16) -> i16 {
    let shift = shift & 15;
    let added = match rounding {
        Rounding::Floor => 0,
        Rounding::Nearest => (1i16 << shift) >> 1,
        Rounding::Stochastic => ((u32::from(noise) << shift) >> 16) as i16,
        other => {
            return other.shift(i64::from(delta), shift, u32::from(noise) << 16) as i16;
        }
    };
    // Errors are limited so that this never overflows (formats::ERROR_LIMIT).
    delta.wrapping_add(added) >> shift
}

/// The change of one weight.
#[inline(never)]
fn round_product(rounding: Rounding, error: i16, psp: i16, shift: u32, noise: u16) -> i16 {
    round_change(rounding, product(error, psp), shift, noise)
}

/// Neurons added together in 32 bits.
const WIDE_TILE: usize = 16;

/// The exact sum in 32 bits, held within ±[`ACCUMULATOR_LIMIT`] once.
#[inline(never)]
pub(super) fn sum_widely<W: Weight>(
    columns: Columns<'_, W>,
    spikes: &[u16],
    sums: &mut [i16],
    losses: &mut Losses<'_>,
) {
    for (tile, sums) in sums.chunks_mut(WIDE_TILE).enumerate() {
        let first = tile.wrapping_mul(WIDE_TILE);
        let mut totals = [0i32; WIDE_TILE];
        for &unit in spikes {
            let at = usize::from(unit).wrapping_mul(columns.stride).wrapping_add(first);
            let column = columns.weights.get(at..).unwrap_or(&[]);
            if let Some(column) = column.first_chunk::<WIDE_TILE>() {
                for (total, weight) in totals.iter_mut().zip(column) {
                    *total = total.wrapping_add(i32::from(weight.widen()));
                }
            } else {
                for (total, weight) in totals.iter_mut().zip(column) {
                    *total = total.wrapping_add(i32::from(weight.widen()));
                }
            }
        }
        for (unit, (sum, total)) in (first..).zip(sums.iter_mut().zip(totals)) {
            *sum = hold_total(total, unit, losses);
        }
    }
}

#[inline(always)]
fn hold_total(total: i32, unit: usize, losses: &mut Losses<'_>) -> i16 {
    let held = total.clamp(ACCUMULATOR_LIMIT.wrapping_neg(), ACCUMULATOR_LIMIT);
    if held != total {
        losses.saturated(Variable::Accumulator, 1, unit);
    }
    held as i16
}

/// What the teaching current pulls an output neuron to.
#[inline(always)]
fn pull(unit: usize, label: usize) -> i16 {
    if unit == label { TEACHER << 8 } else { -(TEACHER << 8) }
}

/// The update in any rounding; returns the largest magnitude.
#[inline(never)]
#[allow(clippy::too_many_arguments)] // those of `Kernels::update`
pub fn update_any<W: Weight, const COUNT: bool>(
    variable: Variable,
    layer: &Coefficients,
    weights: &mut [W],
    errors: &[i16],
    psp: i16,
    dither: &[u16; 32],
    losses: &mut Losses<'_>,
) -> u16 {
    let shift = u32::from(layer.update_shift) & 15;
    let mut largest = 0;
    let mut weyl = 0u16;
    if cfg!(target_os = "none") && !COUNT {
        // Small: it is not what a device does often.
        for (weights, errors) in weights.chunks_mut(BLOCK).zip(errors.chunks(BLOCK)) {
            for ((weight, &error), &lane) in weights.iter_mut().zip(errors).zip(dither) {
                let step = round_product(layer.rounding, error, psp, shift, lane.wrapping_add(weyl));
                *weight = W::saturate(weight.widen().saturating_add(step));
                largest = weight.widen().unsigned_abs().max(largest);
            }
            weyl = weyl.wrapping_add(DITHER_STRIDE);
        }
        return largest;
    }
    for (block, (weights, errors)) in weights.chunks_mut(BLOCK).zip(errors.chunks(BLOCK)).enumerate() {
        let changes = Changes::new(layer.rounding, shift, errors, psp, dither, weyl);
        if COUNT {
            changes.note(variable, shift, weights, block, losses);
        }
        for (weight, &step) in weights.iter_mut().zip(&changes.steps) {
            *weight = W::saturate(weight.widen().saturating_add(step));
            largest = weight.widen().unsigned_abs().max(largest);
        }
        weyl = weyl.wrapping_add(DITHER_STRIDE);
    }
    largest
}

/// The changes of a block, before and after they are rounded; what is beyond the column has
/// no error. Made in passes over whole arrays, in which a compiler finds the vectors.
struct Changes {
    errors: [i16; BLOCK],
    deltas: [i16; BLOCK],
    steps: [i16; BLOCK],
}

impl Changes {
    #[inline(always)]
    fn new(
        rounding: Rounding,
        shift: u32,
        errors: &[i16],
        psp: i16,
        dither: &[u16; BLOCK],
        weyl: u16,
    ) -> Self {
        let mut changes = Self { errors: [0; BLOCK], deltas: [0; BLOCK], steps: [0; BLOCK] };
        for (to, &error) in changes.errors.iter_mut().zip(errors) {
            *to = error;
        }
        for (delta, &error) in changes.deltas.iter_mut().zip(&changes.errors) {
            *delta = product(error, psp);
        }
        let pairs = changes.steps.iter_mut().zip(changes.deltas.iter().zip(dither));
        match rounding {
            // Matched before the loop: these are most of the runs, and vectors.
            Rounding::Stochastic => pairs.for_each(|(step, (&delta, &lane))| {
                *step = round_change(Rounding::Stochastic, delta, shift, lane.wrapping_add(weyl));
            }),
            Rounding::Nearest => pairs.for_each(|(step, (&delta, _))| {
                *step = round_change(Rounding::Nearest, delta, shift, 0);
            }),
            other => pairs.for_each(|(step, (&delta, &lane))| {
                *step = round_change(other, delta, shift, lane.wrapping_add(weyl));
            }),
        }
        changes
    }

    /// Counts what these changes of these weights lose.
    #[inline(always)]
    fn note<W: Weight>(
        &self,
        variable: Variable,
        shift: u32,
        weights: &[W],
        block: usize,
        losses: &mut Losses<'_>,
    ) {
        let sums = weights.iter().zip(&self.steps).map(|(weight, &step)| (weight.widen(), step));
        let beyond = |(weight, step): (i16, i16)| {
            W::saturate(weight.saturating_add(step)).widen() ^ weight.wrapping_add(step)
        };
        if sums.clone().fold(0, |any, sum| any | beyond(sum)) != 0 {
            for (lane, sum) in sums.enumerate() {
                if beyond(sum) != 0 {
                    losses.saturated(variable, 1, block.wrapping_mul(BLOCK).wrapping_add(lane));
                }
            }
        }
        if !losses.looks_at_updates() {
            return;
        }
        let zeros = |numbers: &[i16; BLOCK]| {
            numbers.iter().fold(0i16, |zeros, &number| zeros.wrapping_add(i16::from(number == 0)))
        };
        let (idle, still) = (zeros(&self.errors), zeros(&self.steps));
        let mut bias = 0i32;
        for (&delta, &step) in self.deltas.iter().zip(&self.steps) {
            // Below one step: 16 bits are enough for one of them.
            bias = bias.wrapping_add(i32::from((step << shift).wrapping_sub(delta)));
        }
        let (meant, lost) = ((BLOCK as i16).wrapping_sub(idle), still.wrapping_sub(idle));
        let bias = i64::from(bias).wrapping_shl(16u32.wrapping_sub(shift));
        losses.updated(variable, meant as u64, lost as u64, bias);
    }
}

/// Filters and somata of every neuron.
#[inline(always)]
pub fn integrate<const COUNT: bool>(
    layer: &Coefficients,
    state: Dynamics<'_, i16>,
    units: usize,
    label: Option<usize>,
    losses: &mut Losses<'_>,
) {
    if state.oldest.is_empty() && layer.basal_whole == 0 {
        neurons::integrate_freely::<COUNT>(layer, state, units, label, losses);
    } else {
        integrate_any::<COUNT>(layer, state, units, label, losses);
    }
}

/// The same with any kernel.
#[inline(never)]
pub fn integrate_any<const COUNT: bool>(
    layer: &Coefficients,
    state: Dynamics<'_, i16>,
    units: usize,
    label: Option<usize>,
    losses: &mut Losses<'_>,
) {
    let cut = !state.oldest.is_empty();
    let mut oldest = state.oldest.iter_mut();
    let neurons = state.sums.iter().zip(state.fast).zip(state.slow).zip(&mut *state.soma).zip(state.bias);
    for (unit, ((((&sum, fast), slow), soma), &bias)) in neurons.take(units).enumerate() {
        let tail = if cut { oldest.next().map_or(0, |old| core::mem::replace(old, sum)) } else { 0 };
        *fast = approach(*fast, sum, layer.fast);
        if cut {
            *fast = held(fast.wrapping_sub(product(tail, layer.tail_fast)));
        }
        *slow = approach(*slow, *fast, layer.slow);
        if cut {
            *slow = held(slow.wrapping_sub(product(tail, layer.tail_slow)));
        }
        let exact = basal_drive(layer, *slow, bias);
        let basal = held(exact);
        if COUNT && basal != exact {
            losses.saturated(Variable::Basal, 1, unit);
        }
        let moved = product(basal.wrapping_sub(*soma), layer.soma);
        *soma = match label {
            None => soma.wrapping_add(moved),
            Some(label) => {
                let exact = pull(unit, label).saturating_add(moved);
                if COUNT && held(exact) != exact {
                    losses.saturated(Variable::Soma, 1, unit);
                }
                held(exact)
            }
        };
    }
}

/// x + narrow(gain · (target − x)).
#[inline(always)]
fn approach(from: i16, to: i16, gain: i16) -> i16 {
    from.wrapping_add(product(to.wrapping_sub(from), gain))
}

#[inline(always)]
fn held(value: i16) -> i16 {
    value.clamp(STATE_LIMIT.wrapping_neg(), STATE_LIMIT)
}

/// narrow(k_B · gain · x₂) + k_B · b, held in 16 bits.
#[inline(always)]
#[must_use]
pub fn basal_drive(layer: &Coefficients, slow: i16, bias: i16) -> i16 {
    let whole = slow & layer.basal_whole;
    product(slow, layer.basal).wrapping_add(whole).saturating_add(bias)
}

/// σ of the mean apical potentials.
#[inline(always)]
pub fn plateaus<W: Weight, const COUNT: bool>(
    shift: i8,
    feedback: Columns<'_, W>,
    psp: &[i16],
    plateaus: &mut [i16],
    losses: &mut Losses<'_>,
) {
    apical_means::<W, COUNT>(shift, feedback, psp, plateaus, losses);
    plateaus.iter_mut().for_each(|mean| *mean = sigmoid(*mean));
}

/// Mean apical potentials: Σ Y·⟨s⟩, exact, narrowed once to 8 fraction bits.
#[inline(always)]
pub fn apical_means<W: Weight, const COUNT: bool>(
    shift: i8,
    feedback: Columns<'_, W>,
    psp: &[i16],
    means: &mut [i16],
    losses: &mut Losses<'_>,
) {
    // From the weight's and the PSP's fraction bits to the potential's 8.
    let shift = 14i8.wrapping_sub(shift) as u32 & 63;
    let half = 1i64.wrapping_shl(shift) >> 1;
    for (block, means) in means.chunks_mut(32).enumerate() {
        let mut apical = [0i64; 32];
        let first = block.wrapping_mul(32);
        for (column, &psp) in feedback.weights.chunks_exact(feedback.stride.max(1)).zip(psp) {
            let weights = column.get(first..).unwrap_or(&[]);
            for (sum, weight) in apical.iter_mut().zip(weights) {
                let term = i32::from(weight.widen()).wrapping_mul(i32::from(psp));
                *sum = sum.wrapping_add(i64::from(term));
            }
        }
        for (mean, sum) in means.iter_mut().zip(apical) {
            *mean = narrow::<COUNT>(sum.wrapping_add(half) >> shift, Variable::Apical, losses);
        }
    }
}

/// Sums of somatic potentials over the window of a test, from credits ([`crate::readout`]).
#[inline(always)]
pub fn read_out<W: Weight, const COUNT: bool>(
    layer: &Coefficients,
    reading: Reading<'_, W, i16>,
    sums: &mut [i32],
    losses: &mut Losses<'_>,
) {
    let Reading { columns, bias, credits, readout } = reading;
    for (unit, (sum, &bias)) in sums.iter_mut().zip(bias).take(columns.units).enumerate() {
        let mut exact = 0i64;
        for (column, &credit) in columns.weights.chunks_exact(columns.stride.max(1)).zip(credits) {
            let weight = column.get(unit).map_or(0, |weight| weight.widen());
            exact = exact.wrapping_add(i32::from(weight).wrapping_mul(readout::held(credit).into()).into());
        }
        *sum = native::potential_sum::<COUNT>(layer, exact, bias, readout, (unit, losses));
    }
}

/// σ′ of the mean somatic potentials.
#[inline(always)]
pub fn slopes<const COUNT: bool>(sums: &[i32], steps: u32, slopes: &mut [i16], losses: &mut Losses<'_>) {
    let reciprocal = reciprocal(steps);
    for (slope_place, &sum) in slopes.iter_mut().zip(sums) {
        let mean = mean::<COUNT>(sum, reciprocal, Variable::Soma, losses);
        *slope_place = slope(sigmoid(mean));
    }
}

/// narrow(gain · (target − forward) · σ′): 2⁻¹¹ · 2⁻¹⁵ · 2⁻¹⁵ → 2⁻¹⁴, or a layer's larger step,
/// in one narrowing to nearest; held at the last multiple of the step within ±[`ERROR_LIMIT`].
#[inline(always)]
pub fn errors<const COUNT: bool>(
    layer: &Coefficients,
    targets: &[i16],
    forwards: &[i16],
    errors: &mut [i16],
    losses: &mut Losses<'_>,
) {
    let coarser = u32::from(layer.error_shift) & 15;
    let (half, limit) = ((1i64 << 26) << coarser, ERROR_LIMIT >> coarser);
    let pairs = errors.iter_mut().zip(targets).zip(forwards);
    for (unit, ((error, &target), &forward)) in pairs.enumerate() {
        let difference = i64::from(i32::from(target).wrapping_sub(i32::from(forward)));
        // A slope is at most ¼ and a gain below 2⁵: 29 bits.
        let gained = i64::from(i32::from(*error).wrapping_mul(layer.error));
        let rounded =
            difference.wrapping_mul(gained).wrapping_add(half) >> (27u32.wrapping_add(coarser) & 63);
        let held = rounded.clamp(limit.wrapping_neg(), limit);
        *error = (held << coarser) as i16;
        if COUNT && held != rounded {
            losses.saturated(Variable::Error, 1, unit);
        }
    }
}

/// Adds somatic potentials to their sums.
#[inline(always)]
pub fn accumulate(somas: &[i16], sums: &mut [i32]) {
    for (sum, &soma) in sums.iter_mut().zip(somas) {
        *sum = sum.wrapping_add(i32::from(soma));
    }
}
