//! What came out, for people and for programs.

use std::fmt::Write;

use clap::ValueEnum;
use serde::Serialize;

use super::firmware::Program;
use super::log::{Tested, Trained};
use super::machine::{Device, Plan};
use super::twin::Twin;
use super::{Board, EmulateArgs, Shape};
use crate::data::Dataset;
use crate::vector::Path;

/// Biological time of a training example: two phases of 50 + ⌊Wald⌋ steps of 1 ms.
pub const EXAMPLE_MILLISECONDS: f64 = 103.0;

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A few lines a board.
    Text,
    /// A table, a line a board.
    Markdown,
    /// Everything.
    Json,
    /// What firmware/check keeps: the board's reports, then sizes and instructions.
    Record,
}

/// Whether device and host agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Agreement {
    /// In every report.
    Equal {
        /// Digests compared.
        digests: usize,
    },
    /// Up to this report.
    DiffersAfter {
        /// Training examples before the first digest that differs.
        examples: u32,
    },
    /// The state agrees, the answers of the test do not.
    AnswersDiffer,
}

/// One board.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The board.
    pub board: String,
    /// Its processor.
    pub core: &'static str,
    /// What the compiler calls it.
    pub target: String,
    /// The network.
    pub network: String,
    /// η of each layer.
    pub learning_rates: Vec<f64>,
    /// Seed of every stream.
    pub seed: u64,
    /// Device against host.
    pub agreement: Agreement,
    /// Every report of training.
    pub log: Vec<Trained>,
    /// The last of them.
    pub trained: Trained,
    /// The device's last report of testing.
    pub tested: Option<Tested>,
    /// The host's.
    pub host_tested: Option<Tested>,
    /// Steps of a test.
    pub test_steps: u32,
    /// Whether the device counted its losses.
    pub losses_counted: bool,
    /// Bytes of flash that are code.
    pub code: u32,
    /// Bytes of flash that are constants.
    pub constants: u32,
    /// Bytes of RAM taken for good.
    pub ram: u32,
    /// Peak of the stack.
    pub stack: Option<u32>,
    /// Instructions per unit of something.
    pub instructions: Vec<(String, f64)>,
    /// Clock that the time is estimated for.
    pub clock_mhz: f64,
    /// Milliseconds of a training example if every instruction took one cycle.
    pub example_milliseconds: Option<f64>,
    /// Seconds that the emulator took to learn and test.
    pub emulator_seconds: f64,
}

impl Report {
    #[allow(clippy::too_many_arguments)] // everything that is known about a run
    pub(super) fn new(
        args: &EmulateArgs,
        board: Board,
        shape: Shape,
        program: &Program,
        plan: &Plan,
        twin: Twin,
        device: Device,
        counts: Option<Vec<(String, f64)>>,
    ) -> Self {
        let instructions = counts.unwrap_or_default();
        let example = instructions.iter().find(|(what, _)| what == "example").map(|&(_, each)| each);
        Self {
            core: board.core(),
            board: board.name,
            target: board.target,
            network: shape.to_string(),
            learning_rates: program.rates.clone(),
            seed: plan.seed,
            agreement: agreement(&twin, &device),
            trained: device.trained.last().cloned().unwrap_or_default(),
            log: device.trained,
            tested: device.tested,
            host_tested: twin.tested,
            test_steps: plan.steps,
            losses_counted: program.counts,
            code: program.code,
            constants: program.constants,
            ram: program.ram,
            stack: device.stack,
            example_milliseconds: example.map(|each| each / (args.clock * 1e3)),
            instructions,
            clock_mhz: args.clock,
            emulator_seconds: device.seconds,
        }
    }

    /// Whether every digest and every answer is the host's.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        matches!(self.agreement, Agreement::Equal { .. })
    }

    fn count(&self, name: &str) -> Option<f64> {
        self.instructions.iter().find(|(what, _)| what == name).map(|&(_, each)| each)
    }

    /// Instructions of an example in f32 with micromath, over those in integers.
    #[must_use]
    pub fn float_ratio(&self) -> Option<f64> {
        Some(self.count("float-example")? / self.count("example")?)
    }

    fn verdict(&self) -> String {
        match self.agreement {
            Agreement::Equal { digests: 0 } => "equal in every answer".to_owned(),
            Agreement::Equal { digests } => format!("equal ({digests} digests)"),
            Agreement::DiffersAfter { examples } => format!("differs by example {examples}"),
            Agreement::AnswersDiffer => "answers differ".to_owned(),
        }
    }

    fn test_error(&self) -> String {
        let error = |t: &Tested| 100.0 * f64::from(t.wrong) / f64::from(t.images.max(1));
        self.tested.as_ref().map_or("–".to_owned(), |t| format!("{:.1} %", error(t)))
    }

    fn text(&self) -> String {
        let mut out = String::new();
        let t = &self.trained;
        let mut line = |name: &str, value: String| {
            let _ = writeln!(out, "{name:22} {value}");
        };
        line("board", format!("{} ({}), {}", self.board, self.core, self.network));
        let state = if t.digest == 0 { String::new() } else { format!(", state {:016x}", t.digest) };
        line("device and host", self.verdict() + &state);
        let error = 100.0 * f64::from(t.wrong) / f64::from(t.examples.max(1));
        if t.examples > 0 {
            line("training", format!("{} examples, {} steps, error {error:.1} %", t.examples, t.steps));
        }
        if let Some(tested) = &self.tested {
            let host = self.host_tested.as_ref().map_or(0, |t| t.wrong);
            let of = format!("{} wrong of {} in {} steps", tested.wrong, tested.images, self.test_steps);
            line("test", format!("{of} ({}); host {host}", self.test_error()));
        }
        if t.examples > 0 {
            line("spikes", format!("input {}, hidden {}, output {}", t.fired[0], t.fired[1], t.fired[2]));
            let saturated =
                if self.losses_counted { t.saturated.to_string() } else { "not counted here".to_owned() };
            line("saturations", saturated);
        }
        let stack = self.stack.map_or("?".to_owned(), |bytes| bytes.to_string());
        line("RAM", format!("{} bytes static, {stack} stack at most", self.ram));
        line("flash", format!("{} bytes of code, {} of constants", self.code, self.constants));
        for (what, each) in self.instructions.iter().filter(|(what, _)| !what.starts_with("float")) {
            line("instructions", format!("{} per {what}", number(*each)));
        }
        if let Some(float) = self.count("float-example") {
            let times = self.float_ratio().unwrap_or(0.0);
            line("f32 and micromath", format!("{} per example: {times:.1} times as many", number(float)));
        }
        if let Some(ms) = self.example_milliseconds {
            let times = EXAMPLE_MILLISECONDS / ms;
            line(
                "time, estimated",
                format!("{ms:.2} ms an example at {} MHz and one instruction a cycle:", self.clock_mhz),
            );
            line("", format!("{times:.1} times as fast as the {EXAMPLE_MILLISECONDS} ms of biology"));
        }
        out
    }

    /// Words and numbers, a line each.
    fn record(&self) -> String {
        let mut out = String::new();
        for t in &self.log {
            let _ = writeln!(
                out,
                "trained {} wrong {} steps {} fired {} {} {} saturated {} digest {:016x}",
                t.examples, t.wrong, t.steps, t.fired[0], t.fired[1], t.fired[2], t.saturated, t.digest
            );
        }
        if let Some(t) = &self.tested {
            let _ = writeln!(out, "tested {} wrong {} answers {:016x}", t.images, t.wrong, t.answers);
        }
        let sizes = [("code", self.code), ("constants", self.constants), ("ram", self.ram)];
        for (what, bytes) in sizes.into_iter().chain(self.stack.map(|bytes| ("stack", bytes))) {
            let _ = writeln!(out, "size {what} {bytes}");
        }
        for (what, each) in &self.instructions {
            let _ = writeln!(out, "instructions {what} {each:.2}");
        }
        out
    }

    fn row(&self) -> String {
        let dash = || "–".to_owned();
        let example = self.count("example").map_or_else(dash, |n| format!("{:.2} M", n / 1e6));
        let synaptic = self.count("synaptic-operation").map_or_else(dash, |n| format!("{n:.2}"));
        let time = self.example_milliseconds.map_or_else(dash, |ms| format!("{ms:.1} ms"));
        let stack = self.stack.map_or_else(dash, |bytes| format!("{:.1}", f64::from(bytes) / 1024.0));
        let kilobytes = |bytes: u32| f64::from(bytes) / 1024.0;
        let memory = match self.ram {
            0 => "– | –".to_owned(),
            _ => format!(
                "{:.1} + {stack} | {:.1} + {:.1}",
                kilobytes(self.ram),
                kilobytes(self.code),
                kilobytes(self.constants)
            ),
        };
        format!(
            "| {} ({}) | {} | {} | {} | {example} | {synaptic} | {time} | {memory} |",
            self.core,
            self.board,
            self.network,
            self.verdict(),
            self.test_error(),
        )
    }
}

/// A number of instructions, with as many digits as mean something.
fn number(value: f64) -> String {
    if value < 100.0 { format!("{value:.2}") } else { format!("{value:.0}") }
}

fn agreement(twin: &Twin, device: &Device) -> Agreement {
    let longest = twin.trained.len().max(device.trained.len());
    for place in 0..longest {
        let (host, device) = (twin.trained.get(place), device.trained.get(place));
        let same = host.zip(device).is_some_and(|(host, device)| host == device);
        if !same {
            return Agreement::DiffersAfter { examples: host.or(device).map_or(0, |report| report.examples) };
        }
    }
    if twin.tested != device.tested {
        return Agreement::AnswersDiffer;
    }
    Agreement::Equal { digests: longest }
}

/// Where the numbers came from.
#[derive(Debug, Clone, Serialize)]
pub struct Manifest {
    /// `apical`'s version.
    pub version: &'static str,
    /// The commit it was built from, if git was there to tell.
    pub commit: Option<&'static str>,
    /// The command line, program name apart.
    pub command: String,
    /// Instructions that the host compared with.
    pub host_instructions: &'static str,
    /// SHA-256 of the data.
    pub data_sha256: String,
    /// Seed.
    pub seed: u64,
    /// Training examples.
    pub examples: u32,
    /// Test images.
    pub test: u32,
}

/// All boards that were asked for.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// Where they came from.
    pub manifest: Manifest,
    /// A report a board.
    pub reports: Vec<Report>,
    /// How to print them.
    #[serde(skip)]
    pub format: Format,
}

impl Outcome {
    pub(super) fn new(args: &EmulateArgs, dataset: &Dataset, reports: Vec<Report>, format: Format) -> Self {
        let manifest = Manifest {
            version: env!("CARGO_PKG_VERSION"),
            commit: option_env!("APICAL_COMMIT"),
            command: std::env::args().skip(1).collect::<Vec<_>>().join(" "),
            host_instructions: Path::best().name(),
            data_sha256: dataset.sha256.clone(),
            seed: args.seed,
            examples: args.examples(),
            test: args.test,
        };
        Self { manifest, reports, format }
    }

    /// Everything, for programs.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Whether every board agrees with the host.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.reports.iter().all(Report::is_equal)
    }

    /// As text to be printed.
    #[must_use]
    pub fn render(&self) -> String {
        match self.format {
            Format::Text => self.reports.iter().map(Report::text).collect::<Vec<_>>().join("\n"),
            Format::Json => self.json(),
            Format::Record => self.reports.iter().map(Report::record).collect(),
            Format::Markdown => self.markdown(),
        }
    }

    fn markdown(&self) -> String {
        let mut out = String::from(
            "| core (board) | network | device and host | test error | instructions an example | per synaptic operation | time | RAM KB static + stack | flash KB code + constants |\n\
             |---|---|---|---|---|---|---|---|---|\n",
        );
        for report in &self.reports {
            out += &report.row();
            out.push('\n');
        }
        if let Some(report) = self.reports.first() {
            let tested = report.tested.as_ref().map_or(0, |tested| tested.images);
            let _ = writeln!(
                out,
                "\n{} training examples, seed {}; tested on {tested} images in {} steps. Instructions are counted by the \
                 emulator; the time is an estimate: {} MHz, one instruction a cycle. Biology takes {EXAMPLE_MILLISECONDS} ms an example.",
                report.trained.examples, report.seed, report.test_steps, report.clock_mhz
            );
        }
        out
    }
}
