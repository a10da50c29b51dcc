//! Writes events as flat JSON lines for the log.

use crate::entry::JournalEntry;
use crate::event::{JournalEvent, Level};
use crate::rfc_3339::rfc_3339;
use serde::Serialize;

impl JournalEntry {
    /// Returns the entry as a flat JSON line for the log, with long numbers redacted.
    pub fn to_line(&self) -> String {
        let mut entry = self.clone();
        entry.event = self.event.redacted();
        line(self.event.level(), self.at_ms, &entry)
    }
}

/// Returns an event that belongs to no call as a flat JSON line for the log, the only place it is recorded.
pub fn line_of_no_call(event: &JournalEvent, writer: &str, now_ms: u64) -> String {
    #[derive(Serialize)]
    struct LineOfNoCall<'a> {
        at_ms: u64,
        writer: &'a str,
        #[serde(flatten)]
        event: &'a JournalEvent,
    }
    line(event.level(), now_ms, &LineOfNoCall { at_ms: now_ms, writer, event })
}

/// Lambda reads `timestamp` and `level` together: without a valid RFC 3339 time it takes a line for INFO, whatever its level is.
fn line(level: Level, at_ms: u64, entry: &impl Serialize) -> String {
    #[derive(Serialize)]
    struct Line<'a, T> {
        timestamp: String,
        level: Level,
        #[serde(flatten)]
        entry: &'a T,
    }
    let timestamp = rfc_3339(at_ms);
    serde_json::to_string(&Line { timestamp, level, entry })
        .expect("an entry has text keys and no fallible fields")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry_builder::of_answering_call;

    #[test]
    fn a_line_is_flat_json_with_the_events_name() {
        let mut journal = of_answering_call();

        let line =
            journal.enter(JournalEvent::Answered { took_ms: 7, start: "warm".into() }, 1_250).to_line();

        assert_eq!(
            line,
            r#"{"timestamp":"1970-01-01T00:00:01.250Z","level":"INFO","call_ref":"ab12","at_ms":1250,"since_ring_ms":250,"phase":"answering","number":"220","task":"0a","version":3,"writer":"call-control","sequence":0,"event":"WA_CALL_ANSWERED","start":"warm","took_ms":7}"#
        );
    }

    #[test]
    fn an_event_of_a_later_release_is_logged_by_its_name_alone() {
        let later = r#"{"call_ref":"ab12","at_ms":1250,"version":4,"writer":"a","sequence":1,"event":"WA_CALL_HELD","words":"planted"}"#;

        let entry: JournalEntry = serde_json::from_str(later).unwrap();

        assert!(entry.to_line().ends_with(r#""sequence":1,"event":"WA_CALL_HELD"}"#), "{}", entry.to_line());
    }

    #[test]
    fn phone_numbers_are_redacted_from_free_text() {
        let reason = "Recipient +91 99000 00001 not allowed".to_owned();
        let trouble =
            JournalEvent::MetaTrouble { action: "accept".into(), code: 131_030, reason, cure: String::new() };

        let entry = of_answering_call().enter(trouble, 1_250);

        assert!(entry.to_line().contains("Recipient … not allowed"), "{}", entry.to_line());
        assert!(
            serde_json::to_string(&entry).unwrap().contains("99000"),
            "the table has Meta's message in full"
        );
    }

    #[test]
    fn an_event_of_no_call_is_logged() {
        let refused = JournalEvent::WebhookRefused { why: "signature".into(), count: 1 };

        assert_eq!(
            line_of_no_call(&refused, "webhook", 7),
            r#"{"timestamp":"1970-01-01T00:00:00.007Z","level":"WARN","at_ms":7,"writer":"webhook","event":"WA_CALL_WEBHOOK_REFUSED","why":"signature","count":1}"#
        );
    }
}
