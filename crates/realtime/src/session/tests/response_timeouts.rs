//! Tests timeouts of responses: those that never start, stall or do not end.

use super::*;

#[test]
fn high_reasoning_effort_extends_the_first_progress_timeout() {
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
fn a_response_that_never_starts_is_retried_then_the_link_replaced() {
    let mut talk = Talk::greeted();
    talk.act(|session, now| session.tell("one", now));

    talk.pass(10_000);
    assert_eq!((talk.response_creates(), talk.connects.len()), (2, 1));

    talk.pass(10_000);
    assert_eq!(talk.connects.len(), 2);
    assert!(talk.events.contains(&SessionEvent::SessionLost { reason: "silent".into() }));
}

#[test]
fn a_response_starting_after_its_timeout_is_cancelled() {
    let mut talk = Talk::greeted();
    talk.act(|session, now| session.tell("one", now));
    let first = talk.sent_of("response.create")[0]["event_id"].clone();
    talk.pass(10_000);

    talk.server_sends(json!({"type": "response.created",
        "response": {"id": "late", "metadata": {"client_event_id": first}}}));

    assert_eq!(talk.kinds().last(), Some(&"response.cancel"));
}

#[test]
fn a_turn_the_server_does_not_answer_is_answered_on_request() {
    let mut talk = Talk::greeted();
    talk.caller_starts("u");
    talk.caller_stops("u");

    talk.pass(9_999);
    assert_eq!(talk.response_creates(), 0);
    talk.pass(1);

    assert_eq!(talk.response_creates(), 1);
}

#[test]
fn a_stalled_response_is_cancelled_and_requested_again() {
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
fn a_response_stalled_after_a_tool_call_waits_for_the_output() {
    for end in ["cancelled", "failed"] {
        let mut talk = Talk::greeted();
        talk.begin_own("r");
        talk.calls("r", "c1");
        talk.pass(8_000);
        talk.done("r", end);
        talk.pass(1_000);
        assert_eq!(talk.response_creates(), 0, "{end}");

        talk.act(|session, now| session.answer_tool(&"c1".into(), "{}", true, now));

        assert_eq!(talk.response_creates(), 1, "{end}");
    }
}

#[test]
fn a_link_that_does_not_cancel_is_replaced() {
    let mut talk = Talk::greeted();
    talk.begin_own("r");

    talk.pass(10_000);

    assert_eq!((talk.connects.len(), talk.closed.len()), (2, 1));
    assert!(talk.events.contains(&SessionEvent::ResponseDone { response: "r".into() }));
}

#[test]
fn a_hosted_call_extends_the_progress_timeout() {
    let mut talk = Talk::greeted();
    talk.begin_own("r");
    talk.server_sends(json!({"type": "response.mcp_call.in_progress", "item_id": "m", "output_index": 0}));
    talk.pass(30_000);
    assert_eq!(talk.sent, []);

    talk.server_sends(json!({"type": "response.mcp_call.completed", "item_id": "m", "output_index": 0}));
    talk.pass(8_000);

    assert_eq!(talk.kinds(), ["response.cancel"]);
}
