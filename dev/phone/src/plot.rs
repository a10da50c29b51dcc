//! What goes wrong with one call, and what of it has gone wrong already.

use crate::Mischief;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The mischief one call suffers.
#[derive(Debug, Default)]
pub(crate) struct Plot {
    mischief: Vec<Mischief>,
    done: Mutex<HashMap<Mischief, usize>>,
}

impl Plot {
    /// All of this is to go wrong.
    pub(crate) fn of(mischief: impl IntoIterator<Item = Mischief>) -> Plot {
        Plot { mischief: mischief.into_iter().collect(), done: Mutex::default() }
    }

    /// All that goes wrong.
    pub(crate) fn mischief(&self) -> &[Mischief] {
        &self.mischief
    }

    /// Whether this goes wrong.
    pub(crate) fn does(&self, mischief: Mischief) -> bool {
        self.mischief.contains(&mischief)
    }

    /// Whether this goes wrong now; it does not again.
    pub(crate) fn does_once(&self, mischief: Mischief) -> bool {
        self.does_times(mischief, 1)
    }

    /// Whether this goes wrong now; it does so many times.
    pub(crate) fn does_times(&self, mischief: Mischief, times: usize) -> bool {
        if !self.does(mischief) {
            return false;
        }
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let done = done.entry(mischief).or_default();
        *done += 1;
        *done <= times
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_twice_does_not_happen_a_third_time() {
        let plot = Plot::of([Mischief::Graph500Twice, Mischief::CutAccept]);

        let times: Vec<_> = (0..3).map(|_| plot.does_times(Mischief::Graph500Twice, 2)).collect();

        assert_eq!(times, [true, true, false]);
        assert!(plot.does_once(Mischief::CutAccept), "each is counted for itself");
        assert!(!plot.does_once(Mischief::CutTerminate), "only what was plotted happens");
    }
}
