//! Tools.

use super::*;

#[test]
fn a_call_is_told_once_and_its_answer_is_asked_for_once_after_the_response() {
    let mut talk = Talk::greeted();
    talk.begin_own("r");
    talk.calls("r", "c1");
    talk.act(|session, now| session.answer_tool("c1", "{}", true, now));
    assert_eq!(talk.kinds(), ["conversation.item.create"], "the response is not over");

    let call = json!({"id": "ic1", "type": "function_call", "status": "completed", "call_id": "c1", "name": "look",
        "arguments": "{}"});
    talk.hear(
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

    talk.act(|session, now| session.answer_tool("c1", "{}", true, now));
    assert_eq!(talk.created(), 0);
    talk.act(|session, now| session.answer_tool("c2", "{}", false, now));
    talk.act(|session, now| session.answer_tool("c2", "{}", true, now));

    assert_eq!((talk.created(), talk.told()), (1, vec!["c1".to_owned(), "c2".to_owned()]));
}

#[test]
fn a_call_that_was_cut_off_is_not_run_and_one_that_was_whole_is() {
    let mut talk = Talk::greeted();
    talk.begin_own("r");
    talk.calls("r", "whole");
    let cut = json!({"id": "i", "type": "function_call", "status": "incomplete", "call_id": "cut", "name": "look",
        "arguments": "{\"ord"});
    talk.hear(json!({"type": "response.function_call_arguments.done", "response_id": "r", "item_id": "i",
        "call_id": "cut", "name": "look", "arguments": "{\"ord"}));
    talk.hear(json!({"type": "response.output_item.done", "response_id": "r", "item": cut}));
    talk.hear(
        json!({"type": "response.done", "response": {"id": "r", "status": "cancelled", "output": [cut]}}),
    );

    assert_eq!(calls(&talk), ["whole"]);
}

#[test]
fn the_output_is_sent_though_the_caller_speaks_and_their_turns_answer_is_the_only_one() {
    let mut talk = Talk::greeted();
    talk.begin_own("r");
    talk.calls("r", "c1");
    talk.done("r", "completed");
    talk.caller_starts("u");
    talk.act(|session, now| session.answer_tool("c1", "{}", true, now));
    assert_eq!(talk.kinds(), ["conversation.item.create"], "nobody talks over the caller");
    confirm(&mut talk, "c1");
    talk.caller_stops("u");

    talk.begin_own("s");
    talk.done("s", "completed");
    talk.pass(30_000);

    assert_eq!(talk.created(), 0);
}

#[test]
fn an_answer_that_began_before_the_output_was_there_does_not_count() {
    let mut talk = Talk::greeted();
    confirm(&mut talk, "the server is one that does");
    talk.begin_own("r");
    talk.calls("r", "c1");
    talk.done("r", "completed");
    talk.caller_starts("u");
    talk.caller_stops("u");
    talk.act(|session, now| session.answer_tool("c1", "{}", true, now));

    talk.begin_own("s");
    confirm(&mut talk, "c1");
    talk.done("s", "completed");

    assert_eq!(talk.created(), 1);
}

#[test]
fn a_server_that_confirms_nothing_or_too_late_is_believed_to_know_what_it_was_told() {
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

        assert_eq!(talk.created(), created, "{confirms} {waited}");
    }
}

#[test]
fn a_slow_tool_is_not_answered_before_it_has_an_output() {
    let mut talk = Talk::greeted();
    talk.begin_own("r");
    talk.calls("r", "c1");
    talk.done("r", "completed");

    talk.pass(60_000);
    assert_eq!(talk.created(), 0);
    talk.act(|session, now| session.answer_tool("c1", "{}", true, now));

    assert_eq!(talk.created(), 1);
}

#[test]
fn an_output_nobody_is_to_speak_of_is_only_sent() {
    let mut talk = Talk::greeted();
    talk.begin_own("r");
    talk.calls("r", "bye");
    talk.done("r", "completed");

    talk.act(|session, now| session.answer_tool("bye", "{}", false, now));

    assert_eq!(talk.kinds(), ["conversation.item.create"]);
}

#[test]
fn keys_are_told_and_answered() {
    let mut talk = Talk::greeted();

    talk.act(|session, now| session.tell("The caller pressed 4711.", now));

    assert_eq!(talk.kinds(), ["conversation.item.create", "response.create"]);
    assert_eq!(talk.told(), ["The caller pressed 4711."]);
}

fn confirm(talk: &mut Talk, call_id: &str) {
    talk.hear(json!({"type": "conversation.item.added",
        "item": {"id": "theirs", "type": "function_call_output", "call_id": call_id}}));
}

fn calls(talk: &Talk) -> Vec<&str> {
    let calls = talk.happened.iter().filter_map(|happening| match happening {
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

    talk.act(|session, now| session.answer_tool("c1", "{}", true, now));

    assert_eq!(talk.created(), 1);
}
