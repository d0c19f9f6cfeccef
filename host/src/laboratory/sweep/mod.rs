//! `apical sweep`: a grid of networks, in parallel, into a store that can be resumed.
//!
//! | file | what |
//! |---|---|
//! | [`axis`] | what can be swept |
//! | [`grid`] | the cells of a sweep |
//! | [`store`] | rows that survive a kill |
//! | [`run`] | pilots, references, cells, on all processors |
//! | [`summary`] | tables |
//! | [`chart`] | figures |

pub mod axis;
pub mod chart;
pub mod grid;
pub mod run;
pub mod store;
pub mod summary;

use super::error::LabError;
use super::formats::Numbers;
use super::table::effective;
use crate::data::{Dataset, default_directory};
use grid::{Grid, Spec};
use std::path::PathBuf;

/// Train a grid of networks and tabulate their errors; resumes where it was interrupted
#[derive(Debug, Clone, clap::Args)]
pub struct SweepArgs {
    /// TOML file with the sweep; flags override it
    spec: Option<PathBuf>,
    /// Axis, such as weights.bits=2..16 or hidden=50,100,500x100 (repeatable)
    #[arg(long = "axis", value_name = "NAME=VALUES")]
    axes: Vec<String>,
    /// Axis of which only the best value is run, chosen by the error in training (repeatable)
    #[arg(long, value_name = "NAME")]
    best: Vec<String>,
    /// Training examples of the cells that choose
    #[arg(long)]
    pilot_examples: Option<usize>,
    /// Seeds
    #[arg(long, value_delimiter = ',')]
    seeds: Vec<u64>,
    /// Units of each hidden layer
    #[arg(long, value_delimiter = ',')]
    hidden: Vec<usize>,
    /// η, one or one for each layer
    #[arg(long, value_delimiter = ',')]
    learning_rate: Vec<f64>,
    /// Formats to start from: native16, native8, wide, a profile or a profile's file
    #[arg(long)]
    formats: Option<String>,
    /// Change of a format in every cell (repeatable)
    #[arg(long = "format", value_name = "VAR[@LAYER]=FORMAT")]
    format: Vec<String>,
    /// Training examples of a cell
    #[arg(long)]
    examples: Option<usize>,
    /// Steps of a test
    #[arg(long)]
    test_steps: Option<u32>,
    /// Test images
    #[arg(long)]
    test_images: Option<usize>,
    /// Run the f64 reference beside
    #[arg(long)]
    reference: bool,
    /// Count losses
    #[arg(long)]
    counters: bool,
    /// Networks at a time; as many as there are processors if left out
    #[arg(long)]
    jobs: Option<usize>,
    /// Store: a CSV file; manifest, times and figures lie beside it
    #[arg(long, default_value = "results/sweep.csv")]
    output: PathBuf,
    /// Directory of the four IDX files
    #[arg(long, value_name = "DIRECTORY")]
    data: Option<PathBuf>,
    /// No bar
    #[arg(long)]
    quiet: bool,
}

impl SweepArgs {
    /// File and flags together.
    fn spec(&self) -> Result<Spec, LabError> {
        let mut spec = match &self.spec {
            None => Spec::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(LabError::file(path))?;
                toml::from_str(&text).map_err(|error| LabError::content(path, error))?
            }
        };
        let lists = [(&mut spec.axes, &self.axes), (&mut spec.best, &self.best), (&mut spec.format, &self.format)];
        lists.into_iter().for_each(|(list, more)| list.extend(more.iter().cloned()));
        replace(&mut spec.seeds, &self.seeds);
        replace(&mut spec.hidden, &self.hidden);
        replace(&mut spec.learning_rate, &self.learning_rate);
        spec.formats = self.formats.clone().unwrap_or(spec.formats);
        spec.examples = self.examples.unwrap_or(spec.examples);
        spec.pilot_examples = self.pilot_examples.unwrap_or(spec.pilot_examples);
        spec.test_steps = self.test_steps.unwrap_or(spec.test_steps);
        spec.test_images = self.test_images.unwrap_or(spec.test_images);
        spec.reference |= self.reference;
        spec.counters |= self.counters;
        Ok(spec)
    }
}

fn replace<T: Clone>(place: &mut Vec<T>, values: &[T]) {
    if !values.is_empty() {
        *place = values.to_vec();
    }
}

/// Runs `apical sweep`: the table that it prints at the end.
pub fn run(args: &SweepArgs) -> Result<String, LabError> {
    let data = Dataset::load(&args.data.clone().unwrap_or_else(default_directory))?;
    let grid = Grid::new(args.spec()?, &data)?;
    announce(&grid, &data)?;
    let jobs = args.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let finished = run::run(&grid, &data, &args.output, jobs, args.quiet)?;
    let summary = summary::Summary::new(&grid, &finished.rows);
    for (name, figure) in chart::figures(&grid, &summary)? {
        let path = args.output.with_extension(format!("{name}.svg"));
        std::fs::write(&path, figure).map_err(LabError::file(&path))?;
    }
    Ok(format!("{}{}", summary.text(), finished.closing()))
}

/// The effective formats of the first cell, before anything runs.
fn announce(grid: &Grid, data: &Dataset) -> Result<(), LabError> {
    let values = grid.combinations(true).into_iter().next().unwrap_or_default();
    let first = grid.planned(grid::Stage::Cell, &values, grid.spec.seeds[0], data)?;
    let named: Vec<_> = grid.axes.iter().zip(&values).map(|(axis, value)| format!("{}={value}", axis.name)).collect();
    eprintln!("first of the grid: {}", named.join(" "));
    if let Numbers::Integer(_) = first.cell.numbers {
        eprint!("{}", effective(&first.cell.model, &first.cell.numbers));
    }
    Ok(())
}
