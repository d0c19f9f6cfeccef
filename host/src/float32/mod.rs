//! The opponent: the same model in f32, as fast as we can make it.
//!
//! Everything the integers gain by is here too: events only, layer by layer through all steps
//! of an example with the state of a tile in registers, comparison with noise drawn
//! beforehand instead of σ and a draw, lists of spikes from masks, fused multiply-adds.
//! Protocol, schedule, input spikes and draws are the core's own; only what rounds is
//! written anew. So "integers are faster" is said against this and not against a dense or
//! double-precision program, and `tests/float32.rs` holds it against the f64 reference.
//!
//! Infinite kernels only; every variable in real units, biases and basal drives times k_B.

mod lanes;
mod run;

use crate::model::Model;
use crate::readable::Readable;
use crate::reference::Exact;
use crate::reference::spikes::Noise;
use apical_core::arithmetic::{Arithmetic, Columns, Dynamics, Neurons, Run, Scratch, Updates};
use apical_core::formats::Variable;
use apical_core::kernels::{Kernels, Vector};
use apical_core::losses::Losses;
use apical_core::parameters::{APPROACH, BASAL_SHARE, TEACHER, UPDATE_SCALE};
use apical_core::random::{Generator, Offsets};
use apical_core::readout::Reading;
use apical_core::spikes::Spikes;
use apical_core::tables::noise::{BLOCK, GRAINS};
use apical_core::tables::psp::{KEEP_FAST, KEEP_SLOW, Kernel};
use apical_core::trains::Trains;
use std::sync::Arc;

pub use lanes::FloatLanes;

/// Coefficients of a layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coefficients {
    fast: f32,
    slow: f32,
    basal: f32,
    soma: f32,
    share: f32,
    error: f32,
}

impl Coefficients {
    /// Those of layer `l` of a model; none for a cut kernel.
    #[must_use]
    pub fn of(model: &Model, l: usize) -> Option<Self> {
        (model.kernel != Kernel::Cut).then(|| Self {
            fast: (1.0 - KEEP_FAST) as f32,
            slow: (1.0 - KEEP_SLOW) as f32,
            basal: (BASAL_SHARE * model.kernel.gain()) as f32,
            soma: APPROACH as f32,
            share: BASAL_SHARE as f32,
            error: (UPDATE_SCALE * model.learning_rates[l] * BASAL_SHARE) as f32,
        })
    }
}

/// The noise as thresholds of potentials, by place: for one, two and three spikes.
#[derive(Debug)]
struct Thresholds([Vec<f32>; 3]);

impl Thresholds {
    fn new() -> Self {
        let noise = Noise::new(&Exact);
        Self([1, 2, 3].map(|m| noise.limits(m).map(|limit| limit as f32).collect()))
    }

    #[inline(always)]
    fn at(&self, spikes: usize, place: u16) -> &[f32; BLOCK] {
        static NOBODY: [f32; BLOCK] = [f32::INFINITY; BLOCK];
        let table = &self.0[spikes - 1];
        table.get(usize::from(place) % GRAINS..).and_then(|from| from.first_chunk()).unwrap_or(&NOBODY)
    }
}

/// f32 on a vector unit.
#[derive(Debug, Clone)]
pub struct Float32<L> {
    lanes: L,
    noise: Arc<Thresholds>,
}

impl<L: FloatLanes> Float32<L> {
    /// On these vectors.
    pub fn new(lanes: L) -> Self {
        Self { lanes, noise: Arc::new(Thresholds::new()) }
    }
}

/// σ, to two units in the last place; a loop over it becomes vectors.
#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// eˣ for |x| ≤ 80: 2ⁿ times a polynomial on ±½ ln 2 (Taylor; its remainder is below 2⁻²⁴).
#[inline(always)]
fn exp(x: f32) -> f32 {
    const HIGH: f32 = 0.693_359_4;
    const LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-80.0, 80.0);
    let n = (x * std::f32::consts::LOG2_E + 0.5).floor();
    let r = (-n).mul_add(LOW, (-n).mul_add(HIGH, x));
    let terms = [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0];
    let sum = terms.into_iter().fold(0.0f32, |sum, term| sum.mul_add(r, term));
    sum * f32::from_bits(((n as i32 + 127) as u32) << 23)
}

impl<L: FloatLanes> Arithmetic for Float32<L> {
    type Weight = f32;
    type State = f32;
    type Sum = f32;
    type Coefficients = Coefficients;
    type Output = Self;
    const READS_OUT: bool = true;

    fn output(&self) -> Self {
        self.clone()
    }

    fn sum_columns(
        &self,
        _: &Coefficients,
        columns: Columns<'_, f32>,
        spikes: &[u16],
        sums: &mut [f32],
        _: &mut Losses<'_>,
    ) {
        sums.fill(0.0);
        for &unit in spikes {
            let column = &columns.weights[usize::from(unit) * columns.stride..][..columns.units];
            sums.iter_mut().zip(column).for_each(|(sum, weight)| *sum += weight);
        }
    }

    fn advance(
        &self,
        layer: &Coefficients,
        state: Dynamics<'_, f32>,
        units: usize,
        label: Option<usize>,
        offsets: Offsets<'_, Generator>,
        spikes: &mut Spikes<'_>,
        _: &mut Losses<'_>,
    ) {
        self.step(layer, state, units, label, offsets, spikes);
    }

    fn run(
        &self,
        layer: &Coefficients,
        columns: Columns<'_, f32>,
        neurons: Neurons<'_, f32, f32>,
        run: &Run<'_>,
        draws: &mut Generator,
        trains: &mut Trains<'_>,
        scratch: &mut Scratch<'_>,
        _: &mut Losses<'_>,
    ) -> bool {
        self.run_layer(layer, columns, neurons, run, draws, trains, scratch)
    }

    fn read_out(
        &self,
        layer: &Coefficients,
        reading: Reading<'_, f32, f32>,
        sums: &mut [f32],
        _: &mut Losses<'_>,
    ) {
        let Reading { columns, bias, credits, readout } = reading;
        let l = self.lanes;
        let (unit, window) = (1.0 / (1u32 << readout.fraction()) as f32, readout.window() as f32);
        l.apart(
            #[inline(always)]
            || {
                let blocks = sums.as_chunks_mut::<16>().0.iter_mut().zip(bias.as_chunks::<16>().0);
                for (first, (sums, bias)) in (0..).step_by(16).zip(blocks) {
                    let mut totals = l.splat_floats(0.0);
                    for (column, &credit) in columns.weights.chunks_exact(columns.stride).zip(credits) {
                        let Some(weights) = column[first..].first_chunk() else { return };
                        totals = l.fused(l.load_floats(weights), l.splat_floats(f32::from(credit)), totals);
                    }
                    l.store_floats(totals, sums);
                    for (sum, bias) in sums.iter_mut().zip(bias) {
                        *sum = *sum * unit * layer.share + bias * window;
                    }
                }
            },
        );
    }

    fn find_active(&self, greys: &[u8], names: &mut [u16]) -> Option<usize> {
        let kernels = Vector(self.lanes);
        self.lanes.apart(
            #[inline(always)]
            || kernels.find_active(greys, names),
        )
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
        let kernels = Vector(self.lanes);
        self.lanes.apart(
            #[inline(always)]
            || kernels.fire_run(potentials, names, run, draws, trains, scratch),
        )
    }

    fn fire_pixels(
        &self,
        potentials: &[i16],
        names: &[u16],
        offsets: Offsets<'_, Generator>,
        spikes: &mut Spikes<'_>,
    ) {
        let kernels = Vector(self.lanes);
        self.lanes.apart(
            #[inline(always)]
            || kernels.fire(potentials, names, offsets, spikes),
        );
    }

    fn accumulate(&self, somas: &[f32], sums: &mut [f32]) {
        sums.iter_mut().zip(somas).for_each(|(sum, soma)| *sum += soma);
    }

    fn add(&self, sum: f32, term: f32) -> f32 {
        sum + term
    }

    fn mean(&self, _: &Coefficients, _: Variable, sum: f32, steps: u32, _: &mut Losses<'_>) -> f32 {
        sum / steps as f32
    }

    fn mean_psp(&self, _: &Coefficients, sum: u16, steps: u32, _: &mut Losses<'_>) -> f32 {
        f32::from(sum) / (2048.0 * steps as f32)
    }

    fn rate(&self, _: &Coefficients, soma: f32) -> f32 {
        sigmoid(soma)
    }

    fn slope(&self, _: &Coefficients, rate: f32) -> f32 {
        rate * (1.0 - rate)
    }

    fn slopes(&self, _: &Coefficients, sums: &[f32], steps: u32, slopes: &mut [f32], _: &mut Losses<'_>) {
        let share = 1.0 / steps as f32;
        self.lanes.apart(
            #[inline(always)]
            || {
                for (slope, &sum) in slopes.iter_mut().zip(sums) {
                    let rate = sigmoid(sum * share);
                    *slope = rate * (1.0 - rate);
                }
            },
        );
    }

    fn plateaus(
        &self,
        _: &Coefficients,
        feedback: Columns<'_, f32>,
        psp: &[f32],
        plateaus: &mut [f32],
        _: &mut Losses<'_>,
    ) {
        self.lanes.apart(
            #[inline(always)]
            || {
                plateaus.fill(0.0);
                for (column, &psp) in feedback.weights.chunks_exact(feedback.stride).zip(psp) {
                    for (sum, &weight) in plateaus.iter_mut().zip(column) {
                        *sum = weight.mul_add(psp, *sum);
                    }
                }
                plateaus.iter_mut().for_each(|mean| *mean = sigmoid(*mean));
            },
        );
    }

    fn errors(
        &self,
        layer: &Coefficients,
        targets: &[f32],
        forwards: &[f32],
        errors: &mut [f32],
        _: &mut Losses<'_>,
    ) {
        self.lanes.apart(
            #[inline(always)]
            || {
                for ((error, target), forward) in errors.iter_mut().zip(targets).zip(forwards) {
                    let exact = *error * layer.error * (target - forward);
                    // That of a saturated neuron; its products with a PSP would be subnormal, each of
                    // which costs as much as a hundred others.
                    *error = if exact.abs() < 1e-30 { 0.0 } else { exact };
                }
            },
        );
    }

    fn update_column(
        &self,
        _: &Coefficients,
        weights: &mut [f32],
        errors: &[f32],
        psp: f32,
        _: &[u16; 32],
        _: &mut Losses<'_>,
    ) -> u16 {
        weights.iter_mut().zip(errors).for_each(|(weight, &error)| *weight = error.mul_add(psp, *weight));
        0
    }

    fn learn(&self, _: &Coefficients, updates: Updates<'_, f32, f32>, _: &mut Losses<'_>) {
        let Updates { matrix, presynaptic, steps, errors, .. } = updates;
        let share = 1.0 / (2048.0 * steps as f32);
        self.lanes.apart(
            #[inline(always)]
            || {
                let columns = matrix.weights.chunks_exact_mut(matrix.stride);
                for (column, &sum) in columns.zip(presynaptic).filter(|(_, sum)| **sum != 0) {
                    self.update(column, errors, f32::from(sum) * share);
                }
            },
        );
    }

    fn update_bias(
        &self,
        layer: &Coefficients,
        bias: &mut [f32],
        errors: &[f32],
        _: &[u16; 32],
        _: &mut Losses<'_>,
    ) {
        self.lanes.apart(
            #[inline(always)]
            || {
                for (bias, &error) in bias.iter_mut().zip(errors) {
                    *bias = error.mul_add(layer.share, *bias);
                }
            },
        );
    }

    fn exceeds(&self, sum: f32, other: f32) -> bool {
        sum > other
    }

    fn initial_weight(&self, _: &Coefficients, _: Variable, value: i64) -> f32 {
        (value as f64 / f64::from(2.0f32.powi(32))) as f32
    }

    fn initial_bias(&self, _: &Coefficients, value: i64) -> f32 {
        (value as f64 / f64::from(2.0f32.powi(32))) as f32
    }

    fn bound(&self, _: &[f32]) -> u16 {
        0
    }

    fn weight_bits(&self, weight: f32) -> u32 {
        weight.to_bits()
    }

    fn state_bits(&self, state: f32) -> u32 {
        state.to_bits()
    }

    fn sum_bits(&self, sum: f32) -> u32 {
        sum.to_bits()
    }
}

impl<L: FloatLanes> Float32<L> {
    /// One step of a layer, for who watches steps.
    fn step(
        &self,
        layer: &Coefficients,
        state: Dynamics<'_, f32>,
        units: usize,
        label: Option<usize>,
        mut offsets: Offsets<'_, Generator>,
        spikes: &mut Spikes<'_>,
    ) {
        spikes.clear();
        let mut place = 0;
        for unit in 0..units {
            if unit % BLOCK == 0 {
                place = offsets.draw();
            }
            let (fast, slow, soma) = (&mut state.fast[unit], &mut state.slow[unit], &mut state.soma[unit]);
            *fast = (state.sums[unit] - *fast).mul_add(layer.fast, *fast);
            *slow = (*fast - *slow).mul_add(layer.slow, *slow);
            let drive = slow.mul_add(layer.basal, state.bias[unit]);
            let from = label.map_or(*soma, |label| pull(unit == label));
            *soma = (drive - *soma).mul_add(layer.soma, from);
            for m in 1..=3 {
                if *soma > self.noise.at(m, place)[unit % BLOCK] {
                    spikes.push(unit as u16);
                }
            }
        }
    }
}

/// What the teaching current pulls an output to.
fn pull(is_label: bool) -> f32 {
    f32::from(if is_label { TEACHER } else { -TEACHER })
}

/// As integers, in 2⁻²⁴.
impl<L: FloatLanes> Readable for Float32<L> {
    fn fraction(_: &Coefficients, _: Variable) -> i32 {
        24
    }

    fn weight(weight: f32) -> i64 {
        (f64::from(weight) * f64::from(1 << 24)).round() as i64
    }

    fn state(state: f32) -> i64 {
        Self::weight(state)
    }

    fn to_weight(raw: i64) -> f32 {
        (raw as f64 / f64::from(1 << 24)) as f32
    }

    fn to_state(raw: i64) -> f32 {
        Self::to_weight(raw)
    }
}
