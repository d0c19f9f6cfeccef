//! Emulated formats against compiled-in ones, and the quick way against the long one.

use apical::data::{Dataset, default_directory};
use apical::laboratory::formats::{Formats, Numbers};
use apical::laboratory::profile::Profile;
use apical::learner::{Learner, Width, emulated, emulated_on, native};
use apical::model::Model;
use apical::network::OwnedNetwork;
use apical::vector::Path;
use apical_core::emulated::{Decay, Emulated, Pace, fits_container};
use apical_core::formats::{Format, Variable};
use apical_core::parameters::Preset;
use apical_core::random::{Generator, Stream};
use apical_core::rounding::{Overflow, Rounding};
use apical_core::tables::psp::Kernel;
use rand_core::Rng;

/// What moves in a step.
const STATES: [Variable; 4] = [Variable::FilterFast, Variable::FilterSlow, Variable::Basal, Variable::Soma];

fn model(sizes: &[usize]) -> Model {
    Model {
        sizes: sizes.to_vec(),
        kernel: Kernel::Scaled,
        preset: Preset::May2017,
        learning_rates: vec![0.21; sizes.len() - 1],
        seed: 4,
    }
}

fn data() -> Dataset {
    Dataset::load(&default_directory()).expect("shipped data")
}

/// Narrower formats in a wide container give the bits of a type compiled that narrow.
#[test]
fn the_native_formats_emulated_keep_the_native_bits_for_a_thousand_examples() {
    let (data, model) = (data(), model(&[784, 40, 10]));
    let order: Vec<u32> = (0..1000).collect();
    let mixed = Width::new(Width::usual(8, false), Width::usual(16, true));
    let finer = Width::new(Width::usual(8, false), Format::new(8, 5));
    let coarse = [finer.with_errors(5), Width::SIXTEEN.with_errors(3)];
    for width in [Width::SIXTEEN, Width::EIGHT, mixed, finer].into_iter().chain(coarse) {
        for rounding in [Rounding::Stochastic, Rounding::Nearest] {
            let formats = Formats::native(width, rounding, 2);
            let mut ours = emulated(&model, &formats.tables, formats.decay, false);
            let mut theirs = native(&model, width, rounding, Path::best(), false);
            ours.train(&data.train, &order);
            theirs.train(&data.train, &order);
            assert_eq!(ours.digest(), theirs.digest(), "{width:?} {rounding:?}");
        }
    }
}

/// Outputs of the compiled-in arithmetic are read out after a test, emulated ones go step by step, in which every
/// state is rounded: the same network has mean potentials that differ by little, and nearly always the same answer.
#[test]
fn outputs_read_out_are_those_followed_step_by_step() {
    let data = data();
    let (order, images) = ((0..1000).collect::<Vec<u32>>(), 1000);
    for (sizes, width) in [
        (&[784, 100, 10][..], Width::SIXTEEN),
        (&[784, 100, 10], Width::EIGHT),
        (&[784, 60, 40, 10], Width::SIXTEEN),
        (&[784, 10], Width::SIXTEEN),
    ] {
        let model = model(sizes);
        let layers = model.layers();
        let formats = Formats::native(width, Rounding::Stochastic, layers);
        let mut stepping =
            OwnedNetwork::new(Emulated::<_, false>::new(Path::best().kernels()), &model, |layer| {
                formats.coefficients(&model, layer)
            });
        let mut reading: Box<dyn Learner> = native(&model, width, Rounding::Stochastic, Path::best(), false);
        reading.train(&data.train, &order);
        for &index in &order {
            let (image, label) = (data.train.image(index as usize), data.train.labels[index as usize]);
            stepping.with(|network| network.train(image, usize::from(label), &mut ()));
        }
        assert_eq!(reading.digest(), Some(stepping.digest()));
        let mut answers = vec![0; images];
        reading.tester().test(&data.test, 0, 250, &mut answers);
        let mut others = 0;
        for (index, &answer) in answers.iter().enumerate() {
            let (image, of) = (data.test.image(index), (model.seed, index as u32));
            let (step_by_step, sums) = stepping.with(|network| {
                (network.test(image, 250, of, &mut ()), network.output.soma_sums[..10].to_vec())
            });
            if usize::from(answer) != step_by_step {
                others += 1;
                let mean = |output: usize| sums[output] as f64 / 256.0 / 220.0;
                let apart = mean(step_by_step) - mean(usize::from(answer));
                assert!(apart < 0.02, "{}: {apart} apart", model.topology());
            }
        }
        println!("{}, {width:?}: {others} of {images} answers differ", model.topology());
        assert!(others <= images / 200, "{}: {others} answers differ", model.topology());
    }
}

/// No weight is beyond the bound of its column, not even of neurons without errors: sums are said
/// to fit into 16 bits by these bounds. One neuron is alone in its block, has the largest weights,
/// and, without feedback, no error.
#[test]
fn bounds_hold_all_weights_of_their_columns() {
    let data = data();
    for path in Path::available() {
        bounds_hold(path, &data);
    }
}

fn bounds_hold(path: Path, data: &Dataset) {
    let model = Model { learning_rates: vec![3.0; 2], ..model(&[784, 33, 10]) };
    for rounding in [Rounding::Floor, Rounding::Stochastic] {
        let formats = Formats::native(Width::SIXTEEN, rounding, 2);
        let arithmetic = Emulated::<_, false>::new(path.kernels());
        let mut network = OwnedNetwork::new(arithmetic, &model, |layer| formats.coefficients(&model, layer));
        network.with(|network| {
            let layer = &mut network.hidden[0];
            layer.feedback.iter_mut().skip(32).step_by(layer.stride).for_each(|weight| *weight = 0);
            layer.weights.iter_mut().skip(32).step_by(layer.stride).for_each(|weight| *weight = 5000);
            layer.bounds.fill(5000);
        });
        for example in 0..20 {
            let (image, label) = (data.train.image(example), usize::from(data.train.labels[example]));
            network.with(|network| {
                network.train(image, label, &mut ());
                let layer = &network.hidden[0];
                assert_eq!(layer.errors[32], 0);
                for (column, bound) in layer.weights.chunks(layer.stride).zip(&*layer.bounds) {
                    let largest = column.iter().map(|weight| weight.unsigned_abs()).max();
                    assert!(largest <= Some(*bound), "{largest:?} {bound}, example {example} {rounding:?}");
                }
            });
        }
    }
}

/// On the scalar path, counting takes the long way through every narrowing.
fn the_long_way_agrees(name: &str, formats: &Formats, data: &Dataset) {
    the_long_way_agrees_under(Kernel::Scaled, name, formats, data);
}

fn the_long_way_agrees_under(kernel: Kernel, name: &str, formats: &Formats, data: &Dataset) {
    let model = Model { kernel, ..model(&[784, 170, 10]) };
    let order: Vec<u32> = (0..20).collect();
    let trained = |path, count| {
        let mut learner = emulated_on(&model, &formats.tables, formats.decay, path, count);
        learner.train(&data.train, &order);
        let mut answers = [0; 2];
        learner.tester().test(&data.test, 0, 250, &mut answers);
        (learner.digest(), answers, learner.take_losses())
    };
    let long = trained(Path::Scalar, true);
    for path in Path::available() {
        let quick = trained(path, false);
        assert_eq!((quick.0, quick.1), (long.0, long.1), "{name}, {}", path.name());
        if path != Path::Scalar {
            assert_eq!(trained(path, true), long, "{name}, counted, {}", path.name());
        }
    }
}

#[test]
fn every_rounding_of_states_and_weights_keeps_its_bits_on_the_quick_way() {
    let data = data();
    for rounding in Rounding::ALL {
        for bits in [6, 9, 12, 16, 20, 24, 32] {
            let mut formats = Formats::native(Width::SIXTEEN, Rounding::Stochastic, 2);
            for table in &mut formats.tables {
                for variable in STATES {
                    let line = table.of_mut(variable);
                    *line = line.with_format(bits, bits as i8 - 6);
                    line.rounding = rounding;
                }
                table.of_mut(Variable::Accumulator).rounding = rounding;
            }
            the_long_way_agrees(&format!("states {rounding:?} {bits}"), &formats, &data);
        }
        for bits in [2, 4, 8, 13, 16] {
            let mut formats = Formats::native(Width::SIXTEEN, rounding, 2);
            for table in &mut formats.tables {
                let line = table.of_mut(Variable::Weight);
                *line = line.with_format(bits, bits as i8 - 5);
                let fraction = line.format.fraction;
                table.of_mut(Variable::Accumulator).format.fraction = fraction;
            }
            the_long_way_agrees(&format!("weights {rounding:?} {bits}"), &formats, &data);
        }
    }
}

#[test]
fn every_profile_keeps_its_bits_on_the_quick_way() {
    let data = data();
    for profile in Profile::built_in() {
        match profile.numbers(2).expect("a good profile") {
            Numbers::Float => {}
            Numbers::Integer(formats) => the_long_way_agrees(&profile.name, &formats, &data),
        }
    }
}

#[test]
fn every_overflow_of_states_and_weights_keeps_its_bits_on_the_quick_way() {
    use Variable::{Accumulator, Apical, Basal, Error, FilterFast, FilterSlow, Psp, Rate, Soma, Weight};
    let data = data();
    for overflow in Overflow::ALL {
        for variable in [Accumulator, FilterFast, FilterSlow, Basal, Soma, Apical, Rate, Psp, Error, Weight] {
            for less in [3, 7] {
                let mut formats = Formats::native(Width::EIGHT, Rounding::Stochastic, 2);
                for table in &mut formats.tables {
                    let line = table.of_mut(variable);
                    let Format { bits, fraction } = line.format;
                    *line = line.with_format((bits - less).max(2), fraction);
                    line.overflow = overflow;
                }
                the_long_way_agrees(&format!("{variable:?} {overflow:?} {less}"), &formats, &data);
            }
        }
    }
}

/// What a network's layers go through a vector unit as: steps and updates.
fn paces(formats: &Formats, kernel: Kernel) -> Vec<Pace> {
    let model = Model { kernel, ..model(&[784, 100, 10]) };
    (0..2).flat_map(|layer| formats.coefficients(&model, layer).paces(kernel == Kernel::Cut)).collect()
}

/// The quick way is not only right: it is taken.
#[test]
fn any_rounding_and_overflow_of_sixteen_bits_goes_through_lanes() {
    let native = Formats::native(Width::SIXTEEN, Rounding::Stochastic, 2);
    assert_eq!(paces(&native, Kernel::Scaled), [Pace::Compiled; 4]);
    for kernel in [Kernel::Scaled, Kernel::Cut] {
        for rounding in Rounding::ALL {
            for overflow in Overflow::ALL {
                let mut formats = native.clone();
                for table in &mut formats.tables {
                    for variable in STATES {
                        let line = table.of_mut(variable);
                        *line = line.with_format(16, 9);
                        (line.rounding, line.overflow) = (rounding, overflow);
                    }
                    // A sum of columns does not know what was there before.
                    table.of_mut(Variable::FilterFast).overflow = Overflow::Wrap;
                    let weight = table.of_mut(Variable::Weight);
                    (weight.rounding, weight.overflow) = (rounding, overflow);
                }
                let paces = paces(&formats, kernel);
                let name = format!("{kernel:?} {rounding:?} {overflow:?}: {paces:?}");
                // A step of one of a basal drive that 32 bits do not hold goes by itself.
                let by_steps = rounding == Rounding::UnitStep;
                for [steps, updates] in paces.as_chunks().0 {
                    assert!(by_steps || *steps <= Pace::Lanes, "{name}");
                    assert!(*updates <= Pace::Lanes, "{name}");
                }
            }
        }
    }
    assert_eq!(paces(&Formats::wide(2), Kernel::Scaled)[0], Pace::Long);
    for profile in Profile::built_in() {
        if let Ok(Numbers::Integer(formats)) = profile.numbers(2) {
            // SpiNNaker's states have 32 bits.
            let long = profile.name.starts_with("spinnaker");
            let lanes = paces(&formats, Kernel::Scaled).iter().all(|&pace| pace <= Pace::Lanes);
            assert!(long || lanes, "{}: {:?}", profile.name, paces(&formats, Kernel::Scaled));
        }
    }
}

/// 32 bits hold the sum of 255 potentials of 24 bits: a test of 400 steps moves it on its way.
#[test]
fn long_tests_of_wide_states_answer_as_on_the_long_way() {
    let (data, model) = (data(), model(&[784, 40, 10]));
    let mut formats = Formats::native(Width::SIXTEEN, Rounding::Stochastic, 2);
    for table in &mut formats.tables {
        let soma = table.of_mut(Variable::Soma);
        *soma = soma.with_format(24, 16);
    }
    assert_eq!(paces(&formats, Kernel::Scaled)[2], Pace::Lanes);
    let answers = |path, count| {
        let mut learner = emulated_on(&model, &formats.tables, formats.decay, path, count);
        learner.train(&data.train, &(0..50).collect::<Vec<u32>>());
        let mut answers = [0; 100];
        learner.tester().test(&data.test, 0, 400, &mut answers);
        answers
    };
    let long = answers(Path::Scalar, true);
    assert!(long.iter().any(|&answer| answer != long[0]));
    for path in Path::available() {
        assert_eq!(answers(path, false), long, "{}", path.name());
    }
}

/// A format of any kind for every variable, most of them close to the compiled-in ones.
fn any_formats(draws: &mut Generator) -> Formats {
    let mut below = |end: u32| draws.next_u32() % end;
    let mut formats = match below(6) {
        0 => Formats::wide(2),
        1 => Formats::native(Width::EIGHT, Rounding::Stochastic, 2),
        _ => Formats::native(Width::SIXTEEN, Rounding::Stochastic, 2),
    };
    formats.decay = [Decay::Fine, Decay::Bits(5), Decay::Shift][below(3) as usize];
    // In half of the cases no rounding and no overflow that numbers of 64 bits leave to the long way.
    let (roundings, overflows) = if below(2) == 0 { (5, 1) } else { (Rounding::ALL.len() as u32, 8) };
    let quick = [
        Rounding::Nearest,
        Rounding::Floor,
        Rounding::Stochastic,
        Rounding::TowardZero,
        Rounding::NearestAway,
        Rounding::NearestEven,
        Rounding::UnitStep,
    ];
    let changed = [1, 3, 8][below(3) as usize];
    for table in &mut formats.tables {
        for variable in Variable::ALL {
            if below(8) >= changed {
                continue;
            }
            let line = table.of_mut(variable);
            let Format { bits, fraction } = line.format;
            let most = if fits_container(variable, Format::new(17, 0)) { 32 } else { 16 };
            let bits = (bits + below(6) as u8).saturating_sub(below(9) as u8).clamp(2, most);
            let mut fraction = fraction + below(4) as i8 - below(6) as i8;
            if matches!(variable, Variable::Rate | Variable::Plateau | Variable::Psp) {
                fraction = bits as i8 - 1 + below(2) as i8;
            }
            if below(3) > 0 {
                *line = line.with_format(bits, fraction);
            }
            line.rounding = quick[below(roundings) as usize];
            line.overflow = Overflow::ALL[(below(overflows) as usize).saturating_sub(5)];
        }
    }
    formats
}

#[test]
fn any_formats_keep_their_bits_and_their_losses_on_every_way() {
    let (data, mut draws) = (data(), Stream::Order.open(17));
    for case in 0..150 {
        let formats = any_formats(&mut draws);
        let kernel = if case % 3 == 0 { Kernel::Cut } else { Kernel::Scaled };
        the_long_way_agrees_under(kernel, &format!("case {case}: {formats:?}"), &formats, &data);
    }
}
