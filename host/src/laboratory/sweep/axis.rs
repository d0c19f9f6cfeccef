//! Axes of a grid: `weights.bits=2..16`, `hidden=50,100,500x100`, `rate@output=0.1,0.21`.
//!
//! | axis | values |
//! |---|---|
//! | `TARGET.bits` | widths; the range stays as it was |
//! | `TARGET.fraction` | binary points |
//! | `TARGET.range` | r for a range of ±2^r, at the width there is |
//! | `TARGET.stagger` | the same, one more in the output layer, whose weights are larger |
//! | `TARGET.rounding`, `TARGET.overflow` | names |
//! | `profile`, `decay` | as the flags; `profile=float` is the reference |
//! | `hidden` | layers joined by `x` |
//! | `rate`, `rate@hidden`, `rate@output` | learning rates |
//! | `kernel`, `preset` | names |
//!
//! TARGET is a variable or group with or without a layer, as in `--format`.

use crate::experiment::plan::HIGHEST_RATE;
use crate::laboratory::error::LabError;
use crate::laboratory::notation::{Layers, Target, decay, kernel, overflow, preset, rounding};
use std::str::FromStr;

/// What an axis changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Knob {
    /// A part of formats.
    Format(Target, Field),
    /// Formats to start from.
    Profile,
    /// How finely decays are set.
    Decay,
    /// Hidden layers.
    Hidden,
    /// Learning rate of some layers.
    Rate(Layers),
    /// Synaptic kernel.
    Kernel,
    /// Initial weights.
    Preset,
}

/// Part of a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// Width.
    Bits,
    /// Bits behind the binary point.
    Fraction,
    /// ±2^r.
    Range,
    /// ±2^r, and ±2^(r+1) in the output layer.
    Stagger,
    /// Rounding.
    Rounding,
    /// Overflow.
    Overflow,
}

/// An axis and its values, in the order given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Axis {
    /// As it was written.
    pub name: String,
    /// What it changes.
    pub knob: Knob,
    /// Its values.
    pub values: Vec<String>,
}

impl FromStr for Axis {
    type Err = LabError;

    fn from_str(text: &str) -> Result<Self, LabError> {
        let Some((name, values)) = text.split_once('=') else {
            return Err(LabError::syntax("axis", text, "is not NAME=VALUE,VALUE,… or NAME=FIRST..LAST"));
        };
        let name = name.trim();
        let knob = knob(name)?;
        let mut list = Vec::new();
        for part in values.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            match part.split_once("..") {
                None => list.push(part.to_owned()),
                Some((first, last)) => {
                    let end = |text: &str| text.parse::<i32>().ok();
                    let (Some(first), Some(last)) = (end(first), end(last.trim_start_matches('='))) else {
                        return Err(LabError::syntax(
                            "axis",
                            text,
                            format!("'{part}' is not FIRST..LAST in whole numbers"),
                        ));
                    };
                    list.extend((first..=last).take(1000).map(|value| value.to_string()));
                }
            }
        }
        if list.is_empty() {
            return Err(LabError::syntax("axis", text, "has no values"));
        }
        let mut seen = std::collections::BTreeSet::new();
        if let Some(twice) = list.iter().find(|value| !seen.insert(value.as_str())) {
            return Err(LabError::syntax("axis", text, format!("has {twice} twice")));
        }
        list.iter().try_for_each(|value| check(&knob, value))?;
        Ok(Self { name: name.into(), knob, values: list })
    }
}

fn knob(name: &str) -> Result<Knob, LabError> {
    Ok(match name {
        "profile" => Knob::Profile,
        "decay" => Knob::Decay,
        "hidden" => Knob::Hidden,
        "kernel" => Knob::Kernel,
        "preset" => Knob::Preset,
        "rate" => Knob::Rate(Layers::All),
        _ if name.starts_with("rate@") => Knob::Rate(name[5..].parse()?),
        _ => {
            let Some((target, field)) = name.rsplit_once('.') else {
                let why = "is none of profile, decay, hidden, kernel, preset, rate, nor VARIABLE.FIELD";
                return Err(LabError::syntax("axis", name, why));
            };
            let field = match field {
                "bits" => Field::Bits,
                "fraction" => Field::Fraction,
                "range" => Field::Range,
                "stagger" => Field::Stagger,
                "rounding" => Field::Rounding,
                "overflow" => Field::Overflow,
                _ => {
                    let why = "ends in none of bits, fraction, range, stagger, rounding, overflow";
                    return Err(LabError::syntax("axis", name, why));
                }
            };
            Knob::Format(target.parse()?, field)
        }
    })
}

/// Whether a value means something on its axis.
fn check(knob: &Knob, value: &str) -> Result<(), LabError> {
    match knob {
        Knob::Format(_, Field::Rounding) => rounding(value).map(|_| ()),
        Knob::Format(_, Field::Overflow) => overflow(value).map(|_| ()),
        Knob::Format(_, Field::Bits) => number(value, 2..=32).map(|_| ()),
        Knob::Format(_, _) => number(value, -32..=48).map(|_| ()),
        Knob::Profile => Ok(()),
        Knob::Decay => decay(value).map(|_| ()),
        Knob::Hidden => hidden(value).map(|_| ()),
        Knob::Rate(_) => rate(value).map(|_| ()),
        Knob::Kernel => kernel(value).map(|_| ()),
        Knob::Preset => preset(value).map(|_| ()),
    }
}

/// A whole number within bounds.
pub(super) fn number(value: &str, bounds: std::ops::RangeInclusive<i8>) -> Result<i8, LabError> {
    let parsed = value.parse().ok().filter(|number| bounds.contains(number));
    parsed.ok_or_else(|| {
        LabError::syntax(
            "axis value",
            value,
            format!("is not a whole number from {} to {}", bounds.start(), bounds.end()),
        )
    })
}

/// `500x100`, or `0` for no hidden layer.
pub(super) fn hidden(value: &str) -> Result<Vec<usize>, LabError> {
    if value == "0" {
        return Ok(Vec::new());
    }
    let units = value.split('x').map(|units| units.parse().ok().filter(|&units| units > 0));
    units
        .collect::<Option<_>>()
        .ok_or_else(|| LabError::syntax("axis value", value, "is not layers joined by x, such as 500x100"))
}

/// A learning rate.
pub(super) fn rate(value: &str) -> Result<f64, LabError> {
    let rate = value.parse().ok().filter(|&rate: &f64| rate > 0.0 && rate <= HIGHEST_RATE);
    let why = || format!("is not a learning rate above 0 and at most {HIGHEST_RATE}");
    rate.ok_or_else(|| LabError::syntax("axis value", value, why()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_includes_both_ends() {
        let axis: Axis = "weights.bits=2..4,16".parse().expect("an axis");
        assert_eq!(axis.values, ["2", "3", "4", "16"]);
        assert_eq!(axis.name, "weights.bits");
    }

    #[test]
    fn what_is_no_axis_is_refused_in_one_line() {
        for text in [
            "weights.bits",
            "weights.bits=",
            "weights.bits=1",
            "weights.bits=2,2",
            "weights.width=3",
            "wights.bits=3",
            "rate=0",
            "rate=2",
            "rate@top=0.1",
            "hidden=3x",
            "weights.rounding=up",
            "weights.bits=4..x",
            "size=3",
            "decay=slow",
        ] {
            let error = text.parse::<Axis>().expect_err(text).to_string();
            assert!(!error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn hidden_layers_are_joined_by_x_and_0_is_none() {
        assert_eq!(hidden("500x100").expect("layers"), [500, 100]);
        assert_eq!(hidden("0").expect("none"), [0; 0]);
    }
}
