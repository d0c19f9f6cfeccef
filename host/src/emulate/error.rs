//! What can go wrong, each in one line that says what to do.

use std::path::PathBuf;

use thiserror::Error;

use crate::data::DataError;
use crate::experiment::PlanError;
use crate::experiment::saved::SavedError;

/// Why a board did not run to its end.
#[derive(Debug, Error)]
pub enum EmulateError {
    /// The board is not in the table.
    #[error("there is no board {name}; there are {known}")]
    UnknownBoard {
        /// As asked for.
        name: String,
        /// The names in the table.
        known: String,
    },
    /// The table of boards, or a file of a board, could not be read.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A program that is not installed.
    #[error("{program} is not installed; {remedy}")]
    Missing {
        /// Its name.
        program: String,
        /// What to type.
        remedy: &'static str,
    },
    /// The compiler has no library for the board's processor.
    #[error("the compiler lacks {target}; run: scripts/targets {target}")]
    Target {
        /// The missing target.
        target: String,
    },
    /// The firmware does not compile, or does not fit the board.
    #[error("the firmware does not build for {board} with {network}: {reason}")]
    Build {
        /// The board.
        board: String,
        /// The network.
        network: String,
        /// The first line of the compiler or the linker that says why.
        reason: String,
    },
    /// The program ended with another code than zero.
    #[error("{board} ended with {code}: {reason}")]
    Ended {
        /// The board.
        board: String,
        /// The exit code.
        code: i32,
        /// The last line of its log, or what the code stands for.
        reason: String,
    },
    /// The emulator took too long and was ended.
    #[error("{board} was still running after {seconds} s and was ended; see --timeout")]
    TimeOut {
        /// The board.
        board: String,
        /// The limit.
        seconds: u64,
    },
    /// The program logs in a way this one does not read.
    #[error("{path}: no log that can be decoded ({reason}); build the firmware anew")]
    Log {
        /// The program.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A trained network that the firmware does not take.
    #[error("{path:?}: {reason}")]
    Model {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// Learning rates that are not possible.
    #[error(transparent)]
    Rates(#[from] PlanError),
    /// A file of weights that cannot be read.
    #[error(transparent)]
    Saved(#[from] SavedError),
    /// The images.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Anything else of the operating system.
    #[error("{what}: {source}")]
    System {
        /// What was being done.
        what: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
}
