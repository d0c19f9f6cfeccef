//! The spikes of many steps: what a whole run of a layer is fed with, and what it emits.

use crate::kernels::Lanes;
use crate::tables::noise::BLOCK;

/// Spikes of a run, step after step, in lent memory.
#[derive(Debug)]
pub struct Trains<'a> {
    units: &'a mut [u16],
    ends: &'a mut [u32],
    steps: usize,
}

impl<'a> Trains<'a> {
    /// Places beyond the last spike that let [`Self::push_words`] run at full speed.
    pub const ROOM: usize = 64;

    /// No steps yet, in this memory: `ends` has one entry a step, `units` one a spike.
    #[must_use]
    pub fn new(units: &'a mut [u16], ends: &'a mut [u32]) -> Self {
        Self { units, ends, steps: 0 }
    }

    /// Steps that memory is kept for.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.ends.len()
    }

    /// Steps recorded.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Spikes recorded.
    #[must_use]
    pub fn len(&self) -> usize {
        self.end_of(self.steps)
    }

    /// Whether nothing has fired.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A new run begins.
    pub fn clear(&mut self) {
        self.steps = 0;
    }

    #[inline(always)]
    fn end_of(&self, steps: usize) -> usize {
        steps.checked_sub(1).and_then(|last| self.ends.get(last)).map_or(0, |&end| end as usize)
    }

    /// Spikes of a step; none of one that was not recorded.
    #[inline(always)]
    #[must_use]
    pub fn step(&self, step: usize) -> &[u16] {
        let end = self.end_of(step.wrapping_add(1));
        self.units.get(self.end_of(step)..end).unwrap_or(&[])
    }

    /// The next step, from the list of its spikes. What does not fit is left out, which
    /// memory for three spikes a unit and step excludes.
    pub fn push(&mut self, spikes: &[u16]) {
        let start = self.len();
        let room = self.units.get_mut(start..).unwrap_or(&mut []);
        for (to, &unit) in room.iter_mut().zip(spikes) {
            *to = unit;
        }
        let end = start.wrapping_add(spikes.len().min(room.len()));
        self.close(end);
    }

    #[inline(always)]
    fn close(&mut self, end: usize) {
        if let Some(place) = self.ends.get_mut(self.steps) {
            *place = end as u32;
            self.steps = self.steps.wrapping_add(1);
        }
    }

    /// The next step, from masks: bit i of word b stands for unit 32 b + i. `more` are the
    /// masks of the units that fired a second and a third time.
    #[inline(always)]
    pub fn push_words<L: Lanes>(&mut self, lanes: L, words: &[u32], more: [&[u32]; 2]) {
        let mut end = self.len();
        for (&word, first) in words.iter().zip((0u16..).step_by(BLOCK)) {
            let rest = self.units.get_mut(end..).unwrap_or(&mut []);
            if let Some(room) = rest.first_chunk_mut::<{ Trains::ROOM }>() {
                lanes.name_set(word, first, room);
                end = end.wrapping_add(word.count_ones() as usize);
            } else {
                end = self.push_each(word, first, end);
            }
        }
        for words in more {
            for (&word, first) in words.iter().zip((0u16..).step_by(BLOCK)) {
                if word != 0 {
                    end = self.push_each(word, first, end);
                }
            }
        }
        self.close(end);
    }

    /// Writes down the units whose bits are set one by one; returns the new end.
    #[inline(always)]
    fn push_each(&mut self, mut bits: u32, first: u16, mut end: usize) -> usize {
        while bits != 0 {
            if let Some(place) = self.units.get_mut(end) {
                *place = first.wrapping_add(bits.trailing_zeros() as u16);
                end = end.wrapping_add(1);
            }
            bits &= bits.wrapping_sub(1);
        }
        end
    }

    /// Replaces the unit of every spike from a step on by its name.
    #[inline(always)]
    pub fn rename(&mut self, first: usize, names: &[u16]) {
        let (start, end) = (self.end_of(first), self.len());
        for spike in self.units.get_mut(start..end).unwrap_or(&mut []) {
            *spike = names.get(usize::from(*spike)).copied().unwrap_or(0);
        }
    }
}
