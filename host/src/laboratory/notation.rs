//! How formats are written: `weight@output=8.3:stochastic:saturate`.
//!
//! ```text
//! change  = names [ "@" layer ] "=" format
//! names   = a variable, or a group: weights, states, all
//! layer   = "hidden" | "output" | its number from 0
//! format  = [ bits "." fraction ] [ ":" rounding ] [ ":" overflow ] [ ":" limit ]
//! ```
//!
//! `bits` is the width with its sign, `fraction` the bits behind the binary point (it may
//! be negative). What is left out stays as it was: `soma=:floor` changes the rounding alone.
//! A `limit` is a largest raw magnitude below the end of the range.

use super::error::LabError;
use crate::experiment::manifest::{kernel_name, preset_name};
use apical_core::emulated::{Decay, VariableFormat};
use apical_core::formats::{Format, Variable};
use apical_core::parameters::Preset;
use apical_core::rounding::{Overflow, Rounding};
use apical_core::tables::psp::Kernel;
use std::fmt;
use std::str::FromStr;

/// A format, or the part of one that changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Notation {
    /// Bits and binary point.
    pub format: Option<Format>,
    /// Rounding.
    pub rounding: Option<Rounding>,
    /// Overflow.
    pub overflow: Option<Overflow>,
    /// Largest raw magnitude.
    pub limit: Option<i64>,
}

impl Notation {
    /// All of a format.
    #[must_use]
    pub fn of(line: &VariableFormat) -> Self {
        let full = line.highest == line.format.largest() && line.lowest == line.format.smallest();
        Self {
            format: Some(line.format),
            rounding: Some(line.rounding),
            overflow: Some(line.overflow),
            limit: if full { None } else { Some(line.highest) },
        }
    }

    /// The line with this change.
    #[must_use]
    pub fn apply(&self, line: &VariableFormat) -> VariableFormat {
        let mut line = *line;
        if let Some(format) = self.format {
            line = line.with_format(format.bits, format.fraction);
        }
        line.rounding = self.rounding.unwrap_or(line.rounding);
        line.overflow = self.overflow.unwrap_or(line.overflow);
        match self.limit {
            Some(limit) => line.within(limit),
            None => line,
        }
    }
}

impl FromStr for Notation {
    type Err = LabError;

    fn from_str(text: &str) -> Result<Self, LabError> {
        let wrong = |why: String| LabError::syntax("format", text, why);
        let mut parts = text.split(':').map(str::trim);
        let mut notation = Self::default();
        if let Some(width) = parts.next().filter(|part| !part.is_empty()) {
            notation.format = Some(width_of(width).ok_or_else(|| {
                wrong(format!("'{width}' is not bits.fraction with 2 to 32 bits, such as 8.4"))
            })?);
        }
        if let Some(name) = parts.next().filter(|part| !part.is_empty()) {
            notation.rounding = Some(rounding(name)?);
        }
        if let Some(name) = parts.next().filter(|part| !part.is_empty()) {
            notation.overflow = Some(overflow(name)?);
        }
        if let Some(limit) = parts.next().filter(|part| !part.is_empty()) {
            let limit: Option<i64> = limit.parse().ok().filter(|&limit| limit > 0);
            notation.limit =
                Some(limit.ok_or_else(|| wrong("the limit is not a whole number above 0".into()))?);
        }
        match parts.next() {
            Some(_) => Err(wrong("more than bits.fraction:rounding:overflow:limit".into())),
            None => Ok(notation),
        }
    }
}

/// `8.4`; the binary point may lie outside the bits, by 32 places at most.
fn width_of(text: &str) -> Option<Format> {
    let (bits, fraction) = text.split_once('.')?;
    let bits: u8 = bits.parse().ok().filter(|bits| (2..=32).contains(bits))?;
    let fraction: i8 = fraction.parse().ok().filter(|fraction| (-32..=48).contains(fraction))?;
    Some(Format::new(bits, fraction))
}

/// A kernel by its name.
///
/// # Errors
/// That there is none of this name.
pub fn kernel(name: &str) -> Result<Kernel, LabError> {
    let all = [Kernel::Scaled, Kernel::Cut, Kernel::Paper];
    let named = all.into_iter().find(|&kernel| kernel_name(kernel) == name);
    let names = || all.map(kernel_name).join(", ");
    named.ok_or_else(|| LabError::syntax("kernel", name, format!("is none of {}", names())))
}

/// Initial weights by name.
///
/// # Errors
/// That there are none of this name.
pub fn preset(name: &str) -> Result<Preset, LabError> {
    let all = [Preset::Paper, Preset::May2017];
    let named = all.into_iter().find(|&preset| preset_name(preset) == name);
    let names = || all.map(preset_name).join(", ");
    named.ok_or_else(|| LabError::syntax("preset", name, format!("is none of {}", names())))
}

/// A rounding by its name.
///
/// # Errors
/// That there is none of this name.
pub fn rounding(name: &str) -> Result<Rounding, LabError> {
    let named = Rounding::ALL.into_iter().find(|mode| mode.name() == name);
    let names = || Rounding::ALL.map(Rounding::name).join(", ");
    named.ok_or_else(|| LabError::syntax("rounding", name, format!("is none of {}", names())))
}

/// An overflow by its name.
///
/// # Errors
/// That there is none of this name.
pub fn overflow(name: &str) -> Result<Overflow, LabError> {
    let named = Overflow::ALL.into_iter().find(|mode| mode.name() == name);
    let names = || Overflow::ALL.map(Overflow::name).join(", ");
    named.ok_or_else(|| LabError::syntax("overflow", name, format!("is none of {}", names())))
}

impl fmt::Display for Notation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        if let Some(format) = self.format {
            text += &format!("{}.{}", format.bits, format.fraction);
        }
        text += &format!(":{}", self.rounding.map_or("", Rounding::name));
        text += &format!(":{}", self.overflow.map_or("", Overflow::name));
        if let Some(limit) = self.limit {
            text += &format!(":{limit}");
        }
        f.write_str(text.trim_end_matches(':'))
    }
}

/// Which layers a change is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layers {
    /// All of them.
    All,
    /// All but the output layer.
    Hidden,
    /// The output layer.
    Output,
    /// This one, from 0.
    Number(usize),
}

impl Layers {
    /// Whether layer `number` of `count` is meant.
    #[must_use]
    pub fn contains(self, number: usize, count: usize) -> bool {
        match self {
            Self::All => true,
            Self::Hidden => number + 1 < count,
            Self::Output => number + 1 == count,
            Self::Number(n) => n == number,
        }
    }
}

impl FromStr for Layers {
    type Err = LabError;

    fn from_str(text: &str) -> Result<Self, LabError> {
        match text {
            "hidden" => Ok(Self::Hidden),
            "output" => Ok(Self::Output),
            _ => text.parse().map(Self::Number).map_err(|_| {
                LabError::syntax("layer", text, "is neither hidden, nor output, nor a number from 0")
            }),
        }
    }
}

impl fmt::Display for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => Ok(()),
            Self::Hidden => f.write_str("@hidden"),
            Self::Output => f.write_str("@output"),
            Self::Number(n) => write!(f, "@{n}"),
        }
    }
}

/// Variables of some layers: `weight@output`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// As it was written, without the layer.
    pub name: String,
    /// The variables of that name.
    pub variables: Vec<Variable>,
    /// The layers.
    pub layers: Layers,
}

/// What a name stands for: a variable or a group of them.
fn variables(name: &str) -> Option<Vec<Variable>> {
    use Variable::{Apical, Basal, Feedback, FilterFast, FilterSlow, Soma, Weight};
    match name {
        "all" => Some(Variable::ALL.to_vec()),
        "weights" => Some(vec![Weight, Feedback]),
        "states" => Some(vec![FilterFast, FilterSlow, Basal, Soma, Apical]),
        _ => {
            Variable::ALL.into_iter().find(|variable| variable.name() == name).map(|variable| vec![variable])
        }
    }
}

impl FromStr for Target {
    type Err = LabError;

    fn from_str(text: &str) -> Result<Self, LabError> {
        let (name, layers) = match text.split_once('@') {
            Some((name, layer)) => (name, layer.parse()?),
            None => (text, Layers::All),
        };
        let Some(variables) = variables(name) else {
            let names = Variable::ALL.map(Variable::name).join(", ");
            return Err(LabError::syntax(
                "variable",
                name,
                format!("is none of {names}, weights, states, all"),
            ));
        };
        Ok(Self { name: name.into(), variables, layers })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.name, self.layers)
    }
}

/// A change of formats, as the flag `--format` takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Whose format.
    pub target: Target,
    /// What it becomes.
    pub notation: Notation,
}

impl FromStr for Change {
    type Err = LabError;

    fn from_str(text: &str) -> Result<Self, LabError> {
        let Some((target, notation)) = text.split_once('=') else {
            return Err(LabError::syntax(
                "format",
                text,
                "is not VARIABLE[@LAYER]=bits.fraction:rounding:overflow",
            ));
        };
        Ok(Self { target: target.trim().parse()?, notation: notation.trim().parse()? })
    }
}

/// A decay by its name: `fine`, `shift`, `bits:12`.
///
/// # Errors
/// What is no such name.
pub fn decay(text: &str) -> Result<Decay, LabError> {
    match text.split_once(':') {
        None if text == "fine" => Ok(Decay::Fine),
        None if text == "shift" => Ok(Decay::Shift),
        Some(("bits", bits)) => match bits.parse() {
            Ok(bits @ 1..=15) => Ok(Decay::Bits(bits)),
            _ => Err(LabError::syntax("decay", text, "bits must be 1 to 15")),
        },
        _ => Err(LabError::syntax("decay", text, "is none of fine, bits:N, shift")),
    }
}

/// The name of a decay.
#[must_use]
pub fn decay_name(decay: Decay) -> String {
    match decay {
        Decay::Fine => "fine".into(),
        Decay::Shift => "shift".into(),
        Decay::Bits(bits) => format!("bits:{bits}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_stays_as_it_was() {
        let line = VariableFormat::new(16, 8, Rounding::Nearest);
        let change: Notation = ":floor:wrap".parse().expect("a rounding and an overflow");
        let changed = change.apply(&line);
        assert_eq!(
            (changed.format, changed.rounding, changed.overflow),
            (line.format, Rounding::Floor, Overflow::Wrap)
        );
    }

    #[test]
    fn formats_read_back_as_they_are_written() {
        for text in ["8.4:stochastic:saturate", "16.-2:floor:drop", "15.8:nearest:saturate:16383", ":floor"] {
            assert_eq!(text.parse::<Notation>().expect("a format").to_string(), text);
        }
    }

    #[test]
    fn a_bad_format_is_refused_in_one_line() {
        for text in [
            "soma",
            "soma=16",
            "soma=1.0",
            "soma=33.0",
            "soma=8.4:up",
            "soma=8.4:floor:explode",
            "soma=8.4:floor:wrap:0",
            "soma=8.4:floor:wrap:9:9",
            "sema=8.4",
            "soma@top=8.4",
            "soma=x.y",
            "soma=8.99",
        ] {
            let error = text.parse::<Change>().expect_err(text).to_string();
            assert!(!error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn a_group_stands_for_its_variables_in_the_layers_named() {
        let target: Target = "weights@hidden".parse().expect("a target");
        assert_eq!(target.variables, [Variable::Weight, Variable::Feedback]);
        assert!(target.layers.contains(0, 2) && !target.layers.contains(1, 2));
        assert_eq!(target.to_string(), "weights@hidden");
    }
}
