//! Wall time of each kernel alone, by path and width, on recorded spikes of a 784-500-10 network.
//!
//! `cargo bench --bench kernels`; see `benches/README.md`. These are the kernels of the way step by
//! step, and those at the ends of a phase, which both ways use.

use apical::data::{Dataset, default_directory};
use apical::learner::Width;
use apical::model::Model;
use apical::network::OwnedNetwork;
use apical::vector::{Path, PathKernels};
use apical_core::arithmetic::{Arithmetic, Columns, ColumnsMut, Dynamics, Updates};
use apical_core::kernels::Kernels;
use apical_core::layer::Layer;
use apical_core::losses::Losses;
use apical_core::native::{Native, Weight};
use apical_core::network::Network;
use apical_core::observer::{Moment, Observer};
use apical_core::parameters::Preset;
use apical_core::random::{Dither, Generator, Offsets, Stream};
use apical_core::rounding::Rounding;
use apical_core::tables::psp::Kernel;
use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};

/// Examples that a network learns before, and that are recorded.
const LEARNT: usize = 2000;
const RECORDED: usize = 20;
/// Steps of a target phase.
const WINDOW: u32 = 22;

/// The spikes of a step: of pixels, and of hidden neurons.
struct Spiked {
    pixels: Vec<u16>,
    hidden: Vec<u16>,
}

/// Keeps the spikes of every step.
#[derive(Default)]
struct Recorder(Vec<Spiked>);

impl<A: Arithmetic> Observer<A> for Recorder {
    fn at(&mut self, moment: Moment, network: &mut Network<'_, A>) {
        if let Moment::Step { .. } = moment {
            let pixels = network.input.spikes.as_slice().to_vec();
            self.0.push(Spiked { pixels, hidden: network.hidden[0].spikes.as_slice().to_vec() });
        }
    }
}

type Core<W> = Native<PathKernels, W>;

/// A network that has learnt a little, so that it fires as it does in a run.
fn learnt<W: Weight>(kernels: PathKernels, width: Width, data: &Dataset) -> OwnedNetwork<Core<W>> {
    let model = Model {
        sizes: vec![784, 500, 10],
        kernel: Kernel::Scaled,
        preset: Preset::May2017,
        learning_rates: vec![0.21; 2],
        seed: 1,
    };
    let layer = |number| model.native(number, width, Rounding::Stochastic).coefficients();
    let mut network = OwnedNetwork::new(Native::new(kernels), &model, layer);
    network.with(|network| {
        for (image, &label) in (0..LEARNT).zip(&data.train.labels) {
            network.train(data.train.image(image), usize::from(label), &mut ());
        }
    });
    network
}

/// The spikes of some examples.
fn recorded<W: Weight>(network: &mut OwnedNetwork<Core<W>>, data: &Dataset) -> Vec<Spiked> {
    let mut recorder = Recorder::default();
    network.with(|network| {
        for image in LEARNT..LEARNT + RECORDED {
            network.train(data.train.image(image), usize::from(data.train.labels[image]), &mut recorder);
        }
    });
    recorder.0
}

fn columns<'a, W: Weight>(layer: &'a Layer<'_, Core<W>>) -> Columns<'a, W> {
    Columns { weights: layer.weights, units: layer.units, stride: layer.stride, bounds: layer.bounds }
}

/// A step of all neurons of a layer.
fn advance<W: Weight>(kernels: PathKernels, layer: &mut Layer<'_, Core<W>>, draws: &mut Generator) {
    let state = Dynamics {
        sums: layer.sums,
        fast: layer.fast,
        slow: layer.slow,
        soma: layer.soma,
        bias: layer.bias,
        oldest: &mut [],
    };
    let (offsets, spikes) = (Offsets::new(draws), &mut layer.spikes);
    kernels.advance::<false>(
        layer.coefficients,
        state,
        layer.units,
        None,
        offsets,
        spikes,
        &mut Losses::none(),
    );
}

/// The steps of a layer, and its updates by the inputs with these sums of PSPs.
fn layer<'s, W: Weight>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    kernels: PathKernels,
    layer: &mut Layer<'_, Core<W>>,
    spikes: impl Iterator<Item = &'s [u16]> + Clone,
    presynaptic: &[u16],
) {
    let losses = &mut Losses::none();
    let shift = layer.coefficients.sum_shift;
    let mut sums = vec![0; layer.stride];
    group.throughput(Throughput::Elements(RECORDED as u64));
    group.bench_function(format!("{name}: columns of {RECORDED} examples"), |bencher| {
        let columns = columns(layer);
        bencher.iter(|| {
            for spikes in spikes.clone() {
                kernels.sum_columns::<W, false>(shift, columns, spikes, &mut sums, losses);
            }
        });
    });
    let mut draws = Stream::Spikes(0).open(1);
    group.bench_function(format!("{name}: neurons of {RECORDED} examples"), |bencher| {
        bencher.iter(|| spikes.clone().for_each(|_| advance(kernels, layer, &mut draws)));
    });
    group.throughput(Throughput::Elements(1));
    let errors: Vec<i16> = (0..layer.stride as i16).map(|unit| unit * 37 % 999 - 500).collect();
    let mut dither = Dither::unseeded();
    dither.seed(&mut draws);
    group.bench_function(format!("{name}: updates"), |bencher| {
        bencher.iter(|| {
            let matrix = ColumnsMut { weights: layer.weights, stride: layer.stride, bounds: layer.bounds };
            let (errors, dither) = (&*errors, &mut dither);
            let updates = Updates { matrix, presynaptic, steps: WINDOW, errors, dither };
            kernels.learn::<W, false>(layer.coefficients, updates, losses);
        });
    });
}

fn kernels_of<W: Weight>(criterion: &mut Criterion, path: Path, width: Width, data: &Dataset) {
    let kernels = path.kernels();
    let mut network = learnt::<W>(kernels, width, data);
    let steps = recorded(&mut network, data);
    let mut group = criterion.benchmark_group(format!("{} {width} bits", path.name()));
    group.sample_size(10);
    network.with(|network| {
        let losses = &mut Losses::none();
        // Every other pixel of a band, as in an image of a digit.
        let fired = |pixel: &u16| (200..500).contains(pixel) && pixel.is_multiple_of(2);
        let pixels: Vec<u16> = (0..784).map(|pixel| if fired(&pixel) { 1000 + pixel } else { 0 }).collect();
        let hidden: Vec<u16> = (1000..1500).collect();
        let spikes = steps.iter().map(|step| &*step.pixels);
        layer(&mut group, "hidden", kernels, &mut network.hidden[0], spikes, &pixels);
        layer(
            &mut group,
            "output",
            kernels,
            &mut network.output,
            steps.iter().map(|step| &*step.hidden),
            &hidden,
        );

        group.bench_function("input: an image", |bencher| {
            bencher.iter(|| network.input.show(network.arithmetic, data.train.image(LEARNT)));
        });
        group.throughput(Throughput::Elements(RECORDED as u64));
        let mut draws = Stream::Spikes(0).open(1);
        group.bench_function(format!("input: pixels of {RECORDED} examples"), |bencher| {
            let input = &mut network.input;
            let active = input.control.active;
            let (potentials, names) = (&input.potentials[..active], &input.active[..active]);
            bencher.iter(|| {
                for _ in &steps {
                    kernels.fire(potentials, names, Offsets::new(&mut draws), &mut input.spikes);
                }
            });
        });
        group.throughput(Throughput::Elements(1));
        let of = &mut network.hidden[0];
        let coefficients = of.coefficients;
        let shift = coefficients.sum_shift;
        let feedback = Columns { weights: of.feedback, units: of.units, stride: of.stride, bounds: &[] };
        let rates: Vec<i16> = (0..10).map(|output| output * 100).collect();
        group.bench_function("hidden: plateaus of a phase", |bencher| {
            bencher.iter(|| kernels.plateaus::<W, false>(shift, feedback, &rates, of.plateaus, losses));
        });
        group.bench_function("hidden: slopes", |bencher| {
            bencher.iter(|| kernels.slopes::<false>(of.soma_sums, WINDOW, of.errors, losses));
        });
        let targets = of.plateaus.to_vec();
        group.bench_function("hidden: errors", |bencher| {
            bencher.iter(|| kernels.errors::<false>(coefficients, &targets, of.plateaus, of.errors, losses));
        });
    });
    group.finish();
}

fn kernels(criterion: &mut Criterion) {
    let data = Dataset::load(&default_directory()).expect("the data set that comes with the project");
    for path in Path::available() {
        kernels_of::<i16>(criterion, path, Width::SIXTEEN, &data);
        kernels_of::<i8>(criterion, path, Width::EIGHT, &data);
    }
}

criterion_group!(benches, kernels);
criterion_main!(benches);
