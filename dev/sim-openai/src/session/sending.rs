//! Sends events, errors and observations, and keeps them for the report.

use super::{Output, Session};
use crate::refusal::Refusal;
use crate::report::{Recorded, Side};
use crate::{Observation, ObservationKind, random, schema};
use serde_json::{Value, json};
use std::sync::Arc;

impl Session {
    /// Answers with an error. Whether the error names the event that caused it is left to chance, as in real life.
    pub(super) fn refuse(&mut self, refusal: &Refusal, cause: Option<&str>) {
        let named = cause.filter(|_| self.rng.bool());
        self.note_violation(refusal.to_string());
        self.observe(ObservationKind::Refused { why: refusal.to_string() });
        self.send(refusal.event(named));
    }

    pub(super) fn refuse_for_good(&mut self, refusal: &Refusal) {
        self.refuse(refusal, None);
        self.close(refusal.close_code(), &refusal.close_reason());
    }

    pub(super) fn close(&mut self, code: u16, reason: &str) {
        self.over = true;
        self.outputs.push_back(Output::Close { code, reason: reason.to_owned() });
    }

    pub(super) fn note_violation(&mut self, violation: impl Into<String>) {
        self.report.violations.push(violation.into());
    }

    pub(super) fn observe(&mut self, kind: ObservationKind) {
        let observation = Observation { at: self.now, session: self.session, kind };
        self.report.observations.push(observation.clone());
        self.outputs.push_back(Output::Observe(observation));
    }

    pub(super) fn new_id(&mut self, prefix: &str) -> String {
        random::id(&mut self.rng, prefix)
    }

    pub(super) fn send(&mut self, mut event: Value) {
        event["event_id"] = json!(self.new_id("event"));
        self.send_as_it_is(event);
    }

    pub(super) fn send_as_it_is(&mut self, mut event: Value) {
        if event["type"].as_str().is_some_and(|kind| kind.ends_with(".delta")) {
            event["obfuscation"] = json!(self.new_id("")[1..]);
        }
        if cfg!(debug_assertions) && self.config.checks_itself {
            schema::check_server(&event).expect("the simulator keeps what OpenAI promises");
        }
        let event = Arc::new(event);
        self.record(Side::Server, &event);
        self.outputs.push_back(Output::Send(event));
    }

    pub(super) fn send_all(&mut self, events: Vec<Value>) {
        events.into_iter().for_each(|event| self.send(event));
    }

    pub(super) fn record(&mut self, from: Side, event: &Arc<Value>) {
        if self.config.keeps_everything {
            self.report.events.push(Recorded { from, at: self.now, event: event.clone() });
        }
    }
}
