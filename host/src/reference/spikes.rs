//! Poisson counts from uniform numbers.
//!
//! With λ = 0.2 σ(C) and a uniform number U, a unit emits as many spikes as there are
//! m ≥ 1 with U < P(n ≥ m; λ): the inverse of Poisson's distribution, at most three.
//! P grows with C, so U < P(n ≥ m) is C > Lₘ(U) for a potential Lₘ that depends on U only:
//! [`Noise`] holds it for the 4096 values U takes with shared draws.
//!
//! # Numerics
//! Lₘ is exact to a few units in the last place, so the comparison and the definition
//! disagree only where C lies that close to it: never in the tests' million draws.

use apical_core::random::{Generator, Offsets};
use apical_core::tables::noise::{BLOCK, rank};
use rand_core::Rng;

use super::constants::{MAX_RATE, MOST_SPIKES};
use super::rounding::{Coefficient, Rounding, Site};
use super::settings::Draws;

/// Values a shared uniform number takes.
const GRAINS: usize = 4096;

/// P(n ≥ 1), P(n ≥ 2), P(n ≥ 3) of a Poisson variable of mean λ.
#[must_use]
pub fn at_least(rate: f64) -> [f64; MOST_SPIKES] {
    let none = (-rate).exp();
    let one = -(-rate).exp_m1();
    [one, one - rate * none, one - rate * none - rate * rate / 2.0 * none]
}

/// The number of spikes that a uniform number stands for.
#[must_use]
pub fn count(uniform: f64, rate: f64) -> usize {
    at_least(rate).iter().filter(|&&probability| uniform < probability).count()
}

/// The uniform number at a place of the shared circle.
#[must_use]
pub fn shared_uniform(place: usize) -> f64 {
    (f64::from(rank(place)) + 0.5) / GRAINS as f64
}

/// A uniform number of 53 bits, below 1.
///
/// # Draws
/// Two `u32`, the high half first.
#[inline]
pub fn fresh_uniform(draws: &mut Generator) -> f64 {
    let high = u64::from(draws.next_u32());
    let low = u64::from(draws.next_u32());
    ((high << 32 | low) >> 11) as f64 / (1u64 << 53) as f64
}

/// The potential above which U means at least `m` spikes; infinite if none is.
fn threshold(uniform: f64, m: usize) -> f64 {
    let probability = |rate: f64| at_least(rate)[m - 1];
    if uniform >= probability(MAX_RATE) {
        return f64::INFINITY;
    }
    let rate = if m == 1 { -(-uniform).ln_1p() } else { inverse(probability, uniform) };
    let share = rate / MAX_RATE;
    share.ln() - (-share).ln_1p()
}

/// Where a growing function of the rate reaches a value, by bisection.
fn inverse(function: impl Fn(f64) -> f64, value: f64) -> f64 {
    let (mut low, mut high) = (0.0, MAX_RATE);
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return middle;
        }
        if function(middle) < value {
            low = middle;
        } else {
            high = middle;
        }
    }
}

/// The shared circle of uniform numbers, as numbers and as potentials.
#[derive(Debug, Clone, PartialEq)]
pub struct Noise {
    uniform: Vec<f64>,
    one: Vec<f64>,
    more: Vec<[f64; MOST_SPIKES - 1]>,
}

impl Noise {
    /// The circle, its first block once more at the end.
    #[must_use]
    pub fn new(rounding: &impl Rounding) -> Self {
        let uniform: Vec<f64> = (0..GRAINS + BLOCK).map(shared_uniform).collect();
        let limit = |u: f64, m| rounding.coefficient(Coefficient::Threshold, threshold(u, m));
        Self {
            one: uniform.iter().map(|&u| limit(u, 1)).collect(),
            more: uniform.iter().map(|&u| [limit(u, 2), limit(u, 3)]).collect(),
            uniform,
        }
    }

    /// The potentials above which each place of the circle means at least `m` spikes, 1 to 3.
    pub fn limits(&self, m: usize) -> impl Iterator<Item = f64> {
        let places = self.one.iter().zip(&self.more);
        places.map(move |(&one, more)| if m == 1 { one } else { more[m - 2] })
    }

    /// Spikes of a unit at a place of the circle.
    #[inline]
    #[must_use]
    pub fn count(&self, place: usize, potential: f64) -> usize {
        let more = self.more[place].iter().filter(|&&limit| potential > limit).count();
        usize::from(potential > self.one[place]) + more
    }

    /// Spikes of a layer's units, listed in ascending order as often as each fired.
    ///
    /// # Draws
    /// Shared: one offset for each block of 32 units. Fresh: two `u32` a unit.
    pub fn emit<R: Rounding>(
        &self,
        potentials: &[f64],
        layer: usize,
        draws: Draws,
        stream: &mut Generator,
        rounding: &mut R,
        spikes: &mut Vec<u32>,
    ) {
        spikes.clear();
        match draws {
            Draws::Shared => self.emit_shared(potentials, layer, stream, rounding, spikes),
            Draws::Fresh => emit_fresh(potentials, layer, stream, rounding, spikes),
        }
    }

    fn emit_shared<R: Rounding>(
        &self,
        potentials: &[f64],
        layer: usize,
        stream: &mut Generator,
        rounding: &mut R,
        spikes: &mut Vec<u32>,
    ) {
        let mut offsets = Offsets::new(stream);
        for (block, potentials) in potentials.chunks(BLOCK).enumerate() {
            let place = usize::from(offsets.draw());
            let limits = &self.one[place..];
            // Who fires first, what then: a branch a unit would be guessed wrong too often.
            let mut fired = 0u32;
            let mut seen = [0.0; BLOCK];
            for ((seen, &potential), &limit) in seen.iter_mut().zip(potentials).zip(limits) {
                *seen = rounding.narrow(Site::Potential, layer, potential);
                fired = fired >> 1 | u32::from(*seen > limit) << (BLOCK - 1);
            }
            fired >>= BLOCK - potentials.len();
            while fired != 0 {
                let i = fired.trailing_zeros() as usize;
                fired &= fired - 1;
                push(spikes, block * BLOCK + i, self.count(place + i, seen[i]));
            }
        }
    }
}

fn emit_fresh<R: Rounding>(
    potentials: &[f64],
    layer: usize,
    stream: &mut Generator,
    rounding: &mut R,
    spikes: &mut Vec<u32>,
) {
    let never = at_least(MAX_RATE)[0];
    for (unit, &potential) in potentials.iter().enumerate() {
        let uniform = fresh_uniform(stream);
        if uniform < never {
            let potential = rounding.narrow(Site::Potential, layer, potential);
            push(spikes, unit, count(uniform, MAX_RATE * rounding.sigmoid(potential)));
        }
    }
}

#[inline]
fn push(spikes: &mut Vec<u32>, unit: usize, times: usize) {
    for _ in 0..times {
        spikes.push(unit as u32);
    }
}

/// An image as spiking units: its pixels that are not 0, in ascending order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pixels {
    active: Vec<u32>,
    probabilities: Vec<[f64; MOST_SPIKES]>,
}

impl Pixels {
    /// Takes another image: λ = 0.2 · grey/255.
    pub fn show(&mut self, image: &[u8], rounding: &impl Rounding) {
        self.active.clear();
        self.probabilities.clear();
        for (pixel, &grey) in image.iter().enumerate().filter(|&(_, &grey)| grey > 0) {
            self.active.push(pixel as u32);
            let share = rounding.coefficient(Coefficient::Grey, f64::from(grey) / 255.0);
            self.probabilities.push(at_least(MAX_RATE * share));
        }
    }

    /// The pixels that may spike.
    #[must_use]
    pub fn active(&self) -> &[u32] {
        &self.active
    }

    /// Spikes of one step.
    ///
    /// # Draws
    /// As [`Noise::emit`], the active pixels being the units.
    pub fn emit(&self, noise: &Noise, draws: Draws, stream: &mut Generator, spikes: &mut Vec<u32>) {
        spikes.clear();
        let units = self.active.iter().zip(&self.probabilities);
        let mut push = |uniform: f64, pixel: u32, probabilities: &[f64; MOST_SPIKES]| {
            for probability in probabilities {
                if uniform >= *probability {
                    break;
                }
                spikes.push(pixel);
            }
        };
        match draws {
            Draws::Fresh => {
                for (&pixel, probabilities) in units {
                    push(fresh_uniform(stream), pixel, probabilities);
                }
            }
            Draws::Shared => {
                let mut offsets = Offsets::new(stream);
                let blocks = self.active.chunks(BLOCK).zip(self.probabilities.chunks(BLOCK));
                for (active, probabilities) in blocks {
                    let uniform = &noise.uniform[usize::from(offsets.draw())..];
                    for ((&pixel, probabilities), &uniform) in active.iter().zip(probabilities).zip(uniform) {
                        push(uniform, pixel, probabilities);
                    }
                }
            }
        }
    }
}
