//! Memory that is static and handed out once.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};

/// A value that lives as long as the program and belongs to whoever takes it first.
pub struct Once<T> {
    value: UnsafeCell<T>,
    taken: AtomicBool,
}

// SAFETY: the value is reached through `take` alone, and there only once; boards have one core, and no interrupt
// handler takes anything.
unsafe impl<T> Sync for Once<T> {}

impl<T> Once<T> {
    /// To be taken.
    pub const fn new(value: T) -> Self {
        Self { value: UnsafeCell::new(value), taken: AtomicBool::new(false) }
    }

    /// The value, the first time.
    #[allow(clippy::mut_from_ref)] // handed out once
    pub fn take(&'static self) -> Option<&'static mut T> {
        if self.taken.load(Ordering::Relaxed) {
            return None;
        }
        self.taken.store(true, Ordering::Relaxed);
        // SAFETY: nobody else has come this far.
        Some(unsafe { &mut *self.value.get() })
    }
}
