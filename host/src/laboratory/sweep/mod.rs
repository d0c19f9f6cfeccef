//! `apical sweep`: a grid of networks, in parallel, into a store that can be resumed.
//!
//! | file | what |
//! |---|---|
//! | [`axis`] | what can be swept |
//! | [`grid`] | the cells of a sweep |
//! | [`summary`] | tables |
//! | [`chart`] | figures |

pub mod axis;
pub mod chart;
pub mod grid;
pub mod summary;

use super::error::LabError;
use super::formats::Numbers;
use super::runner::{Finished, Planned, Runner, Stage};
use super::store::{Store, header};
use super::table::effective;
use crate::data::Dataset;
use crate::experiment::Progress;
use crate::report;
use grid::Grid;
use serde_json::{Value, json};
use std::path::Path;

/// The effective formats of the first cell that is possible, before anything runs.
///
/// # Errors
/// That no cell is possible.
pub fn announce(grid: &Grid, data: &Dataset) -> Result<String, LabError> {
    let seeds = &grid.spec.plan.seeds;
    let mut refused = None;
    for values in grid.combinations(true) {
        match grid.planned(Stage::Cell, &values, seeds[0], data) {
            Ok(first) => {
                let axes = grid.names().into_iter().zip(&values);
                let named: Vec<String> = axes.map(|(axis, value)| format!("{axis}={value}")).collect();
                let formats = match first.cell.numbers {
                    Numbers::Integer(_) => effective(&first.cell.model, &first.cell.numbers),
                    Numbers::Float => String::new(),
                };
                let (cells, seeds) = (grid.combinations(false).len(), seeds.len());
                let named = named.join(" ");
                return Ok(format!(
                    "{cells} cells × {seeds} seeds; the first of the grid: {named}\n{formats}"
                ));
            }
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    Err(refused.unwrap_or_else(|| LabError::syntax("sweep", "", "has no cells")))
}

/// Runs what the store at `path` does not hold yet; the table, and figures beside the store.
///
/// # Errors
/// A store or a figure that cannot be written; rows before it are safe.
pub fn run(grid: &Grid, data: &Dataset, path: &Path, progress: &Progress) -> Result<String, LabError> {
    let store = Store::open(path, header(&grid.names()))?;
    let finished_before = is_finished(path);
    if !finished_before {
        manifest(grid, data, path, None)?;
    }
    let runner = Runner::new(data, store, progress);
    let mut refused = Vec::new();
    let seeds = &grid.spec.plan.seeds;
    let mut pilots = Vec::new();
    if grid.best.contains(&true) {
        pilots = plan(grid, Stage::Pilot, &grid.combinations(true), &seeds[..1], data, &mut refused);
        runner.all(&pilots, "pilots")?;
        refused.clear();
    }
    let combinations = if pilots.is_empty() { grid.combinations(true) } else { chosen(grid, data, &runner) };
    let mut planned = Vec::new();
    if grid.spec.reference {
        planned = plan(grid, Stage::Float, &grid.references(), seeds, data, &mut refused);
    }
    planned.extend(plan(grid, Stage::Cell, &combinations, seeds, data, &mut refused));
    runner.all(&planned, "cells")?;
    let finished = runner.finish(&[&pilots, &planned])?;
    // A run that finds everything draws the figures anew; the manifest stays that of who ran the cells.
    if finished.ran > 0 || !finished_before {
        manifest(grid, data, path, Some(&finished))?;
    }
    let summary = summary::Summary::new(grid, &finished.rows);
    for (name, figure) in chart::figures(grid, &summary)? {
        let path = path.with_extension(format!("{name}.svg"));
        report::write(&path, figure.as_bytes()).map_err(LabError::file(&path))?;
    }
    Ok(format!("{}{}", summary.text(), closing(&finished, &refused, path)))
}

/// What was run, found and refused.
fn closing(finished: &Finished, refused: &[String], path: &Path) -> String {
    let Finished { ran, found, seconds, .. } = finished;
    let mut text = format!("{ran} cells run in {seconds:.0} s, {found} found; {}\n", path.display());
    for refused in refused.iter().take(5) {
        text += &format!("not possible: {refused}\n");
    }
    if refused.len() > 5 {
        text += &format!("not possible: {} more\n", refused.len() - 5);
    }
    text
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
        let cells: Result<Vec<_>, _> =
            seeds.iter().map(|&seed| grid.planned(stage, values, seed, data)).collect();
        match cells {
            Ok(cells) => planned.extend(cells),
            Err(error) => refused.push(format!("{}: {error}", values.join(" "))),
        }
    }
    planned
}

/// For every combination of the other axes the values of the smallest error late in
/// training; the first of equals.
fn chosen(grid: &Grid, data: &Dataset, runner: &Runner<'_>) -> Vec<Vec<String>> {
    let header = header(&grid.names());
    let mut chosen: Vec<(Vec<String>, f64, Vec<String>)> = Vec::new();
    for values in grid.combinations(true) {
        let pilot = grid.planned(Stage::Pilot, &values, grid.spec.plan.seeds[0], data);
        let Ok(planned) = pilot else { continue };
        let error = runner
            .look(|rows| rows.get(&planned.key).and_then(|row| row.number(&header, "late_train_error")));
        let error = error.unwrap_or(f64::INFINITY);
        let fixed = values.iter().zip(&grid.best).filter(|(_, best)| !**best);
        let rest: Vec<String> = fixed.map(|(value, _)| value.clone()).collect();
        match chosen.iter_mut().find(|(known, ..)| *known == rest) {
            None => chosen.push((rest, error, values)),
            Some(known) if error < known.1 => *known = (rest, error, values),
            Some(_) => {}
        }
    }
    chosen.into_iter().map(|(_, _, values)| values).collect()
}

/// Whether the manifest beside a store is that of a run that came to its end.
fn is_finished(path: &Path) -> bool {
    let text = std::fs::read_to_string(path.with_extension("json")).unwrap_or_default();
    serde_json::from_str::<Value>(&text).is_ok_and(|manifest| manifest["cells_run"].is_u64())
}

fn manifest(grid: &Grid, data: &Dataset, path: &Path, last: Option<&Finished>) -> Result<(), LabError> {
    let manifest = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "commit": option_env!("APICAL_COMMIT"),
        "command": std::env::args().skip(1).collect::<Vec<_>>().join(" "),
        "data": { "sha256": data.sha256, "train": data.train.len(), "test": data.test.len() },
        "columns": header(&grid.names()),
        "sweep": grid.spec.json(),
        "jobs": rayon::current_num_threads(),
        "cells_run": last.map(|last| last.ran),
        "cells_found": last.map(|last| last.found),
        "seconds": last.map(|last| (last.seconds * 10.0).round() / 10.0),
    });
    let path = path.with_extension("json");
    let text = serde_json::to_string_pretty(&manifest).unwrap_or_default() + "\n";
    report::write(&path, text.as_bytes()).map_err(LabError::file(&path))
}
