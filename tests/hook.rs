//! The f64 reference with the rounding hook against the core: the same integers.

use apical::learner::CoreLearner;
use apical::model::Model;
use apical::reference::{self, Draws, Kernel, Preset, Quantised, Settings};
use apical_core::emulated::{Decay, Emulated, Table};
use apical_core::formats::Variable;
use apical_core::parameters;
use apical_core::random::Stream;
use apical_core::rounding::{Overflow, Rounding};
use rand_core::Rng;

type Core = CoreLearner<Emulated>;

/// What a pair of networks is made with.
struct Pair {
    settings: Settings,
    tables: Vec<Table>,
    decay: Decay,
}

fn pair(sizes: &[usize], table: Table) -> Pair {
    let settings = Settings::new(sizes, 7);
    Pair { tables: vec![table; settings.layers()], settings, decay: Decay::Fine }
}

impl Pair {
    fn core(&self) -> Core {
        let Settings { sizes, kernel, preset, learning_rates, seed, .. } = self.settings.clone();
        let preset = match preset {
            Preset::Paper => parameters::Preset::Paper,
            Preset::May2017 => parameters::Preset::May2017,
        };
        let model = Model { sizes, kernel, preset, learning_rates, seed };
        CoreLearner::new(Emulated::<apical_core::kernels::Plain>::default(), &model, |l| {
            model.emulated(l, self.tables[l], self.decay).coefficients()
        })
    }

    /// Trains both and compares them after every example.
    fn agree(&self, examples: impl Iterator<Item = (Vec<u8>, u8)>) {
        let mut core = self.core();
        let mut hooked = Quantised::network(&self.settings, &self.tables, self.decay).unwrap();
        assert_same(self, &mut core, &hooked, 0);
        let mut trained = 0;
        for (image, label) in examples {
            core.network.with(|network| network.train(&image, usize::from(label), &mut ()));
            hooked.train(&image, label);
            trained += 1;
            // Every weight of every example would take longer than the training.
            if trained % 50 == 0 || trained < 4 {
                assert_same(self, &mut core, &hooked, trained);
            }
        }
        assert_same(self, &mut core, &hooked, trained);
    }
}

fn assert_same(pair: &Pair, core: &mut Core, hooked: &reference::Network<Quantised>, example: usize) {
    core.network.with(|network| {
        let layers = network.hidden.iter().chain([&network.output]);
        for (l, layer) in layers.enumerate() {
            let (ours, neurons) = (&hooked.layers()[l], &hooked.state().neurons[l]);
            let same = |variable, theirs: &mut dyn Iterator<Item = i32>, ours: &[f64]| {
                let scale = f64::from(pair.tables[l].of(variable).format.fraction).exp2();
                for (i, (&x, raw)) in ours.iter().zip(theirs).enumerate() {
                    let at = format!("{variable:?} {i} of layer {l} after {example} examples");
                    assert_eq!(x * scale, f64::from(raw), "{at}");
                }
            };
            let matrix = |entries: &[i16]| -> Vec<i32> {
                let columns = entries.chunks_exact(layer.stride);
                columns.flat_map(|c| c[..layer.units].iter().map(|&w| i32::from(w))).collect()
            };
            same(Variable::FilterFast, &mut layer.fast.iter().copied(), &neurons.x1);
            same(Variable::FilterSlow, &mut layer.slow.iter().copied(), &neurons.x2);
            same(Variable::Soma, &mut layer.soma.iter().copied(), &neurons.soma);
            same(Variable::Bias, &mut layer.bias.iter().copied(), &ours.bias);
            same(Variable::Weight, &mut matrix(layer.weights).into_iter(), &ours.weights);
            same(Variable::Feedback, &mut matrix(layer.feedback).into_iter(), &ours.feedback);
        }
    });
}

/// A third of the pixels black, the others of any grey.
fn synthetic(pixels: usize, outputs: usize, examples: usize) -> impl Iterator<Item = (Vec<u8>, u8)> {
    let mut draws = Stream::Order.open(3);
    (0..examples).map(move |example| {
        let grey = |draw: u32| if draw.is_multiple_of(3) { 0 } else { (draw >> 24) as u8 };
        ((0..pixels).map(|_| grey(draws.next_u32())).collect(), (example % outputs) as u8)
    })
}

/// The compiled-in table with one change to every variable.
fn changed(change: impl Fn(Variable, &mut apical_core::emulated::VariableFormat)) -> Table {
    let mut table = Table::native(16, 8, Rounding::Stochastic);
    for variable in Variable::ALL {
        change(variable, table.of_mut(variable));
    }
    table
}

#[test]
fn a_small_network_keeps_the_cores_bits_for_a_thousand_examples() {
    pair(&[30, 20, 10], Table::native(16, 8, Rounding::Stochastic)).agree(synthetic(30, 10, 1000));
}

#[test]
fn eight_bit_weights_keep_the_cores_bits_for_a_thousand_examples() {
    pair(&[30, 20, 10], Table::native(8, 4, Rounding::Stochastic)).agree(synthetic(30, 10, 1000));
}

#[test]
fn coarse_errors_keep_the_cores_bits_for_a_thousand_examples() {
    let table = Table::native(8, 4, Rounding::Stochastic).with_errors(5);
    pair(&[30, 20, 10], table).agree(synthetic(30, 10, 1000));
}

#[test]
fn every_rounding_of_every_variable_gives_the_cores_bits() {
    for mode in Rounding::ALL {
        let table = changed(|_, line| line.rounding = mode);
        pair(&[30, 40, 10], table).agree(synthetic(30, 10, 60));
    }
}

#[test]
fn every_overflow_gives_the_cores_bits() {
    for overflow in Overflow::ALL {
        for narrower in [2, 4] {
            let table = changed(|_, line| {
                line.overflow = overflow;
                let bits = line.format.bits - narrower;
                *line = line.with_format(bits, line.format.fraction);
            });
            // The sum of a dropped accumulator is scratch that the core also uses elsewhere.
            let mut table = table;
            if overflow == Overflow::Drop {
                table.of_mut(Variable::Accumulator).overflow = Overflow::Saturate;
                table.of_mut(Variable::FilterFast).overflow = Overflow::Saturate;
            }
            pair(&[30, 40, 10], table).agree(synthetic(30, 10, 60));
        }
    }
}

#[test]
fn every_kernel_depth_preset_and_decay_gives_the_cores_bits() {
    let table = Table::native(16, 8, Rounding::Stochastic);
    for kernel in [Kernel::Scaled, Kernel::Cut, Kernel::Paper] {
        for decay in [Decay::Fine, Decay::Bits(6), Decay::Shift] {
            for sizes in [&[30, 10][..], &[30, 40, 33, 10]] {
                for preset in [Preset::Paper, Preset::May2017] {
                    let mut pair = pair(sizes, table);
                    pair.decay = decay;
                    pair.settings = Settings { kernel, preset, draws: Draws::Shared, ..pair.settings };
                    pair.agree(synthetic(30, 10, 20));
                }
            }
        }
    }
}

#[test]
fn wide_and_eight_bit_tables_give_the_cores_bits() {
    let mut stochastic = Table::wide();
    for variable in Variable::ALL {
        stochastic.of_mut(variable).rounding = Rounding::Stochastic;
    }
    for table in [Table::wide(), stochastic, Table::native(8, 4, Rounding::Stochastic)] {
        pair(&[30, 40, 10], table).agree(synthetic(30, 10, 60));
    }
}

#[test]
fn mnist_keeps_the_cores_bits_for_a_thousand_examples() {
    let data = apical::data::Dataset::load(&apical::data::default_directory()).unwrap();
    let examples = (0..1000).map(|i| (data.train.image(i).to_vec(), data.train.label(i)));
    pair(&[784, 20, 10], Table::native(16, 8, Rounding::Stochastic)).agree(examples);
}
