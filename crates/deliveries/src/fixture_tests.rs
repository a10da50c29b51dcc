//! Compares the body of each event with its fixture, which the docs show.

use crate::test_call::{after, call, event, extraction};
use crate::{CallFacts, body};
use agents::{After, AfterEvent};
use call::Ending;
use serde_json::Value;

const DOCS: &str = include_str!("../../../docs/outcome.md");

const FIXTURES: [(AfterEvent, &str); 6] = [
    (AfterEvent::CallEnded, include_str!("../../../fixtures/after/call.ended.json")),
    (AfterEvent::CallRejected, include_str!("../../../fixtures/after/call.rejected.json")),
    (AfterEvent::MessageTaken, include_str!("../../../fixtures/after/message.taken.json")),
    (AfterEvent::CallbackRequested, include_str!("../../../fixtures/after/callback.requested.json")),
    (AfterEvent::PersonWanted, include_str!("../../../fixtures/after/call.person_wanted.json")),
    (AfterEvent::NearCap, include_str!("../../../fixtures/after/spending.near_cap.json")),
];

#[test]
fn each_event_has_the_body_of_its_fixture() {
    assert_eq!(FIXTURES.map(|(event, _)| event), AfterEvent::ALL);
    for (what, fixture) in FIXTURES {
        let is_ended = what == AfterEvent::CallEnded;
        let after = After { transcript: is_ended, tells_caller: is_ended, ..after() };
        let extraction = is_ended.then(extraction);

        let body = body(&event(what), &of(what), &after, extraction.as_ref()).unwrap();

        let fixture: Value = serde_json::from_str(fixture).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), fixture, "{what}");
    }
}

#[test]
fn the_docs_show_the_end_of_a_call() {
    let (_, ended) = FIXTURES[0];

    assert!(DOCS.contains(ended.trim()), "docs/outcome.md is to show fixtures/after/call.ended.json");
}

/// Returns the call that an event is of.
fn of(what: AfterEvent) -> CallFacts {
    if what != AfterEvent::CallRejected {
        return call();
    }
    let rang_at_ms = call().rang_at_ms;
    CallFacts {
        accepted_at_ms: None,
        ended_at_ms: Some(rang_at_ms + 400),
        ending: Some(Ending::Closed),
        entries: vec![],
        left: vec![],
        lines: vec![],
        summaries: vec![],
        ..call()
    }
}
