//! Running the cells of a grid.

use super::grid::{Grid, Planned, Stage};
use super::store::{Row, Rows, Store, header};
use crate::data::Dataset;
use crate::laboratory::error::LabError;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

/// A sweep that came to its end.
#[derive(Debug)]
pub struct Finished {
    /// Rows by key.
    pub rows: Rows,
    path: PathBuf,
    ran: usize,
    found: usize,
    refused: Vec<String>,
    seconds: f64,
}

impl Finished {
    /// What was run, found and refused.
    #[must_use]
    pub fn closing(&self) -> String {
        let mut text = format!("{} cells run in {:.0} s, {} found; {}\n", self.ran, self.seconds, self.found, self.path.display());
        for refused in self.refused.iter().take(5) {
            text += &format!("not possible: {refused}\n");
        }
        if self.refused.len() > 5 {
            text += &format!("not possible: {} more\n", self.refused.len() - 5);
        }
        text
    }
}

/// Runs what the store does not hold yet.
pub fn run(grid: &Grid, data: &Dataset, path: &Path, jobs: usize, quiet: bool) -> Result<Finished, LabError> {
    let start = Instant::now();
    let store = Store::open(path, header(grid))?;
    if store.torn > 0 {
        eprintln!("{}: cut off {} bytes of an interrupted row", path.display(), store.torn);
    }
    let runner = Runner {
        data,
        found: store.rows.len(),
        store: Mutex::new(store),
        pool: rayon::ThreadPoolBuilder::new()
            .num_threads(jobs)
            .build()
            .map_err(|error| LabError::Figure(error.to_string()))?,
        quiet,
    };
    let mut keys = Vec::new();
    let mut refused = Vec::new();
    let piloted = grid.best.contains(&true);
    if piloted {
        let pilots = plan(grid, Stage::Pilot, &grid.combinations(true), &grid.spec.seeds[..1], data, &mut refused);
        runner.all(&pilots, "pilots")?;
        keys.extend(pilots.iter().map(|planned| planned.key.clone()));
    }
    let combinations = if piloted { runner.chosen(grid) } else { grid.combinations(true) };
    let mut planned = Vec::new();
    if grid.spec.reference {
        planned = plan(grid, Stage::Float, &grid.references(), &grid.spec.seeds, data, &mut refused);
    }
    planned.extend(plan(grid, Stage::Cell, &combinations, &grid.spec.seeds, data, &mut refused));
    write_manifest(grid, data, path, jobs, None)?;
    runner.all(&planned, "cells")?;
    keys.extend(planned.iter().map(|planned| planned.key.clone()));
    let Runner { store, found, .. } = runner;
    let store = store.into_inner().expect("no writer panicked");
    let ran = store.rows.len() - found;
    let rows = store.finish(&keys)?;
    let seconds = start.elapsed().as_secs_f64();
    write_manifest(grid, data, path, jobs, Some((ran, seconds)))?;
    Ok(Finished { rows, path: path.into(), ran, found, refused, seconds })
}

fn plan(
    grid: &Grid,
    stage: Stage,
    combinations: &[Vec<String>],
    seeds: &[u64],
    data: &Dataset,
    refused: &mut Vec<String>,
) -> Vec<Planned> {
    let mut planned = Vec::new();
    for values in combinations {
        for &seed in seeds {
            match grid.planned(stage, values, seed, data) {
                Ok(cell) => planned.push(cell),
                Err(error) => {
                    refused.push(format!("{}: {error}", values.join(" ")));
                    break;
                }
            }
        }
    }
    planned
}

struct Runner<'a> {
    data: &'a Dataset,
    store: Mutex<Store>,
    pool: rayon::ThreadPool,
    found: usize,
    quiet: bool,
}

impl Runner<'_> {
    /// Runs those that are not in the store.
    fn all(&self, planned: &[Planned], name: &str) -> Result<(), LabError> {
        let todo: Vec<&Planned> = {
            let store = self.store.lock().expect("no writer panicked");
            let mut seen = std::collections::BTreeSet::new();
            planned.iter().filter(|planned| !store.rows.contains_key(&planned.key) && seen.insert(&planned.key)).collect()
        };
        let total = todo.iter().map(|planned| work(planned)).sum();
        let bar = self.bar(name, total);
        let failure = Mutex::new(None);
        self.pool.scope_fifo(|scope| {
            for planned in todo {
                let (bar, failure) = (&bar, &failure);
                scope.spawn_fifo(move |_| {
                    if failure.lock().expect("no writer panicked").is_some() {
                        return;
                    }
                    let start = Instant::now();
                    let outcome = planned.cell.run_with(self.data, |examples| bar.inc(examples));
                    bar.inc(work(planned) - planned.cell.examples as u64);
                    let row = Row::new(planned, &outcome);
                    let mut store = self.store.lock().expect("no writer panicked");
                    if let Err(error) = store.append(row, start.elapsed().as_secs_f64()) {
                        *failure.lock().expect("no writer panicked") = Some(error);
                    }
                });
            }
        });
        bar.finish_and_clear();
        failure.into_inner().expect("no writer panicked").map_or(Ok(()), Err)
    }

    fn bar(&self, name: &str, work: u64) -> ProgressBar {
        let target = if self.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(2) };
        let style = "{prefix:<8} {bar:30} {percent:>3} %  {human_pos} of {human_len} examples, {elapsed} gone, {eta} left";
        let bar = ProgressBar::with_draw_target(Some(work), target);
        bar.set_style(ProgressStyle::with_template(style).expect("the template is well-formed"));
        bar.set_prefix(name.to_owned());
        bar
    }

    /// For every combination of the other axes the values of the smallest error late in
    /// training; the first of equals.
    fn chosen(&self, grid: &Grid) -> Vec<Vec<String>> {
        let store = self.store.lock().expect("no writer panicked");
        let header = header(grid);
        let mut chosen: Vec<(Vec<String>, f64, Vec<String>)> = Vec::new();
        for values in grid.combinations(true) {
            let Ok(planned) = grid.planned(Stage::Pilot, &values, grid.spec.seeds[0], self.data) else { continue };
            let row = store.rows.get(&planned.key);
            let error = row.and_then(|row| row.number(&header, "late_train_error")).unwrap_or(f64::INFINITY);
            let rest: Vec<String> =
                values.iter().zip(&grid.best).filter(|(_, best)| !**best).map(|(value, _)| value.clone()).collect();
            match chosen.iter_mut().find(|(known, ..)| *known == rest) {
                None => chosen.push((rest, error, values)),
                Some(known) if error < known.1 => *known = (rest, error, values),
                Some(_) => {}
            }
        }
        chosen.into_iter().map(|(_, _, values)| values).collect()
    }
}

/// Examples that a cell takes the time of.
fn work(planned: &Planned) -> u64 {
    // A test of 250 steps takes 1.7 times as long as a training example of 102.
    let test = planned.cell.test_images as u64 * u64::from(planned.cell.test_steps) / 147;
    planned.cell.examples as u64 + test
}

fn write_manifest(grid: &Grid, data: &Dataset, path: &Path, jobs: usize, last: Option<(usize, f64)>) -> Result<(), LabError> {
    let manifest = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "commit": option_env!("APICAL_COMMIT"),
        "command": std::env::args().skip(1).collect::<Vec<_>>().join(" "),
        "data": { "sha256": data.sha256, "train": data.train.len(), "test": data.test.len() },
        "columns": header(grid),
        "sweep": grid.spec,
        "jobs": jobs,
        "cells_run": last.map(|last| last.0),
        "seconds": last.map(|last| (last.1 * 10.0).round() / 10.0),
    });
    let path = path.with_extension("json");
    let text = serde_json::to_string_pretty(&manifest).expect("a manifest is plain data") + "\n";
    std::fs::write(&path, text).map_err(LabError::file(&path))
}
