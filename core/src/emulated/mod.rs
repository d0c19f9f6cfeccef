//! Formats chosen at run time, in 32-bit containers: the arithmetic laboratory.
//!
//! The same equations and the same narrowings as [`crate::native`], with bits, binary
//! point, rounding and overflow of every variable in a table. With the table of the
//! compiled-in formats ([`Table::native`]) it gives the same bits as they do.
//!
//! # Ways
//! Three ways lead to the same bits. The long one, in this file, knows every rounding and
//! every overflow and looks them up for each number. The `quick` one has them as constants,
//! for formats that saturate and roundings that are an addition and a shift; it steps a layer
//! in 64 bits. On kernels with lanes, a layer goes through all steps of a run at once (`run`), under
//! any rounding and any overflow (but a sum of columns that keeps its old value), in lanes of 32 bits
//! where intervals prove that these hold every number, or each product in two parts (`narrow`), and
//! on the kernels of the compiled-in formats where its steps are theirs (`compiled`); updates
//! (`learn`) and the ends of phases (`ends`) likewise. What is held is counted there, too.
//!
//! # Numerics
//! Products and sums are exact; each variable is narrowed once.
//!
//! # Draws
//! Stochastic rounding of weights and biases takes the dither that the compiled-in
//! formats take (16 bits; shifts beyond 16 get their lower bits from a hash of it). That
//! of states hashes the offset of the block's noise, the unit, the site and the value.

mod coefficients;
mod compiled;
mod ends;
mod learn;
mod narrow;
mod quick;
mod run;
mod shift;
mod table;

pub use coefficients::{Decay, EmulatedCoefficients, EmulatedParameters, Pace};
pub use table::{Table, VariableFormat};

use crate::arithmetic::{Arithmetic, Columns, Dynamics, Neurons, Run, Scratch, Updates, learn_each};
use crate::formats::{Format, Variable};
use crate::kernels::{Kernels, Plain};
use crate::losses::Losses;
use crate::native::reciprocal;
use crate::parameters::TEACHER;
use crate::random::{DITHER_STRIDE, Generator, Offsets};
use crate::rounding::{Overflow, Rounding};
use crate::spikes::Spikes;
use crate::tables::noise::{BLOCK, NEVER, count, thresholds};
use crate::trains::Trains;
use ends::{ErrorsJob, PlateausJob, SlopesJob};
use learn::{BiasJob, LearnJob};
use run::RunJob;

/// Arithmetic in formats of a [`Table`], on the instructions of the kernels `K`. With
/// `COUNT`, losses are counted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Emulated<K = Plain, const COUNT: bool = false> {
    kernels: K,
}

impl<K, const COUNT: bool> Emulated<K, COUNT> {
    /// The arithmetic that runs on the instructions of these kernels.
    pub const fn new(kernels: K) -> Self {
        Self { kernels }
    }
}

/// Units whose spikes the quick way finds at once.
const BAND: usize = 1024;
/// Their names.
static NAMES: [u16; BAND] = names();

#[allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)] // evaluated by the compiler
const fn names() -> [u16; BAND] {
    let mut names = [0; BAND];
    let mut unit = 0;
    while unit < BAND {
        names[unit] = unit as u16;
        unit = unit.wrapping_add(1);
    }
    names
}

type C = EmulatedCoefficients;

/// Fits a rounded value into its format.
#[inline(always)]
fn fit<const COUNT: bool>(
    to: &VariableFormat,
    variable: Variable,
    value: i64,
    old: i64,
    unit: usize,
    losses: &mut Losses<'_>,
) -> i32 {
    if value <= to.highest && value >= to.lowest {
        return value as i32;
    }
    overflowed::<COUNT>(to, variable, value, old, unit, losses)
}

#[cold]
#[inline(never)]
fn overflowed<const COUNT: bool>(
    to: &VariableFormat,
    variable: Variable,
    value: i64,
    old: i64,
    unit: usize,
    losses: &mut Losses<'_>,
) -> i32 {
    let unused = 64u32.wrapping_sub(u32::from(to.format.bits));
    let kept = match to.overflow {
        Overflow::Saturate => value.clamp(to.lowest, to.highest),
        Overflow::Wrap => value.wrapping_shl(unused).wrapping_shr(unused),
        Overflow::Drop => old,
    };
    if COUNT && kept != value {
        losses.overflowed(variable, to.overflow, 1, unit);
    }
    kept as i32
}

/// A mean of a sum of a variable, whose format is `to`.
#[inline(always)]
fn mean<const COUNT: bool>(
    to: &VariableFormat,
    variable: Variable,
    sum: i64,
    steps: u32,
    losses: &mut Losses<'_>,
) -> i32 {
    let exact = sum.wrapping_mul(reciprocal(steps));
    let noise = state_noise(steps, 0, variable, sum);
    fit::<COUNT>(to, variable, to.rounding.shift(exact, 20, noise), 0, 0, losses)
}

/// A mean PSP of its sum over the window.
#[inline(always)]
fn mean_psp<const COUNT: bool>(to: &VariableFormat, sum: u16, steps: u32, losses: &mut Losses<'_>) -> i32 {
    let exact = i64::from(sum).wrapping_mul(reciprocal(steps));
    let noise = state_noise(steps, 0, Variable::Psp, i64::from(sum));
    let rounded = rescale(to.rounding, exact, 31, i32::from(to.format.fraction), noise);
    fit::<COUNT>(to, Variable::Psp, rounded, 0, 0, losses)
}

/// Between two binary points: exact to the left, rounded to the right.
#[inline(always)]
fn rescale(rounding: Rounding, value: i64, from: i32, to: i32, noise: u32) -> i64 {
    let down = from.wrapping_sub(to);
    if down <= 0 {
        return value.wrapping_shl(down.wrapping_neg() as u32);
    }
    rounding.shift(value, down as u32, noise)
}

/// A potential in 8 fraction bits for a comparison with a threshold: rounded up, which
/// leaves "greater than an integer" as it is.
#[inline(always)]
fn comparable(soma: i32, fraction: i32) -> i16 {
    let down = fraction.wrapping_sub(8);
    let value = i64::from(soma);
    let scaled = if down <= 0 {
        value.wrapping_shl(down.wrapping_neg() as u32)
    } else {
        value.wrapping_neg().wrapping_shr(down as u32).wrapping_neg()
    };
    scaled.clamp(i64::from(i16::MIN), i64::from(NEVER).wrapping_sub(1)) as i16
}

/// Units whose columns are added up at once.
const TILE: usize = 64;

/// Sums of the columns that spiked, from unit `first` on.
#[inline(always)]
fn total(columns: &Columns<'_, i16>, spikes: &[u16], first: usize) -> [i32; TILE] {
    let mut totals = [0i32; TILE];
    let column = |spike: u16| {
        let at = usize::from(spike).wrapping_mul(columns.stride).wrapping_add(first);
        columns.weights.get(at..).unwrap_or(&[])
    };
    let mut fours = spikes.chunks_exact(4);
    for four in &mut fours {
        let &[a, b, c, d] = four else { break };
        let parts = [a, b, c, d].map(|spike| column(spike).first_chunk::<TILE>());
        // Four at a time: the totals go to memory and back once for all of them.
        if let [Some(a), Some(b), Some(c), Some(d)] = parts {
            for ((((total, &a), &b), &c), &d) in totals.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                let pairs =
                    (i32::from(a).wrapping_add(i32::from(b)), i32::from(c).wrapping_add(i32::from(d)));
                *total = total.wrapping_add(pairs.0.wrapping_add(pairs.1));
            }
        } else {
            four.iter().for_each(|&spike| add(&mut totals, column(spike)));
        }
    }
    fours.remainder().iter().for_each(|&spike| add(&mut totals, column(spike)));
    totals
}

/// Adds one column, which may end early.
#[inline(always)]
fn add(totals: &mut [i32; TILE], column: &[i16]) {
    if let Some(column) = column.first_chunk::<TILE>() {
        for (total, &weight) in totals.iter_mut().zip(column) {
            *total = total.wrapping_add(i32::from(weight));
        }
    } else {
        for (total, &weight) in totals.iter_mut().zip(column) {
            *total = total.wrapping_add(i32::from(weight));
        }
    }
}

/// 32 bits for the rounding of a state.
#[inline(always)]
fn state_noise(offset: u32, unit: usize, site: Variable, value: i64) -> u32 {
    let mut x = offset ^ (unit as u32).wrapping_mul(0x9E37_79B1) ^ (site as u32).wrapping_mul(0x85EB_CA6B);
    x = x.wrapping_add((value as u32).wrapping_mul(0xC2B2_AE35));
    x = (x ^ (x >> 16)).wrapping_mul(0x7FEB_352D);
    x = (x ^ (x >> 15)).wrapping_mul(0x846C_A68B);
    x ^ (x >> 16)
}

/// 32 bits for the rounding of a weight from its 16.
#[inline(always)]
fn weight_noise(lane: u16) -> u32 {
    (u32::from(lane) << 16) | (u32::from(lane).wrapping_mul(40503).wrapping_add(12345) & 0xFFFF)
}

/// One narrowing of a state in a step.
struct Site<'a, 'l, const COUNT: bool> {
    layer: &'a C,
    offset: u32,
    unit: usize,
    losses: &'a mut Losses<'l>,
}

impl<const COUNT: bool> Site<'_, '_, COUNT> {
    /// `exact` with `fraction` bits, rounded as the variable is, not yet fitted.
    #[inline(always)]
    fn round(&self, variable: Variable, exact: i64, fraction: i32) -> i64 {
        let to = self.layer.table.of(variable);
        let noise = match to.rounding {
            Rounding::Stochastic | Rounding::UnitStep => state_noise(self.offset, self.unit, variable, exact),
            _ => 0,
        };
        rescale(to.rounding, exact, fraction, i32::from(to.format.fraction), noise)
    }

    #[inline(always)]
    fn fit(&mut self, variable: Variable, value: i64, old: i32) -> i32 {
        let to = self.layer.table.of(variable);
        fit::<COUNT>(to, variable, value, i64::from(old), self.unit, self.losses)
    }

    /// x + narrow(gain · (target − x)), the gain with 15 fraction bits.
    #[inline(always)]
    fn approach(
        &mut self,
        variable: Variable,
        x: i32,
        (target, fraction): (i32, i32),
        gain: i32,
        base: Option<i64>,
    ) -> i32 {
        let own = i32::from(self.layer.table.of(variable).format.fraction);
        let common = own.max(fraction);
        let target = i64::from(target).wrapping_shl(common.wrapping_sub(fraction) as u32);
        let from = i64::from(x).wrapping_shl(common.wrapping_sub(own) as u32);
        let exact = target.wrapping_sub(from).wrapping_mul(i64::from(gain));
        let moved = self.round(variable, exact, common.wrapping_add(15));
        self.fit(variable, base.unwrap_or(i64::from(x)).wrapping_add(moved), x)
    }

    /// Takes from a filter what a cut kernel forgets.
    #[inline(always)]
    fn forget(&mut self, variable: Variable, x: i32, (tail, fraction): (i32, i32), gain: i32) -> i32 {
        let exact = i64::from(tail).wrapping_mul(i64::from(gain));
        let gone = self.round(variable, exact, fraction.wrapping_add(15));
        self.fit(variable, i64::from(x).wrapping_sub(gone), x)
    }
}

impl<K: Kernels, const COUNT: bool> Emulated<K, COUNT> {
    #[inline(always)]
    #[allow(clippy::too_many_arguments)] // those of `advance`, and the label
    fn step(
        &self,
        layer: &C,
        state: Dynamics<'_, i32>,
        units: usize,
        pull: Option<usize>,
        mut offsets: Offsets<'_, Generator>,
        spikes: &mut Spikes<'_>,
        losses: &mut Losses<'_>,
    ) {
        if let Some(quick) = layer.quick_step.filter(|_| !COUNT && state.oldest.is_empty() && units <= BAND) {
            let mut state = state;
            let mut potentials = [0i16; BAND];
            let padded = units.next_multiple_of(BLOCK).min(state.soma.len());
            let noisy = quick.is_noisy();
            let mut ahead = [0u16; BAND / BLOCK];
            if noisy {
                offsets.peek(ahead.get_mut(..units.div_ceil(BLOCK)).unwrap_or(&mut []));
            }
            self.kernels.enter(
                #[inline(always)]
                || {
                    if noisy {
                        quick.run::<true>(&mut state, pull, &ahead);
                    } else {
                        quick.run::<false>(&mut state, pull, &[]);
                    }
                    quick.comparable(state.soma, &mut potentials);
                    potentials.get_mut(units..padded).unwrap_or(&mut []).fill(i16::MIN);
                },
            );
            let potentials = potentials.get(..padded).unwrap_or(&[]);
            self.kernels.fire(potentials, &NAMES, offsets, spikes);
            return;
        }
        spikes.clear();
        let fraction = |variable| i32::from(layer.table.of(variable).format.fraction);
        let (fast_f, slow_f) = (fraction(Variable::FilterFast), fraction(Variable::FilterSlow));
        let (basal_f, soma_f) = (fraction(Variable::Basal), fraction(Variable::Soma));
        let bias_f = fraction(Variable::Bias);
        let drive_f = slow_f.wrapping_add(16).max(bias_f);
        let cut = !state.oldest.is_empty();
        let mut oldest = state.oldest.iter_mut();
        let neurons = state.sums.iter().zip(state.fast).zip(state.slow).zip(state.soma).zip(state.bias);
        let (mut offset, mut noise) = (0u16, thresholds(0));
        for (unit, ((((&sum, fast), slow), soma), &bias)) in neurons.take(units).enumerate() {
            if unit % BLOCK == 0 {
                offset = offsets.draw();
                noise = thresholds(offset);
            }
            let mut site = Site::<COUNT> { layer, offset: u32::from(offset), unit, losses };
            let tail = if cut { oldest.next().map_or(0, |old| core::mem::replace(old, sum)) } else { 0 };
            *fast = site.approach(Variable::FilterFast, *fast, (sum, fast_f), layer.fast, None);
            if cut {
                *fast = site.forget(Variable::FilterFast, *fast, (tail, fast_f), layer.tail_fast);
            }
            *slow = site.approach(Variable::FilterSlow, *slow, (*fast, fast_f), layer.slow, None);
            if cut {
                *slow = site.forget(Variable::FilterSlow, *slow, (tail, fast_f), layer.tail_slow);
            }
            let synaptic = i64::from(*slow).wrapping_mul(i64::from(layer.basal));
            let synaptic = synaptic.wrapping_shl(drive_f.wrapping_sub(slow_f.wrapping_add(16)) as u32);
            let constant = i64::from(bias).wrapping_shl(drive_f.wrapping_sub(bias_f) as u32);
            let rounded = site.round(Variable::Basal, synaptic.wrapping_add(constant), drive_f);
            let basal = site.fit(Variable::Basal, rounded, 0);
            let base = pull.map(|label| {
                let sign = if label == unit { 1 } else { -1 };
                i64::from(TEACHER).wrapping_mul(sign).wrapping_shl(soma_f.max(0) as u32)
            });
            *soma = site.approach(Variable::Soma, *soma, (basal, basal_f), layer.soma, base);
            let potential = comparable(*soma, soma_f);
            let threshold = noise.get(unit % BLOCK).copied().unwrap_or(NEVER);
            if potential > threshold {
                for _ in 0..count(potential, threshold) {
                    spikes.push(unit as u16);
                }
            }
        }
    }

    /// A change of a weight or bias: rounded to its step, added, fitted. `meant` says whether
    /// it was one before it became a `delta`.
    #[inline(always)]
    #[allow(clippy::too_many_arguments)] // a weight, its change, its noise, its losses
    fn change(
        layer: &C,
        variable: Variable,
        old: i32,
        (delta, meant): (i64, bool),
        lane: u16,
        unit: usize,
        losses: &mut Losses<'_>,
    ) -> i32 {
        let to = layer.table.of(variable);
        let delta_f = i32::from(layer.table.of(Variable::Delta).format.fraction);
        let down = delta_f.wrapping_sub(i32::from(to.format.fraction));
        let step = rescale(to.rounding, delta, delta_f, i32::from(to.format.fraction), weight_noise(lane));
        if COUNT {
            let exact = rescale(Rounding::Nearest, delta.wrapping_shl(16), down, 0, 0);
            let bias = step.wrapping_shl(16).wrapping_sub(exact);
            losses.updated(variable, u64::from(meant), u64::from(meant && step == 0), bias);
        }
        let old = i64::from(old);
        fit::<COUNT>(to, variable, old.wrapping_add(step), old, unit, losses)
    }
}

impl<K: Kernels, const COUNT: bool> Arithmetic for Emulated<K, COUNT> {
    type Weight = i16;
    type State = i32;
    type Sum = i64;
    type Coefficients = EmulatedCoefficients;
    type Output = Self;

    fn output(&self) -> Self {
        *self
    }

    fn sum_columns(
        &self,
        layer: &C,
        columns: Columns<'_, i16>,
        spikes: &[u16],
        sums: &mut [i32],
        losses: &mut Losses<'_>,
    ) {
        let (to, filter) = (layer.table.of(Variable::Accumulator), layer.table.of(Variable::FilterFast));
        let weight_f = i32::from(layer.table.of(Variable::Weight).format.fraction);
        let filter_f = i32::from(filter.format.fraction);
        self.kernels.enter(
            #[inline(always)]
            || {
                for (tile, sums) in sums.chunks_mut(TILE).enumerate() {
                    let first = tile.wrapping_mul(TILE);
                    let totals = total(&columns, spikes, first);
                    if let Some(quick) = layer.quick_sum.filter(|_| !COUNT) {
                        let units = columns.units.saturating_sub(first).min(sums.len());
                        quick.narrow(&totals, sums.get_mut(..units).unwrap_or(&mut []));
                        continue;
                    }
                    for (lane, (sum, total)) in sums.iter_mut().zip(totals).enumerate() {
                        let unit = first.wrapping_add(lane);
                        if unit >= columns.units {
                            break;
                        }
                        let old = i64::from(*sum);
                        let total =
                            fit::<COUNT>(to, Variable::Accumulator, i64::from(total), old, unit, losses);
                        let noise =
                            state_noise(spikes.len() as u32, unit, Variable::Accumulator, i64::from(total));
                        let scaled = rescale(to.rounding, i64::from(total), weight_f, filter_f, noise);
                        *sum = fit::<COUNT>(filter, Variable::FilterFast, scaled, old, unit, losses);
                    }
                }
            },
        );
    }

    fn advance(
        &self,
        layer: &C,
        state: Dynamics<'_, i32>,
        units: usize,
        label: Option<usize>,
        offsets: Offsets<'_, Generator>,
        spikes: &mut Spikes<'_>,
        losses: &mut Losses<'_>,
    ) {
        self.step(layer, state, units, label, offsets, spikes, losses);
    }

    fn run(
        &self,
        layer: &C,
        columns: Columns<'_, i16>,
        neurons: Neurons<'_, i32, i64>,
        run: &Run<'_>,
        draws: &mut Generator,
        trains: &mut Trains<'_>,
        scratch: &mut Scratch<'_>,
        losses: &mut Losses<'_>,
    ) -> bool {
        let mut neurons = neurons;
        if let Some(short) = layer.compiled.as_ref().filter(|_| !COUNT && neurons.soma.len() <= BAND)
            && compiled::run(&self.kernels, short, columns, &mut neurons, run, draws, trains, scratch)
        {
            return true;
        }
        let Some(way) = layer.way(!neurons.history.is_empty(), COUNT) else { return false };
        let job = RunJob::<COUNT> { layer, way, columns, neurons, run, draws, trains, scratch, losses };
        self.kernels.on_lanes(job).unwrap_or(false)
    }

    fn find_active(&self, greys: &[u8], names: &mut [u16]) -> Option<usize> {
        self.kernels.find_active(greys, names)
    }

    fn fire_run(
        &self,
        potentials: &[i16],
        names: &[u16],
        run: &Run<'_>,
        draws: &mut Generator,
        trains: &mut Trains<'_>,
        scratch: &mut Scratch<'_>,
    ) -> bool {
        self.kernels.fire_run(potentials, names, run, draws, trains, scratch)
    }

    fn fire_pixels(
        &self,
        potentials: &[i16],
        names: &[u16],
        offsets: Offsets<'_, Generator>,
        spikes: &mut Spikes<'_>,
    ) {
        self.kernels.fire(potentials, names, offsets, spikes);
    }

    fn accumulate(&self, somas: &[i32], sums: &mut [i64]) {
        for (sum, &soma) in sums.iter_mut().zip(somas) {
            *sum = sum.wrapping_add(i64::from(soma));
        }
    }

    fn add(&self, sum: i64, term: i32) -> i64 {
        sum.wrapping_add(i64::from(term))
    }

    fn mean(&self, layer: &C, variable: Variable, sum: i64, steps: u32, losses: &mut Losses<'_>) -> i32 {
        mean::<COUNT>(layer.table.of(variable), variable, sum, steps, losses)
    }

    fn mean_psp(&self, layer: &C, sum: u16, steps: u32, losses: &mut Losses<'_>) -> i32 {
        mean_psp::<COUNT>(layer.table.of(Variable::Psp), sum, steps, losses)
    }

    fn rate(&self, layer: &C, soma: i32) -> i32 {
        layer.sigmoid(Variable::Soma, Variable::Rate, soma)
    }

    fn slope(&self, layer: &C, rate: i32) -> i32 {
        let to = layer.table.of(Variable::Rate);
        let square = i64::from(rate).wrapping_mul(i64::from(rate));
        let fraction = to.format.fraction.max(0) as u32;
        let noise = state_noise(0, 0, Variable::Rate, square);
        (i64::from(rate).wrapping_sub(to.rounding.shift(square, fraction, noise))) as i32
    }

    fn slopes(&self, layer: &C, sums: &[i64], steps: u32, slopes: &mut [i32], losses: &mut Losses<'_>) {
        let job = SlopesJob::<COUNT> { layer, sums, steps, slopes: &mut *slopes, losses: &mut *losses };
        if self.kernels.on_lanes(job) == Some(true) {
            return;
        }
        for (slope, &sum) in slopes.iter_mut().zip(sums) {
            let mean = self.mean(layer, Variable::Soma, sum, steps, losses);
            *slope = self.slope(layer, self.rate(layer, mean));
        }
    }

    fn plateaus(
        &self,
        layer: &C,
        feedback: Columns<'_, i16>,
        psp: &[i32],
        plateaus: &mut [i32],
        losses: &mut Losses<'_>,
    ) {
        let job =
            PlateausJob::<COUNT> { layer, feedback, psp, plateaus: &mut *plateaus, losses: &mut *losses };
        if self.kernels.on_lanes(job) == Some(true) {
            return;
        }
        let to = layer.table.of(Variable::Apical);
        let fraction = |variable| i32::from(layer.table.of(variable).format.fraction);
        let from = fraction(Variable::Feedback).wrapping_add(fraction(Variable::Psp));
        for (unit, plateau) in plateaus.iter_mut().take(feedback.units).enumerate() {
            let mut sum = 0i64;
            for (column, &psp) in feedback.weights.chunks_exact(feedback.stride.max(1)).zip(psp) {
                let weight = column.get(unit).copied().unwrap_or(0);
                sum = sum.wrapping_add(i64::from(weight).wrapping_mul(i64::from(psp)));
            }
            let noise = state_noise(0, unit, Variable::Apical, sum);
            let rounded = rescale(to.rounding, sum, from, i32::from(to.format.fraction), noise);
            let apical = fit::<COUNT>(to, Variable::Apical, rounded, 0, unit, losses);
            *plateau = layer.sigmoid(Variable::Apical, Variable::Plateau, apical);
        }
    }

    fn errors(
        &self,
        layer: &C,
        targets: &[i32],
        forwards: &[i32],
        errors: &mut [i32],
        losses: &mut Losses<'_>,
    ) {
        let job = ErrorsJob::<COUNT> { layer, targets, forwards, errors: &mut *errors, losses: &mut *losses };
        if self.kernels.on_lanes(job) == Some(true) {
            return;
        }
        let to = layer.table.of(Variable::Error);
        let kind = if layer.is_output { Variable::Rate } else { Variable::Plateau };
        let fraction = |variable| i32::from(layer.table.of(variable).format.fraction);
        let from = fraction(kind).wrapping_add(fraction(Variable::Rate)).wrapping_add(11);
        let pairs = errors.iter_mut().zip(targets).zip(forwards);
        for (unit, ((error, &target), &forward)) in pairs.enumerate() {
            let difference = i64::from(target).wrapping_sub(i64::from(forward));
            let exact = difference.wrapping_mul(i64::from(*error)).wrapping_mul(i64::from(layer.error));
            let noise = state_noise(0, unit, Variable::Error, exact);
            let rounded = rescale(to.rounding, exact, from, i32::from(to.format.fraction), noise);
            *error = fit::<COUNT>(to, Variable::Error, rounded, 0, unit, losses);
        }
    }

    fn update_column(
        &self,
        layer: &C,
        weights: &mut [i16],
        errors: &[i32],
        psp: i32,
        dither: &[u16; 32],
        losses: &mut Losses<'_>,
    ) -> u16 {
        if let Some(quick) = layer.quick_update.filter(|_| !COUNT) {
            return self.kernels.enter(
                #[inline(always)]
                || {
                    quick.run(weights, errors, psp, dither);
                    self.bound(weights)
                },
            );
        }
        let to = layer.table.of(Variable::Delta);
        let fraction = |variable| i32::from(layer.table.of(variable).format.fraction);
        let from = fraction(Variable::Error).wrapping_add(fraction(Variable::Psp));
        let mut weyl = 0u16;
        let mut unit = 0usize;
        for (weights, errors) in weights.chunks_mut(BLOCK).zip(errors.chunks(BLOCK)) {
            for ((weight, &error), &lane) in weights.iter_mut().zip(errors).zip(dither) {
                let exact = i64::from(error).wrapping_mul(i64::from(psp));
                let lane = lane.wrapping_add(weyl);
                let noise = weight_noise(lane.rotate_left(5));
                let rounded = rescale(to.rounding, exact, from, i32::from(to.format.fraction), noise);
                let delta = fit::<COUNT>(to, Variable::Delta, rounded, 0, unit, losses);
                let old = i32::from(*weight);
                let change = (i64::from(delta), exact != 0);
                *weight = Self::change(layer, Variable::Weight, old, change, lane, unit, losses) as i16;
                unit = unit.wrapping_add(1);
            }
            weyl = weyl.wrapping_add(DITHER_STRIDE);
        }
        self.bound(weights)
    }

    fn learn(&self, layer: &C, mut updates: Updates<'_, i16, i32>, losses: &mut Losses<'_>) {
        if let Some(quick) = &layer.quick_learn {
            let (psp, losses) = (layer.table.of(Variable::Psp), &mut *losses);
            let job = LearnJob::<COUNT> { quick, psp, updates: updates.lend(), losses };
            if self.kernels.on_lanes(job) == Some(true) {
                return;
            }
        }
        learn_each(self, layer, updates, losses);
    }

    fn update_bias(
        &self,
        layer: &C,
        bias: &mut [i32],
        errors: &[i32],
        dither: &[u16; 32],
        losses: &mut Losses<'_>,
    ) {
        if let Some(quick) = &layer.quick_learn {
            let (share, lent, losses) = (layer.share, &mut *bias, &mut *losses);
            let job = BiasJob::<COUNT> { quick, share, bias: lent, errors, dither, losses };
            if self.kernels.on_lanes(job) == Some(true) {
                return;
            }
        }
        let to = layer.table.of(Variable::Delta);
        let from = i32::from(layer.table.of(Variable::Error).format.fraction).wrapping_add(15);
        let mut weyl = 0u16;
        let mut unit = 0usize;
        for (bias, errors) in bias.chunks_mut(BLOCK).zip(errors.chunks(BLOCK)) {
            for ((bias, &error), &lane) in bias.iter_mut().zip(errors).zip(dither) {
                let exact = i64::from(error).wrapping_mul(i64::from(layer.share));
                let lane = lane.wrapping_add(weyl);
                let noise = weight_noise(lane.rotate_left(5));
                let rounded = rescale(to.rounding, exact, from, i32::from(to.format.fraction), noise);
                let delta = fit::<COUNT>(to, Variable::Delta, rounded, 0, unit, losses);
                let change = (i64::from(delta), exact != 0);
                *bias = Self::change(layer, Variable::Bias, *bias, change, lane, unit, losses);
                unit = unit.wrapping_add(1);
            }
            weyl = weyl.wrapping_add(DITHER_STRIDE);
        }
    }

    fn exceeds(&self, sum: i64, other: i64) -> bool {
        sum > other
    }

    fn initial_weight(&self, layer: &C, variable: Variable, value: i64) -> i16 {
        layer.initial(variable, value) as i16
    }

    fn initial_bias(&self, layer: &C, value: i64) -> i32 {
        layer.initial(Variable::Bias, value)
    }

    fn bound(&self, weights: &[i16]) -> u16 {
        weights.iter().map(|weight| weight.unsigned_abs()).max().unwrap_or(0)
    }

    fn weight_bits(&self, weight: i16) -> u32 {
        weight as u16 as u32
    }

    fn state_bits(&self, state: i32) -> u32 {
        // States that fit in 16 bits digest as the compiled-in formats' do.
        if i32::from(state as i16) == state { state as u16 as u32 } else { state as u32 }
    }

    fn sum_bits(&self, sum: i64) -> u32 {
        sum as u32
    }
}

/// Formats of weights that fit into their container.
#[must_use]
pub const fn fits_container(variable: Variable, format: Format) -> bool {
    match variable {
        Variable::Weight | Variable::Feedback => format.bits >= 2 && format.bits <= 16,
        _ => format.bits >= 2 && format.bits <= 32,
    }
}
