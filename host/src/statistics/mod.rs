//! What a handful of seeds and ten thousand test images allow us to say.
//!
//! * One network, one test set: an error rate with its [`wilson`] interval.
//! * Two networks, one seed, the same images: [`mcnemar`].
//! * Two networks, the same seeds: [`paired_interval`], or [`paired_bootstrap`] where the
//!   differences are far from normal; [`hierarchical_bootstrap`] when the images are to count as
//!   a sample too. [`seeds_needed`] plans the next run.
//! * The core beside its reference: [`ErrorStats`]; any stream of numbers: [`Moments`].
//!
//! Everything is f64 and deterministic. Confidences are fractions, 0.95 and not 95, and every
//! function that takes one panics unless it lies strictly between 0 and 1.

mod bootstrap;
mod errors;
mod mcnemar;
mod moments;
mod paired;
mod proportion;

pub use bootstrap::{hierarchical_bootstrap, paired_bootstrap};
pub use errors::{ErrorStats, ErrorSummary, Unit};
pub use mcnemar::{McNemar, mcnemar};
pub use moments::Moments;
pub use paired::{PairedDifference, Uncertainty, mean, paired_interval, seeds_needed, standard_deviation};
pub use proportion::wilson;

use serde::Serialize;

/// An estimate and the two ends of its confidence interval.
///
/// # Examples
///
/// ```
/// let error_rate = apical::statistics::wilson(10, 100, 0.95);
/// assert_eq!(error_rate.to_string(), "0.1000 [0.0552, 0.1744]");
/// assert!(error_rate.contains(0.15));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// The point estimate.
    pub estimate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// The interval `estimate ± half_width`.
    fn around(estimate: f64, half_width: f64) -> Self {
        Self { estimate, low: estimate - half_width, high: estimate + half_width }
    }

    /// Whether `value` lies within the interval, its ends included.
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// Half the distance between the two ends.
    pub fn half_width(&self) -> f64 {
        0.5 * (self.high - self.low)
    }
}

impl std::fmt::Display for Interval {
    /// Four decimals, or as many as the format asks for: `{:.2}`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = f.precision().unwrap_or(4);
        let Self { estimate, low, high } = self;
        write!(f, "{estimate:.digits$} [{low:.digits$}, {high:.digits$}]")
    }
}

/// The quantile at which a two-sided interval of this confidence ends: 0.975 for 0.95.
fn upper_quantile(confidence: f64) -> f64 {
    assert!(confidence > 0.0 && confidence < 1.0, "confidence {confidence} is not between 0 and 1");
    0.5 + 0.5 * confidence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_two_sided_interval_leaves_half_of_the_rest_on_each_side() {
        assert_eq!(upper_quantile(0.95), 0.975);
        assert_eq!(upper_quantile(0.5), 0.75);
    }

    #[test]
    #[should_panic(expected = "confidence 95 is not between 0 and 1")]
    fn a_confidence_in_percent_is_refused() {
        upper_quantile(95.0);
    }

    #[test]
    fn an_interval_prints_as_many_digits_as_asked_for() {
        let interval = Interval::around(-1.5, 0.25);
        assert_eq!(format!("{interval:.2}"), "-1.50 [-1.75, -1.25]");
        assert_eq!(interval.half_width(), 0.25);
    }
}
