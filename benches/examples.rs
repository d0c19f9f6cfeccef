//! Wall time of whole training and test examples, integer and float, by topology and path.
//!
//! `cargo bench --bench examples`; see `benches/README.md`.

use apical::data::{Dataset, default_directory};
use apical::experiment::twin::Twin;
use apical::learner::{Learner, Width, native};
use apical::model::Model;
use apical::vector::Path;
use apical_core::parameters::Preset;
use apical_core::rounding::Rounding;
use apical_core::tables::psp::Kernel;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const TOPOLOGIES: [&[usize]; 4] = [&[784, 10], &[784, 100, 10], &[784, 500, 10], &[784, 500, 100, 10]];
const EXAMPLES: usize = 100;

fn model(sizes: &[usize]) -> Model {
    Model {
        sizes: sizes.to_vec(),
        kernel: Kernel::Scaled,
        preset: Preset::May2017,
        learning_rates: vec![0.21; sizes.len() - 1],
        seed: 1,
    }
}

/// Integer networks that have learnt a little, so that they fire as they do in a run.
fn integers(data: &Dataset, model: &Model) -> Vec<(String, Box<dyn Learner>)> {
    let warm_up: Vec<u32> = (0..2000).collect();
    let mut learners = Vec::new();
    for path in Path::available() {
        for width in [Width::SIXTEEN, Width::EIGHT] {
            let mut learner = native(model, width, Rounding::Stochastic, path, false);
            learner.train(&data.train, &warm_up);
            learners.push((format!("{} {} bits", path.name(), width), learner));
        }
    }
    learners
}

fn examples(criterion: &mut Criterion) {
    let data = Dataset::load(&default_directory()).expect("the data set that comes with the project");
    let order: Vec<u32> = (2000..2000 + EXAMPLES as u32).collect();
    for sizes in TOPOLOGIES {
        let model = model(sizes);
        let topology = model.topology();
        let mut group = criterion.benchmark_group(format!("train {topology}"));
        group.throughput(Throughput::Elements(EXAMPLES as u64)).sample_size(10);
        for (name, mut learner) in integers(&data, &model) {
            group.bench_function(BenchmarkId::from_parameter(name), |b| {
                b.iter(|| learner.train(&data.train, &order))
            });
        }
        let mut float = Twin::new(&model);
        group.bench_function(BenchmarkId::from_parameter("float64 reference"), |b| {
            b.iter(|| float.train(&data.train, &order));
        });
        group.finish();
        let mut group = criterion.benchmark_group(format!("test {topology}, 250 steps"));
        group.throughput(Throughput::Elements(EXAMPLES as u64)).sample_size(10);
        let mut answers = [0u8; EXAMPLES];
        for (name, learner) in integers(&data, &model) {
            let mut tester = learner.tester();
            group.bench_function(BenchmarkId::from_parameter(name), |b| {
                b.iter(|| tester.test(&data.test, 0, 250, &mut answers));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, examples);
criterion_main!(benches);
