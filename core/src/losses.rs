//! What the integers threw away: saturations, lost updates, and the bias of rounding.

use crate::formats::Variable;
use crate::rounding::Overflow;

/// Where in a run something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Place {
    /// Training or test examples before this one.
    pub example: u32,
    /// Step within the example, both phases counted through.
    pub step: u32,
    /// Unit.
    pub index: u32,
    /// Of a weight, the presynaptic unit; else 0.
    pub input: u32,
}

/// Lost updates and their bias are looked for in the first of so many training examples:
/// their share comes out the same, at a fraction of the time. Overflows are all counted.
pub const UPDATES_EVERY: u32 = 16;

/// Losses of one variable in one layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Tally {
    /// Changes that should have been: an error met a mean PSP, neither of them zero, in one
    /// example of [`UPDATES_EVERY`]. 0 for variables that are not changed by learning.
    pub values: u64,
    /// Values that met the end of their range and were held there.
    pub saturated: u64,
    /// Values that wrapped round.
    pub wrapped: u64,
    /// Values not taken over because they overflowed.
    pub dropped: u64,
    /// Those of them that rounded to nothing.
    pub lost: u64,
    /// Their sum of (rounded change − change), in steps of the result times 2¹⁶.
    pub bias: i64,
    /// Where the first overflow happened.
    pub first: Option<Place>,
}

impl Tally {
    /// Adds what another tally of the same variable counted later.
    pub fn merge(&mut self, later: &Self) {
        self.values = self.values.saturating_add(later.values);
        self.saturated = self.saturated.saturating_add(later.saturated);
        self.wrapped = self.wrapped.saturating_add(later.wrapped);
        self.dropped = self.dropped.saturating_add(later.dropped);
        self.lost = self.lost.saturating_add(later.lost);
        self.bias = self.bias.saturating_add(later.bias);
        self.first = self.first.or(later.first);
    }

    /// The first place is the earliest, in whatever order places are found.
    fn note_place(&mut self, place: Place) {
        self.first = Some(self.first.map_or(place, |first| first.min(place)));
    }

    /// Overflows of any kind.
    #[must_use]
    pub const fn overflows(&self) -> u64 {
        self.saturated.saturating_add(self.wrapped).saturating_add(self.dropped)
    }
}

/// Tallies of one layer, by [`Variable`].
pub type LayerTallies = [Tally; Variable::COUNT];
/// Nothing lost yet.
pub const NO_LOSSES: LayerTallies =
    [Tally { values: 0, saturated: 0, wrapped: 0, dropped: 0, lost: 0, bias: 0, first: None };
        Variable::COUNT];

/// Losses of a network, in memory lent by whoever wants to know: one [`LayerTallies`] a
/// layer, or none at all.
#[derive(Debug)]
pub struct Losses<'a> {
    tallies: &'a mut [LayerTallies],
    layer: usize,
    place: Place,
    run: u32,
}

impl<'a> Losses<'a> {
    /// Counts into this memory.
    #[must_use]
    pub fn new(tallies: &'a mut [LayerTallies]) -> Self {
        Self { tallies, layer: 0, place: Place::default(), run: 0 }
    }

    /// Counts nothing.
    #[must_use]
    pub fn none() -> Self {
        Self::new(&mut [])
    }

    #[inline(always)]
    pub(crate) fn enter_layer(&mut self, layer: usize) {
        self.layer = layer;
    }

    #[inline(always)]
    pub(crate) fn enter_step(&mut self, example: u32, step: u32) {
        self.place.example = example;
        self.place.step = step;
    }

    /// The run that follows begins at this step of the example.
    #[inline(always)]
    pub(crate) fn enter_run(&mut self, example: u32, step: u32) {
        self.place.example = example;
        self.run = step;
    }

    #[inline(always)]
    pub(crate) fn enter_run_step(&mut self, step: usize) {
        self.place.step = self.run.wrapping_add(step as u32);
    }

    /// The column of this presynaptic unit is changed.
    #[inline(always)]
    pub(crate) fn enter_column(&mut self, input: u32) {
        self.place.input = input;
    }

    /// Whether lost updates are looked for in this example.
    #[inline(always)]
    pub(crate) fn looks_at_updates(&self) -> bool {
        self.place.example.is_multiple_of(UPDATES_EVERY)
    }

    /// Counts changes that should have been, those of them that were lost, and their bias,
    /// where they are looked for.
    pub(crate) fn updated(&mut self, variable: Variable, values: u64, lost: u64, bias: i64) {
        if !self.looks_at_updates() {
            return;
        }
        self.note(variable, |tally| {
            tally.values = tally.values.wrapping_add(values);
            tally.lost = tally.lost.wrapping_add(lost);
            tally.bias = tally.bias.wrapping_add(bias);
        });
    }

    /// Changes the tally of a variable of the layer at work.
    #[inline]
    pub fn note(&mut self, variable: Variable, change: impl FnOnce(&mut Tally)) {
        let tallies = self.tallies.get_mut(self.layer);
        if let Some(tally) = tallies.and_then(|layer| layer.get_mut(variable as usize)) {
            change(tally);
        }
    }

    /// Counts values held at the end of their range; `index` is that of the first.
    #[inline(never)]
    pub fn saturated(&mut self, variable: Variable, count: u32, index: usize) {
        self.overflowed(variable, Overflow::Saturate, count, index);
    }

    /// Counts values beyond their range; `index` is that of the first.
    pub fn overflowed(&mut self, variable: Variable, how: Overflow, count: u32, index: usize) {
        let place = Place { index: index as u32, ..self.place };
        self.note(variable, |tally| {
            let all = match how {
                Overflow::Saturate => &mut tally.saturated,
                Overflow::Wrap => &mut tally.wrapped,
                Overflow::Drop => &mut tally.dropped,
            };
            *all = all.saturating_add(u64::from(count));
            tally.note_place(place);
        });
    }

    /// Where the network is in its run.
    #[must_use]
    pub fn place(&self) -> Place {
        self.place
    }
}
