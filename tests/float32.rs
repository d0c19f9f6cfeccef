//! The f32 opponent of the benchmarks is the same model: held against the f64 reference.
#![cfg(target_arch = "x86_64")]

use apical::data::{Dataset, default_directory};
use apical::experiment::twin::Twin;
use apical::learner::{Learner, Stored, float32};
use apical::model::Model;
use apical::vector::Path;
use apical_core::parameters::{BASAL_SHARE, Preset};
use apical_core::tables::psp::Kernel;

fn model(sizes: &[usize]) -> Model {
    Model {
        sizes: sizes.to_vec(),
        kernel: Kernel::Scaled,
        preset: Preset::May2017,
        learning_rates: vec![0.21; sizes.len() - 1],
        seed: 3,
    }
}

/// The fast paths of this machine; says so where there is none.
fn paths() -> Vec<Path> {
    let paths: Vec<_> = Path::available().into_iter().filter(|&path| path != Path::Scalar).collect();
    if paths.is_empty() {
        println!("SKIPPED: no AVX2 here, and the f32 path needs it");
    }
    paths
}

/// A stored f32 number.
fn ours(raw: i64) -> f64 {
    raw as f64 / f64::from(1 << 24)
}

/// RMS of the difference of the weights of a layer, and RMS of what they have learnt.
fn difference(float: &dyn Learner, twin: &dyn Learner, before: &dyn Learner, layer: usize) -> (f64, f64) {
    let theirs = |bits: i64| f64::from_bits(bits as u64);
    let (float, twin, before) = (&float.store()[layer], &twin.store()[layer], &before.store()[layer]);
    assert_eq!(float.weights.len(), twin.weights.len());
    let (mut apart, mut learnt) = (0.0, 0.0);
    for ((&float, &twin), &before) in float.weights.iter().zip(&twin.weights).zip(&before.weights) {
        apart += (ours(float) - theirs(twin)).powi(2);
        learnt += (theirs(twin) - theirs(before)).powi(2);
    }
    let count = float.weights.len() as f64;
    ((apart / count).sqrt(), (learnt / count).sqrt())
}

/// After one example hardly a spike has differed: weights agree to the PSP sums' 11 bits.
/// After 100 a few have, and what they led to is small beside what was learnt; it grows, as two
/// spike trains that have parted once do.
#[test]
fn learns_what_the_reference_learns() {
    let data = Dataset::load(&default_directory()).unwrap();
    let order: Vec<u32> = (0..100).collect();
    for sizes in [&[784, 50, 10][..], &[784, 40, 20, 10]] {
        let model = model(sizes);
        for path in paths() {
            let mut float = float32(&model, path).unwrap();
            let (before, mut twin) = (Twin::new(&model), Twin::new(&model));
            for (examples, tolerance) in [(&order[..1], 0.005), (&order[1..], 0.05)] {
                let ours = float.train(&data.train, examples);
                let theirs = twin.train(&data.train, examples);
                assert_eq!(ours.steps, theirs.steps, "the phases are the same draws");
                for layer in 0..model.layers() {
                    let (apart, learnt) = difference(&*float, &twin, &before, layer);
                    assert!(learnt > 1e-6, "layer {layer} has learnt");
                    let share = apart / learnt;
                    println!("{} layer {layer}, {}: apart {share:.5} of learnt", path.name(), examples.len());
                    assert!(share < tolerance, "{}: layer {layer} is {share} of it apart", path.name());
                }
            }
            // The f32 outputs are read out once, those of the reference, with the same weights, are followed step by step.
            let scaled = |raw: Vec<i64>, by: f64| {
                raw.into_iter().map(|raw| (ours(raw) / by).to_bits() as i64).collect()
            };
            let bits = |raw| scaled(raw, 1.0);
            let stored = float.store().into_iter().map(|Stored { weights, bias, feedback }| Stored {
                weights: bits(weights),
                bias: scaled(bias, BASAL_SHARE),
                feedback: bits(feedback),
            });
            twin.restore(&stored.collect::<Vec<_>>());
            let mut answers = [[0; 300]; 2];
            for (answers, learner) in answers.iter_mut().zip([&*float, &twin as &dyn Learner]) {
                learner.tester().test(&data.test, 0, 250, answers);
            }
            let others = answers[0].iter().zip(&answers[1]).filter(|(ours, theirs)| ours != theirs).count();
            println!("{}: {others} of 300 answers differ", path.name());
            assert!(others <= 3, "{}: {others} of 300 answers differ", path.name());
        }
    }
}

/// One rounding an operation, and the same operations: every path has the same bits.
#[test]
fn the_same_bits_on_every_path() {
    let data = Dataset::load(&default_directory()).unwrap();
    let order: Vec<u32> = (0..100).collect();
    let model = model(&[784, 100, 10]);
    let digests: Vec<_> = paths()
        .into_iter()
        .map(|path| {
            let mut float = float32(&model, path).unwrap();
            float.train(&data.train, &order);
            float.digest()
        })
        .collect();
    assert!(digests.windows(2).all(|pair| pair[0] == pair[1]), "{digests:?}");
}
