//! The f64 reference against the literal equations, and against what can be said in
//! closed form.

use apical::reference::constants::{MAX_RATE, SHARE};
use apical::reference::dense::Dense;
use apical::reference::initial::weight_statistics;
use apical::reference::kernel::{Areas, Cascade, tap, total_area};
use apical::reference::rounding::sigmoid;
use apical::reference::spikes::{Noise, at_least, count, shared_uniform};
use apical::reference::{
    Draws, Exact, Kernel, Layer, Network, Phase, Preset, Rounding, Settings, SettingsError, Site, State,
    Watch,
};
use apical_core::random::{Generator, Stream, test_seed};
use apical_core::tables::wald::extra_steps;
use rand_core::Rng;

const KERNELS: [Kernel; 3] = [Kernel::Scaled, Kernel::Cut, Kernel::Paper];

fn settings(sizes: &[usize], kernel: Kernel) -> Settings {
    Settings { kernel, ..Settings::new(sizes, 7) }
}

/// A third of the pixels black, the others of any grey.
fn image(pixels: usize, draws: &mut Generator) -> Vec<u8> {
    let grey = |draw: u32| if draw.is_multiple_of(3) { 0 } else { (draw >> 24) as u8 };
    (0..pixels).map(|_| grey(draws.next_u32())).collect()
}

fn close(a: f64, b: f64, tolerance: f64, what: &str) {
    assert!((a - b).abs() <= tolerance, "{what}: {a} and {b} differ by {:e}", (a - b).abs());
}

fn all_close(a: &[f64], b: &[f64], tolerance: f64, what: &str) {
    assert_eq!(a.len(), b.len(), "{what}");
    a.iter().zip(b).for_each(|(&a, &b)| close(a, b, tolerance, what));
}

/// Runs the literal evaluator in lock-step.
struct LockStep {
    dense: Dense,
    kernel: Kernel,
    image: Vec<u8>,
    label: usize,
    steps: usize,
    most_spikes: usize,
    before: Vec<Layer>,
    examples: usize,
    testing: bool,
}

impl LockStep {
    fn new(settings: &Settings, seed: u64, testing: bool) -> Self {
        Self {
            dense: Dense::new(settings, seed),
            kernel: settings.kernel,
            image: Vec::new(),
            label: 0,
            steps: 0,
            most_spikes: 0,
            before: Vec::new(),
            examples: 0,
            testing,
        }
    }

    /// The bound that the reference states for its means: n (G(∞) − G(30)).
    fn tail(&self) -> f64 {
        let left = total_area(self.kernel) - Areas::new(self.kernel).up_to(30);
        self.most_spikes as f64 * left + 1e-9
    }
}

impl Watch for LockStep {
    fn phase(&mut self, phase: Phase, steps: usize, layers: &[Layer], _: &State) {
        if !self.testing {
            assert_eq!(steps, self.dense.phase_length());
        }
        if phase == Phase::Forward {
            self.dense.adopt(layers);
        }
        self.steps = steps;
        self.dense.begin(phase);
    }

    fn step(&mut self, phase: Phase, t: usize, _: &[Layer], state: &State) {
        let label = (phase == Phase::Target).then_some(self.label);
        self.dense.step(&self.image, label);
        self.dense.average(phase, t, self.steps);
        if t + 1 == self.steps {
            self.dense.end(phase);
        }
        assert_eq!(state.input_spikes, self.dense.spikes(0), "input spikes of step {t}");
        for (l, neurons) in state.neurons.iter().enumerate() {
            let basal: Vec<f64> = neurons.drive.iter().map(|drive| drive / SHARE).collect();
            all_close(&basal, &self.dense.basal[l], 1e-9, "basal");
            all_close(&neurons.soma, &self.dense.soma[l], 1e-9, "soma");
            assert_eq!(neurons.spikes, self.dense.spikes(l + 1), "spikes of layer {l} in step {t}");
        }
        let lists = state.neurons.iter().map(|n| &n.spikes).chain([&state.input_spikes]);
        for spikes in lists {
            let most = spikes.chunk_by(|a, b| a == b).map(<[u32]>::len).max().unwrap_or(0);
            self.most_spikes = self.most_spikes.max(most);
        }
    }

    fn before_update(&mut self, layers: &[Layer], state: &State) {
        let tail = self.tail();
        all_close(&state.input_psp, &self.dense.forward.psp[0], tail, "mean PSP of the input");
        for (l, neurons) in state.neurons.iter().enumerate() {
            all_close(&neurons.psp, &self.dense.forward.psp[l + 1], tail, "mean PSP");
            all_close(&neurons.soma_mean, &self.dense.forward.soma[l], 1e-9, "mean soma");
        }
        let (output, hidden) = state.neurons.split_last().unwrap();
        all_close(&output.rate_mean, self.dense.target.rate.last().unwrap(), 1e-9, "mean rate");
        for (l, neurons) in hidden.iter().enumerate() {
            let plateaus = [
                (&neurons.plateau.forward, &self.dense.forward.plateau[l]),
                (&neurons.plateau.target, &self.dense.target.plateau[l]),
            ];
            let feedback = layers[l].feedback.chunks(layers[l].units);
            let reach =
                feedback.map(|column| column.iter().fold(0.0, |m: f64, y| m.max(y.abs()))).sum::<f64>();
            for (ours, literal) in plateaus {
                all_close(ours, literal, tail * reach / 4.0, "plateau");
            }
        }
        self.before = layers.to_vec();
    }

    fn example_end(&mut self, layers: &[Layer], state: &State) {
        for (l, (layer, before)) in layers.iter().zip(&self.before).enumerate() {
            let error = &state.neurons[l].error;
            let changes: Vec<f64> = layer.weights.iter().zip(&before.weights).map(|(a, b)| a - b).collect();
            let biases: Vec<f64> = layer.bias.iter().zip(&before.bias).map(|(a, b)| a - b).collect();
            all_close(&biases, error, 1e-9, "Δb");
            if self.kernel == Kernel::Cut {
                all_close(error, &self.dense.errors(l), 1e-9, "e");
                all_close(&changes, &self.dense.weight_changes(l), 1e-9, "ΔW");
            } else {
                // e is bounded by the plateaus above; here its product with the PSP.
                let psp = &self.dense.forward.psp[l];
                let literal: Vec<f64> = psp.iter().flat_map(|s| error.iter().map(move |e| e * s)).collect();
                let largest = error.iter().fold(0.0, |m: f64, e| m.max(e.abs()));
                all_close(&changes, &literal, largest * self.tail() + 1e-9, "ΔW");
            }
        }
        self.examples += 1;
    }
}

fn trains_in_lock_step(settings: &Settings, examples: usize) {
    let mut network = Network::new(settings).unwrap();
    let mut literal = LockStep::new(settings, settings.seed, false);
    let mut draws = Stream::Order.open(3);
    for example in 0..examples {
        literal.image = image(settings.sizes[0], &mut draws);
        literal.label = example * 3 % settings.sizes.last().unwrap();
        let (image, label) = (literal.image.clone(), literal.label as u8);
        network.train_watched(&image, label, &mut literal);
    }
    assert_eq!(literal.examples, examples);
}

#[test]
fn every_kernel_and_depth_follows_the_literal_equations() {
    for kernel in KERNELS {
        for preset in [Preset::Paper, Preset::May2017] {
            let settings = Settings { preset, ..settings(&[12, 9, 7, 4], kernel) };
            trains_in_lock_step(&settings, 4);
        }
        trains_in_lock_step(&settings(&[20, 3], kernel), 3);
        trains_in_lock_step(&settings(&[12, 40, 3], kernel), 3);
    }
}

#[test]
fn fresh_draws_follow_the_literal_equations() {
    trains_in_lock_step(&Settings { draws: Draws::Fresh, ..settings(&[12, 9, 7, 4], Kernel::Cut) }, 4);
}

#[test]
fn a_network_of_784_inputs_follows_the_literal_equations() {
    for kernel in [Kernel::Scaled, Kernel::Cut] {
        trains_in_lock_step(&settings(&[784, 20, 10], kernel), 2);
    }
}

#[test]
fn a_test_starts_from_rest_and_leaves_no_trace() {
    let settings = settings(&[30, 12, 4], Kernel::Scaled);
    let mut network = Network::new(&settings).unwrap();
    let mut draws = Stream::Order.open(5);
    let first = image(30, &mut draws);
    network.train(&first, 1);
    let mut undisturbed = network.clone();
    let mut tester = network.tester(11);
    let mut answers = Vec::new();
    for index in [4, 2, 4] {
        let mut literal = LockStep::new(&settings, test_seed(11, index), true);
        literal.image.clone_from(&first);
        answers.push(tester.potentials(&first, index, 60, &mut literal).to_vec());
        let means: Vec<f64> = literal.dense.forward.soma.last().unwrap().clone();
        all_close(answers.last().unwrap(), &means, 1e-9, "mean soma");
    }
    assert_eq!(answers[0], answers[2]);
    assert_ne!(answers[0], answers[1]);
    network.train(&first, 2);
    undisturbed.train(&first, 2);
    assert_eq!(network.layers(), undisturbed.layers());
    assert_eq!(network.state(), undisturbed.state());
}

#[test]
fn a_short_test_averages_its_second_half() {
    let network = Network::new(&settings(&[30, 12, 4], Kernel::Scaled)).unwrap();
    struct Last(Vec<Vec<f64>>);
    impl Watch for Last {
        fn step(&mut self, _: Phase, _: usize, _: &[Layer], state: &State) {
            self.0.push(state.output().soma.clone());
        }
    }
    let image = image(30, &mut Stream::Order.open(6));
    let mut somata = Last(Vec::new());
    let means = network.tester(1).potentials(&image, 0, 5, &mut somata).to_vec();
    for (k, mean) in means.iter().enumerate() {
        close(*mean, somata.0[2..].iter().map(|c| c[k]).sum::<f64>() / 3.0, 1e-12, "mean soma");
    }
}

#[test]
fn an_impulse_through_the_filters_leaves_the_kernel() {
    for kernel in KERNELS {
        let Cascade { fast, slow, fast_tail, slow_tail, gain } = Cascade::new(kernel);
        let (mut x1, mut x2, mut past) = (0.0, 0.0, [0.0; 10]);
        for n in 1..=200 {
            let u = if n == 1 { 1.0 } else { 0.0 };
            let old = std::mem::replace(&mut past[(n - 1) % 10], u);
            x1 += fast * (u - x1) - fast_tail * old;
            x2 += slow * (x1 - x2) - slow_tail * old;
            close(gain * x2, tap(kernel, n), 1e-15, "κ");
        }
    }
}

#[test]
fn kernel_areas_are_those_of_the_model() {
    close(total_area(Kernel::Cut), 0.5104, 5e-5, "cut");
    close(total_area(Kernel::Scaled), 0.5104, 5e-5, "scaled");
    close(total_area(Kernel::Paper), 0.99723, 5e-6, "paper");
    for kernel in KERNELS {
        let areas = Areas::new(kernel);
        close(areas.up_to(10_000), total_area(kernel), 1e-14, "sum of the taps");
        close(areas.share(5, 30, 60), (26..=55).map(|n| tap(kernel, n)).sum(), 1e-15, "early spike");
        close(areas.share(40, 30, 60), (1..=20).map(|n| tap(kernel, n)).sum(), 1e-15, "late spike");
        assert_eq!(areas.share(59, 29, 59), 0.0);
    }
    let left = |kernel| total_area(kernel) - Areas::new(kernel).up_to(30);
    close(left(Kernel::Scaled), 0.035, 5e-4, "tail");
    close(left(Kernel::Paper), 0.068, 5e-4, "tail");
    close(left(Kernel::Cut), 0.0, 1e-15, "tail");
}

/// A network whose weights are zero and whose biases are given.
fn driven_by_bias(settings: &Settings, hidden: f64, output: f64) -> Network {
    let mut network = Network::new(settings).unwrap();
    for (layer, bias) in network.layers_mut().iter_mut().zip([hidden, output]) {
        layer.weights.fill(0.0);
        layer.bias.fill(bias);
    }
    network
}

#[test]
fn a_soma_settles_at_its_share_of_the_basal_potential() {
    let network = driven_by_bias(&settings(&[5, 4, 3], Kernel::Scaled), 2.0, -1.0);
    let mut tester = network.tester(1);
    let means = tester.potentials(&[0; 5], 0, 200, &mut ()).to_vec();
    all_close(&means, &[-6.0 / 7.0; 3], 1e-12, "soma");
}

#[test]
fn clamped_outputs_fire_at_198_and_at_a_few_hertz() {
    // C = (0.6 B ± 8)/1.7; a basal potential between −1.8 and 0 is usual after learning.
    for basal in [-1.8, -1.0, 0.0] {
        let mut network = driven_by_bias(&settings(&[5, 4, 3], Kernel::Cut), 0.0, basal);
        network.train(&[0; 5], 1);
        let output = network.state().output();
        for (unit, (&soma, &rate)) in output.soma.iter().zip(&output.rate_mean).enumerate() {
            let reversal = if unit == 1 { 8.0 } else { -8.0 };
            close(soma, (0.6 * basal + reversal) / 1.7, 1e-5, "clamped soma");
            let hertz = 1000.0 * MAX_RATE * rate;
            let expected = if unit == 1 { 196.4..199.0 } else { 0.8..4.5 };
            assert!(expected.contains(&hertz), "{hertz} Hz at B = {basal}");
        }
    }
    close(1000.0 * MAX_RATE * sigmoid(8.0 / 1.7), 198.2, 0.1, "right output");
}

#[test]
fn errors_and_changes_point_the_right_way() {
    let mut network = Network::new(&settings(&[30, 12, 4], Kernel::Cut)).unwrap();
    struct Signs(Vec<Layer>, bool);
    impl Watch for Signs {
        fn before_update(&mut self, layers: &[Layer], state: &State) {
            self.0 = layers.to_vec();
            let output = state.output();
            for (unit, &e) in output.error.iter().enumerate() {
                // At first no output is at its target: the label fires too little, the rest too much.
                assert_eq!(e > 0.0, unit == 2, "error {e} of output {unit}");
            }
        }
        fn example_end(&mut self, layers: &[Layer], state: &State) {
            let hidden = &state.neurons[0];
            for (j, &psp) in state.input_psp.iter().enumerate() {
                for i in 0..12 {
                    let change = layers[0].column(j)[i] - self.0[0].column(j)[i];
                    let plateau = hidden.plateau.target[i] - hidden.plateau.forward[i];
                    assert_eq!(change == 0.0, psp == 0.0 || plateau == 0.0);
                    assert!(change * plateau >= 0.0);
                    self.1 |= change != 0.0;
                }
            }
            assert_eq!(layers[0].feedback, self.0[0].feedback);
        }
    }
    let mut signs = Signs(Vec::new(), false);
    network.train_watched(&image(30, &mut Stream::Order.open(8)), 2, &mut signs);
    assert!(signs.1, "nothing was learned");
}

#[test]
fn extra_steps_have_the_moments_of_the_model() {
    let mut draws = Stream::Phase.open(1);
    let extra: Vec<u32> = (0..200_000).map(|_| extra_steps(&mut draws)).collect();
    let mean = extra.iter().map(|&e| f64::from(e)).sum::<f64>() / 200_000.0;
    let none = extra.iter().filter(|&&e| e == 0).count() as f64 / 200_000.0;
    close(mean, 1.52, 0.03, "mean extra");
    close(none, 0.49, 0.005, "P(0)");
}

#[test]
fn weight_statistics_are_those_of_the_model() {
    for (fan_in, mean, deviation) in
        [(784, 0.018707, 0.504903), (500, 0.029333, 0.632115), (100, 0.146667, 1.410406)]
    {
        let ours = weight_statistics(fan_in);
        close(ours.0, mean, 5e-7, "W_avg");
        close(ours.1, deviation, 5e-7, "W_sd");
    }
}

fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt())
}

#[test]
fn initial_weights_have_the_spread_of_their_preset() {
    for (preset, spread) in [(Preset::Paper, 1.0), (Preset::May2017, 2.0)] {
        let settings = Settings { preset, ..settings(&[784, 500, 100, 10], Kernel::Scaled) };
        let network = Network::new(&settings).unwrap();
        for (l, layer) in network.layers().iter().enumerate() {
            let (mean, deviation) = weight_statistics(layer.fan_in);
            let ours = moments(&layer.weights);
            close(ours.0, mean, 5.0 * spread * deviation / (layer.weights.len() as f64).sqrt(), "mean W");
            close(ours.1 / deviation, spread, 0.03 * spread, "sd of W");
            let bias = moments(&layer.bias);
            close(bias.0, 0.8, 0.002, "mean b");
            assert!(bias.1 < 0.003);
            close(network.mean_weight(l), ours.0, 1e-12, "mean weight");
        }
        let (first, last) = (moments(&network.layers()[0].feedback), moments(&network.layers()[1].feedback));
        let (mean, deviation) = weight_statistics(100);
        let mean = if preset == Preset::Paper { 0.0 } else { mean };
        close(last.0, mean, 5.0 * spread * deviation / 1000f64.sqrt(), "mean Y");
        close(last.1 / deviation, spread, 0.05 * spread, "sd of Y");
        let expected = if preset == Preset::Paper { 8.9 } else { 2.0 * 0.632 };
        close(first.1 / expected, 1.0, 0.06, "sd of Y of the first layer");
        assert!(network.layers()[2].feedback.is_empty());
    }
}

#[test]
fn counts_are_poisson() {
    for rate in [0.002, 0.05, 0.2] {
        let p = at_least(rate);
        close(p[0], 1.0 - (-rate).exp(), 1e-15, "one");
        close(p[1], 1.0 - (1.0 + rate) * (-rate).exp(), 1e-15, "two");
        let mean = (0..4096).map(|place| count(shared_uniform(place), rate) as f64).sum::<f64>() / 4096.0;
        close(mean, rate, 3.0 / 8192.0, "mean count");
        close(p.iter().sum(), rate, 7e-5, "mean of counts up to three");
    }
    close(at_least(MAX_RATE)[1], 0.0175, 5e-5, "two at the highest rate");
}

#[test]
fn thresholds_say_what_the_definition_says() {
    let noise = Noise::new(&Exact);
    let mut draws = Stream::Order.open(9);
    for place in 0..4096 {
        for _ in 0..250 {
            let potential = f64::from(draws.next_u32() as i32) / 2f64.powi(31) * 20.0;
            let literal = count(shared_uniform(place), MAX_RATE * sigmoid(potential));
            assert_eq!(noise.count(place, potential), literal, "at {potential}");
        }
    }
}

#[test]
fn units_fire_at_their_rate_with_either_draws() {
    let noise = Noise::new(&Exact);
    for draws in [Draws::Shared, Draws::Fresh] {
        let mut stream = Stream::Spikes(0).open(4);
        let (mut spikes, mut total) = (Vec::new(), 0);
        for _ in 0..2000 {
            noise.emit(&[1.0; 100], 0, draws, &mut stream, &mut Exact, &mut spikes);
            total += spikes.len();
        }
        let rate = MAX_RATE * sigmoid(1.0);
        close(total as f64 / 200_000.0, rate, 4.0 * (rate / 200_000.0).sqrt(), "rate");
    }
}

/// Counts what passes each site, and weights to whole 2⁻⁸.
#[derive(Clone, Default)]
struct Grid(Vec<(Site, usize)>);

impl Rounding for Grid {
    fn narrow(&mut self, site: Site, layer: usize, value: f64) -> f64 {
        if !self.0.contains(&(site, layer)) {
            self.0.push((site, layer));
        }
        if site == Site::Weight { (value * 256.0).round() / 256.0 } else { value }
    }
}

#[test]
fn a_rounding_meets_every_site() {
    let mut network = Network::with_rounding(&settings(&[30, 12, 4], Kernel::Cut), Grid::default()).unwrap();
    network.train(&image(30, &mut Stream::Order.open(8)), 2);
    use Site::*;
    for site in [
        Accumulator,
        FilterFast,
        FilterSlow,
        Basal,
        Soma,
        Potential,
        Rate,
        SomaMean,
        Error,
        Delta,
        Weight,
        BiasDelta,
        Bias,
    ] {
        for layer in 0..2 {
            assert!(network.rounding().0.contains(&(site, layer)), "{site:?} of layer {layer}");
        }
    }
    for site in [(Apical, 0), (Plateau, 0), (Feedback, 0), (PspSum, 0), (PspMean, 0), (PspMean, 2)] {
        assert!(network.rounding().0.contains(&site), "{site:?}");
    }
    assert!(network.layers().iter().flat_map(|l| &l.weights).all(|w| (w * 256.0).fract() == 0.0));
}

#[test]
fn settings_survive_a_file_and_bad_ones_are_named() {
    let good = settings(&[784, 500, 10], Kernel::Cut);
    let text = toml::to_string(&good).unwrap();
    assert_eq!(toml::from_str::<Settings>(&text).unwrap(), good, "{text}");
    let no_inputs = settings(&[0, 10], Kernel::Cut);
    assert_eq!(Network::new(&no_inputs).unwrap_err(), SettingsError::Sizes);
    let one_rate = Settings { learning_rates: vec![0.2], ..good };
    assert_eq!(Network::new(&one_rate).unwrap_err(), SettingsError::LearningRates);
}
