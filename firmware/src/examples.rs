//! Examples from the host, one after another, through a semihosting file.
//!
//! Little-endian header: `APEX`, pixels (u32), seed (u64), examples to train on, examples between two reports, images
//! to test on, steps of a test (u32 each); then, for each example, its label and its pixels.

use crate::network::PIXELS;
use semihosting::fs::File;
use semihosting::io::Read;
use semihosting::process;

/// What the host asks for.
#[derive(Clone, Copy, Default)]
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

impl Plan {
    /// Whether to report after so many of `all`.
    pub fn reports(&self, number: u32, all: u32) -> bool {
        number == all || number.checked_rem(self.every).unwrap_or(0) == 0
    }
}

/// Examples, as the host wrote them.
pub struct Examples {
    /// What the host asks for.
    pub plan: Plan,
    file: File,
    image: [u8; PIXELS],
}

impl Examples {
    /// Opens the host's file; a board that gets none, or one for another network, ends with 2.
    pub fn open() -> Self {
        let file = File::open(c"examples.bin").unwrap_or_else(|_| refuse("no file examples.bin"));
        let mut examples = Self { plan: Plan::default(), file, image: [0; PIXELS] };
        let mut header = [0u8; 32];
        fill(&mut examples.file, &mut header);
        let word = |at: usize| {
            header.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |w| u32::from_le_bytes(*w))
        };
        if header.get(..4) != Some(b"APEX") || word(4) as usize != PIXELS {
            refuse("examples.bin is not for this network");
        }
        let seed = u64::from(word(8)) | u64::from(word(12)) << 32;
        examples.plan = Plan { seed, train: word(16), every: word(20), test: word(24), steps: word(28) };
        examples
    }

    /// The next image and its label.
    pub fn take(&mut self) -> (&[u8], usize) {
        let mut label = [0];
        fill(&mut self.file, &mut label);
        fill(&mut self.file, &mut self.image);
        (&self.image, usize::from(label[0]))
    }
}

fn fill(file: &mut File, mut rest: &mut [u8]) {
    while !rest.is_empty() {
        match file.read(rest) {
            Ok(read) if read > 0 => rest = rest.get_mut(read..).unwrap_or(&mut []),
            _ => refuse("examples.bin ends too early"),
        }
    }
}

fn refuse(reason: &str) -> ! {
    defmt::error!("{=str}", reason);
    process::exit(2)
}
