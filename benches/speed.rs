//! Time of whole examples in one run: weights of 16 and of 8 bits, of 8 bits with 16 in the output
//! layer, and the best f32.
//! `cargo bench --bench speed -- [HIDDEN [AFTER]]`, AFTER being how many examples are learnt before
//! (large weights take longer to add up); `APICAL_PATH` chooses the instructions.
//!
//! They take turns, so that whatever else the machine does falls on all of them.

use apical::data::Dataset;
use apical::learner::{Learner, Width, float32, native};
use apical::model::Model;
use apical::vector::Path;
use apical_core::{parameters::Preset, rounding::Rounding, tables::psp::Kernel};
use std::time::Instant;

const ROUNDS: usize = 25;
const EXAMPLES: usize = 1000;
const TESTS: usize = 250;

struct Runner {
    name: &'static str,
    learner: Box<dyn Learner>,
    train: Vec<f64>,
    test: Vec<f64>,
}

fn main() {
    // Cargo adds a flag of its own.
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let hidden = arguments.next();
    let after = arguments.next().map_or(5000, |after| after.parse().expect("AFTER is a number of examples"));
    let data = Dataset::load(&apical::data::default_directory()).expect("MNIST");
    let hidden = hidden.unwrap_or_else(|| "500".into());
    let hidden = hidden.split(',').filter_map(|size| size.parse().ok());
    let sizes: Vec<usize> = [784].into_iter().chain(hidden).chain([10]).collect();
    let model = Model {
        learning_rates: vec![0.21; sizes.len() - 1],
        sizes,
        kernel: Kernel::Scaled,
        preset: Preset::May2017,
        seed: 1,
    };
    let path = Path::best();
    let integers = |width| native(&model, width, Rounding::Stochastic, path, false);
    let runner = |name, learner| Runner { name, learner, train: vec![], test: vec![] };
    let mixed = Width::new(Width::usual(8, false), Width::usual(16, true));
    let mut runners = vec![
        runner("16 bits", integers(Width::SIXTEEN)),
        runner("8 bits", integers(Width::EIGHT)),
        runner("8,16 bits", integers(mixed)),
    ];
    runners.extend(float32(&model, path).map(|learner| runner("f32", learner)));
    let order: Vec<u32> = (0..60_000).collect();
    let before: Vec<u32> = order.iter().copied().cycle().take(after).collect();
    for runner in &mut runners {
        runner.learner.train(&data.train, &before);
    }
    let mut answers = vec![0; TESTS];
    for round in 0..ROUNDS {
        for runner in &mut runners {
            let start = Instant::now();
            runner.learner.train(&data.train, &order[5000 + round * EXAMPLES..][..EXAMPLES]);
            runner.train.push(start.elapsed().as_secs_f64() * 1e6 / EXAMPLES as f64);
            let mut tester = runner.learner.tester();
            let start = Instant::now();
            tester.test(&data.test, round * TESTS, 250, &mut answers);
            runner.test.push(start.elapsed().as_secs_f64() * 1e6 / TESTS as f64);
        }
    }
    let (topology, path) = (model.topology(), path.name());
    let mut lines = vec![format!(
        "{topology} on {path} after {after} examples, microseconds: median (least) of {ROUNDS} rounds"
    )];
    lines.push(format!("{:<10}{:>18}{:>24}", "", "training example", "test of 250 steps"));
    for runner in &runners {
        let (train, test) = (sorted(&runner.train), sorted(&runner.test));
        let show = |times: &[f64]| format!("{:.1} ({:.1})", times[ROUNDS / 2], times[0]);
        lines.push(format!("{:<10}{:>18}{:>24}", runner.name, show(&train), show(&test)));
    }
    if let [sixteen, eight, mixed, float] = &runners[..] {
        for integer in [sixteen, eight, mixed] {
            // Of the same round, so that a slow moment falls on both.
            let ratio = |float: &[f64], integer: &[f64]| {
                let ratios: Vec<f64> = float.iter().zip(integer).map(|(f, i)| f / i).collect();
                sorted(&ratios)[ROUNDS / 2]
            };
            lines.push(format!(
                "f32 takes {:.2} times as long as {} to train, {:.2} times to test (median of rounds)",
                ratio(&float.train, &integer.train),
                integer.name,
                ratio(&float.test, &integer.test),
            ));
        }
    }
    // Whoever reads the first lines only may close the pipe.
    let _ = apical::cli::show(&(lines.join("\n") + "\n"));
}

fn sorted(times: &[f64]) -> Vec<f64> {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times
}
