//! The store of a sweep: a CSV file that survives being killed.
//!
//! A row is appended with one write and synced before the next is begun; what a kill may
//! leave is a last line without its end, which is cut off when the store is opened again.
//! Only a finished sweep is sorted, into a new file that takes the old one's place at once,
//! so that it is the same bytes however often it was interrupted. Times, which never are,
//! go into a file of their own.

use super::cell::Outcome;
use super::error::LabError;
use super::runner::Planned;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Rows by key.
pub type Rows = BTreeMap<String, Row>;

/// One line of the store.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Fields, as many as the header has.
    pub fields: Vec<String>,
}

/// Columns after the axes.
const RESULTS: [&str; 13] = [
    "seed",
    "examples",
    "train_error",
    "late_train_error",
    "test_error",
    "test_wrong",
    "test_images",
    "mean_weight_first",
    "mean_weight_output",
    "lost_updates",
    "overflows",
    "digest",
    "end",
];

/// Columns of a store whose cells differ in these.
#[must_use]
pub fn header(axes: &[String]) -> Vec<String> {
    let axes = axes.iter().map(|axis| axis.replace(['.', '@'], "_"));
    ["key", "stage"].into_iter().map(String::from).chain(axes).chain(RESULTS.map(String::from)).collect()
}

impl Row {
    /// The row of an outcome.
    #[must_use]
    pub fn new(planned: &Planned, outcome: &Outcome) -> Self {
        let cell = &planned.cell;
        let share = |wrong: u64, of: u64| {
            if of == 0 { String::new() } else { format!("{:.6}", wrong as f64 / of as f64) }
        };
        let weight = |mean: Option<&f64>| mean.map_or(String::new(), |mean| format!("{mean:.6}"));
        let counted = |text: String| if outcome.losses.is_empty() { String::new() } else { text };
        let results = [
            cell.model.seed.to_string(),
            cell.trained().to_string(),
            share(outcome.train_wrong, cell.trained() as u64),
            share(outcome.late_wrong, outcome.late_examples),
            share(outcome.test_wrong, cell.test_images as u64),
            outcome.test_wrong.to_string(),
            cell.test_images.to_string(),
            weight(outcome.mean_weights.first()),
            weight(outcome.mean_weights.last()),
            counted(format!("{:.6}", outcome.lost_updates())),
            counted(outcome.overflows().to_string()),
            outcome.digest.map_or(String::new(), |digest| format!("{digest:016x}")),
            ".".into(),
        ];
        let start = [planned.key.clone(), planned.stage.name().into()];
        Self { fields: start.into_iter().chain(planned.values.iter().cloned()).chain(results).collect() }
    }

    /// A number of the row by its column's name.
    #[must_use]
    pub fn number(&self, header: &[String], column: &str) -> Option<f64> {
        let at = header.iter().position(|name| name == column)?;
        self.fields.get(at)?.parse().ok()
    }

    fn line(&self) -> String {
        line(&self.fields)
    }
}

fn line(fields: &[String]) -> String {
    fields.join(",") + "\n"
}

/// A store that is open, and locked against other processes.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    header: Vec<String>,
    file: File,
    times: File,
    /// What it holds.
    pub rows: Rows,
    /// Bytes of a torn end that were cut off.
    pub torn: usize,
}

impl Store {
    /// Opens or begins a store.
    ///
    /// # Errors
    /// A file that cannot be written, that somebody else writes, or that holds something else.
    pub fn open(path: &Path, header: Vec<String>) -> Result<Self, LabError> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(LabError::file(path))?;
        }
        let open = |path: &Path| {
            OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(path)
                .map_err(LabError::file(path))
        };
        let mut file = open(path)?;
        file.try_lock().map_err(|_| LabError::content(path, "another sweep is writing here"))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(LabError::file(path))?;
        let first = line(&header);
        let (rows, kept) = match whole_lines(&bytes).next() {
            Some(found) if found == first.as_bytes() => read(&bytes, header.len()),
            Some(_) => {
                return Err(LabError::content(path, "holds another sweep: its columns are not these axes"));
            }
            None => (Rows::new(), 0),
        };
        let sync = |file: &mut File| -> std::io::Result<()> {
            file.set_len(kept as u64)?;
            file.seek(SeekFrom::End(0))?;
            if kept == 0 {
                file.write_all(first.as_bytes())?;
            }
            file.sync_all()
        };
        sync(&mut file).map_err(LabError::file(path))?;
        let times_path = path.with_extension("times.csv");
        let mut times = open(&times_path)?;
        repair(&mut times).map_err(LabError::file(&times_path))?;
        Ok(Self { path: path.into(), header, file, times, rows, torn: bytes.len() - kept })
    }

    /// Adds a row for good.
    ///
    /// # Errors
    /// Whatever the operating system has against it.
    pub fn append(&mut self, row: Row, seconds: f64) -> Result<(), LabError> {
        let mut write = || -> std::io::Result<()> {
            self.file.write_all(row.line().as_bytes())?;
            self.file.sync_data()?;
            self.times.write_all(format!("{},{seconds:.3}\n", row.fields[0]).as_bytes())
        };
        write().map_err(LabError::file(&self.path))?;
        self.rows.insert(row.fields[0].clone(), row);
        Ok(())
    }

    /// Puts the rows in the order of these keys; rows of other keys follow in theirs.
    ///
    /// # Errors
    /// Whatever the operating system has against it.
    pub fn finish(self, keys: &[String]) -> Result<Rows, LabError> {
        let Self { path, header, rows, .. } = self;
        let listed: std::collections::BTreeSet<&String> = keys.iter().collect();
        let others = rows.keys().filter(|key| !listed.contains(key));
        let mut text = line(&header);
        for row in keys.iter().chain(others).filter_map(|key| rows.get(key)) {
            text += &row.line();
        }
        let new = path.with_extension("csv.part");
        let write = || -> std::io::Result<()> {
            let mut file = File::create(&new)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&new, &path)
        };
        write().map_err(LabError::file(&path))?;
        Ok(rows)
    }
}

/// Cuts off a line without its end; begins the file if it is empty.
fn repair(times: &mut File) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    times.read_to_end(&mut bytes)?;
    let kept: usize = whole_lines(&bytes).map(<[u8]>::len).sum();
    times.set_len(kept as u64)?;
    times.seek(SeekFrom::End(0))?;
    if kept == 0 { times.write_all(b"key,seconds\n") } else { Ok(()) }
}

/// Lines that have their end.
fn whole_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|&byte| byte == b'\n').filter(|line| line.ends_with(b"\n"))
}

/// Rows up to the first bad line, and how many bytes they take.
fn read(bytes: &[u8], columns: usize) -> (Rows, usize) {
    let (mut rows, mut kept) = (Rows::new(), 0);
    for (number, line) in whole_lines(bytes).enumerate() {
        if number > 0 {
            let Ok(text) = std::str::from_utf8(line) else { break };
            let fields: Vec<String> = text.trim_end_matches('\n').split(',').map(String::from).collect();
            if fields.len() != columns || fields.last().is_none_or(|end| end != ".") {
                break;
            }
            rows.insert(fields[0].clone(), Row { fields });
        }
        kept += line.len();
    }
    (rows, kept)
}
