//! A call, with everyone who has a part in it: carrier, REST, sockets, driver. Locked for one step at a time, never while waiting.

use super::call::Call;
use crate::session_registry::SessionRegistry;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::watch;

#[derive(Debug)]
pub(crate) struct SharedCall {
    call: Mutex<Call>,
    registry: Arc<SessionRegistry>,
    changed: watch::Sender<()>,
}

impl SharedCall {
    pub(crate) fn new(call: Call, registry: Arc<SessionRegistry>) -> Self {
        Self { call: Mutex::new(call), registry, changed: watch::Sender::new(()) }
    }

    /// Does something to the call, and returns the result.
    pub(crate) fn step<T>(&self, step: impl FnOnce(&mut Call) -> T) -> T {
        let mut observations = vec![];
        let result = {
            let mut call = self.lock();
            let result = step(&mut call);
            observations.extend(std::iter::from_fn(|| call.poll_observation()));
            result
        };
        for observation in observations {
            self.registry.publish(observation);
        }
        self.changed.send_replace(());
        result
    }

    /// Looks at the call.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Call) -> T) -> T {
        look(&self.lock())
    }

    /// Changes whenever the call may have.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Call> {
        self.call.lock().expect("a call that panicked is a bug of the simulator")
    }
}
