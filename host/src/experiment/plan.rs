//! What is to be run, checked before it runs.

use crate::data::Dataset;
use crate::learner::{self, Learner, Width};
use crate::model::Model;
use crate::vector::Path;
use apical_core::parameters::Preset;
use apical_core::rounding::Rounding;
use apical_core::tables::psp::Kernel;

use super::twin::Twin;

/// Which arithmetic a network runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The integers.
    Core,
    /// The f64 reference.
    Reference,
}

impl Kind {
    /// The name used in reports, files and flags.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Reference => "reference",
        }
    }
}

/// Networks to train and test.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Inputs, hidden layers, outputs.
    pub sizes: Vec<usize>,
    /// Synaptic kernel.
    pub kernel: Kernel,
    /// Initial weights.
    pub preset: Preset,
    /// η of each layer, the output layer last.
    pub learning_rates: Vec<f64>,
    /// Width of the core's weights.
    pub width: Width,
    /// Rounding of the core's updates.
    pub rounding: Rounding,
    /// One core and one reference for each.
    pub seeds: Vec<u64>,
    /// Training examples an epoch.
    pub examples: usize,
    /// Epochs.
    pub epochs: usize,
    /// Steps of a test.
    pub test_steps: u32,
    /// Test images, from the first.
    pub test_images: usize,
}

/// Why a plan cannot be run.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// A layer of no neurons or of more than their 16-bit names allow.
    #[error("a layer of {0} units: layers have 1 to {MOST_UNITS}")]
    Units(usize),
    /// More layers than streams have names.
    #[error("{0} hidden layers: at most {MOST_LAYERS} are possible")]
    Layers(usize),
    /// More weights than anybody means to ask for.
    #[error("{0} weights: at most {MOST_WEIGHTS} are possible, use smaller layers")]
    Weights(usize),
    /// Neither one learning rate nor one for each layer.
    #[error("{found} learning rates for {layers} layers: give one, or one for each layer (hidden first)")]
    RateCount {
        /// As many were given.
        found: usize,
        /// As many are needed.
        layers: usize,
    },
    /// A learning rate that is not in the range of the error's gain.
    #[error("learning rate {0} is out of range: it must be above 0 and at most {HIGHEST_RATE}")]
    Rate(f64),
    /// No seed, or one twice.
    #[error("seeds must be different, and one at least")]
    Seeds,
    /// A number that must be at least 1 and at most what there is.
    #[error("{what} {found} is out of range: it must be 1 to {most}")]
    Count {
        /// The option.
        what: &'static str,
        /// What was asked for.
        found: usize,
        /// The most possible.
        most: usize,
    },
}

/// Names of units are 16 bits wide.
pub const MOST_UNITS: usize = 65_535;
/// Far beyond what helps.
pub const MOST_LAYERS: usize = 16;
/// 1 GiB of them in f64.
pub const MOST_WEIGHTS: usize = 1 << 27;
/// 20 η k_B must stay below 2⁵.
pub const HIGHEST_RATE: f64 = 1.8;
/// More epochs than the paper's 60 by far.
pub const MOST_EPOCHS: usize = 1_000_000;
/// Steps of a test: 10 s.
pub const MOST_TEST_STEPS: usize = 10_000;

/// One learning rate for all of so many layers, or one for each, as they were given.
#[must_use]
pub fn rates_of(given: &[f64], layers: usize) -> Vec<f64> {
    match given {
        &[rate] => vec![rate; layers],
        rates => rates.to_vec(),
    }
}

/// # Errors
/// Too few or too many learning rates for so many layers, or one that is not possible.
pub fn check_rates(rates: &[f64], layers: usize) -> Result<(), PlanError> {
    if rates.len() != layers {
        return Err(PlanError::RateCount { found: rates.len(), layers });
    }
    let good = |rate: f64| rate > 0.0 && rate <= HIGHEST_RATE;
    let wrong = rates.iter().find(|&&rate| !good(rate));
    wrong.map_or(Ok(()), |&rate| Err(PlanError::Rate(rate)))
}

impl Plan {
    /// # Errors
    /// The first thing that makes its network impossible.
    pub fn check_network(&self) -> Result<(), PlanError> {
        if let Some(&units) = self.sizes.iter().find(|&&units| units == 0 || units > MOST_UNITS) {
            return Err(PlanError::Units(units));
        }
        let hidden = self.sizes.len() - 2;
        if hidden > MOST_LAYERS {
            return Err(PlanError::Layers(hidden));
        }
        let weights = self.sizes.windows(2).map(|pair| pair[0] * pair[1]).sum();
        if weights > MOST_WEIGHTS {
            return Err(PlanError::Weights(weights));
        }
        check_rates(&self.learning_rates, self.sizes.len() - 1)
    }

    /// # Errors
    /// The first thing that makes it impossible.
    pub fn check(&self, dataset: &Dataset) -> Result<(), PlanError> {
        self.check_network()?;
        self.check_seeds()?;
        let counts = [
            ("examples", self.examples, dataset.train.len()),
            ("epochs", self.epochs, MOST_EPOCHS),
            ("test steps", self.test_steps as usize, MOST_TEST_STEPS),
            ("test images", self.test_images, dataset.test.len()),
        ];
        let wrong = counts.iter().find(|(_, found, most)| *found == 0 || found > most);
        wrong.map_or(Ok(()), |&(what, found, most)| Err(PlanError::Count { what, found, most }))
    }

    fn check_seeds(&self) -> Result<(), PlanError> {
        let mut seeds = self.seeds.clone();
        seeds.sort_unstable();
        seeds.dedup();
        match seeds.len() == self.seeds.len() && !seeds.is_empty() {
            true => Ok(()),
            false => Err(PlanError::Seeds),
        }
    }

    /// The network of a seed.
    #[must_use]
    pub fn model(&self, seed: u64) -> Model {
        Model {
            sizes: self.sizes.clone(),
            kernel: self.kernel,
            preset: self.preset,
            learning_rates: self.learning_rates.clone(),
            seed,
        }
    }

    /// A network of this arithmetic with its initial weights.
    #[must_use]
    pub fn learner(&self, kind: Kind, seed: u64) -> Box<dyn Learner> {
        match kind {
            Kind::Core => self.core(seed, false),
            Kind::Reference => Box::new(Twin::new(&self.model(seed))),
        }
    }

    /// A core that counts what it loses; its bits are those of one that does not.
    #[must_use]
    pub fn counting_core(&self, seed: u64) -> Box<dyn Learner> {
        self.core(seed, true)
    }

    fn core(&self, seed: u64, count: bool) -> Box<dyn Learner> {
        learner::native(&self.model(seed), self.width, self.rounding, Path::best(), count)
    }

    /// Names of the layers, as reports have them: `hidden 1`, …, `output`.
    #[must_use]
    pub fn layer_names(&self) -> Vec<String> {
        let hidden = self.sizes.len() - 2;
        let names = (1..=hidden).map(|l| if hidden == 1 { "hidden".into() } else { format!("hidden {l}") });
        names.chain(["output".into()]).collect()
    }
}
