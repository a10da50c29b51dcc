//! An event as it is written down: which call, when, and by whom.

use crate::{Event, Level};
use serde::{Deserialize, Serialize};

/// One line of a call's journal: an item in DynamoDB and a flat JSON line in the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Hex SHA-256 of Meta's call id.
    pub call_ref: String,
    /// When it happened, ms since 1970, by the writer's clock.
    pub at_ms: u64,
    /// Milliseconds since the call began to ring.
    pub since_ring_ms: u64,
    /// The version of the call's state that the writer knew.
    pub version: u64,
    /// The process that wrote it.
    pub writer: String,
    /// Orders what one writer wrote at one version.
    pub sequence: u64,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

impl Entry {
    /// One flat JSON line for the log.
    pub fn to_line(&self) -> String {
        #[derive(Serialize)]
        struct Line<'a> {
            level: Level,
            #[serde(flatten)]
            entry: &'a Entry,
        }
        let line = Line { level: self.event.level(), entry: self };
        serde_json::to_string(&line).expect("an entry has text keys and no fallible fields")
    }
}

/// Writes the entries of one call by one writer.
#[derive(Debug, Clone)]
pub struct Journal {
    call_ref: String,
    writer: String,
    rang_at_ms: u64,
    version: u64,
    sequence: u64,
}

impl Journal {
    /// A journal of a call that began to ring at `rang_at_ms`.
    pub fn new(call_ref: &str, writer: &str, rang_at_ms: u64, version: u64) -> Self {
        Self { call_ref: call_ref.to_owned(), writer: writer.to_owned(), rang_at_ms, version, sequence: 0 }
    }

    /// From now on entries sort after this version of the call's state.
    pub fn advance_to(&mut self, version: u64) {
        if version > self.version {
            self.version = version;
            self.sequence = 0;
        }
    }

    /// The next entry.
    pub fn enter(&mut self, event: Event, now_ms: u64) -> Entry {
        let sequence = self.sequence;
        self.sequence += 1;
        Entry {
            call_ref: self.call_ref.clone(),
            at_ms: now_ms,
            since_ring_ms: now_ms.saturating_sub(self.rang_at_ms),
            version: self.version,
            writer: self.writer.clone(),
            sequence,
            event,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_flat_json_with_the_events_name() {
        let mut journal = Journal::new("ab12", "call-control", 1_000, 3);

        let line = journal.enter(Event::Answered { took_ms: 7 }, 1_250).to_line();

        assert_eq!(
            line,
            r#"{"level":"INFO","call_ref":"ab12","at_ms":1250,"since_ring_ms":250,"version":3,"writer":"call-control","sequence":0,"event":"WA_CALL_ANSWERED","took_ms":7}"#
        );
    }

    #[test]
    fn entries_of_one_version_are_counted_and_a_new_version_starts_again() {
        let mut journal = Journal::new("ab12", "task", 0, 1);

        let first = journal.enter(Event::Opened {}, 0);
        let second = journal.enter(Event::Opened {}, 0);
        journal.advance_to(2);
        let third = journal.enter(Event::Opened {}, 0);

        assert_eq!([first.sequence, second.sequence, third.sequence], [0, 1, 0]);
    }
}
