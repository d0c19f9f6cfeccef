//! Randomness as a resource: named streams, each with its own generator and draw order.
//!
//! | stream | who draws | what |
//! |---|---|---|
//! | `Phase` | the network | one `u32` for each phase length, forward before target |
//! | `Input` | the input | one `u32` a step for every two blocks of 32 active pixels |
//! | `Spikes(l)` | layer l | one `u32` a step for every two blocks of 32 neurons |
//! | `Weights(l)` | layer l | one `u32` a weight, column by column (all units of input 0, then of input 1, …), then one a bias |
//! | `Feedback(l)` | layer l | one `u32` a weight, column by column (all units of output 0, …) |
//! | `Dither(l)` | layer l | 16 lanes of xorshift32, stepped once a changed column; see [`Dither`] |
//!
//! Layers count from 0, the first hidden one; the output layer comes last. A stream
//! belongs to one layer, so that a silent neuron or another topology elsewhere never
//! shifts the numbers of its neighbours, and a vector machine may draw a block at a time.

use rand_core::{Rng, SeedableRng};
use rand_xorshift::XorShiftRng;

/// The generator behind every stream: xorshift128 (Marsaglia 2003), 16 bytes of state.
pub type Generator = XorShiftRng;

/// Names of the streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Phase lengths.
    Phase,
    /// Input spikes.
    Input,
    /// Spikes of a layer.
    Spikes(u8),
    /// Initial feed-forward weights and biases of a layer.
    Weights(u8),
    /// Feedback weights of a layer.
    Feedback(u8),
    /// Stochastic rounding of a layer's updates.
    Dither(u8),
    /// The order of the training examples (drawn by the host).
    Order,
}

impl Stream {
    const fn number(self) -> u64 {
        let (kind, layer) = match self {
            Self::Phase => (1, 0),
            Self::Input => (2, 0),
            Self::Spikes(l) => (3, l),
            Self::Weights(l) => (4, l),
            Self::Feedback(l) => (5, l),
            Self::Dither(l) => (6, l),
            Self::Order => (7, 0),
        };
        (kind << 8) | layer as u64
    }

    /// The stream of this name under a seed.
    #[must_use]
    pub fn open(self, seed: u64) -> Generator {
        let first = mix(seed ^ mix(self.number()));
        let second = mix(first ^ self.number());
        let mut bytes = [0u8; 16];
        let words = first.to_le_bytes().into_iter().chain(second.to_le_bytes());
        for (byte, word) in bytes.iter_mut().zip(words) {
            *byte = word;
        }
        Generator::from_seed(bytes)
    }
}

/// The seed of the test of one image, so that images can be tested in any order.
#[must_use]
pub fn test_seed(seed: u64, image: u32) -> u64 {
    mix(seed ^ 0x7E57_0000_0000_0000) ^ u64::from(image)
}

/// SplitMix64's output function (Steele, Lea & Flood 2014).
#[cfg_attr(target_os = "none", inline(never))] // products of 64 bits are long there
const fn mix(value: u64) -> u64 {
    let z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Offsets into the noise, one a block of 32 units.
///
/// # Draws
/// One `u32` for two blocks: bits 31–20 for the first, bits 15–4 for the second. Make a
/// new one each step; what is left of the last draw is thrown away.
pub struct Offsets<'a, R> {
    draws: &'a mut R,
    kept: Option<u16>,
}

impl<'a, R: Rng> Offsets<'a, R> {
    /// Offsets for the blocks of one step.
    #[inline(always)]
    pub fn new(draws: &'a mut R) -> Self {
        Self { draws, kept: None }
    }

    /// The offset of the next block, below 4096.
    #[inline(always)]
    pub fn draw(&mut self) -> u16 {
        if let Some(kept) = self.kept.take() {
            return kept;
        }
        let draw = self.draws.next_u32();
        let [offset, next] = offsets_of(draw);
        self.kept = Some(next);
        offset
    }

    /// The offsets of the next two blocks, where an even number of blocks has drawn so far.
    #[inline(always)]
    pub fn draw_pair(&mut self) -> [u16; 2] {
        offsets_of(self.draws.next_u32())
    }

    /// The offsets of the next blocks, which are still to be drawn.
    #[inline(always)]
    pub fn peek(&self, offsets: &mut [u16])
    where
        R: Clone,
    {
        let mut draws = self.draws.clone();
        let mut ahead = Offsets { draws: &mut draws, kept: self.kept };
        offsets.iter_mut().for_each(|offset| *offset = ahead.draw());
    }
}

/// The offsets of the next draws.
///
/// The state of xorshift128 is its last four numbers, so that `more` can go on from them, four
/// numbers at a time, and the generator from what `more` ends at.
#[inline(always)]
pub(crate) fn draw_offsets(
    draws: &mut Generator,
    to: &mut [[u16; 2]],
    more: impl FnOnce(&mut [u32; 4], &mut [[[u16; 2]; 4]]),
) {
    let (fours, rest) = to.as_chunks_mut::<4>();
    if let Some((first, fours)) = fours.split_first_mut() {
        let mut last = [(); 4].map(|()| draws.next_u32());
        *first = last.map(offsets_of);
        more(&mut last, fours);
        *draws = Generator::from_seed(bytemuck::must_cast(last.map(u32::to_le)));
    }
    rest.iter_mut().for_each(|to| *to = offsets_of(draws.next_u32()));
}

/// The four numbers of xorshift128 after these.
///
/// With T x = y ⊕ (y ≫ 8), where y = x ⊕ (x ≪ 11), and B x = x ⊕ (x ≫ 19), number n + 4 is
/// T sₙ ⊕ B sₙ₊₃. B B x = x, for two shifts by 19 leave nothing of 32 bits, so that each number
/// follows from the one before last: sₙ₊₂ = sₙ ⊕ T sₙ₋₂ ⊕ B T sₙ₋₃.
#[inline(always)]
pub(crate) fn next_four(last: [u32; 4]) -> [u32; 4] {
    let t = last.map(|x| x ^ x << 11).map(|y| y ^ y >> 8);
    let b = [last[3], t[0], t[1], t[2]].map(|x| x ^ x >> 19);
    let [u0, u1, u2, u3] = [t[0] ^ b[0], t[1] ^ b[1], t[2] ^ b[2], t[3] ^ b[3]];
    let second = u1 ^ last[3];
    [u0, second, u2 ^ u0, u3 ^ second]
}

/// The offsets of two blocks, from their draw.
#[inline(always)]
pub(crate) const fn offsets_of(draw: u32) -> [u16; 2] {
    [(draw >> 20) as u16, ((draw >> 4) & 0xFFF) as u16]
}

/// Lanes of the dither.
pub const DITHER_LANES: usize = 16;
/// What a lane gains from one block of 32 units to the next.
pub const DITHER_STRIDE: u16 = 0x9E37;

/// Numbers for stochastic rounding: 16 xorshift32 generators side by side.
///
/// Each column of weights that changes takes one step, which yields 32 numbers of 16 bits
/// (lane 2i is the high half of generator i, lane 2i + 1 the low half). Unit u of the
/// column uses lane u mod 32 plus ⌊u/32⌋ times [`DITHER_STRIDE`], modulo 2¹⁶: equally
/// spread over the blocks (a Weyl sequence), fresh from column to column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dither {
    lanes: [u32; DITHER_LANES],
}

impl Dither {
    /// A dither that must be seeded before use; for statically allocated memory.
    #[must_use]
    pub const fn unseeded() -> Self {
        Self { lanes: [1; DITHER_LANES] }
    }

    /// Seeds every lane from a stream.
    ///
    /// # Draws
    /// 16 `u32`, made odd so that no lane is stuck at zero.
    pub fn seed(&mut self, draws: &mut impl Rng) {
        for lane in &mut self.lanes {
            *lane = draws.next_u32() | 1;
        }
    }

    /// The next 32 numbers.
    #[inline(always)]
    pub fn draw(&mut self) -> [u16; 32] {
        let mut pairs = [0u32; DITHER_LANES];
        for (pair, lane) in pairs.iter_mut().zip(&mut self.lanes) {
            let mut x = *lane;
            x ^= x << 13;
            x ^= x >> 17;
            x ^= x << 5;
            *lane = x;
            // The high half first.
            *pair = if cfg!(target_endian = "little") { x.rotate_left(16) } else { x };
        }
        bytemuck::must_cast(pairs)
    }

    /// The generators, for kernels that step them by their own means.
    #[inline(always)]
    pub fn lanes_mut(&mut self) -> &mut [u32; DITHER_LANES] {
        &mut self.lanes
    }

    /// The state, for digests and checkpoints.
    #[must_use]
    pub fn state(&self) -> &[u32; DITHER_LANES] {
        &self.lanes
    }
}
