//! Emulated formats against compiled-in ones, and the quick way against the long one.

use apical::data::{Dataset, default_directory};
use apical::laboratory::formats::{Formats, Numbers};
use apical::laboratory::profile::Profile;
use apical::learner::{Width, emulated, native};
use apical::model::Model;
use apical::vector::Path;
use apical_core::formats::{Format, Variable};
use apical_core::parameters::Preset;
use apical_core::rounding::Rounding;
use apical_core::tables::psp::Kernel;

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
    for width in [Width::SIXTEEN, Width::EIGHT, mixed, finer] {
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

/// Counting takes the long way through every narrowing.
fn the_long_way_agrees(name: &str, formats: &Formats, data: &Dataset) {
    let model = model(&[784, 70, 10]);
    let order: Vec<u32> = (0..25).collect();
    let digest = |count| {
        let mut learner = emulated(&model, &formats.tables, formats.decay, count);
        learner.train(&data.train, &order);
        learner.digest()
    };
    assert_eq!(digest(false), digest(true), "{name}");
}

#[test]
fn every_rounding_of_states_and_weights_keeps_its_bits_on_the_quick_way() {
    let data = data();
    for rounding in Rounding::ALL {
        for bits in [6, 9, 12, 16, 24, 32] {
            let mut formats = Formats::native(Width::SIXTEEN, Rounding::Stochastic, 2);
            for table in &mut formats.tables {
                for variable in [Variable::FilterFast, Variable::FilterSlow, Variable::Basal, Variable::Soma]
                {
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
