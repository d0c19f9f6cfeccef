//! The protocol: phases, windows, plateaus, the order of updates.
//!
//! One training example (eLife 2017, "Training"): forward phase of 50 + ⌊Wald⌋ steps with
//! the image shown; plateaus α^f; target phase of another such length under the teaching
//! current; plateaus α^t; updates, output layer first. State is kept from phase to phase
//! and from example to example. Means run from step 30 of a phase to its end.
//!
//! A spike is credited in the phase it was fired in. What is left of a potential 30 steps
//! later (below 0.7 % of its area a step) is not carried into the next phase's means.

use crate::arithmetic::{Arithmetic, Columns};
use crate::formats::Variable;
use crate::input::Input;
use crate::layer::Layer;
use crate::losses::Losses;
use crate::observer::{Moment, Observer, Phase};
use crate::parameters::{PHASE_STEPS, SETTLING_STEPS};
use crate::random::{Generator, Stream, test_seed};
use crate::readout::{Readout, highest};
use crate::schedule::Workspace;
use crate::tables::psp::Areas;
use crate::tables::wald::extra_steps;

/// What one example was like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Example {
    /// Steps of the forward and of the target phase.
    pub steps: [u32; 2],
    /// The output with the highest mean potential in the forward phase.
    pub answer: usize,
}

/// What a network keeps besides its layers.
#[derive(Debug, Clone)]
pub struct Control {
    /// Draws of phase lengths.
    pub phase: Generator,
    /// Training examples seen.
    pub examples: u32,
}

impl Control {
    /// A new network's, under a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { phase: Stream::Phase.open(seed), examples: 0 }
    }
}

/// A network in lent memory.
pub struct Network<'a, A: Arithmetic> {
    /// How numbers are calculated with.
    pub arithmetic: &'a A,
    /// What a spike contributes over so many steps ([`crate::tables::psp::areas`]).
    pub areas: &'a Areas,
    /// Pixels.
    pub input: Input<'a>,
    /// Hidden layers, lowest first.
    pub hidden: &'a mut [Layer<'a, A>],
    /// Output neurons.
    pub output: Layer<'a, A::Output>,
    /// Mean PSP of each output unit, for the apical dendrites.
    pub means: &'a mut [A::State],
    /// Streams and counters.
    pub control: &'a mut Control,
    /// What was lost.
    pub losses: Losses<'a>,
    /// Memory to go layer by layer instead of step by step; none on a small device.
    pub workspace: Option<Workspace<'a>>,
}

impl<A: Arithmetic> Network<'_, A> {
    /// Learns one example.
    ///
    /// # Draws
    /// One of `Phase` for each phase; each step, of every layer's `Spikes` and of `Input`;
    /// at the end, one step of every layer's dither for each changed column and one more.
    pub fn train<O: Observer<A>>(&mut self, image: &[u8], label: usize, observer: &mut O) -> Example {
        self.input.show(self.arithmetic, image);
        let lengths = [(); 2].map(|()| PHASE_STEPS.wrapping_add(extra_steps(&mut self.control.phase)));
        let [forward, target] = lengths;
        self.clear_means();
        let layers_first = !O::WATCHES_STEPS && self.has_room_for(forward.wrapping_add(target));
        if layers_first {
            self.run_example(lengths);
        } else {
            self.run(Phase::Forward, forward, 0, None, None, observer);
        }
        let answer = self.answer();
        self.end_forward(forward);
        observer.at(Moment::ForwardEnd, self);
        self.output.psp.fill(0);
        self.output.soma_sums.fill(A::Sum::default());
        if layers_first {
            self.run_target(lengths, label);
        } else {
            self.run(Phase::Target, target, forward, Some(label), None, observer);
        }
        self.end_target(target);
        observer.at(Moment::TargetEnd, self);
        self.learn(forward);
        observer.at(Moment::Learnt, self);
        self.control.examples = self.control.examples.wrapping_add(1);
        Example { steps: lengths, answer }
    }

    /// Classifies an image in a forward phase of `steps` steps, from rest. The streams are
    /// those of this image under the seed; the state of training is gone afterwards, so
    /// test on a copy.
    ///
    /// Means run from step 30, or over the second half of a test of up to 60 steps. Where the arithmetic can do it, the
    /// outputs do not take part in the steps: they are read out at the end ([`crate::readout`]).
    pub fn test<O: Observer<A>>(
        &mut self,
        image: &[u8],
        steps: u32,
        (seed, index): (u64, u32),
        observer: &mut O,
    ) -> usize {
        let seed = test_seed(seed, index);
        self.input.control.draws = Stream::Input.open(seed);
        for (layer, number) in self.hidden.iter_mut().zip(0u8..) {
            layer.control.draws = Stream::Spikes(number).open(seed);
            layer.rest();
        }
        self.output.control.draws = Stream::Spikes(self.hidden.len() as u8).open(seed);
        self.output.rest();
        self.input.show(self.arithmetic, image);
        self.clear_means();
        let readout = A::READS_OUT.then(|| Self::readout(self.areas, steps));
        if O::WATCHES_STEPS || !self.has_room_for(1) {
            self.run(Phase::Test, steps, 0, None, readout, observer);
        } else {
            self.run_test(steps, readout);
        }
        if let Some(readout) = readout {
            let credits = self.hidden.last().map_or(&*self.input.psp, |layer| &*layer.psp);
            self.losses.enter_layer(self.hidden.len());
            self.output.read_out(&self.arithmetic.output(), credits, readout, &mut self.losses);
        }
        self.answer()
    }

    /// First step of the window of means in a phase of so many steps.
    #[must_use]
    pub const fn window_start(phase: Phase, steps: u32) -> u32 {
        match phase {
            Phase::Test if steps <= 2 * SETTLING_STEPS => steps / 2,
            _ => SETTLING_STEPS,
        }
    }

    /// How a test of so many steps is read out.
    pub(crate) fn readout(areas: &Areas, steps: u32) -> Readout {
        Readout::new(areas, steps, Self::window_start(Phase::Test, steps))
    }

    // On a device, one text for all phases; on a host, part of what vector instructions are
    // switched on for.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn run(
        &mut self,
        phase: Phase,
        steps: u32,
        from: u32,
        label: Option<usize>,
        readout: Option<Readout>,
        observer: &mut impl Observer<A>,
    ) {
        let start = Self::window_start(phase, steps);
        // What a spike of this step adds to the sum of its potential over the window.
        let mut area = self.areas.psp.within(start, steps, 0);
        for step in 0..steps {
            self.losses.enter_step(self.control.examples, from.wrapping_add(step));
            self.step(label, readout.is_none());
            let in_window = step >= start;
            if let Some(readout) = readout {
                let worth = readout.share(self.areas, step);
                match self.hidden.last_mut() {
                    Some(layer) => layer.credit(worth),
                    None => crate::layer::credit(self.input.psp, self.input.spikes.as_slice(), worth),
                }
            }
            if phase == Phase::Forward {
                crate::layer::credit(self.input.psp, self.input.spikes.as_slice(), area);
                for layer in self.hidden.iter_mut() {
                    layer.credit(area);
                    if in_window {
                        layer.add_to_means(self.arithmetic, false);
                    }
                }
            }
            if phase != Phase::Test {
                // Seen a step later: what the next step's spikes are worth below.
                area = self.areas.psp.within(start, steps, step.wrapping_add(1));
                self.output.credit(area);
            }
            if in_window && readout.is_none() {
                self.output.add_to_means(&self.arithmetic.output(), label.is_some());
            }
            observer.at(Moment::Step { phase, step }, self);
        }
    }

    /// Pixels, hidden layers upward, outputs if they take part: a spike acts on the layer above at once.
    #[inline(always)]
    fn step(&mut self, label: Option<usize>, with_outputs: bool) {
        self.input.step(self.arithmetic);
        let mut presynaptic = self.input.spikes.as_slice();
        let output_number = self.hidden.len();
        for (number, layer) in self.hidden.iter_mut().enumerate() {
            self.losses.enter_layer(number);
            layer.step(self.arithmetic, presynaptic, None, &mut self.losses);
            presynaptic = layer.spikes.as_slice();
        }
        if with_outputs {
            self.losses.enter_layer(output_number);
            self.output.step(&self.arithmetic.output(), presynaptic, label, &mut self.losses);
        }
    }

    fn clear_means(&mut self) {
        self.input.psp.fill(0);
        for layer in self.hidden.iter_mut() {
            layer.psp.fill(0);
            layer.soma_sums.fill(A::Sum::default());
        }
        self.output.psp.fill(0);
        self.output.soma_sums.fill(A::Sum::default());
    }

    /// The first of the outputs with the highest sum.
    #[inline(always)]
    fn answer(&self) -> usize {
        let (arithmetic, sums) = (self.arithmetic.output(), &*self.output.soma_sums);
        highest(sums.get(..self.output.units).unwrap_or(sums), |sum, other| arithmetic.exceeds(sum, other))
    }

    /// Mean PSPs of the outputs over the window of a phase.
    #[inline(always)]
    fn mean_outputs(&mut self, window: u32) {
        let (arithmetic, c) = (self.arithmetic.output(), self.output.coefficients);
        self.losses.enter_layer(self.hidden.len());
        for (mean, &sum) in self.means.iter_mut().zip(&*self.output.psp) {
            *mean = arithmetic.mean_psp(c, sum, window, &mut self.losses);
        }
    }

    /// α^f, σ(⟨C⟩_f) and σ′(⟨C⟩_f).
    #[inline(always)]
    fn end_forward(&mut self, steps: u32) {
        let window = steps.saturating_sub(SETTLING_STEPS);
        let arithmetic = self.arithmetic;
        self.mean_outputs(window);
        for (number, layer) in self.hidden.iter_mut().enumerate() {
            self.losses.enter_layer(number);
            let c = layer.coefficients;
            let feedback =
                Columns { weights: layer.feedback, units: layer.units, stride: layer.stride, bounds: &[] };
            arithmetic.plateaus(c, feedback, self.means, layer.plateaus, &mut self.losses);
            arithmetic.slopes(c, layer.soma_sums, window, layer.errors, &mut self.losses);
        }
        let (arithmetic, c) = (arithmetic.output(), self.output.coefficients);
        let rates = self.output.plateaus.iter_mut().zip(self.output.errors.iter_mut());
        for ((rate, slope), &sum) in rates.zip(&*self.output.soma_sums).take(self.output.units) {
            let mean = arithmetic.mean(c, Variable::Soma, sum, window, &mut self.losses);
            *rate = arithmetic.rate(c, mean);
            *slope = arithmetic.slope(c, *rate);
        }
    }

    /// α^t and the errors.
    #[inline(always)]
    fn end_target(&mut self, steps: u32) {
        let window = steps.saturating_sub(SETTLING_STEPS);
        let arithmetic = self.arithmetic;
        self.mean_outputs(window);
        for (number, layer) in self.hidden.iter_mut().enumerate() {
            self.losses.enter_layer(number);
            let c = layer.coefficients;
            let feedback =
                Columns { weights: layer.feedback, units: layer.units, stride: layer.stride, bounds: &[] };
            arithmetic.plateaus(c, feedback, self.means, layer.sums, &mut self.losses);
            arithmetic.errors(c, layer.sums, layer.plateaus, layer.errors, &mut self.losses);
        }
        self.losses.enter_layer(self.hidden.len());
        let (arithmetic, output) = (arithmetic.output(), &mut self.output);
        let c = output.coefficients;
        for (target, &sum) in output.sums.iter_mut().zip(&*output.soma_sums).take(output.units) {
            *target = arithmetic.mean(c, Variable::Rate, sum, window, &mut self.losses);
        }
        arithmetic.errors(c, output.sums, output.plateaus, output.errors, &mut self.losses);
    }

    /// The updates, output layer first.
    #[inline(always)]
    fn learn(&mut self, forward: u32) {
        let window = forward.saturating_sub(SETTLING_STEPS);
        let (arithmetic, losses) = (self.arithmetic, &mut self.losses);
        losses.enter_layer(self.hidden.len());
        let below = self.hidden.last().map_or(&*self.input.psp, |layer| &*layer.psp);
        self.output.learn(&arithmetic.output(), below, window, losses);
        let mut rest = &mut *self.hidden;
        while let Some((layer, lower)) = rest.split_last_mut() {
            losses.enter_layer(lower.len());
            let below = lower.last().map_or(&*self.input.psp, |layer| &*layer.psp);
            layer.learn(arithmetic, below, window, losses);
            rest = lower;
        }
    }
}
