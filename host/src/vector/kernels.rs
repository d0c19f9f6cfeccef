//! The kernels of a path, chosen when the program runs.
//!
//! Each call enters the path's instructions, so that each kernel is compiled for them, as a function
//! of its own. A network is one type on all paths: what is not a kernel is compiled once.

use super::Path;
#[cfg(target_arch = "x86_64")]
use super::{Avx512, Pair, Wide};
use apical_core::arithmetic::{Columns, Dynamics, Neurons, Run, Scratch, Updates};
use apical_core::formats::Variable;
#[cfg(target_arch = "aarch64")]
use apical_core::kernels::Baseline;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use apical_core::kernels::Vector;
use apical_core::kernels::{Job, Kernels, Plain};
use apical_core::losses::Losses;
use apical_core::native::Weight;
use apical_core::parameters::Coefficients;
use apical_core::random::{Generator, Offsets};
use apical_core::readout::Reading;
use apical_core::spikes::Spikes;
use apical_core::trains::Trains;
#[cfg(target_arch = "x86_64")]
use pulp::x86::V3;

/// The kernels that run on a [`Path`].
#[derive(Debug, Clone, Copy)]
pub struct PathKernels(On);

/// Warrants of a path's instructions.
#[derive(Debug, Clone, Copy)]
enum On {
    Scalar,
    #[cfg(target_arch = "aarch64")]
    Neon,
    #[cfg(target_arch = "x86_64")]
    Avx2(V3),
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
}

impl Path {
    /// The kernels of this path.
    ///
    /// # Panics
    /// If this machine has not its instructions; [`Path::available`] names those it has.
    #[must_use]
    pub fn kernels(self) -> PathKernels {
        let on = match self {
            Self::Scalar => Some(On::Scalar),
            #[cfg(target_arch = "aarch64")]
            Self::Neon => Some(On::Neon),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => V3::try_new().map(On::Avx2),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => Avx512::try_new().map(On::Avx512),
            _ => None,
        };
        PathKernels(on.unwrap_or_else(|| panic!("this machine has no {}", self.name())))
    }
}

/// The kernels of a path at work, where its instructions may be used.
macro_rules! on {
    ($path:expr, $kernels:ident => $work:expr) => {
        match $path.0 {
            On::Scalar => {
                let $kernels = Plain;
                $work
            }
            #[cfg(target_arch = "aarch64")]
            On::Neon => {
                let $kernels = Vector(Baseline);
                $work
            }
            #[cfg(target_arch = "x86_64")]
            On::Avx2(token) => {
                let $kernels = Vector(Pair(token));
                token.vectorize(
                    #[inline(always)]
                    || $work,
                )
            }
            #[cfg(target_arch = "x86_64")]
            On::Avx512(token) => {
                let $kernels = Vector(Wide(token));
                token.vectorize(
                    #[inline(always)]
                    || $work,
                )
            }
        }
    };
}

impl Kernels for PathKernels {
    fn enter<R>(&self, f: impl FnOnce() -> R) -> R {
        on!(self, _kernels => f())
    }

    fn on_lanes<J: Job>(&self, job: J) -> Option<J::Outcome> {
        on!(self, kernels => kernels.on_lanes(job))
    }

    fn sum_columns<W: Weight, const COUNT: bool>(
        &self,
        shift: i8,
        columns: Columns<'_, W>,
        spikes: &[u16],
        sums: &mut [i16],
        losses: &mut Losses<'_>,
    ) {
        on!(self, kernels => kernels.sum_columns::<W, COUNT>(shift, columns, spikes, sums, losses))
    }

    fn advance<const COUNT: bool>(
        &self,
        layer: &Coefficients,
        state: Dynamics<'_, i16>,
        units: usize,
        label: Option<usize>,
        offsets: Offsets<'_, Generator>,
        spikes: &mut Spikes<'_>,
        losses: &mut Losses<'_>,
    ) {
        on!(self, kernels => kernels.advance::<COUNT>(layer, state, units, label, offsets, spikes, losses))
    }

    fn fire(
        &self,
        potentials: &[i16],
        names: &[u16],
        offsets: Offsets<'_, Generator>,
        spikes: &mut Spikes<'_>,
    ) {
        on!(self, kernels => kernels.fire(potentials, names, offsets, spikes))
    }

    fn run<W: Weight, const COUNT: bool>(
        &self,
        layer: &Coefficients,
        columns: Columns<'_, W>,
        neurons: Neurons<'_, i16, i32>,
        run: &Run<'_>,
        draws: &mut Generator,
        trains: &mut Trains<'_>,
        scratch: &mut Scratch<'_>,
        losses: &mut Losses<'_>,
    ) -> bool {
        on!(self, kernels => {
            kernels.run::<W, COUNT>(layer, columns, neurons, run, draws, trains, scratch, losses)
        })
    }

    fn reads_masks<W: Weight>(
        &self,
        columns: Columns<'_, W>,
        steps: usize,
        trains: &Trains<'_>,
        scratch: &Scratch<'_>,
    ) -> bool {
        on!(self, kernels => kernels.reads_masks(columns, steps, trains, scratch))
    }

    fn sum_masks<W: Weight>(
        &self,
        columns: Columns<'_, W>,
        trains: &Trains<'_>,
        steps: usize,
        scratch: &mut Scratch<'_>,
    ) {
        on!(self, kernels => kernels.sum_masks::<W>(columns, trains, steps, scratch))
    }

    fn read_out<W: Weight, const COUNT: bool>(
        &self,
        layer: &Coefficients,
        reading: Reading<'_, W, i16>,
        sums: &mut [i32],
        losses: &mut Losses<'_>,
    ) {
        on!(self, kernels => kernels.read_out::<W, COUNT>(layer, reading, sums, losses))
    }

    fn find_active(&self, greys: &[u8], names: &mut [u16]) -> Option<usize> {
        on!(self, kernels => kernels.find_active(greys, names))
    }

    fn fire_run(
        &self,
        potentials: &[i16],
        names: &[u16],
        run: &Run<'_>,
        draws: &mut Generator,
        trains: &mut Trains<'_>,
        scratch: &mut Scratch<'_>,
    ) -> bool {
        on!(self, kernels => kernels.fire_run(potentials, names, run, draws, trains, scratch))
    }

    fn accumulate(&self, somas: &[i16], sums: &mut [i32]) {
        on!(self, kernels => kernels.accumulate(somas, sums))
    }

    fn plateaus<W: Weight, const COUNT: bool>(
        &self,
        shift: i8,
        feedback: Columns<'_, W>,
        psp: &[i16],
        plateaus: &mut [i16],
        losses: &mut Losses<'_>,
    ) {
        on!(self, kernels => kernels.plateaus::<W, COUNT>(shift, feedback, psp, plateaus, losses))
    }

    fn slopes<const COUNT: bool>(
        &self,
        sums: &[i32],
        steps: u32,
        slopes: &mut [i16],
        losses: &mut Losses<'_>,
    ) {
        on!(self, kernels => kernels.slopes::<COUNT>(sums, steps, slopes, losses))
    }

    fn errors<const COUNT: bool>(
        &self,
        layer: &Coefficients,
        targets: &[i16],
        forwards: &[i16],
        errors: &mut [i16],
        losses: &mut Losses<'_>,
    ) {
        on!(self, kernels => kernels.errors::<COUNT>(layer, targets, forwards, errors, losses))
    }

    fn learn<W: Weight, const COUNT: bool>(
        &self,
        layer: &Coefficients,
        updates: Updates<'_, W, i16>,
        losses: &mut Losses<'_>,
    ) {
        on!(self, kernels => kernels.learn::<W, COUNT>(layer, updates, losses))
    }

    fn update<W: Weight, const COUNT: bool>(
        &self,
        variable: Variable,
        layer: &Coefficients,
        weights: &mut [W],
        errors: &[i16],
        psp: i16,
        dither: &[u16; 32],
        losses: &mut Losses<'_>,
    ) -> u16 {
        on!(self, kernels => {
            kernels.update::<W, COUNT>(variable, layer, weights, errors, psp, dither, losses)
        })
    }
}
