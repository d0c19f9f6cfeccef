//! The postsynaptic potential's kernel, κ(n) = (e^(−n/τ_L) − e^(−n/τ_s)) / (τ_L − τ_s).
//!
//! A spike of this step counts with κ(1), the step after with κ(2). With d_S = e^(−1/τ_s),
//! d_L = e^(−1/τ_L), a = 1 − d, an impulse through the two filters of [`super`] leaves
//!
//! ```text
//! x1: a_S d_S^(n−1)      x2: a_L a_S (d_L^n − d_S^n) / (d_L − d_S)
//! ```
//!
//! which is κ(n) but for the gain (d_L − d_S) / ((τ_L − τ_s) a_L a_S). To cut the kernel
//! after ten taps, what the impulse has left in each filter is taken away in the eleventh
//! step: a_S d_S^10 from x1, then a_L a_S d_L (d_L^10 − d_S^10)/(d_L − d_S) from x2.

use super::constants::{FAST_TIME, SLOW_TIME, TAPS};
use super::settings::Kernel;

/// d_S, what the fast exponential keeps in a step.
#[must_use]
pub fn keep_fast() -> f64 {
    (-1.0 / FAST_TIME).exp()
}

/// d_L, what the slow exponential keeps in a step.
#[must_use]
pub fn keep_slow() -> f64 {
    (-1.0 / SLOW_TIME).exp()
}

/// κ(n) of this kernel, n = 1, 2, …, straight from the formula.
#[must_use]
pub fn tap(kernel: Kernel, n: usize) -> f64 {
    let age = n as f64;
    let paper = ((-age / SLOW_TIME).exp() - (-age / FAST_TIME).exp()) / (SLOW_TIME - FAST_TIME);
    match kernel {
        Kernel::Paper => paper,
        Kernel::Cut if n <= TAPS => paper,
        Kernel::Cut => 0.0,
        Kernel::Scaled => paper * scale(),
    }
}

/// Area of the cut kernel over the area of the infinite one.
fn scale() -> f64 {
    (1..=TAPS).map(|n| tap(Kernel::Cut, n)).sum::<f64>() / infinite_area()
}

/// κ(1) + κ(2) + … as two geometric series.
#[must_use]
pub fn infinite_area() -> f64 {
    let series = |keep: f64| keep / (1.0 - keep);
    (series(keep_slow()) - series(keep_fast())) / (SLOW_TIME - FAST_TIME)
}

/// Area of all taps.
#[must_use]
pub fn total_area(kernel: Kernel) -> f64 {
    match kernel {
        Kernel::Paper => infinite_area(),
        Kernel::Cut | Kernel::Scaled => infinite_area() * scale(),
    }
}

/// What makes the kernel out of two filters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cascade {
    /// a_S.
    pub fast: f64,
    /// a_L.
    pub slow: f64,
    /// What the fast filter loses of the input ten steps ago; 0 unless cut.
    pub fast_tail: f64,
    /// The same of the slow filter.
    pub slow_tail: f64,
    /// From the second filter to the postsynaptic potential.
    pub gain: f64,
}

impl Cascade {
    /// The cascade of a kernel.
    #[must_use]
    pub fn new(kernel: Kernel) -> Self {
        let (keep_fast, keep_slow) = (keep_fast(), keep_slow());
        let (fast, slow) = (1.0 - keep_fast, 1.0 - keep_slow);
        let response =
            |n: f64| fast * slow * (keep_slow.powf(n) - keep_fast.powf(n)) / (keep_slow - keep_fast);
        let full = (keep_slow - keep_fast) / ((SLOW_TIME - FAST_TIME) * slow * fast);
        let gain = if kernel == Kernel::Scaled { full * scale() } else { full };
        let taps = TAPS as f64;
        let (fast_tail, slow_tail) = match kernel {
            Kernel::Cut => (fast * keep_fast.powf(taps), keep_slow * response(taps)),
            Kernel::Scaled | Kernel::Paper => (0.0, 0.0),
        };
        Self { fast, slow, fast_tail, slow_tail, gain }
    }
}

/// Running sums of a kernel: G(m) = κ(1) + … + κ(m).
#[derive(Debug, Clone, PartialEq)]
pub struct Areas(Vec<f64>);

/// Past this many taps less than 10⁻²¹ of the area is left.
const LONGEST: usize = 512;

impl Areas {
    /// The sums of a kernel.
    #[must_use]
    pub fn new(kernel: Kernel) -> Self {
        let mut sum = 0.0;
        let sums = (1..LONGEST).map(|n| {
            sum += tap(kernel, n);
            sum
        });
        Self(std::iter::once(0.0).chain(sums).collect())
    }

    /// The same sums as they are stored.
    #[must_use]
    pub fn map(self, stored: impl Fn(f64) -> f64) -> Self {
        Self(self.0.into_iter().map(stored).collect())
    }

    /// G(m).
    #[must_use]
    pub fn up_to(&self, taps: usize) -> f64 {
        self.0[taps.min(LONGEST - 1)]
    }

    /// What a spike in step `fired` adds to the sum of its potential over the steps
    /// `start` to `end` − 1 of the same phase: G(end − fired) − G(start − fired).
    #[must_use]
    pub fn share(&self, fired: usize, start: usize, end: usize) -> f64 {
        self.up_to(end.saturating_sub(fired)) - self.up_to(start.saturating_sub(fired))
    }
}
