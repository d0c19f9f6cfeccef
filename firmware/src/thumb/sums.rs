//! u = Σ columns: sixteen neurons at a time in registers, over all spikes of the step.
//!
//! A spike costs 13 instructions for 16 neurons with weights of 16 bits, 13 with weights of 8 bits (Armv7E-M) or 22
//! (Armv7-M). The compiler keeps some of the sums on the stack.

use super::{is_words, machine};
use apical_core::arithmetic::Columns;
use apical_core::formats::ACCUMULATOR_LIMIT;
use apical_core::native::Weight;
use core::arch::naked_asm;

/// Most spikes of a step that the fast way is for.
const MOST: usize = 96;

/// What is added up, and where to.
#[repr(C)]
struct Job {
    first: *const u8,
    /// Bytes from column to column.
    stride: usize,
    columns: usize,
    bounds: *const u16,
    /// What the bounds may add up to.
    room: i32,
    sums: *mut i16,
    /// Words of sums, or sums.
    count: usize,
}

/// A loop over columns and spikes; false, with nothing done, where a spike has no column or the bounds are more than there
/// is room for. The last of its arguments is what every sum begins with, or is too large by.
type Add = unsafe extern "C" fn(&Job, *const u16, usize, u32) -> bool;

/// Runs it, where there are so many columns, and no more spikes than there are places for; None where nothing is done.
#[inline(always)]
fn run<W: Weight>(
    add: Add,
    columns: &Columns<'_, W>,
    inputs: usize,
    room: i32,
    spikes: &[u16],
    sums: &mut [i16],
    beside: u32,
) -> Option<()> {
    let bounded = W::PER_WORD == 2;
    if spikes.len() > MOST
        || columns.weights.len() < inputs.checked_mul(columns.stride)?
        || sums.len() > columns.stride
        || bounded && columns.bounds.len() < inputs
    {
        return None;
    }
    let job = Job {
        first: columns.weights.as_ptr().cast(),
        stride: columns.stride * size_of::<W>(),
        columns: inputs,
        bounds: columns.bounds.as_ptr(),
        room,
        sums: sums.as_mut_ptr(),
        count: if bounded { sums.len() / 2 } else { sums.len() },
    };
    // SAFETY: reads every spike and, of those that are columns, the bound and as many weights as there are sums, no more
    // than `stride`; writes the sums.
    unsafe { add(&job, spikes.as_ptr(), spikes.len(), beside) }.then_some(())
}

/// u of every unit with one fraction bit less, where the weights are [offset](apical_core::offset) and their sums fit in
/// 16 bits; None elsewhere.
#[inline(always)]
pub fn of_pairs<W: Weight>(columns: &Columns<'_, W>, spikes: &[u16], sums: &mut [i16]) -> Option<()> {
    // Whole words, in columns and in sums.
    W::words(columns.weights).filter(|_| W::OFFSET && W::PER_WORD == 2)?;
    if !columns.stride.is_multiple_of(2) || !is_words(sums) {
        return None;
    }
    // Half of the range beside each sum, so that none is negative; and one more for the rounding.
    let start = 0x8001_8001u32.wrapping_sub((spikes.len() as u32).wrapping_mul(0x8000_8000));
    run(add_pairs, columns, columns.bounds.len(), ACCUMULATOR_LIMIT, spikes, sums, start)
}

/// The exact sum of the columns, held within ±[`ACCUMULATOR_LIMIT`], where the weights are offset; None elsewhere.
#[inline(always)]
pub fn of_many_pairs<W: Weight>(columns: &Columns<'_, W>, spikes: &[u16], sums: &mut [i16]) -> Option<()> {
    W::words(columns.weights).filter(|_| W::OFFSET && W::PER_WORD == 2)?;
    if !columns.stride.is_multiple_of(2) || !sums.len().is_multiple_of(2) {
        return None;
    }
    let start = (spikes.len() as u32).wrapping_mul(0x8000).wrapping_neg();
    run(add_widely, columns, columns.bounds.len(), i32::MAX, spikes, sums, start)
}

/// The exact sum of the columns, where weights have 8 bits (signed with DSP instructions, else [offset](apical_core::offset)) and their number makes it fit in 16; None elsewhere.
#[inline(always)]
pub fn of_bytes<W: Weight>(columns: &Columns<'_, W>, spikes: &[u16], sums: &mut [i16]) -> Option<()> {
    // Columns of 16 neurons and more are read by whole words at a time; shorter ones may begin anywhere.
    let whole = columns.stride.is_multiple_of(4) && W::words(columns.weights).is_some();
    if size_of::<W>() != 1 || W::OFFSET == cfg!(dsp) || !(whole || sums.len() < 16) || !is_words(sums) {
        return None;
    }
    let inputs = columns.weights.len().checked_div(columns.stride)?;
    run(add_bytes, columns, inputs, 0, spikes, sums, spikes.len() as u32 * 128)
}

/// How a loop over columns begins: it looks up spikes, and leaves where their columns are, and a null after the last. `$bound`
/// takes the bound of the column r9 from the room that is left in r8. Then [sp] is the first of those places, which the loop
/// moves on; behind it sums, how many are left, and what is beside them.
macro_rules! looked_up {
    ($bound:expr) => {
        concat!(
            " push {{r4-r11, lr}}\n sub sp, sp, #16 + 4 * ({most} + 2)\n",
            " ldm r0!, {{r4, r5, r6, r7, r8}}\n ldrd r10, r11, [r0]\n add r0, sp, #16\n",
            " str r0, [sp]\n strd r10, r11, [sp, #4]\n str r3, [sp, #12]\n",
            // From minus their number on, so that one instruction counts and compares.
            " add r2, r1, r2, lsl #1\n subs r1, r1, r2\n beq 13f\n",
            "12:\n ldrh r9, [r2, r1]\n cmp r9, r6\n bhs 14f\n",
            $bound,
            " mla r9, r9, r5, r4\n adds r1, r1, #2\n str r9, [r0], #4\n bne 12b\n",
            "13:\n mov r9, #0\n str r9, [r0]\n cmp r8, #0\n blt 14f\n"
        )
    };
}
/// How it ends.
macro_rules! left {
    () => {
        concat!(
            " mov r0, #1\n15:\n add sp, sp, #16 + 4 * ({most} + 2)\n pop {{r4-r11, pc}}\n",
            "14:\n mov r0, #0\n b 15b\n"
        )
    };
}
/// Bounds are looked at where weights have 16 bits.
macro_rules! bounded {
    () => {
        " ldrh r12, [r7, r9, lsl #1]\n sub r8, r8, r12\n"
    };
}

/// The next tile, or on to a smaller one: `$size` units of what is left.
macro_rules! tile_begins {
    ($size:literal, $here:literal, $next:literal) => {
        concat!(
            "\n",
            $here,
            ":\n ldr r0, [sp, #8]\n subs r0, r0, #",
            $size,
            "\n blo ",
            $next,
            "f\n str r0, [sp, #8]\n"
        )
    };
}

/// (s + 1)/2 of both halves of a register, each 2¹⁵ too large.
#[cfg(dsp)]
macro_rules! halve {
    ($register:literal) => {
        concat!(" uhsub16 ", $register, ", ", $register, ", r2\n")
    };
}
#[cfg(not(dsp))]
macro_rules! halve {
    ($register:literal) => {
        concat!(
            " lsr ",
            $register,
            ", ",
            $register,
            ", #1\n orr ",
            $register,
            ", ",
            $register,
            ", #0x80008000\n sub ",
            $register,
            ", ",
            $register,
            ", #0x40004000\n eor ",
            $register,
            ", ",
            $register,
            ", #0x80008000\n"
        )
    };
}

/// Over all places: `$work` with the next word's address in r1, which is kept for the next tile.
macro_rules! each_spike {
    ($again:literal, $done:literal, $work:expr) => {
        concat!(
            " ldr r0, [sp]\n",
            $again,
            ":\n",
            " ldr r1, [r0]\n cbz r1, ",
            $done,
            "f\n",
            $work,
            " str r1, [r0], #4\n",
            " ldr r1, [r0]\n cbz r1, ",
            $done,
            "f\n",
            $work,
            " str r1, [r0], #4\n",
            " b ",
            $again,
            "b\n",
            $done,
            ":\n"
        )
    };
}

/// The same for longer work, which is not written twice: its end would be out of reach.
#[cfg(not(dsp))]
macro_rules! each_spike_once {
    ($again:literal, $done:literal, $work:expr) => {
        concat!(
            " ldr r0, [sp]\n",
            $again,
            ":\n ldr r1, [r0]\n cbz r1, ",
            $done,
            "f\n",
            $work,
            " str r1, [r0], #4\n b ",
            $again,
            "b\n",
            $done,
            ":\n"
        )
    };
}
#[cfg(dsp)]
use each_spike as each_spike_once;

/// Stores `$registers` as the next sums.
macro_rules! stored {
    ($registers:literal) => {
        concat!(" ldr r1, [sp, #4]\n stm r1!, {{", $registers, "}}\n str r1, [sp, #4]\n")
    };
}

/// The next ten words, or on to `$done` where no place is left.
macro_rules! add_ten {
    ($done:literal) => {
        concat!(
            " ldr r1, [r0], #4\n cbz r1, ",
            $done,
            "f\n ldm r1!, {{r2, r3}}\n add r4, r4, r2\n add r5, r5, r3\n",
            " ldm r1!, {{r2, r3}}\n add r6, r6, r2\n add r7, r7, r3\n",
            " ldm r1!, {{r2, r3}}\n add r8, r8, r2\n add r9, r9, r3\n",
            " ldm r1!, {{r2, r3}}\n add r10, r10, r2\n add r11, r11, r3\n",
            " ldm r1!, {{r2, r3}}\n add r12, r12, r2\n add lr, lr, r3\n"
        )
    };
}

/// Ten words at the end, else eight, five, two or one at a time.
#[unsafe(naked)]
unsafe extern "C" fn add_pairs(job: &Job, spikes: *const u16, count: usize, start: u32) -> bool {
    naked_asm!(
        machine!(),
        looked_up!(bounded!()),
        "ldr r0, [sp, #8]",
        "cmp r0, #10",
        "beq 70f",
        tile_begins!("8", "20", "30"),
        "ldr r4, [sp, #12]",
        "mov r5, r4",
        "mov r6, r4",
        "mov r7, r4",
        "mov r8, r4",
        "mov r9, r4",
        "mov r10, r4",
        "mov r11, r4",
        each_spike!(
            "21",
            "22",
            concat!(
                " ldm r1!, {{r2, r3, r12, lr}}\n add r4, r4, r2\n add r5, r5, r3\n add r6, r6, r12\n add r7, r7, lr\n",
                " ldm r1!, {{r2, r3, r12, lr}}\n add r8, r8, r2\n add r9, r9, r3\n add r10, r10, r12\n add r11, r11, lr\n",
            )
        ),
        "mov r2, #0x80008000",
        concat!(halve!("r4"), halve!("r5"), halve!("r6"), halve!("r7")),
        concat!(halve!("r8"), halve!("r9"), halve!("r10"), halve!("r11")),
        stored!("r4-r11"),
        "ldr r0, [sp, #8]",
        "cmp r0, #10",
        "bne 20b",
        // Every register is a sum or needed for one.
        "70:",
        "ldr r4, [sp, #12]",
        "mov r5, r4",
        "mov r6, r4",
        "mov r7, r4",
        "mov r8, r4",
        "mov r9, r4",
        "mov r10, r4",
        "mov r11, r4",
        "mov r12, r4",
        "mov lr, r4",
        "ldr r0, [sp]",
        concat!("71:\n", add_ten!("72"), add_ten!("72"), " b 71b\n72:\n"),
        "mov r2, #0x80008000",
        concat!(halve!("r4"), halve!("r5"), halve!("r6"), halve!("r7"), halve!("r8")),
        concat!(halve!("r9"), halve!("r10"), halve!("r11"), halve!("r12"), halve!("lr")),
        "ldr r1, [sp, #4]",
        "stm r1, {{r4-r12, lr}}",
        "b 60f",
        // Ten outputs are five words.
        tile_begins!("5", "30", "40"),
        "ldr r4, [sp, #12]",
        "mov r5, r4",
        "mov r6, r4",
        "mov r7, r4",
        "mov r8, r4",
        each_spike!(
            "31",
            "32",
            concat!(
                " ldm r1!, {{r2, r3, r10, r11, r12}}\n",
                " add r4, r4, r2\n add r5, r5, r3\n add r6, r6, r10\n add r7, r7, r11\n add r8, r8, r12\n"
            )
        ),
        "mov r2, #0x80008000",
        concat!(halve!("r4"), halve!("r5"), halve!("r6"), halve!("r7"), halve!("r8")),
        stored!("r4-r8"),
        tile_begins!("2", "40", "50"),
        "ldr r4, [sp, #12]",
        "mov r5, r4",
        each_spike!("41", "42", " ldm r1!, {{r2, r3}}\n add r4, r4, r2\n add r5, r5, r3\n"),
        "mov r2, #0x80008000",
        concat!(halve!("r4"), halve!("r5")),
        stored!("r4, r5"),
        "b 40b",
        tile_begins!("1", "50", "60"),
        "ldr r4, [sp, #12]",
        each_spike!("51", "52", " ldr r2, [r1], #4\n add r4, r4, r2\n"),
        "mov r2, #0x80008000",
        halve!("r4"),
        " ldr r1, [sp, #4]\n str r4, [r1], #4\n str r1, [sp, #4]\n",
        "60:",
        left!(),
        most = const MOST,
    )
}

/// Adds both halves of a register to two registers; `$word` is overwritten.
#[cfg(dsp)]
macro_rules! add_halves {
    ($low:literal, $high:literal, $word:literal) => {
        concat!(
            " uxtah ",
            $low,
            ", ",
            $low,
            ", ",
            $word,
            "\n uxtah ",
            $high,
            ", ",
            $high,
            ", ",
            $word,
            ", ror #16\n"
        )
    };
}
#[cfg(not(dsp))]
macro_rules! add_halves {
    ($low:literal, $high:literal, $word:literal) => {
        concat!(
            " add ",
            $high,
            ", ",
            $high,
            ", ",
            $word,
            ", lsr #16\n uxth ",
            $word,
            ", ",
            $word,
            "\n add ",
            $low,
            ", ",
            $low,
            ", ",
            $word,
            "\n"
        )
    };
}
/// Stores a sum held within ±r2; r1 is where.
macro_rules! store_held {
    ($sum:literal) => {
        concat!(
            " cmp ",
            $sum,
            ", r2\n it gt\n movgt ",
            $sum,
            ", r2\n cmn ",
            $sum,
            ", r2\n it lt\n rsblt ",
            $sum,
            ", r2, #0\n strh ",
            $sum,
            ", [r1], #2\n"
        )
    };
}

/// As [`add_pairs`], but each sum in a register of its own.
#[unsafe(naked)]
unsafe extern "C" fn add_widely(job: &Job, spikes: *const u16, count: usize, start: u32) -> bool {
    naked_asm!(
        machine!(),
        looked_up!(bounded!()),
        tile_begins!("2", "20", "30"),
        "ldr r4, [sp, #12]",
        "mov r5, r4",
        "mov r6, r4",
        "mov r7, r4",
        each_spike_once!(
            "21",
            "22",
            concat!(" ldm r1!, {{r2, r3}}\n", add_halves!("r4", "r5", "r2"), add_halves!("r6", "r7", "r3"))
        ),
        "ldr r1, [sp, #4]",
        "movw r2, #{limit}",
        concat!(store_held!("r4"), store_held!("r5"), store_held!("r6"), store_held!("r7")),
        "str r1, [sp, #4]",
        "b 20b",
        tile_begins!("1", "30", "40"),
        "ldr r4, [sp, #12]",
        "mov r5, r4",
        each_spike_once!("31", "32", concat!(" ldr r2, [r1], #4\n", add_halves!("r4", "r5", "r2"))),
        "ldr r1, [sp, #4]",
        "movw r2, #{limit}",
        concat!(store_held!("r4"), store_held!("r5")),
        "40:",
        left!(),
        limit = const ACCUMULATOR_LIMIT,
        most = const MOST,
    )
}

/// Adds the four bytes of a register to two registers of two sums each.
#[cfg(dsp)]
macro_rules! add_quad {
    ($even:literal, $odd:literal, $word:literal) => {
        concat!(
            " sxtab16 ",
            $even,
            ", ",
            $even,
            ", ",
            $word,
            "\n sxtab16 ",
            $odd,
            ", ",
            $odd,
            ", ",
            $word,
            ", ror #8\n"
        )
    };
}
/// The same, each byte 128 too large and without a sign; r12 is overwritten, lr holds 0x00ff00ff.
#[cfg(not(dsp))]
macro_rules! add_quad {
    ($even:literal, $odd:literal, $word:literal) => {
        concat!(
            " and r12, ",
            $word,
            ", lr\n add ",
            $even,
            ", ",
            $even,
            ", r12\n and r12, lr, ",
            $word,
            ", lsr #8\n add ",
            $odd,
            ", ",
            $odd,
            ", r12\n"
        )
    };
}

/// Stores four sums, in the order of their neurons; r1 is where, r2 what each is too large by.
#[cfg(dsp)]
macro_rules! store_quad {
    ($even:literal, $odd:literal) => {
        concat!(
            " pkhbt r3, ",
            $even,
            ", ",
            $odd,
            ", lsl #16\n pkhtb ",
            $odd,
            ", ",
            $odd,
            ", ",
            $even,
            ", asr #16\n",
            " str r3, [r1], #4\n str ",
            $odd,
            ", [r1], #4\n"
        )
    };
}
#[cfg(not(dsp))]
macro_rules! store_quad {
    ($even:literal, $odd:literal) => {
        concat!(store_low!($even), store_low!($odd), store_high!($even), store_high!($odd))
    };
}
#[cfg(dsp)]
macro_rules! store_low {
    ($register:literal) => {
        concat!(" strh ", $register, ", [r1], #2\n")
    };
}
#[cfg(not(dsp))]
macro_rules! store_low {
    ($register:literal) => {
        concat!(" sub r12, ", $register, ", r2\n strh r12, [r1], #2\n")
    };
}
#[cfg(not(dsp))]
macro_rules! store_high {
    ($register:literal) => {
        concat!(" rsb r12, r2, ", $register, ", lsr #16\n strh r12, [r1], #2\n")
    };
}

/// Sixteen bytes.
#[cfg(dsp)]
macro_rules! add_four_quads {
    () => {
        concat!(
            " ldm r1!, {{r2, r3, r12, lr}}\n",
            add_quad!("r4", "r5", "r2"),
            add_quad!("r6", "r7", "r3"),
            add_quad!("r8", "r9", "r12"),
            add_quad!("r10", "r11", "lr")
        )
    };
}
#[cfg(not(dsp))]
macro_rules! add_four_quads {
    () => {
        concat!(
            " ldm r1!, {{r2, r3}}\n",
            add_quad!("r4", "r5", "r2"),
            add_quad!("r6", "r7", "r3"),
            " ldm r1!, {{r2, r3}}\n",
            add_quad!("r8", "r9", "r2"),
            add_quad!("r10", "r11", "r3")
        )
    };
}

/// An even number of sums; `bias` is 128 a spike.
#[unsafe(naked)]
unsafe extern "C" fn add_bytes(job: &Job, spikes: *const u16, count: usize, bias: u32) -> bool {
    naked_asm!(
        machine!(),
        looked_up!(""),
        "mov lr, #0x00ff00ff",
        tile_begins!("16", "20", "30"),
        "mov r4, #0",
        "mov r5, #0",
        "mov r6, #0",
        "mov r7, #0",
        "mov r8, #0",
        "mov r9, #0",
        "mov r10, #0",
        "mov r11, #0",
        each_spike_once!("21", "22", add_four_quads!()),
        "ldr r1, [sp, #4]",
        "ldr r2, [sp, #12]",
        concat!(store_quad!("r4", "r5"), store_quad!("r6", "r7")),
        concat!(store_quad!("r8", "r9"), store_quad!("r10", "r11")),
        "str r1, [sp, #4]",
        "b 20b",
        // Ten outputs.
        tile_begins!("10", "30", "40"),
        "mov r4, #0",
        "mov r5, #0",
        "mov r6, #0",
        "mov r7, #0",
        "mov r8, #0",
        "mov r9, #0",
        each_spike_once!(
            "31",
            "32",
            concat!(
                " ldr r2, [r1], #4\n ldr r3, [r1], #4\n ldrh r10, [r1], #2\n",
                add_quad!("r4", "r5", "r2"),
                add_quad!("r6", "r7", "r3"),
                add_quad!("r8", "r9", "r10")
            )
        ),
        "ldr r1, [sp, #4]",
        "ldr r2, [sp, #12]",
        concat!(store_quad!("r4", "r5"), store_quad!("r6", "r7"), store_low!("r8"), store_low!("r9")),
        "str r1, [sp, #4]",
        tile_begins!("4", "40", "50"),
        "mov r4, #0",
        "mov r5, #0",
        each_spike!("41", "42", concat!(" ldr r2, [r1], #4\n", add_quad!("r4", "r5", "r2"))),
        "ldr r1, [sp, #4]",
        "ldr r2, [sp, #12]",
        store_quad!("r4", "r5"),
        "str r1, [sp, #4]",
        "b 40b",
        tile_begins!("2", "50", "60"),
        "mov r4, #0",
        "mov r5, #0",
        each_spike!("51", "52", concat!(" ldrh r2, [r1], #2\n", add_quad!("r4", "r5", "r2"))),
        "ldr r1, [sp, #4]",
        "ldr r2, [sp, #12]",
        concat!(store_low!("r4"), store_low!("r5")),
        "60:",
        left!(),
        most = const MOST,
    )
}
