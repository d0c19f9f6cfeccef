//! How far the integer core strays from its f64 reference.
//!
//! error = core − reference; SQNR = 10 log₁₀(Σ reference² / Σ error²) dB, the usual
//! signal-to-quantisation-noise ratio (Widrow and Kollár (2008), "Quantization Noise").

use super::Moments;
use serde::Serialize;

/// Streaming comparison of core values with reference values, both in real units.
///
/// Serialised as its [`summary`](Self::summary).
///
/// # Numerics
///
/// f64 throughout. A NaN on either side counts as the largest error there is, so that it is
/// located instead of lost, and makes RMS, bias and SQNR NaN.
///
/// # Examples
///
/// ```
/// use apical::statistics::ErrorStats;
/// let mut stats = ErrorStats::new();
/// stats.record(1.0, 1.25, 0);
/// stats.record(-1.0, -1.25, 1);
/// assert_eq!(stats.rms(), 0.25);
/// assert_eq!(stats.bias(), 0.0);
/// assert_eq!(stats.in_lsb(0.125).largest, 2.0);
/// assert!((stats.sqnr_db() - 12.04).abs() < 0.01);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(into = "ErrorSummary")]
pub struct ErrorStats {
    errors: Moments,
    /// Sum of squared reference values.
    signal_energy: f64,
    largest: Option<Largest>,
}

/// The largest |error| so far, and where.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Largest {
    magnitude: f64,
    at: u64,
}

impl Largest {
    /// The larger of two, the earlier of equals: the same whatever the order they come in.
    fn or(self, other: Self) -> Self {
        let order = other.magnitude.total_cmp(&self.magnitude);
        if order.then(self.at.cmp(&other.at)).is_gt() { other } else { self }
    }
}

/// What the errors of a summary are measured in.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// The unit of the values themselves.
    Real,
    /// Steps of the core's format, each of this size in real units.
    Lsb(f64),
}

/// The numbers to report. What is not finite, such as the SQNR of a perfect core, is `null` in
/// JSON.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ErrorSummary {
    /// Unit of `largest`, `rms` and `bias`.
    pub unit: Unit,
    /// Number of values compared.
    pub count: u64,
    /// Largest |error|; 0 of nothing.
    pub largest: f64,
    /// Index of the (first) largest |error|.
    pub largest_at: Option<u64>,
    /// Root of the mean squared error.
    pub rms: f64,
    /// Mean error: positive when the core is too large.
    pub bias: f64,
    /// Mean squared reference value, in real units squared whatever the unit of the errors.
    pub signal_power: f64,
    /// Signal-to-quantisation-noise ratio.
    pub sqnr_db: f64,
}

impl ErrorStats {
    /// Of nothing yet.
    pub const fn new() -> Self {
        Self { errors: Moments::new(), signal_energy: 0.0, largest: None }
    }

    /// Compares one value; `index` is whatever finds it again.
    pub fn record(&mut self, reference: f64, core: f64, index: u64) {
        let error = core - reference;
        self.errors.record(error);
        self.signal_energy += reference * reference;
        self.meet(Largest { magnitude: error.abs(), at: index });
    }

    /// Takes in all that `other` has seen.
    pub fn merge(&mut self, other: &Self) {
        self.errors.merge(&other.errors);
        self.signal_energy += other.signal_energy;
        if let Some(largest) = other.largest {
            self.meet(largest);
        }
    }

    fn meet(&mut self, candidate: Largest) {
        self.largest = Some(self.largest.map_or(candidate, |known| known.or(candidate)));
    }

    /// How many values were compared.
    pub fn count(&self) -> u64 {
        self.errors.count()
    }

    /// The largest |error| and its index, if anything was compared.
    pub fn largest(&self) -> Option<(f64, u64)> {
        self.largest.map(|largest| (largest.magnitude, largest.at))
    }

    /// Root of the mean squared error; 0 of nothing.
    pub fn rms(&self) -> f64 {
        self.errors.mean_square().sqrt()
    }

    /// Mean error, positive when the core is too large; 0 of nothing.
    pub fn bias(&self) -> f64 {
        self.errors.mean()
    }

    /// Mean squared reference value; 0 of nothing.
    pub fn signal_power(&self) -> f64 {
        self.signal_energy / self.count().max(1) as f64
    }

    /// Signal-to-quantisation-noise ratio in dB: +∞ without errors, −∞ without signal, NaN
    /// without either.
    pub fn sqnr_db(&self) -> f64 {
        10.0 * (self.signal_power() / self.errors.mean_square()).log10()
    }

    /// The numbers to report, in real units.
    pub fn summary(&self) -> ErrorSummary {
        self.summary_in(Unit::Real)
    }

    /// The numbers to report, errors in steps of size `lsb`.
    pub fn in_lsb(&self, lsb: f64) -> ErrorSummary {
        self.summary_in(Unit::Lsb(lsb))
    }

    fn summary_in(&self, unit: Unit) -> ErrorSummary {
        let size = match unit {
            Unit::Real => 1.0,
            Unit::Lsb(lsb) => lsb,
        };
        ErrorSummary {
            unit,
            count: self.count(),
            largest: self.largest.map_or(0.0, |largest| largest.magnitude) / size,
            largest_at: self.largest.map(|largest| largest.at),
            rms: self.rms() / size,
            bias: self.bias() / size,
            signal_power: self.signal_power(),
            sqnr_db: self.sqnr_db(),
        }
    }
}

impl From<ErrorStats> for ErrorSummary {
    fn from(stats: ErrorStats) -> Self {
        stats.summary()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LSB: f64 = 1.0 / 1024.0;

    /// A sine and its rounding, both as (reference, core, index).
    fn rounded_sine() -> Vec<(f64, f64, u64)> {
        let sine = (0..10_000u32).map(|i| (f64::from(i), f64::from(i).sin()));
        sine.map(|(i, x)| (x, (x / LSB).round() * LSB, i as u64)).collect()
    }

    fn stats(samples: &[(f64, f64, u64)]) -> ErrorStats {
        let mut stats = ErrorStats::new();
        for &(reference, core, index) in samples {
            stats.record(reference, core, index);
        }
        stats
    }

    /// Uniform errors of ± ½ LSB: RMS LSB/√12, and 6.02 N + 1.76 dB for a full-scale sine of
    /// N = 11 bits, sign included.
    #[test]
    fn a_rounded_sine_has_the_noise_of_the_textbook() {
        let stats = stats(&rounded_sine());
        let in_lsb = stats.in_lsb(LSB);
        assert!(in_lsb.largest <= 0.5 && in_lsb.largest > 0.499);
        assert!((in_lsb.rms - 12f64.sqrt().recip()).abs() < 0.005);
        assert!(in_lsb.bias.abs() < 0.01);
        assert!((stats.signal_power() - 0.5).abs() < 1e-3);
        assert!((stats.sqnr_db() - (6.02 * 11.0 + 1.76)).abs() < 0.15);
    }

    #[test]
    fn bias_is_positive_when_the_core_is_too_large() {
        let stats = stats(&[(1.0, 1.5, 0), (2.0, 2.5, 1)]);
        assert_eq!((stats.bias(), stats.rms()), (0.5, 0.5));
    }

    #[test]
    fn the_largest_error_is_found_where_it_first_was() {
        let stats = stats(&[(0.0, 0.5, 9), (0.0, -0.75, 7), (0.0, 0.75, 4), (0.0, 0.75, 8)]);
        assert_eq!(stats.largest(), Some((0.75, 4)));
    }

    #[test]
    fn merged_parts_equal_the_whole_in_either_order() {
        let samples = rounded_sine();
        let whole = stats(&samples);
        let (left, right) = (stats(&samples[..3_000]), stats(&samples[3_000..]));
        for (mut merged, other) in [(left, right), (right, left)] {
            merged.merge(&other);
            assert_eq!(merged.largest(), whole.largest());
            assert_eq!(merged.count(), whole.count());
            assert!((merged.rms() / whole.rms() - 1.0).abs() < 1e-12);
            assert!((merged.sqnr_db() - whole.sqnr_db()).abs() < 1e-9);
        }
    }

    #[test]
    fn a_nan_is_located_and_not_lost() {
        let stats = stats(&[(0.0, 9.0, 0), (0.0, f64::NAN, 1), (0.0, f64::INFINITY, 2)]);
        let (largest, at) = stats.largest().unwrap();
        assert!(largest.is_nan() && stats.rms().is_nan());
        assert_eq!(at, 1);
    }

    #[test]
    fn a_perfect_core_has_no_noise() {
        let stats = stats(&[(1.0, 1.0, 3), (2.0, 2.0, 4)]);
        assert_eq!(stats.sqnr_db(), f64::INFINITY);
        assert_eq!(stats.largest(), Some((0.0, 3)));
        assert_eq!(ErrorStats::new().largest(), None);
    }

    #[test]
    fn the_summary_is_what_is_written() {
        let json = serde_json::to_value(stats(&[(2.0, 2.5, 6)])).unwrap();
        assert_eq!(json["unit"], "real");
        assert_eq!(json["largest_at"], 6);
        assert_eq!(json["rms"], 0.5);
        assert_eq!(json["signal_power"], 4.0);
    }
}
