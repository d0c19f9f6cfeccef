//! The formats of a whole network: a table for each layer, and how finely decays are set.

use super::error::LabError;
use super::notation::{Change, Layers, Notation, Target, decay, decay_name};
use super::profile::Profile;
use apical_core::emulated::{Decay, Table, fits_container};
use apical_core::formats::{Format, Variable};
use apical_core::rounding::Rounding;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Formats of every variable of every layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Formats {
    /// A table a layer, the output layer last.
    pub tables: Vec<Table>,
    /// How finely decays can be set.
    pub decay: Decay,
}

/// What a network is calculated with.
#[derive(Debug, Clone, PartialEq)]
pub enum Numbers {
    /// The f64 reference.
    Float,
    /// The integer core in these formats.
    Integer(Formats),
}

/// Formats that come with the program.
pub const PRESETS: [&str; 4] = ["native16", "native8", "wide", "float"];

impl Numbers {
    /// A preset, a profile or a profile's file, by name.
    pub fn named(name: &str, layers: usize) -> Result<Self, LabError> {
        if name == "float" {
            return Ok(Self::Float);
        }
        if let Some(formats) = Formats::preset(name, layers) {
            return Ok(Self::Integer(formats));
        }
        Profile::named(name)?.numbers(layers)
    }
}

impl Formats {
    /// The compiled-in formats of 16- or 8-bit weights, or the wide ones.
    #[must_use]
    pub fn preset(name: &str, layers: usize) -> Option<Self> {
        let last = layers.saturating_sub(1);
        let updates = Rounding::Stochastic;
        let table = |layer: usize| match name {
            "native16" => Some(Table::native(16, 8, updates)),
            "native8" => Some(Table::native(8, if layer == last { 3 } else { 4 }, updates)),
            "wide" => Some(Table::wide()),
            _ => None,
        };
        let tables: Option<Vec<_>> = (0..layers).map(table).collect();
        let mut formats = Self { tables: tables?, decay: Decay::Fine };
        formats.align();
        Some(formats)
    }

    /// Applies a change to the layers it is for.
    pub fn apply(&mut self, change: &Change) -> Result<(), LabError> {
        let count = self.tables.len();
        if let Layers::Number(n) = change.target.layers
            && n >= count
        {
            let why = format!("there are {count} layers, counted from 0");
            return Err(LabError::syntax("layer", &n.to_string(), why));
        }
        for (number, table) in self.tables.iter_mut().enumerate() {
            if change.target.layers.contains(number, count) {
                for &variable in &change.target.variables {
                    let line = table.of_mut(variable);
                    *line = change.notation.apply(line);
                }
            }
        }
        self.align();
        Ok(())
    }

    /// Sets the width of variables, with their range as it was.
    pub fn set_bits(&mut self, target: &Target, bits: u8) -> Result<(), LabError> {
        self.each(target, |format| Format::new(bits, format.fraction + (bits as i8 - format.bits as i8)))
    }

    /// Sets the binary point of variables.
    pub fn set_fraction(&mut self, target: &Target, fraction: i8) -> Result<(), LabError> {
        self.each(target, |format| Format::new(format.bits, fraction))
    }

    /// Sets the range of variables to ±2^range, with their width as it was.
    pub fn set_range(&mut self, target: &Target, range: i8) -> Result<(), LabError> {
        self.each(target, |format| Format::new(format.bits, format.bits as i8 - 1 - range))
    }

    fn each(&mut self, target: &Target, new: impl Fn(Format) -> Format) -> Result<(), LabError> {
        let count = self.tables.len();
        for number in 0..count {
            if !target.layers.contains(number, count) {
                continue;
            }
            for &variable in &target.variables {
                let format = new(self.tables[number].of(variable).format);
                let target = Target {
                    name: variable.name().into(),
                    variables: vec![variable],
                    layers: Layers::Number(number),
                };
                self.apply(&Change { target, notation: Notation { format: Some(format), ..Notation::default() } })?;
            }
        }
        Ok(())
    }

    /// An accumulator has the binary point of the weights it adds: moves it there.
    fn align(&mut self) {
        for table in &mut self.tables {
            let fraction = table.of(Variable::Weight).format.fraction;
            table.of_mut(Variable::Accumulator).format.fraction = fraction;
        }
    }

    /// `hidden0`, …, `output`.
    #[must_use]
    pub fn layer_name(&self, number: usize) -> String {
        if number + 1 == self.tables.len() { "output".into() } else { format!("hidden{number}") }
    }

    /// Whether the core can run these formats.
    pub fn check(&self) -> Result<(), LabError> {
        for (number, table) in self.tables.iter().enumerate() {
            for variable in Variable::ALL {
                let line = table.of(variable);
                let wrong = |why: String| {
                    Err(LabError::Format { variable: variable.name(), layer: self.layer_name(number), why })
                };
                let Format { bits, fraction } = line.format;
                if !fits_container(variable, line.format) {
                    let most = if fits_container(variable, Format::new(17, 0)) { 32 } else { 16 };
                    return wrong(format!("{bits} bits, but 2 to {most} are possible"));
                }
                if !(-16..=30).contains(&fraction) {
                    return wrong(format!("{fraction} fraction bits, but −16 to 30 are possible"));
                }
                if matches!(variable, Variable::Rate | Variable::Plateau | Variable::Psp) && fraction < 1 {
                    return wrong(format!("is below one and needs a fraction bit, has {fraction}"));
                }
                if line.highest > line.format.largest() || line.lowest < line.format.smallest() {
                    return wrong(format!("limit {} is beyond {bits} bits", line.highest));
                }
            }
        }
        Ok(())
    }

    /// All formats in the notation of the flags, `weight@0` → `16.8:stochastic:saturate`.
    #[must_use]
    pub fn notation(&self) -> BTreeMap<String, String> {
        let tables = self.tables.iter().enumerate();
        tables
            .flat_map(|(number, table)| {
                Variable::ALL.map(|variable| {
                    (format!("{}@{number}", variable.name()), Notation::of(table.of(variable)).to_string())
                })
            })
            .collect()
    }
}

/// [`Formats`] in a file: decay, number of layers, changes to `wide`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FormatsFile {
    layers: usize,
    decay: String,
    formats: BTreeMap<String, String>,
}

impl Serialize for Formats {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let file = FormatsFile {
            layers: self.tables.len(),
            decay: decay_name(self.decay),
            formats: self.notation(),
        };
        file.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Formats {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let file = FormatsFile::deserialize(deserializer)?;
        let mut formats = Self { tables: vec![Table::wide(); file.layers], decay: Decay::Fine };
        let read = formats.read(&file.decay, &file.formats).and_then(|()| formats.check());
        read.map(|()| formats).map_err(serde::de::Error::custom)
    }
}

impl Formats {
    /// Applies a file's decay and changes: those for all layers first, then those for
    /// hidden or output layers, then those for one layer; in each, groups before variables.
    pub(super) fn read(&mut self, decay_text: &str, changes: &BTreeMap<String, String>) -> Result<(), LabError> {
        self.decay = decay(decay_text)?;
        let parsed: Result<Vec<Change>, LabError> =
            changes.iter().map(|(target, format)| Ok(Change { target: target.parse()?, notation: format.parse()? })).collect();
        let mut parsed = parsed?;
        parsed.sort_by_key(|change| (change.target.layers, std::cmp::Reverse(change.target.variables.len())));
        parsed.iter().try_for_each(|change| self.apply(change))
    }
}
