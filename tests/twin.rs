//! The arithmetic laboratory's instruments: equal bits of native and emulated formats, the
//! forced twin, counters, `diverge`, `regress`.

use apical::data::Dataset;
use apical::diverge::fault::Fault;
use apical::diverge::measure::tables;
use apical::diverge::{Mode, Tally, Twins};
use apical::experiment::Plan;
use apical::learner::{Learner, Width, emulated};
use apical_core::emulated::{Decay, Table};
use apical_core::formats::Variable;
use apical_core::losses::LayerTallies;
use apical_core::parameters::Preset;
use apical_core::rounding::Rounding;
use apical_core::tables::psp::Kernel;
use assert_cmd::Command;
use predicates::prelude::*;
use std::sync::LazyLock;

static DATA: LazyLock<Dataset> =
    LazyLock::new(|| Dataset::load(&apical::data::default_directory()).expect("the data that comes along"));

const MIXED: Width = Width::new(Width::usual(8, false), Width::usual(16, true));
const WIDTHS: [Width; 3] = [Width::SIXTEEN, Width::EIGHT, MIXED];

fn plan(sizes: &[usize], width: Width, rounding: Rounding) -> Plan {
    Plan {
        sizes: sizes.to_vec(),
        kernel: Kernel::Scaled,
        preset: Preset::May2017,
        learning_rates: vec![0.21; sizes.len() - 1],
        width,
        rounding,
        seeds: vec![1],
        examples: 1000,
        epochs: 1,
        test_steps: 100,
        test_images: 100,
    }
}

fn trained(mut learner: Box<dyn Learner>, examples: u32) -> (Option<u64>, Vec<LayerTallies>) {
    let order: Vec<u32> = (0..examples).collect();
    learner.train(&DATA.train, &order);
    (learner.digest(), learner.take_losses())
}

/// 8-bit weights in the 16-bit containers of the emulated formats, and as a type of 8 bits.
#[test]
fn emulated_native_formats_have_the_native_bits_for_a_thousand_examples() {
    for width in WIDTHS {
        let plan = plan(&[784, 40, 10], width, Rounding::Stochastic);
        let emulated = emulated(&plan.model(1), &tables(&plan), Decay::Fine, false);
        let (native, _) = trained(plan.counting_core(1), 1000);
        assert_eq!(trained(emulated, 1000).0, native, "{width:?}");
    }
}

#[test]
fn emulated_native_formats_lose_what_the_native_ones_lose() {
    for width in WIDTHS {
        for rounding in Rounding::ALL {
            let plan = plan(&[784, 40, 10], width, rounding);
            let emulated = emulated(&plan.model(1), &tables(&plan), Decay::Fine, true);
            let (native, emulated) = (trained(plan.counting_core(1), 60), trained(emulated, 60));
            assert_eq!(native.0, emulated.0, "{width:?} {rounding:?}");
            for (native, emulated) in native.1.iter().zip(&emulated.1) {
                for variable in Variable::ALL {
                    let [a, b] = [native, emulated].map(|layer| layer[variable as usize]);
                    assert_eq!(a, b, "{variable:?}, {width:?} {rounding:?}");
                }
            }
        }
    }
}

fn forced(plan: &Plan, tables: &[Table], mode: Mode) -> Tally {
    let order: Vec<u32> = (0..60).collect();
    let (before, compared) = order.split_at(50);
    let model = plan.model(1);
    let mut twins = Twins::in_formats(&model, tables, (&DATA.train, before), (&[mode], 8.0));
    twins.compare(&DATA.train, compared, None);
    twins.cores.remove(0).2
}

#[test]
fn forced_errors_are_those_of_one_rounding() {
    let plan = plan(&[784, 40, 10], Width::SIXTEEN, Rounding::Stochastic);
    let tally = forced(&plan, &tables(&plan), Mode::Forced);
    for layer in 0..2 {
        let soma = tally.of(layer, Variable::Soma).expect("somata are compared").all;
        let soma = soma.in_lsb(1.0 / 256.0);
        // Its own rounding, and shares of those of two filters of twice the LSB and of the
        // basal drive, each uniform in ±½ LSB: √(1 + 0.85² + …)/√12 and below 1.
        assert!(soma.rms > 0.28 && soma.rms < 0.7, "layer {layer}: {soma:?}");
        assert!(soma.bias.abs() < 0.15, "layer {layer}: {soma:?}");
    }
    let free = forced(&plan, &tables(&plan), Mode::Free);
    let [free, forced] =
        [&free, &tally].map(|tally| tally.of(1, Variable::Soma).expect("compared").all.rms());
    assert!(free > 4.0 * forced, "errors accumulate: {free} against {forced}");
}

#[test]
fn a_floor_biases_its_variable_by_half_an_lsb() {
    let plan = plan(&[784, 40, 10], Width::SIXTEEN, Rounding::Stochastic);
    for (variable, layer) in [(Variable::FilterFast, 0), (Variable::FilterSlow, 0), (Variable::Soma, 1)] {
        let mut tables = tables(&plan);
        let fault = Fault { variable, rounding: Rounding::Floor };
        tables.iter_mut().for_each(|table| fault.apply(table));
        let line = forced(&plan, &tables, Mode::Forced);
        let line = line.of(layer, variable).expect("compared");
        let bias = line.all.in_lsb(line.lsb).bias;
        assert!(bias < -0.3, "{variable:?}: {bias} LSB");
    }
}

fn apical(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("apical").expect("the program is built");
    command.args(arguments);
    command
}

#[test]
fn regress_passes_here_and_now() {
    apical(&["regress", "-q"]).assert().code(0).stdout(predicate::str::contains("no drift"));
}

#[test]
fn regress_finds_a_seeded_fault_and_names_the_variable() {
    let folder = tempfile::tempdir().expect("a folder");
    let junit = folder.path().join("junit.xml");
    apical(&["regress", "-q", "--fault", "soma=floor", "--github", "--junit", &junit.to_string_lossy()])
        .assert()
        .code(1)
        .stdout(predicate::str::contains("First in the flow of data: soma."))
        .stdout(predicate::str::contains("::error title=apical regress::error of 16 bits, hidden, soma"));
    let xml = std::fs::read_to_string(junit).expect("JUnit is written");
    assert!(xml.contains("<failure"), "{xml}");
}

#[test]
fn regress_without_a_baseline_is_bad_input() {
    let missing = ["regress", "--baseline", "no/such/file.json"];
    apical(&missing).assert().code(2).stderr(predicate::str::contains("make one with --record"));
    apical(&["regress", "--fault", "soma=flor"]).assert().code(2);
}

#[test]
fn diverge_writes_its_table_its_csv_and_its_picture() {
    let folder = tempfile::tempdir().expect("a folder");
    let [csv, svg] = ["out.csv", "out.svg"].map(|name| folder.path().join(name));
    apical(&["diverge", "--hidden", "20", "--after", "20", "--count", "2"])
        .args(["--csv", &csv.to_string_lossy(), "--plot", &svg.to_string_lossy()])
        .assert()
        .code(0)
        .stdout(predicate::str::contains("First divergence beyond 8 LSB"));
    let csv = std::fs::read_to_string(csv).expect("CSV is written");
    assert!(csv.starts_with("mode,layer,variable,phase,step,count,lsb,max_lsb,rms_lsb,bias_lsb,sqnr_db\n"));
    assert!(csv.contains("forced,output,soma,target,3,"));
    let svg = std::fs::read_to_string(svg).expect("a picture is written");
    assert!(svg.starts_with("<svg") && svg.contains("apical dendrite"));
}

#[test]
fn diverge_refuses_what_is_not_there() {
    for wrong in [&["--unit", "100"][..], &["--layer", "2"], &["--example", "60000"], &["--count", "0"]] {
        apical(&["diverge", "--plot", "never.svg"]).args(wrong).assert().code(2);
    }
    assert!(!std::path::Path::new("never.svg").exists());
}

#[test]
fn train_writes_a_row_of_counters_for_each_epoch_layer_and_variable() {
    let folder = tempfile::tempdir().expect("a folder");
    let csv = folder.path().join("counters.csv");
    apical(&["train", "-q", "--hidden", "10", "--examples", "50", "--epochs", "2", "--test-images", "10"])
        .args(["--weights", "8", "--rounding", "nearest", "--counters", &csv.to_string_lossy()])
        .args(["--out", &folder.path().to_string_lossy()])
        .assert()
        .code(0)
        .stdout(predicate::str::contains("share lost"));
    let csv = std::fs::read_to_string(csv).expect("CSV is written");
    assert_eq!(csv.lines().count(), 1 + 2 * 2 * Variable::COUNT);
    apical(&["train", "--arithmetic", "reference", "--counters", "x.csv"]).assert().code(2);
}
