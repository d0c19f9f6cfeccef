//! Counts instructions with SysTick, whose ticks the emulator spaces evenly in virtual time.
//!
//! Under `-icount shift=0` an instruction takes one virtual nanosecond, so a tick is 10⁹ / f instructions.

use core::sync::atomic::{AtomicU32, Ordering};
use cortex_m::{
    Peripherals,
    peripheral::{SYST, syst::SystClkSource},
};
use cortex_m_rt::exception;

const FREQUENCY: u64 = match u64::from_str_radix(env!("SYSTICK_HZ"), 10) {
    Ok(frequency) => frequency,
    Err(_) => panic!("SYSTICK_HZ is a number"),
};
const PERIOD: u32 = 1 << 24;

static WRAPS: AtomicU32 = AtomicU32::new(0);

/// A running counter.
pub struct Counter(());

impl Counter {
    /// The worst error of a difference between two readings.
    pub const RESOLUTION: u64 = 1_000_000_000u64.div_ceil(FREQUENCY);

    /// Starts counting.
    ///
    /// # Panics
    ///
    /// When called twice: there is one SysTick.
    pub fn start() -> Self {
        let mut systick = Peripherals::take().expect("the counter starts once").SYST;
        systick.set_clock_source(SystClkSource::Core);
        systick.set_reload(PERIOD - 1);
        systick.clear_current();
        systick.enable_interrupt();
        systick.enable_counter();
        Self(())
    }

    /// Ticks of the counter since it started.
    pub fn ticks(&self) -> u64 {
        loop {
            let wraps = WRAPS.load(Ordering::Relaxed);
            let left = SYST::get_current();
            if wraps == WRAPS.load(Ordering::Relaxed) {
                // Zero is the last tick of a period, and also what a fresh counter shows.
                let passed = (PERIOD - left) % PERIOD;
                return u64::from(wraps) * u64::from(PERIOD) + u64::from(passed);
            }
        }
    }

    /// Instructions in `ticks`.
    pub fn instructions(ticks: u64) -> u64 {
        ticks * 1_000_000_000 / FREQUENCY
    }
}

#[exception]
fn SysTick() {
    WRAPS.store(WRAPS.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}
