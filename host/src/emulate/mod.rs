//! `apical emulate`: the core learns on an emulated microcontroller, and the host checks every digest.
//!
//! Arguments → `board` and `firmware` (what runs) → `twin` (what the host gets for the same examples) →
//! `machine` (the emulator, its examples, its log) → `report`.

mod board;
mod decoder;
mod error;
mod firmware;
pub mod fit;
mod log;
mod machine;
pub mod model;
mod report;
mod twin;

use std::path::PathBuf;

use clap::Args;

pub use board::{Board, Shape};
pub use error::EmulateError;
pub use report::{Format, Outcome, Report};

use crate::data::{Dataset, default_directory};
use crate::experiment::plan::{check_rates, rates_of};
use crate::experiment::saved::Saved;

/// Trains on an emulated microcontroller and compares it with this machine, digest by digest.
#[derive(Args, Debug, Clone)]
pub struct EmulateArgs {
    /// The board; see firmware/boards/boards.txt
    #[arg(long, default_value = "mps2-an386")]
    pub board: String,
    /// Every board, as a table
    #[arg(long, conflicts_with = "board")]
    pub all: bool,
    /// Sizes and formats, as 784-100-10:16, 784-52-10:8,16 [default: what the board has room for]
    #[arg(long)]
    pub network: Option<Shape>,
    /// A trained network (FILE.apical) that the board classifies with, from flash; it goes on
    /// learning if --examples says so
    #[arg(long, value_name = "FILE", conflicts_with_all = ["network", "all"])]
    pub model: Option<PathBuf>,
    /// Learning rate η, one or one for each layer (hidden first) [default: 0.21; with --model, the
    /// network's own]
    #[arg(long, value_name = "ETA", value_delimiter = ',')]
    pub rate: Vec<f64>,
    /// Training examples [default: 1000; with --model, none]
    #[arg(long)]
    pub examples: Option<u32>,
    /// Examples from one digest to the next
    #[arg(long, default_value_t = 100)]
    pub every: u32,
    /// Test images
    #[arg(long, default_value_t = 200)]
    pub test: u32,
    /// Steps of a test
    #[arg(long, default_value_t = 100)]
    pub steps: u32,
    /// Examples whose instructions are counted (0: none)
    #[arg(long, default_value_t = 50)]
    pub count: u32,
    /// Have the board count what saturates, where it has more than 16 KB; slower, by kernels that can
    #[arg(long)]
    pub counts: bool,
    /// Count the same network in f32 with micromath as well
    #[arg(long)]
    pub float: bool,
    /// Seed of every stream, and of the order of the examples
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Clock of the device whose time is estimated, in MHz
    #[arg(long, default_value_t = 168.0)]
    pub clock: f64,
    /// Seconds that a run of the emulator may take
    #[arg(long, default_value_t = 1800)]
    pub timeout: u64,
    /// Folder of the firmware's sources
    #[arg(long, default_value_os_t = firmware::default_directory())]
    pub firmware: PathBuf,
    /// Folder of the images
    #[arg(long, default_value_os_t = default_directory())]
    pub data: PathBuf,
    /// How to print what came out [default: text; markdown with --all]
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// File for everything that came out, as JSON
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// η of a layer where nothing else is said.
const LEARNING_RATE: f64 = 0.21;

impl EmulateArgs {
    /// η of each of so many layers.
    fn rates(&self, layers: usize, saved: Option<&Saved>) -> Result<Vec<f64>, EmulateError> {
        let rates = match (&*self.rate, saved) {
            ([], Some(saved)) => saved.header.learning_rates.clone(),
            ([], None) => vec![LEARNING_RATE; layers],
            (rates, _) => rates_of(rates, layers),
        };
        check_rates(&rates, layers)?;
        Ok(rates)
    }

    fn examples(&self) -> u32 {
        self.examples.unwrap_or(if self.model.is_some() { 0 } else { 1000 })
    }
}

/// Builds, runs, compares. A board that differs from the host is in the outcome, not an error.
///
/// # Errors
/// Whatever kept a board from running to its end: a missing tool, a failed build, a time-out, a fault.
pub fn run(args: &EmulateArgs) -> Result<Outcome, EmulateError> {
    let boards = Board::table(&args.firmware)?;
    let chosen: Vec<Board> = match args.all {
        true => boards,
        false => vec![Board::named(boards, &args.board)?],
    };
    let dataset = Dataset::load(&args.data)?;
    let saved = args.model.as_deref().map(Saved::read).transpose()?;
    let reports = chosen.into_iter().map(|board| run_board(args, board, &dataset, saved.as_ref()));
    let default = if args.all { Format::Markdown } else { Format::Text };
    let format = args.format.unwrap_or(default);
    Ok(Outcome::new(args, &dataset, reports.collect::<Result<_, _>>()?, format))
}

fn run_board(
    args: &EmulateArgs,
    board: Board,
    dataset: &Dataset,
    saved: Option<&Saved>,
) -> Result<Report, EmulateError> {
    let refused = |reason| EmulateError::Model { path: args.model.clone().unwrap_or_default(), reason };
    let shape = match saved {
        Some(saved) => model::shape(&saved.header).map_err(refused)?.0,
        None => args.network.clone().unwrap_or_else(|| board.network.clone()),
    };
    let rates = args.rates(shape.sizes.len() - 1, saved)?;
    let folder = machine::Folder::new().map_err(machine::making_a_folder)?;
    let flash = folder.path().join("model.bin");
    if let Some(saved) = saved {
        std::fs::write(&flash, model::bytes(saved).map_err(refused)?).map_err(machine::making_a_folder)?;
    }
    let examples = args.examples();
    let source = firmware::Source {
        firmware: &args.firmware,
        board: &board,
        shape: &shape,
        rates: &rates,
        program: match saved {
            _ if board.is_web() => "web",
            Some(_) => "infer",
            None => "learn",
        },
        model: saved.map(|_| flash.as_path()),
        goes_on: saved.is_some() && examples > 0,
        counts: args.counts,
    };
    let program = firmware::build(source)?;
    let plan = machine::Plan {
        seed: saved.map_or(args.seed, |saved| saved.header.seed),
        train: examples,
        every: args.every.max(1),
        test: args.test.min(dataset.test.len() as u32),
        steps: args.steps,
    };
    let mut twin = twin::learn(&shape, &program, &plan, dataset, saved);
    if saved.is_some() && examples == 0 {
        twin.trained.clear(); // a board that only classifies has no state to compare
    }
    let order = twin::order(plan.seed, dataset.train.len(), plan.train);
    let device = machine::run(&board, &program, &plan, &order, dataset, machine::Time::Fast, args.timeout)?;
    let instructions = match args.count {
        0 => None,
        _ if board.is_web() => None,
        count => {
            let source = firmware::Source { program: "bench", model: None, goes_on: false, ..source };
            let bench = firmware::build(source)?;
            let plan = machine::Plan { train: count, every: count, test: 0, ..plan };
            let order = twin::order(plan.seed, dataset.train.len(), count);
            let count = |program: &firmware::Program| {
                machine::run(&board, program, &plan, &order, dataset, machine::Time::Counted, args.timeout)
            };
            let mut counts = count(&bench)?.counts;
            if args.float {
                counts.extend(
                    count(&firmware::build(firmware::Source { program: "float", ..source })?)?.counts,
                );
            }
            Some(counts)
        }
    };
    Ok(Report::new(args, board, shape, &program, &plan, twin, device, instructions))
}
