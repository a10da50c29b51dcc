//! A journal entry: an event with its call, time, writer and order. Entries sort by version, writer and sequence.

use crate::event::{EventMeaning, JournalEvent};
use call::{CallRef, Line, NumberId, Recorded, Stage, TaskId};
use serde::de::Error;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// One line of a call's journal: an item in DynamoDB and a flat JSON line in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalEntry {
    /// Hex SHA-256 of Meta's call id.
    pub call_ref: CallRef,
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
    /// The call's line, number, task and phase at that time.
    pub context: EntryContext,
}

/// The line, number, task and phase that an event belongs to. Fields of the event itself take precedence over what the writer knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct EntryContext {
    /// The line that the call came in on; not written for WhatsApp, which entries without one are of.
    pub line: Recorded<Line>,
    /// The phone number id of the business number; on the telephone line, its name.
    pub number: Option<NumberId>,
    /// The media task that had the call, or that the event is about.
    pub task: Option<TaskId>,
    /// The call's phase at that time.
    pub phase: Option<Recorded<Stage>>,
}

impl JournalEntry {
    /// Returns what the entry's event means.
    pub fn meaning(&self) -> EventMeaning {
        self.event.meaning(self.since_ring_ms)
    }
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
        if !self.context.line.is_default() {
            map.serialize_entry("line", &self.context.line)?;
        }
        let (number, task) = (&self.context.number, &self.context.task);
        for (name, value) in
            [("number", number.as_ref().map(NumberId::as_str)), ("task", task.as_ref().map(TaskId::as_str))]
        {
            if let Some(value) = value.filter(|_| !event.contains_key(name)) {
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
const NOT_OF_THE_EVENT: [&str; 9] =
    ["pk", "sk", "ttl", "timestamp", "level", "phase", "line", "number", "task"];

impl<'de> Deserialize<'de> for JournalEntry {
    /// Reads events of later releases too: their fields are those that belong neither to the entry, the context nor the table.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Flat {
            call_ref: CallRef,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry_builder::of_answering_call;

    #[test]
    fn an_events_own_number_and_task_are_written_once() {
        let entry = of_answering_call()
            .enter(JournalEvent::SeatRefused { task: "0b".into(), reason: "full".into() }, 1_250);

        let text = serde_json::to_string(&entry).unwrap();

        assert_eq!(entry.context.task, Some("0b".into()));
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
    fn a_line_of_a_later_release_is_written_as_it_was_read() {
        let later = r#"{"call_ref":"ab12","at_ms":1250,"phase":"talking","line":"twilio","number":"malta","version":4,"writer":"a","sequence":1,"event":"WA_CALL_HELD","tries":2}"#;

        let entry: JournalEntry = serde_json::from_str(later).unwrap();

        assert_eq!(entry.context.line, Recorded::Other("twilio".into()));
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
}
