//! The core, held against a recording of the reference while it runs.

use super::force;
use super::probe::{Probed, Reader, layers, raw_weights, real};
use super::recording::Recording;
use super::tally::{Tally, When};
use super::trace::Trace;
use crate::lockstep::core_side::sorted;
use crate::reference::{Phase, rounding::sigmoid};
use apical_core::formats::Variable;
use apical_core::network::Network;
use apical_core::observer::{Moment, Observer};

/// Whether the integers run by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Mode {
    /// From their own state: errors accumulate.
    Free,
    /// From the float state, given to them after every step: what is left is local.
    Forced,
}

/// Compares one example of the core with a recording.
pub struct Against<'r> {
    recording: &'r Recording,
    reader: &'r Reader,
    mode: Mode,
    tally: &'r mut Tally,
    trace: Option<&'r mut Trace>,
    step: usize,
    /// Spikes: inputs and layers, step by step.
    spikes: Vec<Vec<Vec<u32>>>,
    /// Raw weights before the updates.
    before: Vec<Vec<i64>>,
}

impl<'r> Against<'r> {
    /// Of nothing yet.
    pub fn new(
        recording: &'r Recording,
        reader: &'r Reader,
        mode: Mode,
        tally: &'r mut Tally,
        trace: Option<&'r mut Trace>,
    ) -> Self {
        let spikes = vec![Vec::new(); recording.end.neurons.len() + 1];
        Self { recording, reader, mode, tally, trace, step: 0, spikes, before: Vec::new() }
    }

    fn record<A: Probed>(
        &mut self,
        (layer, variable): (usize, Variable),
        c: &A::Coefficients,
        when: When,
        float: &[f64],
        states: &[A::State],
    ) {
        let integer = real::<A>(c, variable, &states[..float.len()]);
        let key = (layer, variable, A::lsb(c, variable));
        self.tally.record(key, when, float.iter().copied().zip(integer));
    }

    fn step<A: Probed>(&mut self, network: &mut Network<'_, A>) {
        let (phase, t, state) = &self.recording.steps[self.step];
        let when = match phase {
            Some(Phase::Target) => When::Target(*t as u32),
            _ => When::Forward(*t as u32),
        };
        self.spikes[0].push(sorted(network.input.spikes.as_slice()));
        let mut below = self.spikes[0].last() == Some(&state.input_spikes);
        for (l, (layer, float)) in layers(network).zip(&state.neurons).enumerate() {
            let c = layer.coefficients;
            let slow = real::<A>(c, Variable::FilterSlow, &layer.slow[..layer.units]);
            let basal = self.reader.basal::<A>(c, &slow, &real::<A>(c, Variable::Bias, layer.bias));
            // Where other spikes come in, the error is theirs and not that of this step.
            if self.mode == Mode::Free || below {
                self.tally.record(
                    (l, Variable::Accumulator, A::lsb(c, Variable::FilterFast)),
                    when,
                    float.u.iter().copied().zip(real::<A>(c, Variable::FilterFast, layer.sums)),
                );
                self.record::<A>((l, Variable::FilterFast), c, when, &float.x1, layer.fast);
                self.record::<A>((l, Variable::FilterSlow), c, when, &float.x2, layer.slow);
                let drives = float.drive.iter().copied().zip(basal.iter().copied());
                self.tally.record((l, Variable::Basal, A::lsb(c, Variable::Basal)), when, drives);
                self.record::<A>((l, Variable::Soma), c, when, &float.soma, layer.soma);
            }
            let spikes = sorted(layer.spikes.as_slice());
            if let Some(trace) = self.trace.as_deref_mut() {
                let soma = real::<A>(c, Variable::Soma, &layer.soma[..layer.units]);
                trace.step(l, float, (&basal, &soma), &spikes);
            }
            below = spikes == float.spikes;
            self.spikes[l + 1].push(spikes);
        }
        if self.mode == Mode::Forced {
            force::state(network, *phase, state);
        }
        self.step += 1;
    }

    /// Means and plateaus of a phase.
    fn phase_end<A: Probed>(&mut self, network: &mut Network<'_, A>, target: bool) {
        let recording = self.recording;
        let (state, when) =
            if target { (&recording.end, When::End) } else { (&recording.forward, When::ForwardEnd) };
        let last = network.hidden.len();
        let psp = &recording_psp(recording, target).feedback_psp;
        self.record::<A>((last, Variable::Psp), network.output.coefficients, when, psp, network.means);
        for (l, (layer, float)) in network.hidden.iter().zip(&recording.end.neurons).enumerate() {
            let (c, float, states) = match target {
                false => (layer.coefficients, &float.plateau.forward, &*layer.plateaus),
                true => (layer.coefficients, &float.plateau.target, &*layer.sums),
            };
            if A::fraction(c, Variable::Plateau) == 15 && A::fraction(c, Variable::Apical) <= 8 {
                let apical = float.iter().zip(states).filter_map(|(&plateau, &state)| {
                    let integer = self.reader.apical(A::state(state))?;
                    Some(((plateau / (1.0 - plateau)).ln(), integer))
                });
                let apical: Vec<_> = apical.collect();
                let key = (l, Variable::Apical, A::lsb(c, Variable::Apical));
                self.tally.record(key, when, apical.into_iter());
            }
            self.record::<A>((l, Variable::Plateau), c, when, float, states);
            if let Some(trace) = self.trace.as_deref_mut() {
                trace.plateau(l, target, float, &real::<A>(c, Variable::Plateau, &states[..layer.units]));
            }
        }
        let (output, float) = (&network.output, &state.neurons[last]);
        let rates: Vec<f64> = match target {
            false => float.soma_mean.iter().map(|&soma| sigmoid(soma)).collect(),
            true => float.rate_mean.clone(),
        };
        let states = if target { &*output.sums } else { &*output.plateaus };
        self.record::<A>((last, Variable::Rate), output.coefficients, when, &rates, states);
    }

    fn target_end<A: Probed>(&mut self, network: &mut Network<'_, A>) {
        self.phase_end(network, true);
        let recording = self.recording;
        for (l, (layer, float)) in layers(network).zip(&recording.end.neurons).enumerate() {
            self.record::<A>((l, Variable::Error), layer.coefficients, When::End, &float.error, layer.errors);
            self.before.push(raw_weights::<A>(layer.weights, layer.stride, layer.units));
        }
        if self.mode == Mode::Forced {
            force::errors(network, &recording.end);
        }
    }

    fn learnt<A: Probed>(&mut self, network: &mut Network<'_, A>) {
        let (recording, all_before) = (self.recording, std::mem::take(&mut self.before));
        let floats = recording.before.iter().zip(&recording.after);
        for (l, ((layer, (old, new)), before)) in layers(network).zip(floats).zip(&all_before).enumerate() {
            let c = layer.coefficients;
            let lsb = A::lsb(c, Variable::Weight);
            let after = raw_weights::<A>(layer.weights, layer.stride, layer.units);
            let weights = new.weights.iter().zip(&after).map(|(&float, &raw)| (float, raw as f64 * lsb));
            // A synapse whose presynaptic unit was silent has no change to be wrong about.
            let float = new.weights.iter().zip(&old.weights).map(|(new, old)| new - old);
            let integer = after.iter().zip(before).map(|(after, before)| (after - before) as f64 * lsb);
            let changes = float.zip(integer).filter(|&(float, integer)| float != 0.0 || integer != 0.0);
            let key = (l, Variable::Delta, A::lsb(c, Variable::Delta));
            self.tally.record(key, When::End, changes);
            self.tally.record((l, Variable::Weight, lsb), When::End, weights);
            self.record::<A>((l, Variable::Bias), c, When::End, &force::drives(&new.bias), layer.bias);
        }
        if self.mode == Mode::Forced {
            force::weights(network, &recording.after);
        }
        for (level, spikes) in self.spikes.iter().enumerate() {
            let float = recording.steps.iter().map(|(_, _, state)| match level.checked_sub(1) {
                None => state.input_spikes.clone(),
                Some(l) => state.neurons[l].spikes.clone(),
            });
            let float: Vec<Vec<u32>> = float.collect();
            self.tally.spikes[level].record(self.tally.example, &float, spikes);
        }
    }
}

fn recording_psp(recording: &Recording, target: bool) -> &crate::reference::Neurons {
    if target { recording.end.output() } else { recording.forward.output() }
}

impl<A: Probed> Observer<A> for Against<'_> {
    fn at(&mut self, moment: Moment, network: &mut Network<'_, A>) {
        match moment {
            Moment::Step { .. } => self.step(network),
            Moment::ForwardEnd => self.phase_end(network, false),
            Moment::TargetEnd => self.target_end(network),
            Moment::Learnt => self.learnt(network),
        }
    }
}
