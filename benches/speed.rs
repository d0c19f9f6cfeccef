//! Time of whole examples: `cargo bench --bench speed -- [HIDDEN] [BITS]`.

use apical::data::Dataset;
use apical::learner::{Width, native};
use apical::model::Model;
use apical::vector::Path;
use apical_core::{parameters::Preset, rounding::Rounding, tables::psp::Kernel};
use std::time::Instant;

fn main() {
    // Cargo adds a flag of its own.
    let arguments: Vec<String> = std::env::args().filter(|argument| argument != "--bench").collect();
    let hidden = arguments.get(1).map_or("500", String::as_str);
    let width = if arguments.get(2).is_some_and(|bits| bits == "8") { Width::Eight } else { Width::Sixteen };
    let data = Dataset::load(&apical::data::default_directory()).expect("MNIST");
    let hidden = hidden.split(',').filter_map(|size| size.parse().ok());
    let sizes: Vec<usize> = [784].into_iter().chain(hidden).chain([10]).collect();
    let model = Model {
        learning_rates: vec![0.21; sizes.len() - 1],
        sizes,
        kernel: Kernel::Scaled,
        preset: Preset::May2017,
        seed: 1,
    };
    let mut network = native(&model, width, Rounding::Stochastic, Path::best(), false);
    let order: Vec<u32> = (0..60_000).collect();
    network.train(&data.train, &order[..5000]);
    let mut answers = vec![0; 250];
    let (mut train, mut test) = (Vec::new(), Vec::new());
    for round in 0..24 {
        let start = Instant::now();
        network.train(&data.train, &order[5000 + round * 1000..][..1000]);
        let middle = Instant::now();
        network.test(&data.test, round * 250, 250, &mut answers);
        train.push((middle - start).as_secs_f64() * 1e3);
        test.push(middle.elapsed().as_secs_f64() * 1e6 / 250.0);
    }
    for times in [&mut train, &mut test] {
        times.sort_by(f64::total_cmp);
    }
    println!(
        "{} {} bits {}: training example {:.1} µs (least {:.1}), test of 250 steps {:.1} µs (least {:.1})",
        model.topology(),
        width.bits(),
        Path::best().name(),
        train[12],
        train[0],
        test[12],
        test[0]
    );
}
