//! The input units: pixels that spike as neurons of a fixed potential would.

use crate::arithmetic::{Arithmetic, Run, Scratch};
use crate::random::{Generator, Offsets};
use crate::spikes::Spikes;
use crate::tables::noise::{BLOCK, pixel_potential};
use crate::trains::Trains;

/// Input units in lent memory.
///
/// Only pixels that are not black take part; they are listed once an example. A spike is
/// one comparison with noise ([`crate::tables::noise`]).
pub struct Input<'a> {
    /// Indices of the active pixels, ascending.
    pub active: &'a mut [u16],
    /// Their potentials, 8 fraction bits.
    pub potentials: &'a mut [i16],
    /// Sum of each unit's postsynaptic potential over the window, 2⁻¹¹.
    pub psp: &'a mut [u16],
    /// Spikes of this step.
    pub spikes: Spikes<'a>,
    /// Streams and counters.
    pub control: &'a mut InputControl,
}

/// What the input draws from and counts.
#[derive(Debug, Clone)]
pub struct InputControl {
    /// Draws for spikes.
    pub draws: Generator,
    /// Pixels that are not black.
    pub active: usize,
    /// Spikes since somebody set this to zero.
    pub fired: u32,
}

impl Input<'_> {
    /// Looks at an image; one of another size is cut, or black where it ends.
    ///
    /// # Draws
    /// None.
    #[inline(never)]
    pub fn show<A: Arithmetic>(&mut self, arithmetic: &A, image: &[u8]) {
        let greys = image.get(..self.psp.len()).unwrap_or(image);
        let active = match arithmetic.find_active(greys, self.active) {
            Some(active) => self.look_up(greys, active),
            None => self.look_at_each(greys),
        };
        let places = self.potentials.get_mut(active..).unwrap_or(&mut []);
        // Whole blocks suit a vector unit: the rest of the last one never fires.
        let padding = active.next_multiple_of(BLOCK).wrapping_sub(active);
        for potential in places.iter_mut().take(padding) {
            *potential = i16::MIN;
        }
        self.control.active = active;
    }

    /// Potentials of the pixels that were found; how many have one.
    fn look_up(&mut self, greys: &[u8], active: usize) -> usize {
        for (&name, potential) in self.active.iter().take(active).zip(&mut *self.potentials) {
            *potential = pixel_potential(greys.get(usize::from(name)).copied().unwrap_or(0));
        }
        active.min(self.potentials.len())
    }

    /// Names and potentials of the pixels that are not black, and how many they are.
    fn look_at_each(&mut self, greys: &[u8]) -> usize {
        let (greys, rest) = greys.as_chunks::<8>();
        let mut active = 0usize;
        let mut look_at = |first: usize, greys: &[u8]| {
            for (index, &grey) in (first..).zip(greys) {
                // Without a branch: what is black is overwritten by the next.
                let (Some(name), Some(potential)) =
                    (self.active.get_mut(active), self.potentials.get_mut(active))
                else {
                    return;
                };
                *name = index as u16;
                *potential = pixel_potential(grey);
                active = active.wrapping_add(usize::from(grey != 0));
            }
        };
        for (first, eight) in (0usize..).step_by(8).zip(greys) {
            if *eight != [0; 8] {
                look_at(first, eight);
            }
        }
        look_at(greys.len().wrapping_mul(8), rest);
        active
    }

    /// The spikes of one step.
    #[inline(always)]
    pub(crate) fn step<A: Arithmetic>(&mut self, arithmetic: &A) {
        self.spikes.clear();
        let shown = self.control.active.next_multiple_of(BLOCK).min(self.potentials.len());
        let potentials = self.potentials.get(..shown).unwrap_or(&[]);
        let offsets = Offsets::new(&mut self.control.draws);
        let names = self.active.get(..shown).unwrap_or(&[]);
        arithmetic.fire_pixels(potentials, names, offsets, &mut self.spikes);
        self.control.fired = self.control.fired.wrapping_add(self.spikes.as_slice().len() as u32);
    }

    /// All steps of a run; the spikes are added to `trains`, the credits to the pixels'.
    #[inline(always)]
    pub(crate) fn run<A: Arithmetic>(
        &mut self,
        arithmetic: &A,
        run: &Run<'_>,
        trains: &mut Trains<'_>,
        scratch: &mut Scratch<'_>,
    ) {
        let shown = self.control.active.next_multiple_of(BLOCK);
        let (potentials, names) = (self.potentials.get(..shown), self.active.get(..shown));
        let before = trains.len();
        if let (Some(potentials), Some(names)) = (potentials, names)
            && arithmetic.fire_run(potentials, names, run, &mut self.control.draws, trains, scratch)
        {
            let fired = trains.len().wrapping_sub(before);
            self.control.fired = self.control.fired.wrapping_add(fired as u32);
            for (&pixel, &credit) in names.iter().zip(&*scratch.psp).take(self.control.active) {
                if let Some(sum) = self.psp.get_mut(usize::from(pixel)) {
                    *sum = sum.saturating_add(credit);
                }
            }
            return;
        }
        for step in 0..run.steps {
            self.step(arithmetic);
            trains.push(self.spikes.as_slice());
            if let Some(&share) = run.shares.get(step) {
                crate::layer::credit(self.psp, self.spikes.as_slice(), share);
            }
        }
    }
}
