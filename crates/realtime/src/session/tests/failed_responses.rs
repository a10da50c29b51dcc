//! Tests responses that fail or are refused: rate limits, server errors, quotas.

use super::*;

#[test]
fn rate_limits_are_waited_for_up_to_three_seconds() {
    let mut talk = Talk::greeted();
    talk.caller_starts("u");
    talk.caller_stops("u");
    talk.begin_own("r");
    talk.server_sends(json!({"type": "rate_limits.updated",
        "rate_limits": [{"name": "tokens", "remaining": 0, "reset_seconds": 40.0}]}));
    talk.fails("r", "rate_limit_exceeded");

    talk.pass(2_999);
    assert_eq!(talk.response_creates(), 0);
    talk.pass(1);

    assert_eq!(talk.response_creates(), 1);
    assert!(
        matches!(&talk.events[..], [.., SessionEvent::ApiError(error)] if error.code == "rate_limit_exceeded")
    );
}

#[test]
fn a_limit_that_never_resets_is_capped_too() {
    let mut talk = Talk::greeted();
    talk.act(|session, now| session.tell("one", now));
    talk.begin("r");
    talk.server_sends(json!({"type": "rate_limits.updated",
        "rate_limits": [{"name": "tokens", "remaining": 0, "reset_seconds": 1e19}]}));
    talk.fails("r", "rate_limit_exceeded");
    talk.pass(3_000);

    assert_eq!(talk.response_creates(), 2);
}

#[test]
fn lasting_rate_limits_replace_the_session_and_then_fail() {
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
fn a_server_error_is_retried_once_then_the_session_replaced() {
    let mut talk = Talk::greeted();
    talk.act(|session, now| session.tell("one", now));
    talk.begin("r1");
    talk.fails("r1", "server_error");
    talk.pass(500);
    assert_eq!(talk.response_creates(), 2);

    talk.begin("r2");
    talk.fails("r2", "server_error");

    assert_eq!(talk.connects.len(), 2);
}

#[test]
fn an_error_without_an_event_id_is_about_the_requested_response() {
    for (code, message, created) in [
        ("rate_limit_exceeded", "x", 2),
        ("server_error", "x", 2),
        ("invalid_value", "Invalid 'response.create'", 2),
        ("invalid_value", "x", 1),
    ] {
        let mut talk = Talk::greeted();
        talk.act(|session, now| session.tell("one", now));
        talk.server_sends(
            json!({"type": "error", "error": {"code": code, "message": message, "event_id": null}}),
        );
        talk.pass(1_000);

        assert_eq!(talk.response_creates(), created, "{code} {message}");
    }
}

#[test]
fn an_answer_failed_by_session_expiry_comes_from_the_next() {
    let mut talk = Talk::greeted();
    talk.act(|session, now| session.tell("one", now));
    talk.begin("r");
    talk.forget();

    talk.fails("r", "session_expired");
    talk.accept();

    assert_eq!(talk.response_creates(), 1);
}

#[test]
fn an_exhausted_quota_is_fatal_with_a_cure() {
    let mut talk = Talk::greeted();
    talk.begin_own("r");

    talk.fails("r", "insufficient_quota");

    let failure = talk.failure().expect("it failed").clone();
    assert!(failure.is_fatal && failure.cure.contains("credit"), "{failure:?}");
    talk.down(ConnectionLoss::Failed("closed".into()));
    talk.pass(60_000);
    assert_eq!(talk.connects.len(), 1, "it does not reconnect");
}

#[test]
fn harmless_errors_and_unknown_events_change_nothing() {
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

    assert_eq!((talk.sent, talk.events), (vec![], vec![]));
}
