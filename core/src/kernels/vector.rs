//! The kernels 32 numbers at a time.
//!
//! Written once over [`Lanes`]. Memory must be padded to whole blocks of 32 units; weights in the padding
//! are zero.

use super::change::{Added, Change};
use super::columns::sum_tiles;
use super::counted::{Counted, MOST_WEIGHTS};
use super::lanes::{Job, Lanes};
use super::listed::{Listed, SECTION};
use super::neurons::{NarrowSum, Step, pulls};
use super::output_sums::{self, sum_by_time};
use super::run::has_room;
use super::watch::{Count, Nobody};
use super::{Kernels, Reach, fits, nothing_is_held, plain};
use crate::arithmetic::{Columns, Dynamics, Neurons, Run, Scratch, Updates};
use crate::formats::Variable;
use crate::losses::Losses;
use crate::native::{Weight, mean, reciprocal};
use crate::parameters::Coefficients;
use crate::random::{Generator, Offsets};
use crate::readout::Reading;
use crate::spikes::Spikes;
use crate::tables::noise::BLOCK;
use crate::trains::Trains;

/// Kernels on a vector unit.
#[derive(Debug, Clone, Copy, Default)]
pub struct Vector<L>(pub L);

impl<L: Lanes> Kernels for Vector<L> {
    #[inline(always)]
    fn on_lanes<J: Job>(&self, job: J) -> Option<J::Outcome> {
        Some(job.work(self.0))
    }

    #[inline(always)]
    fn sum_columns<W: Weight, const COUNT: bool>(
        &self,
        shift: i8,
        columns: Columns<'_, W>,
        spikes: &[u16],
        sums: &mut [i16],
        losses: &mut Losses<'_>,
    ) {
        let narrow = NarrowSum::new(self.0, shift);
        if sums.len() > BLOCK && fits::<W>(columns.bounds, spikes) {
            let mut rest = sum_tiles::<L, W, 16, COUNT>(&narrow, columns, spikes, 0, sums, losses);
            rest = sum_tiles::<L, W, 4, COUNT>(&narrow, columns, spikes, rest, sums, losses);
            sum_tiles::<L, W, 1, COUNT>(&narrow, columns, spikes, rest, sums, losses);
            return;
        }
        for (block, sums) in sums.as_chunks_mut::<32>().0.iter_mut().enumerate() {
            let unit = block.wrapping_mul(BLOCK);
            let total = match COUNT {
                true => self.sum_block(columns, spikes, unit, &mut Count(losses)),
                false => self.sum_block(columns, spikes, unit, &mut Nobody),
            };
            narrow.store::<COUNT>(total, sums, block, losses);
        }
    }

    #[inline(always)]
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
        spikes.clear();
        let step = Step::new(self.0, layer);
        let sums = state.sums.as_chunks::<32>().0;
        let fast = state.fast.as_chunks_mut::<32>().0;
        let slow = state.slow.as_chunks_mut::<32>().0;
        let soma = state.soma.as_chunks_mut::<32>().0;
        let bias = state.bias.as_chunks::<32>().0;
        let oldest = state.oldest.as_chunks_mut::<32>().0;
        if oldest.is_empty() && label.is_none() {
            let blocks = sums.iter().zip(fast).zip(slow).zip(soma.iter_mut()).zip(bias);
            for (((((sums, fast), slow), soma), bias), block) in blocks.zip(0..) {
                let x2 = step.filter(sums, fast, slow, None);
                step.integrate::<COUNT>(x2, bias, soma, None, block, losses);
            }
        } else {
            let blocks = sums.iter().zip(fast).zip(slow).zip(soma.iter_mut()).zip(bias);
            let mut oldest = oldest.iter_mut();
            for (((((sums, fast), slow), soma), bias), block) in blocks.zip(0usize..) {
                let tail = oldest.next().map(|old| core::mem::replace(old, *sums));
                let x2 = step.filter(sums, fast, slow, tail);
                let first = block.wrapping_mul(BLOCK);
                let pull = label.map(|label| self.0.load(&pulls(label.wrapping_sub(first))));
                step.integrate::<COUNT>(x2, bias, soma, pull, block, losses);
            }
        }
        self.compare(state.soma, units, offsets, spikes);
    }

    #[inline(always)]
    fn fire(
        &self,
        potentials: &[i16],
        names: &[u16],
        offsets: Offsets<'_, Generator>,
        spikes: &mut Spikes<'_>,
    ) {
        spikes.clear();
        self.compare(potentials, potentials.len(), offsets, spikes);
        spikes.rename(names);
    }

    #[inline(always)]
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
        self.run_layer::<W, COUNT>(layer, columns, neurons, run, draws, trains, scratch, losses)
    }

    #[inline(always)]
    fn reads_masks<W: Weight>(
        &self,
        columns: Columns<'_, W>,
        steps: usize,
        trains: &Trains<'_>,
        scratch: &Scratch<'_>,
    ) -> bool {
        let blocks = (columns.weights.len() / BLOCK).div_ceil(BLOCK);
        L::LOOKS_UP
            && output_sums::has_room(columns.units, blocks, scratch)
            && has_room(columns.units, steps, trains, scratch)
    }

    #[inline(always)]
    fn sum_masks<W: Weight>(
        &self,
        columns: Columns<'_, W>,
        trains: &Trains<'_>,
        steps: usize,
        scratch: &mut Scratch<'_>,
    ) {
        if L::LOOKS_UP {
            sum_by_time(self.0, columns, &trains.masks, steps, scratch);
        }
    }

    #[inline(always)]
    fn read_out<W: Weight, const COUNT: bool>(
        &self,
        layer: &Coefficients,
        reading: Reading<'_, W, i16>,
        sums: &mut [i32],
        losses: &mut Losses<'_>,
    ) {
        self.read_out_all::<W, COUNT>(layer, reading, sums, losses);
    }

    #[inline(always)]
    fn find_active(&self, greys: &[u8], names: &mut [u16]) -> Option<usize> {
        let mut found = 0usize;
        for (greys, first) in greys.chunks(SECTION).zip((0u16..).step_by(SECTION)) {
            let listed = Listed::of_greys(self.0, greys);
            for (name, &place) in names.iter_mut().skip(found).zip(listed.places()) {
                *name = first.wrapping_add(place);
            }
            found = found.wrapping_add(listed.places().len()).min(names.len());
        }
        Some(found)
    }

    #[inline(always)]
    fn fire_run(
        &self,
        potentials: &[i16],
        names: &[u16],
        run: &Run<'_>,
        draws: &mut Generator,
        trains: &mut Trains<'_>,
        scratch: &mut Scratch<'_>,
    ) -> bool {
        self.fire_all(potentials, names, run, draws, trains, scratch)
    }

    #[inline(always)]
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
        let Some(added) = Added::of(layer) else {
            return plain::Plain.update::<W, COUNT>(variable, layer, weights, errors, psp, dither, losses);
        };
        let noise = match added {
            Added::Constant(value) => self.0.splat(value),
            Added::Dither => self.0.load_unsigned(dither),
        };
        let mut counted = Counted::new(self.0, layer.update_shift, if COUNT { errors } else { &[] });
        let change = Change { variable, shift: layer.update_shift };
        macro_rules! change {
            ($counting:literal, $dithered:literal, $safe:literal) => {
                self.change::<W, $counting, $dithered, $safe>(
                    change,
                    weights,
                    errors,
                    psp,
                    noise,
                    &mut counted,
                    losses,
                )
            };
        }
        match (COUNT, added) {
            (false, Added::Constant(_)) => change!(false, false, true),
            (false, Added::Dither) => change!(false, true, true),
            (true, Added::Constant(_)) => change!(true, false, false),
            (true, Added::Dither) => change!(true, true, false),
        }
        if COUNT {
            counted.note(self.0, losses, variable);
        }
        self.magnitude(weights)
    }

    #[inline(always)]
    fn learn<W: Weight, const COUNT: bool>(
        &self,
        layer: &Coefficients,
        updates: Updates<'_, W, i16>,
        losses: &mut Losses<'_>,
    ) {
        let Some(added) = Added::of(layer) else {
            return plain::Plain.learn::<W, COUNT>(layer, updates, losses);
        };
        if COUNT && updates.matrix.weights.len() > MOST_WEIGHTS {
            return plain::Plain.learn::<W, COUNT>(layer, updates, losses);
        }
        let updates = updates.trimmed();
        // Without bounds to keep, a column's magnitude is nobody's concern; those of narrow
        // weights say where counting must look.
        let bounded = (COUNT || W::EXACT_SPIKES == 0) && !updates.matrix.bounds.is_empty();
        let reach = Reach::new::<W>(layer, if bounded || COUNT { updates.errors } else { &[] });
        let safe = !COUNT || nothing_is_held(&updates, reach);
        let lost = COUNT && losses.looks_at_updates();
        let of = (layer.update_shift, added, reach);
        macro_rules! learn {
            ($lost:literal, $dithered:literal, $safe:literal) => {
                self.0.apart(
                    #[inline(always)]
                    || match bounded {
                        true => self.learn_all::<W, $lost, $dithered, true, $safe>(of, updates, losses),
                        false => self.learn_all::<W, $lost, $dithered, false, $safe>(of, updates, losses),
                    },
                )
            };
        }
        let dithered = matches!(added, Added::Dither);
        match (lost, dithered, safe) {
            (false, true, true) => learn!(false, true, true),
            (false, false, true) => learn!(false, false, true),
            _ if !COUNT => {}
            (true, true, true) => learn!(true, true, true),
            (true, false, true) => learn!(true, false, true),
            (true, true, false) => learn!(true, true, false),
            (true, false, false) => learn!(true, false, false),
            (false, true, false) => learn!(false, true, false),
            (false, false, false) => learn!(false, false, false),
        }
    }

    #[inline(always)]
    fn plateaus<W: Weight, const COUNT: bool>(
        &self,
        shift: i8,
        feedback: Columns<'_, W>,
        psp: &[i16],
        plateaus: &mut [i16],
        losses: &mut Losses<'_>,
    ) {
        if !self.apical_means::<W, COUNT>(shift, feedback, psp, plateaus, losses) {
            plain::apical_means::<W, COUNT>(shift, feedback, psp, plateaus, losses);
        }
        for plateaus in plateaus.as_chunks_mut::<BLOCK>().0 {
            self.0.store(self.0.sigmoids(self.0.load(plateaus)), plateaus);
        }
    }

    /// As plain as elsewhere, but compiled for the vector unit.
    #[inline(always)]
    fn errors<const COUNT: bool>(
        &self,
        layer: &Coefficients,
        targets: &[i16],
        forwards: &[i16],
        errors: &mut [i16],
        losses: &mut Losses<'_>,
    ) {
        plain::errors::<COUNT>(layer, targets, forwards, errors, losses);
    }

    #[inline(always)]
    fn slopes<const COUNT: bool>(
        &self,
        sums: &[i32],
        steps: u32,
        slopes: &mut [i16],
        losses: &mut Losses<'_>,
    ) {
        let l = self.0;
        let reciprocal = reciprocal(steps);
        let (blocks, _) = slopes.as_chunks_mut::<BLOCK>();
        for (slopes, sums) in blocks.iter_mut().zip(sums.as_chunks::<BLOCK>().0) {
            let means = sums.map(|sum| mean::<COUNT>(sum, reciprocal, Variable::Soma, losses));
            let rates = l.sigmoids(l.load(&means));
            l.store(l.subtract(rates, l.product(rates, rates)), slopes);
        }
    }
}
