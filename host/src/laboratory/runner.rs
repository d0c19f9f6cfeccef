//! Running cells on all processors, into a store.

use super::cell::Cell;
use super::error::LabError;
use super::formats::Numbers;
use super::notation::decay_name;
use super::store::{Row, Rows, Store};
use crate::data::Dataset;
use crate::experiment::Progress;
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Instant;

/// Why a cell is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// To choose the best values.
    Pilot,
    /// The f64 reference.
    Float,
    /// For its own sake.
    Cell,
    /// Everything in the widest formats.
    Wide,
    /// One variable in its format, the others wide.
    Alone,
    /// One variable wide, the others in their formats.
    Spared,
}

impl Stage {
    /// The name used in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pilot => "pilot",
            Self::Float => "float",
            Self::Cell => "cell",
            Self::Wide => "wide",
            Self::Alone => "alone",
            Self::Spared => "spared",
        }
    }
}

/// A cell and its place among others.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// Why it is run.
    pub stage: Stage,
    /// A value for each axis; empty where there is none.
    pub values: Vec<String>,
    /// What to run.
    pub cell: Cell,
    /// Name of everything that decides its outcome.
    pub key: String,
}

impl Planned {
    /// A cell with its key.
    #[must_use]
    pub fn new(stage: Stage, values: &[String], cell: Cell, data: &Dataset) -> Self {
        let key = key(&cell, data);
        Self { stage, values: values.to_vec(), cell, key }
    }
}

/// 16 hexadecimal digits of everything that decides an outcome.
fn key(cell: &Cell, data: &Dataset) -> String {
    let Cell { model, examples, epochs, test_steps, test_images, count, numbers } = cell;
    let mut text = format!(
        "{} {} {model:?} {examples} {epochs} {test_steps} {test_images} {count}",
        env!("CARGO_PKG_VERSION"),
        data.sha256
    );
    match numbers {
        Numbers::Float => text += " float",
        Numbers::Integer(formats) => {
            text += &format!(" {} {:?}", decay_name(formats.decay), formats.notation());
        }
    }
    let hash = Sha256::digest(text.as_bytes());
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Cells, a store, and how far they are.
pub struct Runner<'a> {
    data: &'a Dataset,
    progress: &'a Progress,
    store: Mutex<Store>,
    found: usize,
    start: Instant,
}

/// What a runner did.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// Rows by key.
    pub rows: Rows,
    /// Cells that were run.
    pub ran: usize,
    /// Cells that the store held already.
    pub found: usize,
    /// Seconds of this run.
    pub seconds: f64,
}

impl<'a> Runner<'a> {
    /// A runner that fills this store.
    #[must_use]
    pub fn new(data: &'a Dataset, store: Store, progress: &'a Progress) -> Self {
        if store.torn > 0 {
            eprintln!("apical: cut off {} bytes of an interrupted row", store.torn);
        }
        Self { data, progress, found: store.rows.len(), store: Mutex::new(store), start: Instant::now() }
    }

    /// Runs those that are not in the store, on the threads of the pool this is called in.
    ///
    /// # Errors
    /// A row that could not be written; those before it are safe.
    ///
    /// # Panics
    /// If another thread did.
    pub fn all(&self, planned: &[Planned], name: &str) -> Result<(), LabError> {
        let todo: Vec<&Planned> = {
            let store = self.store.lock().expect("no writer panicked");
            let mut seen = BTreeSet::new();
            let new = |planned: &&Planned| {
                !store.rows.contains_key(&planned.key) && seen.insert(planned.key.clone())
            };
            planned.iter().filter(new).collect()
        };
        let total: u64 = todo.iter().map(|planned| planned.cell.work()).sum();
        let bar = self.progress.bar(name, total as usize);
        let run = |planned: &Planned| {
            let start = Instant::now();
            let outcome = planned.cell.run(self.data, |work| bar.inc(work));
            let row = Row::new(planned, &outcome);
            let mut store = self.store.lock().expect("no writer panicked");
            store.append(row, start.elapsed().as_secs_f64())
        };
        let outcome = todo.into_iter().par_bridge().try_for_each(run);
        bar.finish_and_clear();
        outcome
    }

    /// Looks at the rows so far.
    ///
    /// # Panics
    /// If another thread did.
    pub fn look<T>(&self, look: impl FnOnce(&Rows) -> T) -> T {
        look(&self.store.lock().expect("no writer panicked").rows)
    }

    /// Puts the store in order and closes it.
    ///
    /// # Errors
    /// Whatever the operating system has against it.
    ///
    /// # Panics
    /// If another thread did.
    pub fn finish(self, planned: &[&[Planned]]) -> Result<Finished, LabError> {
        let keys: Vec<String> =
            planned.iter().copied().flatten().map(|planned| planned.key.clone()).collect();
        let store = self.store.into_inner().expect("no writer panicked");
        let ran = store.rows.len() - self.found;
        let rows = store.finish(&keys)?;
        Ok(Finished { rows, ran, found: self.found, seconds: self.start.elapsed().as_secs_f64() })
    }
}
