//! The protocol layer by layer: pixels through all steps, then each layer through all steps.
//!
//! Nothing that a layer does acts on the layer below (feedback reaches the apical dendrite,
//! whose mean alone matters), so this order has the bits of the order step by step
//! ([`crate::network`]) and keeps each layer's weights and state close at hand. It needs
//! memory for the spikes of a whole example, which a host has and a small device has not.

use crate::arithmetic::{Arithmetic, Run, Scratch, Wanted};
use crate::network::Network;
use crate::observer::Phase;
use crate::parameters::PHASE_STEPS;
use crate::readout::Readout;
use crate::tables::wald::LONGEST_EXTRA;
use crate::trains::Trains;
use core::ops::Range;

/// Steps that memory is kept for: the longest training example. Longer tests are worked off
/// in parts.
pub const MOST_STEPS: usize = 2 * LONGEST_PHASE;
/// Steps of the longest phase.
const LONGEST_PHASE: usize = (PHASE_STEPS + LONGEST_EXTRA) as usize;

/// Memory for the spikes of a whole example.
#[derive(Debug)]
pub struct Workspace<'a> {
    /// Spikes of the pixels, then of each layer.
    pub trains: &'a mut [Trains<'a>],
    /// What a layer needs while it runs.
    pub scratch: Scratch<'a>,
}

impl<A: Arithmetic> Network<'_, A> {
    /// Whether there is a workspace for so many steps.
    pub(crate) fn has_room_for(&self, steps: u32) -> bool {
        self.workspace.as_ref().is_some_and(|workspace| {
            let capacity = workspace.trains.iter().map(Trains::capacity).min().unwrap_or(0);
            workspace.trains.len() > self.hidden.len().wrapping_add(1)
                && steps as usize <= capacity.min(MOST_STEPS)
        })
    }

    /// Pixels and hidden layers through both phases, outputs through the forward phase.
    #[inline(always)]
    pub(crate) fn run_example(&mut self, [forward, target]: [u32; 2]) {
        let start = Self::window_start(Phase::Forward, forward);
        let steps = forward.wrapping_add(target) as usize;
        let window = start as usize..forward as usize;
        let shares = self.shares(forward, start);
        self.run_hidden(0, steps, shares.get(..forward as usize).unwrap_or(&[]), window.clone(), true);
        // The outputs' are seen a step later.
        self.run_output(0, forward, None, shares.get(1..=forward as usize).unwrap_or(&[]), window);
    }

    /// Outputs through the target phase.
    #[inline(always)]
    pub(crate) fn run_target(&mut self, [forward, target]: [u32; 2], label: usize) {
        let start = Self::window_start(Phase::Target, target);
        let shares = self.shares(target, start);
        let shares = shares.get(1..=target as usize).unwrap_or(&[]);
        self.run_output(forward, target, Some(label), shares, start as usize..target as usize);
    }

    /// All layers through a test, or all below the outputs where these are read out; in parts where it is longer than the
    /// workspace.
    pub(crate) fn run_test(&mut self, steps: u32, readout: Option<Readout>) {
        let mut done = 0;
        while done < steps {
            let part = (MOST_STEPS as u32).min(steps.wrapping_sub(done));
            if let Some(readout) = readout {
                let mut worth = [0; MOST_STEPS];
                readout.shares(self.areas, done, &mut worth);
                self.run_hidden(done, part as usize, worth.get(..part as usize).unwrap_or(&[]), 0..0, false);
            } else {
                let start = Self::window_start(Phase::Test, steps);
                let window = start.saturating_sub(done).min(part) as usize..part as usize;
                self.run_hidden(done, part as usize, &[], 0..0, true);
                self.run_output(0, part, None, &[], window);
            }
            done = done.wrapping_add(part);
        }
    }

    /// What a spike of each step adds to the sum of its potential over the window.
    fn shares(&self, steps: u32, start: u32) -> [u16; LONGEST_PHASE + 1] {
        let mut shares = [0; LONGEST_PHASE + 1];
        self.areas.psp.within_each(start, steps, 0, &mut shares);
        shares
    }

    /// Pixels and hidden layers, from step `from` of the example on. Spikes that the outputs do not hear (in a test that is
    /// read out) are credited below them alone.
    #[inline(always)]
    fn run_hidden(&mut self, from: u32, steps: usize, shares: &[u16], window: Range<usize>, heard: bool) {
        let Some(workspace) = &mut self.workspace else { return };
        let scratch = &mut workspace.scratch;
        let Some((pixels, mut rest)) = workspace.trains.split_first_mut() else { return };
        pixels.clear();
        let nobody = Trains::none();
        let count = self.hidden.len();
        let shares_of = |level: usize| if heard || level == count { shares } else { &[] };
        let run = Run {
            presynaptic: &nobody,
            first: 0,
            steps,
            label: None,
            shares: shares_of(0),
            window: 0..0,
            wanted: if heard || count > 0 { Wanted::Lists } else { Wanted::Nothing },
        };
        self.input.run(self.arithmetic, &run, pixels, scratch);
        let mut below = &*pixels;
        let outputs = self.arithmetic.output();
        let columns = self.output.columns();
        let reads_masks =
            rest.last().is_some_and(|trains| outputs.reads_masks(columns, steps, trains, scratch));
        for (number, layer) in self.hidden.iter_mut().enumerate() {
            let Some((trains, above)) = rest.split_first_mut() else { return };
            trains.clear();
            self.losses.enter_layer(number);
            self.losses.enter_run(self.control.examples, from);
            let window = window.clone();
            let level = number.wrapping_add(1);
            let run = Run {
                presynaptic: below,
                first: 0,
                steps,
                label: None,
                shares: shares_of(level),
                window,
                wanted: match heard {
                    _ if level < count => Wanted::Lists,
                    false => Wanted::Nothing,
                    true if reads_masks => Wanted::Masks,
                    true => Wanted::Lists,
                },
            };
            layer.run(self.arithmetic, &run, trains, scratch, &mut self.losses);
            (below, rest) = (trains, above);
        }
        if below.in_masks() {
            outputs.sum_masks(self.output.columns(), below, steps, scratch);
        }
    }

    /// Outputs, from step `first` of what the layer below has recorded.
    #[inline(always)]
    fn run_output(
        &mut self,
        first: u32,
        steps: u32,
        label: Option<usize>,
        shares: &[u16],
        window: Range<usize>,
    ) {
        let Some(workspace) = &mut self.workspace else { return };
        let number = self.hidden.len();
        let Some((trains, below)) =
            workspace.trains.get_mut(..number.wrapping_add(2)).and_then(<[_]>::split_last_mut)
        else {
            return;
        };
        let Some(presynaptic) = below.last() else { return };
        trains.clear();
        self.losses.enter_layer(number);
        self.losses.enter_run(self.control.examples, first);
        let (first, steps) = (first as usize, steps as usize);
        // What nobody is credited with, in a test, ends here.
        let wanted = if shares.is_empty() { Wanted::Nothing } else { Wanted::Masks };
        let run = Run { presynaptic, first, steps, label, shares, window, wanted };
        let arithmetic = self.arithmetic.output();
        self.output.run(&arithmetic, &run, trains, &mut workspace.scratch, &mut self.losses);
    }
}
