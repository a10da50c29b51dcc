//! The faults injected into one call, and how often each has occurred.

use crate::InjectedFault;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

#[derive(Debug, Default)]
pub(crate) struct CallFaults {
    injected: Vec<InjectedFault>,
    done: Mutex<HashMap<InjectedFault, usize>>,
}

impl CallFaults {
    pub(crate) fn of(faults: impl IntoIterator<Item = InjectedFault>) -> CallFaults {
        CallFaults { injected: faults.into_iter().collect(), done: Mutex::default() }
    }

    pub(crate) fn injected(&self) -> &[InjectedFault] {
        &self.injected
    }

    pub(crate) fn has(&self, fault: InjectedFault) -> bool {
        self.injected.contains(&fault)
    }

    /// Whether this fault occurs now; it does once.
    pub(crate) fn fires_once(&self, fault: InjectedFault) -> bool {
        self.fires_times(fault, 1)
    }

    /// Whether this fault occurs now; it does the first `times` times.
    pub(crate) fn fires_times(&self, fault: InjectedFault, times: usize) -> bool {
        if !self.has(fault) {
            return false;
        }
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let done = done.entry(fault).or_default();
        *done += 1;
        *done <= times
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_twice_does_not_happen_a_third_time() {
        let faults = CallFaults::of([InjectedFault::Graph500Twice, InjectedFault::CutAccept]);

        let times: Vec<_> = (0..3).map(|_| faults.fires_times(InjectedFault::Graph500Twice, 2)).collect();

        assert_eq!(times, [true, true, false]);
        assert!(faults.fires_once(InjectedFault::CutAccept), "each is counted for itself");
        assert!(!faults.fires_once(InjectedFault::CutTerminate), "only what was plotted happens");
    }
}
