//! Differences between two networks over the same seeds.
//!
//! Both networks of a pair share initial weights, order of examples and spike draws, so that what
//! the seed does to both cancels: dᵢ = aᵢ − bᵢ and
//!
//! d̄ ± t(n−1) · s / √n,  s² = Σ (dᵢ − d̄)² / (n − 1)
//!
//! Source: Student (1908), "The probable error of a mean", Biometrika 6(1), 1–25.

use super::{Interval, upper_quantile};
use serde::Serialize;
use statrs::distribution::{Continuous, ContinuousCDF, StudentsT};

/// Where [`seeds_needed`] stops counting: nobody trains that many networks.
const MOST_SEEDS: usize = 100_000;

/// The mean difference of a pair of networks, and how sure of it we may be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PairedDifference {
    /// Number of pairs, that is of seeds.
    pub seeds: usize,
    /// Mean of a − b.
    pub mean: f64,
    /// Interval and p value, or the admission that there are none.
    pub uncertainty: Uncertainty,
}

/// What the spread over seeds allows us to say about a mean difference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Uncertainty {
    /// One seed has no spread: a report must say so and give no interval.
    SingleSeed,
    /// Two seeds or more.
    OverSeeds {
        /// The t interval of the mean difference.
        interval: Interval,
        /// The confidence of that interval.
        confidence: f64,
        /// Standard deviation of the differences, with n − 1.
        standard_deviation: f64,
        /// Two-sided p value of "the mean difference is zero".
        p_value: f64,
    },
}

impl PairedDifference {
    /// The t interval, if there was more than one seed.
    pub fn interval(&self) -> Option<Interval> {
        match self.uncertainty {
            Uncertainty::SingleSeed => None,
            Uncertainty::OverSeeds { interval, .. } => Some(interval),
        }
    }
}

impl std::fmt::Display for PairedDifference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.uncertainty {
            Uncertainty::SingleSeed => write!(f, "{:.4} (single seed: no interval)", self.mean),
            Uncertainty::OverSeeds { interval, p_value, .. } => {
                write!(f, "{interval} (n = {}, p = {p_value:.2e})", self.seeds)
            }
        }
    }
}

/// The mean; NaN of nothing.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The standard deviation with n − 1; NaN of fewer than two values.
pub fn standard_deviation(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return f64::NAN;
    }
    let centre = mean(values);
    let squares: f64 = values.iter().map(|value| (value - centre).powi(2)).sum();
    (squares / (values.len() - 1) as f64).sqrt()
}

/// The mean of a − b over pairs, with its t interval when there are two pairs or more.
///
/// `None` when nothing can be paired: no values, different lengths, or a difference that is not
/// finite. With equal differences throughout, the interval has no width and p is 0 (or 1 if they
/// are all zero): the t distribution has nothing better to offer.
///
/// # Examples
///
/// ```
/// use apical::statistics::paired_interval;
/// let difference = paired_interval(&[3.0, 5.0, 4.0], &[1.0, 2.0, 3.0], 0.95).unwrap();
/// assert_eq!(format!("{difference}"), "2.0000 [-0.4841, 4.4841] (n = 3, p = 7.42e-2)");
/// let lone = paired_interval(&[3.0], &[1.0], 0.95).unwrap();
/// assert_eq!(lone.to_string(), "2.0000 (single seed: no interval)");
/// ```
pub fn paired_interval(a: &[f64], b: &[f64], confidence: f64) -> Option<PairedDifference> {
    let differences = differences(a, b)?;
    let seeds = differences.len();
    let mean = mean(&differences);
    let uncertainty = if seeds < 2 {
        Uncertainty::SingleSeed
    } else {
        over_seeds(mean, standard_deviation(&differences), seeds, confidence)
    };
    Some(PairedDifference { seeds, mean, uncertainty })
}

/// a − b pair by pair; `None` when there is no pair or a difference is not finite.
pub(super) fn differences(a: &[f64], b: &[f64]) -> Option<Vec<f64>> {
    if a.is_empty() || a.len() != b.len() {
        return None;
    }
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    differences.iter().all(|difference| difference.is_finite()).then_some(differences)
}

fn over_seeds(mean: f64, standard_deviation: f64, seeds: usize, confidence: f64) -> Uncertainty {
    let half_width = half_width(standard_deviation, seeds, confidence);
    let standard_error = standard_deviation / (seeds as f64).sqrt();
    Uncertainty::OverSeeds {
        interval: Interval::around(mean, half_width),
        confidence,
        standard_deviation,
        p_value: two_sided_p(mean, standard_error, seeds),
    }
}

fn two_sided_p(mean: f64, standard_error: f64, seeds: usize) -> f64 {
    if mean == 0.0 {
        1.0
    } else if standard_error == 0.0 {
        0.0
    } else {
        2.0 * students_t(seeds).sf((mean / standard_error).abs())
    }
}

/// t(n−1) · s / √n.
fn half_width(standard_deviation: f64, seeds: usize, confidence: f64) -> f64 {
    t_quantile(seeds, upper_quantile(confidence)) * standard_deviation / (seeds as f64).sqrt()
}

/// The quantile of t(n−1), for probabilities above ½.
fn t_quantile(seeds: usize, probability: f64) -> f64 {
    let distribution = students_t(seeds);
    let tail = 1.0 - probability;
    // At 10⁵ seeds the library's inverse is off in the sixth digit; Newton's method brings the
    // tail probability to within 1e-9.
    let newton = |t: f64| t + (distribution.sf(t) - tail) / distribution.pdf(t);
    newton(newton(distribution.inverse_cdf(probability)))
}

/// Student's distribution with n − 1 degrees of freedom, n ≥ 2.
fn students_t(seeds: usize) -> StudentsT {
    StudentsT::new(0.0, 1.0, (seeds - 1) as f64).expect("two seeds leave a degree of freedom")
}

/// The smallest number of seeds whose t interval is no wider than ± `half_width`.
///
/// Takes the standard deviation of the differences as known, which after a pilot of a few seeds
/// it is not: plan with some to spare. At least 2; at most 100 000, returned also when even that
/// is too few.
///
/// # Examples
///
/// ```
/// // Differences that scatter by 0.2 points, wanted to within 0.1 points.
/// assert_eq!(apical::statistics::seeds_needed(0.2, 0.1, 0.95), 18);
/// ```
pub fn seeds_needed(sd_of_differences: f64, half_width: f64, confidence: f64) -> usize {
    let suffices = |seeds: usize| self::half_width(sd_of_differences, seeds, confidence) <= half_width;
    // Both t and 1/√n fall with n, hence bisection: `fewer` never suffices, `enough` does.
    let (mut fewer, mut enough) = (1, MOST_SEEDS);
    while enough - fewer > 1 {
        let middle = fewer.midpoint(enough);
        if suffices(middle) {
            enough = middle;
        } else {
            fewer = middle;
        }
    }
    enough
}

#[cfg(test)]
#[path = "paired_tests.rs"]
mod tests;
