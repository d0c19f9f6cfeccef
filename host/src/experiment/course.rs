//! The course of one network: trained epoch by epoch, tested after each.

use crate::data::{Dataset, Split};
use crate::learner::{Learner, Trained};
use apical_core::losses::LayerTallies;
use indicatif::ProgressBar;
use rayon::prelude::*;
use serde::Serialize;
use std::time::Instant;

use super::order::Order;
use super::plan::{Kind, Plan};

/// Examples between two looks at the clock, at the counters (whose 32 bits must not
/// overflow), and two moves of a bar. A few ms, so that most pieces are not interrupted.
const STRIDE: usize = 100;

/// What an epoch came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Epoch {
    /// Its number, from 1.
    pub epoch: usize,
    /// Examples of this epoch.
    pub examples: u64,
    /// Of those, the share whose forward phase was wrong, before learning from it.
    pub train_error: f64,
    /// Share of the test images that were wrong after the epoch.
    pub test_error: f64,
    /// Mean weight of each layer after it.
    pub mean_weights: Vec<f64>,
    /// Spikes a second of a unit while it trained: inputs, then layers.
    pub rates_hz: Vec<f64>,
    /// Time per training example: the median over pieces of 100.
    pub train_us: f64,
    /// Time per test image: likewise.
    pub test_us: f64,
    /// Steps of training.
    #[serde(skip)]
    pub steps: u64,
    /// What was lost, by layer, where it is counted.
    #[serde(skip)]
    pub losses: Vec<LayerTallies>,
}

/// What a network came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Course {
    /// `core` or `reference`.
    pub arithmetic: &'static str,
    /// Its seed.
    pub seed: u64,
    /// Its epochs.
    pub epochs: Vec<Epoch>,
    /// Fingerprint of the whole state at the end, in hexadecimal.
    pub digest: Option<String>,
    /// Bytes of weights and of the rest of the state.
    pub bytes: (usize, usize),
    /// Its answers to the test images at the end.
    #[serde(skip)]
    pub answers: Vec<u8>,
}

impl Course {
    /// Test error at the end.
    #[must_use]
    pub fn test_error(&self) -> f64 {
        self.epochs.last().map_or(f64::NAN, |epoch| epoch.test_error)
    }

    /// The median over epochs of a time.
    #[must_use]
    pub fn median(&self, time: impl Fn(&Epoch) -> f64) -> f64 {
        median(self.epochs.iter().map(time).collect())
    }
}

/// The median; NaN of nothing.
#[must_use]
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let (lower, upper) = (values.len().saturating_sub(1) / 2, values.len() / 2);
    match values.as_slice() {
        [] => f64::NAN,
        values => 0.5 * (values[lower] + values[upper]),
    }
}

/// One network on its course.
pub struct Runner<'a> {
    plan: &'a Plan,
    dataset: &'a Dataset,
    kind: Kind,
    seed: u64,
    order: Order,
    done: Vec<Epoch>,
    answers: Vec<u8>,
    /// The network.
    pub learner: Box<dyn Learner>,
}

impl<'a> Runner<'a> {
    /// A network with its initial weights.
    #[must_use]
    pub fn new(plan: &'a Plan, dataset: &'a Dataset, kind: Kind, seed: u64) -> Self {
        Self::with_learner(plan, dataset, kind, seed, plan.learner(kind, seed))
    }

    /// The same of a core that counts what it loses.
    #[must_use]
    pub fn counting(plan: &'a Plan, dataset: &'a Dataset, seed: u64) -> Self {
        Self::with_learner(plan, dataset, Kind::Core, seed, plan.counting_core(seed))
    }

    /// A learner that is to take a course.
    #[must_use]
    pub fn with_learner(
        plan: &'a Plan,
        dataset: &'a Dataset,
        kind: Kind,
        seed: u64,
        learner: Box<dyn Learner>,
    ) -> Self {
        Self {
            plan,
            dataset,
            kind,
            seed,
            order: Order::new(seed, dataset.train.len()),
            done: Vec::new(),
            answers: vec![0; plan.test_images],
            learner,
        }
    }

    /// The epochs so far.
    #[must_use]
    pub fn epochs(&self) -> &[Epoch] {
        &self.done
    }

    /// Trains for an epoch and tests.
    pub fn epoch(&mut self, train_bar: &ProgressBar, test_bar: &ProgressBar) -> &Epoch {
        let order = self.order.next_epoch(self.plan.examples);
        let (trained, fired, train_us) = train(self.learner.as_mut(), &self.dataset.train, order, train_bar);
        let losses = self.learner.take_losses();
        let steps = self.plan.test_steps;
        let test_us = test(self.learner.as_ref(), &self.dataset.test, steps, &mut self.answers, test_bar);
        let wrong = wrong(&self.dataset.test, &self.answers);
        let hz = |(&spikes, &units): (&u64, &usize)| {
            1000.0 * spikes as f64 / (trained.steps as f64 * units as f64)
        };
        self.done.push(Epoch {
            epoch: self.done.len() + 1,
            examples: trained.examples,
            train_error: trained.wrong as f64 / trained.examples as f64,
            test_error: wrong as f64 / self.answers.len() as f64,
            mean_weights: self.learner.mean_weights(),
            rates_hz: fired.iter().zip(&self.plan.sizes).map(hz).collect(),
            train_us,
            test_us,
            steps: trained.steps,
            losses,
        });
        self.done.last().expect("an epoch was just done")
    }

    /// All epochs of the plan.
    #[must_use]
    pub fn run(mut self, train_bar: &ProgressBar, test_bar: &ProgressBar) -> Course {
        for _ in 0..self.plan.epochs {
            self.epoch(train_bar, test_bar);
        }
        self.finish()
    }

    /// What it came to.
    #[must_use]
    pub fn finish(mut self) -> Course {
        Course {
            arithmetic: self.kind.name(),
            seed: self.seed,
            epochs: self.done,
            digest: self.learner.digest().map(|digest| format!("{digest:016x}")),
            bytes: self.learner.bytes(),
            answers: self.answers,
        }
    }
}

/// Trains on an epoch's examples; spikes of inputs and layers, and µs an example.
fn train(
    learner: &mut dyn Learner,
    split: &Split,
    order: &[u32],
    bar: &ProgressBar,
) -> (Trained, Vec<u64>, f64) {
    let (mut trained, mut fired, mut times) = (Trained::default(), Vec::new(), Vec::new());
    for places in order.chunks(STRIDE) {
        let start = Instant::now();
        let part = learner.train(split, places);
        times.push(micros(start, places.len()));
        trained.examples += part.examples;
        trained.wrong += part.wrong;
        trained.steps += part.steps;
        let spikes = learner.take_fired();
        fired.resize(spikes.len(), 0);
        fired.iter_mut().zip(spikes).for_each(|(sum, spikes): (&mut u64, u64)| *sum += spikes);
        bar.inc(part.examples);
    }
    (trained, fired, median(times))
}

/// Answers for the first images of a split, in parallel; µs an image on one thread.
///
/// Every image has streams of its own, so neither the number of threads nor who tests what
/// changes an answer.
pub fn test(learner: &dyn Learner, split: &Split, steps: u32, answers: &mut [u8], bar: &ProgressBar) -> f64 {
    let share = answers.len().div_ceil(rayon::current_num_threads()).max(1);
    let testers: Vec<_> = answers.chunks(share).map(|_| learner.tester()).collect();
    let parts = answers.par_chunks_mut(share).zip(testers).enumerate();
    let times = parts.flat_map_iter(|(part, (answers, mut tester))| {
        let pieces = answers.chunks_mut(STRIDE).enumerate();
        pieces.map(move |(piece, answers)| {
            let start = Instant::now();
            tester.test(split, part * share + piece * STRIDE, steps, answers);
            bar.inc(answers.len() as u64);
            micros(start, answers.len())
        })
    });
    median(times.collect())
}

/// µs since then for each of so many.
fn micros(start: Instant, examples: usize) -> f64 {
    start.elapsed().as_secs_f64() * 1e6 / examples as f64
}

/// How many of the answers are wrong.
#[must_use]
pub fn wrong(split: &Split, answers: &[u8]) -> usize {
    answers.iter().zip(&split.labels).filter(|(answer, label)| answer != label).count()
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_two_in_the_middle() {
        assert_eq!(median(vec![4.0, 1.0, 3.0, 2.0]), 2.5);
        assert_eq!(median(vec![9.0, 1.0, 3.0]), 3.0);
        assert!(median(Vec::new()).is_nan());
    }
}
