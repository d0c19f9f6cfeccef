//! The spikes of many steps: what a whole run of a layer is fed with, and what it emits.

use crate::kernels::Lanes;
use crate::schedule::MOST_STEPS;
use crate::tables::noise::BLOCK;

/// Words of a block: one for each step, and what a vector unit may read beyond the last.
pub const WORDS: usize = MOST_STEPS.next_multiple_of(32) + 64;

/// Masks of who of a block of 32 units fired, a word for each step: once, twice, three times.
pub type Fired = [[u32; WORDS]; 3];

/// Masks of who fired in each step of a run.
#[derive(Debug)]
pub struct Masks<'a> {
    /// The masks, block after block. Words of a third spike count where `more` says so.
    pub fired: &'a mut [Fired],
    /// Where somebody fired a third time, a word for each step: bit b for block b, b + 32, …
    pub more: &'a mut [u32],
    /// Blocks of a step.
    pub blocks: usize,
}

impl Masks<'_> {
    /// Whether there is room for so many steps of so many blocks.
    #[must_use]
    pub fn has_room(&self, blocks: usize, steps: usize) -> bool {
        // Words are looked at sixteen at a time.
        blocks <= self.fired.len() && steps <= MOST_STEPS && steps.next_multiple_of(16) <= self.more.len()
    }

    /// A run of so many steps of so many blocks begins; there is room for it.
    #[inline(always)]
    pub fn begin(&mut self, blocks: usize, steps: usize) {
        self.more.get_mut(..steps).unwrap_or(&mut []).fill(0);
        // Two blocks share a bit: then every word counts.
        for [_, _, thrice] in self.fired.iter_mut().take(if blocks > 32 { blocks } else { 0 }) {
            thrice.get_mut(..steps).unwrap_or(&mut []).fill(0);
        }
        self.blocks = blocks;
    }

    /// The masks of the blocks of this run.
    #[inline(always)]
    #[must_use]
    pub fn blocks(&self) -> &[Fired] {
        self.fired.get(..self.blocks).unwrap_or(&[])
    }

    /// Forgets what fired in the lanes of a block that are not `live`: what stands in the
    /// padding fires as well, and nobody is to know.
    pub fn keep(&mut self, block: usize, live: u32, steps: usize) {
        if live == u32::MAX {
            return;
        }
        for words in self.fired.get_mut(block).into_iter().flatten() {
            words.iter_mut().take(steps).for_each(|word| *word &= live);
        }
    }

    /// Calls `f` with each step of so many in which somebody fired a third time, each block that
    /// may be theirs, and its mask.
    #[inline(always)]
    pub(crate) fn each_third<L: Lanes>(&self, lanes: L, steps: usize, mut f: impl FnMut(usize, usize, u32)) {
        let words = self.more.as_chunks().0.iter().take(steps.div_ceil(16));
        for (words, first) in words.zip((0u32..).step_by(16)) {
            let (mut found, mut places) = ([0; 16], [0; 16]);
            let end = lanes.pick(words, first, &mut found, &mut places);
            for (&more, &step) in found.iter().zip(&places).take(end) {
                let step = step as usize;
                if step < steps {
                    thirds(
                        self.blocks(),
                        step,
                        more,
                        #[inline(always)]
                        |block, word| f(step, block, word),
                    );
                }
            }
        }
    }

    /// Spikes of so many steps.
    #[inline(always)]
    fn count<L: Lanes>(&self, lanes: L, steps: usize) -> usize {
        let mut count = 0u32;
        self.each_third(
            lanes,
            steps,
            #[inline(always)]
            |_, _, word| count = count.wrapping_add(word.count_ones()),
        );
        for [once, twice, _] in self.blocks() {
            for words in [once, twice] {
                count = count.wrapping_add(lanes.count_ones(words, steps));
            }
        }
        count as usize
    }
}

/// Spikes of a run, step after step, in lent memory: as masks, as lists, or both.
#[derive(Debug)]
pub struct Trains<'a> {
    units: &'a mut [u16],
    ends: &'a mut [u32],
    steps: usize,
    unlisted: usize,
    in_masks: bool,
    /// The masks.
    pub masks: Masks<'a>,
}

impl<'a> Trains<'a> {
    /// Places beyond the last spike that let spikes be written down at full speed.
    pub const ROOM: usize = 128;

    /// No steps yet, in this memory: `ends` has one entry a step, `units` one a spike.
    #[must_use]
    pub fn new(units: &'a mut [u16], ends: &'a mut [u32], masks: Masks<'a>) -> Self {
        Self { units, ends, steps: 0, unlisted: 0, in_masks: false, masks }
    }

    /// Of a level without units.
    #[must_use]
    pub fn none() -> Self {
        let masks = Masks { fired: &mut [], more: &mut [], blocks: 0 };
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

    /// Spikes recorded, in lists or in masks alone.
    #[must_use]
    pub fn len(&self) -> usize {
        self.end_of(self.steps).wrapping_add(self.unlisted)
    }

    /// Whether nothing has fired.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether spikes were recorded in masks alone.
    #[inline(always)]
    #[must_use]
    pub fn in_masks(&self) -> bool {
        self.in_masks
    }

    /// A new run begins.
    pub fn clear(&mut self) {
        (self.steps, self.unlisted, self.in_masks) = (0, 0, false);
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
        self.ends.get(first..).unwrap_or(&[]).iter().map(
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
        let start = self.end_of(self.steps);
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

    /// So many steps stay in masks; their spikes are counted.
    #[inline(always)]
    pub fn leave<L: Lanes>(&mut self, lanes: L, steps: usize) {
        self.unlisted = self.unlisted.wrapping_add(self.masks.count(lanes, steps));
        self.in_masks = true;
    }

    /// The next steps, from the masks of as many; units of `names` are written down by name.
    #[inline(always)]
    pub fn list<L: Lanes>(&mut self, lanes: L, steps: usize, names: Option<&[u16]>) {
        match names.map(|names| names.as_chunks().0) {
            Some(names) => self.list_each(
                steps,
                #[inline(always)]
                |fired, step, more, units, mut end| {
                    for (([once, twice, thrice], names), block) in fired.iter().zip(names).zip(0u32..) {
                        end = put_named(lanes, units, end, [word(once, step), word(twice, step)], names);
                        if more >> (block & 31) & 1 != 0 {
                            end = put_named(lanes, units, end, [word(thrice, step), 0], names);
                        }
                    }
                    end
                },
            ),
            None => self.list_each(
                steps,
                #[inline(always)]
                |fired, step, more, units, mut end| {
                    end = put_numbered(lanes, units, end, fired, |[once, _, _]| word(once, step));
                    end = put_numbered(lanes, units, end, fired, |[_, twice, _]| word(twice, step));
                    thirds(
                        fired,
                        step,
                        more,
                        #[inline(always)]
                        |block, word| {
                            end = put_two(lanes, units, end, word.into(), block.wrapping_mul(BLOCK) as u16);
                        },
                    );
                    end
                },
            ),
        }
    }

    /// The same; `put` writes down who of some blocks fired in a step, from a place on, and
    /// returns the new end; it is told which of them did so three times. Second spikes are
    /// rare, but to look for them costs more in branches nobody can guess.
    #[inline(always)]
    fn list_each(&mut self, steps: usize, put: impl Fn(&[Fired], usize, u32, &mut [u16], usize) -> usize) {
        let mut end = self.end_of(self.steps);
        let units = &mut *self.units;
        let fired = self.masks.fired.get(..self.masks.blocks).unwrap_or(&[]);
        let ends = self.ends.get_mut(self.steps..).unwrap_or(&mut []).iter_mut();
        let mut listed = 0usize;
        for ((step, &more), to) in self.masks.more.iter().enumerate().zip(ends).take(steps) {
            end = put(fired, step, more, units, end);
            *to = end as u32;
            listed = listed.wrapping_add(1);
        }
        self.steps = self.steps.wrapping_add(listed);
    }
}

/// Writes down the words of so many steps that are not zero, and `first` + their steps, and maybe a few
/// beyond; returns how many. There is room for all of them.
#[inline(always)]
pub(crate) fn pick_all<L: Lanes>(
    lanes: L,
    words: &[u32],
    steps: usize,
    first: u32,
    found: &mut [u32],
    places: &mut [u32],
) -> usize {
    let mut end = 0usize;
    let words = words.as_chunks().0.iter().take(steps.div_ceil(16));
    for (words, first) in words.zip((first..).step_by(16)) {
        if let (Some(found), Some(places)) = (
            found.get_mut(end..).and_then(<[u32]>::first_chunk_mut),
            places.get_mut(end..).and_then(<[u32]>::first_chunk_mut),
        ) {
            end = end.wrapping_add(lanes.pick(words, first, found, places));
        }
    }
    end
}

/// Calls `f` for who fired a third time in a step, given its word of [`Masks::more`]: blocks and
/// their masks.
#[inline(always)]
fn thirds(blocks: &[Fired], step: usize, more: u32, mut f: impl FnMut(usize, u32)) {
    let mut bits = more;
    while bits != 0 {
        let mut block = bits.trailing_zeros() as usize;
        while let Some([_, _, thrice]) = blocks.get(block) {
            f(block, word(thrice, step));
            block = block.wrapping_add(32);
        }
        bits &= bits.wrapping_sub(1);
    }
}

/// The word of a step.
#[inline(always)]
fn word(words: &[u32; WORDS], step: usize) -> u32 {
    words.get(step).copied().unwrap_or(0)
}

/// Writes down by name who of a block has a bit set in two words, from place `end` on; returns
/// the new end.
#[inline(always)]
fn put_named<L: Lanes>(
    lanes: L,
    units: &mut [u16],
    end: usize,
    [low, high]: [u32; 2],
    names: &[u16; BLOCK],
) -> usize {
    let Some(room) = units.get_mut(end..).and_then(|rest| rest.first_chunk_mut()) else { return end };
    let bits = u64::from(low) | u64::from(high) << 32;
    lanes.choose(bits, names, room);
    end.wrapping_add(bits.count_ones() as usize)
}

/// The same by number, of all blocks, two at a time.
#[inline(always)]
fn put_numbered<L: Lanes>(
    lanes: L,
    units: &mut [u16],
    mut end: usize,
    fired: &[Fired],
    word: impl Fn(&Fired) -> u32,
) -> usize {
    for (pair, first) in fired.chunks(2).zip((0u16..).step_by(2 * BLOCK)) {
        let bits = match pair {
            [low, high] => u64::from(word(low)) | u64::from(word(high)) << 32,
            [low] => u64::from(word(low)),
            _ => 0,
        };
        end = put_two(lanes, units, end, bits, first);
    }
    end
}

/// The same of two blocks from unit `first` on.
#[inline(always)]
fn put_two<L: Lanes>(lanes: L, units: &mut [u16], end: usize, bits: u64, first: u16) -> usize {
    let Some(room) = units.get_mut(end..).and_then(|rest| rest.first_chunk_mut()) else { return end };
    lanes.number(bits, first, room);
    end.wrapping_add(bits.count_ones() as usize)
}
