//! Time of training and test examples in formats chosen at run time, beside the compiled-in
//! formats, taking turns: `cargo bench --bench emulated -- [HIDDEN]`; `APICAL_PATH` chooses
//! the instructions.

use apical::data::{Dataset, default_directory};
use apical::laboratory::formats::{Formats, Numbers};
use apical::laboratory::profile::Profile;
use apical::learner::{Learner, Width, emulated, native};
use apical::model::Model;
use apical::vector::Path;
use apical_core::emulated::Table;
use apical_core::formats::Variable;
use apical_core::parameters::Preset;
use apical_core::rounding::{Overflow, Rounding};
use apical_core::tables::psp::Kernel;
use std::time::Instant;

const WARM_UP: usize = 2000;
const ROUNDS: usize = 15;
const EXAMPLES: usize = 200;
const TESTS: usize = 50;

struct Runner {
    name: &'static str,
    learner: Box<dyn Learner>,
    train: Vec<f64>,
    test: Vec<f64>,
}

fn main() {
    // Cargo adds a flag of its own.
    let hidden = std::env::args().skip(1).find(|argument| argument != "--bench");
    let data = Dataset::load(&default_directory()).expect("the data set that comes with the project");
    let hidden = hidden.unwrap_or_else(|| "100".into());
    let hidden = hidden.split(',').filter_map(|size| size.parse().ok());
    let sizes: Vec<usize> = [784].into_iter().chain(hidden).chain([10]).collect();
    let model = Model {
        learning_rates: vec![0.21; sizes.len() - 1],
        sizes,
        kernel: Kernel::Scaled,
        preset: Preset::May2017,
        seed: 1,
    };
    let path = Path::best();
    let formats = |width, change: &dyn Fn(&mut Table)| {
        let mut formats = Formats::native(width, Rounding::Stochastic, model.layers());
        formats.tables.iter_mut().for_each(change);
        formats
    };
    let states = [Variable::FilterFast, Variable::FilterSlow, Variable::Basal, Variable::Soma];
    let six = formats(Width::SIXTEEN, &|table| {
        // ±16, as the compiled-in 8 bits have it.
        for variable in [Variable::Weight, Variable::Feedback] {
            *table.of_mut(variable) = table.of(variable).with_format(6, 2);
        }
        table.of_mut(Variable::Accumulator).format.fraction = 2;
    });
    let states_in = |bits, fraction| {
        formats(Width::EIGHT, &|table| {
            for variable in states {
                *table.of_mut(variable) = table.of(variable).with_format(bits, fraction);
            }
        })
    };
    let (narrow, whole) = (states_in(10, 4), states_in(16, 9));
    let states_as = |rounding, overflow| {
        formats(Width::EIGHT, &|table| {
            for variable in states {
                let line = table.of_mut(variable);
                (line.rounding, line.overflow) = (rounding, overflow);
            }
        })
    };
    let noisy = states_as(Rounding::Stochastic, Overflow::Saturate);
    let to_even = states_as(Rounding::NearestEven, Overflow::Saturate);
    let wrapping = states_as(Rounding::Nearest, Overflow::Wrap);
    let dropping = formats(Width::EIGHT, &|table| {
        let line = table.of_mut(Variable::Weight);
        (line.rounding, line.overflow) = (Rounding::UnitStep, Overflow::Drop);
    });
    let profile = |name| match Profile::named(name).and_then(|profile| profile.numbers(model.layers())) {
        Ok(Numbers::Integer(formats)) => formats,
        _ => panic!("no integers in profile {name}"),
    };
    let (odin, reckon, loihi) = (profile("odin"), profile("reckon"), profile("loihi"));
    let wide = Formats::wide(model.layers());
    let (sixteen, eight) = (formats(Width::SIXTEEN, &|_| {}), formats(Width::EIGHT, &|_| {}));
    let chosen = |formats: &Formats, count| emulated(&model, &formats.tables, formats.decay, count);
    let cut = Model { kernel: Kernel::Cut, ..model.clone() };
    let under_cut = |formats: &Formats| emulated(&cut, &formats.tables, formats.decay, false);
    let compiled = |width| native(&model, width, Rounding::Stochastic, path, false);
    let runner = |name, learner| Runner { name, learner, train: vec![], test: vec![] };
    let mut runners = [
        runner("compiled in, 16 bits", compiled(Width::SIXTEEN)),
        runner("compiled in, 8 bits", compiled(Width::EIGHT)),
        runner("16 bits", chosen(&sixteen, false)),
        runner("8 bits", chosen(&eight, false)),
        runner("8 bits, counted", chosen(&eight, true)),
        runner("weights 6.2", chosen(&six, false)),
        runner("states 10.4", chosen(&narrow, false)),
        runner("states 10.4, counted", chosen(&narrow, true)),
        runner("8 bits, cut kernel", under_cut(&eight)),
        runner("states 10.4, cut kernel", under_cut(&narrow)),
        runner("states 16.9", chosen(&whole, false)),
        runner("states to even", chosen(&to_even, false)),
        runner("states wrap", chosen(&wrapping, false)),
        runner("weights by ±1, dropped", chosen(&dropping, false)),
        runner("profile odin", chosen(&odin, false)),
        runner("profile loihi", chosen(&loihi, false)),
        runner("profile reckon", chosen(&reckon, false)),
        runner("states stochastic", chosen(&noisy, false)),
        runner("wide", chosen(&wide, false)),
    ];
    let order: Vec<u32> = (0..60_000).collect();
    for runner in &mut runners {
        runner.learner.train(&data.train, &order[..WARM_UP]);
    }
    let mut answers = vec![0; TESTS];
    for round in 0..ROUNDS {
        for runner in &mut runners {
            let start = Instant::now();
            runner.learner.train(&data.train, &order[WARM_UP + round * EXAMPLES..][..EXAMPLES]);
            runner.train.push(start.elapsed().as_secs_f64() * 1e6 / EXAMPLES as f64);
            let mut tester = runner.learner.tester();
            let start = Instant::now();
            tester.test(&data.test, round * TESTS, 250, &mut answers);
            runner.test.push(start.elapsed().as_secs_f64() * 1e6 / TESTS as f64);
        }
    }
    println!("{} on {}, microseconds: median (least) of {ROUNDS} rounds", model.topology(), path.name());
    println!("{:<26}{:>18}{:>24}", "", "training example", "test of 250 steps");
    for runner in &mut runners {
        let show = |times: &mut Vec<f64>| {
            times.sort_by(f64::total_cmp);
            format!("{:.1} ({:.1})", times[ROUNDS / 2], times[0])
        };
        println!("{:<26}{:>18}{:>24}", runner.name, show(&mut runner.train), show(&mut runner.test));
    }
}
