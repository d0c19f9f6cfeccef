//! `apical compare --profile NAME`: a network under a chip's formats, beside the reference.

use super::args::{FormatArgs, ModelArgs};
use super::cell::{Cell, Outcome};
use super::error::LabError;
use super::formats::Numbers;
use super::profile::Profile;
use super::sweep::summary::over_seeds;
use super::table::effective;
use crate::data::{Dataset, default_directory};
use crate::statistics::paired_interval;
use apical_core::formats::Variable;
use rayon::prelude::*;
use serde_json::json;
use std::fmt::Write;
use std::path::PathBuf;

/// Train under a chip's formats beside the float reference; say what fits and what does not
#[derive(Debug, Clone, clap::Args)]
pub struct TrialArgs {
    /// Profile, or a file with one
    profile: String,
    #[command(flatten)]
    model: ModelArgs,
    /// Change of a format (repeatable)
    #[arg(long = "format", value_name = "VAR[@LAYER]=FORMAT")]
    changes: Vec<super::notation::Change>,
    /// Seeds, each trained twice: under the profile and in float
    #[arg(long, value_delimiter = ',', default_value = "1,2,3")]
    seeds: Vec<u64>,
    /// Training examples in all
    #[arg(long, default_value_t = 60_000)]
    examples: usize,
    /// Steps of a test
    #[arg(long, default_value_t = 250)]
    test_steps: u32,
    /// Test images
    #[arg(long, default_value_t = 10_000)]
    test_images: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Write JSON to a file as well
    #[arg(long)]
    output: Option<PathBuf>,
    /// Do not run the float reference
    #[arg(long)]
    alone: bool,
}

/// Runs a profile.
pub fn run(args: &TrialArgs) -> Result<String, LabError> {
    let data = Dataset::load(&args.model.data.clone().unwrap_or_else(default_directory))?;
    let profile = Profile::named(&args.profile)?;
    let model = args.model.model(data.train.pixels(), data.classes, 1)?;
    let formats = FormatArgs { formats: args.profile.clone(), changes: args.changes.clone(), decay: None };
    let numbers = formats.numbers(model.layers())?;
    if args.seeds.is_empty() || args.examples == 0 || args.test_images == 0 || args.test_images > data.test.len() {
        return Err(LabError::syntax("profile", &args.profile, "needs a seed, an example and a test image, and no more images than there are"));
    }
    if !args.json {
        eprint!("{}", effective(&model, &numbers));
    }
    let cell = |numbers: &Numbers, seed: u64| Cell {
        model: crate::model::Model { seed, ..model.clone() },
        numbers: numbers.clone(),
        examples: args.examples,
        test_steps: args.test_steps,
        test_images: args.test_images,
        count: true,
    };
    let mut cells: Vec<Cell> = args.seeds.iter().map(|&seed| cell(&numbers, seed)).collect();
    let beside = !args.alone && !profile.float;
    if beside {
        cells.extend(args.seeds.iter().map(|&seed| cell(&Numbers::Float, seed)));
    }
    let outcomes: Vec<Outcome> = cells.par_iter().with_max_len(1).map(|cell| cell.run(&data)).collect();
    let error = |outcome: &Outcome| outcome.test_wrong as f64 / args.test_images as f64;
    let (ours, theirs) = outcomes.split_at(args.seeds.len());
    let errors: Vec<f64> = ours.iter().map(error).collect();
    let references: Vec<f64> = theirs.iter().map(error).collect();
    let interval = over_seeds(&errors);
    let cost = paired_interval(&errors, &references, 0.95);
    let result = json!({
        "profile": profile.name,
        "topology": model.topology(),
        "seeds": args.seeds,
        "examples": args.examples,
        "test_steps": args.test_steps,
        "test_images": args.test_images,
        "data_sha256": data.sha256,
        "version": env!("CARGO_PKG_VERSION"),
        "command": std::env::args().skip(1).collect::<Vec<_>>().join(" "),
        "errors": errors,
        "error": interval,
        "float_errors": references,
        "cost": cost,
        "lost_updates": ours.iter().map(Outcome::lost_updates).filter(|lost| lost.is_finite()).collect::<Vec<_>>(),
        "overflows": ours.iter().map(Outcome::overflows).collect::<Vec<_>>(),
        "digests": ours.iter().map(|outcome| outcome.digest.map(|digest| format!("{digest:016x}"))).collect::<Vec<_>>(),
    });
    let pretty = serde_json::to_string_pretty(&result).expect("a result is plain data") + "\n";
    if let Some(path) = &args.output {
        std::fs::write(path, &pretty).map_err(LabError::file(path))?;
    }
    if args.json {
        return Ok(pretty);
    }
    let mut text = format!("{}: {}\n", profile.name, profile.title);
    let list = |errors: &[f64]| errors.iter().map(|error| format!("{:.2}", 100.0 * error)).collect::<Vec<_>>().join(", ");
    let seeds = if errors.len() == 1 { "one seed: no interval".into() } else { format!("95 % over {} seeds", errors.len()) };
    let _ = writeln!(
        text,
        "test error {:.2} % [{:.2}, {:.2}] ({seeds}: {}), {}, {} examples",
        100.0 * interval.estimate,
        100.0 * interval.low,
        100.0 * interval.high,
        list(&errors),
        model.topology(),
        args.examples
    );
    if let Some(cost) = cost {
        let width = cost.interval().map_or(String::new(), |i| format!(" [{:+.2}, {:+.2}]", 100.0 * i.low, 100.0 * i.high));
        let _ = writeln!(text, "cost against float ({}): {:+.2} points{width}", list(&references), 100.0 * cost.mean);
    }
    text += &losses(ours);
    let _ = writeln!(text, "{} on this chip", model.topology());
    Ok(text + &profile.fits(&model))
}

/// What was lost in training, all seeds together, by variable.
fn losses(outcomes: &[Outcome]) -> String {
    let mut text = String::new();
    for variable in Variable::ALL {
        let tallies = outcomes.iter().flat_map(|outcome| &outcome.losses).map(|layer| &layer[variable as usize]);
        let (mut saturated, mut wrapped, mut dropped, mut lost, mut values) = (0, 0, 0, 0, 0);
        for tally in tallies {
            saturated += tally.saturated;
            wrapped += tally.wrapped;
            dropped += tally.dropped;
            lost += tally.lost;
            values += tally.values;
        }
        if saturated + wrapped + dropped + lost > 0 {
            let _ = write!(text, "  lost in {}: {saturated} saturated, {wrapped} wrapped, {dropped} dropped", variable.name());
            if values > 0 {
                let _ = write!(text, ", {:.1} % of updates rounded to nothing", 100.0 * lost as f64 / values as f64);
            }
            text.push('\n');
        }
    }
    text
}
