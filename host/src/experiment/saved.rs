//! A trained network in a file.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `APICAL` and the version of this format, 16 bits |
//! | 4 | length of the header |
//! | that many | the [`Header`], JSON |
//! | the rest but 32 | for each layer W, column by column, then the biases, then Y |
//! | 32 | SHA-256 of everything before |
//!
//! Numbers are little-endian. Those of the core are integers in the formats that the header
//! names, biases times k_B; those of the reference are f64.

use crate::learner::{Learner, Stored, Width};
use apical_core::formats::{ERROR_FRACTION, Format};
use apical_core::parameters::Preset;
use apical_core::rounding::Rounding;
use apical_core::tables::psp::Kernel;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::manifest::{Bits, kernel_name, preset_name};
use super::plan::{Kind, MOST_LAYERS, MOST_UNITS, MOST_WEIGHTS, Plan};

const MAGIC: [u8; 6] = *b"APICAL";
const VERSION: u16 = 1;
const MOST_HEADER: usize = 1 << 16;
const CHECKSUM: usize = 32;

/// What the numbers of a file are, and where they came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// `core` or `reference`.
    pub arithmetic: String,
    /// Inputs, hidden layers, outputs.
    pub sizes: Vec<usize>,
    /// Synaptic kernel.
    pub kernel: String,
    /// Initial weights.
    pub preset: String,
    /// η of each layer.
    pub learning_rates: Vec<f64>,
    /// Bits of a weight.
    pub weight_bits: Bits,
    /// Fraction bits of each layer's weights; empty for the reference.
    pub weight_fractions: Vec<i8>,
    /// Fraction bits of errors, which came to be chosen later than the rest.
    #[serde(default = "usual_errors", skip_serializing_if = "are_usual_errors")]
    pub error_fraction: u8,
    /// Bits of a bias; a core's has 8 behind the binary point.
    pub bias_bits: u32,
    /// Rounding of the updates.
    pub rounding: String,
    /// Seed.
    pub seed: u64,
    /// Epochs trained.
    pub epochs: usize,
    /// Examples of each.
    pub examples: usize,
    /// SHA-256 of the data.
    pub data_sha256: String,
    /// `apical`'s version.
    pub version: String,
}

const fn usual_errors() -> u8 {
    ERROR_FRACTION
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde wants it
const fn are_usual_errors(fraction: &u8) -> bool {
    *fraction == ERROR_FRACTION
}

/// A network from a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Saved {
    /// What it is.
    pub header: Header,
    /// Its synapses.
    pub layers: Vec<Stored>,
}

/// What is wrong with a file of weights.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// The operating system refuses.
    #[error("cannot read {path:?} ({cause})")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// Some other kind of file.
    #[error("{0:?} is no file of weights: it does not begin with APICAL")]
    NoWeights(PathBuf),
    /// Of another version.
    #[error("{path:?} has version {found} of the format, this program reads version {VERSION}")]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u16,
    },
    /// It ends too early.
    #[error("{path:?} is cut short, {found} of {expected} bytes are there")]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Bytes there must be.
        expected: usize,
        /// Bytes there are.
        found: usize,
    },
    /// It goes on.
    #[error("{path:?} goes on after its {expected} bytes")]
    TrailingBytes {
        /// The file.
        path: PathBuf,
        /// Bytes there must be.
        expected: usize,
    },
    /// The header makes no sense.
    #[error("{path:?} has a damaged header: {what}")]
    Header {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Its contents were changed.
    #[error("{0:?} is damaged: its checksum does not match its contents")]
    Checksum(PathBuf),
    /// A weight of the reference is not finite.
    #[error("{0:?} holds a weight that is not a finite number")]
    NotFinite(PathBuf),
}

impl Header {
    /// The header of a network trained by a plan.
    #[must_use]
    pub fn new(plan: &Plan, kind: Kind, seed: u64, epochs: usize, data_sha256: &str) -> Self {
        let layers = plan.sizes.len() - 1;
        let core = kind == Kind::Core;
        let formats = plan.width.each(layers);
        Self {
            arithmetic: kind.name().into(),
            sizes: plan.sizes.clone(),
            kernel: kernel_name(plan.kernel).into(),
            preset: preset_name(plan.preset).into(),
            learning_rates: plan.learning_rates.clone(),
            weight_bits: match core {
                true => Bits::of(formats.clone().map(|format| format.bits.into())),
                false => Bits::All(64),
            },
            weight_fractions: formats.map(|format| format.fraction).filter(|_| core).collect(),
            error_fraction: if core { plan.width.errors() } else { ERROR_FRACTION },
            bias_bits: if core { 16 } else { 64 },
            rounding: if core { plan.rounding.name().into() } else { "none".into() },
            seed,
            epochs,
            examples: plan.examples,
            data_sha256: data_sha256.into(),
            version: env!("CARGO_PKG_VERSION").into(),
        }
    }

    /// The plan of this network, for tests; and its arithmetic.
    ///
    /// # Errors
    /// What makes no sense.
    pub fn plan(&self) -> Result<(Plan, Kind), String> {
        let kind = [Kind::Core, Kind::Reference].into_iter().find(|kind| kind.name() == self.arithmetic);
        let kind = kind.ok_or_else(|| format!("arithmetic {:?}", self.arithmetic))?;
        let kernels = [Kernel::Scaled, Kernel::Cut, Kernel::Paper];
        let kernel = kernels.into_iter().find(|&kernel| kernel_name(kernel) == self.kernel);
        let presets = [Preset::Paper, Preset::May2017];
        let preset = presets.into_iter().find(|&preset| preset_name(preset) == self.preset);
        let rounding = Rounding::ALL.into_iter().find(|rounding| rounding.name() == self.rounding);
        let width = self.width();
        let plan = Plan {
            sizes: self.sizes.clone(),
            kernel: kernel.ok_or_else(|| format!("kernel {:?}", self.kernel))?,
            preset: preset.ok_or_else(|| format!("preset {:?}", self.preset))?,
            learning_rates: self.learning_rates.clone(),
            width,
            rounding: rounding.unwrap_or_default(),
            seeds: vec![self.seed],
            examples: self.examples,
            epochs: self.epochs,
            test_steps: 0,
            test_images: 0,
        };
        self.check_sizes()?;
        let expected = Self::new(&plan, kind, self.seed, self.epochs, &self.data_sha256);
        let formats =
            |header: &Self| (header.weight_bits.clone(), header.bias_bits, header.weight_fractions.clone());
        match width.is_possible()
            && formats(&expected) == formats(self)
            && self.learning_rates.len() + 1 == self.sizes.len()
        {
            true => Ok((plan, kind)),
            false => Err("formats that this program does not have".into()),
        }
    }

    /// Formats of the core's weights and errors; of the reference's, whichever.
    fn width(&self) -> Width {
        let Some((&point, hidden)) = self.weight_fractions.split_last() else { return Width::SIXTEEN };
        let bits = |layer: usize| u8::try_from(self.weight_bits.layer(layer)).unwrap_or(0);
        let output = Format::new(bits(hidden.len()), point);
        // Without a hidden layer, whichever point its weights would have.
        let hidden = hidden.first().map(|&point| Format::new(bits(0), point));
        let weights = Width::new(hidden.unwrap_or(Width::usual(output.bits, false)), output);
        weights.with_errors(self.error_fraction)
    }

    fn check_sizes(&self) -> Result<(), String> {
        let sizes = &self.sizes;
        let known = (2..=MOST_LAYERS + 2).contains(&sizes.len())
            && sizes.iter().all(|units| (1..=MOST_UNITS).contains(units))
            && sizes.windows(2).map(|pair| pair[0] * pair[1]).sum::<usize>() <= MOST_WEIGHTS;
        if known { Ok(()) } else { Err(format!("sizes {sizes:?}")) }
    }

    /// Numbers in W, biases and Y of a layer.
    fn counts(&self, layer: usize) -> [usize; 3] {
        let (fan_in, units) = (self.sizes[layer], self.sizes[layer + 1]);
        let last = layer + 2 == self.sizes.len();
        let outputs = if last { 0 } else { self.sizes[self.sizes.len() - 1] };
        [fan_in * units, units, outputs * units]
    }

    /// Bytes of a weight, of a bias and of a feedback weight of a layer.
    fn bytes(&self, layer: usize) -> [usize; 3] {
        let weight = self.weight_bits.layer(layer);
        [weight, self.bias_bits, weight].map(|bits| bits as usize / 8)
    }

    /// Bytes of all numbers.
    fn payload(&self) -> usize {
        let bytes = |layer: usize| {
            let counts = self.counts(layer).into_iter().zip(self.bytes(layer));
            counts.map(|(count, bytes)| count * bytes).sum::<usize>()
        };
        (0..self.sizes.len() - 1).map(bytes).sum()
    }
}

impl Saved {
    /// What a learner has learnt.
    #[must_use]
    pub fn new(header: Header, learner: &dyn Learner) -> Self {
        Self { header, layers: learner.store() }
    }

    /// Writes the file whole or not at all.
    ///
    /// # Errors
    /// Whatever the operating system has against it.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        crate::report::write(path, &self.bytes()?)
    }

    fn bytes(&self) -> io::Result<Vec<u8>> {
        let header = serde_json::to_vec(&self.header)?;
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend((header.len() as u32).to_le_bytes());
        bytes.write_all(&header)?;
        for (number, layer) in self.layers.iter().enumerate() {
            let parts = [&layer.weights, &layer.bias, &layer.feedback];
            for (values, width) in parts.into_iter().zip(self.header.bytes(number)) {
                values.iter().for_each(|value| bytes.extend(&value.to_le_bytes()[..width]));
            }
        }
        let checksum = Sha256::digest(&bytes);
        bytes.extend(checksum);
        Ok(bytes)
    }

    /// Reads a file, with suspicion.
    ///
    /// # Errors
    /// The first thing wrong with it.
    pub fn read(path: &Path) -> Result<Self, SavedError> {
        let unreadable = |cause| SavedError::Unreadable { path: path.into(), cause };
        let file = fs::File::open(path).map_err(unreadable)?;
        // The largest possible file: no more is read, whatever lies there.
        let most = (MOST_WEIGHTS as u64 + 2 * MOST_UNITS as u64 * MOST_LAYERS as u64) * 8 * 2;
        let mut bytes = Vec::new();
        file.take(most).read_to_end(&mut bytes).map_err(unreadable)?;
        Parser { path, bytes: &bytes }.parse()
    }
}

/// Reads the bytes of a file.
struct Parser<'a> {
    path: &'a Path,
    bytes: &'a [u8],
}

impl Parser<'_> {
    fn parse(&self) -> Result<Saved, SavedError> {
        let known = self.bytes.len().min(MAGIC.len());
        if self.bytes.is_empty() || self.bytes[..known] != MAGIC[..known] {
            return Err(SavedError::NoWeights(self.path.into()));
        }
        let word = |at: usize, length: usize| self.part(at, length).map(little_endian);
        let version = word(6, 2)? as u16;
        if version != VERSION {
            return Err(SavedError::Version { path: self.path.into(), found: version });
        }
        let length = word(8, 4)? as usize;
        if length > MOST_HEADER {
            return Err(self.header(format!("it claims {length} bytes")));
        }
        let header: Header =
            serde_json::from_slice(self.part(12, length)?).map_err(|error| self.header(error.to_string()))?;
        let (_, kind) = header.plan().map_err(|what| self.header(what))?;
        let end = 12 + length + header.payload();
        let checksum = self.part(end, CHECKSUM)?;
        if self.bytes.len() > end + CHECKSUM {
            return Err(SavedError::TrailingBytes { path: self.path.into(), expected: end + CHECKSUM });
        }
        if Sha256::digest(&self.bytes[..end]).as_slice() != checksum {
            return Err(SavedError::Checksum(self.path.into()));
        }
        let layers = layers(&header, &self.bytes[12 + length..end]);
        let finite = |layer: &Stored| {
            let parts = [&layer.weights, &layer.bias, &layer.feedback].into_iter().flatten();
            parts.copied().all(|bits| f64::from_bits(bits as u64).is_finite())
        };
        match kind == Kind::Core || layers.iter().all(finite) {
            true => Ok(Saved { header, layers }),
            false => Err(SavedError::NotFinite(self.path.into())),
        }
    }

    fn part(&self, at: usize, length: usize) -> Result<&[u8], SavedError> {
        let expected = at + length;
        let truncated =
            || SavedError::Truncated { path: self.path.into(), expected, found: self.bytes.len() };
        self.bytes.get(at..expected).ok_or_else(truncated)
    }

    fn header(&self, what: String) -> SavedError {
        SavedError::Header { path: self.path.into(), what }
    }
}

/// The numbers of each layer.
fn layers(header: &Header, mut bytes: &[u8]) -> Vec<Stored> {
    let mut take = |count: usize, width: usize| {
        let (part, rest) = bytes.split_at(count * width);
        bytes = rest;
        part.chunks_exact(width).map(little_endian).collect()
    };
    (0..header.sizes.len() - 1)
        .map(|layer| {
            let ([weights, bias, feedback], bytes) = (header.counts(layer), header.bytes(layer));
            Stored {
                weights: take(weights, bytes[0]),
                bias: take(bias, bytes[1]),
                feedback: take(feedback, bytes[2]),
            }
        })
        .collect()
}

/// A signed number of 1 to 8 bytes.
fn little_endian(bytes: &[u8]) -> i64 {
    let unsigned = bytes.iter().rev().fold(0i64, |number, &byte| number << 8 | i64::from(byte));
    let unused = 64 - 8 * bytes.len() as u32;
    unsigned << unused >> unused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_of_both_widths_come_back_from_one_file() {
        for width in ["16", "8", "8:4,4", "8:4,16:8", "8:4,5/5"] {
            let plan = Plan {
                sizes: vec![6, 5, 4, 3],
                kernel: Kernel::Scaled,
                preset: Preset::May2017,
                learning_rates: vec![0.21; 3],
                width: width.parse().expect("a width"),
                rounding: Rounding::Stochastic,
                seeds: vec![1],
                examples: 1,
                epochs: 1,
                test_steps: 0,
                test_images: 0,
            };
            let header = Header::new(&plan, Kind::Core, 1, 1, "");
            let saved = Saved::new(header, plan.learner(Kind::Core, 1).as_ref());
            let bytes = saved.bytes().expect("memory");
            let read = Parser { path: Path::new("a file"), bytes: &bytes }.parse().expect("what was written");
            assert_eq!(read, saved);
            assert_eq!(read.header.plan().map(|(plan, _)| plan.width), Ok(plan.width));
        }
    }

    #[test]
    fn numbers_keep_their_sign() {
        assert_eq!(little_endian(&(-2i16).to_le_bytes()), -2);
        assert_eq!(little_endian(&[0x80]), -128);
        assert_eq!(little_endian(&i64::MIN.to_le_bytes()), i64::MIN);
        assert_eq!(little_endian(&12_345u32.to_le_bytes()), 12_345);
    }
}
