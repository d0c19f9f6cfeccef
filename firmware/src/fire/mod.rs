//! Spikes of many units, in assembly: one that cannot fire costs nothing, another seven to nine instructions, a block of 32
//! units some thirty to fifty.

#[cfg_attr(thumb2, path = "thumb2.rs")]
#[cfg_attr(thumb1, path = "thumb1.rs")]
#[cfg_attr(target_arch = "riscv32", path = "riscv.rs")]
mod search;

use apical_core::random::{Generator, Offsets};
use apical_core::spikes::Spikes;
use apical_core::tables::noise::{BLOCK, Candidate, count_more, places};
use core::mem::MaybeUninit;
use core::ptr;

/// Blocks whose offsets are drawn at a time; an even number.
const BLOCKS: usize = 16;

/// What is left to do, as the loop keeps it.
#[repr(C)]
struct Search {
    units: usize,
    potentials: *const i16,
    /// The names of the units, or the number of the first.
    names: usize,
    before: *const u8,
    candidates: *const Candidate,
    end: *mut u16,
    out: *mut u16,
    offsets: *const u16,
}

/// As [`plain::fire`](apical_core::kernels::plain::fire); but of a block that there is no room for, nobody fires.
#[inline(always)]
pub fn fire(
    potentials: &[i16],
    names: Option<&[u16]>,
    mut offsets: Offsets<'_, Generator>,
    spikes: &mut Spikes<'_>,
) {
    let names = names.filter(|names| names.len() >= potentials.len());
    let (before, candidates) = places();
    spikes.refill(|memory| {
        let ends = memory.as_mut_ptr_range();
        let mut search = Search {
            units: 0,
            potentials: potentials.as_ptr(),
            names: names.map_or(0, |names| names.as_ptr().addr()),
            before: before.as_ptr(),
            candidates: candidates.as_ptr(),
            end: ends.end,
            out: ends.start,
            offsets: ptr::null(),
        };
        let mut left = potentials.len();
        while left > 0 {
            let mut drawn = [const { MaybeUninit::uninit() }; BLOCKS];
            search.offsets = drawn.as_ptr().cast();
            search.units = left.min(BLOCKS * BLOCK);
            left -= search.units;
            for pair in drawn.as_chunks_mut::<2>().0.iter_mut().take(search.units.div_ceil(2 * BLOCK)) {
                *pair = offsets.draw_pair().map(MaybeUninit::new);
            }
            // SAFETY: reads as many offsets as there are blocks, potentials and names of the units, and candidates of
            // places behind an offset up to the first that is out of the block, as the last one always is. Writes three
            // spikes a unit at most, and begins no block that there is no room for.
            unsafe {
                if names.is_some() { search::find_named(&mut search) } else { search::find(&mut search) }
            }
            if search.units > 0 {
                break; // no room
            }
        }
        // SAFETY: both are ends of a part of `memory`.
        unsafe { search.out.offset_from_unsigned(ends.start) }
    });
}

/// Writes the second and the third spike of a unit; returns where they end.
unsafe extern "C" fn more(name: u32, potential: i32, threshold: i32, out: *mut u16) -> *mut u16 {
    // SAFETY: the caller has room for three spikes a unit; those that are none are overwritten.
    unsafe {
        out.write(name as u16);
        out.add(1).write(name as u16);
        out.add(usize::from(count_more(potential as i16, threshold as i16)))
    }
}
