//! Tests the response queue: one response at a time, and prompts out of turn.

use super::*;

#[test]
fn requests_during_a_response_wait_and_collapse() {
    let mut talk = Talk::greeted();
    talk.begin_own("r");
    talk.act(|session, now| session.tell("one", now));
    talk.act(|session, now| session.tell("two", now));
    assert_eq!(talk.response_creates(), 0);

    talk.done("r", "completed");

    assert_eq!(talk.response_creates(), 1);
}

#[test]
fn a_request_refused_as_active_is_sent_again() {
    let mut talk = Talk::greeted();
    talk.act(|session, now| session.ask("Say goodbye.", true, now));
    talk.begin_own("r");
    talk.errs("conversation_already_has_active_response");
    assert_eq!(talk.response_creates(), 1);

    talk.done("r", "completed");

    assert_eq!(talk.response_creates(), 2);
}

#[test]
fn a_prompt_is_dropped_when_the_caller_speaks_unless_it_insists() {
    for (insists, created) in [(false, 0), (true, 1)] {
        let mut talk = Talk::greeted();
        talk.begin_own("r");
        talk.act(|session, now| session.ask("Say something.", insists, now));
        talk.caller_starts("u");
        talk.done("r", "cancelled");
        talk.caller_stops("u");
        talk.begin_own("s");
        talk.done("s", "completed");

        assert_eq!(talk.response_creates(), created, "{insists}");
    }
}

#[test]
fn a_prompt_that_times_out_is_deleted() {
    let mut talk = Talk::greeted();
    talk.act(|session, now| session.ask("Are you there?", false, now));
    let prompt = talk.sent_of("conversation.item.create")[0]["item"]["id"].clone();
    talk.caller_starts("u");

    talk.pass(10_000);

    let deleted = talk.sent_of("conversation.item.delete");
    assert_eq!(deleted.iter().map(|event| &event["item_id"]).collect::<Vec<_>>(), [&prompt]);
    assert_eq!(talk.response_creates(), 1, "the caller is there");
}

#[test]
fn a_withdrawn_goodbye_is_not_said() {
    let mut talk = Talk::greeted();
    talk.begin_own("r");
    talk.act(|session, now| session.ask("Say goodbye.", false, now));
    talk.act(Session::withdraw);
    talk.done("r", "completed");
    assert_eq!(talk.response_creates(), 0, "it was not asked for yet");

    talk.act(|session, now| session.ask("Say goodbye.", true, now));
    talk.act(Session::withdraw);
    talk.begin("s");
    talk.done("s", "completed");

    let order =
        ["conversation.item.create", "response.create", "response.cancel", "conversation.item.delete"];
    assert_eq!(talk.kinds(), order, "it was");
    assert!(!talk.events.contains(&SessionEvent::ResponseStarted { response: "s".into(), is_asked: true }));
}

#[test]
fn an_insistent_prompt_is_requested_until_it_has_audio() {
    let mut talk = Talk::greeted();
    talk.act(|session, now| session.ask("Say goodbye.", true, now));
    talk.act(Session::interrupt);
    talk.begin("r");
    talk.done("r", "cancelled");
    assert_eq!(talk.response_creates(), 2, "cancelled by us");
    talk.begin("s");
    talk.done("s", "cancelled");
    assert_eq!(talk.response_creates(), 3, "by the server");
    talk.begin("t");
    talk.speak("t", "bye", "Good", 200);
    talk.done("t", "cancelled");

    assert_eq!(talk.response_creates(), 3, "enough of it was said");
    assert!(talk.events.contains(&SessionEvent::ResponseStarted { response: "t".into(), is_asked: true }));
}

#[test]
fn a_prompt_is_a_system_message_without_tools() {
    let mut talk = Talk::greeted();

    talk.act(|session, now| session.ask("Say goodbye.", true, now));

    assert_eq!(talk.kinds(), ["conversation.item.create", "response.create"]);
    assert_eq!((talk.item_texts(), role_of(&talk)), (vec!["Say goodbye.".to_owned()], json!("system")));
    let response = &talk.sent_of("response.create")[0]["response"];
    assert_eq!(response.get("instructions"), None);
    assert_eq!(response["tool_choice"], "none");
}

#[test]
fn a_followed_prompt_stays_in_the_conversation() {
    let mut talk = Talk::greeted();
    talk.act(|session, now| session.ask("Are you there?", false, now));
    talk.say("r", "a", "Are you still there?", 800);

    talk.act(|session, now| session.ask("Are you there?", false, now));

    assert_eq!(talk.item_texts().len(), 2);
    assert_eq!(talk.sent_of("conversation.item.delete").len(), 0);
}

#[test]
fn a_prompt_that_was_not_followed_is_deleted() {
    let is_cancelled = |talk: &mut Talk| {
        talk.begin("r");
        talk.caller_starts("c");
        talk.ends("r", "cancelled", None);
    };
    let is_refused = |talk: &mut Talk| {
        let by = talk.sent_of("response.create")[0]["event_id"].clone();
        talk.server_sends(json!({"type": "error", "error": {"type": "invalid_request_error", "event_id": by,
            "code": "conversation_already_has_active_response", "message": "x"}}));
    };
    let fails = |talk: &mut Talk| {
        talk.begin("r");
        talk.fails("r", "server_error");
    };
    let never_begins = |talk: &mut Talk| talk.pass(10_000);
    let ways: [fn(&mut Talk); 4] = [is_cancelled, is_refused, fails, never_begins];
    for (way, ends) in ways.into_iter().enumerate() {
        let mut talk = Talk::greeted();
        talk.act(|session, now| session.ask("Are you there?", false, now));
        let put = talk.sent_of("conversation.item.create")[0]["item"]["id"].clone();

        ends(&mut talk);

        assert_eq!(talk.sent_of("conversation.item.delete")[0]["item_id"], put, "{way}");
    }
}

#[test]
fn a_prompt_outlasts_another_response() {
    let mut talk = Talk::greeted();
    talk.act(|session, now| session.ask("Say goodbye.", true, now));
    talk.begin_own("theirs");
    talk.done("theirs", "completed");

    assert_eq!(talk.sent_of("conversation.item.delete").len(), 0);
}

#[test]
fn a_response_may_end_without_a_start() {
    let mut talk = Talk::greeted();
    talk.act(|session, now| session.tell("one", now));
    let by = talk.sent_of("response.create")[0]["event_id"].clone();
    talk.server_sends(json!({"type": "response.done",
        "response": {"id": "r", "status": "cancelled", "metadata": {"client_event_id": by}}}));

    talk.act(|session, now| session.tell("two", now));

    assert_eq!(talk.response_creates(), 2);
}

#[test]
fn the_usage_of_a_response_is_reported() {
    let mut talk = Talk::greeted();
    talk.begin_own("r");
    talk.server_sends(
        json!({"type": "response.done", "response": {"id": "r", "status": "cancelled", "usage": {
        "input_token_details": {"text_tokens": 10, "audio_tokens": 5,
            "cached_tokens_details": {"text_tokens": 4, "audio_tokens": 0}},
        "output_token_details": {"text_tokens": 1, "audio_tokens": 2}}}}),
    );

    let used =
        Usage { text_in: 6, text_cached: 4, text_out: 1, audio_in: 5, audio_out: 2, ..Usage::default() };
    assert!(talk.events.contains(&SessionEvent::Usage(used)));
}

#[test]
fn an_empty_response_is_reported_as_saying_nothing() {
    let call = json!([{"id": "i", "type": "mcp_call", "status": "completed"}]);
    for (status, output, says_nothing) in [
        ("completed", json!([]), true),
        ("completed", json!([{"id": "i", "type": "message", "content": [{"type": "output_text"}]}]), true),
        ("incomplete", json!([]), true),
        ("completed", call, false),
        ("cancelled", json!([]), false),
        ("failed", json!([]), false),
    ] {
        let mut talk = Talk::greeted();
        talk.begin_own("r");
        talk.server_sends(
            json!({"type": "response.done", "response": {"id": "r", "status": status, "output": output}}),
        );

        let is_reported = talk.events.contains(&SessionEvent::ResponseEmpty { response: "r".into() });
        assert_eq!(is_reported, says_nothing, "{status} {output}");
    }
}

#[test]
fn a_response_with_audio_or_a_call_is_not_empty() {
    let mut talk = Talk::greeted();
    talk.say("r", "a", "Yes.", 300);
    talk.begin_own("s");
    talk.calls("s", "c1");
    talk.done("s", "completed");

    assert!(!talk.events.iter().any(|it| matches!(it, SessionEvent::ResponseEmpty { .. })));
}

/// Returns the role of the first created item.
fn role_of(talk: &Talk) -> Value {
    talk.sent_of("conversation.item.create")[0]["item"]["role"].clone()
}
