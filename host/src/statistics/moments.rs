//! Count, mean, spread and range of a stream, without keeping it.
//!
//! A value x updates n ← n + 1, δ = x − mean, mean ← mean + δ/n, M2 ← M2 + δ·(x − mean): Welford
//! (1962), Technometrics 4(3), 419–420. Two streams join by M2 = M2ₐ + M2ᵦ + δ²·nₐnᵦ/n: Chan, Golub
//! and LeVeque (1979), Stanford STAN-CS-79-773.

use serde::Serialize;

/// Streaming count, mean, second moment and range.
///
/// # Numerics
///
/// f64; the mean is taken from differences, so that a large offset does not drown a small spread.
/// Merging in another order changes the last bits: merge in a fixed order where runs are compared
/// bit by bit.
///
/// # Examples
///
/// ```
/// use apical::statistics::Moments;
/// let moments: Moments = [1.0, 2.0, 6.0].into_iter().collect();
/// assert_eq!((moments.count(), moments.mean()), (3, 3.0));
/// assert_eq!(moments.variance(), 7.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Moments {
    count: u64,
    mean: f64,
    /// Sum of squared deviations from the mean.
    m2: f64,
    min: f64,
    max: f64,
}

impl Moments {
    /// Of nothing yet.
    pub const fn new() -> Self {
        Self { count: 0, mean: 0.0, m2: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY }
    }

    /// Takes in one value.
    pub fn record(&mut self, value: f64) {
        self.count += 1;
        let before = value - self.mean;
        self.mean += before / self.count as f64;
        self.m2 += before * (value - self.mean);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// Takes in all that `other` has seen.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        let count = self.count + other.count;
        let (ours, theirs) = (self.count as f64, other.count as f64);
        let delta = other.mean - self.mean;
        self.mean += delta * (theirs / count as f64);
        self.m2 += other.m2 + delta * delta * (ours * theirs / count as f64);
        self.count = count;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// How many values.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The mean; 0 of nothing.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// Sum of squared deviations from the mean.
    pub fn m2(&self) -> f64 {
        self.m2
    }

    /// Variance with n − 1; NaN of fewer than two values.
    pub fn variance(&self) -> f64 {
        if self.count < 2 {
            return f64::NAN;
        }
        self.m2 / (self.count - 1) as f64
    }

    /// Standard deviation with n − 1; NaN of fewer than two values.
    pub fn standard_deviation(&self) -> f64 {
        self.variance().sqrt()
    }

    /// Mean of the squared values themselves; 0 of nothing.
    pub fn mean_square(&self) -> f64 {
        self.m2 / self.count.max(1) as f64 + self.mean * self.mean
    }

    /// The smallest value, if there was any; NaN is passed over.
    pub fn min(&self) -> Option<f64> {
        (self.min <= self.max).then_some(self.min)
    }

    /// The largest value, if there was any; NaN is passed over.
    pub fn max(&self) -> Option<f64> {
        (self.min <= self.max).then_some(self.max)
    }
}

impl Default for Moments {
    fn default() -> Self {
        Self::new()
    }
}

impl Extend<f64> for Moments {
    fn extend<I: IntoIterator<Item = f64>>(&mut self, values: I) {
        values.into_iter().for_each(|value| self.record(value));
    }
}

impl FromIterator<f64> for Moments {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut moments = Self::new();
        moments.extend(values);
        moments
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::{mean, standard_deviation};

    fn values() -> Vec<f64> {
        (0..1_000).map(|i| f64::from(i * 7919 % 1009) / 16.0).collect()
    }

    fn close(left: f64, right: f64) {
        assert!((left - right).abs() <= 1e-12 * right.abs().max(1.0), "{left} is not {right}");
    }

    #[test]
    fn one_pass_gives_what_two_passes_give() {
        let moments: Moments = values().into_iter().collect();
        close(moments.mean(), mean(&values()));
        close(moments.standard_deviation(), standard_deviation(&values()));
        let squares: Vec<f64> = values().iter().map(|value| value * value).collect();
        close(moments.mean_square(), mean(&squares));
    }

    #[test]
    fn merged_parts_equal_the_whole_wherever_they_are_cut() {
        let whole: Moments = values().into_iter().collect();
        for cut in [0, 1, 333, 999, 1_000] {
            let mut merged: Moments = values()[..cut].iter().copied().collect();
            merged.merge(&values()[cut..].iter().copied().collect());
            assert_eq!(merged.count(), whole.count());
            assert_eq!((merged.min(), merged.max()), (whole.min(), whole.max()));
            close(merged.mean(), whole.mean());
            close(merged.m2(), whole.m2());
        }
    }

    #[test]
    fn a_large_offset_does_not_drown_a_small_spread() {
        let moments: Moments = [4.0, 7.0, 13.0, 16.0].map(|x| x + 1e9).into_iter().collect();
        assert_eq!(moments.variance(), 30.0);
    }

    #[test]
    fn nothing_has_no_range_and_no_spread() {
        let moments = Moments::new();
        assert_eq!((moments.min(), moments.max()), (None, None));
        assert!(moments.variance().is_nan());
        assert_eq!((moments.mean(), moments.mean_square()), (0.0, 0.0));
    }
}
