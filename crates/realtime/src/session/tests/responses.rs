//! One response at a time, and what happens to those that fail or never come.

use super::*;

#[test]
fn what_is_asked_for_while_the_agent_speaks_waits_and_collapses() {
    let mut talk = Talk::greeted();
    talk.begin_own("r");
    talk.act(|session, now| session.tell("one", now));
    talk.act(|session, now| session.tell("two", now));
    assert_eq!(talk.created(), 0);

    talk.done("r", "completed");

    assert_eq!(talk.created(), 1);
}

#[test]
fn a_wish_that_crossed_with_the_callers_turn_is_asked_again() {
    let mut talk = Talk::greeted();
    talk.act(|session, now| session.ask("Say goodbye.", true, now));
    talk.begin_own("r");
    talk.errs("conversation_already_has_active_response");
    assert_eq!(talk.created(), 1);

    talk.done("r", "completed");

    assert_eq!(talk.created(), 2);
}

#[test]
fn a_question_whether_anybody_is_there_is_dropped_when_somebody_is_and_a_goodbye_is_not() {
    for (insists, created) in [(false, 0), (true, 1)] {
        let mut talk = Talk::greeted();
        talk.begin_own("r");
        talk.act(|session, now| session.ask("Say something.", insists, now));
        talk.caller_starts("u");
        talk.done("r", "cancelled");
        talk.caller_stops("u");
        talk.begin_own("s");
        talk.done("s", "completed");

        assert_eq!(talk.created(), created, "{insists}");
    }
}

#[test]
fn words_that_are_given_up_are_taken_out_of_the_conversation() {
    let mut talk = Talk::greeted();
    talk.act(|session, now| session.ask("Are you there?", false, now));
    let prompt = talk.sent_of("conversation.item.create")[0]["item"]["id"].clone();
    talk.caller_starts("u");

    talk.pass(10_000);

    let deleted = talk.sent_of("conversation.item.delete");
    assert_eq!(deleted.iter().map(|event| &event["item_id"]).collect::<Vec<_>>(), [&prompt]);
    assert_eq!(talk.created(), 1, "the caller is there");
}

#[test]
fn a_goodbye_that_is_called_off_is_not_said() {
    let mut talk = Talk::greeted();
    talk.begin_own("r");
    talk.act(|session, now| session.ask("Say goodbye.", false, now));
    talk.act(Session::withdraw);
    talk.done("r", "completed");
    assert_eq!(talk.created(), 0, "it was not asked for yet");

    talk.act(|session, now| session.ask("Say goodbye.", true, now));
    talk.act(Session::withdraw);
    talk.begin("s");
    talk.done("s", "completed");

    let order =
        ["conversation.item.create", "response.create", "response.cancel", "conversation.item.delete"];
    assert_eq!(talk.kinds(), order, "it was");
    assert!(!talk.happened.contains(&SessionEvent::Began { response: "s".into(), is_asked: true }));
}

#[test]
fn a_goodbye_that_is_insisted_on_is_said_however_often_it_is_cut_off_before_its_first_sound() {
    let mut talk = Talk::greeted();
    talk.act(|session, now| session.ask("Say goodbye.", true, now));
    talk.act(Session::interrupt);
    talk.begin("r");
    talk.done("r", "cancelled");
    assert_eq!(talk.created(), 2, "cancelled by us");
    talk.begin("s");
    talk.done("s", "cancelled");
    assert_eq!(talk.created(), 3, "by the server");
    talk.begin("t");
    talk.speak("t", "bye", "Good", 200);
    talk.done("t", "cancelled");

    assert_eq!(talk.created(), 3, "enough of it was said");
    assert!(talk.happened.contains(&SessionEvent::Began { response: "t".into(), is_asked: true }));
}

#[test]
fn a_model_that_is_to_think_hard_may_take_its_time_before_the_first_word() {
    let mut config = config();
    config.options.reasoning_effort = Some(crate::options::Effort::High);
    let mut talk = Talk::greeted_with(config);
    talk.begin_own("r");
    talk.pass(30_000);
    assert_eq!(talk.sent, []);

    talk.speak("r", "a", "Well", 100);
    talk.pass(8_000);

    assert_eq!(talk.kinds(), ["response.cancel"]);
}

#[test]
fn words_of_ours_leave_the_instructions_alone_and_go_without_tools() {
    let mut talk = Talk::greeted();

    talk.act(|session, now| session.ask("Say goodbye.", true, now));

    assert_eq!(talk.kinds(), ["conversation.item.create", "response.create"]);
    assert_eq!((talk.told(), role_of(&talk)), (vec!["Say goodbye.".to_owned()], json!("system")));
    let response = &talk.sent_of("response.create")[0]["response"];
    assert_eq!(response.get("instructions"), None);
    assert_eq!(response["tool_choice"], "none");
}

#[test]
fn words_of_ours_that_were_said_stay_where_they_are() {
    let mut talk = Talk::greeted();
    talk.act(|session, now| session.ask("Are you there?", false, now));
    talk.say("r", "a", "Are you still there?", 800);

    talk.act(|session, now| session.ask("Are you there?", false, now));

    assert_eq!(talk.told().len(), 2);
    assert_eq!(talk.sent_of("conversation.item.delete").len(), 0);
}

#[test]
fn words_of_ours_that_were_not_said_are_taken_out() {
    let is_cancelled = |talk: &mut Talk| {
        talk.begin("r");
        talk.caller_starts("c");
        talk.ends("r", "cancelled", None);
    };
    let is_refused = |talk: &mut Talk| {
        let by = talk.sent_of("response.create")[0]["event_id"].clone();
        talk.hear(json!({"type": "error", "error": {"type": "invalid_request_error", "event_id": by,
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
fn another_response_that_ends_first_leaves_our_words_in() {
    let mut talk = Talk::greeted();
    talk.act(|session, now| session.ask("Say goodbye.", true, now));
    talk.begin_own("theirs");
    talk.done("theirs", "completed");

    assert_eq!(talk.sent_of("conversation.item.delete").len(), 0);
}

#[test]
fn the_end_of_a_response_that_never_began_is_its_end() {
    let mut talk = Talk::greeted();
    talk.act(|session, now| session.tell("one", now));
    let by = talk.sent_of("response.create")[0]["event_id"].clone();
    talk.hear(json!({"type": "response.done",
        "response": {"id": "r", "status": "cancelled", "metadata": {"client_event_id": by}}}));

    talk.act(|session, now| session.tell("two", now));

    assert_eq!(talk.created(), 2);
}

#[test]
fn a_response_that_does_not_begin_is_asked_for_once_more_and_then_the_link_is_dead() {
    let mut talk = Talk::greeted();
    talk.act(|session, now| session.tell("one", now));

    talk.pass(10_000);
    assert_eq!((talk.created(), talk.connects.len()), (2, 1));

    talk.pass(10_000);
    assert_eq!(talk.connects.len(), 2);
    assert!(talk.happened.contains(&SessionEvent::SessionLost { reason: "silent".into() }));
}

#[test]
fn one_that_comes_after_it_was_given_up_is_cancelled() {
    let mut talk = Talk::greeted();
    talk.act(|session, now| session.tell("one", now));
    let first = talk.sent_of("response.create")[0]["event_id"].clone();
    talk.pass(10_000);

    talk.hear(json!({"type": "response.created",
        "response": {"id": "late", "metadata": {"client_event_id": first}}}));

    assert_eq!(talk.kinds().last(), Some(&"response.cancel"));
}

#[test]
fn a_turn_nobody_answers_is_answered_by_our_asking() {
    let mut talk = Talk::greeted();
    talk.caller_starts("u");
    talk.caller_stops("u");

    talk.pass(9_999);
    assert_eq!(talk.created(), 0);
    talk.pass(1);

    assert_eq!(talk.created(), 1);
}

#[test]
fn a_response_that_falls_silent_is_cancelled_and_asked_for_again() {
    let mut talk = Talk::greeted();
    talk.begin_own("r");
    talk.pass(7_000);
    talk.speak("r", "a", "Well", 100);
    talk.pass(7_999);
    assert_eq!(talk.sent, []);

    talk.pass(1);
    assert_eq!(talk.kinds(), ["response.cancel"]);
    talk.done("r", "cancelled");

    assert_eq!(talk.kinds(), ["response.cancel", "response.create"]);
}

#[test]
fn one_that_stops_coming_after_a_call_is_asked_for_with_the_output_only() {
    for end in ["cancelled", "failed"] {
        let mut talk = Talk::greeted();
        talk.begin_own("r");
        talk.calls("r", "c1");
        talk.pass(8_000);
        talk.done("r", end);
        talk.pass(1_000);
        assert_eq!(talk.created(), 0, "{end}");

        talk.act(|session, now| session.answer_tool("c1", "{}", true, now));

        assert_eq!(talk.created(), 1, "{end}");
    }
}

#[test]
fn a_link_that_does_not_even_cancel_is_dead() {
    let mut talk = Talk::greeted();
    talk.begin_own("r");

    talk.pass(10_000);

    assert_eq!((talk.connects.len(), talk.closed.len()), (2, 1));
    assert!(talk.happened.contains(&SessionEvent::Ended { response: "r".into() }));
}

#[test]
fn a_response_may_be_silent_while_a_hosted_tool_works() {
    let mut talk = Talk::greeted();
    talk.begin_own("r");
    talk.hear(json!({"type": "response.mcp_call.in_progress", "item_id": "m", "output_index": 0}));
    talk.pass(30_000);
    assert_eq!(talk.sent, []);

    talk.hear(json!({"type": "response.mcp_call.completed", "item_id": "m", "output_index": 0}));
    talk.pass(8_000);

    assert_eq!(talk.kinds(), ["response.cancel"]);
}

#[test]
fn rate_limits_are_waited_for_as_told_but_no_longer_than_three_seconds() {
    let mut talk = Talk::greeted();
    talk.caller_starts("u");
    talk.caller_stops("u");
    talk.begin_own("r");
    talk.hear(json!({"type": "rate_limits.updated",
        "rate_limits": [{"name": "tokens", "remaining": 0, "reset_seconds": 40.0}]}));
    talk.fails("r", "rate_limit_exceeded");

    talk.pass(2_999);
    assert_eq!(talk.created(), 0);
    talk.pass(1);

    assert_eq!(talk.created(), 1);
    assert!(
        matches!(&talk.happened[..], [.., SessionEvent::Troubled(trouble)] if trouble.code == "rate_limit_exceeded")
    );
}

#[test]
fn a_limit_that_is_never_reset_is_waited_for_no_longer() {
    let mut talk = Talk::greeted();
    talk.act(|session, now| session.tell("one", now));
    talk.begin("r");
    talk.hear(json!({"type": "rate_limits.updated",
        "rate_limits": [{"name": "tokens", "remaining": 0, "reset_seconds": 1e19}]}));
    talk.fails("r", "rate_limit_exceeded");
    talk.pass(3_000);

    assert_eq!(talk.created(), 2);
}

#[test]
fn limits_that_last_lead_to_another_session_and_then_to_the_end() {
    let mut talk = Talk::greeted();
    talk.act(|session, now| session.tell("one", now));
    for id in ["r1", "r2", "r3", "r4"] {
        talk.begin(id);
        talk.fails(id, "inference_rate_limit_exceeded");
        talk.pass(3_000);
    }
    assert_eq!(talk.connects.len(), 2, "three tries more, then another session");
    talk.accept();
    for id in ["s1", "s2", "s3", "s4"] {
        talk.begin(id);
        talk.fails(id, "inference_rate_limit_exceeded");
        talk.pass(3_000);
    }

    let failure = talk.failure().expect("it gave up");
    assert!(!failure.is_fatal, "{failure:?}");
}

#[test]
fn a_server_error_is_worth_one_more_try_and_then_another_session() {
    let mut talk = Talk::greeted();
    talk.act(|session, now| session.tell("one", now));
    talk.begin("r1");
    talk.fails("r1", "server_error");
    talk.pass(500);
    assert_eq!(talk.created(), 2);

    talk.begin("r2");
    talk.fails("r2", "server_error");

    assert_eq!(talk.connects.len(), 2);
}

#[test]
fn a_refusal_that_does_not_say_of_what_is_of_what_was_asked_for() {
    for (code, message, created) in [
        ("rate_limit_exceeded", "x", 2),
        ("server_error", "x", 2),
        ("invalid_value", "Invalid 'response.create'", 2),
        ("invalid_value", "x", 1),
    ] {
        let mut talk = Talk::greeted();
        talk.act(|session, now| session.tell("one", now));
        talk.hear(json!({"type": "error", "error": {"code": code, "message": message, "event_id": null}}));
        talk.pass(1_000);

        assert_eq!(talk.created(), created, "{code} {message}");
    }
}

#[test]
fn an_answer_that_fails_as_its_session_expires_is_given_by_the_next() {
    let mut talk = Talk::greeted();
    talk.act(|session, now| session.tell("one", now));
    talk.begin("r");
    talk.forget();

    talk.fails("r", "session_expired");
    talk.accept();

    assert_eq!(talk.created(), 1);
}

#[test]
fn a_spent_quota_is_the_end_and_says_what_to_do() {
    let mut talk = Talk::greeted();
    talk.begin_own("r");

    talk.fails("r", "insufficient_quota");

    let failure = talk.failure().expect("it failed").clone();
    assert!(failure.is_fatal && failure.cure.contains("credit"), "{failure:?}");
    talk.down(ConnectionLoss::Failed("closed".into()));
    talk.pass(60_000);
    assert_eq!(talk.connects.len(), 1, "nobody tries again");
}

#[test]
fn crossings_on_the_wire_and_unknown_events_change_nothing() {
    let mut talk = Talk::greeted();
    for code in
        ["response_cancel_not_active", "input_audio_buffer_commit_empty", "item_create_duplicate_item_id"]
    {
        talk.errs(code);
    }
    let link = talk.session.link.id;
    for odd in
        ["{\"type\":\"response.juggled\"}", "{}", "no json", "{\"type\":\"response.output_audio.delta\"}"]
    {
        talk.session.handle_event(link, ServerEvent::read(odd), talk.now, T0);
    }
    talk.drain();

    assert_eq!((talk.sent, talk.happened), (vec![], vec![]));
}

#[test]
fn what_a_response_took_is_told() {
    let mut talk = Talk::greeted();
    talk.begin_own("r");
    talk.hear(json!({"type": "response.done", "response": {"id": "r", "status": "cancelled", "usage": {
        "input_token_details": {"text_tokens": 10, "audio_tokens": 5,
            "cached_tokens_details": {"text_tokens": 4, "audio_tokens": 0}},
        "output_token_details": {"text_tokens": 1, "audio_tokens": 2}}}}));

    let used =
        Usage { text_in: 6, text_cached: 4, text_out: 1, audio_in: 5, audio_out: 2, ..Usage::default() };
    assert!(talk.happened.contains(&SessionEvent::Used(used)));
}

#[test]
fn a_response_that_brings_nothing_is_told_of_as_such() {
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
        talk.hear(
            json!({"type": "response.done", "response": {"id": "r", "status": status, "output": output}}),
        );

        let told = talk.happened.contains(&SessionEvent::SaidNothing { response: "r".into() });
        assert_eq!(told, says_nothing, "{status} {output}");
    }
}

#[test]
fn a_response_with_sound_or_a_call_brings_something() {
    let mut talk = Talk::greeted();
    talk.say("r", "a", "Yes.", 300);
    talk.begin_own("s");
    talk.calls("s", "c1");
    talk.done("s", "completed");

    assert!(!talk.happened.iter().any(|it| matches!(it, SessionEvent::SaidNothing { .. })));
}

/// Whose the item is that was put into the conversation first.
fn role_of(talk: &Talk) -> Value {
    talk.sent_of("conversation.item.create")[0]["item"]["role"].clone()
}
