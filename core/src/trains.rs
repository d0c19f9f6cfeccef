//! The spikes of many steps: what a whole run of a layer is fed with, and what it emits.

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
    pub fn push_words(&mut self, words: &[u32], more: [&[u32]; 2]) {
        let mut end = push_units(self.units, self.len(), words);
        for words in more {
            if words.iter().any(|&word| word != 0) {
                end = push_units(self.units, end, words);
            }
        }
        self.close(end);
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

/// Set bits that are taken down without a look at how many there are.
const LIKELY: usize = 8;

/// Writes down the units whose bits are set, from place `end` on; returns the new end.
#[inline(always)]
fn push_units(units: &mut [u16], mut end: usize, words: &[u32]) -> usize {
    let mut unit = 0u16;
    for pair in words.chunks(2) {
        let mut bits = match *pair {
            [low, high] => u64::from(low) | (u64::from(high) << 32),
            [low] => u64::from(low),
            _ => 0,
        };
        let found = bits.count_ones() as usize;
        let rest = units.get_mut(end..).unwrap_or(&mut []);
        let Some(room) = rest.first_chunk_mut::<{ Trains::ROOM }>() else {
            return push_last(units, end, words, unit);
        };
        let (likely, others) = room.split_at_mut(LIKELY);
        // Eight at once, without a branch nobody could predict; what is too much is overwritten.
        for place in likely {
            *place = unit.wrapping_add(bits.trailing_zeros() as u16);
            bits &= bits.wrapping_sub(1);
        }
        if found > LIKELY {
            for place in others {
                *place = unit.wrapping_add(bits.trailing_zeros() as u16);
                bits &= bits.wrapping_sub(1);
                if bits == 0 {
                    break;
                }
            }
        }
        end = end.wrapping_add(found);
        unit = unit.wrapping_add(64);
    }
    end
}

/// The same near the end of the memory, for the words from that of `from` on.
#[cold]
fn push_last(units: &mut [u16], mut end: usize, words: &[u32], from: u16) -> usize {
    let first = usize::from(from) >> 5;
    for (&word, unit) in words.iter().skip(first).zip((from..).step_by(32)) {
        for lane in (0..32u16).filter(|lane| word >> lane & 1 != 0) {
            if let Some(place) = units.get_mut(end) {
                *place = unit.wrapping_add(lane);
                end = end.wrapping_add(1);
            }
        }
    }
    end
}
