//! Slices that begin at a cache line, so that a vector load touches one line only.

use std::ops::{Deref, DerefMut};

const LINE: usize = 64;

/// A slice of `T` whose first element lies at a multiple of 64 bytes.
#[derive(Debug)]
pub struct Aligned<T> {
    memory: Vec<T>,
    start: usize,
    length: usize,
}

impl<T: Copy> Aligned<T> {
    /// So many copies of a value.
    #[must_use]
    pub fn filled(value: T, length: usize) -> Self {
        let memory = vec![value; length + LINE / size_of::<T>()];
        let start = memory.as_ptr().align_offset(LINE);
        Self { memory, start: start.min(LINE / size_of::<T>()), length }
    }
}

impl<T> Deref for Aligned<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.memory[self.start..self.start + self.length]
    }
}

impl<T> DerefMut for Aligned<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.memory[self.start..self.start + self.length]
    }
}

impl<T: Copy + Default> Clone for Aligned<T> {
    fn clone(&self) -> Self {
        let mut copy = Self::filled(T::default(), self.length);
        copy.copy_from_slice(self);
        copy
    }
}
