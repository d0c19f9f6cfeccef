//! Coefficients of a layer in emulated formats. Floats are allowed here: this runs once,
//! before a run.
#![allow(clippy::float_arithmetic, clippy::arithmetic_side_effects)]

use super::compiled::compiled;
use super::ends::QuickEnds;
use super::learn::QuickLearn;
use super::quick::{QuickStep, QuickSum, QuickUpdate};
use super::run::{QuickRun, Way};
use super::{Table, fit, rescale, state_noise};
use crate::formats::Variable;
use crate::losses::Losses;
use crate::parameters::{APPROACH, BASAL_SHARE, Coefficients, UPDATE_SCALE, tails};
use crate::rounding::Rounding;
use crate::tables::psp::{KEEP_FAST, KEEP_SLOW, Kernel};
use crate::tables::sigmoid::sigmoid;

/// How finely decays and conductances can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Decay {
    /// To 2⁻¹⁵.
    #[default]
    Fine,
    /// To 2^−bits, 15 at most.
    Bits(u8),
    /// To a power of two: a shift.
    Shift,
}

impl Decay {
    /// A coefficient between 0 and 1 as it can be set, in Q15.
    fn set(self, value: f64) -> i32 {
        let nearest = |scaled: f64| (scaled + 0.5) as i32;
        match self {
            Self::Fine => nearest(value * 32768.0),
            Self::Bits(bits) => {
                let unused = 15u32.saturating_sub(u32::from(bits));
                nearest(value * f64::from(32768u32 >> unused)) << unused
            }
            Self::Shift => {
                // The power of two at the smallest ratio to the value.
                let mut shift = 0u32;
                while shift < 15 && value * f64::from(1u32 << shift) < core::f64::consts::FRAC_1_SQRT_2 {
                    shift += 1;
                }
                32768 >> shift
            }
        }
    }
}

/// What a layer in emulated formats is made with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EmulatedParameters {
    /// Synaptic kernel.
    pub kernel: Kernel,
    /// η.
    pub learning_rate: f64,
    /// Formats.
    pub table: Table,
    /// How finely decays can be set.
    pub decay: Decay,
    /// Whether this is the output layer.
    pub is_output: bool,
}

/// Coefficients and formats of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmulatedCoefficients {
    /// Formats.
    pub table: Table,
    pub(super) is_output: bool,
    /// What the fast filter moves toward its input, Q15.
    pub fast: i32,
    /// The same of the slow filter.
    pub slow: i32,
    pub(super) tail_fast: i32,
    pub(super) tail_slow: i32,
    /// k_B · gain of the kernel, Q16.
    pub(super) basal: i32,
    /// g_L + g_B, Q15.
    pub soma: i32,
    /// k_B, Q15.
    pub(super) share: i32,
    /// 20 η k_B, 11 fraction bits.
    pub(super) error: i32,
    pub(super) quick_sum: Option<QuickSum>,
    pub(super) quick_step: Option<QuickStep>,
    pub(super) quick_update: Option<QuickUpdate>,
    pub(super) quick_run: Option<QuickRun>,
    pub(super) quick_learn: Option<QuickLearn>,
    pub(super) quick_ends: Option<QuickEnds>,
    pub(super) compiled: Option<Coefficients>,
}

impl EmulatedParameters {
    /// The coefficients, each rounded once.
    #[must_use]
    pub fn coefficients(&self) -> EmulatedCoefficients {
        let nearest = |value: f64| (value + 0.5) as i32;
        let (tail_fast, tail_slow) = tails(self.kernel);
        let mut made = EmulatedCoefficients {
            table: self.table,
            is_output: self.is_output,
            fast: self.decay.set(1.0 - KEEP_FAST),
            slow: self.decay.set(1.0 - KEEP_SLOW),
            tail_fast: nearest(tail_fast * 32768.0),
            tail_slow: nearest(tail_slow * 32768.0),
            basal: nearest(BASAL_SHARE * self.kernel.gain() * 65536.0),
            soma: self.decay.set(APPROACH),
            share: nearest(BASAL_SHARE * 32768.0),
            error: nearest(UPDATE_SCALE * self.learning_rate * BASAL_SHARE * 2048.0),
            quick_sum: None,
            quick_step: None,
            quick_update: None,
            quick_run: None,
            quick_learn: None,
            quick_ends: None,
            compiled: None,
        };
        made.quick_sum = QuickSum::new(&made);
        made.quick_step = QuickStep::new(&made).filter(QuickStep::is_simple);
        made.quick_update = QuickUpdate::new(&made);
        made.quick_run = QuickRun::new(&made);
        made.quick_learn = QuickLearn::new(&made);
        made.compiled = compiled(&made);
        made.quick_ends = Some(QuickEnds::new(&made));
        made
    }
}

/// How numbers of a layer are worked off on a machine with vector units; all ways have the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pace {
    /// As in the compiled-in formats, in lanes of 16 bits.
    Compiled,
    /// In lanes of 32 bits.
    Lanes,
    /// In loops over numbers of 64 bits.
    Long,
    /// One after another, each narrowing looked up.
    Single,
}

impl Pace {
    /// The words used in tables of formats.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Compiled => "lanes of 16 bits",
            Self::Lanes => "lanes of 32 bits",
            Self::Long => "loops of 64 bits",
            Self::Single => "single numbers",
        }
    }
}

impl EmulatedCoefficients {
    /// How steps and how updates go when nothing is counted, the kernel being cut or not.
    #[must_use]
    pub fn paces(&self, cut: bool) -> [Pace; 2] {
        let steps = match self.way(cut, false) {
            _ if self.compiled.is_some() => Pace::Compiled,
            Some(Way::Short(_)) => Pace::Lanes,
            Some(Way::Long(..)) => Pace::Long,
            None => Pace::Single,
        };
        let updates = match (&self.quick_learn, &self.quick_update) {
            (Some(learn), _) if learn.is_short() => Pace::Compiled,
            (Some(_), _) => Pace::Lanes,
            (None, Some(_)) => Pace::Long,
            (None, None) => Pace::Single,
        };
        [steps, updates]
    }

    /// What all steps of a run are calculated with at once, if anything.
    pub(super) fn way(&self, cut: bool, counted: bool) -> Option<Way<'_>> {
        match (&self.quick_run, &self.quick_step, &self.quick_sum) {
            (Some(quick), _, _) if quick.is_for(cut) => Some(Way::Short(quick)),
            (_, Some(step), Some(sum)) if !counted && !cut => Some(Way::Long(step, sum)),
            _ => None,
        }
    }

    /// σ of a potential, kept as a rate or a plateau.
    #[inline(always)]
    pub(super) fn sigmoid(&self, from: Variable, variable: Variable, potential: i32) -> i32 {
        let point = i32::from(self.table.of(from).format.fraction);
        let scaled = rescale(Rounding::Nearest, i64::from(potential), point, 8, 0);
        let scaled = scaled.clamp(i64::from(i16::MIN), i64::from(i16::MAX)) as i16;
        let to = self.table.of(variable);
        let exact = i64::from(sigmoid(scaled));
        let noise = state_noise(0, 0, variable, i64::from(potential));
        let rounded = rescale(to.rounding, exact, 15, i32::from(to.format.fraction), noise);
        fit::<false>(to, variable, rounded, 0, 0, &mut Losses::none())
    }

    /// An initial value with 32 fraction bits, to nearest, saturated.
    pub(super) fn initial(&self, variable: Variable, value: i64) -> i32 {
        let to = self.table.of(variable);
        let rounded = rescale(Rounding::Nearest, value, 32, i32::from(to.format.fraction), 0);
        rounded.clamp(to.lowest, to.highest) as i32
    }
}
