//! A call for tests, with one of everything.

use crate::{CallFacts, Event, Extraction, Left};
use agents::{After, AfterEvent, Extract};
use call::{CallerDetails, Ending, Fence, Line};
use journal::{CallSummary, EntryBuilder, JournalEvent, Speaker, TranscriptLine};
use serde_json::json;

/// When the call rang: 2026-11-22T00:00:00Z.
const RANG_AT_MS: u64 = 1_795_305_600_000;

pub(crate) fn call() -> CallFacts {
    let mut journal = EntryBuilder::new(&"c0ffee".into(), "task-0a", RANG_AT_MS, 5);
    let events = [
        JournalEvent::Tool { tool: "lookup_order".into(), took_ms: 210, outcome: "done".into() },
        JournalEvent::Tool { tool: "take_message".into(), took_ms: 20, outcome: "done".into() },
        JournalEvent::CapNear { spent_micro_dollars: 8_100_000, cap_micro_dollars: 10_000_000 },
    ];
    let message = json!({"message": "Please call about A-17.", "caller_name": "Asha", "urgent": true, "kind": "message",
        "pk": "CALL#c0ffee", "ttl": 7, "done_at_ms": 7});
    let callback = json!({"about": "the invoice", "when": "after five", "number": "0199 0000 01"});
    let content = |value| match value {
        serde_json::Value::Object(content) => content,
        other => panic!("{other}"),
    };
    let summary = CallSummary {
        agent: "shop".into(),
        turns: 4,
        micro_dollars: Some(12_000),
        verdict: Some("caller_muted".into()),
        ..CallSummary::default()
    };
    CallFacts {
        call_ref: "c0ffee".into(),
        number: "106540352242922".into(),
        line: Line::WhatsApp,
        agent: "shop".to_owned(),
        caller: CallerDetails {
            number: Some("919900000001".to_owned()),
            number_verified: true,
            user_id: Some("IN.planted".to_owned()),
            name: Some("Asha".to_owned()),
            ..CallerDetails::default()
        },
        rang_at_ms: RANG_AT_MS,
        accepted_at_ms: Some(RANG_AT_MS + 2_500),
        ended_at_ms: Some(RANG_AT_MS + 75_000),
        ending: Some(Ending::CallerHungUp),
        entries: events.map(|event| journal.enter(event, RANG_AT_MS + 40_000)).into(),
        left: vec![
            Left::new("LEFT#000001", "message", RANG_AT_MS + 50_000, content(message)),
            Left::new("LEFT#000002", "callback", RANG_AT_MS + 60_000, content(callback)),
        ],
        lines: vec![
            TranscriptLine { speaker: Speaker::Agent, ..line(0, "Hello.") },
            line(1, "Where is my order A-17?"),
            TranscriptLine { in_silence: true, ..line(2, "Thanks for watching!") },
        ],
        summaries: vec![(None, summary.clone()), (Some(Fence(2)), summary)],
    }
}

/// Returns a line of the caller.
pub(crate) fn line(place: u32, text: &str) -> TranscriptLine {
    TranscriptLine {
        place,
        speaker: Speaker::Caller,
        text: text.to_owned(),
        at_ms: RANG_AT_MS + 3_000 + u64::from(place) * 2_000,
        heard_ms: None,
        of_ms: None,
        took_ms: None,
        tool_ms: None,
        in_silence: false,
    }
}

pub(crate) fn event(what: AfterEvent) -> Event {
    let about = match what {
        AfterEvent::MessageTaken => Some("LEFT#000001"),
        AfterEvent::CallbackRequested => Some("LEFT#000002"),
        AfterEvent::CallEnded | AfterEvent::CallRejected | AfterEvent::PersonWanted | AfterEvent::NearCap => {
            None
        }
    };
    let n = about.map(|key| format!(":{}", &key[key.len() - 1..])).unwrap_or_default();
    Event {
        id: format!("c0ffee:{what}{n}"),
        what,
        at_ms: RANG_AT_MS + 75_000,
        about: about.map(str::to_owned),
        fence: (what == AfterEvent::CallEnded).then_some(Fence(2)),
    }
}

pub(crate) fn ended() -> Event {
    event(AfterEvent::CallEnded)
}

pub(crate) fn after() -> After {
    After {
        url: "https://shop.example/ahoy/calls".parse().expect("a URL"),
        sign_with: "shop".to_owned(),
        on: AfterEvent::ALL.to_vec(),
        transcript: false,
        tells_caller: false,
        extract: None,
    }
}

pub(crate) fn extract() -> Extract {
    let order = json!({"type": ["string", "null"], "description": "The order's number."});
    Extract {
        model: "gpt-6-luna".to_owned(),
        summary: true,
        properties: [("order".to_owned(), order)].into_iter().collect(),
    }
}

pub(crate) fn extraction() -> Extraction {
    let answer = json!({"summary": "The caller asked where order A-17 is and left a message.", "extracted": {"order": "A-17"}});
    Extraction::done(&extract(), answer, Some(350))
}
