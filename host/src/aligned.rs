//! Slices that begin at a cache line, so that a vector load touches one line only; large ones lie
//! in large pages where the system has them.
//!
//! Weights are read column by column in the order of the spikes, images in a shuffled order: in
//! pages of 4 KiB nearly each of them is another page to look up.

use bytemuck::Pod;
use memmap2::MmapMut;
use std::fmt;
use std::ops::{Deref, DerefMut};

const LINE: usize = 64;
/// Bytes of a large page, of most systems.
const PAGE: usize = 2 << 20;
/// Bytes from which on a slice is worth a page of its own.
const LARGE: usize = PAGE / 8;

/// A slice of `T` whose first element lies at a multiple of 64 bytes.
pub struct Aligned<T> {
    memory: Memory<T>,
    /// Elements of the memory before the first.
    start: usize,
    length: usize,
}

enum Memory<T> {
    Heap(Vec<T>),
    Pages(MmapMut),
}

impl<T: Pod> Aligned<T> {
    /// So many copies of a value. Memory for zeros is taken when it is written to.
    #[must_use]
    pub fn filled(value: T, length: usize) -> Self {
        if let Some(pages) = length.checked_mul(size_of::<T>()).and_then(pages) {
            let start = pages.as_ptr().align_offset(PAGE) / size_of::<T>();
            let mut filled = Self { memory: Memory::Pages(pages), start, length };
            if bytemuck::bytes_of(&value) != bytemuck::bytes_of(&T::zeroed()) {
                filled.fill(value);
            }
            return filled;
        }
        let memory = vec![value; length + LINE / size_of::<T>()];
        let start = memory.as_ptr().align_offset(LINE);
        Self { memory: Memory::Heap(memory), start: start.min(LINE / size_of::<T>()), length }
    }
}

/// Has these bytes brought near while something else is done, where the processor can.
pub fn fetch(bytes: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    if let Some(sse) = pulp::core_arch::x86::Sse::try_new() {
        for line in bytes.chunks(LINE) {
            sse._mm_prefetch::<{ core::arch::x86_64::_MM_HINT_T0 }>(line.as_ptr().cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = bytes;
}

/// Zeros for so many bytes in pages of their own, from the first border of a large page on, where
/// that pays and the system agrees.
fn pages(bytes: usize) -> Option<MmapMut> {
    if bytes < LARGE {
        return None;
    }
    // One page more, as the first may begin anywhere.
    let pages = MmapMut::map_anon(bytes.checked_next_multiple_of(PAGE)?.checked_add(PAGE)?).ok()?;
    // Advice: where it is not taken, pages are small.
    #[cfg(target_os = "linux")]
    let _ = pages.advise(memmap2::Advice::HugePage);
    Some(pages)
}

impl<T: Pod> Deref for Aligned<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        let memory = match &self.memory {
            Memory::Heap(memory) => memory,
            Memory::Pages(pages) => bytemuck::cast_slice(pages),
        };
        &memory[self.start..self.start + self.length]
    }
}

impl<T: Pod> DerefMut for Aligned<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        let memory = match &mut self.memory {
            Memory::Heap(memory) => memory,
            Memory::Pages(pages) => bytemuck::cast_slice_mut(pages),
        };
        &mut memory[self.start..self.start + self.length]
    }
}

impl<T: Pod> From<&[T]> for Aligned<T> {
    fn from(slice: &[T]) -> Self {
        let mut copy = Self::filled(T::zeroed(), slice.len());
        copy.copy_from_slice(slice);
        copy
    }
}

impl<T: Pod> Clone for Aligned<T> {
    fn clone(&self) -> Self {
        Self::from(&**self)
    }
}

impl<T: Pod + PartialEq> PartialEq for Aligned<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Pod + Eq> Eq for Aligned<T> {}

impl<T: Pod + fmt::Debug> fmt::Debug for Aligned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_of_any_length_begin_at_a_line_and_hold_what_they_are_told() {
        for length in [0, 1, 33, LARGE / 4 - 1, LARGE / 4, PAGE / 4 + 1] {
            let mut slice = Aligned::filled(0x0102_0304_u32, length);
            assert_eq!(slice.as_ptr().align_offset(LINE), 0, "{length}");
            assert_eq!(slice.len(), length);
            assert!(slice.iter().all(|&value| value == 0x0102_0304), "{length}");
            let copy = slice.clone();
            assert_eq!(slice, copy);
            if let Some(last) = slice.last_mut() {
                *last = 0;
                assert_ne!(slice, copy, "a copy of {length} has memory of its own");
            }
            assert!(Aligned::filled(0u32, length).iter().all(|&value| value == 0));
        }
    }

    #[test]
    fn what_is_large_lies_in_pages_of_its_own() {
        for (length, in_pages) in [(LARGE - 1, false), (LARGE, true)] {
            let slice = Aligned::filled(0u8, length);
            assert_eq!(matches!(slice.memory, Memory::Pages(_)), in_pages, "{length}");
            assert!(!in_pages || slice.as_ptr().align_offset(PAGE) == 0);
        }
    }
}
