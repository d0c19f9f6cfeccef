//! `apical fit`: which networks fit a device, from memory that is known and errors that were measured.
//!
//! RAM is that of [`apical_core::memory`] (to train) and [`apical_core::classify`] (to classify, the weights in flash),
//! plus what the firmware of this repository needs around it. Errors and instructions are measured: `results/sizes.csv`.

use crate::learner::Width;
use std::fmt::Write;
use std::str::FromStr;

/// Measured networks: hidden neurons, bits of a weight there and in the output layer, test error, instructions an example.
const MEASURED: &str = include_str!("../../../results/sizes.csv");

const PIXELS: usize = 784;
const OUTPUTS: usize = 10;
/// Stack, image, log and counters of the firmware, beside the network: 2.2 KB on the M0 to 3.3 KB (`ram` and `stack`
/// of `firmware/records` less what the network takes), rounded up.
const AROUND_RAM: usize = 4096;
/// Code and constants (noise, σ, phase lengths) of the firmware: 28 KB on Armv7-M and later, up to 39 KB elsewhere.
const AROUND_FLASH: usize = 40 << 10;
/// Streams and counters of a layer.
const CONTROL: usize = 96;
/// Lists of active pixels (384), their credits, spikes of a step (256).
const INPUT: usize = 2 * PIXELS + 4 * 384 + 2 * 256 + 32;

/// A number of bytes or hertz, written `128K`, `1M`, `16384`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount(pub usize);

impl Amount {
    /// Reads one; a K is so many.
    fn read(text: &str, kilo: usize) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not like 128K, 1M or 16384");
        let (number, factor) = match text.as_bytes().last() {
            Some(b'k' | b'K') => (&text[..text.len() - 1], kilo),
            Some(b'm' | b'M') => (&text[..text.len() - 1], kilo * kilo),
            _ => (text, 1),
        };
        let number: usize = number.parse().map_err(|_| wrong())?;
        number.checked_mul(factor).filter(|&n| n > 0).map(Self).ok_or_else(wrong)
    }

    /// A clock; a K is 1000.
    ///
    /// # Errors
    /// What is no number.
    pub fn hertz(text: &str) -> Result<Self, String> {
        Self::read(text, 1000)
    }
}

impl FromStr for Amount {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::read(text, 1024)
    }
}

/// A network that was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// Hidden neurons; none in a network of one layer.
    pub hidden: usize,
    /// Width of the weights.
    pub width: Width,
    /// Test error after one epoch of MNIST, in per cent.
    pub error: f64,
    /// Instructions of a training example on a Cortex-M4.
    pub instructions: f64,
}

/// Every measured network, in the order of the file.
#[must_use]
pub fn measured() -> Vec<Measured> {
    let lines = MEASURED.lines().filter(|line| !line.starts_with('#')).skip(1);
    let read = |line: &str| {
        let mut words = line.split(',');
        let hidden = words.next()?.parse().ok()?;
        let mut format = |is_output| Some(Width::usual(words.next()?.parse().ok()?, is_output));
        let width = Width::new(format(false)?, format(true)?);
        let error = words.next()?.parse().ok()?;
        Some(Measured { hidden, width, error, instructions: words.next()?.parse().ok()? })
    };
    lines.filter_map(read).collect()
}

/// A layer of a network.
struct Sizes {
    fan_in: usize,
    units: usize,
    /// Outputs that feed back to it.
    outputs: usize,
    /// Bytes of a weight.
    weight: usize,
}

impl Sizes {
    /// Bytes of the weights, and of the bounds that columns of 16-bit ones have.
    fn weights(&self) -> usize {
        let bounds = if self.weight == 2 { 2 * self.fan_in } else { 0 };
        self.weight * self.units * (self.fan_in + self.outputs) + bounds
    }
}

impl Measured {
    fn layers(&self) -> Vec<Sizes> {
        let layer = |fan_in, units, outputs| {
            let weight = usize::from(self.width.of(outputs == 0).bits) / 8;
            Sizes { fan_in, units, outputs, weight }
        };
        match self.hidden {
            0 => vec![layer(PIXELS, OUTPUTS, 0)],
            hidden => vec![layer(PIXELS, hidden, OUTPUTS), layer(hidden, OUTPUTS, 0)],
        }
    }

    /// RAM to learn in.
    #[must_use]
    pub fn training_ram(&self) -> usize {
        let layer = |layer: &Sizes| layer.weights() + 26 * layer.units + CONTROL;
        self.layers().iter().map(layer).sum::<usize>() + INPUT + AROUND_RAM
    }

    /// RAM to classify in.
    #[must_use]
    pub fn inference_ram(&self) -> usize {
        16 * self.hidden + INPUT + AROUND_RAM
    }

    /// Flash of a program that classifies, weights included.
    #[must_use]
    pub fn inference_flash(&self) -> usize {
        let layer = |layer: &Sizes| layer.weights() + 2 * layer.units;
        self.layers().iter().map(layer).sum::<usize>() + AROUND_FLASH
    }

    fn name(&self) -> String {
        match self.hidden {
            0 => format!("{PIXELS}-{OUTPUTS}:{}", self.width),
            hidden => format!("{PIXELS}-{hidden}-{OUTPUTS}:{}", self.width),
        }
    }
}

/// What fits, as a table.
#[must_use]
pub fn table(ram: Amount, flash: Amount, clock: Amount) -> String {
    let mut fits: Vec<(Measured, bool)> = Vec::new();
    for network in measured() {
        let trains = network.training_ram() <= ram.0 && AROUND_FLASH <= flash.0;
        let classifies = network.inference_ram() <= ram.0 && network.inference_flash() <= flash.0;
        if trains || classifies {
            fits.push((network, trains));
        }
    }
    fits.sort_by(|a, b| {
        (!a.1, a.0.error).partial_cmp(&(!b.1, b.0.error)).unwrap_or(std::cmp::Ordering::Equal)
    });
    if fits.is_empty() {
        return format!("nothing fits: the smallest network needs {} of RAM\n", kilobytes(smallest()));
    }
    let mut out = format!(
        "{:<16} {:<15} {:>10} {:>10} {:>10} {:>12}\n",
        "network", "use", "test error", "RAM", "flash", "per example"
    );
    for (network, trains) in fits {
        let (what, ram, flash) = match trains {
            true => ("learns on it", network.training_ram(), AROUND_FLASH),
            false => ("classifies only", network.inference_ram(), network.inference_flash()),
        };
        let milliseconds = network.instructions / clock.0 as f64 * 1e3;
        let _ = writeln!(
            out,
            "{:<16} {:<15} {:>8.1} % {:>10} {:>10} {:>9.1} ms",
            network.name(),
            what,
            network.error,
            kilobytes(ram),
            kilobytes(flash),
            milliseconds
        );
    }
    let _ = writeln!(
        out,
        "\nErrors: one epoch of MNIST on a host, one seed, 100 steps a test. Times: instructions of a training\n\
         example on a Cortex-M4, counted in an emulator, at {} MHz and one a cycle: an estimate. One example is 103 ms\n\
         of biological time. RAM and flash include what the firmware here needs around the network.",
        clock.0 as f64 / 1e6
    );
    out
}

fn smallest() -> usize {
    measured().iter().map(Measured::inference_ram).min().unwrap_or(0)
}

fn kilobytes(bytes: usize) -> String {
    format!("{:.1} KB", bytes as f64 / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use apical_core::memory::{InputMemory, LayerMemory};

    #[test]
    fn the_memory_of_a_network_is_that_of_its_types() {
        type Input = InputMemory<784, 384, 256>;
        let sixteen = size_of::<LayerMemory<u16, 784, 100, 10>>() + size_of::<LayerMemory<u16, 100, 10, 0>>();
        let eight = size_of::<LayerMemory<i8, 784, 50, 10>>() + size_of::<LayerMemory<i8, 50, 10, 0>>();
        let mixed = size_of::<LayerMemory<i8, 784, 50, 10>>() + size_of::<LayerMemory<i16, 50, 10, 0>>();
        let both = Width::new(Width::usual(8, false), Width::usual(16, true));
        let all = [(100, Width::SIXTEEN, sixteen), (50, Width::EIGHT, eight), (50, both, mixed)];
        for (hidden, width, layers) in all {
            let network = Measured { hidden, width, error: 0.0, instructions: 0.0 };
            let stated = network.training_ram() - AROUND_RAM;
            assert!(stated.abs_diff(layers + size_of::<Input>()) < 64, "{stated} for {layers}");
        }
    }

    #[test]
    fn amounts_have_units() {
        assert_eq!("128K".parse(), Ok(Amount(128 << 10)));
        assert_eq!("1M".parse(), Ok(Amount(1 << 20)));
        assert_eq!(Amount::hertz("168M"), Ok(Amount(168_000_000)));
        assert!("".parse::<Amount>().is_err() && "K".parse::<Amount>().is_err());
        assert!("99999999999999M".parse::<Amount>().is_err());
    }

    #[test]
    fn a_small_device_learns_less_and_classifies_more() {
        assert!(measured().len() > 8);
        let table = table(Amount(16 << 10), Amount(256 << 10), Amount(16_000_000));
        assert!(table.contains("classifies only") && table.contains("learns on it"), "{table}");
    }
}
