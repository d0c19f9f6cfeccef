//! `apical`: parse, run, exit code. Everything else is in the library.

use apical::cli::{self, Cli};
use clap::Parser;
use clap::error::ErrorKind;
use std::process::ExitCode;

/// Bad input; 1 is kept for budgets that were exceeded.
const BAD_INPUT: u8 = 2;

fn main() -> ExitCode {
    let cli = match Cli::try_parse_from(cli::arguments(std::env::args_os())) {
        Ok(cli) => cli,
        Err(error) => return refused(&error),
    };
    match cli.run() {
        Ok(code) => code,
        Err(error) if cli::is_broken_pipe(error.as_ref()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string()),
    }
}

/// Help and version go to stdout; anything wrong with the arguments is one line.
fn refused(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // Whoever closed the pipe does not want to read.
            error.print().unwrap_or_default();
            ExitCode::SUCCESS
        }
        _ => fail(&cli::one_line(&error.to_string())),
    }
}

fn fail(message: &str) -> ExitCode {
    eprintln!("apical: {message}");
    ExitCode::from(BAD_INPUT)
}
