//! Formats that the compiled-in arithmetic leaves to choose, and their notation on the command line.

use apical_core::formats::{ERROR_FRACTION, Format};
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// Formats of the stored weights, bits and binary points, and the binary point of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Width {
    hidden: Format,
    output: Format,
    errors: u8,
}

impl Width {
    /// 16 bits, 8 of them behind the binary point.
    pub const SIXTEEN: Self = Self::new(Self::usual(16, false), Self::usual(16, true));
    /// 8 bits: 4 behind the binary point in hidden layers, 3 in the output layer.
    pub const EIGHT: Self = Self::new(Self::usual(8, false), Self::usual(8, true));
    /// Bits behind the binary point that the compiled-in arithmetic can do: with fewer, a change
    /// and its dither would not fit into 16 bits; with more, the sum of a step's columns would not.
    pub const POINTS: RangeInclusive<i8> = 3..=8;
    /// The same for errors, which with fewer could hardly be anything but 0.
    pub const ERROR_POINTS: RangeInclusive<u8> = 2..=ERROR_FRACTION;

    /// Weights of these formats in hidden layers and in the output layer.
    #[must_use]
    pub const fn new(hidden: Format, output: Format) -> Self {
        Self { hidden, output, errors: ERROR_FRACTION }
    }

    /// The same with so many bits of errors behind the binary point.
    #[must_use]
    pub const fn with_errors(self, errors: u8) -> Self {
        Self { errors, ..self }
    }

    /// Bits of errors behind the binary point.
    #[must_use]
    pub const fn errors(self) -> u8 {
        self.errors
    }

    /// The format of so many bits where no other binary point is asked for.
    #[must_use]
    pub const fn usual(bits: u8, is_output: bool) -> Format {
        let fraction = match (bits, is_output) {
            (8, false) => 4,
            (8, true) => 3,
            _ => 8,
        };
        Format::new(bits, fraction)
    }

    /// The format of a layer's weights.
    #[must_use]
    pub const fn of(self, is_output: bool) -> Format {
        if is_output { self.output } else { self.hidden }
    }

    /// Those of all layers of a network of so many.
    pub fn each(self, layers: usize) -> impl Iterator<Item = Format> + Clone {
        (1..=layers).map(move |number| self.of(number == layers))
    }

    /// Whether there is a compiled-in arithmetic for weights of these formats: narrower ones in
    /// the output layer than in hidden layers would only cost.
    #[must_use]
    pub fn is_possible(self) -> bool {
        let known =
            |format: Format| [8, 16].contains(&format.bits) && Self::POINTS.contains(&format.fraction);
        let errors = Self::ERROR_POINTS.contains(&self.errors);
        errors && known(self.hidden) && known(self.output) && self.hidden.bits <= self.output.bits
    }
}

impl fmt::Display for Width {
    /// In the notation of `--weights`: `8`, `8,16`, `8:4,4`, `8:4,16:8`, `8:4,5/5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hidden, output, errors } = self;
        let is_usual =
            *hidden == Self::usual(hidden.bits, false) && *output == Self::usual(output.bits, true);
        match (hidden.bits == output.bits, is_usual) {
            (true, true) => write!(f, "{}", hidden.bits),
            (false, true) => write!(f, "{},{}", hidden.bits, output.bits),
            (true, false) => write!(f, "{}:{},{}", hidden.bits, hidden.fraction, output.fraction),
            (false, false) => {
                write!(f, "{}:{},{}:{}", hidden.bits, hidden.fraction, output.bits, output.fraction)
            }
        }?;
        if *errors == ERROR_FRACTION { Ok(()) } else { write!(f, "/{errors}") }
    }
}

impl FromStr for Width {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse::<u8>().ok();
        let layer = |text: &str| match text.split_once(':') {
            Some((bits, point)) => Some((number(bits)?, Some(number(point)?))),
            None => Some((number(text)?, None)),
        };
        let usual = |bits| Self::new(Self::usual(bits, false), Self::usual(bits, true));
        let format = |bits, point: u8| Format::new(bits, point as i8);
        let (weights, errors) = match text.split_once('/') {
            Some((weights, errors)) => (weights, number(errors)),
            None => (text, Some(ERROR_FRACTION)),
        };
        let width = match weights.split_once(',') {
            None => number(weights).map(usual),
            Some((hidden, output)) => match (layer(hidden), layer(output)) {
                (Some((hidden, None)), Some((output, None))) => {
                    Some(Self::new(usual(hidden).hidden, usual(output).output))
                }
                (Some((hidden, Some(first))), Some((output, second))) => {
                    // Without bits of its own, the output layer has a binary point of its own.
                    let (output, second) = second.map_or((hidden, output), |second| (output, second));
                    Some(Self::new(format(hidden, first), format(output, second)))
                }
                _ => None,
            },
        };
        let width = width.zip(errors).map(|(width, errors)| width.with_errors(errors));
        width.filter(|width| width.is_possible()).ok_or_else(|| {
            "16 or 8, or 8,16 for 16 in the output layer alone; with binary points from 3 to 8: 8:4,4 or \
             8:4,16:8; with that of errors, from 2 to 14: 8/5"
                .into()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_have_bits_and_may_have_binary_points() {
        let parsed = |text: &str| text.parse::<Width>();
        let width = |hidden: (u8, i8), output: (u8, i8)| {
            Ok(Width::new(Format::new(hidden.0, hidden.1), Format::new(output.0, output.1)))
        };
        assert_eq!(parsed("16"), Ok(Width::SIXTEEN));
        assert_eq!(parsed("8"), Ok(Width::EIGHT));
        assert_eq!(parsed("8:4,3"), Ok(Width::EIGHT));
        assert_eq!(parsed("8:4,5"), width((8, 4), (8, 5)));
        assert_eq!(parsed("16:4,8"), width((16, 4), (16, 8)));
        assert_eq!(parsed("8,16"), width((8, 4), (16, 8)));
        assert_eq!(parsed("8:4,16:8"), parsed("8,16"));
        for wrong in ["", "9", "8:", "8:4", "8:4,2", "8:9,4", "8:-1,4", "8:4,4,4", "8,", "8,9", "8,16,16"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
        assert_eq!(parsed("8/5"), Ok(Width::EIGHT.with_errors(5)));
        assert_eq!(parsed("8:4,5/2"), width((8, 4), (8, 5)).map(|width: Width| width.with_errors(2)));
        assert_eq!(parsed("16/14"), Ok(Width::SIXTEEN));
        for wrong in ["8/", "8/1", "8/15", "8/-5", "8/5/5", "/5", "8/5,16", "8/:5"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
        for wrong in ["8:4,16", "8:4,16:", "8:4,9:4", "8:4,16:9", "8:4,16:8,4", "8,16:8", "16,8", "-8"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_written_reads_back_as_short_as_it_can_be() {
        for text in ["16", "8", "8:4,4", "8,16", "8:5,16:8", "8/5", "8:4,5/5", "8,16/6", "16/2"] {
            assert_eq!(text.parse::<Width>().map(|width| width.to_string()), Ok(text.into()));
        }
        assert_eq!("8:4,16:8".parse::<Width>().map(|width| width.to_string()), Ok("8,16".into()));
    }
}
