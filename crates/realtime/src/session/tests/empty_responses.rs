//! Tests empty responses.

use super::reconnecting::talked;
use super::*;
use crate::{EmptyResponseAction, Purpose};

/// Ways in which a response has no audible audio.
const SILENT_RESPONSES: [fn(&mut Talk, &str); 7] =
    [writes, is_empty, is_empty_and_incomplete, is_filtered, cuts_a_call, only_transcribes, says_zeros];

#[test]
fn a_response_without_audio_is_deleted_and_requested_again() {
    for respond_silently in SILENT_RESPONSES {
        let mut talk = talked();
        talk.begin_own("r");
        respond_silently(&mut talk, "r");

        let deletes = talk.sent_of("conversation.item.delete");
        let order: Vec<&str> = talk.kinds().into_iter().collect();
        assert_eq!(order.last(), Some(&"response.create"), "{order:?}");
        assert_eq!(order.len(), deletes.len() + 1, "{order:?}");
        assert!(deletes.iter().all(|delete| delete["item_id"] == "ir"), "{deletes:?}");
        assert_eq!(empty_responses(&talk), [(Purpose::Answer, EmptyResponseAction::AskedAgain)]);
    }
}

#[test]
fn empty_greetings_prompts_and_answers_are_requested_again() {
    let mut greeting = Talk::ready_with(config());
    greeting.begin("r");
    writes(&mut greeting, "r");
    let asked: Vec<_> = greeting
        .sent_of("response.create")
        .iter()
        .map(|event| event["response"]["instructions"].clone())
        .collect();
    assert_eq!((asked.len(), &asked[0]), (2, &asked[1]));
    assert_eq!(empty_responses(&greeting), [(Purpose::Greeting, EmptyResponseAction::AskedAgain)]);

    let mut prompt = talked();
    prompt.act(|session, now| session.ask("Are you there?", false, now));
    prompt.begin("r");
    is_empty(&mut prompt, "r");
    let asked = prompt.sent_of("response.create");
    assert_eq!(asked.len(), 2);
    assert_eq!(prompt.item_texts(), ["Are you there?", "Are you there?"]);
    assert_eq!(prompt.sent_of("conversation.item.delete").len(), 1, "it is there once");

    let mut keys = talked();
    keys.act(|session, now| session.tell("The caller pressed 1.", now));
    keys.begin("r");
    is_empty(&mut keys, "r");
    assert_eq!(keys.response_creates(), 2);

    let mut tool = talked();
    tool.begin_own("r");
    tool.calls("r", "c1");
    tool.ends("r", "completed", None);
    tool.act(|session, now| session.answer_tool(&"c1".into(), "{}", true, now));
    tool.begin("s");
    writes(&mut tool, "s");
    assert_eq!(tool.response_creates(), 2);
    assert_eq!(tool.sent_of("conversation.item.delete").len(), 1, "the call and its output stay");
}

#[test]
fn repeated_empty_responses_replace_the_session_and_then_fail() {
    for respond_silently in SILENT_RESPONSES {
        let mut talk = talked();
        talk.begin_own("r1");
        respond_silently(&mut talk, "r1");
        talk.begin("r2");
        respond_silently(&mut talk, "r2");
        assert_eq!((talk.connects.len(), talk.closed.len()), (2, 1));
        assert!(talk.events.contains(&SessionEvent::SessionLost { reason: "no_sound".into() }));
        talk.sent.clear();
        talk.accept();
        assert_eq!(talk.response_creates(), 1, "{:?}", talk.kinds());
        let retold = format!("{:?}", talk.item_texts());
        assert!(!retold.contains("Of course"), "what could not be heard was never said: {retold}");

        talk.begin("r3");
        respond_silently(&mut talk, "r3");

        let failure = talk.failure().expect("it gave up").clone();
        assert!(failure.code == "no_sound" && failure.cure.contains("without a sound"), "{failure:?}");
        let then: Vec<EmptyResponseAction> =
            empty_responses(&talk).into_iter().map(|(_, then)| then).collect();
        assert_eq!(
            then,
            [
                EmptyResponseAction::AskedAgain,
                EmptyResponseAction::AnotherSession,
                EmptyResponseAction::GaveUp
            ]
        );
    }
}

#[test]
fn a_repeatedly_silent_greeting_is_requested_from_another_session() {
    for respond_silently in SILENT_RESPONSES {
        let mut talk = Talk::ready_with(config());
        for response in ["r1", "r2"] {
            talk.begin(response);
            respond_silently(&mut talk, response);
        }
        talk.sent.clear();
        talk.pass(300);

        talk.accept();

        let asked = talk.sent_of("response.create");
        assert_eq!(asked.len(), 1, "{:?}", talk.kinds());
        assert!(asked[0]["response"]["instructions"].as_str().is_some_and(|words| words.contains("Greet")));
        assert_eq!(talk.item_texts(), [""; 0]);
    }
}

#[test]
fn a_failed_silent_greeting_is_requested_as_a_greeting() {
    let mut talk = Talk::ready_with(config());
    talk.begin("r");
    talk.speak_at(0, "r", "ir", "Hello.", 500);
    talk.fails("r", "server_error");
    talk.pass(300);

    let asked = talk.sent_of("response.create");
    assert_eq!(
        (asked.len(), &asked[0]["response"]["instructions"]),
        (2, &asked[1]["response"]["instructions"])
    );
}

#[test]
fn silent_audio_is_not_reported() {
    let mut talk = talked();
    talk.begin_own("r");
    talk.calls("r", "c1");
    talk.speak_at(0, "r", "ir", "Of course.", 500);
    talk.finish("r", "ir");
    talk.ends("r", "completed", None);

    let is_of_item = |event: &&SessionEvent| match event {
        SessionEvent::Audio { item, .. }
        | SessionEvent::ItemDone { item }
        | SessionEvent::AgentTranscript { item, .. } => item.as_str() == "ir",
        _ => false,
    };
    assert_eq!(talk.events.iter().find(is_of_item), None);
    assert_eq!(talk.sent_of("conversation.item.delete")[0]["item_id"], "ir", "the caller did not hear it");
}

#[test]
fn interrupted_silent_audio_is_deleted() {
    let mut talk = talked();
    talk.begin_own("r");
    talk.speak_at(0, "r", "ir", "Of course.", 500);
    talk.caller_starts("v");
    talk.ends("r", "cancelled", Some("turn_detected"));

    assert_eq!(talk.kinds(), ["conversation.item.delete"]);
}

#[test]
fn a_goodbye_cut_off_while_silent_is_requested_again() {
    let mut talk = talked();
    talk.act(|session, now| session.ask("Say goodbye.", true, now));
    talk.begin("r");
    talk.speak_at(0, "r", "ir", "Goodbye.", 500);
    talk.ends("r", "cancelled", None);

    assert_eq!(talk.response_creates(), 2);
}

#[test]
fn an_audible_response_resets_the_empty_count() {
    let mut talk = talked();
    for round in 0..4 {
        talk.begin_own(&format!("q{round}"));
        is_empty(&mut talk, &format!("q{round}"));
        talk.say(&format!("s{round}"), &format!("said{round}"), "Of course.", 300);
    }

    assert_eq!((talk.connects.len(), talk.response_creates()), (1, 4));
}

#[test]
fn an_empty_response_after_a_reconnect_is_requested_again() {
    let mut talk = talked();
    talk.down(ConnectionLoss::Failed("reset".into()));
    talk.accept();
    talk.forget();
    talk.begin_own("r");
    writes(&mut talk, "r");

    assert_eq!(talk.kinds(), ["conversation.item.delete", "response.create"]);
    assert_eq!(talk.sent_of("conversation.item.delete")[0]["item_id"], "ir", "its server knows it so");
}

#[test]
fn an_incomplete_response_is_reported_with_its_reason() {
    let mut talk = talked();
    talk.begin_own("r");
    talk.ends("r", "incomplete", Some("content_filter"));

    let is_reported = talk.events.iter().any(|event| match event {
        SessionEvent::ResponseLacking { status, reason, .. } => {
            status == "incomplete" && reason.as_deref() == Some("content_filter")
        }
        _ => false,
    });
    assert!(is_reported, "{:?}", talk.events);
}

#[test]
fn an_interrupted_or_cancelled_response_may_be_empty() {
    let mut interrupted = talked();
    interrupted.begin_own("r");
    interrupted.caller_starts("v");
    interrupted.ends("r", "cancelled", Some("turn_detected"));
    assert_eq!(interrupted.sent, []);

    for status in ["cancelled", "completed", "incomplete"] {
        let mut cancelled = Talk::greeted_with(local_turns());
        cancelled.act(|session, now| session.yield_turn(true, now));
        cancelled.begin("r");
        cancelled.act(Session::interrupt);
        cancelled.ends("r", status, None);
        assert_eq!(cancelled.kinds(), ["response.create", "response.cancel"], "{status}");
        assert_eq!(empty_responses(&cancelled), []);
    }
}

#[test]
fn a_caller_who_speaks_after_an_empty_response_is_answered_once() {
    let mut talk = talked();
    talk.begin_own("r");
    is_empty(&mut talk, "r");
    talk.caller_starts("v");
    talk.begin("s");
    talk.ends("s", "cancelled", Some("turn_detected"));
    talk.caller_stops("v");
    talk.begin_own("t");
    talk.done("t", "completed");
    talk.pass(30_000);

    assert_eq!(talk.response_creates(), 1);
}

#[test]
fn an_empty_response_after_a_goodbye_is_accepted() {
    let mut talk = talked();
    talk.act(|session, _| session.set_leaving(true));
    talk.begin_own("r");
    is_empty(&mut talk, "r");
    talk.pass(9_000);

    assert_eq!(talk.response_creates(), 0);
    assert_eq!(empty_responses(&talk), [(Purpose::Answer, EmptyResponseAction::Done)]);
}

#[test]
fn an_empty_goodbye_is_requested_once_more_and_then_accepted() {
    let mut talk = talked();
    talk.act(|session, _| session.set_leaving(true));
    talk.act(|session, now| session.ask("Say goodbye.", true, now));
    talk.begin("r");
    writes(&mut talk, "r");
    assert_eq!(talk.response_creates(), 2);
    talk.begin("s");
    is_empty(&mut talk, "s");

    assert_eq!((talk.response_creates(), talk.connects.len()), (2, 1));
    assert_eq!(
        empty_responses(&talk),
        [(Purpose::Asked, EmptyResponseAction::AskedAgain), (Purpose::Asked, EmptyResponseAction::Done)]
    );
}

#[test]
fn a_pending_goodbye_is_not_replaced_by_a_retried_prompt() {
    let is_silent: fn(&mut Talk) = |talk| is_empty(talk, "r");
    let fails: fn(&mut Talk) = |talk| talk.fails("r", "server_error");
    let is_cut: fn(&mut Talk) = |talk| {
        talk.speak("r", "half", "Are you", 400);
        talk.ends("r", "incomplete", Some("max_output_tokens"));
    };
    let is_lost: fn(&mut Talk) = |talk| {
        talk.down(ConnectionLoss::Failed("reset".into()));
        talk.accept();
    };
    for (at, ends) in [is_silent, fails, is_cut, is_lost].into_iter().enumerate() {
        let mut talk = talked();
        talk.act(|session, now| session.ask("Are you there?", false, now));
        talk.begin("r");
        talk.act(|session, now| session.ask("Say goodbye.", true, now));
        ends(&mut talk);
        talk.pass(1_500);

        let asked = talk.sent_of("response.create");
        assert_eq!((asked.len(), talk.item_texts().last()), (2, Some(&"Say goodbye.".to_owned())), "{at}");
    }
}

#[test]
fn empty_responses_count_again_when_the_call_continues() {
    let mut talk = talked();
    talk.act(|session, _| session.set_leaving(true));
    talk.act(|session, _| session.set_leaving(false));
    talk.begin_own("r");
    is_empty(&mut talk, "r");

    assert_eq!(talk.response_creates(), 1);
}

#[test]
fn rate_limits_reported_after_the_response_are_waited_for() {
    let mut talk = talked();
    talk.begin_own("r");
    talk.fails("r", "rate_limit_exceeded");
    talk.server_sends(json!({"type": "rate_limits.updated",
        "rate_limits": [{"name": "tokens", "remaining": 0, "reset_seconds": 2.5}]}));

    talk.pass(2_499);
    assert_eq!(talk.response_creates(), 0);
    talk.pass(1);

    assert_eq!(talk.response_creates(), 1);
}

fn writes(talk: &mut Talk, response: &str) {
    let item = |status: &str, content: Value| json!({"id": format!("i{response}"), "type": "message", "role": "assistant", "status": status, "content": content});
    let content = json!([{"type": "output_text", "text": "Of course. Which day suits you?"}]);
    talk.server_sends(json!({"type": "response.output_item.added", "response_id": response, "item": item("in_progress", json!([]))}));
    talk.server_sends(json!({"type": "response.output_text.delta", "response_id": response, "item_id": format!("i{response}"),
        "delta": "Of course."}));
    talk.server_sends(json!({"type": "response.output_item.done", "response_id": response, "item": item("completed", content.clone())}));
    talk.server_sends(json!({"type": "response.done", "response": {"id": response, "status": "completed",
        "status_details": {"type": "completed"}, "output": [item("completed", content)]}}));
}

fn is_empty(talk: &mut Talk, response: &str) {
    talk.server_sends(
        json!({"type": "response.done", "response": {"id": response, "status": "completed", "output": []}}),
    );
}

fn is_empty_and_incomplete(talk: &mut Talk, response: &str) {
    talk.ends(response, "incomplete", Some("max_output_tokens"));
}

/// The reason may be new, or missing.
fn is_filtered(talk: &mut Talk, response: &str) {
    let item = json!({"id": format!("i{response}"), "type": "message", "status": "in_progress"});
    talk.server_sends(json!({"type": "response.output_item.added", "response_id": response, "item": item}));
    talk.ends(response, "incomplete", None);
}

fn cuts_a_call(talk: &mut Talk, response: &str) {
    let call = json!({"id": format!("i{response}"), "type": "function_call", "status": "incomplete", "call_id": "c",
        "name": "look", "arguments": "{\"ord"});
    talk.server_sends(json!({"type": "response.output_item.done", "response_id": response, "item": call}));
    talk.ends(response, "incomplete", Some("max_output_tokens"));
}

/// The transcript runs ahead of audio that never arrives.
fn only_transcribes(talk: &mut Talk, response: &str) {
    let item = format!("i{response}");
    let message = |status: &str| json!({"id": item, "type": "message", "status": status});
    talk.server_sends(json!({"type": "response.output_item.added", "response_id": response, "item": message("in_progress")}));
    talk.server_sends(
        json!({"type": "response.output_audio_transcript.done", "response_id": response, "item_id": item,
        "transcript": "Of course."}),
    );
    talk.server_sends(
        json!({"type": "response.output_audio.done", "response_id": response, "item_id": item}),
    );
    talk.server_sends(
        json!({"type": "response.output_item.done", "response_id": response, "item": message("completed")}),
    );
    talk.ends(response, "completed", None);
}

fn says_zeros(talk: &mut Talk, response: &str) {
    let item = format!("i{response}");
    talk.speak_at(0, response, &item, "Of course.", 500);
    talk.finish(response, &item);
    talk.ends(response, "completed", None);
}

pub(super) fn empty_responses(talk: &Talk) -> Vec<(Purpose, EmptyResponseAction)> {
    let empty_responses = talk.events.iter().filter_map(|event| match event {
        SessionEvent::ResponseLacking { purpose, then, .. } => Some((*purpose, *then)),
        _ => None,
    });
    empty_responses.collect()
}
