//! Core and reference trained side by side, some examples compared.

use super::against::{Against, Mode};
use super::force;
use super::probe::{Probed, Reader};
use super::recording::Recording;
use super::tally::Tally;
use super::trace::Trace;
use crate::data::Split;
use crate::experiment::twin::settings;
use crate::model::Model;
use crate::network::OwnedNetwork;
use crate::reference::{self, Phase};

/// A neuron to be traced in one of the compared examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traced {
    /// Layer, from 0.
    pub layer: usize,
    /// Neuron.
    pub unit: usize,
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
        let mut reference = reference::Network::new(&settings(model)).expect("a plan is checked before it runs");
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
                    forward_steps: recording.steps.iter().filter(|step| step.0 == Some(Phase::Forward)).count(),
                    ..Trace::new(traced.layer, traced.unit, self.layers)
                });
                tally.example = number;
                let mut against = Against::new(&recording, &self.reader, *mode, tally, trace.as_mut());
                core.with(|network| network.train(image, usize::from(label), &mut against));
                traces.extend(trace);
            }
        }
        traces
    }
}
