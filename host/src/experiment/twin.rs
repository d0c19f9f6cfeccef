//! The f64 reference as a [`Learner`].

use crate::data::Split;
use crate::learner::{Learner, Stored, Tester, Trained};
use crate::model::Model;
use crate::reference::{self, Draws, Layer, Network, Phase, Preset, Rounding, Settings, State, Watch};
use apical_core::losses::LayerTallies;

/// The reference's settings for a model.
#[must_use]
pub fn settings(model: &Model) -> Settings {
    Settings {
        sizes: model.sizes.clone(),
        kernel: model.kernel,
        preset: match model.preset {
            apical_core::parameters::Preset::Paper => Preset::Paper,
            apical_core::parameters::Preset::May2017 => Preset::May2017,
        },
        learning_rates: model.learning_rates.clone(),
        seed: model.seed,
        draws: Draws::Shared,
    }
}

/// The reference, and the spikes it fired.
#[derive(Clone)]
pub struct Twin {
    /// The network.
    pub network: Network,
    counts: Counts,
}

/// Spikes and steps.
#[derive(Debug, Clone, Default)]
struct Counts {
    fired: Vec<u64>,
    steps: u64,
}

impl Watch for Counts {
    fn step(&mut self, _: Phase, _: usize, _: &[Layer], state: &State) {
        self.steps += 1;
        let lists = [&state.input_spikes].into_iter().chain(state.neurons.iter().map(|n| &n.spikes));
        for (fired, spikes) in self.fired.iter_mut().zip(lists) {
            *fired += spikes.len() as u64;
        }
    }
}

impl Twin {
    /// A network with its initial weights.
    ///
    /// # Panics
    /// If the model has no layers or rates that a checked plan has.
    #[must_use]
    pub fn new(model: &Model) -> Self {
        let network = Network::new(&settings(model)).expect("a plan is checked before it runs");
        Self { network, counts: Counts { fired: vec![0; model.sizes.len()], steps: 0 } }
    }

    /// The output with the highest mean potential in the last forward phase.
    fn answer(&self) -> usize {
        let means = self.network.state().output().soma_mean.iter().enumerate();
        means
            .fold(
                (0, f64::NEG_INFINITY),
                |best, (unit, &mean)| if mean > best.1 { (unit, mean) } else { best },
            )
            .0
    }
}

impl Learner for Twin {
    fn train(&mut self, split: &Split, order: &[u32]) -> Trained {
        let mut trained = Trained::default();
        let before = self.counts.steps;
        for &index in order {
            let (image, label) = (split.image(index as usize), split.labels[index as usize]);
            self.network.train_watched(image, label, &mut self.counts);
            trained.examples += 1;
            trained.wrong += u64::from(self.answer() != usize::from(label));
        }
        trained.steps = self.counts.steps - before;
        trained
    }

    fn tester(&self) -> Box<dyn Tester + '_> {
        Box::new(self.network.tester(self.network.settings().seed))
    }

    fn digest(&mut self) -> Option<u64> {
        None
    }

    fn mean_weights(&self) -> Vec<f64> {
        (0..self.network.layers().len()).map(|l| self.network.mean_weight(l)).collect()
    }

    fn take_fired(&mut self) -> Vec<u64> {
        let empty = vec![0; self.counts.fired.len()];
        std::mem::replace(&mut self.counts.fired, empty)
    }

    fn take_losses(&mut self) -> Vec<LayerTallies> {
        Vec::new()
    }

    /// Eight bytes a number; state as the vectors of [`crate::reference::Neurons`] have it.
    fn bytes(&self) -> (usize, usize) {
        let layers = self.network.layers().iter();
        let weights: usize = layers.map(|layer| layer.weights.len() + layer.feedback.len()).sum();
        let state = self.network.state();
        let biases: usize = self.network.layers().iter().map(|layer| layer.bias.len()).sum();
        let numbers: usize = state
            .neurons
            .iter()
            .map(|n| {
                let once = [&n.u, &n.x1, &n.x2, &n.drive, &n.soma, &n.past, &n.psp, &n.soma_mean, &n.error];
                let rest = [&n.feedback_psp, &n.rate_mean, &n.plateau.forward, &n.plateau.target];
                once.into_iter().chain(rest).map(Vec::len).sum::<usize>()
            })
            .sum();
        (8 * weights, 8 * (numbers + biases + state.input_psp.len()))
    }

    fn store(&self) -> Vec<Stored> {
        let bits = |values: &[f64]| values.iter().map(|value| value.to_bits() as i64).collect();
        let layers = self.network.layers().iter();
        layers
            .map(|layer| Stored {
                weights: bits(&layer.weights),
                bias: bits(&layer.bias),
                feedback: bits(&layer.feedback),
            })
            .collect()
    }

    fn restore(&mut self, layers: &[Stored]) {
        let set = |values: &mut [f64], bits: &[i64]| {
            values.iter_mut().zip(bits).for_each(|(value, &bits)| *value = f64::from_bits(bits as u64));
        };
        for (layer, stored) in self.network.layers_mut().iter_mut().zip(layers) {
            set(&mut layer.weights, &stored.weights);
            set(&mut layer.bias, &stored.bias);
            set(&mut layer.feedback, &stored.feedback);
        }
    }
}

impl<R: Rounding + Clone + Send> Tester for reference::Tester<'_, R> {
    fn test(&mut self, split: &Split, first: usize, steps: u32, answers: &mut [u8]) {
        for (answer, index) in answers.iter_mut().zip(first..) {
            *answer = self.answer(split.image(index), index as u32, steps as usize);
        }
    }
}
