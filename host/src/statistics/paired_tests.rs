use super::*;
use rand_core::{Rng, SeedableRng};
use rand_xorshift::XorShiftRng;
use statrs::distribution::Normal;

/// Student's own data: hours of sleep won by ten patients with two drugs.
const FIRST_DRUG: [f64; 10] = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
const SECOND_DRUG: [f64; 10] = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];

fn close(left: f64, right: f64, tolerance: f64) {
    assert!((left - right).abs() <= tolerance, "{left} is not {right}");
}

fn normal(rng: &mut XorShiftRng) -> f64 {
    let uniform = (f64::from(rng.next_u32()) + 0.5) / 2f64.powi(32);
    Normal::standard().inverse_cdf(uniform)
}

#[test]
fn mean_and_standard_deviation_of_a_small_set() {
    let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
    assert_eq!(mean(&values), 5.0);
    close(standard_deviation(&values), (32f64 / 7.0).sqrt(), 1e-15);
    assert!(mean(&[]).is_nan());
    assert!(standard_deviation(&[1.0]).is_nan());
}

/// Any printed table of t, two-sided 95 % and 99 %.
#[test]
fn quantiles_are_those_of_the_printed_tables() {
    let table = [
        (2, 0.95, 12.706),
        (3, 0.95, 4.303),
        (5, 0.95, 2.776),
        (10, 0.95, 2.262),
        (31, 0.95, 2.042),
        (5, 0.99, 4.604),
        (MOST_SEEDS, 0.95, 1.960),
    ];
    for (seeds, confidence, t) in table {
        close(half_width((seeds as f64).sqrt(), seeds, confidence), t, 5e-4);
    }
}

#[test]
fn quantile_and_tail_probability_agree_for_every_number_of_seeds() {
    for seeds in (2..300).chain([1_000, 10_000, MOST_SEEDS]) {
        let t = half_width((seeds as f64).sqrt(), seeds, 0.95);
        close(two_sided_p(t, 1.0, seeds), 0.05, 1e-9);
    }
}

/// As R prints for its example `t.test(extra ~ group, data = sleep, paired = TRUE)`.
#[test]
fn sleep_data_give_the_published_interval() {
    let difference = paired_interval(&FIRST_DRUG, &SECOND_DRUG, 0.95).unwrap();
    let interval = difference.interval().unwrap();
    assert_eq!(difference.seeds, 10);
    close(interval.estimate, -1.58, 1e-12);
    close(interval.low, -2.4598858, 1e-6);
    close(interval.high, -0.7001142, 1e-6);
    let Uncertainty::OverSeeds { p_value, .. } = difference.uncertainty else {
        panic!("ten pairs have a spread");
    };
    close(p_value, 0.002833, 1e-6);
}

#[test]
fn a_single_seed_has_a_mean_and_no_interval() {
    let difference = paired_interval(&[0.31], &[0.30], 0.95).unwrap();
    assert_eq!(difference.uncertainty, Uncertainty::SingleSeed);
    assert_eq!(difference.interval(), None);
    let json = serde_json::to_value(difference).unwrap();
    assert_eq!(json["uncertainty"], "single_seed");
}

#[test]
fn what_cannot_be_paired_is_not() {
    assert_eq!(paired_interval(&[], &[], 0.95), None);
    assert_eq!(paired_interval(&[1.0, 2.0], &[1.0], 0.95), None);
    assert_eq!(paired_interval(&[1.0, f64::NAN], &[1.0, 1.0], 0.95), None);
}

#[test]
fn identical_networks_differ_by_nothing() {
    let difference = paired_interval(&FIRST_DRUG, &FIRST_DRUG, 0.95).unwrap();
    assert_eq!(difference.interval(), Some(Interval::around(0.0, 0.0)));
    let Uncertainty::OverSeeds { p_value, .. } = difference.uncertainty else {
        panic!("ten pairs have a spread");
    };
    assert_eq!(p_value, 1.0);
}

#[test]
fn a_95_percent_interval_covers_the_truth_95_times_in_100() {
    const REPEATS: u32 = 2_000;
    let mut rng = XorShiftRng::seed_from_u64(1908);
    let mut covered = 0;
    for _ in 0..REPEATS {
        // What the seed does to both networks must cancel, however large.
        let shared: Vec<f64> = (0..5).map(|_| 10.0 * normal(&mut rng)).collect();
        let a: Vec<f64> = shared.iter().map(|s| s + 0.3 + normal(&mut rng)).collect();
        let interval = paired_interval(&a, &shared, 0.95).unwrap().interval();
        covered += u32::from(interval.unwrap().contains(0.3));
    }
    // Three standard errors of a binomial proportion: 3 √(0.95 · 0.05 / 2000) = 0.0146.
    close(f64::from(covered) / f64::from(REPEATS), 0.95, 0.0146);
}

#[test]
fn seeds_needed_is_the_smallest_number_that_suffices() {
    for (sd, wanted) in [(1.0, 1.0), (1.0, 0.3), (0.2, 0.1), (0.05, 0.3), (2.0, 0.05)] {
        let seeds = seeds_needed(sd, wanted, 0.95);
        assert!(half_width(sd, seeds, 0.95) <= wanted);
        assert!(seeds == 2 || half_width(sd, seeds - 1, 0.95) > wanted);
    }
}

#[test]
fn seeds_needed_stays_between_two_and_its_cap() {
    assert_eq!(seeds_needed(0.0, 0.1, 0.95), 2);
    assert_eq!(seeds_needed(1.0, 0.0, 0.95), MOST_SEEDS);
}
