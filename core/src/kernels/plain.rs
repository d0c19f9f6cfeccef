//! The kernels as loops over single numbers: what a microcontroller runs, and the text
//! that the vectorised ones are compared with.

use super::{Kernels, learn_columns};
use crate::arithmetic::{Columns, ColumnsMut, Dynamics};
use crate::formats::{ACCUMULATOR_LIMIT, ERROR_LIMIT, STATE_LIMIT, Variable};
use crate::losses::Losses;
use crate::native::{Weight, mean, narrow, product, reciprocal, slope};
use crate::parameters::{Coefficients, TEACHER};
use crate::random::{DITHER_STRIDE, Dither, Generator, Offsets};
use crate::rounding::Rounding;
use crate::spikes::Spikes;
use crate::tables::noise::{BLOCK, SINGLE_ABOVE, SINGLE_BELOW, count, thresholds};
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
        sum_columns::<W, COUNT>(shift, columns, spikes, sums, losses);
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
        if state.oldest.is_empty() && layer.basal_whole == 0 && label.is_none() {
            advance_freely::<COUNT>(layer, state, units, offsets, spikes, losses);
        } else {
            advance_any::<COUNT>(layer, state, units, label, offsets, spikes, losses);
        }
    }

    #[inline(always)]
    fn fire(
        &self,
        potentials: &[i16],
        names: &[u16],
        offsets: Offsets<'_, Generator>,
        spikes: &mut Spikes<'_>,
    ) {
        fire(potentials, names, offsets, spikes);
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
                update_stochastically::<W, 6>(weights, errors, psp, dither)
            }
            (Rounding::Stochastic, 10) if !COUNT && W::PER_WORD == 4 => {
                update_stochastically::<W, 10>(weights, errors, psp, dither)
            }
            (Rounding::Stochastic, 11) if !COUNT && W::PER_WORD == 4 => {
                update_stochastically::<W, 11>(weights, errors, psp, dither)
            }
            _ => update_any::<W, COUNT>(variable, layer, weights, errors, psp, dither, losses),
        }
    }

    #[inline(never)]
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
        learn_columns::<W, COUNT>(
            matrix,
            presynaptic,
            steps,
            dither,
            losses,
            |column, psp, noise, losses| {
                self.update::<W, COUNT>(Variable::Weight, layer, column, errors, psp, noise, losses)
            },
        );
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
        gain: i32,
        targets: &[i16],
        forwards: &[i16],
        to: &mut [i16],
        losses: &mut Losses<'_>,
    ) {
        errors::<COUNT>(gain, targets, forwards, to, losses);
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

/// From the weights' binary point to the filters'.
///
/// # Numerics
/// One fraction bit less: to nearest, halves upward. The same or more: exact, held within
/// ±[`STATE_LIMIT`].
#[inline(always)]
fn narrow_sum(sum: i16, shift: i8) -> i16 {
    if shift < 0 {
        return sum.wrapping_add(1) >> 1;
    }
    let beyond = (1i16 << 14) >> (shift & 15);
    held(sum.clamp(beyond.wrapping_neg(), beyond) << (shift & 15))
}

/// u = narrow(Σ columns). Not inlined: one text for all layers and phases, and all registers
/// for its loops.
#[inline(never)]
fn sum_columns<W: Weight, const COUNT: bool>(
    shift: i8,
    columns: Columns<'_, W>,
    spikes: &[u16],
    sums: &mut [i16],
    losses: &mut Losses<'_>,
) {
    let whole = columns.stride.is_multiple_of(W::PER_WORD) && sums.len().is_multiple_of(W::PER_WORD);
    let Some(words) = W::words(columns.weights).filter(|_| whole) else {
        sum_widely::<W>(columns, spikes, sums, losses);
        return narrow_sums::<COUNT>(shift, sums, losses);
    };
    let stride = columns.stride.checked_div(W::PER_WORD).unwrap_or(0);
    if W::PER_WORD == 4 && spikes.len() <= W::EXACT_SPIKES {
        sum_quads(words, stride, spikes, sums.as_chunks_mut().0);
        return narrow_sums::<COUNT>(shift, sums, losses);
    }
    match Parts::of(columns.bounds, spikes) {
        Some(parts) if W::PER_WORD == 2 && parts.count == 1 => {
            let pairs = sums.as_chunks_mut().0;
            if shift == -1 {
                return sum_pairs(words, stride, spikes, pairs, |sum| narrow_sum(sum, -1));
            }
            sum_pairs(words, stride, spikes, pairs, |sum| sum);
        }
        Some(parts) if W::PER_WORD == 2 => sum_parts(words, stride, spikes, &parts, sums, losses),
        _ => sum_widely::<W>(columns, spikes, sums, losses),
    }
    narrow_sums::<COUNT>(shift, sums, losses);
}

#[inline(always)]
fn narrow_sums<const COUNT: bool>(shift: i8, sums: &mut [i16], losses: &mut Losses<'_>) {
    for (unit, sum) in sums.iter_mut().enumerate() {
        let narrowed = narrow_sum(*sum, shift);
        if COUNT && shift >= 0 && (narrowed >> (shift & 15)) != *sum {
            losses.saturated(Variable::Accumulator, 1, unit);
        }
        *sum = narrowed;
    }
}

/// The spikes of a step cut into runs whose columns can each be added up in 16 bits.
struct Parts {
    ends: [usize; Self::MOST],
    count: usize,
}

impl Parts {
    const MOST: usize = 8;

    /// None where more runs are needed, or the bounds are not known.
    #[inline(always)]
    fn of(bounds: &[u16], spikes: &[u16]) -> Option<Self> {
        let mut parts = Self { ends: [spikes.len(); Self::MOST], count: 0 };
        let mut room = ACCUMULATOR_LIMIT;
        for (place, &unit) in spikes.iter().enumerate() {
            let bound = i32::from(*bounds.get(usize::from(unit))?);
            room = room.wrapping_sub(bound);
            if room < 0 {
                *parts.ends.get_mut(parts.count)? = place;
                parts.count = parts.count.wrapping_add(1);
                room = ACCUMULATOR_LIMIT.wrapping_sub(bound);
            }
        }
        // A weight of −128 alone is beyond the limit: such a run has no room from the start.
        *parts.ends.get_mut(parts.count)? = spikes.len();
        parts.count = parts.count.wrapping_add(1);
        (room >= 0).then_some(parts)
    }
}

/// What makes the low half of a pair of weights an unsigned number, so that no sum of them
/// borrows from the high half.
const LOW_BIAS: u32 = 0x8000;

/// Words of pairs that are added up at a time: as many as stay in registers.
const PAIRS: usize = if cfg!(target_arch = "arm") { 5 } else { 10 };

/// Adds the columns of `TILE` words, two units each, in registers. Beside its two sums of
/// 16 bits, each below 2¹⁵, a word then holds nothing but the bias of its low half.
#[inline(always)]
fn add_pairs<const TILE: usize>(words: &[u32], stride: usize, spikes: &[u16]) -> [u32; TILE] {
    let mut totals = [0u32; TILE];
    let Some(last) = words.len().checked_sub(TILE) else { return totals };
    for &unit in spikes {
        let at = usize::from(unit).wrapping_mul(stride);
        // One comparison instead of two.
        if at <= last
            && let Some(column) =
                words.get(at..at.wrapping_add(TILE)).and_then(|column| column.first_chunk::<TILE>())
        {
            for (total, pair) in totals.iter_mut().zip(column) {
                *total = total.wrapping_add(pair ^ LOW_BIAS);
            }
        }
    }
    let bias = (spikes.len() as u32).wrapping_mul(LOW_BIAS);
    totals.map(|total| total.wrapping_sub(bias))
}

/// The two sums of a word, whose low one is signed and has borrowed from the high one.
#[inline(always)]
fn halves(total: u32) -> [i16; 2] {
    let low = total as i16;
    [low, (total.wrapping_sub(low as u32) >> 16) as i16]
}

#[inline(always)]
fn sum_pairs(
    words: &[u32],
    stride: usize,
    spikes: &[u16],
    sums: &mut [[i16; 2]],
    narrow: impl Fn(i16) -> i16 + Copy,
) {
    let rest = pair_tiles::<PAIRS>(words, stride, spikes, 0, sums, narrow);
    pair_tiles::<1>(words, stride, spikes, rest, sums, narrow);
}

/// Whole tiles of pairs from `first` on; returns the first pair not done.
#[inline(always)]
fn pair_tiles<const TILE: usize>(
    words: &[u32],
    stride: usize,
    spikes: &[u16],
    mut first: usize,
    sums: &mut [[i16; 2]],
    narrow: impl Fn(i16) -> i16,
) -> usize {
    for tile in sums.get_mut(first..).unwrap_or(&mut []).as_chunks_mut::<TILE>().0 {
        let totals = add_pairs::<TILE>(words.get(first..).unwrap_or(&[]), stride, spikes);
        for (pair, total) in tile.iter_mut().zip(totals) {
            *pair = halves(total).map(&narrow);
        }
        first = first.wrapping_add(TILE);
    }
    first
}

/// Sums that need more than one run, held within ±[`ACCUMULATOR_LIMIT`] at the end.
#[inline(never)]
fn sum_parts(
    words: &[u32],
    stride: usize,
    spikes: &[u16],
    parts: &Parts,
    sums: &mut [i16],
    losses: &mut Losses<'_>,
) {
    let rest = part_tiles::<PAIRS>(words, stride, spikes, parts, 0, sums, losses);
    part_tiles::<1>(words, stride, spikes, parts, rest, sums, losses);
}

#[inline(always)]
fn part_tiles<const TILE: usize>(
    words: &[u32],
    stride: usize,
    spikes: &[u16],
    parts: &Parts,
    mut first: usize,
    sums: &mut [i16],
    losses: &mut Losses<'_>,
) -> usize {
    let (pairs, _) = sums.as_chunks_mut::<2>();
    for tile in pairs.get_mut(first..).unwrap_or(&mut []).as_chunks_mut::<TILE>().0 {
        let mut totals = [[0i32; 2]; TILE];
        let mut start = 0;
        for &end in parts.ends.iter().take(parts.count) {
            let run = spikes.get(start..end).unwrap_or(&[]);
            let sums = add_pairs::<TILE>(words.get(first..).unwrap_or(&[]), stride, run);
            for (total, sum) in totals.iter_mut().zip(sums) {
                let [low, high] = halves(sum);
                *total = [total[0].wrapping_add(i32::from(low)), total[1].wrapping_add(i32::from(high))];
            }
            start = end;
        }
        for (unit, (sum, total)) in tile.as_flattened_mut().iter_mut().zip(totals.as_flattened()).enumerate()
        {
            *sum = hold_total(*total, first.wrapping_mul(2).wrapping_add(unit), losses);
        }
        first = first.wrapping_add(TILE);
    }
    first
}

/// Words of four weights that are added up at a time.
const QUADS: usize = if cfg!(target_arch = "arm") { 3 } else { 5 };

/// Sums of weights of 8 bits, of four units a word. 255 unsigned bytes add up in 16 bits.
#[inline(always)]
fn sum_quads(words: &[u32], stride: usize, spikes: &[u16], sums: &mut [[i16; 4]]) {
    let rest = quad_tiles::<QUADS>(words, stride, spikes, 0, sums);
    quad_tiles::<1>(words, stride, spikes, rest, sums);
}

#[inline(always)]
fn quad_tiles<const TILE: usize>(
    words: &[u32],
    stride: usize,
    spikes: &[u16],
    mut first: usize,
    sums: &mut [[i16; 4]],
) -> usize {
    const SIGNS: u32 = 0x8080_8080;
    const EVEN: u32 = 0x00FF_00FF;
    let bias = (spikes.len() as u16).wrapping_mul(128);
    for tile in sums.get_mut(first..).unwrap_or(&mut []).as_chunks_mut::<TILE>().0 {
        let words = words.get(first..).unwrap_or(&[]);
        let mut totals = [[0u32; 2]; TILE];
        let Some(last) = words.len().checked_sub(TILE) else { return first };
        for &unit in spikes {
            let at = usize::from(unit).wrapping_mul(stride);
            if at <= last
                && let Some(column) =
                    words.get(at..at.wrapping_add(TILE)).and_then(|column| column.first_chunk::<TILE>())
            {
                for ([even, odd], quad) in totals.iter_mut().zip(column) {
                    let quad = quad ^ SIGNS;
                    *even = even.wrapping_add(quad & EVEN);
                    *odd = odd.wrapping_add((quad >> 8) & EVEN);
                }
            }
        }
        for (quad, [even, odd]) in tile.iter_mut().zip(totals) {
            let sums = [even as u16, odd as u16, (even >> 16) as u16, (odd >> 16) as u16];
            *quad = sums.map(|sum| sum.wrapping_sub(bias) as i16);
        }
        first = first.wrapping_add(TILE);
    }
    first
}

/// Neurons added together in 32 bits.
pub(super) const WIDE_TILE: usize = 16;

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
        hold_totals(totals, tile, sums, losses);
    }
}

/// Holds the sums of a tile within ±[`ACCUMULATOR_LIMIT`].
#[inline(always)]
pub(super) fn hold_totals(totals: [i32; WIDE_TILE], tile: usize, sums: &mut [i16], losses: &mut Losses<'_>) {
    let first = tile.wrapping_mul(WIDE_TILE);
    for (lane, (sum, total)) in sums.iter_mut().zip(totals).enumerate() {
        *sum = hold_total(total, first.wrapping_add(lane), losses);
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

/// One step of every neuron where no kernel is cut, k_B · gain · 2 is below one and nobody
/// teaches: a device's, but for the outputs in the target phase. Filters first and somata
/// second, so that the coefficients of each loop stay in registers; differences of states
/// held within 15 bits need no second look.
#[inline(never)]
fn advance_freely<const COUNT: bool>(
    layer: &Coefficients,
    state: Dynamics<'_, i16>,
    units: usize,
    mut offsets: Offsets<'_, Generator>,
    spikes: &mut Spikes<'_>,
    losses: &mut Losses<'_>,
) {
    let gains = Gains::of(layer);
    filter(gains, state.sums, state.fast, state.slow);
    spikes.clear();
    let somas = state.soma.get_mut(..units).unwrap_or(&mut []);
    let blocks = somas.chunks_mut(BLOCK).zip(state.slow.chunks(BLOCK)).zip(state.bias.chunks(BLOCK));
    let mut first = 0usize;
    for ((somas, slows), biases) in blocks {
        let noise = thresholds(offsets.draw());
        let (fours, rest) = somas.as_chunks_mut::<4>();
        let others =
            slows.as_chunks::<4>().0.iter().zip(biases.as_chunks::<4>().0).zip(noise.as_chunks::<4>().0);
        let mut unit = first;
        for (somas, ((slows, biases), noise)) in fours.iter_mut().zip(others) {
            let neurons = somas.iter_mut().zip(slows).zip(biases).zip(noise);
            for ((((soma, &slow), &bias), &threshold), lane) in neurons.zip(0..) {
                let unit = unit.wrapping_add(lane);
                integrate::<COUNT>(gains, soma, slow, bias, threshold, unit, spikes, losses);
            }
            unit = unit.wrapping_add(4);
        }
        let done = unit.wrapping_sub(first);
        let others = slows.iter().zip(biases).zip(noise).skip(done);
        for (soma, ((&slow, &bias), &threshold)) in rest.iter_mut().zip(others) {
            integrate::<COUNT>(gains, soma, slow, bias, threshold, unit, spikes, losses);
            unit = unit.wrapping_add(1);
        }
        first = first.wrapping_add(BLOCK);
    }
}

/// Coefficients in registers.
#[derive(Clone, Copy)]
struct Gains {
    fast: i32,
    slow: i32,
    basal: i32,
    soma: i32,
    half: i32,
}

impl Gains {
    #[inline(always)]
    fn of(layer: &Coefficients) -> Self {
        let [fast, slow, basal, soma] = [layer.fast, layer.slow, layer.basal, layer.soma].map(i32::from);
        Self { fast, slow, basal, soma, half: half() }
    }
}

/// ½ of a step in 2⁻¹⁵, in a register: an instruction that multiplies and adds takes no
/// constant, and the compiler would use two instructions if it knew this to be one.
#[inline(always)]
fn half() -> i32 {
    core::hint::black_box(1 << 14)
}

/// ⌊value·gain·2⁻¹⁵ + ½⌋.
#[inline(always)]
fn scaled(value: i32, gain: i32, half: i32) -> i32 {
    value.wrapping_mul(gain).wrapping_add(half) >> 15
}

/// Both PSP filters of every neuron.
#[inline(always)]
fn filter(gains: Gains, sums: &[i16], fast: &mut [i16], slow: &mut [i16]) {
    let toward = |from: i16, to: i32, gain: i32| {
        let from = i32::from(from);
        from.wrapping_add(scaled(to.wrapping_sub(from), gain, gains.half))
    };
    let step = |sum: i16, fast: &mut i16, slow: &mut i16| {
        let x1 = toward(*fast, i32::from(sum), gains.fast);
        *fast = x1 as i16;
        *slow = toward(*slow, x1, gains.slow) as i16;
    };
    let (sums, last_sums) = sums.as_chunks::<4>();
    let (fast, last_fast) = fast.as_chunks_mut::<4>();
    let (slow, last_slow) = slow.as_chunks_mut::<4>();
    for ((sums, fast), slow) in sums.iter().zip(fast).zip(slow) {
        for ((&sum, fast), slow) in sums.iter().zip(fast).zip(slow) {
            step(sum, fast, slow);
        }
    }
    for ((&sum, fast), slow) in last_sums.iter().zip(last_fast).zip(last_slow) {
        step(sum, fast, slow);
    }
}

/// Basal drive, soma and spikes of a neuron.
#[inline(always)]
#[allow(clippy::too_many_arguments)] // a neuron, its noise, its spikes, its losses
fn integrate<const COUNT: bool>(
    gains: Gains,
    soma: &mut i16,
    slow: i16,
    bias: i16,
    threshold: i16,
    unit: usize,
    spikes: &mut Spikes<'_>,
    losses: &mut Losses<'_>,
) {
    let limit = i32::from(STATE_LIMIT);
    let mut drive = i32::from(bias).wrapping_add(scaled(i32::from(slow), gains.basal, gains.half));
    if drive.wrapping_add(limit) as u32 > limit.wrapping_mul(2) as u32 {
        drive = hold_drive::<COUNT>(drive, unit, losses);
    }
    let old = i32::from(*soma);
    let potential = old.wrapping_add(scaled(drive.wrapping_sub(old), gains.soma, gains.half));
    *soma = potential as i16;
    if potential > i32::from(threshold) {
        push_spikes(spikes, unit as u16, potential as i16, threshold);
    }
}

#[cold]
#[inline(never)]
fn hold_drive<const COUNT: bool>(drive: i32, unit: usize, losses: &mut Losses<'_>) -> i32 {
    if COUNT {
        losses.saturated(Variable::Basal, 1, unit);
    }
    drive.clamp(i32::from(STATE_LIMIT.wrapping_neg()), i32::from(STATE_LIMIT))
}

#[cold]
#[inline(never)]
fn push_spikes(spikes: &mut Spikes<'_>, name: u16, potential: i16, threshold: i16) {
    for _ in 0..count(potential, threshold) {
        spikes.push(name);
    }
}

/// Spikes of units with fixed potentials.
#[inline(never)]
fn fire(potentials: &[i16], names: &[u16], mut offsets: Offsets<'_, Generator>, spikes: &mut Spikes<'_>) {
    spikes.clear();
    for (potentials, names) in potentials.chunks(BLOCK).zip(names.chunks(BLOCK)) {
        let noise = thresholds(offsets.draw());
        let mut fired = match potentials.first_chunk::<BLOCK>() {
            Some(potentials) => exceeding(potentials, noise),
            None => {
                let pairs = potentials.iter().zip(noise).zip(0u32..);
                pairs.fold(0, |fired, ((potential, threshold), lane)| {
                    fired | u32::from(potential > threshold).wrapping_shl(lane)
                })
            }
        };
        while fired != 0 {
            let lane = fired.trailing_zeros() as usize;
            fired &= fired.wrapping_sub(1);
            let (Some(&potential), Some(&threshold), Some(&name)) =
                (potentials.get(lane), noise.get(lane), names.get(lane))
            else {
                continue;
            };
            spikes.push(name);
            if potential > SINGLE_BELOW && threshold <= SINGLE_ABOVE {
                (1..count(potential, threshold)).for_each(|_| spikes.push(name));
            }
        }
    }
}

/// Bit i: whether potential i exceeds threshold i.
#[inline(always)]
fn exceeding(potentials: &[i16; BLOCK], noise: &[i16; BLOCK]) -> u32 {
    let mut fired = 0;
    for (lane, (potential, threshold)) in potentials.iter().zip(noise).enumerate() {
        if potential > threshold {
            fired |= 1 << (lane & 31);
        }
    }
    fired
}

/// The update with stochastic rounding. Returns a bound of the largest magnitude, below
/// twice of it.
#[inline(never)]
fn update_stochastically<W: Weight, const SHIFT: u32>(
    weights: &mut [W],
    errors: &[i16],
    psp: i16,
    dither: &[u16; 32],
) -> u16 {
    const { assert!(SHIFT > 0 && SHIFT < 16) };
    let (psp, half) = (i32::from(psp), half());
    let mut sizes = 0i32;
    let mut weyl = 0u32;
    for (weights, errors) in weights.chunks_mut(BLOCK).zip(errors.chunks(BLOCK)) {
        let mut change = |weight: &mut W, error: i16, lane: u16| {
            let noise = (u32::from(lane) << 16).wrapping_add(weyl) >> const { 32u32.wrapping_sub(SHIFT) };
            let delta = scaled(i32::from(error), psp, half);
            let step = delta.wrapping_add(noise as i32) >> SHIFT;
            let sum = i32::from(weight.widen()).wrapping_add(step).clamp(-32768, 32767) as i16;
            let held = W::saturate(sum);
            *weight = held;
            let size = i32::from(held.widen());
            sizes |= size ^ (size >> 31);
        };
        let (fours, rest) = weights.as_chunks_mut::<4>();
        let (errors, last_errors) = errors.as_chunks::<4>();
        let mut lanes = dither.as_chunks::<4>().0.iter();
        for ((weights, errors), lanes) in fours.iter_mut().zip(errors).zip(&mut lanes) {
            for ((weight, &error), &lane) in weights.iter_mut().zip(errors).zip(lanes) {
                change(weight, error, lane);
            }
        }
        let lanes = lanes.as_slice().as_flattened();
        for ((weight, &error), &lane) in rest.iter_mut().zip(last_errors).zip(lanes) {
            change(weight, error, lane);
        }
        weyl = weyl.wrapping_add(u32::from(DITHER_STRIDE) << 16);
    }
    (sizes as u16).wrapping_add(1)
}

/// The update in any rounding; returns the largest magnitude.
#[inline(never)]
#[allow(clippy::too_many_arguments)] // those of `Kernels::update`
pub(super) fn update_any<W: Weight, const COUNT: bool>(
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
        let zeros = |numbers: &[i16; BLOCK]| {
            numbers.iter().fold(0i16, |zeros, &number| zeros.wrapping_add(i16::from(number == 0)))
        };
        let (idle, still) = (zeros(&self.errors), zeros(&self.steps));
        let mut bias = 0i32;
        for (&delta, &step) in self.deltas.iter().zip(&self.steps) {
            // Below one step: 16 bits are enough for one of them.
            bias = bias.wrapping_add(i32::from((step << shift).wrapping_sub(delta)));
        }
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
        let (meant, lost) = ((BLOCK as i16).wrapping_sub(idle), still.wrapping_sub(idle));
        let bias = i64::from(bias).wrapping_shl(16u32.wrapping_sub(shift));
        losses.updated(variable, meant as u64, lost as u64, bias);
    }
}

/// One step of every neuron, with any kernel.
#[inline(never)]
fn advance_any<const COUNT: bool>(
    layer: &Coefficients,
    state: Dynamics<'_, i16>,
    units: usize,
    label: Option<usize>,
    mut offsets: Offsets<'_, Generator>,
    spikes: &mut Spikes<'_>,
    losses: &mut Losses<'_>,
) {
    spikes.clear();
    let cut = !state.oldest.is_empty();
    let mut oldest = state.oldest.iter_mut();
    let neurons = state.sums.iter().zip(state.fast).zip(state.slow).zip(state.soma).zip(state.bias);
    let mut noise = thresholds(0).iter();
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
        let threshold = match noise.next() {
            Some(&threshold) if unit % BLOCK != 0 => threshold,
            _ => {
                noise = thresholds(offsets.draw()).iter();
                noise.next().copied().unwrap_or(i16::MAX)
            }
        };
        if *soma > threshold {
            push_spikes(spikes, unit as u16, *soma, threshold);
        }
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

/// σ′ of the mean somatic potentials.
#[inline(always)]
pub fn slopes<const COUNT: bool>(sums: &[i32], steps: u32, slopes: &mut [i16], losses: &mut Losses<'_>) {
    let reciprocal = reciprocal(steps);
    for (slope_place, &sum) in slopes.iter_mut().zip(sums) {
        let mean = mean::<COUNT>(sum, reciprocal, Variable::Soma, losses);
        *slope_place = slope(sigmoid(mean));
    }
}

/// narrow(gain · (target − forward) · σ′): 2⁻¹¹ · 2⁻¹⁵ · 2⁻¹⁵ → 2⁻¹⁴, held within
/// ±[`ERROR_LIMIT`].
#[inline(always)]
pub fn errors<const COUNT: bool>(
    gain: i32,
    targets: &[i16],
    forwards: &[i16],
    errors: &mut [i16],
    losses: &mut Losses<'_>,
) {
    let pairs = errors.iter_mut().zip(targets).zip(forwards);
    for (unit, ((error, &target), &forward)) in pairs.enumerate() {
        let difference = i64::from(i32::from(target).wrapping_sub(i32::from(forward)));
        // A slope is at most ¼ and a gain below 2⁵: 29 bits.
        let gained = i64::from(i32::from(*error).wrapping_mul(gain));
        let rounded = difference.wrapping_mul(gained).wrapping_add(1 << 26) >> 27;
        *error = rounded.clamp(-ERROR_LIMIT, ERROR_LIMIT) as i16;
        if COUNT && i64::from(*error) != rounded {
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
