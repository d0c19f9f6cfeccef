//! Poisson spikes by comparison with noise that was drawn beforehand.
//!
//! A neuron of somatic potential C emits n spikes in a step, n ~ Poisson(0.2 σ(C)). With a
//! uniform number U, "at least m spikes" means U < P(n ≥ m | C), and since that probability
//! grows with C, it means C > Lₘ(U). So the sigmoid, the exponential and the draw become
//! one comparison with a stored threshold, exact in distribution up to the grain of U.
//!
//! U takes the 4096 values (k + ½)/4096, in an order shuffled once. A block of 32 units
//! reads 32 neighbours of that circle from an offset drawn afresh ([`crate::random`]).
//! A pixel is a unit too: its potential is the logit of its grey level.
//!
//! # Numerics
//! Potentials have 8 fraction bits. A probability is a multiple of 1/4096, off by at most
//! 1/8192 of a spike per step: 0.16 grey levels of a pixel. Four or more spikes in one
//! step (5.7·10⁻⁵ of the steps at the highest rate) count as three.

mod values {
    include!("noise_values.rs");
}

use values::{ONE, PIXEL, THREE, TWO};

/// Units that share one offset into the noise.
pub const BLOCK: usize = 32;
/// Values that a uniform number takes.
pub const GRAINS: usize = 4096;
/// The threshold no potential exceeds.
pub const NEVER: i16 = i16::MAX;

/// Thresholds for one spike at each place of the circle; the first block stands again at
/// the end, so that 32 places can be read from any offset.
pub static NOISE: [i16; GRAINS + BLOCK] = noise(&ONE);

/// The same for one, a second and a third spike; only vector units, which look at all of a
/// block at once, need them by place.
static BY_COUNT: [[i16; GRAINS + BLOCK]; 3] = [noise(&ONE), noise(&TWO), noise(&THREE)];

/// Rank of the uniform number at each place of the circle, for whoever computes the
/// spikes from their definition (the f64 reference): U = (rank + ½)/4096.
#[must_use]
pub fn rank(place: usize) -> u16 {
    RANK.get(place & (GRAINS - 1)).copied().unwrap_or(0)
}

/// 32 thresholds from an offset, modulo 4096.
#[inline(always)]
#[must_use]
pub fn thresholds(offset: u16) -> &'static [i16; BLOCK] {
    from(&NOISE, offset)
}

/// The same for one, a second and a third spike.
#[inline(always)]
#[must_use]
pub(crate) fn thresholds_by_count(offset: u16) -> [&'static [i16; BLOCK]; 3] {
    let [one, two, three] = &BY_COUNT;
    [from(one, offset), from(two, offset), from(three, offset)]
}

/// Whether any of the 32 places from an offset, modulo 4096, lets a unit fire a third time.
#[inline(always)]
#[must_use]
pub fn may_fire_thrice(offset: u16) -> bool {
    THIRD.iter().any(|place| place.wrapping_sub(offset) & BEYOND == 0)
}

/// Distances modulo 4096 that lead out of a block have one of these bits.
pub(crate) const BEYOND: u16 = (GRAINS - BLOCK) as u16;

/// The places of the circle that let a unit fire a third time.
#[allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)] // evaluated by the compiler
pub(crate) const THIRD: [u16; THREE.len()] = {
    let (noise, mut places, mut found, mut place) = (noise(&THREE), [0; THREE.len()], 0, 0);
    while place < GRAINS {
        if noise[place] != NEVER {
            places[found] = place as u16;
            found += 1;
        }
        place += 1;
    }
    assert!(found == places.len(), "each threshold has its place");
    places
};

#[inline(always)]
fn from(noise: &'static [i16; GRAINS + BLOCK], offset: u16) -> &'static [i16; BLOCK] {
    static NOBODY: [i16; BLOCK] = [NEVER; BLOCK];
    noise.get(usize::from(offset) % GRAINS..).and_then(|n| n.first_chunk()).unwrap_or(&NOBODY)
}

/// A place of the circle where a unit may fire: the place in the low half, its threshold
/// for one spike in the high half.
#[derive(Debug, Clone, Copy)]
#[repr(transparent)]
pub struct Candidate(u32);

impl Candidate {
    /// Behind all places.
    const LAST: Self = Self((NEVER as u32) << 16 | 0xFFFF);

    /// How far behind an offset it lies; 65536 less where it lies before.
    #[inline(always)]
    #[must_use]
    pub const fn lane(self, offset: u16) -> u16 {
        (self.0 as u16).wrapping_sub(offset)
    }

    /// Its threshold for one spike.
    #[inline(always)]
    #[must_use]
    pub const fn threshold(self) -> i16 {
        (self.0 >> 16) as i16
    }
}

/// The places from an offset below 4096 on where a unit may fire, in order; the last lies
/// behind all of them, so that a search ends there.
#[inline(always)]
#[must_use]
pub fn candidates(offset: u16) -> &'static [Candidate] {
    let eighth = usize::from(offset >> 3);
    let before = eighth.wrapping_add(BEFORE.get(eighth).copied().unwrap_or(0).into());
    let mut candidates = CANDIDATES.get(before..).unwrap_or(&[]);
    while let [first, rest @ ..] = candidates
        && first.lane(0) < offset
    {
        candidates = rest;
    }
    candidates
}

/// The tables behind [`candidates`], for who searches them in another way: how many
/// candidates more than i lie before place 8i, and the candidates.
#[inline(always)]
#[must_use]
pub fn places() -> (&'static [u8; GRAINS / 8], &'static [Candidate]) {
    (&BEFORE, &CANDIDATES)
}

/// Places where a unit may fire, those among the last [`BLOCK`] included, and one more.
#[allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)] // evaluated by the compiler
const CANDIDATE_COUNT: usize = {
    let (noise, mut found, mut place) = (noise(&ONE), 1, 0);
    while place < noise.len() {
        found += (noise[place] != NEVER) as usize;
        place += 1;
    }
    found
};

#[allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)] // evaluated by the compiler
static CANDIDATES: [Candidate; CANDIDATE_COUNT] = {
    let (noise, mut found, mut place) = (noise(&ONE), 0, 0);
    let mut candidates = [Candidate::LAST; CANDIDATE_COUNT];
    while place < noise.len() {
        if noise[place] != NEVER {
            candidates[found] = Candidate(place as u32 | (noise[place] as u16 as u32) << 16);
            found += 1;
        }
        place += 1;
    }
    candidates
};

/// How many candidates more than i lie before place 8i: a byte holds it.
#[allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)] // evaluated by the compiler
static BEFORE: [u8; GRAINS / 8] = {
    let (noise, mut found, mut place) = (noise(&ONE), 0, 0);
    let mut before = [0; GRAINS / 8];
    while place < GRAINS {
        if place % 8 == 0 {
            assert!(found >= place / 8 && found - place / 8 <= 255, "more than a byte holds");
            before[place / 8] = (found - place / 8) as u8;
        }
        found += (noise[place] != NEVER) as usize;
        place += 1;
    }
    before
};

/// A unit emits one spike only, whatever its noise, up to this potential; …
pub const SINGLE_BELOW: i16 = TWO[0];
/// where its noise exceeds this threshold, whatever its potential; …
#[allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)] // a constant
pub const SINGLE_ABOVE: i16 = ONE[TWO.len() - 1];
/// and where its potential exceeds the threshold by no more than this.
pub const SINGLE_WITHIN: i16 = least_gap();

#[allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)] // evaluated by the compiler
const fn least_gap() -> i16 {
    let (mut gap, mut rank) = (i16::MAX, 0);
    while rank < TWO.len() {
        let here = TWO[rank] - ONE[rank];
        gap = if here < gap { here } else { gap };
        rank += 1;
    }
    gap
}

/// How many spikes a unit emits whose potential exceeds the threshold `one`: 1, 2 or 3.
#[inline(always)]
#[must_use]
pub fn count(potential: i16, one: i16) -> u8 {
    if is_single(potential, one) { 1 } else { 1u8.wrapping_add(count_more(potential, one)) }
}

/// Whether such a unit emits one spike without a look at the thresholds for more.
#[inline(always)]
#[must_use]
pub const fn is_single(potential: i16, one: i16) -> bool {
    one > SINGLE_ABOVE || potential <= SINGLE_BELOW || potential.wrapping_sub(one) <= SINGLE_WITHIN
}

/// How many spikes beyond its first such a unit emits, where [`is_single`] does not say that
/// there are none.
#[inline(always)]
#[must_use]
pub fn count_more(potential: i16, one: i16) -> u8 {
    let line = one.wrapping_sub(ONE[0]) as usize / GRAIN;
    let mut rank = usize::from(RANK_FROM.get(line).copied().unwrap_or(u8::MAX));
    while MAY_MEAN_TWO.get(rank).is_some_and(|&threshold| threshold < one) {
        rank = rank.wrapping_add(1);
    }
    let beyond = |table: &[i16]| table.get(rank).is_some_and(|&t| potential > t);
    u8::from(beyond(&TWO)).wrapping_add(u8::from(beyond(&THREE)))
}

/// The thresholds of one spike that may mean two, ascending.
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)] // evaluated by the compiler
static MAY_MEAN_TWO: [i16; TWO.len()] = {
    let (mut thresholds, mut rank) = (TWO, 0);
    while rank < TWO.len() {
        thresholds[rank] = ONE[rank];
        rank += 1;
    }
    thresholds
};

/// Potentials that share a line of the table by which they are found.
const GRAIN: usize = 16;
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)] // a constant
const LINES: usize = (ONE[TWO.len() - 1] as i32 - ONE[0] as i32) as usize / GRAIN + 1;

/// How many of those thresholds lie before a line.
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)] // evaluated by the compiler
static RANK_FROM: [u8; LINES] = {
    let (mut ranks, mut line, mut rank) = ([0; LINES], 0, 0);
    while line < LINES {
        while ((ONE[rank] - ONE[0]) as usize) < line * GRAIN {
            rank += 1;
        }
        ranks[line] = rank as u8;
        line += 1;
    }
    ranks
};

/// The potential at which a neuron would fire like a pixel of this grey level.
#[inline(always)]
#[must_use]
pub fn pixel_potential(grey: u8) -> i16 {
    PIXEL.get(usize::from(grey)).copied().unwrap_or(i16::MIN)
}

static RANK: [u16; GRAINS] = shuffled();

/// Fisher–Yates with a 32-bit xorshift (Marsaglia 2003: 13, 17, 5) from a fixed seed.
#[allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)] // evaluated by the compiler
const fn shuffled() -> [u16; GRAINS] {
    let mut order = [0u16; GRAINS];
    let mut i = 0;
    while i < GRAINS {
        order[i] = i as u16;
        i += 1;
    }
    let mut draw: u32 = 0x0A91_CA1D;
    while i > 1 {
        draw ^= draw << 13;
        draw ^= draw >> 17;
        draw ^= draw << 5;
        let other = ((draw as u64 * i as u64) >> 32) as usize;
        i -= 1;
        let kept = order[i];
        order[i] = order[other];
        order[other] = kept;
    }
    order
}

#[allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)] // evaluated by the compiler
const fn noise(thresholds: &[i16]) -> [i16; GRAINS + BLOCK] {
    let order = shuffled();
    let mut noise = [NEVER; GRAINS + BLOCK];
    let mut i = 0;
    while i < GRAINS + BLOCK {
        let rank = order[i % GRAINS] as usize;
        if rank < thresholds.len() {
            noise[i] = thresholds[rank];
        }
        i += 1;
    }
    noise
}

/// The stored thresholds for one, two and three spikes, and the pixels' potentials; for
/// the test that makes them again.
#[must_use]
pub fn stored() -> (&'static [i16], &'static [i16], &'static [i16], &'static [i16]) {
    (&ONE, &TWO, &THREE, &PIXEL)
}
