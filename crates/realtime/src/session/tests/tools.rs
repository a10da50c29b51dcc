//! Tests function calls and their outputs.

use super::*;

#[test]
fn a_tool_call_is_reported_once_and_answered_after_its_response() {
    let mut talk = Talk::greeted();
    talk.begin_own("r");
    talk.calls("r", "c1");
    talk.act(|session, now| session.answer_tool(&"c1".into(), "{}", true, now));
    assert_eq!(talk.kinds(), ["conversation.item.create"], "the response is not over");

    let call = json!({"id": "ic1", "type": "function_call", "status": "completed", "call_id": "c1", "name": "look",
        "arguments": "{}"});
    talk.server_sends(
        json!({"type": "response.done", "response": {"id": "r", "status": "completed", "output": [call]}}),
    );

    assert_eq!(talk.kinds(), ["conversation.item.create", "response.create"]);
    assert_eq!(calls(&talk), ["c1"]);
}

#[test]
fn a_batch_is_answered_once_after_its_last_output() {
    let mut talk = Talk::greeted();
    talk.begin_own("r");
    talk.calls("r", "c1");
    talk.calls("r", "c2");
    talk.done("r", "completed");

    talk.act(|session, now| session.answer_tool(&"c1".into(), "{}", true, now));
    assert_eq!(talk.response_creates(), 0);
    talk.act(|session, now| session.answer_tool(&"c2".into(), "{}", false, now));
    talk.act(|session, now| session.answer_tool(&"c2".into(), "{}", true, now));

    assert_eq!((talk.response_creates(), talk.item_texts()), (1, vec!["c1".to_owned(), "c2".to_owned()]));
}

#[test]
fn only_complete_tool_calls_are_reported() {
    let mut talk = Talk::greeted();
    talk.begin_own("r");
    talk.calls("r", "whole");
    let cut = json!({"id": "i", "type": "function_call", "status": "incomplete", "call_id": "cut", "name": "look",
        "arguments": "{\"ord"});
    talk.server_sends(
        json!({"type": "response.function_call_arguments.done", "response_id": "r", "item_id": "i",
        "call_id": "cut", "name": "look", "arguments": "{\"ord"}),
    );
    talk.server_sends(json!({"type": "response.output_item.done", "response_id": "r", "item": cut}));
    talk.server_sends(
        json!({"type": "response.done", "response": {"id": "r", "status": "cancelled", "output": [cut]}}),
    );

    assert_eq!(calls(&talk), ["whole"]);
}

#[test]
fn a_tool_output_during_the_callers_turn_gets_one_answer() {
    let mut talk = Talk::greeted();
    talk.begin_own("r");
    talk.calls("r", "c1");
    talk.done("r", "completed");
    talk.caller_starts("u");
    talk.act(|session, now| session.answer_tool(&"c1".into(), "{}", true, now));
    assert_eq!(talk.kinds(), ["conversation.item.create"], "the agent does not talk over the caller");
    confirm(&mut talk, "c1");
    talk.caller_stops("u");

    talk.begin_own("s");
    talk.done("s", "completed");
    talk.pass(30_000);

    assert_eq!(talk.response_creates(), 0);
}

#[test]
fn an_answer_started_before_the_output_does_not_count() {
    let mut talk = Talk::greeted();
    confirm(&mut talk, "the server is one that does");
    talk.begin_own("r");
    talk.calls("r", "c1");
    talk.done("r", "completed");
    talk.caller_starts("u");
    talk.caller_stops("u");
    talk.act(|session, now| session.answer_tool(&"c1".into(), "{}", true, now));

    talk.begin_own("s");
    confirm(&mut talk, "c1");
    talk.done("s", "completed");

    assert_eq!(talk.response_creates(), 1);
}

#[test]
fn an_unconfirmed_item_counts_as_known_after_a_second() {
    for (confirms, waited, created) in [(false, 0, 0), (true, 0, 1), (true, 1_000, 0)] {
        let mut talk = Talk::greeted();
        if confirms {
            confirm(&mut talk, "an earlier one");
        }
        talk.caller_starts("u");
        talk.caller_stops("u");
        talk.act(|session, now| session.tell("The caller pressed 1.", now));
        talk.pass(waited);

        talk.begin_own("theirs");
        talk.done("theirs", "completed");
        talk.pass(600);

        assert_eq!(talk.response_creates(), created, "{confirms} {waited}");
    }
}

#[test]
fn a_slow_tool_call_waits_for_its_output() {
    let mut talk = Talk::greeted();
    talk.begin_own("r");
    talk.calls("r", "c1");
    talk.done("r", "completed");

    talk.pass(60_000);
    assert_eq!(talk.response_creates(), 0);
    talk.act(|session, now| session.answer_tool(&"c1".into(), "{}", true, now));

    assert_eq!(talk.response_creates(), 1);
}

#[test]
fn an_output_without_speak_requests_no_answer() {
    let mut talk = Talk::greeted();
    talk.begin_own("r");
    talk.calls("r", "bye");
    talk.done("r", "completed");

    talk.act(|session, now| session.answer_tool(&"bye".into(), "{}", false, now));

    assert_eq!(talk.kinds(), ["conversation.item.create"]);
}

#[test]
fn a_user_message_is_sent_and_answered() {
    let mut talk = Talk::greeted();

    talk.act(|session, now| session.tell("The caller pressed 4711.", now));

    assert_eq!(talk.kinds(), ["conversation.item.create", "response.create"]);
    assert_eq!(talk.item_texts(), ["The caller pressed 4711."]);
}

fn confirm(talk: &mut Talk, call_id: &str) {
    talk.server_sends(json!({"type": "conversation.item.added",
        "item": {"id": "theirs", "type": "function_call_output", "call_id": call_id}}));
}

fn calls(talk: &Talk) -> Vec<&str> {
    let calls = talk.events.iter().filter_map(|event| match event {
        SessionEvent::ToolCalled { call_id, .. } => Some(call_id.as_str()),
        _ => None,
    });
    calls.collect()
}

#[test]
fn a_call_that_comes_after_its_response_is_answered() {
    let mut talk = Talk::greeted();
    talk.begin_own("r");
    talk.done("r", "completed");
    talk.calls("r", "c1");

    talk.act(|session, now| session.answer_tool(&"c1".into(), "{}", true, now));

    assert_eq!(talk.response_creates(), 1);
}
