//! Bars on stderr, with rate and time left.

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

const TEMPLATE: &str = "{prefix:<22} {bar:30} {human_pos:>9} of {human_len:<9} {per_sec:>12}  {eta} left";

/// The bars of a run; none if it is quiet or stderr is no terminal.
#[derive(Debug)]
pub struct Progress {
    bars: MultiProgress,
}

impl Progress {
    /// Bars, unless `quiet`.
    #[must_use]
    pub fn new(quiet: bool) -> Self {
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(8) };
        Self { bars: MultiProgress::with_draw_target(target) }
    }

    /// A bar of so many examples.
    ///
    /// # Panics
    /// Never: the template is a constant.
    #[must_use]
    pub fn bar(&self, name: &str, examples: usize) -> ProgressBar {
        let style = ProgressStyle::with_template(TEMPLATE).expect("the template is well-formed");
        let bar = self.bars.add(ProgressBar::new(examples as u64));
        bar.set_style(style.progress_chars("━╸ "));
        bar.set_prefix(name.to_owned());
        bar
    }

    /// Prints something else while the bars are out of the way.
    pub fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bars.suspend(print)
    }

    /// Takes all bars off the screen.
    pub fn clear(&self) {
        // A terminal that cannot be cleared is no reason to stop.
        self.bars.clear().unwrap_or_default();
    }
}
