//! Spikes of many units: one that cannot fire costs nothing, another seven instructions, a block of 32 units some forty.

use apical_core::random::{Generator, Offsets};
use apical_core::spikes::Spikes;
use apical_core::tables::noise::{BLOCK, Candidate, SINGLE_ABOVE, SINGLE_WITHIN, count_more, places};
use core::arch::naked_asm;
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
            unsafe { if names.is_some() { find_named(&mut search) } else { find(&mut search) } }
            if search.units > 0 {
                break; // no room
            }
        }
        // SAFETY: both are ends of a part of `memory`.
        unsafe { search.out.offset_from_unsigned(ends.start) }
    });
}

/// The loop over blocks and candidates: `$names` makes of the names in r6 and an offset in lr what `$name` puts the name of
/// the unit at place r11 of the noise into r0 by, and `$bytes` is how far apart the names of two blocks are.
macro_rules! finder {
    ($find:ident, $names:literal, $name:literal, $bytes:literal) => {
        #[unsafe(naked)]
        unsafe extern "C" fn $find(search: &mut Search) {
            naked_asm!(
                "push {{r0, r4-r11, lr}}",
                "ldrd r7, r1, [r0, #24]",
                // Places are lower than the lower half.
                "movw r2, #0xffff",
                "movt r2, #({above} & 0xffff)",
                "movw r3, #{within}",
                // Does the block fit?
                "1:",
                "ldr r0, [sp]",
                "ldm r0, {{r4, r5, r6, r8, r9, r10}}",
                "mov r11, r4",
                "cmp r4, #32",
                "it hs",
                "movhs r11, #32",
                "sub r10, r10, r7",
                "add r12, r11, r11, lsl #1",
                "cmp r10, r12, lsl #1",
                "blo 5f",
                // Its first candidate, what is left, where it ends; its potentials and names, as if they began at the place 0.
                "ldrh lr, [r1], #2",
                "sub r4, r4, r11",
                "lsr r12, lr, #3",
                "ldrb r8, [r8, r12]",
                "add r12, r12, r8",
                "add r12, r9, r12, lsl #2",
                "add r9, r5, #64",
                concat!("add r10, r6, #", $bytes),
                "stm r0, {{r4, r9, r10}}",
                $names,
                "sub r6, r5, lr, lsl #1",
                "add r5, lr, r11",
                // Candidates before the block.
                "6:",
                "ldr r9, [r12], #4",
                "uxth r11, r9",
                "cmp r11, lr",
                "blo 6b",
                "b 7f",
                "2:",
                "ldr r9, [r12], #4",
                "uxth r11, r9",
                "7:",
                "cmp r11, r5",
                "bhs 3f",
                "ldrsh r10, [r6, r11, lsl #1]",
                "cmp r10, r9, asr #16",
                "ble 2b",
                $name,
                "cmp r2, r9",
                "strh r0, [r7], #2",
                "blt 2b",
                // Perhaps more than one spike.
                "sub lr, r10, r9, asr #16",
                "cmp lr, r3",
                "ble 2b",
                "push {{r1, r2, r3, r12}}",
                "mov r1, r10",
                "asr r2, r9, #16",
                "mov r3, r7",
                "bl {more}",
                "mov r7, r0",
                "pop {{r1, r2, r3, r12}}",
                "b 2b",
                "3:",
                "cmp r4, #0",
                "bne 1b",
                "5:",
                "ldr r0, [sp]",
                "str r7, [r0, #24]",
                "pop {{r0, r4-r11, pc}}",
                above = const SINGLE_ABOVE,
                within = const SINGLE_WITHIN,
                more = sym more,
            )
        }
    };
}

finder!(find, "sub r8, r6, lr", "add r0, r11, r8", "32");
finder!(find_named, "sub r8, r6, lr, lsl #1", "ldrh r0, [r8, r11, lsl #1]", "64");

/// Writes the second and the third spike of a unit; returns where they end.
unsafe extern "C" fn more(name: u32, potential: i32, threshold: i32, out: *mut u16) -> *mut u16 {
    // SAFETY: the caller has room for three spikes a unit; those that are none are overwritten.
    unsafe {
        out.write(name as u16);
        out.add(1).write(name as u16);
        out.add(usize::from(count_more(potential as i16, threshold as i16)))
    }
}
