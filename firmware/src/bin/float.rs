//! The same network in f32 with `micromath`, as one would write it first: what the integers are compared with.
//!
//! The same work in the same order (columns of the pixels that spiked, two filters, soma, a draw a neuron, updates of
//! the columns that were active), the same protocol and sizes; spikes are single draws against 0.2 σ(C). It learns as
//! well, which its log shows; its numbers are its own.
#![no_std]
#![no_main]

use apical_core::network::Control;
use apical_core::parameters::{
    APPROACH, BASAL_SHARE, PHASE_STEPS, SETTLING_STEPS, TEACHER, weight_statistics,
};
use apical_core::tables::psp::{AREA_BITS, KEEP_FAST, KEEP_SLOW, Kernel};
use apical_core::tables::wald::extra_steps;
use apical_firmware::count::Counter;
use apical_firmware::examples::Examples;
use apical_firmware::network::{ACTIVE, AREAS, LEARNING_RATES, OUTPUTS, PIXELS, SPIKES};
use apical_firmware::once::Once;
use apical_firmware::{BOARD, NETWORK, entry};
use defmt::info;
use micromath::F32;
use semihosting::process;

/// A network of one layer has no float twin: it is given one hidden neuron.
const HIDDEN: usize = if apical_firmware::network::HIDDEN > 0 { apical_firmware::network::HIDDEN } else { 1 };

/// A layer of `N` neurons fed by `M` units.
struct Layer<const M: usize, const N: usize> {
    weights: [[f32; N]; M],
    bias: [f32; N],
    sums: [f32; N],
    fast: [f32; N],
    slow: [f32; N],
    soma: [f32; N],
    means: [f32; N],
    /// σ of the mean in the forward phase.
    plateaus: [f32; N],
    errors: [f32; N],
    psp: [f32; N],
    spikes: [u16; N],
    fired: usize,
}

struct Float {
    draws: u32,
    active: [u16; ACTIVE],
    thresholds: [u32; ACTIVE],
    shown: usize,
    psp: [f32; PIXELS],
    spikes: [u16; SPIKES],
    fired: usize,
    hidden: Layer<PIXELS, HIDDEN>,
    feedback: [[f32; HIDDEN]; OUTPUTS],
    output: Layer<HIDDEN, OUTPUTS>,
}

const GAIN: f32 = (BASAL_SHARE * Kernel::Scaled.gain()) as f32;
const FAST: f32 = (1.0 - KEEP_FAST) as f32;
const SLOW: f32 = (1.0 - KEEP_SLOW) as f32;
const MOVE: f32 = APPROACH as f32;
const ERRORS: [f32; 2] = [error(LEARNING_RATES[0]), error(LEARNING_RATES[1])];

const fn error(rate: f64) -> f32 {
    (20.0 * rate * BASAL_SHARE) as f32
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + F32(-x).exp().0)
}

fn draw(state: &mut u32) -> u32 {
    let mut x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    *state = x;
    x
}

fn uniform(state: &mut u32) -> f32 {
    (draw(state) >> 8) as f32 * (1.0 / 16_777_216.0)
}

impl<const M: usize, const N: usize> Layer<M, N> {
    const fn new() -> Self {
        Self {
            weights: [[0.0; N]; M],
            bias: [0.0; N],
            sums: [0.0; N],
            fast: [0.0; N],
            slow: [0.0; N],
            soma: [0.0; N],
            means: [0.0; N],
            plateaus: [0.0; N],
            errors: [0.0; N],
            psp: [0.0; N],
            spikes: [0; N],
            fired: 0,
        }
    }

    fn seed(&mut self, draws: &mut u32) {
        const { assert!(M > 0) };
        let (mean, sd) = const { weight_statistics(M) };
        for weight in self.weights.as_flattened_mut() {
            *weight = mean as f32 + 3.465 * sd as f32 * (2.0 * uniform(draws) - 1.0);
        }
        self.bias = [(0.8 * BASAL_SHARE) as f32; N];
    }

    fn step(&mut self, presynaptic: &[u16], label: Option<usize>, draws: &mut u32) {
        self.sums.fill(0.0);
        for &unit in presynaptic {
            let Some(column) = self.weights.get(usize::from(unit)) else { continue };
            self.sums.iter_mut().zip(column).for_each(|(sum, weight)| *sum += weight);
        }
        self.fired = 0;
        for unit in 0..N {
            self.fast[unit] += FAST * (self.sums[unit] - self.fast[unit]);
            self.slow[unit] += SLOW * (self.fast[unit] - self.slow[unit]);
            let drive = GAIN * self.slow[unit] + self.bias[unit];
            let mut soma = self.soma[unit];
            let moved = MOVE * (drive - soma);
            soma = match label {
                None => soma + moved,
                Some(label) => moved + if label == unit { f32::from(TEACHER) } else { -f32::from(TEACHER) },
            };
            self.soma[unit] = soma;
            if uniform(draws) < 0.2 * sigmoid(soma) {
                self.spikes[self.fired] = unit as u16;
                self.fired += 1;
            }
        }
    }

    fn credit(&mut self, share: f32) {
        for &unit in self.spikes.iter().take(self.fired) {
            self.psp[usize::from(unit)] += share;
        }
    }

    fn learn(&mut self, presynaptic: &[f32], window: f32) {
        for (column, &psp) in self.weights.iter_mut().zip(presynaptic) {
            if psp != 0.0 {
                let psp = psp / window;
                column.iter_mut().zip(&self.errors).for_each(|(weight, error)| *weight += error * psp);
            }
        }
        self.bias.iter_mut().zip(&self.errors).for_each(|(bias, error)| *bias += error * BASAL_SHARE as f32);
    }
}

impl Float {
    const fn new() -> Self {
        Self {
            draws: 0,
            active: [0; ACTIVE],
            thresholds: [0; ACTIVE],
            shown: 0,
            psp: [0.0; PIXELS],
            spikes: [0; SPIKES],
            fired: 0,
            hidden: Layer::new(),
            feedback: [[0.0; HIDDEN]; OUTPUTS],
            output: Layer::new(),
        }
    }

    fn seed(&mut self, seed: u64) {
        self.draws = seed as u32 | 1;
        self.hidden.seed(&mut self.draws);
        self.output.seed(&mut self.draws);
        let (mean, sd) = const { weight_statistics(HIDDEN) };
        for weight in self.feedback.as_flattened_mut() {
            *weight = mean as f32 + 3.465 * sd as f32 * (2.0 * uniform(&mut self.draws) - 1.0);
        }
    }

    fn show(&mut self, image: &[u8]) {
        self.shown = 0;
        for (pixel, &grey) in image.iter().enumerate() {
            if grey > 0 && self.shown < ACTIVE {
                self.active[self.shown] = pixel as u16;
                self.thresholds[self.shown] = (0.2 * f32::from(grey) / 255.0 * 4_294_967_040.0) as u32;
                self.shown += 1;
            }
        }
    }

    fn step(&mut self, label: Option<usize>) {
        self.fired = 0;
        for (&pixel, &threshold) in self.active.iter().zip(&self.thresholds).take(self.shown) {
            if draw(&mut self.draws) < threshold && self.fired < SPIKES {
                self.spikes[self.fired] = pixel;
                self.fired += 1;
            }
        }
        self.hidden.step(&self.spikes[..self.fired], None, &mut self.draws);
        self.output.step(&self.hidden.spikes[..self.hidden.fired], label, &mut self.draws);
    }

    /// σ of the mean apical potentials.
    fn apical(&self, unit: usize, window: f32) -> f32 {
        let terms = self.feedback.iter().zip(&self.output.psp).map(|(column, psp)| column[unit] * psp);
        sigmoid(terms.sum::<f32>() / window)
    }

    #[inline(never)]
    fn train(&mut self, image: &[u8], label: usize, [forward, target]: [u32; 2]) -> usize {
        let share = |steps: u32, step: u32| {
            f32::from(AREAS.psp.within(SETTLING_STEPS, steps, step)) / (1u32 << AREA_BITS) as f32
        };
        self.show(image);
        self.psp.fill(0.0);
        self.hidden.psp.fill(0.0);
        self.hidden.means.fill(0.0);
        self.output.psp.fill(0.0);
        self.output.means.fill(0.0);
        for step in 0..forward {
            self.step(None);
            let share = share(forward, step);
            for &pixel in self.spikes.iter().take(self.fired) {
                self.psp[usize::from(pixel)] += share;
            }
            self.hidden.credit(share);
            self.output.credit(share);
            if step >= SETTLING_STEPS {
                for unit in 0..HIDDEN {
                    self.hidden.means[unit] += self.hidden.soma[unit];
                }
                for unit in 0..OUTPUTS {
                    self.output.means[unit] += self.output.soma[unit];
                }
            }
        }
        let window = (forward - SETTLING_STEPS) as f32;
        for unit in 0..HIDDEN {
            self.hidden.plateaus[unit] = self.apical(unit, window);
            let rate = sigmoid(self.hidden.means[unit] / window);
            self.hidden.errors[unit] = rate * (1.0 - rate);
        }
        let mut answer = 0;
        for unit in 0..OUTPUTS {
            let rate = sigmoid(self.output.means[unit] / window);
            self.output.plateaus[unit] = rate;
            self.output.errors[unit] = rate * (1.0 - rate);
            if self.output.means[unit] > self.output.means[answer] {
                answer = unit;
            }
        }
        self.output.psp.fill(0.0);
        self.output.means.fill(0.0);
        for step in 0..target {
            self.step(Some(label));
            self.output.credit(share(target, step));
            if step >= SETTLING_STEPS {
                for unit in 0..OUTPUTS {
                    self.output.means[unit] += sigmoid(self.output.soma[unit]);
                }
            }
        }
        let target_window = (target - SETTLING_STEPS) as f32;
        for unit in 0..HIDDEN {
            let difference = self.apical(unit, target_window) - self.hidden.plateaus[unit];
            self.hidden.errors[unit] *= ERRORS[0] * difference;
        }
        for unit in 0..OUTPUTS {
            let difference = self.output.means[unit] / target_window - self.output.plateaus[unit];
            self.output.errors[unit] *= ERRORS[1] * difference;
        }
        let Self { hidden, output, psp, .. } = self;
        output.learn(&hidden.psp, window);
        hidden.learn(psp, window);
        answer
    }
}

static MEMORY: Once<Float> = Once::new(Float::new());

#[entry]
fn main() -> ! {
    let Some(memory) = MEMORY.take() else { process::exit(1) };
    let counter = Counter::start();
    let mut examples = Examples::open();
    let plan = examples.plan;
    info!("board {=str} network {=str} in f32, bytes {=usize}", BOARD, NETWORK, size_of::<Float>());
    memory.seed(plan.seed);
    let mut lengths = Control::new(plan.seed).phase;
    let (mut wrong, mut ticks) = (0u32, 0u64);
    for _ in 0..plan.train {
        let (image, label) = examples.take();
        let steps = [(); 2].map(|()| PHASE_STEPS + extra_steps(&mut lengths));
        let before = counter.ticks();
        let answer = memory.train(image, label, steps);
        ticks += counter.ticks() - before;
        wrong += u32::from(answer != label);
    }
    info!("count {=str} {=u64} of {=u32}", "float-example", Counter::instructions(ticks), plan.train);
    info!("count {=str} {=u64} of {=u32}", "float-error", u64::from(wrong), plan.train);
    process::exit(0)
}
