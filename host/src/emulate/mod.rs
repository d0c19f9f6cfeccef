//! `apical emulate`: the core learns on an emulated microcontroller, and the host checks every digest.
//!
//! Arguments → [`board`] and [`firmware`] (what runs) → [`twin`] (what the host gets for the same examples) →
//! [`machine`] (the emulator, its examples, its log) → [`report`].

mod board;
mod decoder;
mod error;
mod firmware;
pub mod fit;
mod log;
mod machine;
mod report;
mod twin;

use std::path::PathBuf;

use clap::Args;

pub use board::{Board, Shape};
pub use error::EmulateError;
pub use report::{Format, Outcome, Report};

use crate::data::{Dataset, default_directory};

/// Trains on an emulated microcontroller and compares it with this machine, digest by digest.
#[derive(Args, Debug, Clone)]
pub struct EmulateArgs {
    /// The board; see firmware/boards/boards.txt
    #[arg(long, default_value = "mps2-an386")]
    pub board: String,
    /// Every board, as a table
    #[arg(long, conflicts_with = "board")]
    pub all: bool,
    /// Sizes and weight bits, as 784-100-10:16 [default: what the board has room for]
    #[arg(long)]
    pub network: Option<Shape>,
    /// Training examples
    #[arg(long, default_value_t = 1000)]
    pub examples: u32,
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
    let reports = chosen.into_iter().map(|board| run_board(args, board, &dataset));
    let default = if args.all { Format::Markdown } else { Format::Text };
    Ok(Outcome { reports: reports.collect::<Result<_, _>>()?, format: args.format.unwrap_or(default) })
}

fn run_board(args: &EmulateArgs, board: Board, dataset: &Dataset) -> Result<Report, EmulateError> {
    let shape = args.network.clone().unwrap_or_else(|| board.network.clone());
    let learn = firmware::build(&args.firmware, &board, &shape, "learn")?;
    let plan = machine::Plan {
        seed: args.seed,
        train: args.examples,
        every: args.every.max(1),
        test: args.test.min(dataset.test.len() as u32),
        steps: args.steps,
    };
    let twin = twin::learn(&shape, &plan, dataset, learn.counts);
    let order = twin::order(args.seed, dataset.train.len(), args.examples);
    let device = machine::run(&board, &learn, &plan, &order, dataset, machine::Time::Fast, args.timeout)?;
    let instructions = match args.count {
        0 => None,
        count => {
            let bench = firmware::build(&args.firmware, &board, &shape, "bench")?;
            let plan =
                machine::Plan { train: count.min(args.examples.max(1)), every: count, test: 0, ..plan };
            let run =
                machine::run(&board, &bench, &plan, &order, dataset, machine::Time::Counted, args.timeout)?;
            Some(run.counts)
        }
    };
    Ok(Report::new(args, board, shape, &learn, &plan, twin, device, instructions))
}
