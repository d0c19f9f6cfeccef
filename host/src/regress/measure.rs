//! The measurement: small enough for every change, large enough that a narrowing shows.

use crate::data::Dataset;
use crate::diverge::fault::Fault;
use crate::diverge::measure::tables;
use crate::diverge::report::layer_name;
use crate::diverge::{Mode, Twins};
use crate::experiment::course::Runner;
use crate::experiment::order::Order;
use crate::experiment::{Kind, Plan};
use crate::learner::{self, Learner, Width};
use crate::parallel::in_turn;
use crate::statistics::paired_interval;
use apical_core::emulated::{Decay, Table};
use apical_core::formats::{Format, Variable};
use apical_core::parameters::Preset;
use apical_core::rounding::Rounding;
use apical_core::tables::psp::Kernel;
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The network.
const HIDDEN: usize = 30;
/// Paired seeds of the cost, their training examples and test images.
const SEEDS: u64 = 4;
const EXAMPLES: usize = 5000;
const TEST_IMAGES: usize = 2000;
/// Steps of a test.
const TEST_STEPS: u32 = 100;
/// Examples of a digest and of the counters.
const DIGEST_EXAMPLES: usize = 1000;
/// Examples before the forced twin, and those it compares.
const BEFORE: usize = 300;
const COMPARED: usize = 30;

/// What is compared with the baseline. Keys are `16 bits, hidden, soma`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// State after the training examples of a digest, hexadecimal, by arithmetic.
    pub digests: BTreeMap<String, String>,
    /// Losses of the same runs.
    pub counters: BTreeMap<String, Counted>,
    /// Local errors.
    pub errors: BTreeMap<String, Local>,
    /// Accuracy.
    pub cost: Cost,
}

/// Losses of a variable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// Changes meant.
    pub changes: u64,
    /// Those that rounded to nothing.
    pub lost: u64,
    /// Sum of applied − ideal, in 2⁻¹⁶ LSB.
    pub bias: i64,
    /// Values beyond the range.
    pub overflows: u64,
}

/// Local error of a variable, in LSB.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Local {
    /// Its place in the flow of data.
    pub stage: usize,
    /// Root of the mean square.
    pub rms: f64,
    /// Mean of integer − float.
    pub bias: f64,
    /// Largest magnitude.
    pub largest: f64,
}

/// Test errors of paired seeds, as shares, and the mean difference in points.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Of the integers, seed by seed.
    pub core: Vec<f64>,
    /// Of the floats.
    pub reference: Vec<f64>,
    /// Points that the integers cost.
    pub points: f64,
    /// Its 95 % interval.
    pub interval: [f64; 2],
}

/// One part of the measurement.
#[derive(Clone, Copy)]
enum Task {
    Course(Kind, u64),
    Digest(Width, bool),
    Errors(Width),
}

/// What comes of it.
enum Done {
    Course(Kind, u64, f64),
    Digest(String, u64, Vec<(String, Counted)>),
    Errors(Vec<(String, Local)>),
}

/// 8 bits as they learn best: errors in steps of 2⁻⁵ (`studies/errors`).
const COARSE: Width = Width::new(Format::new(8, 4), Format::new(8, 4)).with_errors(5);

/// Measures everything; `fault` makes one narrowing of the emulated core a wrong one.
#[must_use]
pub fn measure(dataset: &Dataset, fault: Option<Fault>) -> Measured {
    let courses =
        (1..=SEEDS).flat_map(|seed| [Kind::Reference, Kind::Core].map(|kind| Task::Course(kind, seed)));
    let widths = [Width::SIXTEEN, Width::EIGHT];
    let digests = widths.into_iter().chain([COARSE]);
    let digests = digests.flat_map(|width| [false, true].map(|emulated| Task::Digest(width, emulated)));
    let tasks: Vec<Task> = widths.map(Task::Errors).into_iter().chain(courses).chain(digests).collect();
    gather(in_turn(tasks, |task| task.run(dataset, fault)))
}

fn gather(done: Vec<Done>) -> Measured {
    let mut measured = Measured::default();
    let mut courses = Vec::new();
    for done in done {
        match done {
            Done::Course(kind, seed, error) => courses.push((seed, kind.name(), error)),
            Done::Digest(name, digest, counters) => {
                measured.digests.insert(name, format!("{digest:016x}"));
                measured.counters.extend(counters);
            }
            Done::Errors(errors) => measured.errors.extend(errors),
        }
    }
    courses.sort_by_key(|(seed, ..)| *seed);
    let of = |kind: Kind| -> Vec<f64> {
        let courses = courses.iter().filter(|(_, name, _)| *name == kind.name());
        courses.map(|(.., error)| *error).collect()
    };
    let (core, reference) = (of(Kind::Core), of(Kind::Reference));
    let difference = paired_interval(&core, &reference, 0.95).expect("as many cores as references");
    let interval = difference.interval().map_or([f64::NAN; 2], |interval| [interval.low, interval.high]);
    measured.cost =
        Cost { points: 100.0 * difference.mean, interval: interval.map(|end| 100.0 * end), core, reference };
    measured
}

fn plan(width: Width, dataset: &Dataset) -> Plan {
    let sizes = vec![dataset.train.pixels(), HIDDEN, dataset.classes];
    Plan {
        learning_rates: vec![0.21; sizes.len() - 1],
        sizes,
        kernel: Kernel::Scaled,
        preset: Preset::May2017,
        width,
        rounding: Rounding::Stochastic,
        seeds: (1..=SEEDS).collect(),
        examples: EXAMPLES.min(dataset.train.len()),
        epochs: 1,
        test_steps: TEST_STEPS,
        test_images: TEST_IMAGES.min(dataset.test.len()),
    }
}

fn faulty_tables(plan: &Plan, fault: Option<Fault>) -> Vec<Table> {
    let mut tables = tables(plan);
    tables.iter_mut().for_each(|table| fault.iter().for_each(|fault| fault.apply(table)));
    tables
}

fn emulated(plan: &Plan, seed: u64, fault: Option<Fault>, count: bool) -> Box<dyn Learner> {
    learner::emulated(&plan.model(seed), &faulty_tables(plan, fault), Decay::Fine, count)
}

impl Task {
    fn run(self, dataset: &Dataset, fault: Option<Fault>) -> Done {
        match self {
            Self::Course(kind, seed) => {
                let plan = plan(Width::SIXTEEN, dataset);
                let learner = match (kind, fault) {
                    (Kind::Core, Some(_)) => emulated(&plan, seed, fault, false),
                    _ => plan.learner(kind, seed),
                };
                let quiet = ProgressBar::hidden();
                let course = Runner::with_learner(&plan, dataset, kind, seed, learner).run(&quiet, &quiet);
                Done::Course(kind, seed, course.test_error())
            }
            Self::Digest(width, emulation) => digest(&plan(width, dataset), dataset, emulation, fault),
            Self::Errors(width) => Done::Errors(errors(&plan(width, dataset), dataset, fault)),
        }
    }
}

fn digest(plan: &Plan, dataset: &Dataset, emulation: bool, fault: Option<Fault>) -> Done {
    let mut order = Order::new(1, dataset.train.len());
    let order = order.next_epoch(DIGEST_EXAMPLES.min(dataset.train.len()));
    let mut learner = match emulation {
        true => emulated(plan, 1, fault, true),
        false => plan.counting_core(1),
    };
    learner.train(&dataset.train, order);
    let name = format!("{} bits, {}", plan.width, if emulation { "emulated" } else { "native" });
    let layers = plan.sizes.len() - 1;
    let counters = learner.take_losses().into_iter().enumerate().flat_map(|(layer, tallies)| {
        let name = name.clone();
        Variable::ALL.map(move |variable| {
            let tally = tallies[variable as usize];
            let counted = Counted {
                changes: tally.values,
                lost: tally.lost,
                bias: tally.bias,
                overflows: tally.overflows(),
            };
            (format!("{name}, {}, {}", layer_name(layer, layers), variable.name()), counted)
        })
    });
    let counters = counters.filter(|(_, counted)| *counted != Counted::default()).collect();
    Done::Digest(name, learner.digest().unwrap_or(0), counters)
}

fn errors(plan: &Plan, dataset: &Dataset, fault: Option<Fault>) -> Vec<(String, Local)> {
    let mut order = Order::new(1, dataset.train.len());
    let order = order.next_epoch((BEFORE + COMPARED).min(dataset.train.len()));
    let (before, compared) = order.split_at(order.len().min(BEFORE));
    let tables = faulty_tables(plan, fault);
    let model = plan.model(1);
    let mut twins =
        Twins::in_formats(&model, &tables, (&dataset.train, before), (&[Mode::Forced], f64::INFINITY));
    twins.compare(&dataset.train, compared, None);
    let layers = plan.sizes.len() - 1;
    let lines = twins.cores.iter().flat_map(|(_, _, tally)| &tally.lines);
    let local = lines.map(|line| {
        let summary = line.all.in_lsb(line.lsb);
        let name =
            format!("{} bits, {}, {}", plan.width, layer_name(line.layer, layers), line.variable.name());
        let stage = crate::diverge::tally::stage(line.variable);
        (name, Local { stage, rms: summary.rms, bias: summary.bias, largest: summary.largest })
    });
    local.collect()
}
