//! A layer of neurons in lent memory.

use crate::arithmetic::{Arithmetic, Columns, ColumnsMut, Dynamics, Neurons, Run, Scratch, Updates};
use crate::losses::Losses;
use crate::random::{Dither, Generator, Offsets, Stream};
use crate::readout::{Reading, Readout};
use crate::spikes::Spikes;
use crate::tables::psp::TAPS;
use crate::trains::Trains;
use rand_core::SeedableRng;

/// What a layer draws from and counts, apart from its slices.
#[derive(Debug, Clone)]
pub struct LayerControl {
    /// Draws for spikes.
    pub draws: Generator,
    /// Draws for stochastic rounding.
    pub dither: Dither,
    /// Which of the ten past sums is the oldest (cut kernel).
    pub oldest: usize,
    /// Spikes since somebody set this to zero.
    pub fired: u32,
}

impl LayerControl {
    /// The streams of a layer under a seed.
    #[must_use]
    pub fn new(seed: u64, layer: u8) -> Self {
        let mut dither = Dither::unseeded();
        dither.seed(&mut Stream::Dither(layer).open(seed));
        Self { draws: Stream::Spikes(layer).open(seed), dither, oldest: 0, fired: 0 }
    }
}

impl Default for LayerControl {
    fn default() -> Self {
        let draws = Generator::from_seed([1; 16]);
        Self { draws, dither: Dither::unseeded(), oldest: 0, fired: 0 }
    }
}

/// A hidden or output layer: coefficients, synapses, state. Every slice has one entry a
/// unit and may be padded with zeros to `stride`, matrices column by column.
pub struct Layer<'a, A: Arithmetic> {
    /// Coefficients of this layer.
    pub coefficients: &'a A::Coefficients,
    /// Neurons.
    pub units: usize,
    /// Entries of a column; at least the neurons.
    pub stride: usize,
    /// Feed-forward weights W, a column for each presynaptic unit.
    pub weights: &'a mut [A::Weight],
    /// Bound of each column's magnitude; may be empty.
    pub bounds: &'a mut [u16],
    /// Feedback weights Y, a column for each output unit; empty in the output layer.
    pub feedback: &'a mut [A::Weight],
    /// Bias, times k_B.
    pub bias: &'a mut [A::State],
    /// Sum of the columns that spiked in this step.
    pub sums: &'a mut [A::State],
    /// PSP filters x₁ …
    pub fast: &'a mut [A::State],
    /// … and x₂.
    pub slow: &'a mut [A::State],
    /// Somatic potential C.
    pub soma: &'a mut [A::State],
    /// The last ten sums, for a cut kernel; else empty.
    pub history: &'a mut [A::State],
    /// Sum of C over the window of the forward phase; in the output layer, in the target
    /// phase, of σ(C).
    pub soma_sums: &'a mut [A::Sum],
    /// α^f of a hidden neuron, σ(⟨C⟩_f) of an output neuron.
    pub plateaus: &'a mut [A::State],
    /// σ′(⟨C⟩_f) until the target phase ends, then the error e.
    pub errors: &'a mut [A::State],
    /// Sum of the neuron's postsynaptic potential over the window, 2⁻¹¹.
    pub psp: &'a mut [u16],
    /// Spikes of this step.
    pub spikes: Spikes<'a>,
    /// Streams and counters.
    pub control: &'a mut LayerControl,
}

impl<A: Arithmetic> Layer<'_, A> {
    /// Rest: no potential, no PSP. Weights stay.
    pub fn rest(&mut self) {
        self.fast.fill(A::State::default());
        self.slow.fill(A::State::default());
        self.soma.fill(A::State::default());
        self.history.fill(A::State::default());
        self.control.oldest = 0;
    }

    /// One step: columns of the presynaptic spikes, filters, basal drive, soma, spikes.
    #[cfg_attr(target_os = "none", inline(never))] // one text for all layers of a device
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(crate) fn step(
        &mut self,
        arithmetic: &A,
        presynaptic: &[u16],
        label: Option<usize>,
        losses: &mut Losses<'_>,
    ) {
        let columns =
            Columns { weights: self.weights, units: self.units, stride: self.stride, bounds: self.bounds };
        arithmetic.sum_columns(self.coefficients, columns, presynaptic, self.sums, losses);
        let oldest = match &mut *self.history {
            [] => &mut [],
            history => {
                let start = self.control.oldest.wrapping_mul(self.stride);
                history.get_mut(start..).and_then(|h| h.get_mut(..self.stride)).unwrap_or(&mut [])
            }
        };
        let state = Dynamics {
            sums: self.sums,
            fast: self.fast,
            slow: self.slow,
            soma: self.soma,
            bias: self.bias,
            oldest,
        };
        let offsets = Offsets::new(&mut self.control.draws);
        let (c, spikes) = (self.coefficients, &mut self.spikes);
        arithmetic.advance(c, state, self.units, label, offsets, spikes, losses);
        self.turn(1);
        self.control.fired = self.control.fired.wrapping_add(self.spikes.as_slice().len() as u32);
    }

    /// The feed-forward weights.
    #[inline(always)]
    pub(crate) fn columns(&self) -> Columns<'_, A::Weight> {
        Columns { weights: self.weights, units: self.units, stride: self.stride, bounds: self.bounds }
    }

    /// The ring of past sums is so many steps further on.
    #[inline(always)]
    fn turn(&mut self, steps: usize) {
        if !self.history.is_empty() {
            self.control.oldest = self.control.oldest.wrapping_add(steps) % TAPS;
        }
    }

    /// All steps of a run, at once where the arithmetic can do that; its spikes are added
    /// to `trains`, its sums over the window and its credits to the layer's.
    #[inline(always)]
    pub(crate) fn run(
        &mut self,
        arithmetic: &A,
        run: &Run<'_>,
        trains: &mut Trains<'_>,
        scratch: &mut Scratch<'_>,
        losses: &mut Losses<'_>,
    ) {
        let columns =
            Columns { weights: self.weights, units: self.units, stride: self.stride, bounds: self.bounds };
        let neurons = Neurons {
            units: self.units,
            fast: self.fast,
            slow: self.slow,
            soma: self.soma,
            bias: self.bias,
            history: self.history,
            oldest: self.control.oldest,
            soma_sums: self.soma_sums,
            psp: self.psp,
        };
        let (c, draws) = (self.coefficients, &mut self.control.draws);
        let before = trains.len();
        if arithmetic.run(c, columns, neurons, run, draws, trains, scratch, losses) {
            self.turn(run.steps);
            let fired = trains.len().wrapping_sub(before);
            self.control.fired = self.control.fired.wrapping_add(fired as u32);
            return;
        }
        for step in 0..run.steps {
            losses.enter_run_step(step);
            let presynaptic = run.presynaptic.step(run.first.wrapping_add(step));
            self.step(arithmetic, presynaptic, run.label, losses);
            trains.push(self.spikes.as_slice());
            if let Some(&share) = run.shares.get(step) {
                self.credit(share);
            }
            if run.window.contains(&step) {
                self.add_to_means(arithmetic, run.label.is_some());
            }
        }
    }

    /// Adds potentials, or rates, to their sums over the window.
    #[inline(always)]
    pub(crate) fn add_to_means(&mut self, arithmetic: &A, rates: bool) {
        if !rates {
            return arithmetic.accumulate(self.soma, self.soma_sums);
        }
        let sums = self.soma_sums.get_mut(..self.units).unwrap_or(&mut []);
        for (sum, &soma) in sums.iter_mut().zip(&*self.soma) {
            *sum = arithmetic.add(*sum, arithmetic.rate(self.coefficients, soma));
        }
    }

    /// The sums of an output layer's potentials over the window of a test, from what the spikes below are worth.
    #[inline(always)]
    pub(crate) fn read_out(
        &mut self,
        arithmetic: &A,
        credits: &[u16],
        readout: Readout,
        losses: &mut Losses<'_>,
    ) {
        let columns =
            Columns { weights: self.weights, units: self.units, stride: self.stride, bounds: self.bounds };
        let reading = Reading { columns, bias: self.bias, credits, readout };
        arithmetic.read_out(self.coefficients, reading, self.soma_sums, losses);
    }

    /// Credits this step's spikes with their share of the window.
    #[inline(always)]
    pub(crate) fn credit(&mut self, area: u16) {
        credit(self.psp, self.spikes.as_slice(), area);
    }

    /// Changes the column of every presynaptic unit whose mean PSP is not zero, and the bias.
    #[cfg_attr(target_os = "none", inline(never))] // one text for all layers of a device
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(crate) fn learn(&mut self, arithmetic: &A, presynaptic: &[u16], steps: u32, losses: &mut Losses<'_>) {
        let c = self.coefficients;
        let matrix = ColumnsMut { weights: self.weights, stride: self.stride, bounds: self.bounds };
        let (errors, dither) = (&*self.errors, &mut self.control.dither);
        arithmetic.learn(c, Updates { matrix, presynaptic, steps, errors, dither }, losses);
        let dither = self.control.dither.draw();
        arithmetic.update_bias(c, self.bias, self.errors, &dither, losses);
    }
}

/// Adds a share of the window to the sum of each unit that fired.
#[inline(always)]
pub(crate) fn credit(psp: &mut [u16], spikes: &[u16], area: u16) {
    for &unit in spikes {
        if let Some(sum) = psp.get_mut(usize::from(unit)) {
            *sum = sum.saturating_add(area);
        }
    }
}
