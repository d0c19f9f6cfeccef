//! One run of the emulator: examples in by a file, log out by a pipe.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::decoder::Decoder;
use super::firmware::{Program, missing};
use super::log::{Line, Tested, Trained};
use super::{Board, EmulateError};
use crate::data::{Dataset, Split};

/// What the device is asked to do; see firmware/src/examples.rs.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Seed of every stream.
    pub seed: u64,
    /// Examples to train on.
    pub train: u32,
    /// Examples from one report to the next.
    pub every: u32,
    /// Images to test on.
    pub test: u32,
    /// Steps of a test.
    pub steps: u32,
}

/// How the emulator keeps time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// As fast as it can.
    Fast,
    /// One instruction a virtual nanosecond, so that they can be counted.
    Counted,
}

/// What the device got.
#[derive(Debug, Clone, Default)]
pub struct Device {
    /// Report by report.
    pub trained: Vec<Trained>,
    /// The last report of the test.
    pub tested: Option<Tested>,
    /// Peak of the stack.
    pub stack: Option<u32>,
    /// Instructions per unit.
    pub counts: Vec<(String, f64)>,
    /// Seconds that the emulator took.
    pub seconds: f64,
}

/// A child that does not outlive whoever waits for it.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a program on a board.
pub fn run(
    board: &Board,
    program: &Program,
    plan: &Plan,
    order: &[u32],
    dataset: &Dataset,
    time: Time,
    timeout: u64,
) -> Result<Device, EmulateError> {
    let system = |what| move |source| EmulateError::System { what, source };
    let folder = Folder::new().map_err(making_a_folder)?;
    write_examples(&folder, plan, order, dataset).map_err(system("writing the examples"))?;

    let mut command = match board.is_web() {
        true => node(board, program),
        false => emulator(board, program, time),
    };
    command.current_dir(&folder.0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut emulator = Guard(command.spawn().map_err(|_| missing(&board.emulator[0]))?);
    let log = emulator.0.stdout.take().expect("its output is piped");

    let started = Instant::now();
    let followed = follow(log, program, plan, &board.name, Duration::from_secs(timeout), &mut emulator)?;
    let Followed { device, last, late } = followed;
    if late {
        return Err(EmulateError::TimeOut { board: board.name.clone(), seconds: timeout });
    }
    let status = emulator.0.wait().map_err(system("waiting for the emulator"))?;
    match status.code() {
        Some(0) => Ok(Device { seconds: started.elapsed().as_secs_f64(), ..device }),
        code => Err(EmulateError::Ended {
            board: board.name.clone(),
            code: code.unwrap_or(-1),
            reason: match code {
                Some(101) => "a panic".to_owned(),
                _ => last.unwrap_or_else(|| "no log".to_owned()),
            },
        }),
    }
}

fn emulator(board: &Board, program: &Program, time: Time) -> Command {
    let mut command = Command::new(&board.emulator[0]);
    command.args(&board.emulator[1..]);
    if time == Time::Counted {
        command.args(["-icount", "shift=0"]);
    }
    command
        .args(["-display", "none", "-monitor", "none", "-serial", "none"])
        .args(["-semihosting-config", "enable=on,target=native", "-kernel"])
        .arg(&program.elf);
    command
}

fn node(board: &Board, program: &Program) -> Command {
    let mut command = Command::new(&board.emulator[0]);
    command.args(board.emulator[1..].iter().map(|script| program.sources.join(script))).arg(&program.elf);
    command
}

struct Followed {
    device: Device,
    /// The last line that was no report.
    last: Option<String>,
    /// Whether the emulator had to be ended.
    late: bool,
}

/// Reads the log to its end, or kills the emulator when its time is over.
fn follow(
    log: impl Read + Send,
    program: &Program,
    plan: &Plan,
    name: &str,
    timeout: Duration,
    emulator: &mut Guard,
) -> Result<Followed, EmulateError> {
    let decoder = Decoder::of(program)?;
    let bar = ProgressBar::new(u64::from(plan.train) + u64::from(plan.test));
    let style = ProgressStyle::with_template("{msg:14} {bar:40} {pos}/{len} {elapsed} (left {eta})");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(name.to_owned());
    let late = AtomicBool::new(false);
    let (done, wait) = mpsc::channel::<()>();
    let (device, last) = std::thread::scope(|scope| {
        let late = &late;
        scope.spawn(move || {
            if wait.recv_timeout(timeout) == Err(mpsc::RecvTimeoutError::Timeout) {
                late.store(true, Ordering::Relaxed);
                let _ = emulator.0.kill();
            }
        });
        let (mut device, mut last) = (Device::default(), None);
        decoder.lines(log, |line| match Line::parse(line) {
            Line::Trained(report) => {
                bar.set_position(u64::from(report.examples));
                device.trained.push(report);
            }
            Line::Tested(report) => {
                bar.set_position(u64::from(plan.train) + u64::from(report.images));
                device.tested = Some(report);
            }
            Line::Stack(bytes) => device.stack = Some(bytes),
            Line::Count(what, each) => device.counts.push((what, each)),
            Line::Other(text) => last = Some(text),
        });
        drop(done);
        (device, last)
    });
    bar.finish_and_clear();
    Ok(Followed { device, last, late: late.into_inner() })
}

/// The error of a folder that cannot be made, or be written to.
pub fn making_a_folder(source: std::io::Error) -> EmulateError {
    EmulateError::System { what: "writing to a temporary folder", source }
}

/// A folder that goes away with this value.
pub struct Folder(std::path::PathBuf);

impl Folder {
    /// Where it is.
    pub fn path(&self) -> &std::path::Path {
        &self.0
    }

    /// A new one.
    pub fn new() -> std::io::Result<Self> {
        use std::sync::atomic::AtomicU32;
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("apical-emulate-{}-{number}", std::process::id()));
        std::fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn write_examples(folder: &Folder, plan: &Plan, order: &[u32], dataset: &Dataset) -> std::io::Result<()> {
    let mut file = BufWriter::new(File::create(folder.0.join("examples.bin"))?);
    file.write_all(b"APEX")?;
    file.write_all(&(dataset.train.pixels() as u32).to_le_bytes())?;
    file.write_all(&plan.seed.to_le_bytes())?;
    for word in [plan.train, plan.every, plan.test, plan.steps] {
        file.write_all(&word.to_le_bytes())?;
    }
    let mut write = |split: &Split, index: usize| {
        file.write_all(&[split.label(index)])?;
        file.write_all(split.image(index))
    };
    order.iter().take(plan.train as usize).try_for_each(|&index| write(&dataset.train, index as usize))?;
    (0..plan.test as usize).try_for_each(|index| write(&dataset.test, index))?;
    file.flush()
}
