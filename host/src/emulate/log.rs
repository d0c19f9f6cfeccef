//! The lines of the firmware's log.

use serde::Serialize;

/// A report of training: counts since the beginning, and the fingerprint of the whole state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Trained {
    /// Examples learnt.
    pub examples: u32,
    /// Those whose forward phase gave another answer than the label.
    pub wrong: u32,
    /// Steps of both phases.
    pub steps: u32,
    /// Spikes of the input and of each layer, modulo 2³².
    pub fired: [u32; 3],
    /// Values held at the end of their range (0 on a board that does not count).
    pub saturated: u32,
    /// Fingerprint.
    pub digest: u64,
}

/// A report of testing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tested {
    /// Images classified.
    pub images: u32,
    /// Wrong answers.
    pub wrong: u32,
    /// Fingerprint of the answers.
    pub answers: u64,
}

/// A line that means something to the host.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    /// Training goes on.
    Trained(Trained),
    /// Testing goes on.
    Tested(Tested),
    /// The most bytes the stack has held.
    Stack(u32),
    /// Instructions per unit of something.
    Count(String, f64),
    /// Anything else.
    Other(String),
}

impl Line {
    /// Reads a decoded line.
    pub fn parse(line: &str) -> Self {
        let words: Vec<&str> = line.split_whitespace().skip_while(|word| is_level(word)).collect();
        Self::understand(&words).unwrap_or_else(|| Self::Other(words.join(" ")))
    }

    fn understand(words: &[&str]) -> Option<Self> {
        let number = |place: usize| words.get(place)?.parse().ok();
        let hexadecimal = |place: usize| u64::from_str_radix(words.get(place)?, 16).ok();
        match *words.first()? {
            "trained" => Some(Self::Trained(Trained {
                examples: number(1)?,
                wrong: number(3)?,
                steps: number(5)?,
                fired: [number(7)?, number(8)?, number(9)?],
                saturated: number(11)?,
                digest: hexadecimal(13)?,
            })),
            "tested" => {
                Some(Self::Tested(Tested { images: number(1)?, wrong: number(3)?, answers: hexadecimal(5)? }))
            }
            "stack" => Some(Self::Stack(number(1)?)),
            // `count per-example 123456 of 50`: instructions, and what they are divided by
            "count" => {
                let (sum, of): (u64, u64) = (words.get(2)?.parse().ok()?, words.get(4)?.parse().ok()?);
                Some(Self::Count((*words.get(1)?).to_owned(), sum as f64 / of.max(1) as f64))
            }
            _ => None,
        }
    }
}

fn is_level(word: &str) -> bool {
    matches!(word, "INFO" | "ERROR" | "WARN" | "DEBUG" | "TRACE" | "[INFO" | "]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_back() {
        let line = "INFO  trained 100 wrong 90 steps 10244 fired 3 4 5 saturated 6 digest 00000000000000ff";
        let read =
            Trained { examples: 100, wrong: 90, steps: 10244, fired: [3, 4, 5], saturated: 6, digest: 255 };
        assert_eq!(Line::parse(line), Line::Trained(read));
        assert_eq!(Line::parse("INFO  count example 30 of 4"), Line::Count("example".to_owned(), 7.5));
    }
}
