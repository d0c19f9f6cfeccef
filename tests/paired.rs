//! Core and reference on the same draws: how far each variable may be off over both phases of an
//! example, and where two free runs part.

use apical::data::Dataset;
use apical::experiment::Plan;
use apical::learner::Width;
use apical::lockstep::{COMPARED, shadow, tolerance};
use apical_core::formats::Variable;
use apical_core::parameters::Preset;
use apical_core::rounding::Rounding;
use apical_core::tables::psp::Kernel;
use indicatif::ProgressBar;

/// RMS of the error of a variable in LSB while all spikes agree: one narrowing a step, and what
/// the filters behind it keep of it; the table of σ is off by up to 7 LSB of a plateau.
const fn rms(variable: Variable) -> f64 {
    match variable {
        Variable::Basal | Variable::Soma => 2.0,
        Variable::Apical | Variable::Psp | Variable::Delta => 1.0,
        Variable::Plateau => 24.0,
        Variable::Rate => 12.0,
        Variable::Error => 8.0,
        _ => 0.6,
    }
}

fn plan(hidden: &[usize]) -> Plan {
    let sizes: Vec<usize> = [784].into_iter().chain(hidden.iter().copied()).chain([10]).collect();
    Plan {
        learning_rates: vec![0.21; sizes.len() - 1],
        sizes,
        kernel: Kernel::Scaled,
        preset: Preset::May2017,
        width: Width::SIXTEEN,
        rounding: Rounding::Stochastic,
        seeds: vec![1],
        examples: 400,
        epochs: 1,
        test_steps: 100,
        test_images: 100,
    }
}

#[test]
fn every_variable_stays_within_its_tolerance_over_whole_phases() {
    let data = Dataset::load(&apical::data::default_directory()).expect("shipped data");
    for hidden in [&[100][..], &[60, 40], &[]] {
        let shadow = shadow(&plan(hidden), &data.train, 1, 100, &ProgressBar::hidden());
        assert_eq!(shadow.errors.examples, 100);
        for (number, layer) in shadow.errors.layers.iter().enumerate() {
            for variable in COMPARED {
                let agreeing = layer.errors[variable as usize].agreeing;
                let lsb = layer.lsb[variable as usize];
                let Some((largest, _)) = agreeing.largest() else { continue };
                let name = variable.name();
                let off = agreeing.rms() / lsb;
                assert!(off <= rms(variable), "{hidden:?}, layer {number}: RMS of {name} is {off:.2} LSB");
                let off = largest.abs() / lsb;
                assert!(off <= tolerance(variable), "{hidden:?}, layer {number}: {name} is {off:.2} LSB off");
            }
            let share = layer.spikes.share();
            assert!(share > 0.99, "{hidden:?}, layer {number}: {share} of the spikes agree");
        }
    }
}

#[test]
fn the_first_spike_that_differs_is_found_and_is_a_close_call() {
    let data = Dataset::load(&apical::data::default_directory()).expect("shipped data");
    let parting = shadow(&plan(&[100]), &data.train, 1, 1, &ProgressBar::hidden()).parting;
    let spike = parting.spike.expect("two arithmetics part sooner or later");
    println!("of {} examples, the first spike that differs: {spike:?}", parting.examples);
    assert_ne!(spike.spikes[0], spike.spikes[1]);
    if let Some([core, reference]) = spike.somas {
        // Within the tolerance of a soma, on either side of the threshold.
        let lsb = 1.0 / 256.0;
        assert!((core - reference).abs() <= tolerance(Variable::Soma) * lsb, "{core} and {reference}");
    }
}
