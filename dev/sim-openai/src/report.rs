//! The report of a session: what it heard, said and refused.

use crate::Observation;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Instant;

/// What happened in one session so far.
#[derive(Debug, Clone, Default)]
pub struct SessionReport {
    /// Whether the connection is over.
    pub closed: bool,
    /// All sound the client appended, 24 kHz. Empty unless everything is kept.
    pub heard: Vec<i16>,
    /// Every event, both ways, in the order of the wire. Empty unless everything is kept.
    pub events: Vec<Recorded>,
    /// The conversation before this session, as the client replayed it: what it created before anything was said here,
    /// and whatever only a replay can create.
    pub replayed: Vec<Replayed>,
    /// The tools of remote servers that were called, as `label.name`.
    pub mcp_calls: Vec<String>,
    /// What was said to the caller.
    pub spoken: Vec<Spoken>,
    /// What was seen, in order.
    pub observations: Vec<Observation>,
    /// Whatever the client did that the real service would refuse, or that is unwise. Empty is right.
    pub violations: Vec<String>,
}

/// An event on the wire.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Who sent it.
    pub from: Side,
    /// When it was handled.
    pub at: Instant,
    /// The event.
    pub event: Arc<Value>,
}

/// One end of the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The product.
    Client,
    /// The simulator.
    Server,
}

/// An item of an earlier session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// `user`, `assistant` or `system`; `function_call` or `function_call_output`.
    pub role: String,
    /// What was said; `name(arguments)` of a call; the output.
    pub text: String,
}

/// An item of the model's speech.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    /// The item.
    pub item_id: String,
    /// The name of the clip it says.
    pub clip: String,
    /// How much of it was sent.
    pub sent_ms: u64,
    /// How much of it was heard, as the client said last; `None` when it never did.
    pub truncated_at_ms: Option<u64>,
}

impl SessionReport {
    /// The events as `scripts/conformance.py` reads them: one `{"direction", "event"}` on each line.
    pub fn recording_jsonl(&self) -> String {
        let line = |recorded: &Recorded| {
            let direction = match recorded.from {
                Side::Client => "client",
                Side::Server => "server",
            };
            format!("{}\n", json!({"direction": direction, "event": recorded.event.as_ref()}))
        };
        self.events.iter().map(line).collect()
    }

    /// The events of one side that have this type.
    pub fn events_of<'a>(&'a self, from: Side, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        let events = self.events.iter().filter(move |recorded| recorded.from == from);
        events.map(|recorded| recorded.event.as_ref()).filter(move |event| event["type"] == kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_has_one_event_on_each_line() {
        let event =
            |from, kind: &str| Recorded { from, at: Instant::now(), event: Arc::new(json!({"type": kind})) };
        let events = vec![event(Side::Server, "session.created"), event(Side::Client, "session.update")];
        let report = SessionReport { events, ..SessionReport::default() };

        let recording = report.recording_jsonl();

        let lines: Vec<Value> =
            recording.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        assert_eq!(lines[0], json!({"direction": "server", "event": {"type": "session.created"}}));
        assert_eq!(lines[1], json!({"direction": "client", "event": {"type": "session.update"}}));
        assert_eq!(report.events_of(Side::Client, "session.update").count(), 1);
    }
}
