//! Core and reference trained side by side, some examples compared.

use super::against::{Against, Mode};
use super::force;
use super::plot::Picture;
use super::probe::{Probed, Reader};
use super::recording::Recording;
use super::tally::Tally;
use super::trace::Trace;
use crate::data::Split;
use crate::experiment::Plan;
use crate::experiment::twin::settings;
use crate::laboratory::formats::Formats;
use crate::model::Model;
use crate::network::OwnedNetwork;
use crate::reference::{self, Phase};
use apical_core::emulated::{Decay, Emulated, Table};
use apical_core::formats::Variable;
use apical_core::kernels::Plain;

/// A neuron to be traced in one of the compared examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traced {
    /// Layer, from 0.
    pub layer: usize,
    /// Neuron; the one that fires most if none is named.
    pub unit: Option<usize>,
    /// Place in the list of compared examples.
    pub example: usize,
}

/// A reference, and the core in the modes it is compared in.
pub struct Twins<A: Probed> {
    /// The float network.
    pub reference: reference::Network,
    /// The integer networks, and their errors.
    pub cores: Vec<(Mode, OwnedNetwork<A>, Tally)>,
    reader: Reader,
    layers: usize,
}

/// The compiled-in formats of a plan, as tables for each layer.
#[must_use]
pub fn tables(plan: &Plan) -> Vec<Table> {
    Formats::native(plan.width, plan.rounding, plan.sizes.len() - 1).tables
}

/// The core in run-time formats, which give the bits of the compiled-in ones where the table
/// says the same.
type Emulator = Emulated<Plain>;

impl Twins<Emulator> {
    /// Twins of which the integers have these formats.
    #[must_use]
    pub fn in_formats(
        model: &Model,
        tables: &[Table],
        learning: (&Split, &[u32]),
        compared: (&[Mode], f64),
    ) -> Self {
        let coefficients = |l: usize| model.emulated(l, tables[l], Decay::Fine).coefficients();
        Self::new(Emulator::default(), model, coefficients, learning, compared)
    }
}

impl<A: Probed + Clone> Twins<A>
where
    A::Coefficients: Clone,
{
    /// Both with their initial weights, then trained on `before`, each by itself.
    ///
    /// # Panics
    /// If the model is none that a checked plan has.
    #[must_use]
    pub fn new(
        arithmetic: A,
        model: &Model,
        coefficients: impl Fn(usize) -> A::Coefficients,
        (split, before): (&Split, &[u32]),
        (modes, tolerance): (&[Mode], f64),
    ) -> Self {
        let mut reference =
            reference::Network::new(&settings(model)).expect("a plan is checked before it runs");
        let mut core = OwnedNetwork::new(arithmetic, model, coefficients);
        for &index in before {
            let (image, label) = (split.image(index as usize), split.labels[index as usize]);
            reference.train(image, label);
            core.with(|network| network.train(image, usize::from(label), &mut ()));
        }
        core.take_losses();
        let layers = model.layers();
        let start = |&mode: &Mode| {
            let mut core = core.clone();
            if mode == Mode::Forced {
                core.with(|network| {
                    force::weights(network, reference.layers());
                    force::state(network, Some(Phase::Forward), reference.state());
                });
            }
            (mode, core, Tally::new(layers, tolerance))
        };
        let cores = modes.iter().map(start).collect();
        Self { reference, cores, reader: Reader::new(model.kernel), layers }
    }

    /// Trains on these examples and compares every one; a trace for each mode if a neuron
    /// is to be traced.
    pub fn compare(&mut self, split: &Split, examples: &[u32], traced: Option<Traced>) -> Vec<Trace> {
        let mut traces = Vec::new();
        for (number, &index) in examples.iter().enumerate() {
            let (image, label) = (split.image(index as usize), split.labels[index as usize]);
            let mut recording = Recording::default();
            self.reference.train_watched(image, label, &mut recording);
            for (mode, core, tally) in &mut self.cores {
                let mut trace = traced.filter(|traced| traced.example == number).map(|traced| Trace {
                    example: (index, label),
                    forward_steps: recording
                        .steps
                        .iter()
                        .filter(|step| step.0 == Some(Phase::Forward))
                        .count(),
                    ..Trace::new(traced.layer, unit_of(traced, &recording), self.layers)
                });
                tally.example = number;
                let mut against = Against::new(&recording, &self.reader, *mode, tally, trace.as_mut());
                core.with(|network| network.train(image, usize::from(label), &mut against));
                traces.extend(trace);
            }
        }
        traces
    }

    /// What each mode came to.
    #[must_use]
    pub fn tallies(&self) -> Vec<(Mode, &Tally)> {
        self.cores.iter().map(|(mode, _, tally)| (*mode, tally)).collect()
    }

    /// Traces, one for each mode, with all that a picture needs.
    #[must_use]
    pub fn pictures(&self, traces: Vec<Trace>) -> Vec<Picture> {
        let picture = |((mode, core, _), trace): (&(Mode, OwnedNetwork<A>, Tally), Trace)| {
            let layer = &self.reference.layers()[trace.layer];
            let kernel = self.reference.settings().kernel;
            let apical = match layer.feedback.is_empty() {
                true => [Vec::new(), Vec::new()],
                false => [&trace.float, &trace.integer].map(|side| side.apical(kernel, layer, trace.unit)),
            };
            let c = core.coefficients(trace.layer);
            let lsb = [Variable::Basal, Variable::Soma].map(|variable| A::lsb(c, variable));
            Picture { mode: *mode, trace, apical, lsb }
        };
        self.cores.iter().zip(traces).map(picture).collect()
    }
}

/// The neuron to be traced.
fn unit_of(traced: Traced, recording: &Recording) -> usize {
    let count = |unit: usize| {
        let steps = recording.steps.iter().map(|(_, _, state)| &state.neurons[traced.layer].spikes);
        steps.flatten().filter(|&&spike| spike as usize == unit).count()
    };
    let busiest = || {
        let units = recording.end.neurons[traced.layer].soma.len();
        (0..units).rev().max_by_key(|&unit| count(unit)).unwrap_or(0)
    };
    traced.unit.unwrap_or_else(busiest)
}
