//! A journal entry: an event with its call, time, writer and order. Entries sort by version, writer and sequence.

use crate::event::{EventMeaning, JournalEvent, Level};
use crate::rfc_3339::rfc_3339;
use call::{Recorded, Stage};
use serde::de::Error;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// One line of a call's journal: an item in DynamoDB and a flat JSON line in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalEntry {
    /// Hex SHA-256 of Meta's call id.
    pub call_ref: String,
    /// When the event happened, ms since 1970, by the writer's clock.
    pub at_ms: u64,
    /// Milliseconds since the call began to ring, if the writer knows when that was.
    pub since_ring_ms: Option<u64>,
    /// The version of the call's state that the writer knew.
    pub version: u64,
    /// The process that wrote it.
    pub writer: String,
    /// The position among the entries that one writer wrote at one version.
    pub sequence: u64,
    /// The recorded event.
    pub event: JournalEvent,
    /// The call's number, task and phase at that time.
    pub context: EntryContext,
}

/// The number, task and phase that an event belongs to. Fields of the event itself take precedence over what the writer knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct EntryContext {
    /// The phone number id of the business number.
    pub number: Option<String>,
    /// The media task that had the call, or that the event is about.
    pub task: Option<String>,
    /// The call's phase at that time.
    pub phase: Option<Recorded<Stage>>,
}

impl JournalEntry {
    /// Returns the entry as a flat JSON line for the log, with long numbers redacted.
    pub fn to_line(&self) -> String {
        let mut entry = self.clone();
        entry.event = self.event.redacted();
        line(self.event.level(), self.at_ms, &entry)
    }

    /// Returns what the entry's event means.
    pub fn meaning(&self) -> EventMeaning {
        self.event.meaning(self.since_ring_ms)
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

impl Serialize for JournalEntry {
    /// Writes a flat map, with each name once.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut event = self.event.fields();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("call_ref", &self.call_ref)?;
        map.serialize_entry("at_ms", &self.at_ms)?;
        if let Some(since_ring_ms) = self.since_ring_ms {
            map.serialize_entry("since_ring_ms", &since_ring_ms)?;
        }
        if let Some(phase) = &self.context.phase {
            map.serialize_entry("phase", phase)?;
        }
        for (name, value) in [("number", &self.context.number), ("task", &self.context.task)] {
            if let Some(value) = value.as_ref().filter(|_| !event.contains_key(name)) {
                map.serialize_entry(name, value)?;
            }
        }
        map.serialize_entry("version", &self.version)?;
        map.serialize_entry("writer", &self.writer)?;
        map.serialize_entry("sequence", &self.sequence)?;
        map.serialize_entry("event", &event.remove("event"))?;
        for (name, value) in event {
            map.serialize_entry(&name, &value)?;
        }
        map.end()
    }
}

/// The fields of an item or a line that belong neither to the event nor to the entry: the table's keys, and the context.
const NOT_OF_THE_EVENT: [&str; 8] = ["pk", "sk", "ttl", "timestamp", "level", "phase", "number", "task"];

impl<'de> Deserialize<'de> for JournalEntry {
    /// Reads events of later releases too: their fields are those that belong neither to the entry, the context nor the table.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Flat {
            call_ref: String,
            at_ms: u64,
            #[serde(default)]
            since_ring_ms: Option<u64>,
            version: u64,
            writer: String,
            sequence: u64,
            #[serde(flatten)]
            rest: Map<String, Value>,
        }
        let Flat { call_ref, at_ms, since_ring_ms, version, writer, sequence, rest } =
            Flat::deserialize(deserializer)?;
        let rest = Value::Object(rest);
        // Some events have a number or a task themselves: the context has it as well.
        let context = EntryContext::deserialize(&rest).map_err(D::Error::custom)?;
        let mut event = JournalEvent::deserialize(rest).map_err(D::Error::custom)?;
        if let JournalEvent::Other(other) = &mut event {
            NOT_OF_THE_EVENT.iter().for_each(|name| other.remove(name));
        }
        Ok(Self { call_ref, at_ms, since_ring_ms, version, writer, sequence, event, context })
    }
}

/// Builds the entries of one call by one writer.
#[derive(Debug, Clone)]
pub struct EntryBuilder {
    call_ref: String,
    writer: String,
    rang_at_ms: Option<u64>,
    version: u64,
    sequence: u64,
    context: EntryContext,
}

impl EntryBuilder {
    /// Returns a builder for a call that began to ring at `rang_at_ms`, if that is known.
    pub fn new(call_ref: &str, writer: &str, rang_at_ms: impl Into<Option<u64>>, version: u64) -> Self {
        Self {
            call_ref: call_ref.to_owned(),
            writer: writer.to_owned(),
            rang_at_ms: rang_at_ms.into(),
            version,
            sequence: 0,
            context: EntryContext::default(),
        }
    }

    /// Sets the number, task and phase of the entries to come.
    #[must_use]
    pub fn at(self, context: EntryContext) -> Self {
        Self { context, ..self }
    }

    /// Sets the phase of the entries to come.
    pub fn enter_phase(&mut self, phase: Stage) {
        self.context.phase = Some(phase.into());
    }

    /// Makes the entries to come sort after this version of the call's state.
    pub fn advance_to(&mut self, version: u64) {
        if version > self.version {
            self.version = version;
            self.sequence = 0;
        }
    }

    /// Returns the next entry.
    pub fn enter(&mut self, event: JournalEvent, now_ms: u64) -> JournalEntry {
        let sequence = self.sequence;
        self.sequence += 1;
        JournalEntry {
            call_ref: self.call_ref.clone(),
            at_ms: now_ms,
            since_ring_ms: self.rang_at_ms.map(|rang_at_ms| now_ms.saturating_sub(rang_at_ms)),
            version: self.version,
            writer: self.writer.clone(),
            sequence,
            context: self.context_of(&event),
            event,
        }
    }

    fn context_of(&self, event: &JournalEvent) -> EntryContext {
        let fields = event.fields();
        let named = |name: &str| fields.get(name)?.as_str().map(str::to_owned);
        EntryContext {
            number: named("number").or_else(|| self.context.number.clone()),
            task: named("task").or_else(|| self.context.task.clone()),
            phase: self.context.phase.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_flat_json_with_the_events_name() {
        let mut journal = journal();

        let line =
            journal.enter(JournalEvent::Answered { took_ms: 7, start: "warm".into() }, 1_250).to_line();

        assert_eq!(
            line,
            r#"{"timestamp":"1970-01-01T00:00:01.250Z","level":"INFO","call_ref":"ab12","at_ms":1250,"since_ring_ms":250,"phase":"answering","number":"220","task":"0a","version":3,"writer":"call-control","sequence":0,"event":"WA_CALL_ANSWERED","start":"warm","took_ms":7}"#
        );
    }

    #[test]
    fn an_events_own_number_and_task_are_written_once() {
        let entry =
            journal().enter(JournalEvent::SeatRefused { task: "0b".into(), reason: "full".into() }, 1_250);

        let text = serde_json::to_string(&entry).unwrap();

        assert_eq!(entry.context.task.as_deref(), Some("0b"));
        assert_eq!(text.matches(r#""task""#).count(), 1, "{text}");
        assert_eq!(serde_json::from_str::<JournalEntry>(&text).unwrap(), entry);
    }

    #[test]
    fn an_older_releases_entry_is_read() {
        let old = r#"{"call_ref":"ab12","at_ms":1250,"since_ring_ms":0,"version":0,"writer":"webhook","sequence":0,"event":"WA_CALL_CONNECT","number":"220"}"#;

        let entry: JournalEntry = serde_json::from_str(old).unwrap();

        assert_eq!(entry.event, JournalEvent::Connect { number: "220".into() });
        assert_eq!(entry.context, EntryContext { number: Some("220".into()), ..EntryContext::default() });
    }

    #[test]
    fn an_event_of_a_later_release_is_written_as_it_was_read() {
        let later = r#"{"call_ref":"ab12","at_ms":1250,"since_ring_ms":0,"phase":"talking","number":"220","version":4,"writer":"task-0a","sequence":1,"event":"WA_CALL_HELD","by":"caller","tries":2}"#;

        let entry: JournalEntry = serde_json::from_str(later).unwrap();

        assert!(
            matches!(&entry.event, JournalEvent::Other(other) if other.name() == "WA_CALL_HELD"),
            "{entry:?}"
        );
        assert_eq!(serde_json::to_string(&entry).unwrap(), later);
        assert!(!format!("{entry:?}").contains("caller"), "{entry:?}");
    }

    #[test]
    fn a_phase_of_a_later_release_is_written_as_it_was_read() {
        let later = r#"{"call_ref":"ab12","at_ms":1250,"phase":"holding","version":4,"writer":"a","sequence":1,"event":"WA_CALL_OPENED"}"#;

        let entry: JournalEntry = serde_json::from_str(later).unwrap();

        assert_eq!(entry.context.phase, Some(Recorded::Other("holding".into())));
        assert_eq!(serde_json::to_string(&entry).unwrap(), later);
    }

    #[test]
    fn a_changed_field_of_a_later_release_hides_no_event() {
        let later = r#"{"event":"WA_CALL_ANSWERED","start":"warm","took_ms":"7 ms"}"#;

        let event: JournalEvent = serde_json::from_str(later).unwrap();

        assert!(
            matches!(&event, JournalEvent::Other(other) if other.name() == "WA_CALL_ANSWERED"),
            "{event:?}"
        );
        assert_eq!(serde_json::to_string(&event).unwrap(), later);
    }

    #[test]
    fn an_event_of_a_later_release_is_logged_by_its_name_alone() {
        let later = r#"{"call_ref":"ab12","at_ms":1250,"version":4,"writer":"a","sequence":1,"event":"WA_CALL_HELD","words":"planted"}"#;

        let entry: JournalEntry = serde_json::from_str(later).unwrap();

        assert!(entry.to_line().ends_with(r#""sequence":1,"event":"WA_CALL_HELD"}"#), "{}", entry.to_line());
    }

    #[test]
    fn an_ending_of_a_later_release_is_written_as_it_was_read() {
        let later = r#"{"event":"WA_CALL_ENDED","ending":"handed_over","by":"desk","lasted_ms":7}"#;

        let event: JournalEvent = serde_json::from_str(later).unwrap();

        assert!(
            matches!(&event, JournalEvent::Ended { ending: Recorded::Other(ending), .. } if ending == "handed_over")
        );
        assert_eq!(
            serde_json::from_str::<JournalEvent>(&serde_json::to_string(&event).unwrap()).unwrap(),
            event
        );
    }

    #[test]
    fn phone_numbers_are_redacted_from_free_text() {
        let reason = "Recipient +91 99000 00001 not allowed".to_owned();
        let trouble =
            JournalEvent::MetaTrouble { action: "accept".into(), code: 131_030, reason, cure: String::new() };

        let entry = journal().enter(trouble, 1_250);

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

    #[test]
    fn the_sequence_restarts_with_each_version() {
        let mut journal = EntryBuilder::new("ab12", "task", 0, 1);

        let first = journal.enter(JournalEvent::Opened {}, 0);
        let second = journal.enter(JournalEvent::Opened {}, 0);
        journal.advance_to(2);
        let third = journal.enter(JournalEvent::Opened {}, 0);

        assert_eq!([first.sequence, second.sequence, third.sequence], [0, 1, 0]);
    }

    fn journal() -> EntryBuilder {
        let context = EntryContext {
            number: Some("220".into()),
            task: Some("0a".into()),
            phase: Some(Stage::Answering.into()),
        };
        EntryBuilder::new("ab12", "call-control", 1_000, 3).at(context)
    }
}
