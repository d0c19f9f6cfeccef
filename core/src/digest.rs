//! A fingerprint of everything a network is, the same on every machine.

use crate::arithmetic::Arithmetic;
use crate::layer::Layer;
use crate::network::Network;
use crate::random::Generator;
use rand_core::Rng;

/// Two multiplicative hashes of 32 bits side by side (FNV-1a's prime; Knuth's), which a
/// 32-bit machine computes as readily as a 64-bit one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest(u32, u32);

impl Default for Digest {
    fn default() -> Self {
        Self(0x811C_9DC5, 0x9747_B28C)
    }
}

impl Digest {
    /// Takes a word in.
    #[inline]
    pub fn word(&mut self, word: u32) {
        self.0 = (self.0 ^ word).wrapping_mul(0x0100_0193);
        self.1 = (self.1.rotate_left(5) ^ word).wrapping_mul(0x9E37_79B1);
    }

    /// Takes a generator in, by what it would draw next.
    pub fn generator(&mut self, draws: &Generator) {
        let mut copy = draws.clone();
        for _ in 0..4 {
            self.word(copy.next_u32());
        }
    }

    /// The fingerprint.
    #[must_use]
    pub const fn value(self) -> u64 {
        ((self.0 as u64) << 32) | self.1 as u64
    }
}

impl<A: Arithmetic> Layer<'_, A> {
    /// Takes the layer in: weights, biases, feedback, filters, somata, streams. Padding
    /// and scratch are left out.
    pub fn digest(&self, arithmetic: &A, digest: &mut Digest) {
        for matrix in [&*self.weights, &*self.feedback] {
            for column in matrix.chunks_exact(self.stride.max(1)) {
                for &weight in column.iter().take(self.units) {
                    digest.word(arithmetic.weight_bits(weight));
                }
            }
        }
        for vector in [&*self.bias, &*self.fast, &*self.slow, &*self.soma] {
            for &state in vector.iter().take(self.units) {
                digest.word(arithmetic.state_bits(state));
            }
        }
        for column in self.history.chunks_exact(self.stride.max(1)) {
            for &state in column.iter().take(self.units) {
                digest.word(arithmetic.state_bits(state));
            }
        }
        digest.generator(&self.control.draws);
        for &lane in self.control.dither.state() {
            digest.word(lane);
        }
    }
}

impl<A: Arithmetic> Network<'_, A> {
    /// Fingerprint of the whole state.
    #[must_use]
    pub fn digest(&self) -> u64 {
        let mut digest = Digest::default();
        for layer in self.hidden.iter() {
            layer.digest(self.arithmetic, &mut digest);
        }
        self.output.digest(&self.arithmetic.output(), &mut digest);
        digest.generator(&self.input.control.draws);
        digest.generator(&self.control.phase);
        digest.value()
    }
}
