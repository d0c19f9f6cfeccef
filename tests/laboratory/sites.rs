//! P(up) = fraction, within 3σ, at every narrowing of the emulated arithmetic that can round
//! stochastically: on the quick way and on the long one.
//!
//! Values are drawn at random; those whose exact fraction lies within ±0.05 of 0.1, 0.2, … 0.9
//! are counted together against the sum of their fractions.

use apical_core::arithmetic::{Arithmetic, Columns, Dynamics};
use apical_core::emulated::{Decay, Emulated, EmulatedCoefficients, EmulatedParameters, Table};
use apical_core::formats::Variable;
use apical_core::kernels::Plain;
use apical_core::losses::Losses;
use apical_core::random::{Dither, Generator, Offsets, Stream};
use apical_core::rounding::Rounding;
use apical_core::spikes::Spikes;
use apical_core::tables::psp::Kernel;
use apical_core::tables::sigmoid::sigmoid;
use rand_core::Rng;

/// Neurons of a layer.
const UNITS: usize = 960;
/// Layers that are tried.
const ROUNDS: usize = 12;
/// k_B in Q15, as [`EmulatedParameters::coefficients`] rounds it.
const SHARE: i64 = 28087;

/// Ups, fractions and variances of a tenth each.
struct Bins {
    site: String,
    tenths: [(f64, f64, f64, u32); 9],
}

impl Bins {
    fn new(site: impl Into<String>) -> Self {
        Self { site: site.into(), tenths: [(0.0, 0.0, 0.0, 0); 9] }
    }

    fn add(&mut self, exact: f64, result: i64) {
        let (fraction, step) = (exact - exact.floor(), result - exact.floor() as i64);
        assert!(step == 0 || step == 1, "{}: {exact} became {result}", self.site);
        assert!(step == 0 || fraction > 0.0, "{}: {exact} is a whole number and went up", self.site);
        let tenth = (fraction * 10.0).round() as usize;
        if let Some((ups, fractions, variance, trials)) =
            tenth.checked_sub(1).and_then(|t| self.tenths.get_mut(t))
        {
            *ups += step as f64;
            *fractions += fraction;
            *variance += fraction * (1.0 - fraction);
            *trials += 1;
        }
    }

    fn check(self) {
        for (tenth, (ups, fractions, variance, trials)) in self.tenths.into_iter().enumerate() {
            assert!(trials >= 100, "{}: only {trials} values near 0.{}", self.site, tenth + 1);
            let (n, off) = (f64::from(trials), (ups - fractions) / variance.sqrt());
            let (p, expected) = (ups / n, fractions / n);
            assert!(
                off.abs() <= 3.0,
                "{}: P(up) = {p:.4}, fraction {expected:.4}, {off:+.1} σ of {trials}",
                self.site
            );
        }
    }
}

/// The compiled-in formats with changes `(variable, bits, fraction)`, and one variable rounded
/// stochastically.
fn layer(noisy: Variable, changes: &[(Variable, u8, i8)]) -> EmulatedCoefficients {
    let mut table = Table::native(16, 8, Rounding::Nearest);
    for &(variable, bits, fraction) in changes {
        *table.of_mut(variable) = table.of(variable).with_format(bits, fraction);
    }
    table.of_mut(noisy).rounding = Rounding::Stochastic;
    EmulatedParameters {
        kernel: Kernel::Scaled,
        learning_rate: 0.21,
        table,
        decay: Decay::Fine,
        is_output: true,
    }
    .coefficients()
}

fn below(draws: &mut Generator, bound: u32) -> i32 {
    (draws.next_u32() % bound) as i32
}

fn dither(seed: u64) -> Dither {
    let mut dither = Dither::unseeded();
    dither.seed(&mut Stream::Order.open(seed));
    dither
}

trait Core:
    Arithmetic<Weight = i16, State = i32, Sum = i64, Coefficients = EmulatedCoefficients> + Default
{
}
impl Core for Emulated<Plain, false> {}
impl Core for Emulated<Plain, true> {}

/// One step of neurons at rest but for what `set` does; calls back with inputs and outputs.
fn step<A: Core>(
    layer: &EmulatedCoefficients,
    mut set: impl FnMut(&mut Generator) -> [i32; 3],
    mut look: impl FnMut([i32; 3], [i32; 3]),
) {
    let (mut inputs, mut draws) = (Stream::Order.open(5), Stream::Spikes(0).open(11));
    for _ in 0..ROUNDS {
        let given: Vec<[i32; 3]> = (0..UNITS).map(|_| set(&mut inputs)).collect();
        let column = |n: usize| given.iter().map(|given| given[n]).collect::<Vec<i32>>();
        let (sums, mut slow, bias) = (column(0), column(1), column(2));
        let (mut fast, mut soma) = (vec![0; UNITS], vec![0; UNITS]);
        let state = Dynamics {
            sums: &sums,
            fast: &mut fast,
            slow: &mut slow,
            soma: &mut soma,
            bias: &bias,
            oldest: &mut [],
        };
        let mut memory = [0u16; 3 * UNITS];
        let (offsets, mut spikes) = (Offsets::new(&mut draws), Spikes::new(&mut memory));
        A::default().advance(layer, state, UNITS, None, offsets, &mut spikes, &mut Losses::none());
        for (unit, &given) in given.iter().enumerate() {
            look(given, [fast[unit], slow[unit], soma[unit]]);
        }
    }
}

fn states<A: Core>(way: &str) {
    let mut bins = Bins::new(format!("filter_fast, {way}"));
    let core = layer(Variable::FilterFast, &[]);
    let gain = f64::from(core.fast) / 32768.0;
    step::<A>(
        &core,
        |draws| [below(draws, 8000), 0, 0],
        |[sum, ..], [fast, ..]| {
            bins.add(f64::from(sum) * gain, i64::from(fast));
        },
    );
    bins.check();

    let mut bins = Bins::new(format!("filter_slow, {way}"));
    let core = layer(Variable::FilterSlow, &[]);
    let gain = f64::from(core.slow) / 32768.0;
    step::<A>(
        &core,
        |draws| [0, below(draws, 8000), 0],
        |[_, before, _], [_, slow, _]| {
            bins.add(-f64::from(before) * gain, i64::from(slow - before));
        },
    );
    bins.check();

    // The drive is narrowed to two bits behind the point; a soma of 32 bits tells which.
    let mut bins = Bins::new(format!("basal, {way}"));
    let core = layer(Variable::Basal, &[(Variable::Basal, 15, 2), (Variable::Soma, 32, 20)]);
    let gain = f64::from(core.soma) / 32768.0;
    step::<A>(
        &core,
        |draws| [0, 0, below(draws, 4000)],
        |[.., bias], [.., soma]| {
            let basal = f64::from(soma) / f64::from(1 << 18) / gain;
            bins.add(f64::from(bias) / 64.0, basal.round() as i64);
        },
    );
    bins.check();

    let mut bins = Bins::new(format!("soma, {way}"));
    let core = layer(Variable::Soma, &[]);
    step::<A>(
        &core,
        |draws| [0, 0, below(draws, 4000)],
        |[.., bias], [.., soma]| {
            bins.add(f64::from(bias) * gain, i64::from(soma));
        },
    );
    bins.check();
}

fn sums<A: Core>(way: &str) {
    let mut bins = Bins::new(format!("accumulator, {way}"));
    let core = layer(Variable::Accumulator, &[(Variable::FilterFast, 15, 2)]);
    let mut draws = Stream::Order.open(6);
    for round in 0..ROUNDS {
        let mut weights = vec![0i16; 2 * UNITS];
        weights[..UNITS].iter_mut().for_each(|weight| *weight = below(&mut draws, 4000) as i16 - 2000);
        let columns = Columns { weights: &weights, bounds: &[], stride: UNITS, units: UNITS };
        // Column 1 is empty: so many spikes of it change nothing but the draws.
        let spikes: Vec<u16> = (0..=round).map(|n| u16::from(n > 0)).collect();
        let mut sums = vec![0i32; UNITS];
        A::default().sum_columns(&core, columns, &spikes, &mut sums, &mut Losses::none());
        for (&weight, &sum) in weights.iter().zip(&sums) {
            bins.add(f64::from(weight) / 64.0, i64::from(sum));
        }
    }
    bins.check();
}

fn updates<A: Core>(way: &str) {
    let fine = (Variable::Weight, 16, 10);
    let core = layer(Variable::Delta, &[fine, (Variable::Delta, 16, 10)]);
    let mut bins = Bins::new(format!("delta, {way}"));
    update::<A>(&core, |error, psp, change| bins.add((error * psp) as f64 / f64::from(1 << 19), change));
    bins.check();

    for (bits, fraction) in [(16, 8), (8, 4), (4, 0)] {
        let core = layer(Variable::Weight, &[(Variable::Weight, bits, fraction)]);
        let mut bins = Bins::new(format!("weight of {bits} bits, {way}"));
        update::<A>(&core, |error, psp, change| {
            let delta = (error * psp + (1 << 14)) >> 15;
            bins.add(delta as f64 / f64::from(14 - i32::from(fraction)).exp2(), change);
        });
        bins.check();
    }

    let core = layer(Variable::Bias, &[]);
    let mut bins = Bins::new(format!("bias, {way}"));
    let (mut draws, mut dither) = (Stream::Order.open(8), dither(3));
    for _ in 0..ROUNDS {
        let errors: Vec<i32> = (0..UNITS).map(|_| below(&mut draws, 16000) - 8000).collect();
        let mut bias = vec![0i32; UNITS];
        A::default().update_bias(&core, &mut bias, &errors, &dither.draw(), &mut Losses::none());
        for (&error, &bias) in errors.iter().zip(&bias) {
            let delta = (i64::from(error) * SHARE + (1 << 14)) >> 15;
            bins.add(delta as f64 / 64.0, i64::from(bias));
        }
    }
    bins.check();
}

/// Updates columns of zeros; calls back with error, PSP and change.
fn update<A: Core>(core: &EmulatedCoefficients, mut look: impl FnMut(i64, i64, i64)) {
    let (mut draws, mut dither) = (Stream::Order.open(7), dither(2));
    for _ in 0..ROUNDS {
        // Up to ±1.9, so that changes reach beyond a whole step of the coarsest weight.
        let errors: Vec<i32> = (0..UNITS).map(|_| below(&mut draws, 62_000) - 31_000).collect();
        let (mut weights, psp) = (vec![0i16; UNITS], 3000 + below(&mut draws, 29_000));
        A::default().update_column(core, &mut weights, &errors, psp, &dither.draw(), &mut Losses::none());
        for (&error, &weight) in errors.iter().zip(&weights) {
            look(i64::from(error), i64::from(psp), i64::from(weight));
        }
    }
}

#[test]
fn states_are_rounded_up_as_often_as_their_fraction_says() {
    states::<Emulated<Plain, false>>("quick");
    states::<Emulated<Plain, true>>("long");
}

#[test]
fn sums_of_columns_are_rounded_up_as_often_as_their_fraction_says() {
    sums::<Emulated<Plain, false>>("quick");
    sums::<Emulated<Plain, true>>("long");
}

#[test]
fn changes_weights_and_biases_are_rounded_up_as_often_as_their_fraction_says() {
    updates::<Emulated<Plain, false>>("quick");
    updates::<Emulated<Plain, true>>("long");
}

#[test]
fn means_and_errors_are_rounded_up_as_often_as_their_fraction_says() {
    let core = Emulated::<Plain, false>::default();
    let mut draws = Stream::Order.open(9);
    for variable in [Variable::Soma, Variable::Rate] {
        let mut bins = Bins::new(format!("mean of {}", variable.name()));
        let layer = layer(variable, &[]);
        for _ in 0..10_000 {
            // 2²⁰/32 is exact.
            let sum = i64::from(below(&mut draws, 100_000));
            bins.add(sum as f64 / 32.0, i64::from(core.mean(&layer, variable, sum, 32, &mut Losses::none())));
        }
        bins.check();
    }

    let mut bins = Bins::new("mean PSP");
    let psp = layer(Variable::Psp, &[(Variable::Psp, 16, 12)]);
    for sum in 0..=u16::MAX {
        let result = core.mean_psp(&psp, sum, 32, &mut Losses::none());
        bins.add(f64::from(sum) / 16.0, i64::from(result));
    }
    bins.check();

    let mut bins = Bins::new("error");
    let layer = layer(Variable::Error, &[]);
    let gain = (20.0 * 0.21 * (6.0 / 7.0) * 2048.0f64).round();
    for _ in 0..ROUNDS {
        let mut column =
            |bound, least| -> Vec<i32> { (0..UNITS).map(|_| below(&mut draws, bound) + least).collect() };
        let (targets, forwards, slopes) = (column(32768, 0), column(32768, 0), column(4000, 10));
        let mut errors = slopes.clone();
        core.errors(&layer, &targets, &forwards, &mut errors, &mut Losses::none());
        for (unit, &error) in errors.iter().enumerate() {
            let exact = f64::from(targets[unit] - forwards[unit]) * f64::from(slopes[unit]) * gain;
            bins.add(exact / f64::from(15 + 15 + 11 - 14).exp2(), i64::from(error));
        }
    }
    bins.check();
}

#[test]
fn rates_plateaus_and_slopes_are_rounded_up_as_often_as_their_fraction_says() {
    let core = Emulated::<Plain, false>::default();
    // A bit more than σ < 1 needs: what is rounded up to 1 must not be held below it.
    // The dither comes from the potential: 12 bits behind the point make 16 of each value of σ.
    let mut bins = Bins::new("rate");
    let narrow = layer(Variable::Rate, &[(Variable::Rate, 10, 8), (Variable::Soma, 32, 12)]);
    for soma in -64_000..=64_000 {
        let exact = f64::from(sigmoid(((soma + 8) >> 4) as i16)) / 128.0;
        bins.add(exact, i64::from(core.rate(&narrow, soma)));
    }
    bins.check();

    let mut bins = Bins::new("slope");
    let wide = layer(Variable::Rate, &[]);
    for rate in 0..=32767 {
        let square = f64::from(rate) * f64::from(rate) / 32768.0;
        bins.add(square, i64::from(rate - core.slope(&wide, rate)));
    }
    bins.check();

    let mut bins = Bins::new("plateau");
    let narrow = layer(Variable::Plateau, &[(Variable::Plateau, 10, 8), (Variable::Apical, 32, 14)]);
    plateaus(&narrow, |weight, psp, plateau| {
        let apical = (weight * psp + (1 << 8)) >> 9;
        bins.add(f64::from(sigmoid(((apical + 32) >> 6) as i16)) / 128.0, plateau);
    });
    bins.check();

    // σ grows: of the two neighbours of an apical potential it is the one whose σ it is.
    let mut bins = Bins::new("apical");
    let coarse = layer(Variable::Apical, &[(Variable::Plateau, 32, 30), (Variable::Apical, 16, 3)]);
    plateaus(&coarse, |weight, psp, plateau| {
        let exact = (weight * psp) as f64 / f64::from(1 << 20);
        let low = exact.floor() as i64;
        let is = |apical: i64| i64::from(sigmoid((apical << 5) as i16)) << 15 == plateau;
        assert!(is(low) || is(low + 1), "{exact}: {plateau}");
        bins.add(exact, if is(low) { low } else { low + 1 });
    });
    bins.check();
}

/// Plateaus of layers with one output; calls back with feedback weight, PSP and plateau.
fn plateaus(layer: &EmulatedCoefficients, mut look: impl FnMut(i64, i64, i64)) {
    let (core, mut draws) = (Emulated::<Plain, false>::default(), Stream::Order.open(10));
    for _ in 0..ROUNDS {
        let feedback: Vec<i16> = (0..UNITS).map(|_| below(&mut draws, 2048) as i16 - 1024).collect();
        let psp = 16_000 + below(&mut draws, 16_000);
        let columns = Columns { weights: &feedback, bounds: &[], stride: UNITS, units: UNITS };
        let mut plateaus = vec![0i32; UNITS];
        core.plateaus(layer, columns, &[psp], &mut plateaus, &mut Losses::none());
        for (&weight, &plateau) in feedback.iter().zip(&plateaus) {
            look(i64::from(weight), i64::from(psp), i64::from(plateau));
        }
    }
}
