//! Sends each observation to all subscribers, and to the log.

use crate::{Observation, ObservationKind, ProtocolViolation};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::mpsc;

#[derive(Debug, Default)]
pub(crate) struct Journal {
    watchers: Mutex<Vec<mpsc::UnboundedSender<Observation>>>,
    calls: Mutex<Vec<String>>,
}

impl Journal {
    pub(crate) fn watch(&self) -> mpsc::UnboundedReceiver<Observation> {
        let (watcher, observations) = mpsc::unbounded_channel();
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner).push(watcher);
        observations
    }

    pub(crate) fn publish(&self, call: &str, at: Instant, kind: ObservationKind) {
        self.log(call, &kind);
        let observation = Observation { at, call: call.to_owned(), kind };
        let mut watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        watchers.retain(|watcher| watcher.send(observation.clone()).is_ok());
    }

    /// A call's id holds phone numbers, so the log counts calls instead.
    fn log(&self, call: &str, kind: &ObservationKind) {
        let n = self.number_of(call);
        match kind {
            ObservationKind::Violation(fault) => log_fault(n, *fault),
            _ => tracing::info!(call = n, "{kind}"),
        }
    }

    /// From 1; 0 for what belongs to no call.
    fn number_of(&self, call: &str) -> usize {
        if call.is_empty() {
            return 0;
        }
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let known = calls.iter().position(|known| known == call);
        known.unwrap_or_else(|| {
            calls.push(call.to_owned());
            calls.len() - 1
        }) + 1
    }
}

fn log_fault(call: usize, fault: ProtocolViolation) {
    tracing::warn!(call, "Fault: {fault}");
}
