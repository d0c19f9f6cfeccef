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
    /// Whether anybody fired a third time; one entry a step.
    pub more: &'a mut [u32],
    /// Words of a step.
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

    /// The next steps, from the masks of as many; units of `names` are written down by name.
    #[inline(always)]
    pub(crate) fn list<L: Lanes>(&mut self, lanes: L, steps: usize, names: Option<&[u16]>) {
        match names {
            Some(names) => self.list_named::<L, true>(lanes, steps, names.as_chunks().0),
            None => self.list_named::<L, false>(lanes, steps, &[]),
        }
    }

    #[inline(always)]
    fn list_named<L: Lanes, const NAMED: bool>(&mut self, lanes: L, steps: usize, names: &[[u16; BLOCK]]) {
        let blocks = self.masks.blocks.max(1);
        let mut end = self.len();
        let (units, masks) = (&mut *self.units, &self.masks);
        let words = masks.once.chunks_exact(blocks).zip(masks.twice.chunks_exact(blocks));
        let words = words.zip(masks.thrice.chunks_exact(blocks).zip(&*masks.more));
        let ends = self.ends.get_mut(self.steps..).unwrap_or(&mut []).iter_mut();
        let mut listed = 0usize;
        for (((once, twice), (thrice, &more)), to) in words.zip(ends).take(steps) {
            // A second spike is rare: first which blocks have one, without a branch for each.
            let mut found = 0u32;
            for (block, (&word, &again)) in once.iter().zip(twice).enumerate() {
                end = put::<L, NAMED>(lanes, units, end, word, block, names);
                found = found.rotate_right(1) | u32::from(again != 0);
            }
            found = found.rotate_left((once.len() as u32).wrapping_sub(1));
            while found != 0 {
                let place = found.trailing_zeros() as usize;
                for block in (place..twice.len()).step_by(32) {
                    let word = twice.get(block).copied().unwrap_or(0);
                    end = put::<L, NAMED>(lanes, units, end, word, block, names);
                }
                found &= found.wrapping_sub(1);
            }
            if more != 0 {
                for (block, &word) in thrice.iter().enumerate() {
                    end = put::<L, NAMED>(lanes, units, end, word, block, names);
                }
            }
            *to = end as u32;
            listed = listed.wrapping_add(1);
        }
        self.steps = self.steps.wrapping_add(listed);
    }
}

/// Writes down who of a block has its bit set, from place `end` on; returns the new end.
#[inline(always)]
fn put<L: Lanes, const NAMED: bool>(
    lanes: L,
    units: &mut [u16],
    end: usize,
    word: u32,
    block: usize,
    names: &[[u16; BLOCK]],
) -> usize {
    let Some(room) = units.get_mut(end..).and_then(|rest| rest.first_chunk_mut()) else { return end };
    let names = if NAMED { names.get(block) } else { None };
    lanes.choose(word, block.wrapping_mul(BLOCK) as u16, names, room);
    end.wrapping_add(word.count_ones() as usize)
}
