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
                |fired, more, units, mut end| {
                    for (&[once, twice, thrice], names) in fired.iter().zip(names) {
                        end = put_named(lanes, units, end, [once, twice], names);
                        if more {
                            end = put_named(lanes, units, end, [thrice, 0], names);
                        }
                    }
                    end
                },
            ),
            None => self.list_each(
                steps,
                #[inline(always)]
                |fired, more, units, mut end| {
                    end = put_numbered(lanes, units, end, fired, 0);
                    end = put_numbered(lanes, units, end, fired, 1);
                    if more {
                        end = put_numbered(lanes, units, end, fired, 2);
                    }
                    end
                },
            ),
        }
    }

    /// The same; `put` writes down who of some blocks fired, from a place on, and returns the
    /// new end; it is told whether anybody did so three times. Second spikes are rare, but to
    /// look for them costs more in branches nobody can guess.
    #[inline(always)]
    fn list_each(&mut self, steps: usize, put: impl Fn(&[Fired], bool, &mut [u16], usize) -> usize) {
        let mut end = self.len();
        let units = &mut *self.units;
        let fired = self.masks.fired.chunks_exact(self.masks.blocks.max(1));
        let ends = self.ends.get_mut(self.steps..).unwrap_or(&mut []).iter_mut();
        let mut listed = 0usize;
        for ((fired, &more), to) in fired.zip(&*self.masks.more).zip(ends).take(steps) {
            end = put(fired, more != 0, units, end);
            *to = end as u32;
            listed = listed.wrapping_add(1);
        }
        self.steps = self.steps.wrapping_add(listed);
    }
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

/// The same by number, of all blocks, two at a time; `time` says which word of each.
#[inline(always)]
fn put_numbered<L: Lanes>(
    lanes: L,
    units: &mut [u16],
    mut end: usize,
    fired: &[Fired],
    time: usize,
) -> usize {
    let word = |fired: &Fired| fired.get(time).copied().unwrap_or(0);
    for (pair, first) in fired.chunks(2).zip((0u16..).step_by(2 * BLOCK)) {
        let bits = match pair {
            [low, high] => u64::from(word(low)) | u64::from(word(high)) << 32,
            [low] => u64::from(word(low)),
            _ => 0,
        };
        if let Some(room) = units.get_mut(end..).and_then(|rest| rest.first_chunk_mut()) {
            lanes.number(bits, first, room);
            end = end.wrapping_add(bits.count_ones() as usize);
        }
    }
    end
}
