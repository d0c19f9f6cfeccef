//! The stored tables, made again in f64 from their definitions.

use apical_core::random::Stream;
use apical_core::tables::{noise, psp, sigmoid, wald};

/// P(n ≥ m) of a Poisson count.
fn at_least(m: u32, rate: f64) -> f64 {
    let mut term = (-rate).exp();
    let mut below = 0.0;
    for n in 0..m {
        below += term;
        term *= rate / f64::from(n + 1);
    }
    1.0 - below
}

/// The rate at which P(n ≥ m) is `u`, by bisection.
fn rate_of(m: u32, u: f64) -> f64 {
    let (mut low, mut high) = (0.0, 0.2);
    for _ in 0..200 {
        let middle = (low + high) / 2.0;
        if at_least(m, middle) < u { low = middle } else { high = middle }
    }
    low
}

fn uniform(rank: usize) -> f64 {
    (rank as f64 + 0.5) / 4096.0
}

/// The largest potential in 2⁻⁸ that still means fewer than m spikes.
fn threshold(m: u32, rank: usize) -> i16 {
    let share = rate_of(m, uniform(rank)) / 0.2;
    let potential = (share / (1.0 - share)).ln() * 256.0;
    potential.floor().clamp(-16383.0, 16382.0) as i16
}

#[test]
fn noise_thresholds_follow_from_the_poisson_distribution() {
    let (one, two, three, _) = noise::stored();
    for (m, table) in [(1, one), (2, two), (3, three)] {
        let possible = (0..4096).take_while(|&k| uniform(k) < at_least(m, 0.2)).count();
        assert_eq!(table.len(), possible, "thresholds of {m}");
        for (rank, &stored) in table.iter().enumerate() {
            let made = threshold(m, rank);
            assert!((stored - made).abs() <= 1, "{m} spikes, rank {rank}: {stored} stored, {made} made");
        }
    }
    assert!(uniform(0) > at_least(4, 0.2), "four spikes cannot happen in 4096 grains");
}

#[test]
fn every_grain_of_the_noise_stands_once_on_the_circle() {
    let mut seen = vec![false; noise::GRAINS];
    (0..noise::GRAINS).for_each(|place| seen[usize::from(noise::rank(place))] = true);
    assert!(seen.into_iter().all(|s| s));
    assert_eq!(noise::NOISE[..noise::BLOCK], noise::NOISE[noise::GRAINS..]);
}

#[test]
fn counts_are_those_of_their_definition_at_every_potential() {
    let (one, two, three, _) = noise::stored();
    for potential in (-2000..2000).step_by(7) {
        for (rank, &threshold) in one.iter().enumerate().filter(|&(_, &t)| potential > t) {
            let beyond = |table: &[i16]| u8::from(table.get(rank).is_some_and(|&t| potential > t));
            let expected = 1 + beyond(two) + beyond(three);
            assert_eq!(noise::count(potential, threshold), expected, "{potential}, rank {rank}");
        }
    }
}

#[test]
fn a_third_spike_is_possible_where_one_of_the_last_ranks_is_near() {
    let thirds = noise::stored().2.len();
    for offset in 0..noise::GRAINS {
        let near = (offset..offset + noise::BLOCK).any(|place| usize::from(noise::rank(place)) < thirds);
        assert_eq!(noise::may_fire_thrice(offset as u16), near, "offset {offset}");
    }
}

#[test]
fn pixels_have_the_logit_of_their_grey_level() {
    let (_, _, _, pixels) = noise::stored();
    for (grey, &stored) in pixels.iter().enumerate().take(255).skip(1) {
        let share = grey as f64 / 255.0;
        let made = ((share / (1.0 - share)).ln() * 256.0).round() as i16;
        assert!((stored - made).abs() <= 1, "grey {grey}");
    }
    assert!(noise::NOISE.iter().all(|&t| pixels[0] <= t), "black never fires");
    assert_eq!(pixels[255], 16383);
}

/// The numbers in the doc of `sigmoid` are these.
#[test]
fn sigmoid_is_as_near_as_its_doc_says_and_exactly_symmetric() {
    let (mut largest, mut squares, mut sum, mut count) = (0f64, 0.0, 0.0, 0.0);
    let mut last = 0;
    for raw in -4096i16..=4096 {
        let made = 1.0 / (1.0 + (-f64::from(raw) / 256.0).exp());
        let value = sigmoid::sigmoid(raw);
        let error = f64::from(value) / 32768.0 - made;
        largest = largest.max(error.abs());
        squares += error * error;
        sum += error;
        count += 1.0;
        assert!(value >= last, "not monotone at {raw}");
        last = value;
        if raw != 0 && sigmoid::sigmoid(raw.abs()) < 32767 {
            assert_eq!(i32::from(value) + i32::from(sigmoid::sigmoid(-raw)), 32768, "at {raw}");
        }
    }
    assert!(largest < 2.2e-4, "largest error {largest:e}");
    assert!(f64::sqrt(squares / count) < 6e-5, "RMS {:e}", f64::sqrt(squares / count));
    assert!((sum / count).abs() < 2e-6, "bias {:e}", sum / count);
    assert_eq!(sigmoid::sigmoid(i16::MIN), 1, "held at the ends");
    assert_eq!(sigmoid::sigmoid(i16::MAX), 32767);
}

#[test]
fn stored_sigmoid_values_are_the_nearest_ones() {
    for (i, &stored) in sigmoid::stored().iter().enumerate() {
        let made = (32768.0 / (1.0 + (-(i as f64) / 8.0).exp())).round().min(32767.0);
        assert_eq!(f64::from(stored), made, "σ({i}/8)");
    }
}

#[test]
fn kernel_areas_are_the_sums_of_the_kernel() {
    let kappa = |n: i32| (f64::exp(-f64::from(n) / 10.0) - f64::exp(-f64::from(n) / 3.0)) / 7.0;
    let full: f64 = (1..2000).map(kappa).sum();
    let cut: f64 = (1..=10).map(kappa).sum();
    assert!((psp::FULL_AREA - full).abs() < 1e-12 && (full - 0.99723).abs() < 1e-5);
    assert!((psp::CUT_AREA - cut).abs() < 1e-12 && (cut - 0.5104).abs() < 5e-5);
    for (kernel, scale, taps) in [
        (psp::Kernel::Scaled, cut / full, 2000),
        (psp::Kernel::Cut, 1.0, 10),
        (psp::Kernel::Paper, 1.0, 2000),
    ] {
        let areas = psp::areas(kernel);
        // A soma of leak 0.1 and coupling 0.6 that follows the potential of one spike, step by step.
        let (mut soma, mut soma_sum) = (0.0, 0.0);
        for (n, (&stored, &stored_soma)) in areas.psp.0.iter().zip(&areas.soma.0).enumerate() {
            let potential = |n: usize| if n > 0 && n <= taps { kappa(n as i32) * scale } else { 0.0 };
            let sum: f64 = (0..=n).map(potential).sum();
            assert!((f64::from(stored) - sum * 2048.0).abs() <= 0.5001, "{kernel:?} {n}");
            soma += 0.7 * (potential(n) - soma);
            soma_sum += soma;
            assert!((f64::from(stored_soma) - soma_sum * 2048.0).abs() <= 0.5001, "soma, {kernel:?} {n}");
        }
        // After the last entry nothing is added that would show.
        let whole = (1..=taps as i32).map(kappa).sum::<f64>() * scale * 2048.0;
        assert_eq!((areas.psp.whole(), areas.soma.whole()), (whole.round() as u16, whole.round() as u16));
        for (start, end, first) in
            [(30, 50, 0), (30, 178, 0), (30, 400, 0), (30, 400, 256), (0, 1, 0), (30, 20, 5)]
        {
            let mut shares = [1; 200];
            areas.psp.within_each(start, end, first, &mut shares);
            for (share, fired) in shares.into_iter().zip(first..) {
                assert_eq!(share, areas.psp.within(start, end, fired), "{start}..{end}, spike of {fired}");
            }
        }
    }
}

#[test]
fn extra_steps_have_the_moments_of_a_wald_distribution_rounded_down() {
    let mut draws = Stream::Phase.open(1);
    let count = 200_000;
    let (mut sum, mut short) = (0.0, [0f64; 6]);
    for _ in 0..count {
        let extra = wald::extra_steps(&mut draws);
        sum += f64::from(extra);
        if let Some(place) = short.get_mut(extra as usize) {
            *place += 1.0 / f64::from(count);
        }
    }
    assert!((sum / f64::from(count) - 1.52).abs() < 0.03, "mean {}", sum / f64::from(count));
    for (share, expected) in short.iter().zip([0.49, 0.22, 0.10, 0.06, 0.035, 0.024]) {
        assert!((share - expected).abs() < 0.006, "{short:?}");
    }
    assert!(wald::stored().is_sorted() && wald::stored()[126] > u32::MAX - 4);
}
