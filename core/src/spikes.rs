//! The spikes of one step: indices of the units that fired, once a spike.

/// Indices of firing units in lent memory. A unit that fires twice stands there twice.
#[derive(Debug)]
pub struct Spikes<'a> {
    memory: &'a mut [u16],
    length: usize,
}

impl<'a> Spikes<'a> {
    /// Most spikes of a unit in one step.
    pub const PER_UNIT: usize = 3;

    /// Places beyond the last spike that let [`Self::push_blocks`] run at full speed.
    pub const ROOM: usize = 64;

    /// An empty list in this memory: three places a unit.
    #[must_use]
    pub fn new(memory: &'a mut [u16]) -> Self {
        Self { memory, length: 0 }
    }

    /// A new step begins.
    #[inline(always)]
    pub fn clear(&mut self) {
        self.length = 0;
    }

    /// Adds one spike; one that does not fit is not taken, which memory of the stated
    /// size excludes.
    #[inline(always)]
    pub fn push(&mut self, unit: u16) {
        if let Some(place) = self.memory.get_mut(self.length) {
            *place = unit;
            self.length = self.length.wrapping_add(1);
        }
    }

    /// Replaces the spikes by those that `fill` writes to the memory; it returns how many.
    #[inline(always)]
    pub fn refill(&mut self, fill: impl FnOnce(&mut [u16]) -> usize) {
        self.length = fill(self.memory).min(self.memory.len());
    }

    /// Adds one spike of each unit whose bit is set: bit i of block b is unit
    /// `first + 32 b + i`.
    ///
    /// By table, eight units at a time and without a branch on what fired, which nobody
    /// could predict.
    #[inline(always)]
    pub fn push_blocks(&mut self, first: u16, blocks: &[u32]) {
        // Kept in a register; through `self` it would be stored and loaded every time.
        let mut length = self.length;
        let memory = &mut *self.memory;
        let mut unit = first;
        for &bits in blocks {
            let rest = memory.get_mut(length..).unwrap_or(&mut []);
            if let Some(room) = rest.first_chunk_mut::<{ Spikes::ROOM }>() {
                name_set(bits, unit, room);
                length = length.wrapping_add(bits.count_ones() as usize);
                unit = unit.wrapping_add(32);
            } else {
                for (place, lane) in (0..32u16).filter(|lane| bits >> lane & 1 != 0).zip(rest) {
                    *lane = unit.wrapping_add(place);
                    length = length.wrapping_add(1);
                }
                unit = unit.wrapping_add(32);
            }
        }
        self.length = length;
    }

    /// Replaces the unit of every spike by its name.
    #[inline(always)]
    pub fn rename(&mut self, names: &[u16]) {
        for spike in self.memory.get_mut(..self.length).unwrap_or(&mut []) {
            *spike = names.get(usize::from(*spike)).copied().unwrap_or(0);
        }
    }

    /// The spikes of this step. Those a unit emits beyond its first may come last.
    #[inline(always)]
    #[must_use]
    pub fn as_slice(&self) -> &[u16] {
        self.memory.get(..self.length).unwrap_or(&[])
    }
}

/// Writes down `first` + the places of the bits that are set, in order, by table; what
/// follows them does not matter.
#[inline(always)]
#[allow(clippy::indexing_slicing)] // a byte chooses one of 256 lines
pub(crate) fn name_set(bits: u32, first: u16, to: &mut [u16; 64]) {
    let (mut found, mut unit) = (0usize, first);
    for byte in bits.to_le_bytes() {
        if let Some(to) = to.get_mut(found & 31..).and_then(|r| r.first_chunk_mut::<8>()) {
            *to = SET_BITS[usize::from(byte)].map(|place| unit.wrapping_add(place));
        }
        found = found.wrapping_add(byte.count_ones() as usize);
        unit = unit.wrapping_add(8);
    }
}

/// The places of the bits set in a byte, in order; what follows them does not matter.
static SET_BITS: [[u16; 8]; 256] = set_bits();

#[allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)] // evaluated by the compiler
const fn set_bits() -> [[u16; 8]; 256] {
    let mut table = [[0; 8]; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut place, mut found) = (0, 0);
        while place < 8 {
            if byte >> place & 1 == 1 {
                table[byte][found] = place as u16;
                found += 1;
            }
            place += 1;
        }
        byte += 1;
    }
    table
}
