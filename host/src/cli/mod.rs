//! The command line: each subcommand is its arguments and a `run`.
//!
//! | file | what |
//! |---|---|
//! | [`model_args`], [`mod@format_args`], [`run_args`] | options that several subcommands share |
//! | [`mod@compare`], [`cost`], [`train`], [`mod@test`], [`data`], [`diverge`], [`regress`] | the subcommands |
//! | [`formats`], [`profiles`], [`rounding`], [`sweep`], [`attribute`] | those of the laboratory |
//! | [`emulate`], [`export`], [`fit`] | those for devices |

pub mod attribute;
pub mod compare;
pub mod cost;
pub mod data;
pub mod diverge;
pub mod emulate;
pub mod export;
pub mod fit;
pub mod format_args;
pub mod formats;
pub mod model_args;
pub mod profiles;
pub mod regress;
pub mod rounding;
pub mod run_args;
pub mod sweep;
pub mod test;
pub mod train;

use crate::vector::Path;
use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::LazyLock;

/// Whatever went wrong; it is shown as one line.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// How a subcommand ends.
pub type Outcome = Result<ExitCode, Error>;

static VERSION: LazyLock<String> = LazyLock::new(|| {
    let commit = option_env!("APICAL_COMMIT").map_or(String::new(), |commit| format!(" ({commit})"));
    format!("{}{commit}, runs on {} instructions", env!("CARGO_PKG_VERSION"), Path::best().name())
});

const ABOUT: &str =
    "Learn MNIST with segregated dendrites in integers, beside a float twin, and say what the integers cost";

const EXAMPLES: &str = "\
Without a command, `compare` is run. `apical COMMAND --help` lists the options of a command.

Examples:
  Compare both arithmetics: 3 seeds of a 784-100-10 network, one epoch of MNIST
    apical
  The paper's network for ten epochs, five paired seeds
    apical compare --hidden 500 --epochs 10 --seeds 5
  8-bit weights with the wrong rounding: watch the lost updates
    apical compare --weights 8 --rounding nearest
  What recorded runs cost against recorded references
    apical cost results/8bit-4-4 --reference results/16bit-500-10-epochs.json
  The paper's deepest network: learning curve as CSV, weights saved
    apical train --hidden 500,100 --preset paper --rate 0.23,0.23,0.12 --epochs 60
  Which bits matter: a grid of formats, which variable costs accuracy, a chip's formats
    apical sweep --axis weights.bits=4..16 --axis weights.rounding=nearest,stochastic
    apical attribute --weights 8 --rounding nearest
    apical compare --profile loihi
  A saved network on the test images
    apical test results/core.apical
  Learn on an emulated Cortex-M4, and compare every digest with this machine
    apical emulate --board mps2-an386
  Which networks fit a device
    apical fit --ram 128K --flash 512K --clock 168M
  What a data set holds, with a few images drawn
    apical data --data DIR

Exit codes: 0 done, 1 a budget was exceeded, 2 bad arguments or bad files.";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "apical", version = VERSION.as_str(), about = ABOUT, after_help = EXAMPLES, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Compare(compare::Args),
    Cost(cost::Args),
    Train(train::Args),
    Test(test::Args),
    Data(data::Args),
    Diverge(diverge::Args),
    Regress(regress::Args),
    Formats(formats::Args),
    Profiles(profiles::Args),
    Rounding(rounding::Args),
    Sweep(sweep::Args),
    Attribute(attribute::Args),
    Emulate(emulate::Args),
    Export(export::Args),
    Fit(fit::Args),
}

impl Cli {
    /// Runs the subcommand.
    ///
    /// # Errors
    /// Whatever is wrong with the arguments or the files they name.
    pub fn run(&self) -> Outcome {
        match &self.command {
            Command::Compare(args) => args.run(),
            Command::Cost(args) => args.run(),
            Command::Train(args) => args.run(),
            Command::Test(args) => args.run(),
            Command::Data(args) => args.run(),
            Command::Diverge(args) => args.run(),
            Command::Regress(args) => args.run(),
            Command::Formats(args) => args.run(),
            Command::Profiles(args) => args.run(),
            Command::Rounding(args) => args.run(),
            Command::Sweep(args) => args.run(),
            Command::Attribute(args) => args.run(),
            Command::Emulate(args) => args.run(),
            Command::Export(args) => args.run(),
            Command::Fit(args) => args.run(),
        }
    }
}

/// The arguments, with `compare` put in where no subcommand is named.
pub fn arguments(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.collect();
    let first = arguments.get(1).map(|first| first.to_string_lossy().into_owned());
    let general = ["-h", "--help", "-V", "--version"];
    let named = first.as_deref().is_some_and(|first| general.contains(&first) || !first.starts_with('-'));
    if !named {
        arguments.insert(1.min(arguments.len()), "compare".into());
    }
    arguments
}

/// Prints to stdout, where a closed pipe is an error and no panic.
///
/// # Errors
/// Whatever happened to stdout.
pub fn show(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Whether nobody reads any more what we print.
#[must_use]
pub fn is_broken_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// The first paragraph of a message of clap's, as one line without its prefix.
#[must_use]
pub fn one_line(message: &str) -> String {
    let paragraph = message.split("\n\n").next().unwrap_or(message);
    let words: Vec<&str> = paragraph.split_whitespace().collect();
    let line = words.join(" ");
    line.strip_prefix("error: ").unwrap_or(&line).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn completed(words: &[&str]) -> Vec<String> {
        let words = words.iter().map(OsString::from);
        arguments(words).into_iter().map(|word| word.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn the_definition_of_the_arguments_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn compare_is_what_is_run_without_a_subcommand() {
        assert_eq!(completed(&["apical"]), ["apical", "compare"]);
        assert_eq!(completed(&["apical", "--seeds", "2"]), ["apical", "compare", "--seeds", "2"]);
        assert_eq!(completed(&["apical", "data"]), ["apical", "data"]);
        assert_eq!(completed(&["apical", "--help"]), ["apical", "--help"]);
    }

    #[test]
    fn a_message_of_several_lines_becomes_one() {
        assert_eq!(one_line("error: bad value\n  [possible: 1]\n\nFor more"), "bad value [possible: 1]");
    }
}
