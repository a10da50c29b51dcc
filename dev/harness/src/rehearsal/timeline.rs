//! The timeline of a call: who did what, to whom, and how many milliseconds after the ring.

use super::{Evidence, step_text};
use journal::JournalEntry;
use serde::Serialize;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// Milliseconds since the ring.
    pub at_ms: i64,
    /// Who did it, and to whom.
    pub who: &'static str,
    /// What.
    pub what: String,
}

/// Steps as they are gathered, from clocks of different kinds.
pub(super) struct Timeline {
    rang_at: Instant,
    rang_at_ms: u64,
    steps: Vec<(i64, Step)>,
}

impl Timeline {
    pub(super) fn from(rang_at: Instant) -> Self {
        let since_1970 =
            SystemTime::now().duration_since(UNIX_EPOCH).expect("no host's clock is before 1970");
        let rang_at_ms = (since_1970 - rang_at.elapsed()).as_millis() as u64;
        Self { rang_at, rang_at_ms, steps: vec![] }
    }

    /// Adds an observation of Meta or the caller's phone.
    pub(super) fn add_phone(&mut self, observation: &sim_meta::Observation) {
        if let Some((who, what)) = step_text::phone(&observation.kind) {
            self.add(self.since_ring(observation.at), who, what);
        }
    }

    /// Adds the observations of the model, and what the product wrote into the call's journal.
    pub(super) fn add_product<R>(&mut self, evidence: &Evidence<R>) {
        let observations = evidence.sessions.iter().flat_map(|session| &session.observations);
        observations.for_each(|observation| self.add_model(observation));
        evidence.journal.iter().for_each(|entry| self.add_entry(entry));
    }

    /// Adds a step at a moment of this machine.
    pub(super) fn add_at(&mut self, at: Instant, who: &'static str, what: String) {
        self.add(self.since_ring(at), who, what);
    }

    fn add_model(&mut self, observation: &sim_openai::Observation) {
        if let Some((who, what)) = step_text::model(&observation.kind) {
            self.add(self.since_ring(observation.at), who, what);
        }
    }

    fn add_entry(&mut self, entry: &JournalEntry) {
        if let Some((who, what)) = step_text::entry(&entry.event) {
            let at_ms = entry.at_ms as i64 - self.rang_at_ms as i64;
            self.add(at_ms * 1_000, who, what);
        }
    }

    /// The steps, in the order they happened.
    pub(super) fn steps(mut self) -> Vec<Step> {
        self.steps.sort_by_key(|(at_us, _)| *at_us);
        self.steps.into_iter().map(|(_, step)| step).collect()
    }

    fn add(&mut self, at_us: i64, who: &'static str, what: String) {
        self.steps.push((at_us, Step { at_ms: at_us / 1_000, who, what }));
    }

    fn since_ring(&self, at: Instant) -> i64 {
        let after: Duration = at.saturating_duration_since(self.rang_at);
        after.as_micros() as i64
    }
}
