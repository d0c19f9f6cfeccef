//! Units of fixed potentials, pixels, through all steps of a run.

use super::fire::{draw_places, fire, places_of};
use super::lanes::Lanes;
use super::run::has_room;
use super::vector::Vector;
use crate::arithmetic::{Run, Scratch, Wanted};
use crate::random::Generator;
use crate::tables::noise::BLOCK;
use crate::trains::Trains;

impl<L: Lanes> Vector<L> {
    /// See [`Kernels::fire_run`](super::Kernels::fire_run).
    #[inline(always)]
    pub(super) fn fire_all(
        &self,
        potentials: &[i16],
        names: &[u16],
        run: &Run<'_>,
        draws: &mut Generator,
        trains: &mut Trains<'_>,
        scratch: &mut Scratch<'_>,
    ) -> bool {
        let potentials = potentials.as_chunks::<BLOCK>().0;
        let blocks = potentials.len();
        if !has_room(potentials.len().wrapping_mul(BLOCK), run.steps, trains, scratch) {
            return false;
        }
        trains.masks.begin(blocks, run.steps);
        draw_places(self.0, draws, run.steps, blocks, scratch.places);
        for (block, potentials) in potentials.iter().enumerate() {
            self.0.apart(
                #[inline(always)]
                || self.fire_block(block, blocks, potentials, run, trains, scratch),
            );
        }
        if run.wanted == Wanted::Lists {
            self.list(run.steps, trains, Some(names));
        }
        true
    }

    /// One block of units of fixed potentials through all steps.
    #[inline(always)]
    fn fire_block(
        &self,
        block: usize,
        blocks: usize,
        potentials: &[i16; BLOCK],
        run: &Run<'_>,
        trains: &mut Trains<'_>,
        scratch: &mut Scratch<'_>,
    ) {
        let l = self.0;
        let lanes = l.load(potentials);
        let mut psp = l.splat(0);
        let shares = run.shares;
        let Some(fired) = trains.masks.fired.get_mut(block) else { return };
        let places = scratch.places.chunks_exact(places_of(blocks));
        for ((step, more), places) in trains.masks.more.iter_mut().enumerate().zip(places).take(run.steps) {
            let Some(&place) = places.get(block) else { return };
            fire(l, lanes, place, shares.get(step), &mut psp, (block, step, fired, more));
        }
        if let Some(to) = scratch.psp.as_chunks_mut::<BLOCK>().0.get_mut(block) {
            l.store_unsigned(psp, to);
        }
    }
}
