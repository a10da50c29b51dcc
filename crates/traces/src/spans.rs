//! Converts journal entries to spans, without sending them or reading a clock.

use crate::ids::{SpanId, TraceId, TraceIds};
use journal::{EventMeaning, EventSpan, JournalEntry};
use serde_json::{Map, Value};

/// A span of a call's trace: a period, or a moment where both ends are equal.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// The trace id of the call.
    pub trace: TraceId,
    /// The id of this span.
    pub id: SpanId,
    /// The parent span; `None` for the root span, the call.
    pub parent: Option<SpanId>,
    /// `call`, `talk`, or the event's name in words: `media connected`.
    pub name: String,
    /// When the span began, ms since 1970.
    pub from_ms: u64,
    /// When the span ended, ms since 1970.
    pub to_ms: u64,
    /// The fields of the entry's log line, by name.
    pub fields: Map<String, Value>,
    /// The description of the failure, if it is one.
    pub failure: Option<String>,
}

/// Returns the spans of an entry. The end of a call becomes the root span and the span of the talk, if there was any; every other entry is
/// one span. Where the reference is no hex SHA-256 there are none.
pub fn spans_of(entry: &JournalEntry) -> Vec<Span> {
    let Some(ids) = TraceIds::of(&entry.call_ref) else { return vec![] };
    let EventMeaning { span: place, took_ms, failure, .. } = entry.meaning();
    let fields = fields(entry);
    let span = |id, parent, took_ms| Span {
        trace: ids.trace,
        id,
        parent,
        name: event_name(&fields),
        from_ms: entry.at_ms.saturating_sub(took_ms),
        to_ms: entry.at_ms,
        failure: failure.clone(),
        fields: fields.clone(),
    };
    match place {
        EventSpan::Call => {
            let since_ring_ms = entry.since_ring_ms.unwrap_or(took_ms);
            let call = Span { name: "call".to_owned(), ..span(ids.call, None, since_ring_ms) };
            let talk = span(ids.talk(), Some(ids.call), took_ms);
            let talk = Span { name: "talk".to_owned(), failure: None, ..talk };
            [call].into_iter().chain((took_ms > 0).then_some(talk)).collect()
        }
        EventSpan::InCall => vec![span(ids.entry(entry), Some(ids.call), took_ms)],
        EventSpan::InTalk => vec![span(ids.entry(entry), Some(ids.talk()), took_ms)],
    }
}

/// Returns the fields of the log line: what may be logged may be traced.
fn fields(entry: &JournalEntry) -> Map<String, Value> {
    match serde_json::from_str(&entry.to_line()) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) | Err(_) => unreachable!("a line is a JSON object"),
    }
}

/// Returns the event's name in words: `WA_CALL_MEDIA_CONNECTED` is `media connected`.
fn event_name(fields: &Map<String, Value>) -> String {
    let name = fields.get("event").and_then(Value::as_str).expect("an event is tagged with its name");
    name.trim_start_matches("WA_CALL_").to_ascii_lowercase().replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use call::{Ending, Stage};
    use journal::{EntryBuilder, EntryContext, JournalEvent};
    use serde_json::json;

    /// 16 bytes for the trace id, 8 for the call's span id, and 8 unused.
    const CALL: &str = "0101010101010101010101010101010102020202020202020303030303030303";

    const RANG_AT: u64 = 1_000_000;

    #[test]
    fn the_end_of_a_call_becomes_the_root_span_and_the_talk() {
        let ended = ended(Ending::CallerHungUp, 4_000);

        let spans = spans_of(&journal().enter(ended, RANG_AT + 5_000));

        let [call, talk] = &spans[..] else { panic!("{spans:?}") };
        assert_eq!((call.name.as_str(), call.trace, call.id, call.parent), ("call", [1; 16], [2; 8], None));
        assert_eq!((call.from_ms, call.to_ms), (RANG_AT, RANG_AT + 5_000));
        assert_eq!((talk.name.as_str(), talk.parent), ("talk", Some(call.id)));
        assert_eq!((talk.from_ms, talk.to_ms), (RANG_AT + 1_000, RANG_AT + 5_000));
        assert_eq!(call.failure, None);
    }

    #[test]
    fn an_unanswered_call_has_a_failure_and_no_talk() {
        let ended = ended(Ending::NoCapacity, 0);

        let spans = spans_of(&journal().enter(ended, RANG_AT + 60_000));

        let [call] = &spans[..] else { panic!("{spans:?}") };
        assert_eq!(call.failure.as_deref(), Some("no_capacity"));
    }

    #[test]
    fn a_span_starts_its_duration_before_the_entry() {
        let cases = [
            (JournalEvent::Answered { took_ms: 7, start: "warm".into() }, "answered", 7),
            (JournalEvent::MediaConnected { took_ms: 90 }, "media connected", 90),
            (JournalEvent::Accepted {}, "accepted", 2_000),
            (JournalEvent::FirstWord { after_open_ms: 40 }, "first word", 40),
            (JournalEvent::Turn { turn: 1, took_ms: 700, tool_ms: 0 }, "turn", 700),
            (JournalEvent::Opened {}, "opened", 0),
        ];

        for (event, name, took_ms) in cases {
            let spans = spans_of(&journal().enter(event, RANG_AT + 2_000));
            let [span] = &spans[..] else { panic!("{spans:?}") };
            assert_eq!((span.name.as_str(), span.to_ms - span.from_ms), (name, took_ms));
            assert_eq!((span.trace, span.to_ms), ([1; 16], RANG_AT + 2_000));
        }
    }

    #[test]
    fn talk_events_are_children_of_the_talk_others_of_the_call() {
        let mut journal = journal();
        let call = spans_of(&journal.enter(ended(Ending::CallerHungUp, 9), RANG_AT + 9));
        let mut parent = |event| spans_of(&journal.enter(event, RANG_AT)).remove(0).parent;

        assert_eq!(parent(JournalEvent::Turn { turn: 1, took_ms: 1, tool_ms: 0 }), Some(call[1].id));
        assert_eq!(parent(JournalEvent::MediaConnected { took_ms: 1 }), Some(call[0].id));
    }

    #[test]
    fn span_ids_follow_from_the_entry() {
        let mut journal = journal();
        let [first, second] = [(); 2].map(|()| journal.enter(JournalEvent::Keys { count: 1 }, RANG_AT));

        assert_eq!(spans_of(&first), spans_of(&first.clone()));
        assert_ne!(spans_of(&first)[0].id, spans_of(&second)[0].id);
    }

    #[test]
    fn failure_texts_are_redacted() {
        let failed = JournalEvent::Tool { tool: "lookup".into(), took_ms: 1, outcome: "timed_out".into() };
        let reason = "Recipient +91 99000 00001 not allowed".to_owned();
        let trouble =
            JournalEvent::MetaTrouble { action: "accept".into(), code: 131_030, reason, cure: String::new() };

        let tool = spans_of(&journal().enter(failed, RANG_AT)).remove(0);
        let trouble = spans_of(&journal().enter(trouble, RANG_AT)).remove(0);

        assert_eq!(tool.failure.as_deref(), Some("timed_out"));
        assert_eq!(trouble.failure.as_deref(), Some("Recipient … not allowed"));
        assert_eq!(trouble.fields["reason"], json!("Recipient … not allowed"));
    }

    #[test]
    fn a_call_for_another_number_has_a_root_span() {
        let span =
            spans_of(&journal().enter(JournalEvent::NotOurs { number: "7".into() }, RANG_AT)).remove(0);

        assert_eq!((span.name.as_str(), span.id, span.parent), ("call", [2; 8], None));
    }

    #[test]
    fn an_entry_without_a_valid_reference_has_no_span() {
        let mut journal = EntryBuilder::new(&"ab12".into(), "webhook", None, 0);

        assert_eq!(spans_of(&journal.enter(JournalEvent::Opened {}, RANG_AT)), []);
    }

    #[test]
    fn a_span_of_the_telephone_line_names_it() {
        let line_of = |place| {
            spans_of(&journal().at(place).enter(JournalEvent::Opened {}, RANG_AT))[0]
                .fields
                .get("line")
                .cloned()
        };
        let on_the_telephone = EntryContext { line: call::Line::Sip.into(), ..EntryContext::default() };

        assert_eq!(line_of(on_the_telephone), Some(json!("sip")));
        assert_eq!(line_of(EntryContext::default()), None, "spans of WhatsApp calls are as they were");
    }

    fn ended(ending: Ending, lasted_ms: u64) -> JournalEvent {
        JournalEvent::Ended { ending: ending.into(), by: ending.by().into(), lasted_ms }
    }

    fn journal() -> EntryBuilder {
        let place = EntryContext {
            number: Some("220".into()),
            task: Some("0a".into()),
            phase: Some(Stage::Answering.into()),
            ..EntryContext::default()
        };
        EntryBuilder::new(&CALL.into(), "call-control", RANG_AT, 3).at(place)
    }
}
