//! The same examples on this machine.

use apical_core::digest::Digest;
use apical_core::parameters::Preset;
use apical_core::random::Stream;
use apical_core::rounding::Rounding;
use apical_core::tables::psp::Kernel;
use rand_core::Rng;

use super::Shape;
use super::firmware::Program;
use super::log::{Tested, Trained};
use super::machine::Plan;
use crate::data::Dataset;
use crate::experiment::saved::Saved;
use crate::learner::native;
use crate::model::Model;
use crate::vector::Path;

/// What the host got.
#[derive(Debug, Clone, Default)]
pub struct Twin {
    /// Report by report.
    pub trained: Vec<Trained>,
    /// After the last image.
    pub tested: Option<Tested>,
}

/// The first `count` places of a shuffled training set, shuffled anew when it is through.
pub fn order(seed: u64, length: usize, count: u32) -> Vec<u32> {
    let mut draws = Stream::Order.open(seed);
    let mut order = Vec::with_capacity(count as usize);
    while order.len() < count as usize && length > 0 {
        let mut epoch: Vec<u32> = (0..length as u32).collect();
        for last in (1..length).rev() {
            let other = (u64::from(draws.next_u32()) * (last as u64 + 1)) >> 32;
            epoch.swap(last, other as usize);
        }
        order.extend(epoch.into_iter().take(count as usize - order.len()));
    }
    order
}

/// Trains and tests as the firmware will, on the fastest instructions of this machine; with
/// `saved`, from what that network has learnt on.
pub fn learn(
    shape: &Shape,
    program: &Program,
    plan: &Plan,
    dataset: &Dataset,
    saved: Option<&Saved>,
) -> Twin {
    let model = Model {
        sizes: shape.sizes.clone(),
        kernel: Kernel::Scaled,
        preset: Preset::May2017,
        learning_rates: program.rates.clone(),
        seed: plan.seed,
    };
    let mut learner = native(&model, shape.width, Rounding::Stochastic, Path::best(), program.counts);
    if let Some(saved) = saved {
        learner.restore(&saved.layers);
    }
    let order = order(plan.seed, dataset.train.len(), plan.train);
    let mut now = Trained { digest: learner.digest().unwrap_or(0), ..Trained::default() };
    let mut twin = Twin { trained: vec![now.clone()], tested: None };
    for part in order.chunks(plan.every as usize) {
        let trained = learner.train(&dataset.train, part);
        now.examples += trained.examples as u32;
        now.wrong += trained.wrong as u32;
        now.steps += trained.steps as u32;
        let fired = learner.take_fired();
        let places = [0, 1, 2].map(|place| fired.get(place).copied().unwrap_or(0) as u32);
        now.fired = [0, 1, 2].map(|place| now.fired[place].wrapping_add(places[place]));
        let saturated: u64 = learner.take_losses().iter().flatten().map(|tally| tally.saturated).sum();
        now.saturated += saturated as u32;
        now.digest = learner.digest().unwrap_or(0);
        twin.trained.push(now.clone());
    }
    if plan.test > 0 {
        let mut answers = vec![0; plan.test as usize];
        learner.tester().test(&dataset.test, 0, plan.steps, &mut answers);
        let mut digest = Digest::default();
        answers.iter().for_each(|&answer| digest.word(u32::from(answer)));
        let wrong =
            answers.iter().zip(&dataset.test.labels).filter(|(answer, label)| answer != label).count();
        twin.tested = Some(Tested { images: plan.test, wrong: wrong as u32, answers: digest.value() });
    }
    twin
}
