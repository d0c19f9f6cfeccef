//! Interval of a proportion, such as an error rate.
//!
//! centre = (p̂ + z²/2n) / (1 + z²/n),
//! half width = z/(1 + z²/n) · √(p̂(1 − p̂)/n + z²/4n²)
//!
//! Source: Wilson (1927), Journal of the American Statistical Association 22(158), 209–212;
//! recommended over p̂ ± z √(p̂(1 − p̂)/n) by Brown, Cai and DasGupta (2001), Statistical Science
//! 16(2), 101–133, as it keeps its coverage at the small error rates we hope for.

use super::{Interval, upper_quantile};
use statrs::distribution::{ContinuousCDF, Normal};

/// Wilson's score interval of `successes` out of `n`.
///
/// It covers the choice of test images and nothing else; the spread over seeds comes on top.
/// Of no trials nothing is known: the estimate is NaN and the interval 0 to 1.
///
/// # Panics
///
/// If there are more successes than trials.
///
/// # Examples
///
/// ```
/// let rate = apical::statistics::wilson(196, 10_000, 0.95);
/// assert_eq!(format!("{rate:.4}"), "0.0196 [0.0171, 0.0225]");
/// ```
pub fn wilson(successes: u64, n: u64, confidence: f64) -> Interval {
    assert!(successes <= n, "{successes} successes out of {n}");
    let z = Normal::standard().inverse_cdf(upper_quantile(confidence));
    let (rate, n) = (successes as f64 / n as f64, n as f64);
    if n == 0.0 {
        return Interval { estimate: rate, low: 0.0, high: 1.0 };
    }
    let shrink = 1.0 / (1.0 + z * z / n);
    let centre = shrink * (rate + z * z / (2.0 * n));
    let half_width = shrink * z * (rate * (1.0 - rate) / n + (z / (2.0 * n)).powi(2)).sqrt();
    // The ends touch 0 and 1 at rates of 0 and 1; rounding must not push them past, nor past the
    // rate itself.
    Interval {
        estimate: rate,
        low: (centre - half_width).clamp(0.0, rate),
        high: (centre + half_width).clamp(rate, 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(left: f64, right: f64) {
        assert!((left - right).abs() <= 5e-5, "{left} is not {right}");
    }

    /// z² = 3.8415: (0.1 + 0.019207 ± 1.95996 √(0.0009 + 0.000096037)) / 1.038415.
    #[test]
    fn ten_in_a_hundred_is_between_six_and_seventeen_percent() {
        let interval = wilson(10, 100, 0.95);
        assert_eq!(interval.estimate, 0.1);
        close(interval.low, 0.0552);
        close(interval.high, 0.1744);
    }

    /// Without failures the upper end is z² / (n + z²) = 3.8415 / 103.8415.
    #[test]
    fn no_errors_at_all_still_leave_room_for_some() {
        let interval = wilson(0, 100, 0.95);
        assert_eq!(interval.low, 0.0);
        close(interval.high, 3.8415 / 103.8415);
    }

    #[test]
    fn successes_and_failures_mirror_each_other() {
        for successes in 0..=50 {
            let (some, rest) = (wilson(successes, 50, 0.9), wilson(50 - successes, 50, 0.9));
            assert!((some.low - (1.0 - rest.high)).abs() < 1e-12);
            assert!(some.contains(some.estimate));
        }
    }

    #[test]
    fn of_no_trials_nothing_is_known() {
        let interval = wilson(0, 0, 0.95);
        assert!(interval.estimate.is_nan());
        assert_eq!((interval.low, interval.high), (0.0, 1.0));
    }
}
