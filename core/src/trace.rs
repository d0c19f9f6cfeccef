//! A spike train in memory of fixed size, for golden traces and for devices.

use crate::arithmetic::Arithmetic;
use crate::network::Network;
use crate::observer::{Moment, Observer, Phase};
use heapless::Vec;

/// One spike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Spike {
    /// Part of the example.
    pub phase: Phase,
    /// Step of the phase.
    pub step: u16,
    /// Unit that fired.
    pub unit: u16,
}

/// Records the spikes of one layer until its memory is full.
///
/// ```
/// use apical_core::trace::SpikeTrace;
/// let trace = SpikeTrace::<64>::of_layer(0);
/// assert!(trace.spikes().is_empty() && trace.missed() == 0);
/// ```
#[derive(Debug, Clone, Default)]
pub struct SpikeTrace<const CAPACITY: usize> {
    layer: usize,
    spikes: Vec<Spike, CAPACITY>,
    missed: u32,
}

impl<const CAPACITY: usize> SpikeTrace<CAPACITY> {
    /// A trace of a layer; the output layer comes after the hidden ones.
    #[must_use]
    pub const fn of_layer(layer: usize) -> Self {
        Self { layer, spikes: Vec::new(), missed: 0 }
    }

    /// What was recorded.
    #[must_use]
    pub fn spikes(&self) -> &[Spike] {
        &self.spikes
    }

    /// Spikes that came after the memory was full.
    #[must_use]
    pub const fn missed(&self) -> u32 {
        self.missed
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.spikes.clear();
        self.missed = 0;
    }
}

impl<A: Arithmetic, const CAPACITY: usize> Observer<A> for SpikeTrace<CAPACITY> {
    fn at(&mut self, moment: Moment, network: &mut Network<'_, A>) {
        let Moment::Step { phase, step } = moment else { return };
        let spikes = network.hidden.get(self.layer).map_or(&network.output.spikes, |layer| &layer.spikes);
        for &unit in spikes.as_slice() {
            let spike = Spike { phase, step: step as u16, unit };
            if self.spikes.push(spike).is_err() {
                self.missed = self.missed.saturating_add(1);
            }
        }
    }
}
