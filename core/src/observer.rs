//! Whoever looks brings an observer; the default one does nothing and costs nothing.

use crate::arithmetic::Arithmetic;
use crate::network::Network;

/// Part of an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Phase {
    /// The image is shown.
    Forward,
    /// The image is shown and the teaching current clamps the outputs.
    Target,
    /// The image is shown to be classified.
    Test,
}

/// When an observer is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Moment {
    /// A step is over.
    Step {
        /// The phase it belongs to.
        phase: Phase,
        /// Its number in the phase.
        step: u32,
    },
    /// α^f and σ′ are known.
    ForwardEnd,
    /// α^t and the errors are known; `sums` of a layer holds α^t, nothing is changed yet.
    TargetEnd,
    /// The weights are changed.
    Learnt,
}

/// Looks at a network while it runs, and may change its state (a teacher-forced twin does).
pub trait Observer<A: Arithmetic> {
    /// Whether it wants to see every step. Where nobody does, a network that was lent a
    /// [`Workspace`](crate::schedule::Workspace) goes layer by layer.
    const WATCHES_STEPS: bool = true;

    /// Called at each [`Moment`].
    #[inline(always)]
    fn at(&mut self, moment: Moment, network: &mut Network<'_, A>) {
        let _ = (moment, network);
    }
}

/// Nobody looks.
impl<A: Arithmetic> Observer<A> for () {
    const WATCHES_STEPS: bool = false;
}
