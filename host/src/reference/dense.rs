//! The equations word for word: every postsynaptic potential from its kernel over the whole
//! history of spikes, every product, Euler's step of dC/dt. Slow, and only to be compared
//! with: it is what the event-driven form claims to be.
//!
//! A spike keeps the weights it met: in a postsynaptic potential that outlasts an update
//! each example's spikes are weighted with the weights of that example, as in a synapse
//! whose current was released before it changed.

use apical_core::random::{Generator, Offsets};
use apical_core::tables::{noise::BLOCK, wald::extra_steps};

use super::constants::{BASAL, LEAK, MAX_RATE, PHASE, REVERSAL, SETTLING, SHARE, UPDATE};
use super::initial::Layer;
use super::kernel::tap;
use super::rounding::sigmoid;
use super::settings::{Draws, Settings};
use super::spikes::{count, fresh_uniform, shared_uniform};
use super::state::{Phase, Streams};

/// Means of a phase over its window, layer by layer.
#[derive(Debug, Clone, Default)]
pub struct Means {
    /// ⟨s⟩, the input first.
    pub psp: Vec<Vec<f64>>,
    /// ⟨C⟩.
    pub soma: Vec<Vec<f64>>,
    /// ⟨σ(C)⟩.
    pub rate: Vec<Vec<f64>>,
    /// σ(⟨A⟩) of the hidden layers.
    pub plateau: Vec<Vec<f64>>,
}

/// One example's weights, and the steps from which they held.
#[derive(Debug, Clone)]
struct Episode {
    first: usize,
    layers: Vec<Layer>,
}

/// The literal evaluator.
#[derive(Debug, Clone)]
pub struct Dense {
    settings: Settings,
    streams: Streams,
    episodes: Vec<Episode>,
    /// Spike counts: step, layer (input first), unit.
    history: Vec<Vec<Vec<f64>>>,
    taps: Vec<f64>,
    /// Basal potentials of the step last taken.
    pub basal: Vec<Vec<f64>>,
    /// Somatic potentials after it.
    pub soma: Vec<Vec<f64>>,
    /// Means of the forward phase run last.
    pub forward: Means,
    /// Means of the target phase run last.
    pub target: Means,
}

impl Dense {
    /// At rest, with the streams of a seed.
    #[must_use]
    pub fn new(settings: &Settings, seed: u64) -> Self {
        let rest: Vec<Vec<f64>> = settings.sizes[1..].iter().map(|&n| vec![0.0; n]).collect();
        Self {
            settings: settings.clone(),
            streams: Streams::open(seed, settings.layers()),
            episodes: Vec::new(),
            history: Vec::new(),
            taps: Vec::new(),
            basal: rest.clone(),
            soma: rest,
            forward: Means::default(),
            target: Means::default(),
        }
    }

    /// From here on these are the weights.
    pub fn adopt(&mut self, layers: &[Layer]) {
        self.episodes.push(Episode { first: self.history.len(), layers: layers.to_vec() });
    }

    /// Draws the length of the next phase.
    pub fn phase_length(&mut self) -> usize {
        PHASE + extra_steps(&mut self.streams.phase) as usize
    }

    /// Clears the means of a phase.
    pub fn begin(&mut self, phase: Phase) {
        let sizes = &self.settings.sizes;
        let zeros = |sizes: &[usize]| sizes.iter().map(|&n| vec![0.0; n]).collect::<Vec<_>>();
        let layers = self.settings.layers();
        *self.means(phase) = Means {
            psp: zeros(sizes),
            soma: zeros(&sizes[1..]),
            rate: zeros(&sizes[1..]),
            plateau: zeros(&sizes[1..layers]),
        };
    }

    fn means(&mut self, phase: Phase) -> &mut Means {
        match phase {
            Phase::Forward => &mut self.forward,
            Phase::Target => &mut self.target,
        }
    }

    /// One step with an image shown, taught if a label is given.
    pub fn step(&mut self, image: &[u8], label: Option<usize>) {
        self.taps.push(tap(self.settings.kernel, self.taps.len() + 1));
        let now = self.history.len();
        let input = self.input_counts(image);
        self.history.push(vec![input]);
        for l in 0..self.settings.layers() {
            self.basal[l] = self.basal_potentials(l, now);
            let label = label.filter(|_| l + 1 == self.settings.layers());
            self.somatic_potentials(l, label);
            let rates: Vec<f64> = self.soma[l].iter().map(|&c| MAX_RATE * sigmoid(c)).collect();
            let counts = counts(self.settings.draws, &mut self.streams.spikes[l], &rates);
            self.history[now].push(counts);
        }
    }

    /// Poisson input of the pixels that are not 0.
    fn input_counts(&mut self, image: &[u8]) -> Vec<f64> {
        let active: Vec<usize> = (0..image.len()).filter(|&pixel| image[pixel] != 0).collect();
        let rates: Vec<f64> = active.iter().map(|&p| f64::from(image[p]) / 255.0 * MAX_RATE).collect();
        let counts = counts(self.settings.draws, &mut self.streams.input, &rates);
        let mut input = vec![0.0; image.len()];
        for (pixel, count) in active.into_iter().zip(counts) {
            input[pixel] = count;
        }
        input
    }

    /// s_j(t) = Σ κ(t − t_spike + 1) over the spikes of the steps `from` to `until` − 1.
    fn psp(&self, layer: usize, from: usize, until: usize, now: usize) -> Vec<f64> {
        let mut psp = vec![0.0; self.settings.sizes[layer]];
        for fired in from..until.min(now + 1) {
            let kappa = self.taps[now - fired];
            for (s, count) in psp.iter_mut().zip(&self.history[fired][layer]) {
                *s += kappa * count;
            }
        }
        psp
    }

    /// B_i(t) = Σ_j W_ij s_j(t) + b_i.
    fn basal_potentials(&self, l: usize, now: usize) -> Vec<f64> {
        let last = self.episodes.last().expect("weights were adopted");
        let mut basal = last.layers[l].bias.clone();
        let ends = self.episodes.iter().skip(1).map(|e| e.first).chain([usize::MAX]);
        for (episode, end) in self.episodes.iter().zip(ends) {
            let psp = self.psp(l, episode.first, end, now);
            let layer = &episode.layers[l];
            for (i, b) in basal.iter_mut().enumerate() {
                for (j, s) in psp.iter().enumerate() {
                    *b += layer.weights[j * layer.units + i] * s;
                }
            }
        }
        basal
    }

    /// C += −g_L C + g_B (B − C) + I, with I = g_E (E_E − C) + g_I (E_I − C) when taught.
    fn somatic_potentials(&mut self, l: usize, label: Option<usize>) {
        for (i, (c, b)) in self.soma[l].iter_mut().zip(&self.basal[l]).enumerate() {
            let current = match label {
                None => 0.0,
                Some(label) => {
                    let (excitation, inhibition) = if i == label { (1.0, 0.0) } else { (0.0, 1.0) };
                    excitation * (REVERSAL - *c) + inhibition * (-REVERSAL - *c)
                }
            };
            *c += -LEAK * *c + BASAL * (b - *c) + current;
        }
    }

    /// Adds step `t` of a phase of so many steps to its means, if it lies in the window.
    pub fn average(&mut self, phase: Phase, t: usize, steps: usize) {
        if t < SETTLING {
            return;
        }
        let share = 1.0 / (steps - SETTLING) as f64;
        let now = self.history.len() - 1;
        let outputs = self.settings.layers();
        let psp: Vec<Vec<f64>> = (0..=outputs).map(|layer| self.psp(layer, 0, now + 1, now)).collect();
        // Apical dendrites see the output spikes up to the step before.
        let output_psp = self.psp(outputs, 0, now, now - 1);
        let layers = &self.episodes.last().expect("weights were adopted").layers;
        let apical: Vec<Vec<f64>> = layers[..outputs - 1]
            .iter()
            .map(|layer| {
                let potential = |i| {
                    output_psp.iter().enumerate().map(|(k, s)| layer.feedback[k * layer.units + i] * s).sum()
                };
                (0..layer.units).map(potential).collect()
            })
            .collect();
        let soma = self.soma.clone();
        let means = self.means(phase);
        add(&mut means.psp, &psp, |s| share * s);
        add(&mut means.soma, &soma, |c| share * c);
        add(&mut means.rate, &soma, |c| share * sigmoid(c));
        add(&mut means.plateau, &apical, |a| share * a);
    }

    /// Mean apical potentials into plateaus.
    pub fn end(&mut self, phase: Phase) {
        self.means(phase).plateau.iter_mut().flatten().for_each(|a| *a = sigmoid(*a));
    }

    /// e of a layer after both phases.
    #[must_use]
    pub fn errors(&self, l: usize) -> Vec<f64> {
        let gain = UPDATE * self.settings.learning_rates[l] * SHARE;
        let error = |i: usize| {
            let rate = sigmoid(self.forward.soma[l][i]);
            let difference = if l + 1 == self.settings.layers() {
                self.target.rate[l][i] - rate
            } else {
                self.target.plateau[l][i] - self.forward.plateau[l][i]
            };
            gain * difference * rate * (1.0 - rate)
        };
        (0..self.settings.sizes[l + 1]).map(error).collect()
    }

    /// ΔW of a layer, column by column.
    #[must_use]
    pub fn weight_changes(&self, l: usize) -> Vec<f64> {
        let errors = self.errors(l);
        self.forward.psp[l].iter().flat_map(|s| errors.iter().map(move |e| e * s)).collect()
    }

    /// Units of a layer (0 the input) that spiked in the step last taken, as often as each did.
    #[must_use]
    pub fn spikes(&self, layer: usize) -> Vec<u32> {
        let counts = &self.history.last().expect("a step was taken")[layer];
        let times = |(unit, &n): (usize, &f64)| std::iter::repeat_n(unit as u32, n as usize);
        counts.iter().enumerate().flat_map(times).collect()
    }
}

/// Poisson counts of units that fire at these rates.
fn counts(draws: Draws, stream: &mut Generator, rates: &[f64]) -> Vec<f64> {
    if draws == Draws::Fresh {
        return rates.iter().map(|&rate| count(fresh_uniform(stream), rate) as f64).collect();
    }
    let mut offsets = Offsets::new(stream);
    let mut all = Vec::new();
    for block in rates.chunks(BLOCK) {
        let offset = usize::from(offsets.draw());
        let units = block.iter().enumerate();
        all.extend(units.map(|(i, &rate)| count(shared_uniform(offset + i), rate) as f64));
    }
    all
}

fn add(sums: &mut [Vec<f64>], values: &[Vec<f64>], term: impl Fn(f64) -> f64) {
    for (sum, &value) in sums.iter_mut().flatten().zip(values.iter().flatten()) {
        *sum += term(value);
    }
}
