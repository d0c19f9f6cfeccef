//! Closed forms of the integer core: what its neurons do where the answer is known.

use apical::learner::{Width, native};
use apical::model::Model;
use apical::network::OwnedNetwork;
use apical::vector::Path;
use apical_core::arithmetic::{Arithmetic, Columns, Dynamics};
use apical_core::formats::{Format, Variable};
use apical_core::kernels::{Kernels, Plain};
use apical_core::losses::{Losses, NO_LOSSES};
use apical_core::memory::{InputMemory, LayerMemory};
use apical_core::native::{Native, Weight, reciprocal};
use apical_core::network::Network;
use apical_core::observer::{Moment, Observer, Phase};
use apical_core::parameters::{Coefficients, LayerParameters, Preset, weight_statistics};
use apical_core::random::{Offsets, Stream};
use apical_core::readout::{Reading, Readout};
use apical_core::rounding::Rounding;
use apical_core::spikes::Spikes;
use apical_core::tables::psp::{Kernel, areas};
use apical_core::trace::SpikeTrace;
use rand_core::Rng;

fn coefficients(kernel: Kernel) -> Coefficients {
    LayerParameters {
        kernel,
        learning_rate: 0.21,
        weight_fraction: 8,
        error_fraction: 14,
        rounding: Rounding::Stochastic,
    }
    .coefficients()
}

/// One neuron, given its column sums step by step; returns (x₂, soma) after each.
fn run(kernel: Kernel, bias: i16, label: Option<usize>, sums: &[i16]) -> Vec<(i16, i16)> {
    let layer = coefficients(kernel);
    let (mut fast, mut slow, mut soma) = ([0i16; 1], [0i16; 1], [0i16; 1]);
    let mut history = [[0i16; 1]; 10];
    let mut draws = Stream::Spikes(0).open(1);
    let mut memory = [0u16; 3];
    let mut trace = Vec::new();
    for (step, &sum) in sums.iter().enumerate() {
        let state = Dynamics {
            sums: &[sum],
            fast: &mut fast,
            slow: &mut slow,
            soma: &mut soma,
            bias: &[bias],
            oldest: if kernel == Kernel::Cut { &mut history[step % 10] } else { &mut [] },
        };
        let offsets = Offsets::new(&mut draws);
        let mut spikes = Spikes::new(&mut memory);
        Plain.advance::<false>(&layer, state, 1, label, offsets, &mut spikes, &mut Losses::none());
        trace.push((slow[0], soma[0]));
    }
    trace
}

fn kappa(n: usize) -> f64 {
    ((-(n as f64) / 10.0).exp() - (-(n as f64) / 3.0).exp()) / 7.0
}

#[test]
fn an_impulse_leaves_the_kernel_of_its_kind() {
    let mut sums = vec![0i16; 60];
    sums[0] = 100 << 7;
    for (kernel, gain) in [(Kernel::Scaled, kernel_gain()), (Kernel::Cut, 1.0), (Kernel::Paper, 1.0)] {
        let trace = run(kernel, 0, None, &sums);
        for (step, &(slow, _)) in trace.iter().enumerate() {
            let psp = f64::from(slow) / 128.0 * kernel.gain();
            let expected =
                if kernel == Kernel::Cut && step >= 10 { 0.0 } else { 100.0 * kappa(step + 1) * gain };
            // Six steps of a filter: each narrowing is off by half a step, and decays.
            assert!((psp - expected).abs() < 6.0 / 128.0, "{kernel:?} step {step}: {psp} for {expected}");
        }
    }
}

fn kernel_gain() -> f64 {
    (1..=10).map(kappa).sum::<f64>() / (1..3000).map(kappa).sum::<f64>()
}

#[test]
fn settles_where_leak_and_basal_drive_balance() {
    let trace = run(Kernel::Scaled, 3 << 8, None, &[20 << 7; 200]);
    let (_, soma) = trace[199];
    let expected = 0.6 / 0.7 * 20.0 * 0.5104 + 3.0; // the bias is kept times k_B
    assert!((f64::from(soma) / 256.0 - expected).abs() < 0.05, "{} for {expected}", f64::from(soma) / 256.0);
}

#[test]
fn the_teaching_current_clamps_near_its_reversal_potentials() {
    // C = E − 1.7 C' … settles where 1.7 C = ±8 + 0.7 D.
    for (label, sign) in [(0, 1.0), (1, -1.0)] {
        let trace = run(Kernel::Scaled, 256, Some(label), &[0; 60]);
        let soma = f64::from(trace[59].1) / 256.0;
        let expected = (sign * 8.0 + 0.7) / 1.7;
        assert!((soma - expected).abs() < 0.05, "{soma} for {expected}");
        let rate = 200.0 / (1.0 + (-soma).exp());
        assert!(if label == 0 { rate > 195.0 } else { rate < 5.0 }, "{rate} Hz");
    }
}

#[test]
fn a_step_of_the_clamped_output_overshoots_as_the_model_says() {
    let trace = run(Kernel::Scaled, 0, Some(0), &[0; 2]);
    assert_eq!(trace[0].1, 8 << 8, "from rest to E");
    assert!((f64::from(trace[1].1) / 256.0 - (8.0 - 0.7 * 8.0)).abs() < 0.01, "C' = −0.7 C + 8");
}

#[test]
fn initial_weights_have_the_published_mean_and_spread() {
    for (fan_in, mean, sd) in
        [(784, 0.018707, 0.504903), (500, 0.029333, 0.632115), (100, 0.146667, 1.410406)]
    {
        let (made_mean, made_sd) = weight_statistics(fan_in);
        assert!((made_mean - mean).abs() < 1e-6 && (made_sd - sd).abs() < 1e-6, "fan-in {fan_in}");
    }
    let model = model(&[784, 100, 10], 1);
    let network =
        OwnedNetwork::new(Native::<Plain, i16>::new(Plain), &model, |_| coefficients(Kernel::Scaled));
    let layer = &network.hidden[0];
    let weights: Vec<f64> = layer
        .weights
        .chunks(layer.stride)
        .flat_map(|column| &column[..100])
        .map(|&w| f64::from(w) / 256.0)
        .collect();
    let mean = weights.iter().sum::<f64>() / weights.len() as f64;
    let square = weights.iter().map(|w| (w - mean).powi(2)).sum::<f64>() / weights.len() as f64;
    assert!((mean - 0.0187).abs() < 0.02, "mean {mean}");
    assert!((square.sqrt() / (2.0 * 0.504903) - 1.0).abs() < 0.01, "twice W_sd: {}", square.sqrt());
}

fn model(sizes: &[usize], seed: u64) -> Model {
    Model {
        sizes: sizes.to_vec(),
        kernel: Kernel::Scaled,
        preset: Preset::May2017,
        learning_rates: vec![0.21; sizes.len() - 1],
        seed,
    }
}

/// Looks at errors and at what they change.
#[derive(Default)]
struct Signs {
    before: Vec<i16>,
    checked: usize,
}

impl Observer<Native<Plain, i16>> for Signs {
    fn at(&mut self, moment: Moment, network: &mut Network<'_, Native<Plain, i16>>) {
        match moment {
            Moment::TargetEnd => self.before = network.output.weights.to_vec(),
            Moment::Learnt => {
                let stride = network.output.stride;
                let columns = self.before.chunks(stride).zip(network.output.weights.chunks(stride));
                for ((before, after), &psp) in columns.zip(network.hidden[0].psp.iter()) {
                    for ((before, after), &error) in
                        before.iter().zip(after).zip(network.output.errors.iter())
                    {
                        let change = i32::from(*after) - i32::from(*before);
                        if psp == 0 || error == 0 {
                            assert_eq!(change, 0, "nothing spiked or nothing was wrong");
                        }
                        if change.abs() > 1 {
                            assert_eq!(change.signum(), i32::from(error).signum(), "against its error");
                            self.checked += 1;
                        }
                    }
                }
            }
            _ => {}
        }
    }
}

#[test]
fn updates_have_the_sign_of_their_error_and_touch_only_what_spiked() {
    let model = model(&[40, 30, 4], 5);
    let mut network =
        OwnedNetwork::new(Native::<Plain, i16>::new(Plain), &model, |_| coefficients(Kernel::Scaled));
    let image: Vec<u8> = (0..40).map(|i| if i % 3 == 0 { 250 } else { 0 }).collect();
    let mut signs = Signs::default();
    network.with(|network| {
        for label in 0..4 {
            network.train(&image, label, &mut signs);
            assert!(network.output.errors[label] > 0, "the right output fires too little");
        }
    });
    assert!(signs.checked > 20, "only {} changes seen", signs.checked);
}

#[test]
fn a_test_of_any_length_takes_so_many_steps() {
    struct Count(u32);
    impl Observer<Native<Plain, i16>> for Count {
        fn at(&mut self, moment: Moment, _: &mut Network<'_, Native<Plain, i16>>) {
            if let Moment::Step { phase: Phase::Test, .. } = moment {
                self.0 += 1;
            }
        }
    }
    let mut network = OwnedNetwork::new(Native::<Plain, i16>::new(Plain), &model(&[9, 4, 3], 1), |_| {
        coefficients(Kernel::Scaled)
    });
    for steps in [1, 20, 60, 500] {
        let mut count = Count(0);
        network.with(|network| network.test(&[200; 9], steps, (1, 0), &mut count));
        assert_eq!(count.0, steps);
    }
}

#[test]
fn a_trace_keeps_the_first_spikes_and_counts_the_rest() {
    let record = |capacity_is_small: bool| {
        let mut network =
            OwnedNetwork::new(Native::<Plain, i16>::new(Plain), &model(&[30, 20, 3], 2), |_| {
                coefficients(Kernel::Scaled)
            });
        let (mut small, mut large) = (SpikeTrace::<8>::of_layer(0), SpikeTrace::<4096>::of_layer(0));
        network.with(|network| {
            if capacity_is_small {
                network.train(&[255; 30], 1, &mut small);
            } else {
                network.train(&[255; 30], 1, &mut large);
            }
        });
        let fired = network.take_fired()[1] as usize;
        let (kept, missed) = if capacity_is_small {
            (small.spikes().to_vec(), small.missed())
        } else {
            (large.spikes().to_vec(), large.missed())
        };
        assert_eq!(kept.len() + missed as usize, fired, "every spike is kept or counted");
        kept
    };
    let (first, all) = (record(true), record(false));
    assert_eq!(first, all[..8]);
}

#[test]
fn a_mean_psp_in_32_bits_is_the_one_in_64() {
    let (core, layer) = (Native::<Plain, i16>::default(), coefficients(Kernel::Scaled));
    for steps in [1, 2, 15, 20, 22, 31, 148, 1000] {
        for sum in 0..=u16::MAX {
            let exact = (i64::from(sum) * reciprocal(steps) + (1 << 15)) >> 16;
            let mean = core.mean_psp(&layer, sum, steps, &mut Losses::none());
            assert_eq!(i64::from(mean), exact.min(32767), "{sum} over {steps} steps");
        }
    }
}

#[test]
fn readers_give_fixed_point_numbers() {
    let mut network = OwnedNetwork::new(Native::<Plain, i16>::new(Plain), &model(&[30, 20, 3], 2), |_| {
        coefficients(Kernel::Scaled)
    });
    network.with(|network| {
        // Dim, so that no output saturates before it is taught.
        network.train(&[20; 30], 1, &mut ());
        let output = &network.output;
        assert!(output.soma_of(1) > output.soma_of(0), "the label is clamped above the others");
        assert!(output.error_of(1).is_some_and(|e| e > 0));
        assert_eq!(output.soma_of(99), None);
        let soma = output.soma_of(1).map_or(0.0, |c| c.to_num::<f64>());
        assert_eq!(soma * 256.0, f64::from(output.soma[1]));
    });
}

#[test]
fn memory_of_fixed_size_gives_the_bits_of_memory_of_any_size() {
    let model = model(&[20, 12, 3], 9);
    let layer = coefficients(Kernel::Scaled);
    let mut input = Box::new(InputMemory::<20>::new());
    let mut hidden = Box::new(LayerMemory::<i16, 20, 12, 3>::new());
    let mut output = Box::new(LayerMemory::<i16, 12, 3, 0>::new());
    input.seed(9);
    hidden.seed(9, 0);
    output.seed(9, 1);
    let arithmetic = Native::<Plain, i16>::new(Plain);
    let areas = areas(Kernel::Scaled);
    let mut layers = [hidden.layer::<Native<Plain, i16>>(&layer)];
    let preset = Preset::May2017;
    layers[0].draw_weights(&arithmetic, 9, 0, preset.weights(20), preset.bias());
    layers[0].draw_feedback(&arithmetic, 9, 0, preset.feedback(12));
    let mut last = output.layer(&layer);
    last.draw_weights(&arithmetic, 9, 1, preset.weights(12), preset.bias());
    let mut control = apical_core::network::Control::new(9);
    let mut network = Network {
        arithmetic: &arithmetic,
        areas: &areas,
        input: input.input(),
        hidden: &mut layers,
        output: last,
        means: &mut [0; 3],
        control: &mut control,
        losses: Losses::none(),
        workspace: None,
    };
    let image: Vec<u8> = (0..20).map(|i| (i * 12) as u8).collect();
    let mut owned = OwnedNetwork::new(Native::<Plain, i16>::new(Plain), &model, |_| layer);
    for example in 0..20 {
        network.train(&image, example % 3, &mut ());
        owned.with(|network| network.train(&image, example % 3, &mut ()));
    }
    assert_eq!(network.digest(), owned.digest());
}

const MIXED: Width = Width::new(Width::usual(8, false), Width::usual(16, true));
/// A finer step in the output layer than in hidden layers.
const FINER: Width = Width::new(Width::usual(8, false), Format::new(8, 5));
/// Errors in coarse steps.
const COARSE: Width = FINER.with_errors(5);
const WIDTHS: [Width; 5] = [Width::SIXTEEN, Width::EIGHT, MIXED, FINER, COARSE];

#[test]
fn every_path_of_this_machine_gives_the_same_bits_counting_or_not() {
    let data = apical::data::Dataset::load(&apical::data::default_directory()).expect("shipped data");
    let order: Vec<u32> = (0..60).collect();
    for sizes in [&[784, 10][..], &[784, 70, 10], &[784, 100, 33, 10]] {
        for width in WIDTHS {
            for rounding in [Rounding::Stochastic, Rounding::Nearest, Rounding::TowardZero] {
                let model = model(sizes, 3);
                let digest = |path, count| {
                    let mut learner = native(&model, width, rounding, path, count);
                    learner.train(&data.train, &order);
                    learner.digest()
                };
                let first = digest(Path::Scalar, false);
                for path in Path::available() {
                    for count in [false, true] {
                        assert_eq!(
                            digest(path, count),
                            first,
                            "{path:?}, counting {count}, {sizes:?} {width:?} {rounding:?}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn every_path_counts_the_same_losses() {
    let data = apical::data::Dataset::load(&apical::data::default_directory()).expect("shipped data");
    let order: Vec<u32> = (0..40).collect();
    // ±½: many weights of 8 bits are held within it.
    let small = Width::new(Format::new(8, 8), Format::new(8, 8));
    for sizes in [&[784, 10][..], &[784, 70, 10]] {
        for width in WIDTHS.into_iter().chain([small]) {
            for rounding in Rounding::ALL {
                let model = Model { learning_rates: vec![1.7; sizes.len() - 1], ..model(sizes, 3) };
                let losses = |path| {
                    let mut learner = native(&model, width, rounding, path, true);
                    learner.train(&data.train, &order);
                    learner.take_losses()
                };
                let first = losses(Path::Scalar);
                let weights = &first[0][Variable::Weight as usize];
                assert!(weights.lost > 0 && weights.lost < weights.values, "{weights:?}");
                assert!(width != small || weights.saturated > 0, "{weights:?}");
                for path in Path::available() {
                    assert_eq!(losses(path), first, "{path:?} {sizes:?} {width:?} {rounding:?}");
                }
            }
        }
    }
}

/// Recorded with `cargo test -p apical --test core -- --nocapture the_bits`, and the same in
/// debug and release, on every path and every target (`apical emulate --all`).
#[test]
fn the_bits_have_not_changed() {
    let data = apical::data::Dataset::load(&apical::data::default_directory()).expect("shipped data");
    let order: Vec<u32> = (0..200).collect();
    for (width, golden) in [(Width::SIXTEEN, GOLDEN), (MIXED, GOLDEN_MIXED)] {
        let mut learner = native(&model(&[784, 50, 10], 1), width, Rounding::Stochastic, Path::best(), false);
        learner.train(&data.train, &order);
        let digest = learner.digest().unwrap_or(0);
        println!("the_bits: {digest:#018x}");
        assert_eq!(digest, golden, "{width:?}");
    }
}
const GOLDEN: u64 = 0x1a7d_6af3_6db4_b30f;
const GOLDEN_MIXED: u64 = 0xa307_b94d_1aac_c01d;

/// Looks at every step, so that the network must go step by step.
struct Watching;
impl<A: apical_core::arithmetic::Arithmetic> Observer<A> for Watching {}

#[test]
fn layer_by_layer_has_the_bits_of_step_by_step() {
    let data = apical::data::Dataset::load(&apical::data::default_directory()).expect("shipped data");
    for kernel in [Kernel::Scaled, Kernel::Cut] {
        // Few outputs, an odd number, as many as there are sums for; parts of blocks and of pairs of blocks.
        let outputs = [&[784, 48, 3][..], &[784, 33, 15], &[784, 132, 16]];
        for sizes in [&[784, 10][..], &[784, 70, 10], &[784, 100, 130, 10]].into_iter().chain(outputs) {
            let model = Model { kernel, ..model(sizes, 3) };
            for path in Path::available() {
                check_schedules::<i16, i16>(path, &data, &model, kernel);
                check_schedules::<i8, i16>(path, &data, &model, kernel);
            }
        }
    }
}

/// Two networks that are the same learn the same examples, one layer by layer, the other step by
/// step, and stay the same.
fn learn_both_ways<A: Arithmetic>(
    layers: &mut OwnedNetwork<A>,
    steps: &mut OwnedNetwork<A>,
    data: &apical::data::Dataset,
    examples: usize,
    what: &str,
) {
    for example in 0..examples {
        let image = data.train.image(example);
        let label = usize::from(data.train.labels[example]) % layers.output.units;
        let one = layers.with(|network| network.train(image, label, &mut ()));
        let other = steps.with(|network| network.train(image, label, &mut Watching));
        assert_eq!(one, other, "example {example} of {what}");
        assert_eq!(layers.digest(), steps.digest(), "example {example} of {what}");
    }
}

fn check_schedules<W, O>(path: Path, data: &apical::data::Dataset, model: &Model, kernel: Kernel)
where
    W: Weight,
    O: Weight,
{
    let layer = |l: usize| {
        let bytes = if l + 1 == model.layers() { size_of::<O>() } else { size_of::<W>() };
        let weight_fraction = 4 * bytes as u8;
        LayerParameters {
            kernel,
            learning_rate: 0.21,
            weight_fraction,
            error_fraction: 14,
            rounding: Rounding::Stochastic,
        }
    };
    let arithmetic = Native::<_, W, true, O>::new(path.kernels());
    let new = || OwnedNetwork::new(arithmetic, model, |l| layer(l).coefficients());
    let (mut layers, mut steps) = (new(), new());
    learn_both_ways(&mut layers, &mut steps, data, 40, &format!("{:?}", model.sizes));
    assert_eq!(layers.take_fired(), steps.take_fired());
    assert_eq!(layers.take_losses(), steps.take_losses());
    let tested = |network: &mut OwnedNetwork<_>, watched: bool| {
        network.with(|network| {
            (0..10)
                .map(|index| {
                    let (image, of) = (data.test.image(index), (1, index as u32));
                    let answer = match watched {
                        true => network.test(image, 400, of, &mut Watching),
                        false => network.test(image, 400, of, &mut ()),
                    };
                    (answer, network.output.soma_sums.to_vec())
                })
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(tested(&mut layers, false), tested(&mut steps, true));
    assert_eq!(layers.digest(), steps.digest());
}

/// More than 32 blocks of neurons, of which two share a bit where somebody fired three times: below
/// outputs, whose sums are made from masks, and below a hidden layer, which is fed by lists.
#[test]
fn wide_layers_keep_their_third_spikes() {
    let data = apical::data::Dataset::load(&apical::data::default_directory()).expect("shipped data");
    for sizes in [&[784, 1100, 10][..], &[784, 1100, 40, 10]] {
        let model = model(sizes, 3);
        for path in Path::available() {
            check_wide(path, &data, &model);
        }
    }
}

fn check_wide(path: Path, data: &apical::data::Dataset, model: &Model) {
    let arithmetic = Native::<_, i16, true>::new(path.kernels());
    let new = || {
        let mut network = OwnedNetwork::new(arithmetic, model, |_| coefficients(Kernel::Scaled));
        // Far above threshold, so that many fire three times.
        network.hidden[0].bias.fill(8_000);
        network
    };
    let (mut layers, mut steps) = (new(), new());
    learn_both_ways(&mut layers, &mut steps, data, 4, &format!("{:?}", model.sizes));
    assert_eq!(layers.take_fired(), steps.take_fired());
}

/// Outputs of weights that add up to little, to more than 16 bits, or reach their limits with a
/// single column; fewer outputs than there are sums made at once, more, and too many.
#[test]
fn sums_from_masks_are_those_of_lists() {
    let data = apical::data::Dataset::load(&apical::data::default_directory()).expect("shipped data");
    for outputs in [3, 10, 11, 15, 16] {
        let model = model(&[784, 70, outputs], 3);
        for most in [127, 5_000, 32_767] {
            for path in Path::available() {
                check_sums::<i16>(path, &data, &model, most);
                check_sums::<i8>(path, &data, &model, most);
            }
        }
    }
}

/// Hidden weights of 8 bits whose sums are within the range of a state, now and then beyond it, or mostly.
#[test]
fn sums_taken_for_small_are_held_where_they_are_not() {
    let data = apical::data::Dataset::load(&apical::data::default_directory()).expect("shipped data");
    let model = model(&[784, 140, 40, 10], 3);
    for most in [30, 100, 127] {
        check_parts_everywhere::<i8, false>(&data, &model, most, 0);
        check_parts_everywhere::<i8, true>(&data, &model, most, 0);
    }
}

/// Hidden weights so large that sums fit into 16 bits, in two parts, in many, in none, or not at all.
#[test]
fn sums_in_parts_are_those_in_32_bits() {
    let data = apical::data::Dataset::load(&apical::data::default_directory()).expect("shipped data");
    let model = model(&[784, 140, 40, 10], 3);
    for most in [300, 1_800, 3_300, 7_000, 12_000, 32_767] {
        check_parts_everywhere::<i16, true>(&data, &model, most, 0);
    }
}

/// 2048 is the largest bias that never takes a basal drive beyond its range.
#[test]
fn biases_of_any_size_are_those_of_step_by_step() {
    let data = apical::data::Dataset::load(&apical::data::default_directory()).expect("shipped data");
    let model = model(&[784, 140, 40, 10], 3);
    for bias in [2_048, 2_049, 9_000, 16_383] {
        check_parts_everywhere::<i16, false>(&data, &model, 12_000, bias);
        check_parts_everywhere::<i16, true>(&data, &model, 12_000, bias);
    }
}

fn check_parts_everywhere<W: Weight, const COUNT: bool>(
    data: &apical::data::Dataset,
    model: &Model,
    most: i16,
    bias: i16,
) {
    for path in Path::available() {
        check_parts::<W, COUNT>(path, data, model, most, bias);
    }
}

/// Weights of up to `most` and biases of ±`bias` in the hidden layers.
fn check_parts<W: Weight, const COUNT: bool>(
    path: Path,
    data: &apical::data::Dataset,
    model: &Model,
    most: i16,
    bias: i16,
) {
    let rounding = Rounding::Stochastic;
    for kernel in [Kernel::Scaled, Kernel::Cut] {
        let model = Model { kernel, ..model.clone() };
        let weight_fraction = 4 * size_of::<W>() as u8;
        let layer =
            LayerParameters { kernel, learning_rate: 0.21, weight_fraction, error_fraction: 14, rounding };
        let arithmetic = Native::<_, W, COUNT>::new(path.kernels());
        let new = || {
            let mut network = OwnedNetwork::new(arithmetic, &model, |_| layer.coefficients());
            for layer in &mut network.hidden {
                let (stride, units) = (layer.stride, layer.units);
                for (input, column) in layer.weights.chunks_mut(stride).enumerate() {
                    for (unit, weight) in column.iter_mut().take(units).enumerate() {
                        // A unit's weights are of both signs, or of one.
                        let share = (input * 37 + unit * 101) % 128;
                        let sign = if unit % 4 == 0 && input % 2 == 1 { -1 } else { 1 };
                        *weight = W::saturate((i32::from(most) * sign * share as i32 / 127) as i16);
                    }
                }
                for (unit, place) in layer.bias.iter_mut().take(units).enumerate() {
                    *place = if unit % 3 == 0 { -bias } else { bias };
                }
            }
            network.with(|network| {
                for layer in network.hidden.iter_mut() {
                    layer.refresh_bounds(&arithmetic);
                }
            });
            network
        };
        let (mut layers, mut steps) = (new(), new());
        learn_both_ways(&mut layers, &mut steps, data, 5, &format!("{kernel:?}, ±{most}, ±{bias}"));
        for index in 0..3 {
            let one =
                layers.with(|network| network.test(data.test.image(index), 100, (1, index as u32), &mut ()));
            let image = data.test.image(index);
            let other = steps.with(|network| network.test(image, 100, (1, index as u32), &mut Watching));
            assert_eq!((one, layers.digest()), (other, steps.digest()), "{kernel:?}, ±{most}, a test");
        }
        let losses = layers.take_losses();
        if COUNT {
            let held = losses[0][Variable::Accumulator as usize].saturated;
            assert!(most != W::saturate(i16::MAX).widen() || held > 0, "no sum is held");
        }
        if COUNT && kernel == Kernel::Scaled {
            let held = losses[0][Variable::Basal as usize].saturated;
            assert!(if bias <= 2_048 { held == 0 } else { bias == 2_049 || held > 0 }, "±{bias}: {held}");
        }
        assert_eq!(losses, steps.take_losses());
    }
}

fn check_sums<O: Weight>(path: Path, data: &apical::data::Dataset, model: &Model, most: i16) {
    let weight_fraction = 4 * size_of::<O>() as u8;
    let rounding = Rounding::Stochastic;
    let layer = LayerParameters {
        kernel: Kernel::Scaled,
        learning_rate: 0.21,
        weight_fraction,
        error_fraction: 14,
        rounding,
    };
    let arithmetic = Native::<_, O, true>::new(path.kernels());
    let new = || {
        let mut network = OwnedNetwork::new(arithmetic, model, |_| layer.coefficients());
        // Each unit's weight to an output depends on both; most of them are of one sign.
        let stride = network.output.stride;
        for (unit, column) in network.output.weights.chunks_mut(stride).enumerate() {
            for (output, weight) in column.iter_mut().take(model.outputs()).enumerate() {
                let share = ((unit * 31 + output * 17) % 64) as i32 - 12;
                *weight = O::saturate((i32::from(most) * share / 52) as i16);
            }
        }
        network
    };
    let (mut layers, mut steps) = (new(), new());
    learn_both_ways(&mut layers, &mut steps, data, 6, &format!("{:?}, ±{most}", model.sizes));
    assert_eq!(layers.take_fired(), steps.take_fired());
    let one = layers.with(|network| network.test(data.test.image(0), 400, (1, 0), &mut ()));
    let other = steps.with(|network| network.test(data.test.image(0), 400, (1, 0), &mut Watching));
    assert_eq!(one, other);
    assert_eq!(layers.digest(), steps.digest());
    // Whom nobody hears is credited, not counted.
    assert_eq!(layers.take_fired()[..1], steps.take_fired()[..1]);
    assert_eq!(layers.take_losses(), steps.take_losses());
}

/// On every path, for more outputs than one register holds, and for credits and weights whose products 32 bits do not add up.
#[test]
fn outputs_read_out_are_their_weights_times_what_spikes_are_worth() {
    fn check<W: Weight>(path: Path, weight_fraction: u8) {
        let (units, stride, below) = (37, 64, 500);
        let areas = areas(Kernel::Scaled);
        let readout = Readout::new(&areas, 250, 30);
        let layer = LayerParameters {
            kernel: Kernel::Scaled,
            learning_rate: 0.21,
            weight_fraction,
            error_fraction: 14,
            rounding: Rounding::Stochastic,
        };
        let mut draws = Stream::Order.open(5);
        for most in [40, 30_000] {
            let mut weights = vec![W::default(); below * stride];
            for (place, weight) in weights.iter_mut().enumerate().filter(|(place, _)| place % stride < units)
            {
                // The first 30 units have weights of one sign, so that their sums are as large as sums get.
                let sign = if place % stride < 30 { 1 } else { (draws.next_u32() as i32 & 2) - 1 };
                *weight = W::saturate((most * sign) as i16);
            }
            let credits: Vec<u16> = (0..below).map(|unit| (unit * 131) as u16).collect();
            let bias: Vec<i16> = (0..stride).map(|_| draws.next_u32() as i16).collect();
            let columns = Columns { weights: &weights, units, stride, bounds: &[] };
            let reading = Reading { columns, bias: &bias, credits: &credits, readout };
            let (mut sums, mut losses) = (vec![0i32; stride], [NO_LOSSES]);
            let mut counted = Losses::new(&mut losses);
            let arithmetic = Native::<_, W, true>::new(path.kernels());
            arithmetic.read_out(&layer.coefficients(), reading, &mut sums, &mut counted);
            let mut held = 0;
            for (unit, &sum) in sums[..units].iter().enumerate() {
                let term = |below: usize| {
                    let weight =
                        f64::from(weights[below * stride + unit].widen()) / f64::from(1 << weight_fraction);
                    weight * f64::from(credits[below].min(32_767)) / f64::from(1 << readout.fraction())
                };
                let driven: f64 = (0..below).map(term).sum::<f64>() * 6.0 / 7.0;
                let exact = driven + 220.0 * f64::from(bias[unit]) / 256.0;
                let limits = (f64::from(i32::MIN) / 256.0, f64::from(i32::MAX) / 256.0);
                held += u64::from(exact < limits.0 || exact > limits.1);
                let expected = exact.clamp(limits.0, limits.1);
                // k_B has 15 bits.
                let tolerance = 1.0 / 256.0 + driven.abs() / 32768.0;
                let found = f64::from(sum) / 256.0;
                assert!((found - expected).abs() < tolerance, "{}: {found}, {expected}", path.name());
            }
            assert_eq!(losses[0][Variable::Soma as usize].saturated, held, "±{most}");
            let beyond = credits.iter().filter(|&&credit| credit > 32_767).count() as u64;
            assert!(beyond > 0 && losses[0][Variable::Psp as usize].saturated == beyond, "{beyond}");
            assert_eq!(held > 0, most > 40 && weight_fraction == 3, "{held}");
            assert!(sums[units..].iter().all(|&sum| sum == 0), "padding");
        }
    }
    for path in Path::available() {
        check::<i16>(path, 8);
        check::<i16>(path, 3);
        check::<i8>(path, 4);
    }
}

/// The shares of a step add up to the response of a soma, whatever the length of a test; a unit that always fires at
/// its highest rate does not reach the end of its credit.
#[test]
fn what_spikes_are_worth_adds_up() {
    for kernel in [Kernel::Scaled, Kernel::Cut, Kernel::Paper] {
        let areas = areas(kernel);
        for (steps, start) in [(1, 0), (20, 10), (60, 30), (100, 30), (250, 30), (500, 30), (10_000, 30)] {
            let readout = Readout::new(&areas, steps, start);
            assert_eq!(readout.window(), steps - start);
            let shares: Vec<u16> = (0..steps).map(|step| readout.share(&areas, step)).collect();
            // One spike in every step: the mean over the window of a soma that is driven by the same potential in each.
            let (mut psp, mut soma, mut sum) = (0.0, 0.0, 0.0);
            for step in 0..steps as usize {
                let taps = if kernel == Kernel::Cut { 10 } else { 100_000 };
                if step < taps {
                    psp += kappa(step + 1) * if kernel == Kernel::Scaled { kernel_gain() } else { 1.0 };
                }
                soma += 0.7 * (psp - soma);
                sum += if step >= start as usize { soma } else { 0.0 };
            }
            let unit = f64::from(1 << readout.fraction());
            let found = shares.iter().map(|&share| f64::from(share)).sum::<f64>() / unit;
            // To nearest in two roundings: half a unit each, a whole spike's of the credit's.
            let tolerance = 1e-3 * sum + f64::from(steps) * 0.5 / unit;
            assert!((found - sum).abs() <= tolerance, "{kernel:?}, {steps}: {found} {sum}");
            let whole = u32::from(*shares.iter().max().unwrap());
            assert!(whole * steps / 2 <= 32_767 + whole * 2 || steps > 5_000, "{kernel:?}, {steps}: {whole}");
        }
    }
}
