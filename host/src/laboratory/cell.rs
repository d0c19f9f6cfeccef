//! One network: made, trained, tested; everything in an outcome is a function of the cell.

use super::formats::Numbers;
use crate::data::Dataset;
use crate::experiment::order::Order;
use crate::experiment::twin::Twin;
use crate::learner::{self, Learner};
use crate::model::Model;
use apical_core::formats::Variable;
use apical_core::losses::{LayerTallies, NO_LOSSES};

/// What to run.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The network and its seed.
    pub model: Model,
    /// Its arithmetic.
    pub numbers: Numbers,
    /// Training examples in all; an epoch is the whole training set.
    pub examples: usize,
    /// Steps of a test.
    pub test_steps: u32,
    /// Test images, from the first; none for a pilot.
    pub test_images: usize,
    /// Whether losses are counted.
    pub count: bool,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Training examples that were wrong before they were learnt from.
    pub train_wrong: u64,
    /// The same of the last quarter …
    pub late_wrong: u64,
    /// … which had so many.
    pub late_examples: u64,
    /// Test images that were wrong.
    pub test_wrong: u64,
    /// Fingerprint of the state after training.
    pub digest: Option<u64>,
    /// Mean weight of each layer.
    pub mean_weights: Vec<f64>,
    /// Losses of each layer while it trained; empty if they were not counted.
    pub losses: Vec<LayerTallies>,
}

/// Examples between two looks at the counters.
const STRIDE: usize = 500;

impl Cell {
    /// The network with its initial weights.
    #[must_use]
    pub fn learner(&self) -> Box<dyn Learner> {
        match &self.numbers {
            Numbers::Float => Box::new(Twin::new(&self.model)),
            Numbers::Integer(formats) => learner::emulated(&self.model, &formats.tables, formats.decay, self.count),
        }
    }

    /// Trains and tests, on this thread.
    #[must_use]
    pub fn run(&self, data: &Dataset) -> Outcome {
        self.run_with(data, |_| ())
    }

    /// The same, telling of every few hundred examples.
    #[must_use]
    pub fn run_with(&self, data: &Dataset, mut done: impl FnMut(u64)) -> Outcome {
        let mut network = self.learner();
        let late_from = self.examples - self.examples / 4;
        let mut outcome = Outcome {
            train_wrong: 0,
            late_wrong: 0,
            late_examples: (self.examples - late_from) as u64,
            test_wrong: 0,
            digest: None,
            mean_weights: Vec::new(),
            losses: vec![NO_LOSSES; if self.count { self.model.layers() } else { 0 }],
        };
        let mut order = Order::new(self.model.seed, data.train.len());
        let mut left = self.examples;
        while left > 0 {
            for chunk in order.next_epoch(left).chunks(STRIDE) {
                let at = self.examples - left;
                let early = late_from.saturating_sub(at).min(chunk.len());
                for (part, late) in [(&chunk[..early], false), (&chunk[early..], true)] {
                    let wrong = network.train(&data.train, part).wrong;
                    outcome.train_wrong += wrong;
                    outcome.late_wrong += if late { wrong } else { 0 };
                }
                left -= chunk.len();
                network.take_fired();
                merge(&mut outcome.losses, &network.take_losses());
                done(chunk.len() as u64);
            }
        }
        outcome.digest = network.digest();
        outcome.mean_weights = network.mean_weights();
        let mut answers = vec![0; self.test_images];
        network.test(&data.test, 0, self.test_steps, &mut answers);
        outcome.test_wrong = crate::experiment::course::wrong(&data.test, &answers) as u64;
        outcome
    }
}

fn merge(losses: &mut [LayerTallies], later: &[LayerTallies]) {
    for (layer, later) in losses.iter_mut().zip(later) {
        for variable in Variable::ALL {
            layer[variable as usize].merge(&later[variable as usize]);
        }
    }
}

impl Outcome {
    /// Share of the weight updates that were not zero and changed nothing.
    #[must_use]
    pub fn lost_updates(&self) -> f64 {
        let of = |count: fn(&apical_core::losses::Tally) -> u64| {
            self.losses.iter().map(|layer| count(&layer[Variable::Weight as usize])).sum::<u64>() as f64
        };
        of(|tally| tally.lost) / of(|tally| tally.values)
    }

    /// Values beyond their range, in all variables and layers.
    #[must_use]
    pub fn overflows(&self) -> u64 {
        self.losses.iter().flatten().map(apical_core::losses::Tally::overflows).sum()
    }
}
