//! Two classifiers, one test set: do they err on different images equally often?
//!
//! Only images on which exactly one of the two is wrong count, b and c of them; if neither is
//! better, b is binomial with b + c trials of ½.
//!
//! Sources: McNemar (1947), Psychometrika 12(2), 153–157; the continuity correction,
//! χ² = (|b − c| − 1)² / (b + c), is Edwards (1948), Psychometrika 13(3), 185–187; Dietterich
//! (1998), Neural Computation 10(7), 1895–1923 recommends the test for classifiers that can be
//! trained only once.

use serde::Serialize;
use statrs::distribution::{Binomial, ChiSquared, ContinuousCDF, DiscreteCDF};

/// The largest b + c tested exactly; there the two p values already agree to 0.1 % of themselves
/// or 5·10⁻⁵, whichever is more (tested below).
const MOST_EXACT: u64 = 1_000;

/// Outcome of McNemar's test.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct McNemar {
    /// Images only a got wrong.
    pub only_a: u64,
    /// Images only b got wrong.
    pub only_b: u64,
    /// The smaller of the two counts if exact, else the corrected χ² with one degree of freedom.
    pub statistic: f64,
    /// Two-sided p value of "neither errs more often".
    pub p_value: f64,
    /// Whether p is that of the binomial distribution rather than of χ².
    pub exact: bool,
}

/// McNemar's test: exact up to 1000 disagreements, χ² with Edwards's correction beyond.
///
/// It says nothing about other seeds: two seeds of one and the same network can differ
/// "significantly".
///
/// # Examples
///
/// ```
/// let test = apical::statistics::mcnemar(1, 8);
/// assert!(test.exact);
/// assert!((test.p_value - 0.0390625).abs() < 1e-12); // 2 (1 + 9) / 2⁹
/// ```
pub fn mcnemar(only_a_wrong: u64, only_b_wrong: u64) -> McNemar {
    let exact = only_a_wrong + only_b_wrong <= MOST_EXACT;
    let test = if exact { binomial } else { chi_squared };
    let (statistic, p_value) = test(only_a_wrong, only_b_wrong);
    McNemar { only_a: only_a_wrong, only_b: only_b_wrong, statistic, p_value, exact }
}

/// Twice the smaller tail, at most 1 (the middle term counts twice when b = c).
fn binomial(b: u64, c: u64) -> (f64, f64) {
    let smaller = b.min(c);
    let tail = Binomial::new(0.5, b + c).expect("one half is a probability").cdf(smaller);
    (smaller as f64, (2.0 * tail).min(1.0))
}

fn chi_squared(b: u64, c: u64) -> (f64, f64) {
    // Equal counts are no evidence: without the saturation they would be corrected past zero.
    let excess = b.abs_diff(c).saturating_sub(1) as f64;
    let statistic = excess * excess / (b + c) as f64;
    let distribution = ChiSquared::new(1.0).expect("one degree of freedom");
    (statistic, distribution.sf(statistic))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(left: f64, right: f64, tolerance: f64) {
        assert!((left - right).abs() <= tolerance, "{left} is not {right}");
    }

    /// 2 Σ_{k ≤ 3} C(20, k) / 2²⁰ = 2 · 1351 / 1048576.
    #[test]
    fn few_disagreements_are_tested_exactly() {
        close(mcnemar(1, 8).p_value, 0.0390625, 1e-12);
        close(mcnemar(3, 17).p_value, 2702.0 / 1_048_576.0, 1e-12);
        close(mcnemar(0, 5).p_value, 2.0 / 32.0, 1e-12);
        assert_eq!(mcnemar(3, 17).statistic, 3.0);
    }

    /// 99² / 1100 = 8.91, and erfc(√(8.91 / 2)) = 0.00283613 by the C library.
    #[test]
    fn many_disagreements_are_tested_by_chi_squared() {
        let test = mcnemar(600, 500);
        assert!(!test.exact);
        close(test.statistic, 8.91, 1e-12);
        close(test.p_value, 0.002_836_132_655_654_686, 1e-9);
    }

    #[test]
    fn networks_that_never_or_equally_disagree_are_not_told_apart() {
        for count in [0, 1, 50, 500, 501, 100_000] {
            close(mcnemar(count, count).p_value, 1.0, 1e-12);
        }
    }

    #[test]
    fn the_order_of_the_networks_does_not_matter() {
        for (b, c) in [(1, 8), (0, 40), (600, 500)] {
            let (one, other) = (mcnemar(b, c), mcnemar(c, b));
            assert_eq!(one.p_value, other.p_value);
            assert_eq!(one.only_a, other.only_b);
        }
    }

    #[test]
    fn both_forms_agree_where_one_takes_over_from_the_other() {
        for b in [420, 440, 460, 480, 500] {
            let (exact, approximate) = (binomial(b, 1_000 - b).1, chi_squared(b, 1_000 - b).1);
            assert!((exact - approximate).abs() < 1e-3 * exact.max(0.05));
        }
    }
}
