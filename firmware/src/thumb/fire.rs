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
    offsets: *const u16,
    units: usize,
    potentials: *const i16,
    /// The names of the units, or the number of the first.
    names: usize,
    before: *const u8,
    candidates: *const Candidate,
    out: *mut u16,
    end: *mut u16,
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
            offsets: ptr::null(),
            units: 0,
            potentials: potentials.as_ptr(),
            names: names.map_or(0, |names| names.as_ptr().addr()),
            before: before.as_ptr(),
            candidates: candidates.as_ptr(),
            out: ends.start,
            end: ends.end,
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

/// The loop over blocks and candidates: `$names` makes of the names in r4 and an offset in r12 what `$name` puts the
/// name of the unit at place r11 of the noise into r0 by, and `$bytes` is how far apart the names of two blocks are.
macro_rules! finder {
    ($find:ident, $names:literal, $name:literal, $bytes:literal) => {
        #[unsafe(naked)]
        unsafe extern "C" fn $find(search: &mut Search) {
            naked_asm!(
                "push {{r0, r4-r11, lr}}",
                "ldr r7, [r0, #24]",
                // Does the block fit?
                "1:",
                "ldr r0, [sp]",
                "ldr r9, [r0, #28]",
                "ldm r0, {{r1, r2, r3, r4, r5, r6}}",
                "mov r10, r2",
                "cmp r10, #32",
                "it hs",
                "movhs r10, #32",
                "sub r9, r9, r7",
                "add r11, r10, r10, lsl #1",
                "cmp r9, r11, lsl #1",
                "blo 5f",
                // Its first candidate; where it ends; its potentials and names, as if they began at the place 0.
                "ldrh r12, [r1], #2",
                "lsr r11, r12, #3",
                "ldrb lr, [r5, r11]",
                "add r11, r11, lr",
                "add lr, r6, r11, lsl #2",
                "sub r6, r3, r12, lsl #1",
                $names,
                "sub r2, r2, r10",
                "add r5, r12, r10",
                "add r3, r3, #64",
                concat!("add r4, r4, #", $bytes),
                "stm r0, {{r1, r2, r3, r4}}",
                "mov r4, lr",
                "4:",
                "movw r2, #({above} & 0xffff)",
                "sxth r2, r2",
                "movw r3, #{within}",
                // Candidates before the block.
                "6:",
                "ldr r9, [r4], #4",
                "uxth r11, r9",
                "cmp r11, r12",
                "blo 6b",
                "b 7f",
                "2:",
                "ldr r9, [r4], #4",
                "uxth r11, r9",
                "7:",
                "cmp r11, r5",
                "bhs 3f",
                "ldrsh r10, [r6, r11, lsl #1]",
                "cmp r10, r9, asr #16",
                "ble 2b",
                $name,
                "cmp r2, r9, asr #16",
                "strh r0, [r7], #2",
                "blt 2b",
                // Perhaps more than one spike.
                "sub r1, r10, r9, asr #16",
                "cmp r1, r3",
                "ble 2b",
                "mov r1, r10",
                "asr r2, r9, #16",
                "mov r3, r7",
                "bl {more}",
                "mov r7, r0",
                "mov r12, #0",
                "b 4b",
                "3:",
                "ldr r0, [sp]",
                "ldr r1, [r0, #4]",
                "cmp r1, #0",
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

finder!(find, "sub r8, r4, r12", "add r0, r11, r8", "32");
finder!(find_named, "sub r8, r4, r12, lsl #1", "ldrh r0, [r8, r11, lsl #1]", "64");

/// Writes the second and the third spike of a unit; returns where they end.
unsafe extern "C" fn more(name: u32, potential: i32, threshold: i32, out: *mut u16) -> *mut u16 {
    // SAFETY: the caller has room for three spikes a unit; those that are none are overwritten.
    unsafe {
        out.write(name as u16);
        out.add(1).write(name as u16);
        out.add(usize::from(count_more(potential as i16, threshold as i16)))
    }
}
