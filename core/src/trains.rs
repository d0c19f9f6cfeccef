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
    pub fn begin(&mut self, blocks: usize, steps: usize) -> bool {
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

    /// Forgets what fired in the lanes of a block that are not `live`: what stands in the
    /// padding fires as well, and nobody is to know.
    pub fn keep(&mut self, block: usize, live: u32, steps: usize) {
        if live == u32::MAX {
            return;
        }
        for words in [&mut *self.once, &mut *self.twice, &mut *self.thrice] {
            let words = words.iter_mut().skip(block).step_by(self.blocks.max(1)).take(steps);
            words.for_each(|word| *word &= live);
        }
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
    pub const ROOM: usize = 128;

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

    /// Spikes of each step from `first` on.
    #[inline(always)]
    pub fn steps_from(&self, first: usize) -> impl Iterator<Item = &[u16]> {
        let (units, mut start) = (&*self.units, self.end_of(first));
        self.ends.iter().skip(first).map(
            #[inline(always)]
            move |&end| {
                let spikes = units.get(start..end as usize).unwrap_or(&[]);
                start = end as usize;
                spikes
            },
        )
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
        if let Some(place) = self.ends.get_mut(self.steps) {
            *place = end as u32;
            self.steps = self.steps.wrapping_add(1);
        }
    }

    /// The next steps, from the masks of as many; units of `names` are written down by name.
    #[inline(always)]
    pub fn list<L: Lanes>(&mut self, lanes: L, steps: usize, names: Option<&[u16]>) {
        match names.map(|names| names.as_chunks().0) {
            Some(names) => self.list_each(
                steps,
                #[inline(always)]
                |words, units, mut end| {
                    for (block, &word) in words.iter().enumerate() {
                        end = put_named(lanes, units, end, word, block, names);
                    }
                    end
                },
            ),
            None => self.list_each(
                steps,
                #[inline(always)]
                |words, units, mut end| {
                    for pair in 0..words.len().div_ceil(2) {
                        end = put_pair(lanes, units, end, bits_of(words, pair), pair);
                    }
                    end
                },
            ),
        }
    }

    /// The same; `put` writes down who has its bit set in some words, from a place on, and
    /// returns the new end. Second spikes are rare, but to look for them costs more in
    /// branches nobody can guess.
    #[inline(always)]
    fn list_each(&mut self, steps: usize, put: impl Fn(&[u32], &mut [u16], usize) -> usize) {
        let blocks = self.masks.blocks.max(1);
        let mut end = self.len();
        let (units, masks) = (&mut *self.units, &self.masks);
        let words = masks.once.chunks_exact(blocks).zip(masks.twice.chunks_exact(blocks));
        let words = words.zip(masks.thrice.chunks_exact(blocks).zip(&*masks.more));
        let ends = self.ends.get_mut(self.steps..).unwrap_or(&mut []).iter_mut();
        let mut listed = 0usize;
        for (((once, twice), (thrice, &more)), to) in words.zip(ends).take(steps) {
            end = put(once, units, end);
            end = put(twice, units, end);
            if more != 0 {
                end = put(thrice, units, end);
            }
            *to = end as u32;
            listed = listed.wrapping_add(1);
        }
        self.steps = self.steps.wrapping_add(listed);
    }
}

/// Writes down by name who of a block has its bit set, from place `end` on; returns the new
/// end.
#[inline(always)]
fn put_named<L: Lanes>(
    lanes: L,
    units: &mut [u16],
    end: usize,
    word: u32,
    block: usize,
    names: &[[u16; BLOCK]],
) -> usize {
    let room = units.get_mut(end..).and_then(|rest| rest.first_chunk_mut());
    let (Some(room), Some(names)) = (room, names.get(block)) else { return end };
    lanes.choose(word, names, room);
    end.wrapping_add(word.count_ones() as usize)
}

/// The same by number, of two blocks.
#[inline(always)]
fn put_pair<L: Lanes>(lanes: L, units: &mut [u16], end: usize, bits: u64, pair: usize) -> usize {
    let Some(room) = units.get_mut(end..).and_then(|rest| rest.first_chunk_mut()) else { return end };
    lanes.number(bits, pair.wrapping_mul(2 * BLOCK) as u16, room);
    end.wrapping_add(bits.count_ones() as usize)
}

/// The words of two blocks; zero beyond the last.
#[inline(always)]
fn bits_of(words: &[u32], pair: usize) -> u64 {
    match words.get(pair.wrapping_mul(2)..) {
        Some([low, high, ..]) => u64::from(*low) | u64::from(*high) << 32,
        Some([low]) => u64::from(*low),
        _ => 0,
    }
}
