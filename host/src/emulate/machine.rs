//! One run of the emulator: examples in by a file, log out by a pipe.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
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

/// A program that does not outlive whoever waits for it, even where that is killed: a shell beside it ends it when the
/// pipe closes whose other end is here.
struct Guard {
    shell: Child,
    alive: Option<ChildStdin>,
}

impl Guard {
    fn spawn(mut command: Command) -> std::io::Result<Self> {
        let mut shell = command.stdin(Stdio::piped()).spawn()?;
        let alive = shell.stdin.take();
        Ok(Self { shell, alive })
    }

    /// Ends the program.
    fn end(&mut self) {
        self.alive = None;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.end();
        let _ = self.shell.wait();
    }
}

/// A program as the child of such a shell, which exits as it does.
fn watched(program: &str) -> Command {
    const SCRIPT: &str = r#"
        exec 3<&0
        "$@" </dev/null 3<&- & program=$!
        { read -r _; kill -9 $program; } <&3 >/dev/null & watch=$!
        wait $program; status=$?
        kill $watch
        exit $status"#;
    let mut command = Command::new("sh");
    command.args(["-c", SCRIPT, "sh", program]);
    command
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
    command.current_dir(&folder.0).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut emulator = Guard::spawn(command).map_err(|_| missing("sh"))?;
    let log = emulator.shell.stdout.take().expect("its output is piped");

    let started = Instant::now();
    let followed = follow(log, program, plan, &board.name, Duration::from_secs(timeout), &mut emulator)?;
    let Followed { device, last, late } = followed;
    if late {
        return Err(EmulateError::TimeOut { board: board.name.clone(), seconds: timeout });
    }
    let status = emulator.shell.wait().map_err(system("waiting for the emulator"))?;
    match status.code() {
        Some(0) => Ok(Device { seconds: started.elapsed().as_secs_f64(), ..device }),
        Some(127) => Err(missing(&board.emulator[0])), // as a shell says it
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
    let mut command = watched(&board.emulator[0]);
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
    let mut command = watched(&board.emulator[0]);
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
                emulator.end();
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn guarded(program: &str, argument: &str) -> Guard {
        let mut command = watched(program);
        command.arg(argument).stdout(Stdio::piped()).stderr(Stdio::null());
        Guard::spawn(command).unwrap()
    }

    #[test]
    fn a_program_ends_with_whoever_holds_the_pipe() {
        let mut sleep = guarded("sleep", "600");
        let mut output = sleep.shell.stdout.take().unwrap();
        drop(sleep); // as the system does when the holder is killed
        let mut nothing = Vec::new();
        output.read_to_end(&mut nothing).unwrap(); // open for as long as the program runs
        assert!(nothing.is_empty());
    }

    #[test]
    fn exit_codes_come_through() {
        assert_eq!(guarded("true", "").shell.wait().unwrap().code(), Some(0));
        assert_eq!(guarded("false", "").shell.wait().unwrap().code(), Some(1));
        assert_eq!(guarded("there-is-no-such-program", "").shell.wait().unwrap().code(), Some(127));
    }
}
