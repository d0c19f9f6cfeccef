//! One step of every layer; the equations are in [`super`].

use super::constants::{REVERSAL, SETTLE, SHARE, TAPS};
use super::initial::Layer;
use super::kernel::{Areas, Cascade};
use super::rounding::{Coefficient, Rounding, Site};
use super::settings::Settings;
use super::spikes::{Noise, Pixels};
use super::state::{Neurons, State, Streams};

/// Everything a step needs that never changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Coefficients {
    /// The two filters.
    pub cascade: Cascade,
    /// k_B · gain.
    pub basal_gain: f64,
    /// k_B.
    pub share: f64,
    /// g_L + g_B.
    pub settle: f64,
    /// Whether the kernel is cut.
    pub cut: bool,
    /// Running sums of the kernel.
    pub areas: Areas,
    /// Uniform numbers as potentials.
    pub noise: Noise,
}

impl Coefficients {
    /// The coefficients of a network.
    #[must_use]
    pub fn new(settings: &Settings, rounding: &impl Rounding) -> Self {
        let exact = Cascade::new(settings.kernel);
        let stored = |which, value| rounding.coefficient(which, value);
        Self {
            cascade: Cascade {
                fast: stored(Coefficient::Fast, exact.fast),
                slow: stored(Coefficient::Slow, exact.slow),
                fast_tail: stored(Coefficient::FastTail, exact.fast_tail),
                slow_tail: stored(Coefficient::SlowTail, exact.slow_tail),
                gain: exact.gain,
            },
            basal_gain: stored(Coefficient::BasalGain, SHARE * exact.gain),
            share: stored(Coefficient::Share, SHARE),
            settle: stored(Coefficient::Settle, SETTLE),
            cut: exact.fast_tail != 0.0,
            areas: Areas::new(settings.kernel).map(|sum| stored(Coefficient::Area, sum)),
            noise: Noise::new(rounding),
        }
    }
}

/// What a step reads but does not change.
#[derive(Clone, Copy)]
pub struct Fixed<'a> {
    /// Settings of the network.
    pub settings: &'a Settings,
    /// Its coefficients.
    pub coefficients: &'a Coefficients,
    /// Its synapses.
    pub layers: &'a [Layer],
    /// The image shown.
    pub pixels: &'a Pixels,
}

/// One step of the whole network: input, then layer after layer, spikes acting upward in
/// the same step. With a label, the outputs are taught.
pub fn step<R: Rounding>(
    fixed: Fixed,
    teaching: Option<usize>,
    state: &mut State,
    streams: &mut Streams,
    rounding: &mut R,
) {
    let Fixed { settings, coefficients, layers, pixels } = fixed;
    let State { input_spikes, neurons, .. } = state;
    pixels.emit(&coefficients.noise, settings.draws, &mut streams.input, input_spikes);
    let mut below: &[u32] = input_spikes;
    let all = layers.iter().zip(neurons).zip(&mut streams.spikes).enumerate();
    for (l, ((layer, neurons), stream)) in all {
        rounding.enter(l, below.len(), stream);
        let label = teaching.filter(|_| l + 1 == layers.len());
        let neurons = &mut *neurons;
        pulp::Arch::new().dispatch(Potentials { coefficients, l, layer, below, label, neurons, rounding });
        let Neurons { soma, spikes, .. } = neurons;
        coefficients.noise.emit(soma, l, settings.draws, stream, rounding, spikes);
        below = spikes;
    }
}

/// What leads from the spikes below to the somata of a layer, compiled once for each width
/// of registers. The numbers are the same with any: nothing is reordered or fused.
struct Potentials<'a, R> {
    coefficients: &'a Coefficients,
    l: usize,
    layer: &'a Layer,
    below: &'a [u32],
    label: Option<usize>,
    neurons: &'a mut Neurons,
    rounding: &'a mut R,
}

impl<R: Rounding> pulp::WithSimd for Potentials<'_, R> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let Self { coefficients, l, layer, below, label, neurons, rounding } = self;
        add_columns(layer, below, &mut neurons.u);
        filter(coefficients, l, neurons, rounding);
        drive(coefficients, l, layer, neurons, rounding);
        match label {
            Some(label) => teach(coefficients, l, label, neurons, rounding),
            None => settle(coefficients, l, neurons, rounding),
        }
    }
}

/// u = the sum of the columns of the units that spiked. Eight columns at a time, so that u
/// is not loaded and stored for each.
#[inline(always)]
fn add_columns(layer: &Layer, spikes: &[u32], u: &mut [f64]) {
    u.fill(0.0);
    let column = |unit: u32| layer.column(unit as usize).iter();
    let (eights, rest) = spikes.as_chunks::<8>();
    for &[a, b, c, d, e, f, g, h] in eights {
        let low = column(a).zip(column(b)).zip(column(c)).zip(column(d));
        let high = column(e).zip(column(f)).zip(column(g)).zip(column(h));
        for (u, ((((a, b), c), d), (((e, f), g), h))) in u.iter_mut().zip(low.zip(high)) {
            *u += ((a + b) + (c + d)) + ((e + f) + (g + h));
        }
    }
    let (pairs, single) = rest.as_chunks::<2>();
    for &[a, b] in pairs {
        for (u, (a, b)) in u.iter_mut().zip(column(a).zip(column(b))) {
            *u += a + b;
        }
    }
    for &unit in single {
        u.iter_mut().zip(column(unit)).for_each(|(u, weight)| *u += weight);
    }
}

/// The two filters of the postsynaptic potential.
#[inline(always)]
fn filter<R: Rounding>(coefficients: &Coefficients, l: usize, neurons: &mut Neurons, rounding: &mut R) {
    let Cascade { fast, slow, fast_tail, slow_tail, .. } = coefficients.cascade;
    let Neurons { u, x1, x2, past, oldest, .. } = neurons;
    let filters = u.iter_mut().zip(x1.iter_mut()).zip(x2.iter_mut()).enumerate();
    if !coefficients.cut {
        for (i, ((u, x1), x2)) in filters {
            *u = rounding.narrow_at(Site::Accumulator, l, i, *u);
            move_by(rounding, Site::FilterFast, (l, i), x1, fast * (*u - *x1));
            move_by(rounding, Site::FilterSlow, (l, i), x2, slow * (*x1 - *x2));
        }
        return;
    }
    let units = past.len() / TAPS;
    let past = &mut past[*oldest * units..][..units];
    for ((i, ((u, x1), x2)), past) in filters.zip(past) {
        *u = rounding.narrow_at(Site::Accumulator, l, i, *u);
        move_by(rounding, Site::FilterFast, (l, i), x1, fast * (*u - *x1));
        lose(rounding, Site::FilterFast, (l, i), x1, fast_tail * *past);
        move_by(rounding, Site::FilterSlow, (l, i), x2, slow * (*x1 - *x2));
        lose(rounding, Site::FilterSlow, (l, i), x2, slow_tail * *past);
        *past = *u;
    }
    *oldest = (*oldest + 1) % TAPS;
}

/// x += change.
#[inline(always)]
fn move_by<R: Rounding>(rounding: &mut R, site: Site, (l, i): (usize, usize), x: &mut f64, change: f64) {
    let change = rounding.narrow_at(site, l, i, change);
    *x = rounding.keep(site, l, i, *x, *x + change);
}

/// x −= tail.
#[inline(always)]
fn lose<R: Rounding>(rounding: &mut R, site: Site, (l, i): (usize, usize), x: &mut f64, tail: f64) {
    let tail = rounding.narrow_at(site, l, i, tail);
    *x = rounding.keep(site, l, i, *x, *x - tail);
}

/// drive = k_B·gain·x2 + k_B·b.
#[inline(always)]
fn drive<R: Rounding>(c: &Coefficients, l: usize, layer: &Layer, neurons: &mut Neurons, rounding: &mut R) {
    let inputs = neurons.x2.iter().zip(&layer.bias);
    for (i, (drive, (x2, bias))) in neurons.drive.iter_mut().zip(inputs).enumerate() {
        *drive = rounding.narrow_at(Site::Basal, l, i, c.basal_gain * x2 + c.share * bias);
    }
}

/// C += s (drive − C).
#[inline(always)]
fn settle<R: Rounding>(c: &Coefficients, l: usize, neurons: &mut Neurons, rounding: &mut R) {
    for (i, (soma, drive)) in neurons.soma.iter_mut().zip(&neurons.drive).enumerate() {
        move_by(rounding, Site::Soma, (l, i), soma, c.settle * (drive - *soma));
    }
}

/// C = E + s (drive − C): the teaching conductance of 1 takes the old C away.
#[inline(always)]
fn teach<R: Rounding>(c: &Coefficients, l: usize, label: usize, neurons: &mut Neurons, rounding: &mut R) {
    for (i, (soma, drive)) in neurons.soma.iter_mut().zip(&neurons.drive).enumerate() {
        let reversal = if i == label { REVERSAL } else { -REVERSAL };
        let moved = rounding.narrow_at(Site::Soma, l, i, c.settle * (drive - *soma));
        *soma = rounding.keep(Site::Soma, l, i, *soma, reversal + moved);
    }
}
