//! An event as it is written down: which call, when, where, and by whom.

use crate::redaction::redact;
use crate::rfc_3339::rfc_3339;
use crate::{JournalEvent, Level};
use serde::de::Error;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// What an event says in words that others chose. In the log no long number is left in them: it may be somebody's.
const FREE_TEXT: [&str; 6] = ["reason", "evidence", "status", "notice", "code", "cure"];

/// One line of a call's journal: an item in DynamoDB and a flat JSON line in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalEntry {
    /// Hex SHA-256 of Meta's call id.
    pub call_ref: String,
    /// When it happened, ms since 1970, by the writer's clock.
    pub at_ms: u64,
    /// Milliseconds since the call began to ring, if the writer knows when that was.
    pub since_ring_ms: Option<u64>,
    /// The version of the call's state that the writer knew.
    pub version: u64,
    /// The process that wrote it.
    pub writer: String,
    /// Orders what one writer wrote at one version.
    pub sequence: u64,
    /// What happened.
    pub event: JournalEvent,
    /// Where it happened.
    pub place: EntryContext,
}

/// Where something happened. What an event says of this itself goes before what its writer knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct EntryContext {
    /// The business number, as its id.
    pub number: Option<String>,
    /// The media task that had the call, or that the event is about.
    pub task: Option<String>,
    /// How far the call had come then.
    pub phase: Option<JournalPhase>,
}

/// How far a call has come, as far as it matters to whoever reads about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JournalPhase {
    /// Nobody has answered the offer yet.
    Ringing,
    /// A task has answered; the line is not open yet.
    Answering,
    /// Caller and agent hear each other.
    Talking,
    /// It is over.
    Over,
}

impl JournalEntry {
    /// One flat JSON line for the log.
    pub fn to_line(&self) -> String {
        let mut entry = self.clone();
        entry.event = without_long_numbers(&self.event);
        line(self.event.level(), self.at_ms, &entry)
    }
}

/// A flat JSON line for the log, about something that belongs to no call. It is kept nowhere else.
pub fn line_of_no_call(event: &JournalEvent, writer: &str, now_ms: u64) -> String {
    #[derive(Serialize)]
    struct Aside<'a> {
        at_ms: u64,
        writer: &'a str,
        #[serde(flatten)]
        event: &'a JournalEvent,
    }
    line(event.level(), now_ms, &Aside { at_ms: now_ms, writer, event })
}

/// Lambda reads `timestamp` and `level` together: without a valid RFC 3339 time it takes a line for INFO, whatever its level says.
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
    /// Flat, and each name once.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut event = fields(&self.event);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("call_ref", &self.call_ref)?;
        map.serialize_entry("at_ms", &self.at_ms)?;
        if let Some(since_ring_ms) = self.since_ring_ms {
            map.serialize_entry("since_ring_ms", &since_ring_ms)?;
        }
        if let Some(phase) = self.place.phase {
            map.serialize_entry("phase", &phase)?;
        }
        for (name, value) in [("number", &self.place.number), ("task", &self.place.task)] {
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

/// What an item or a line has beside the event's own fields and the entry's: the table's keys, and the place.
const BESIDE: [&str; 8] = ["pk", "sk", "ttl", "timestamp", "level", "phase", "number", "task"];

impl<'de> Deserialize<'de> for JournalEntry {
    /// Reads events of later releases as well: their fields are what is not the entry's, the place's or the table's.
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
        // Some events name a number or a task themselves: the place has it as well.
        let place = EntryContext::deserialize(&rest).map_err(D::Error::custom)?;
        let mut event = JournalEvent::deserialize(rest).map_err(D::Error::custom)?;
        if let JournalEvent::Other(other) = &mut event {
            BESIDE.iter().for_each(|name| other.remove(name));
        }
        Ok(Self { call_ref, at_ms, since_ring_ms, version, writer, sequence, event, place })
    }
}

fn fields(event: &JournalEvent) -> Map<String, Value> {
    match serde_json::to_value(event) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) | Err(_) => unreachable!("an event is a map with text keys"),
    }
}

fn without_long_numbers(event: &JournalEvent) -> JournalEvent {
    if let JournalEvent::Other(other) = event {
        return JournalEvent::Other(other.without_fields());
    }
    let mut fields = fields(event);
    for (name, value) in &mut fields {
        if let Value::String(text) = value
            && FREE_TEXT.contains(&name.as_str())
        {
            *text = redact(text);
        }
    }
    serde_json::from_value(Value::Object(fields)).expect("its fields have the types they had")
}

/// Writes the entries of one call by one writer.
#[derive(Debug, Clone)]
pub struct EntryBuilder {
    call_ref: String,
    writer: String,
    rang_at_ms: Option<u64>,
    version: u64,
    sequence: u64,
    place: EntryContext,
}

impl EntryBuilder {
    /// A journal of a call that began to ring at `rang_at_ms`, if that is known.
    pub fn new(call_ref: &str, writer: &str, rang_at_ms: impl Into<Option<u64>>, version: u64) -> Self {
        Self {
            call_ref: call_ref.to_owned(),
            writer: writer.to_owned(),
            rang_at_ms: rang_at_ms.into(),
            version,
            sequence: 0,
            place: EntryContext::default(),
        }
    }

    /// A journal of what happens here.
    #[must_use]
    pub fn at(self, place: EntryContext) -> Self {
        Self { place, ..self }
    }

    /// From now on the call has come so far.
    pub fn enter_phase(&mut self, phase: JournalPhase) {
        self.place.phase = Some(phase);
    }

    /// From now on entries sort after this version of the call's state.
    pub fn advance_to(&mut self, version: u64) {
        if version > self.version {
            self.version = version;
            self.sequence = 0;
        }
    }

    /// The next entry.
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
            place: self.place_of(&event),
            event,
        }
    }

    fn place_of(&self, event: &JournalEvent) -> EntryContext {
        let fields = fields(event);
        let named = |name: &str| fields.get(name)?.as_str().map(str::to_owned);
        EntryContext {
            number: named("number").or_else(|| self.place.number.clone()),
            task: named("task").or_else(|| self.place.task.clone()),
            phase: self.place.phase,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;
    use std::collections::{BTreeMap, BTreeSet};

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
    fn what_an_event_says_of_number_and_task_is_said_once() {
        let entry =
            journal().enter(JournalEvent::SeatRefused { task: "0b".into(), reason: "full".into() }, 1_250);

        let text = serde_json::to_string(&entry).unwrap();

        assert_eq!(entry.place.task.as_deref(), Some("0b"));
        assert_eq!(text.matches(r#""task""#).count(), 1, "{text}");
        assert_eq!(serde_json::from_str::<JournalEntry>(&text).unwrap(), entry);
    }

    #[test]
    fn an_entry_of_an_older_release_can_be_read() {
        let old = r#"{"call_ref":"ab12","at_ms":1250,"since_ring_ms":0,"version":0,"writer":"webhook","sequence":0,"event":"WA_CALL_CONNECT","number":"220"}"#;

        let entry: JournalEntry = serde_json::from_str(old).unwrap();

        assert_eq!(entry.event, JournalEvent::Connect { number: "220".into() });
        assert_eq!(entry.place, EntryContext { number: Some("220".into()), ..EntryContext::default() });
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
    fn a_field_that_a_later_release_reads_otherwise_hides_no_event() {
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

        assert!(matches!(&event, JournalEvent::Ended { ending, .. } if ending == "handed_over"));
        assert_eq!(
            serde_json::from_str::<JournalEvent>(&serde_json::to_string(&event).unwrap()).unwrap(),
            event
        );
    }

    /// Fields of events in words of our own, or of the operator's settings.
    const HARMLESS: [(&str, &[&str]); 27] = [
        ("WA_CALL_CONNECT", &["number"]),
        ("WA_CALL_NOT_OURS", &["number"]),
        ("WA_CALL_STALE", &["number"]),
        ("WA_CALL_WEBHOOK_REFUSED", &["why"]),
        ("WA_CALL_MEDIA_AT_META", &["kind", "media", "mime_type"]),
        ("WA_CALL_CLAIMED", &["task"]),
        ("WA_CALL_SEAT_REFUSED", &["task"]),
        ("WA_CALL_TASK_LAUNCHED", &["task"]),
        ("WA_CALL_ANSWERED", &["start"]),
        ("WA_CALL_INTERRUPTED", &["item"]),
        ("WA_CALL_TOOL", &["outcome", "tool"]),
        ("WA_CALL_PART_REFUSED", &["part"]),
        ("WA_CALL_TRANSCRIPTION_FAILED", &["model"]),
        ("WA_CALL_USAGE", &["agent", "model", "prices_of"]),
        ("WA_CALL_ACTION_REFUSED", &["action", "budget"]),
        ("WA_CALL_TURNED_AWAY", &["why"]),
        ("WA_CALL_REFUSED", &["why"]),
        ("WA_CALL_LOST", &["task"]),
        ("WA_CALL_RESPONSE_LACKING", &["purpose", "then"]),
        ("WA_CALL_TOOLS_MISSING", &["server"]),
        ("WA_CALL_MEDIA_VERDICT", &["verdict"]),
        ("WA_CALL_META_TROUBLE", &["action"]),
        ("WA_CALL_CALLER_TOLD", &["why"]),
        ("WA_CALL_TASK_SILENT", &["task"]),
        ("WA_CALL_GIVEN_UP", &["what"]),
        ("WA_CALL_FORGOTTEN", &["number"]),
        ("WA_CALL_ENDED", &["by", "ending"]),
    ];

    #[test]
    fn every_text_of_an_event_is_redacted_or_known_to_be_harmless() {
        let (mut redacted, mut harmless) = (BTreeSet::new(), BTreeMap::new());
        for event in schema::events() {
            for field in event.fields.into_iter().filter(|field| field.unit == "text") {
                if FREE_TEXT.contains(&field.name.as_str()) {
                    redacted.insert(field.name);
                } else {
                    harmless.entry(event.name.clone()).or_insert_with(BTreeSet::new).insert(field.name);
                }
            }
        }

        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let known = HARMLESS.iter().map(|(event, fields)| ((*event).to_owned(), owned(fields))).collect();
        assert_eq!(
            harmless, known,
            "redact a new text by its name in FREE_TEXT, or say here that it is harmless"
        );
        assert_eq!(redacted, owned(&FREE_TEXT), "a name in FREE_TEXT is no field any more");
    }

    #[test]
    fn nobodys_number_gets_into_the_log_by_somebody_elses_words() {
        let reason = "Recipient +91 99000 00001 not allowed".to_owned();
        let trouble =
            JournalEvent::MetaTrouble { action: "accept".into(), code: 131_030, reason, cure: String::new() };

        let entry = journal().enter(trouble, 1_250);

        assert!(entry.to_line().contains("Recipient … not allowed"), "{}", entry.to_line());
        assert!(serde_json::to_string(&entry).unwrap().contains("99000"), "the table has Meta's own words");
    }

    #[test]
    fn what_belongs_to_no_call_has_a_line_as_well() {
        let refused = JournalEvent::WebhookRefused { why: "signature".into(), count: 1 };

        assert_eq!(
            line_of_no_call(&refused, "webhook", 7),
            r#"{"timestamp":"1970-01-01T00:00:00.007Z","level":"WARN","at_ms":7,"writer":"webhook","event":"WA_CALL_WEBHOOK_REFUSED","why":"signature","count":1}"#
        );
    }

    #[test]
    fn entries_of_one_version_are_counted_and_a_new_version_starts_again() {
        let mut journal = EntryBuilder::new("ab12", "task", 0, 1);

        let first = journal.enter(JournalEvent::Opened {}, 0);
        let second = journal.enter(JournalEvent::Opened {}, 0);
        journal.advance_to(2);
        let third = journal.enter(JournalEvent::Opened {}, 0);

        assert_eq!([first.sequence, second.sequence, third.sequence], [0, 1, 0]);
    }

    fn journal() -> EntryBuilder {
        let place = EntryContext {
            number: Some("220".into()),
            task: Some("0a".into()),
            phase: Some(JournalPhase::Answering),
        };
        EntryBuilder::new("ab12", "call-control", 1_000, 3).at(place)
    }
}
