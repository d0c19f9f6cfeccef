//! Testing: every state cleared, one forward phase, the highest mean somatic potential.

use apical_core::random::test_seed;

use super::constants::SETTLING;
use super::dynamics::{Coefficients, Fixed, step};
use super::initial::Layer;
use super::network::add_somata;
use super::rounding::{Rounding, Site};
use super::settings::Settings;
use super::spikes::Pixels;
use super::state::{Phase, State, Streams};
use super::watch::Watch;

/// Tests images with the weights of a network and a state of its own, so that many may
/// test side by side and none disturbs the training.
#[derive(Debug, Clone)]
pub struct Tester<'a, R> {
    settings: &'a Settings,
    coefficients: &'a Coefficients,
    layers: &'a [Layer],
    seed: u64,
    state: State,
    pixels: Pixels,
    rounding: R,
}

/// The first step of the mean over a test of so many: 30, in shorter tests their half.
#[must_use]
pub fn window_start(steps: usize) -> usize {
    if steps > SETTLING { SETTLING } else { steps / 2 }
}

impl<'a, R: Rounding> Tester<'a, R> {
    pub(super) fn new(
        settings: &'a Settings,
        coefficients: &'a Coefficients,
        layers: &'a [Layer],
        seed: u64,
        rounding: R,
    ) -> Self {
        let state = State::new(&settings.sizes, coefficients.cut);
        Self { settings, coefficients, layers, seed, state, pixels: Pixels::default(), rounding }
    }

    /// The label that the network gives an image: the output of the highest mean somatic
    /// potential, the first of equals.
    ///
    /// # Draws
    /// Streams opened anew under the seed of this image.
    ///
    /// # Panics
    /// If the image has not as many pixels as the network has inputs, or `steps` is 0.
    pub fn answer(&mut self, image: &[u8], index: u32, steps: usize) -> u8 {
        let potentials = self.potentials(image, index, steps, &mut ());
        let first_highest = potentials
            .iter()
            .enumerate()
            .fold((0, f64::NEG_INFINITY), |best, (k, &c)| if c > best.1 { (k, c) } else { best });
        first_highest.0 as u8
    }

    /// Mean somatic potentials of the outputs.
    ///
    /// # Panics
    /// As [`Tester::answer`].
    pub fn potentials(&mut self, image: &[u8], index: u32, steps: usize, watch: &mut impl Watch) -> &[f64] {
        assert_eq!(image.len(), self.settings.sizes[0], "one pixel an input");
        assert!(steps > 0, "a test takes a step at least");
        let start = window_start(steps);
        let last = self.layers.len() - 1;
        self.state.rest();
        self.pixels.show(image, &self.rounding);
        let mut streams = Streams::open(test_seed(self.seed, index), self.layers.len());
        let fixed = Fixed {
            settings: self.settings,
            coefficients: self.coefficients,
            layers: self.layers,
            pixels: &self.pixels,
        };
        watch.phase(Phase::Forward, steps, self.layers, &self.state);
        for t in 0..steps {
            step(fixed, None, &mut self.state, &mut streams, &mut self.rounding);
            if t >= start {
                add_somata(&mut self.state.neurons[last]);
            }
            watch.step(Phase::Forward, t, self.layers, &self.state);
        }
        for sum in &mut self.state.neurons[last].soma_mean {
            *sum = self.rounding.mean(Site::SomaMean, last, *sum, steps - start);
        }
        &self.state.neurons[last].soma_mean
    }
}
