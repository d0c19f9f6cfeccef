//! One network: made, trained, tested; everything in an outcome is a function of the cell.

use super::formats::Numbers;
use crate::data::Dataset;
use crate::experiment::course::wrong;
use crate::experiment::order::Order;
use crate::experiment::plan::Plan;
use crate::experiment::twin::Twin;
use crate::learner::{self, Learner};
use crate::model::Model;
use apical_core::formats::Variable;
use apical_core::losses::{LayerTallies, NO_LOSSES, Tally};

/// What to run.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The network and its seed.
    pub model: Model,
    /// Its arithmetic.
    pub numbers: Numbers,
    /// Training examples of an epoch.
    pub examples: usize,
    /// Epochs.
    pub epochs: usize,
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
    /// Answers to the test images.
    pub answers: Vec<u8>,
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
    /// The network of a plan under a seed, in this arithmetic, without counting.
    #[must_use]
    pub fn new(plan: &Plan, numbers: Numbers, seed: u64) -> Self {
        Self {
            model: plan.model(seed),
            numbers,
            examples: plan.examples,
            epochs: plan.epochs,
            test_steps: plan.test_steps,
            test_images: plan.test_images,
            count: false,
        }
    }

    /// Training examples of all epochs.
    #[must_use]
    pub fn trained(&self) -> usize {
        self.examples * self.epochs
    }

    /// How much time it takes, in training examples.
    #[must_use]
    pub fn work(&self) -> u64 {
        // A test of 250 steps takes 1.7 times as long as a training example of 102.
        let test = self.test_images as u64 * u64::from(self.test_steps) / 147;
        self.trained() as u64 + test
    }

    /// The network with its initial weights.
    #[must_use]
    pub fn learner(&self) -> Box<dyn Learner> {
        match &self.numbers {
            Numbers::Float => Box::new(Twin::new(&self.model)),
            Numbers::Integer(formats) => {
                learner::emulated(&self.model, &formats.tables, formats.decay, self.count)
            }
        }
    }

    /// Trains and tests, on this thread, telling of [`Cell::work`] done.
    #[must_use]
    pub fn run(&self, data: &Dataset, mut done: impl FnMut(u64)) -> Outcome {
        let mut network = self.learner();
        let late_from = self.trained() - self.trained() / 4;
        let mut outcome = Outcome {
            train_wrong: 0,
            late_wrong: 0,
            late_examples: (self.trained() - late_from) as u64,
            answers: vec![0; self.test_images],
            test_wrong: 0,
            digest: None,
            mean_weights: Vec::new(),
            losses: vec![NO_LOSSES; if self.count { self.model.layers() } else { 0 }],
        };
        let mut order = Order::new(self.model.seed, data.train.len());
        let mut at = 0;
        for _ in 0..self.epochs {
            for chunk in order.next_epoch(self.examples).chunks(STRIDE) {
                let early = late_from.saturating_sub(at).min(chunk.len());
                for (part, late) in [(&chunk[..early], false), (&chunk[early..], true)] {
                    let wrong = network.train(&data.train, part).wrong;
                    outcome.train_wrong += wrong;
                    outcome.late_wrong += if late { wrong } else { 0 };
                }
                at += chunk.len();
                network.take_fired();
                merge(&mut outcome.losses, &network.take_losses());
                done(chunk.len() as u64);
            }
        }
        outcome.digest = network.digest();
        outcome.mean_weights = network.mean_weights();
        network.tester().test(&data.test, 0, self.test_steps, &mut outcome.answers);
        outcome.test_wrong = wrong(&data.test, &outcome.answers) as u64;
        done(self.work() - self.trained() as u64);
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
    /// Share of the test images that were wrong.
    #[must_use]
    pub fn test_error(&self) -> f64 {
        self.test_wrong as f64 / self.answers.len() as f64
    }

    /// Share of the weight updates that were not zero and changed nothing.
    #[must_use]
    pub fn lost_updates(&self) -> f64 {
        let of = |count: fn(&Tally) -> u64| {
            self.losses.iter().map(|layer| count(&layer[Variable::Weight as usize])).sum::<u64>() as f64
        };
        of(|tally| tally.lost) / of(|tally| tally.values)
    }

    /// Values beyond their range, in all variables and layers.
    #[must_use]
    pub fn overflows(&self) -> u64 {
        self.losses.iter().flatten().map(Tally::overflows).sum()
    }
}
