//! Percentile bootstrap of the difference between two networks.
//!
//! Source: Efron and Tibshirani (1993), "An Introduction to the Bootstrap", chapter 13. With n
//! seeds the bootstrap's spread is too small by √((n−1)/n), and its interval covers less than it
//! says: below some ten seeds trust [`paired_interval`](super::paired_interval) instead.

use super::{Interval, mean, paired::differences, upper_quantile};
use rand_core::{Rng, SeedableRng};
use rand_xorshift::XorShiftRng;

/// Interval of the mean of a − b, the pairs drawn again with replacement.
///
/// `None` for fewer than two pairs, different lengths, values that are not finite, or no
/// resamples.
///
/// # Draws
///
/// One u64 a pair and resample, from XorShift seeded by `seed`.
///
/// # Examples
///
/// ```
/// use apical::statistics::paired_bootstrap;
/// let (a, b) = ([3.0, 5.0, 4.0, 6.0], [1.0, 2.0, 3.0, 4.0]);
/// let interval = paired_bootstrap(&a, &b, 0.95, 2_000, 7).unwrap();
/// assert_eq!(interval.estimate, 2.0);
/// assert_eq!(paired_bootstrap(&a[..1], &b[..1], 0.95, 2_000, 7), None);
/// ```
pub fn paired_bootstrap(
    a: &[f64],
    b: &[f64],
    confidence: f64,
    resamples: usize,
    seed: u64,
) -> Option<Interval> {
    let differences = differences(a, b).filter(|pairs| pairs.len() >= 2)?;
    let mut rng = XorShiftRng::seed_from_u64(seed);
    let means = (0..resamples).map(|_| resampled_mean(&differences, &mut rng));
    percentile(mean(&differences), means.collect(), confidence)
}

fn resampled_mean(values: &[f64], rng: &mut impl Rng) -> f64 {
    let drawn = (0..values.len()).map(|_| values[below(rng, values.len())]);
    drawn.sum::<f64>() / values.len() as f64
}

/// Interval of the difference in accuracy (share correct of a less that of b), with both seeds
/// and test images drawn again.
///
/// `a_correct[seed][image]` says whether network a, trained from that seed, got that image right;
/// the images are the same for all. Since every seed meets the same images, a resample draws
/// images once for all its seeds: the pigeonhole bootstrap of Owen (2007), Annals of Applied
/// Statistics 1(2), 386–411, whose interval is if anything too wide.
///
/// `None` for fewer than two seeds (use [`mcnemar`](super::mcnemar)), no images, no resamples, or
/// shapes that differ.
///
/// # Draws
///
/// For each resample one u64 a seed, then one u64 an image.
///
/// # Examples
///
/// ```
/// use apical::statistics::hierarchical_bootstrap;
/// let a = [vec![true, true, true, false], vec![true, true, false, true]];
/// let b = [vec![true, false, true, false], vec![true, true, false, false]];
/// let interval = hierarchical_bootstrap(&a, &b, 0.95, 1_000, 7).unwrap();
/// assert_eq!(interval.estimate, 0.25);
/// ```
pub fn hierarchical_bootstrap(
    a_correct: &[Vec<bool>],
    b_correct: &[Vec<bool>],
    confidence: f64,
    resamples: usize,
    seed: u64,
) -> Option<Interval> {
    let advantages = advantages(a_correct, b_correct)?;
    let cells = advantages.len() * advantages[0].len();
    let total: i64 = advantages.iter().flatten().map(|&x| i64::from(x)).sum();
    let mut rng = XorShiftRng::seed_from_u64(seed);
    let mut by_image = vec![0; advantages[0].len()];
    let means =
        (0..resamples).map(|_| resampled_total(&advantages, &mut by_image, &mut rng) as f64 / cells as f64);
    percentile(total as f64 / cells as f64, means.collect(), confidence)
}

/// +1 where only a is right, −1 where only b is; `None` unless the shapes fit.
fn advantages(a: &[Vec<bool>], b: &[Vec<bool>]) -> Option<Vec<Vec<i8>>> {
    let images = a.first()?.len();
    let fits = |flags: &Vec<bool>| flags.len() == images;
    if a.len() < 2 || a.len() != b.len() || images == 0 || !a.iter().chain(b).all(fits) {
        return None;
    }
    let advantage = |(&a, &b): (&bool, &bool)| i8::from(a) - i8::from(b);
    let row = |(a, b): (&Vec<bool>, &Vec<bool>)| a.iter().zip(b).map(advantage).collect();
    Some(a.iter().zip(b).map(row).collect())
}

/// Sum of the advantages over drawn seeds × drawn images; `by_image` is scratch space.
fn resampled_total(advantages: &[Vec<i8>], by_image: &mut [i32], rng: &mut impl Rng) -> i64 {
    by_image.fill(0);
    for _ in 0..advantages.len() {
        let drawn = &advantages[below(rng, advantages.len())];
        for (sum, &advantage) in by_image.iter_mut().zip(drawn) {
            *sum += i32::from(advantage);
        }
    }
    (0..by_image.len()).map(|_| i64::from(by_image[below(rng, by_image.len())])).sum()
}

/// A uniform index below `bound`: the upper half of a 64 × 64 bit product (Lemire 2019, without
/// the rejection: the bias is below bound / 2⁶⁴).
fn below(rng: &mut impl Rng, bound: usize) -> usize {
    ((u128::from(rng.next_u64()) * bound as u128) >> 64) as usize
}

fn percentile(estimate: f64, mut means: Vec<f64>, confidence: f64) -> Option<Interval> {
    let upper = upper_quantile(confidence);
    means.sort_unstable_by(f64::total_cmp);
    Some(Interval { estimate, low: quantile(&means, 1.0 - upper)?, high: quantile(&means, upper)? })
}

/// Linear interpolation between order statistics: type 7 of Hyndman and Fan (1996), as in R.
fn quantile(sorted: &[f64], probability: f64) -> Option<f64> {
    let position = probability * sorted.len().checked_sub(1)? as f64;
    let (low, high) = (position.floor(), position.ceil());
    let (left, right) = (sorted[low as usize], sorted[high as usize]);
    Some(left + (position - low) * (right - left))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::paired_interval;

    fn ramp(count: usize) -> Vec<f64> {
        (0..count).map(|i| (i * 37 % count) as f64).collect()
    }

    /// Flags of which every `period`-th is wrong, starting at `first`.
    fn wrong_every(period: usize, first: usize, images: usize) -> Vec<bool> {
        (0..images).map(|i| i % period != first).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_interval() {
        let (a, b) = (ramp(20), vec![3.0; 20]);
        let interval = |seed| paired_bootstrap(&a, &b, 0.95, 500, seed);
        assert_eq!(interval(1), interval(1));
        assert_ne!(interval(1), interval(2));
    }

    #[test]
    fn many_pairs_bring_bootstrap_and_t_interval_together() {
        let (a, b) = (ramp(400), vec![100.0; 400]);
        let bootstrap = paired_bootstrap(&a, &b, 0.95, 4_000, 3).unwrap();
        let t = paired_interval(&a, &b, 0.95).unwrap().interval().unwrap();
        assert_eq!(bootstrap.estimate, t.estimate);
        // The ends are themselves estimates, good to some 4 % of the width with 4000 resamples.
        assert!((bootstrap.low - t.low).abs() < 0.08 * t.half_width());
        assert!((bootstrap.high - t.high).abs() < 0.08 * t.half_width());
    }

    #[test]
    fn quantiles_interpolate_between_order_statistics() {
        let sorted = [1.0, 2.0, 4.0];
        assert_eq!(quantile(&sorted, 0.5), Some(2.0));
        assert_eq!(quantile(&sorted, 0.75), Some(3.0));
        assert_eq!(quantile(&sorted, 1.0), Some(4.0));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn too_little_to_draw_from_gives_no_interval() {
        let flags = vec![vec![true, false]; 2];
        assert_eq!(paired_bootstrap(&[1.0], &[0.0], 0.95, 100, 1), None);
        assert_eq!(paired_bootstrap(&ramp(3), &ramp(3), 0.95, 0, 1), None);
        let none = |a: &[Vec<bool>], b: &[Vec<bool>]| hierarchical_bootstrap(a, b, 0.95, 100, 1).is_none();
        assert!(none(&flags[..1], &flags[..1]));
        assert!(none(&flags, &flags[..1]));
        assert!(none(&flags, &[vec![true; 2], vec![true; 3]]));
        assert!(none(&[vec![], vec![]], &[vec![], vec![]]));
    }

    #[test]
    fn equal_networks_have_an_interval_of_no_width() {
        let flags = vec![wrong_every(10, 0, 100), wrong_every(10, 1, 100)];
        let interval = hierarchical_bootstrap(&flags, &flags, 0.95, 200, 1);
        assert_eq!(interval, Some(Interval::around(0.0, 0.0)));
    }

    /// Eight seeds alike: all the spread is that of the images, √(p(1−p)/1000) with p = 0.1.
    #[test]
    fn seeds_that_agree_leave_the_spread_of_the_images() {
        let a = vec![vec![true; 1_000]; 8];
        let b = vec![wrong_every(10, 0, 1_000); 8];
        let interval = hierarchical_bootstrap(&a, &b, 0.95, 2_000, 5).unwrap();
        assert_eq!(interval.estimate, 0.1);
        let expected = 1.96 * (0.1f64 * 0.9 / 1_000.0).sqrt();
        assert!((interval.half_width() / expected - 1.0).abs() < 0.08);
    }

    #[test]
    fn seeds_that_disagree_widen_the_interval() {
        let a = vec![vec![true; 1_000]; 8];
        let alike = vec![wrong_every(10, 0, 1_000); 8];
        let mut apart = vec![wrong_every(5, 0, 1_000); 4];
        apart.resize(8, vec![true; 1_000]);
        let width = |b| hierarchical_bootstrap(&a, b, 0.95, 500, 5).unwrap();
        assert_eq!(width(&alike).estimate, width(&apart).estimate);
        assert!(width(&apart).half_width() > 2.0 * width(&alike).half_width());
    }
}
