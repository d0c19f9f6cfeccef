//! The boards of the firmware, and the networks that fit them.

use std::fmt;
use std::fs;
use std::path::Path;
use std::str::FromStr;

use super::EmulateError;
use crate::learner::Width;

/// Sizes of a network and its formats, written `784-100-10:16`, `784-52-10:8,16`, `784-52-10:8:4,5/5`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Inputs, at most one hidden layer, outputs.
    pub sizes: Vec<usize>,
    /// Formats of weights and errors.
    pub width: Width,
}

impl FromStr for Shape {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text} is not like 784-100-10:16, 784-10:8 or 784-52-10:8,16/5");
        let (sizes, width) = text.split_once(':').ok_or_else(wrong)?;
        let sizes: Result<Vec<usize>, _> = sizes.split('-').map(str::parse).collect();
        let sizes = sizes.map_err(|_| wrong())?;
        let width: Width = width.parse().map_err(|_| wrong())?;
        if !(2..=3).contains(&sizes.len()) || sizes.contains(&0) {
            return Err(wrong());
        }
        Ok(Self { sizes, width })
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes: Vec<_> = self.sizes.iter().map(ToString::to_string).collect();
        write!(f, "{}:{}", sizes.join("-"), self.width)
    }
}

/// A line of `boards.txt`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Board {
    /// The emulator's name for it.
    pub name: String,
    /// What the compiler calls its processor.
    pub target: String,
    /// The network that it has room for.
    pub network: Shape,
    /// The emulator and the arguments that choose the board.
    pub emulator: Vec<String>,
}

impl Board {
    /// All boards, in the order of the table.
    ///
    /// # Errors
    /// [`EmulateError::File`].
    pub fn table(firmware: &Path) -> Result<Vec<Self>, EmulateError> {
        let path = firmware.join("boards/boards.txt");
        let wrong = |reason: String| EmulateError::File { path: path.clone(), reason };
        let text = fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
        lines
            .map(|line| {
                let words: Vec<&str> = line.split_whitespace().collect();
                let [name, target, _, network, emulator @ ..] = &words[..] else {
                    return Err(wrong(format!("too few words in: {line}")));
                };
                Ok(Self {
                    name: (*name).to_owned(),
                    target: (*target).to_owned(),
                    network: network.parse().map_err(&wrong)?,
                    emulator: emulator.iter().map(|&word| word.to_owned()).collect(),
                })
            })
            .collect()
    }

    /// The board of this name.
    ///
    /// # Errors
    /// [`EmulateError::UnknownBoard`].
    pub fn named(boards: Vec<Self>, name: &str) -> Result<Self, EmulateError> {
        let known = boards.iter().map(|board| board.name.as_str()).collect::<Vec<_>>().join(", ");
        boards
            .into_iter()
            .find(|board| board.name == name)
            .ok_or_else(|| EmulateError::UnknownBoard { name: name.to_owned(), known })
    }

    /// Whether it is no board but a program for WebAssembly.
    #[must_use]
    pub fn is_web(&self) -> bool {
        self.target.starts_with("wasm32")
    }

    /// The processor, for a table.
    #[must_use]
    pub fn core(&self) -> &'static str {
        match (self.name.as_str(), self.target.as_str()) {
            ("mps2-an500", _) => "Cortex-M7",
            ("wasm32", _) => "WebAssembly",
            (_, "thumbv6m-none-eabi") => "Cortex-M0",
            (_, "thumbv7m-none-eabi") => "Cortex-M3",
            (_, "thumbv7em-none-eabihf") => "Cortex-M4F",
            (_, "thumbv8m.main-none-eabihf") => "Cortex-M33",
            (_, "riscv32imac-unknown-none-elf") => "RV32IMAC",
            _ => "other",
        }
    }
}
