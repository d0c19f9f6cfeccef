//! A comparison as a page of at most 100 columns.

use crate::counters::{Warning, first_overflows, mean_bias};
use crate::experiment::manifest::Manifest;
use crate::experiment::{Comparison, Course, Epoch};
use crate::lockstep::{Agreement, COMPARED, Parting};
use crate::statistics::{Uncertainty, mean};
use apical_core::formats::{ERROR_FRACTION, Variable};
use apical_core::losses::{LayerTallies, Tally, UPDATES_EVERY};

use super::table::{Table, count, significant};

/// The whole page.
#[must_use]
pub fn comparison(outcome: &Comparison) -> String {
    let sections = [
        manifest(&outcome.manifest),
        accuracy(outcome),
        errors(outcome),
        spikes(outcome),
        losses(outcome),
        weights(outcome),
        costs(outcome),
    ];
    sections.join("\n")
}

/// What was run.
#[must_use]
pub fn manifest(m: &Manifest) -> String {
    let seeds: Vec<String> = m.seeds.iter().map(ToString::to_string).collect();
    format!(
        "{}seeds {}  {} examples × {} epoch{}  tested on {} images, {} steps each\n{}",
        network(m),
        shorten(&seeds.join(", "), 30),
        count(m.examples as u64),
        m.epochs,
        if m.epochs == 1 { "" } else { "s" },
        count(m.test_images as u64),
        m.test_steps,
        data(m),
    )
}

/// Which program, which network.
#[must_use]
pub fn network(m: &Manifest) -> String {
    let rates: Vec<String> = m.learning_rates.iter().map(ToString::to_string).collect();
    let commit = m.commit.map_or(String::new(), |commit| format!(" ({commit})"));
    format!(
        "apical {}{commit}, {}, {} threads\n\
         {}  kernel {}  preset {}  η {}  {} weights, {} updates{}\n",
        m.version,
        m.instructions,
        m.jobs,
        m.topology,
        m.kernel,
        m.preset,
        rates.join(", "),
        m.formats.weight_bits,
        m.rounding,
        match m.formats.error_fraction {
            ERROR_FRACTION => String::new(),
            fraction => format!(", errors in steps of 2^-{fraction}"),
        },
    )
}

/// Which data.
#[must_use]
pub fn data(m: &Manifest) -> String {
    format!("data {}, sha256 {}…\n", m.data.name, &m.data.sha256[..16])
}

fn shorten(text: &str, most: usize) -> String {
    match text.chars().count() > most {
        true => text.chars().take(most - 1).chain(['…']).collect(),
        false => text.to_owned(),
    }
}

fn percent(share: f64) -> String {
    format!("{:.2}", 100.0 * share)
}

fn accuracy(outcome: &Comparison) -> String {
    let mut table = Table::new(1, ["Test error, %", "core", "reference", "difference"]);
    for (core, reference) in outcome.core.iter().zip(&outcome.reference) {
        let [a, b] = [core, reference].map(Course::test_error);
        table.row([
            format!("seed {}", core.seed),
            percent(a),
            percent(b),
            format!("{:+.2}", 100.0 * (a - b)),
        ]);
    }
    let means = [&outcome.core, &outcome.reference]
        .map(|courses| mean(&courses.iter().map(Course::test_error).collect::<Vec<_>>()));
    table.row([
        "mean".into(),
        percent(means[0]),
        percent(means[1]),
        format!("{:+.2}", 100.0 * (means[0] - means[1])),
    ]);
    format!("{}\n{}{}", table.render(), difference(outcome), mcnemar(outcome))
}

fn difference(outcome: &Comparison) -> String {
    let Some(difference) = outcome.difference else { return String::new() };
    match difference.uncertainty {
        Uncertainty::SingleSeed => "  One seed: no interval can be given for the difference.\n".into(),
        Uncertainty::OverSeeds { interval, p_value, .. } => format!(
            "  The integers cost {:+.2} points, 95 % interval [{:+.2}, {:+.2}] over {} paired seeds (p = {}).\n",
            100.0 * interval.estimate,
            100.0 * interval.low,
            100.0 * interval.high,
            difference.seeds,
            significant(p_value, 2),
        ),
    }
}

fn mcnemar(outcome: &Comparison) -> String {
    let test = outcome.mcnemar;
    format!(
        "  Of all test images only the core is wrong on {}, only the reference on {}\n  \
         (McNemar, {}: p = {}).\n",
        count(test.only_a),
        count(test.only_b),
        if test.exact { "exact" } else { "χ²" },
        significant(test.p_value, 2),
    )
}

fn errors(outcome: &Comparison) -> String {
    let shadow = &outcome.shadow.errors;
    let head = ["", "", "largest", "RMS", "largest", "RMS", "bias", "SQNR", "RMS, LSB, while", "one LSB"];
    let mut table = Table::new(2, head);
    table.head(["Error of", "layer", "real", "real", "LSB", "LSB", "LSB", "dB", "spikes agree", "is"]);
    for variable in COMPARED {
        for (name, layer) in outcome.layers.iter().zip(&shadow.layers) {
            let (errors, lsb) = (&layer.errors[variable as usize], layer.lsb[variable as usize]);
            if errors.all.count() == 0 {
                continue;
            }
            let (real, steps, agreeing) =
                (errors.all.summary(), errors.all.in_lsb(lsb), errors.agreeing.in_lsb(lsb));
            let before = if agreeing.count == 0 { "–".into() } else { significant(agreeing.rms, 2) };
            table.row([
                variable.name().to_owned(),
                name.clone(),
                significant(real.largest, 2),
                significant(real.rms, 2),
                significant(steps.largest, 3),
                significant(steps.rms, 2),
                format!("{:+.4}", steps.bias),
                format!("{:.1}", real.sqnr_db),
                before,
                format!("{lsb:.1e}"),
            ]);
        }
    }
    format!(
        "Core minus reference, number by number, seed {}, {} of its examples, one example at a time\n\
         (the reference is given the core's weights and state before each):\n\n{}",
        outcome.core[0].seed,
        shadow.examples,
        table.render()
    )
}

fn spikes(outcome: &Comparison) -> String {
    let shadow = &outcome.shadow.errors;
    let mut table =
        Table::new(1, ["Spikes", "matched", "missed", "extra", "agreement", "core, Hz", "reference, Hz"]);
    let agreements = [shadow.input].into_iter().chain(shadow.layers.iter().map(|layer| layer.spikes));
    let names = ["input".to_owned()].into_iter().chain(outcome.layers.iter().cloned());
    for (level, (name, spikes)) in names.zip(agreements).enumerate() {
        table.row(spike_row(outcome, level, name, spikes));
    }
    format!(
        "{}\n  In {} of {} examples every spike agreed. {}\n",
        table.render(),
        shadow.identical,
        shadow.examples,
        parting(outcome, &outcome.shadow.parting)
    )
}

fn spike_row(outcome: &Comparison, level: usize, name: String, spikes: Agreement) -> [String; 7] {
    let hz = |courses: &[Course]| {
        let rates = courses.iter().flat_map(|course| &course.epochs).map(|epoch| epoch.rates_hz[level]);
        format!("{:.1}", mean(&rates.collect::<Vec<_>>()))
    };
    [
        name,
        count(spikes.matched),
        count(spikes.missed),
        count(spikes.extra),
        format!("{:.3} %", 100.0 * spikes.share()),
        hz(&outcome.core),
        hz(&outcome.reference),
    ]
}

fn parting(outcome: &Comparison, parting: &Parting) -> String {
    let Some(spike) = &parting.spike else {
        return format!("Run freely, all spikes of {} examples agreed.", parting.examples);
    };
    let layer = match spike.level {
        0 => "input",
        level => &outcome.layers[level - 1],
    };
    let [core, reference] = spike.spikes.map(times);
    let somas =
        spike.somas.map_or(String::new(), |[core, reference]| format!(" (soma {core:.4}, {reference:.4})"));
    format!(
        "Run freely, the two part in example {},\n  {} phase, step {}: unit {} of layer {layer} fires \
         {core} in the core, {reference} in the reference{somas}.",
        spike.example + 1,
        spike.phase,
        spike.step,
        spike.unit,
    )
}

fn times(spikes: usize) -> &'static str {
    ["not", "once", "twice"].get(spikes).copied().unwrap_or("three times")
}

fn losses(outcome: &Comparison) -> String {
    let neutral = if outcome.counting_is_neutral { "equal" } else { "DIFFERENT" };
    format!(
        "{}\n  Whole run of seed {}; variables not listed lost nothing. Overflows are all counted, changes in one\n  \
         example of {UPDATES_EVERY}. Digest with and without counting: {neutral}.\n",
        losses_table(&outcome.layers, &outcome.shadow.losses),
        outcome.core[0].seed,
    )
}

/// What each variable of each layer lost, as far as it lost anything.
fn losses_table(names: &[String], layers: &[LayerTallies]) -> String {
    let head = ["Losses", "layer", "overflows", "changes", "lost", "share lost", "mean bias, LSB"];
    let mut table = Table::new(2, head);
    for (name, layer) in names.iter().zip(layers) {
        for variable in Variable::ALL {
            let tally = &layer[variable as usize];
            if *tally != Tally::default() {
                table.row(loss_row(name, variable, tally));
            }
        }
    }
    table.render()
}

/// The losses of a run that counted them, and what is wrong with its layers.
#[must_use]
pub fn counters(names: &[String], layers: &[LayerTallies], warnings: &[Warning]) -> String {
    let mut text = format!(
        "{}\n  Whole run; variables not listed lost nothing. A change is an error times a mean PSP, neither\n  \
         of them zero; it is lost where it rounds to nothing. Overflows are all counted, changes in one\n  \
         example of {UPDATES_EVERY}.\n",
        losses_table(names, layers)
    );
    let firsts = first_overflows(names, layers);
    let firsts = firsts.iter().map(|first| format!("  first overflow of {first}\n"));
    text.extend(firsts.chain(warnings.iter().map(|warning| format!("WARNING: {warning}\n"))));
    text
}

fn loss_row(layer: &str, variable: Variable, tally: &Tally) -> [String; 7] {
    let of_updates = |text: String| if tally.values > 0 { text } else { "–".into() };
    [
        variable.name().to_owned(),
        layer.to_owned(),
        count(tally.overflows()),
        of_updates(count(tally.values)),
        of_updates(count(tally.lost)),
        of_updates(format!("{:.2} %", 100.0 * tally.lost as f64 / tally.values as f64)),
        mean_bias(tally).map_or("–".into(), |bias| format!("{bias:+.5}")),
    ]
}

/// The epochs shown: all of a short run, the first and last few of a long one.
fn shown(epochs: usize) -> Vec<usize> {
    (0..epochs).filter(|epoch| epochs <= 12 || *epoch < 6 || epoch + 6 >= epochs).collect()
}

fn weights(outcome: &Comparison) -> String {
    let head = ["Epoch", "test error, %"].map(str::to_owned).into_iter();
    let mut table = Table::new(1, head.chain(outcome.layers.iter().cloned()));
    for epoch in shown(outcome.core[0].epochs.len()) {
        let average = |courses: &[Course], of: &dyn Fn(&Epoch) -> f64| {
            mean(&courses.iter().map(|course| of(&course.epochs[epoch])).collect::<Vec<_>>())
        };
        let both = |of: &dyn Fn(&Epoch) -> f64| [average(&outcome.core, of), average(&outcome.reference, of)];
        let [core, reference] = both(&|epoch| epoch.test_error).map(percent);
        let means = (0..outcome.layers.len()).map(|layer| both(&|epoch| epoch.mean_weights[layer]));
        let means = means.map(|[core, reference]| format!("{core:+.4} / {reference:+.4}"));
        table.row([(epoch + 1).to_string(), format!("{core} / {reference}")].into_iter().chain(means));
    }
    format!(
        "Mean weight of each layer, core / reference, over seeds (a biased rounding shows here first):\n\n{}",
        table.render()
    )
}

fn costs(outcome: &Comparison) -> String {
    let mut table = Table::new(1, ["Cost", "core", "reference", "ratio"]);
    let [(core_weights, core_state), (weights, state)] = [outcome.core[0].bytes, outcome.reference[0].bytes];
    let mut row = |name: &str, core: f64, reference: f64, text: &dyn Fn(f64) -> String| {
        table.row([name.to_owned(), text(core), text(reference), format!("{:.1}", reference / core)]);
    };
    let bytes = |value: f64| count(value as u64);
    row("bytes of weights and feedback", core_weights as f64, weights as f64, &bytes);
    row("bytes of state", core_state as f64, state as f64, &bytes);
    let micros = |value: f64| format!("{value:.1}");
    type Reading = (&'static str, fn(&Epoch) -> f64);
    let times: [Reading; 2] =
        [("µs a training example", |epoch| epoch.train_us), ("µs a test image", |epoch| epoch.test_us)];
    for (name, time) in times {
        let [core, reference] = [&outcome.core, &outcome.reference].map(|courses| {
            crate::experiment::course::median(courses.iter().map(|course| course.median(time)).collect())
        });
        row(name, core, reference, &micros);
    }
    format!(
        "{}\n  Times are medians over seeds and epochs while {} threads ran side by side.\n",
        table.render(),
        outcome.manifest.jobs
    )
}
