//! The spikes of many steps: what a whole run of a layer is fed with, and what it emits.

use crate::kernels::Lanes;
use crate::tables::noise::BLOCK;

/// Masks of who of a block of 32 units fired in a step: once, twice, three times.
pub type Fired = [u32; 3];

/// Masks of who fired in each step, of `blocks` blocks a step.
#[derive(Debug)]
pub struct Masks<'a> {
    /// The masks.
    pub fired: &'a mut [Fired],
    /// Whether anybody fired a third time; one entry a step.
    pub more: &'a mut [u32],
    /// Blocks of a step.
    pub blocks: usize,
}

impl Masks<'_> {
    /// Makes room for so many steps of so many blocks; false where there is none.
    #[inline(always)]
    pub fn begin(&mut self, blocks: usize, steps: usize) -> bool {
        if blocks.wrapping_mul(steps) > self.fired.len() || steps > self.more.len() {
            return false;
        }
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
        for step in self.fired.chunks_exact_mut(self.blocks.max(1)).take(steps) {
            if let Some(fired) = step.get_mut(block) {
                *fired = fired.map(|word| word & live);
            }
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
                |fired, time, units, mut end| {
                    for (fired, names) in fired.iter().zip(names) {
                        end = put_named(lanes, units, end, fired[time], names);
                    }
                    end
                },
            ),
            None => self.list_each(
                steps,
                #[inline(always)]
                |fired, time, units, mut end| {
                    let (pairs, last) = fired.as_chunks::<2>();
                    let mut first = 0u16;
                    for [low, high] in pairs {
                        let bits = u64::from(low[time]) | u64::from(high[time]) << 32;
                        end = put_numbers(lanes, units, end, bits, first);
                        first = first.wrapping_add(2 * BLOCK as u16);
                    }
                    if let [low] = last {
                        end = put_numbers(lanes, units, end, u64::from(low[time]), first);
                    }
                    end
                },
            ),
        }
    }

    /// The same; `put` writes down who of some blocks fired so many times and once more, from
    /// a place on, and returns the new end. Second spikes are rare, but to look for them costs
    /// more in branches nobody can guess.
    #[inline(always)]
    fn list_each(&mut self, steps: usize, put: impl Fn(&[Fired], usize, &mut [u16], usize) -> usize) {
        let mut end = self.len();
        let units = &mut *self.units;
        let fired = self.masks.fired.chunks_exact(self.masks.blocks.max(1));
        let ends = self.ends.get_mut(self.steps..).unwrap_or(&mut []).iter_mut();
        let mut listed = 0usize;
        for ((fired, &more), to) in fired.zip(&*self.masks.more).zip(ends).take(steps) {
            end = put(fired, 0, units, end);
            end = put(fired, 1, units, end);
            if more != 0 {
                end = put(fired, 2, units, end);
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
    names: &[u16; BLOCK],
) -> usize {
    let Some(room) = units.get_mut(end..).and_then(|rest| rest.first_chunk_mut()) else { return end };
    lanes.choose(word, names, room);
    end.wrapping_add(word.count_ones() as usize)
}

/// The same by number, of two blocks, whose first unit is `first`.
#[inline(always)]
fn put_numbers<L: Lanes>(lanes: L, units: &mut [u16], end: usize, bits: u64, first: u16) -> usize {
    let Some(room) = units.get_mut(end..).and_then(|rest| rest.first_chunk_mut()) else { return end };
    lanes.number(bits, first, room);
    end.wrapping_add(bits.count_ones() as usize)
}
