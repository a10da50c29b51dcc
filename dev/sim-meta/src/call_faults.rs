//! What goes wrong with one call, and what of it has gone wrong already.

use crate::InjectedFault;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The faults injected into one call.
#[derive(Debug, Default)]
pub(crate) struct CallFaults {
    mischief: Vec<InjectedFault>,
    done: Mutex<HashMap<InjectedFault, usize>>,
}

impl CallFaults {
    /// All of this is to go wrong.
    pub(crate) fn of(mischief: impl IntoIterator<Item = InjectedFault>) -> CallFaults {
        CallFaults { mischief: mischief.into_iter().collect(), done: Mutex::default() }
    }

    /// All that goes wrong.
    pub(crate) fn mischief(&self) -> &[InjectedFault] {
        &self.mischief
    }

    /// Whether this goes wrong.
    pub(crate) fn does(&self, mischief: InjectedFault) -> bool {
        self.mischief.contains(&mischief)
    }

    /// Whether this goes wrong now; it does not again.
    pub(crate) fn does_once(&self, mischief: InjectedFault) -> bool {
        self.does_times(mischief, 1)
    }

    /// Whether this goes wrong now; it does so many times.
    pub(crate) fn does_times(&self, mischief: InjectedFault, times: usize) -> bool {
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
        let plot = CallFaults::of([InjectedFault::Graph500Twice, InjectedFault::CutAccept]);

        let times: Vec<_> = (0..3).map(|_| plot.does_times(InjectedFault::Graph500Twice, 2)).collect();

        assert_eq!(times, [true, true, false]);
        assert!(plot.does_once(InjectedFault::CutAccept), "each is counted for itself");
        assert!(!plot.does_once(InjectedFault::CutTerminate), "only what was plotted happens");
    }
}
