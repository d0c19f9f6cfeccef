//! The spikes of many steps: what a whole run of a layer is fed with, and what it emits.

use crate::kernels::Lanes;
use crate::tables::noise::BLOCK;

/// Masks of who fired in each step, `blocks` words of 32 units a step.
#[derive(Debug)]
pub struct Masks<'a> {
    /// Who fired.
    pub once: &'a mut [u32],
    /// Who fired a second time.
    pub twice: &'a mut [u32],
    /// Who fired a third time.
    pub thrice: &'a mut [u32],
    /// Whether anybody fired a second time; one entry a step.
    pub more: &'a mut [u32],
    /// Words of a step; none where the masks are not in use.
    pub blocks: usize,
}

impl Masks<'_> {
    /// Makes room for so many steps of so many words; false where there is none.
    #[inline(always)]
    pub(crate) fn begin(&mut self, blocks: usize, steps: usize) -> bool {
        let words = blocks.wrapping_mul(steps);
        let room = self.once.len().min(self.twice.len());
        if words > room || steps > self.more.len() {
            return false;
        }
        let Some(thrice) = self.thrice.get_mut(..words) else { return false };
        thrice.fill(0);
        self.more.fill(0);
        self.blocks = blocks;
        true
    }

    /// The words of a step.
    #[inline(always)]
    pub(crate) fn of<'w>(&self, words: &'w [u32], step: usize) -> &'w [u32] {
        let first = step.wrapping_mul(self.blocks);
        words.get(first..first.wrapping_add(self.blocks)).unwrap_or(&[])
    }
}

/// Spikes of a run, step after step, in lent memory: as masks, as lists, or both.
#[derive(Debug)]
pub struct Trains<'a> {
    units: &'a mut [u16],
    ends: &'a mut [u32],
    steps: usize,
    /// The masks.
    pub masks: Masks<'a>,
}

impl<'a> Trains<'a> {
    /// Places beyond the last spike that let spikes be written down at full speed.
    pub const ROOM: usize = 64;

    /// No steps yet, in this memory: `ends` has one entry a step, `units` one a spike.
    #[must_use]
    pub fn new(units: &'a mut [u16], ends: &'a mut [u32], masks: Masks<'a>) -> Self {
        Self { units, ends, steps: 0, masks }
    }

    /// Of a level without units.
    #[must_use]
    pub fn none() -> Self {
        let masks = Masks { once: &mut [], twice: &mut [], thrice: &mut [], more: &mut [], blocks: 0 };
        Self::new(&mut [], &mut [], masks)
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

    /// A new run begins; masks of an earlier one must not be taken for its own.
    pub fn clear(&mut self) {
        self.steps = 0;
        self.masks.blocks = 0;
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

    /// The next step, from its masks.
    #[inline(always)]
    pub(crate) fn list_step<L: Lanes>(&mut self, lanes: L, step: usize) {
        let mut end = self.len();
        let masks = &self.masks;
        for (&word, first) in masks.of(masks.once, step).iter().zip((0u16..).step_by(BLOCK)) {
            let rest = self.units.get_mut(end..).unwrap_or(&mut []);
            if let Some(room) = rest.first_chunk_mut::<{ Trains::ROOM }>() {
                lanes.name_set(word, first, room);
                end = end.wrapping_add(word.count_ones() as usize);
            } else {
                end = push_each(self.units, word, first, end);
            }
        }
        if masks.more.get(step).is_some_and(|&more| more != 0) {
            for words in [&*masks.twice, &*masks.thrice] {
                for (&word, first) in masks.of(words, step).iter().zip((0u16..).step_by(BLOCK)) {
                    end = push_each(self.units, word, first, end);
                }
            }
        }
        self.close(end);
    }

    /// Spikes of the masks' first `steps` steps.
    #[inline(always)]
    pub(crate) fn count_masks(&self, steps: usize) -> u32 {
        let masks = &self.masks;
        let words = masks.blocks.wrapping_mul(steps);
        let count = |masks: &[u32]| masks.iter().take(words).map(|word| word.count_ones()).sum::<u32>();
        count(masks.once).wrapping_add(count(masks.twice)).wrapping_add(count(masks.thrice))
    }

    /// Replaces the unit of every spike from a step on by its name. The masks, which know
    /// places and no names, are not to be read any more.
    #[inline(always)]
    pub fn rename(&mut self, first: usize, names: &[u16]) {
        self.masks.blocks = 0;
        let (start, end) = (self.end_of(first), self.len());
        for spike in self.units.get_mut(start..end).unwrap_or(&mut []) {
            *spike = names.get(usize::from(*spike)).copied().unwrap_or(0);
        }
    }
}

/// Writes down the units whose bits are set one by one; returns the new end.
#[inline(always)]
fn push_each(units: &mut [u16], mut bits: u32, first: u16, mut end: usize) -> usize {
    while bits != 0 {
        if let Some(place) = units.get_mut(end) {
            *place = first.wrapping_add(bits.trailing_zeros() as u16);
            end = end.wrapping_add(1);
        }
        bits &= bits.wrapping_sub(1);
    }
    end
}
