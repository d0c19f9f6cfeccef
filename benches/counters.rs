//! What counting the losses costs: training with and without, turn by turn.
//!
//! `cargo bench --bench counters`; see `benches/README.md`. Both networks see the same
//! examples in short turns; the fastest turns are compared, which other work on the machine
//! held up least. A third network, not counting either, says how far two equal programs
//! differ here.

use apical::data::{Dataset, default_directory};
use apical::learner::{Learner, Width, native};
use apical::model::Model;
use apical::vector::Path;
use apical_core::parameters::Preset;
use apical_core::rounding::Rounding;
use apical_core::tables::psp::Kernel;
use std::time::Instant;

const SIZES: [usize; 3] = [784, 500, 10];
/// Examples before anything is timed: a network that has learnt a little fires as in a run.
const WARM_UP: u32 = 1000;
const TURNS: usize = 101;
const EXAMPLES: u32 = 20;

fn main() {
    let data = Dataset::load(&default_directory()).expect("the data set that comes with the project");
    let model = Model {
        sizes: SIZES.to_vec(),
        kernel: Kernel::Scaled,
        preset: Preset::May2017,
        learning_rates: vec![0.21; SIZES.len() - 1],
        seed: 1,
    };
    println!("{}, µs a training example, the fastest of {TURNS} turns of {EXAMPLES}", model.topology());
    println!("path     bits  off     off again  counting  overhead  (of off again)");
    for path in Path::available() {
        for width in [Width::SIXTEEN, Width::EIGHT] {
            let make = |count| native(&model, width, Rounding::Stochastic, path, count);
            let mut learners = [make(false), make(false), make(true)];
            let warm_up: Vec<u32> = (0..WARM_UP).collect();
            for learner in &mut learners {
                learner.train(&data.train, &warm_up);
            }
            let mut times = [const { Vec::new() }; 3];
            for turn in 0..TURNS as u32 {
                let first = WARM_UP + turn * EXAMPLES;
                let order: Vec<u32> = (first..first + EXAMPLES).collect();
                for (learner, times) in learners.iter_mut().zip(&mut times) {
                    times.push(micros(learner.as_mut(), &data, &order));
                }
            }
            let [off, again, on] = times.map(|times| times.into_iter().fold(f64::INFINITY, f64::min));
            println!(
                "{:<8} {:>4}  {off:<7.1} {again:<10.1} {on:<9.1} {:+.1} %    ({:+.1} %)",
                path.name(),
                width,
                100.0 * (on / off - 1.0),
                100.0 * (again / off - 1.0),
            );
        }
    }
}

fn micros(learner: &mut dyn Learner, data: &Dataset, order: &[u32]) -> f64 {
    let start = Instant::now();
    learner.train(&data.train, order);
    start.elapsed().as_secs_f64() * 1e6 / order.len() as f64
}
