//! Phases, and one training example after another.
//!
//! The means of a phase of T = 50 + extra steps run over its steps 30 … T − 1. A spike in
//! step t₀ adds G(T − t₀) − G(max(0, 30 − t₀)) to the sum of its unit's postsynaptic
//! potential there, G being the running sum of the kernel; so no potential is ever stepped.
//! Apical dendrites see the output spikes of the step before: the same with T − 1 and 29.
//!
//! # Numerics
//! A spike counts in the phase it was fired in. What the spikes of the phase before still
//! add to a mean is left out: at most n·(G(∞) − G(30)) if no step had more than n spikes of
//! the unit: 0.035·n for the scaled kernel, 0.068·n for the paper's, nothing for the cut
//! one. A unit at the highest rate misses 0.003 on average (scaled), of a mean of 0.10.

use apical_core::tables::wald::extra_steps;

use super::constants::{PHASE, SETTLING};
use super::dynamics::{Coefficients, Fixed, step};
use super::initial::{self, Layer};
use super::learning;
use super::rounding::{Exact, Rounding, Site};
use super::settings::{Settings, SettingsError};
use super::spikes::Pixels;
use super::state::{Neurons, Phase, State, Streams};
use super::tester::Tester;
use super::watch::Watch;

/// A network that learns.
#[derive(Debug, Clone)]
pub struct Network<R = Exact> {
    settings: Settings,
    coefficients: Coefficients,
    layers: Vec<Layer>,
    state: State,
    streams: Streams,
    pixels: Pixels,
    rounding: R,
}

impl Network {
    /// A network of initial weights, at rest.
    ///
    /// # Errors
    /// Settings that make no network.
    pub fn new(settings: &Settings) -> Result<Self, SettingsError> {
        Self::with_rounding(settings, Exact)
    }
}

impl<R: Rounding> Network<R> {
    /// The same with a rounding of its own.
    ///
    /// # Errors
    /// Settings that make no network.
    pub fn with_rounding(settings: &Settings, mut rounding: R) -> Result<Self, SettingsError> {
        settings.check()?;
        let coefficients = Coefficients::new(settings, &rounding);
        Ok(Self {
            layers: initial::layers(settings, &mut rounding),
            state: State::new(&settings.sizes, coefficients.cut),
            streams: Streams::open(settings.seed, settings.layers()),
            pixels: Pixels::default(),
            settings: settings.clone(),
            coefficients,
            rounding,
        })
    }

    /// One training example: forward phase, target phase, update.
    ///
    /// # Draws
    /// One phase length before each phase; input and spikes in every step.
    ///
    /// # Panics
    /// If the image has not as many pixels as the network has inputs, or the label is no
    /// output.
    pub fn train(&mut self, image: &[u8], label: u8) {
        self.train_watched(image, label, &mut ());
    }

    /// The same with somebody looking on.
    ///
    /// # Panics
    /// As [`Network::train`].
    pub fn train_watched(&mut self, image: &[u8], label: u8, watch: &mut impl Watch) {
        let label = usize::from(label);
        assert_eq!(image.len(), self.settings.sizes[0], "one pixel an input");
        assert!(label < self.state.output().soma.len(), "the label is an output");
        self.pixels.show(image, &self.rounding);
        for (phase, teaching) in [(Phase::Forward, None), (Phase::Target, Some(label))] {
            self.run(phase, teaching, watch);
            self.end_phase(phase);
        }
        self.learn(watch);
    }

    fn run(&mut self, phase: Phase, teaching: Option<usize>, watch: &mut impl Watch) {
        let steps = PHASE + extra_steps(&mut self.streams.phase) as usize;
        let fixed = Fixed {
            settings: &self.settings,
            coefficients: &self.coefficients,
            layers: &self.layers,
            pixels: &self.pixels,
        };
        watch.phase(phase, steps, &self.layers, &self.state);
        clear_sums(phase, &mut self.state);
        for t in 0..steps {
            step(fixed, teaching, &mut self.state, &mut self.streams, &mut self.rounding);
            credit(fixed, phase, t, steps, &mut self.state, &mut self.rounding);
            watch.step(phase, t, &self.layers, &self.state);
        }
        means(phase, steps - SETTLING, &mut self.state, &mut self.rounding);
    }

    fn end_phase(&mut self, phase: Phase) {
        let Some((output, hidden)) = self.state.neurons.split_last_mut() else { return };
        for (l, (layer, neurons)) in self.layers.iter().zip(hidden).enumerate() {
            let plateaus = match phase {
                Phase::Forward => &mut neurons.plateau.forward,
                Phase::Target => &mut neurons.plateau.target,
            };
            learning::plateaus(l, &layer.feedback, &output.feedback_psp, plateaus, &mut self.rounding);
        }
    }

    /// Output layer first, then the hidden layers from the top down.
    fn learn(&mut self, watch: &mut impl Watch) {
        for (l, neurons) in self.state.neurons.iter_mut().enumerate() {
            learning::errors(l, self.settings.learning_rates[l], neurons, &mut self.rounding);
        }
        watch.before_update(&self.layers, &self.state);
        for (l, layer) in self.layers.iter_mut().enumerate().rev() {
            let psp = match l {
                0 => &self.state.input_psp,
                _ => &self.state.neurons[l - 1].psp,
            };
            learning::update(l, layer, &self.state.neurons[l].error, psp, &mut self.rounding);
        }
        watch.example_end(&self.layers, &self.state);
    }

    /// A tester of this network as it is now, under a seed of its own.
    pub fn tester(&self, seed: u64) -> Tester<'_, R>
    where
        R: Clone,
    {
        Tester::new(&self.settings, &self.coefficients, &self.layers, seed, self.rounding.clone())
    }

    /// What the network was made with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Its layers, output last.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The same, to be set.
    pub fn layers_mut(&mut self) -> &mut [Layer] {
        &mut self.layers
    }

    /// Its state.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The same, to be set.
    pub fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }

    /// The generators it draws from, to be set.
    pub fn streams_mut(&mut self) -> &mut Streams {
        &mut self.streams
    }

    /// The rounding, for whatever it counts.
    pub fn rounding(&self) -> &R {
        &self.rounding
    }

    /// Mean of the feed-forward weights of a layer: drifts if a rounding is biased.
    pub fn mean_weight(&self, layer: usize) -> f64 {
        let weights = &self.layers[layer].weights;
        weights.iter().sum::<f64>() / weights.len() as f64
    }
}

fn clear_sums(phase: Phase, state: &mut State) {
    for neurons in &mut state.neurons {
        neurons.feedback_psp.fill(0.0);
        match phase {
            Phase::Forward => {
                neurons.psp.fill(0.0);
                neurons.soma_mean.fill(0.0);
            }
            Phase::Target => neurons.rate_mean.fill(0.0),
        }
    }
    if phase == Phase::Forward {
        state.input_psp.fill(0.0);
    }
}

/// Adds what step `t` contributes to the sums over the window.
fn credit<R: Rounding>(
    fixed: Fixed,
    phase: Phase,
    t: usize,
    steps: usize,
    state: &mut State,
    rounding: &mut R,
) {
    let areas = &fixed.coefficients.areas;
    let State { input_spikes, input_psp, neurons } = state;
    let last = neurons.len() - 1;
    if phase == Phase::Forward {
        let share = areas.share(t, SETTLING, steps);
        add_share(input_spikes, rounding.narrow(Site::PspSum, 0, share), input_psp);
        for (l, neurons) in neurons.iter_mut().enumerate() {
            add_share(&neurons.spikes, rounding.narrow(Site::PspSum, l + 1, share), &mut neurons.psp);
        }
    }
    let late = areas.share(t, SETTLING - 1, steps - 1);
    let late = rounding.narrow(Site::PspSum, last + 1, late);
    let output = &mut neurons[last];
    add_share(&output.spikes, late, &mut output.feedback_psp);
    if t >= SETTLING {
        match phase {
            Phase::Forward => neurons.iter_mut().for_each(add_somata),
            Phase::Target => add_rates(last, output, rounding),
        }
    }
}

fn add_share(spikes: &[u32], share: f64, sums: &mut [f64]) {
    for &unit in spikes {
        sums[unit as usize] += share;
    }
}

pub(super) fn add_somata(neurons: &mut Neurons) {
    neurons.soma_mean.iter_mut().zip(&neurons.soma).for_each(|(sum, soma)| *sum += soma);
}

fn add_rates<R: Rounding>(l: usize, output: &mut Neurons, rounding: &mut R) {
    for (sum, &soma) in output.rate_mean.iter_mut().zip(&output.soma) {
        *sum += rounding.rate(Site::Rate, l, soma);
    }
}

/// Sums over the window into means. Site layers of PSPs count from the input.
fn means<R: Rounding>(phase: Phase, window: usize, state: &mut State, rounding: &mut R) {
    let mut divide = |site, layer, sums: &mut [f64]| {
        sums.iter_mut().for_each(|sum| *sum = rounding.mean(site, layer, *sum, window));
    };
    if phase == Phase::Forward {
        divide(Site::PspMean, 0, &mut state.input_psp);
    }
    for (l, neurons) in state.neurons.iter_mut().enumerate() {
        divide(Site::PspMean, l + 1, &mut neurons.feedback_psp);
        match phase {
            Phase::Forward => {
                divide(Site::PspMean, l + 1, &mut neurons.psp);
                divide(Site::SomaMean, l, &mut neurons.soma_mean);
            }
            Phase::Target => divide(Site::Rate, l, &mut neurons.rate_mean),
        }
    }
}
