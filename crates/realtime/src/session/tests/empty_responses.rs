//! Responses that bring nothing, or half a sentence.

use super::reconnecting::talked;
use super::*;
use crate::{EmptyResponseAction, Purpose};

/// Responses that cannot be heard.
const MUTE: [fn(&mut Talk, &str); 7] =
    [writes, is_empty, is_empty_and_incomplete, is_filtered, cuts_a_call, only_transcribes, says_zeros];

#[test]
fn whatever_brings_no_sound_is_taken_out_and_asked_for_once_more() {
    for mute in MUTE {
        let mut talk = talked();
        talk.begin_own("r");
        mute(&mut talk, "r");

        let deletes = talk.sent_of("conversation.item.delete");
        let order: Vec<&str> = talk.kinds().into_iter().collect();
        assert_eq!(order.last(), Some(&"response.create"), "{order:?}");
        assert_eq!(order.len(), deletes.len() + 1, "{order:?}");
        assert!(deletes.iter().all(|delete| delete["item_id"] == "ir"), "{deletes:?}");
        assert_eq!(lacks(&talk), [(Purpose::Answer, EmptyResponseAction::AskedAgain)]);
    }
}

#[test]
fn greeting_nudge_keys_and_a_tools_answer_are_asked_for_again_too() {
    let mut greeting = Talk::ready_with(config());
    greeting.begin("r");
    writes(&mut greeting, "r");
    let asked: Vec<_> = greeting
        .sent_of("response.create")
        .iter()
        .map(|event| event["response"]["instructions"].clone())
        .collect();
    assert_eq!((asked.len(), &asked[0]), (2, &asked[1]));
    assert_eq!(lacks(&greeting), [(Purpose::Greeting, EmptyResponseAction::AskedAgain)]);

    let mut nudge = talked();
    nudge.act(|session, now| session.ask("Are you there?", false, now));
    nudge.begin("r");
    is_empty(&mut nudge, "r");
    let asked = nudge.sent_of("response.create");
    assert_eq!(asked.len(), 2);
    assert_eq!(nudge.told(), ["Are you there?", "Are you there?"]);
    assert_eq!(nudge.sent_of("conversation.item.delete").len(), 1, "it is there once");

    let mut keys = talked();
    keys.act(|session, now| session.tell("The caller pressed 1.", now));
    keys.begin("r");
    is_empty(&mut keys, "r");
    assert_eq!(keys.created(), 2);

    let mut tool = talked();
    tool.begin_own("r");
    tool.calls("r", "c1");
    tool.ends("r", "completed", None);
    tool.act(|session, now| session.answer_tool("c1", "{}", true, now));
    tool.begin("s");
    writes(&mut tool, "s");
    assert_eq!(tool.created(), 2);
    assert_eq!(tool.sent_of("conversation.item.delete").len(), 1, "the call and its output stay");
}

#[test]
fn a_second_time_it_is_asked_of_another_session_and_then_given_up() {
    for mute in MUTE {
        let mut talk = talked();
        talk.begin_own("r1");
        mute(&mut talk, "r1");
        talk.begin("r2");
        mute(&mut talk, "r2");
        assert_eq!((talk.connects.len(), talk.closed.len()), (2, 1));
        assert!(talk.happened.contains(&SessionEvent::SessionLost { reason: "no_sound".into() }));
        talk.sent.clear();
        talk.accept();
        assert_eq!(talk.created(), 1, "{:?}", talk.kinds());
        let retold = format!("{:?}", talk.told());
        assert!(!retold.contains("Of course"), "what could not be heard was never said: {retold}");

        talk.begin("r3");
        mute(&mut talk, "r3");

        let failure = talk.failure().expect("it gave up").clone();
        assert!(failure.code == "no_sound" && failure.cure.contains("without a sound"), "{failure:?}");
        let then: Vec<EmptyResponseAction> = lacks(&talk).into_iter().map(|(_, then)| then).collect();
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
fn a_greeting_that_stays_mute_is_asked_of_another_session_as_a_greeting() {
    for mute in MUTE {
        let mut talk = Talk::ready_with(config());
        for response in ["r1", "r2"] {
            talk.begin(response);
            mute(&mut talk, response);
        }
        talk.sent.clear();
        talk.pass(300);

        talk.accept();

        let asked = talk.sent_of("response.create");
        assert_eq!(asked.len(), 1, "{:?}", talk.kinds());
        assert!(asked[0]["response"]["instructions"].as_str().is_some_and(|words| words.contains("Greet")));
        assert_eq!(talk.told(), [""; 0]);
    }
}

#[test]
fn a_greeting_of_zeros_that_fails_is_asked_for_as_a_greeting() {
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
fn zeros_are_neither_said_nor_finished_nor_told() {
    let mut talk = talked();
    talk.begin_own("r");
    talk.calls("r", "c1");
    talk.speak_at(0, "r", "ir", "Of course.", 500);
    talk.finish("r", "ir");
    talk.ends("r", "completed", None);

    let is_of_item = |happening: &&SessionEvent| match happening {
        SessionEvent::Said { item, .. }
        | SessionEvent::Finished { item }
        | SessionEvent::AgentSaid { item, .. } => item == "ir",
        _ => false,
    };
    assert_eq!(talk.happened.iter().find(is_of_item), None);
    assert_eq!(talk.sent_of("conversation.item.delete")[0]["item_id"], "ir", "the caller did not hear it");
}

#[test]
fn zeros_that_are_interrupted_are_taken_out() {
    let mut talk = talked();
    talk.begin_own("r");
    talk.speak_at(0, "r", "ir", "Of course.", 500);
    talk.caller_starts("v");
    talk.ends("r", "cancelled", Some("turn_detected"));

    assert_eq!(talk.kinds(), ["conversation.item.delete"]);
}

#[test]
fn a_goodbye_cut_off_in_its_first_silence_is_asked_for_again() {
    let mut talk = talked();
    talk.act(|session, now| session.ask("Say goodbye.", true, now));
    talk.begin("r");
    talk.speak_at(0, "r", "ir", "Goodbye.", 500);
    talk.ends("r", "cancelled", None);

    assert_eq!(talk.created(), 2);
}

#[test]
fn what_can_be_heard_in_between_forgives_what_could_not() {
    let mut talk = talked();
    for round in 0..4 {
        talk.begin_own(&format!("q{round}"));
        is_empty(&mut talk, &format!("q{round}"));
        talk.say(&format!("s{round}"), &format!("said{round}"), "Of course.", 300);
    }

    assert_eq!((talk.connects.len(), talk.created()), (1, 4));
}

#[test]
fn it_holds_after_a_rollover() {
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
fn the_reason_of_an_incomplete_response_is_told() {
    let mut talk = talked();
    talk.begin_own("r");
    talk.ends("r", "incomplete", Some("content_filter"));

    let told = talk.happened.iter().any(|happening| match happening {
        SessionEvent::Lacked { status, reason, .. } => {
            status == "incomplete" && reason.as_deref() == Some("content_filter")
        }
        _ => false,
    });
    assert!(told, "{:?}", talk.happened);
}

#[test]
fn an_interrupted_or_cancelled_response_may_be_mute() {
    let mut interrupted = talked();
    interrupted.begin_own("r");
    interrupted.caller_starts("v");
    interrupted.ends("r", "cancelled", Some("turn_detected"));
    assert_eq!(interrupted.sent, []);

    for status in ["cancelled", "completed", "incomplete"] {
        let mut cancelled = Talk::greeted_with(ours());
        cancelled.act(|session, now| session.yield_turn(true, now));
        cancelled.begin("r");
        cancelled.act(Session::interrupt);
        cancelled.ends("r", status, None);
        assert_eq!(cancelled.kinds(), ["response.create", "response.cancel"], "{status}");
        assert_eq!(lacks(&cancelled), []);
    }
}

#[test]
fn a_caller_who_speaks_again_is_answered_once() {
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

    assert_eq!(talk.created(), 1);
}

#[test]
fn after_a_goodbye_nothing_more_need_be_said() {
    let mut talk = talked();
    talk.act(|session, _| session.set_leaving(true));
    talk.begin_own("r");
    is_empty(&mut talk, "r");
    talk.pass(9_000);

    assert_eq!(talk.created(), 0);
    assert_eq!(lacks(&talk), [(Purpose::Answer, EmptyResponseAction::Done)]);
}

#[test]
fn a_mute_goodbye_is_asked_for_once_more_and_then_is_none() {
    let mut talk = talked();
    talk.act(|session, _| session.set_leaving(true));
    talk.act(|session, now| session.ask("Say goodbye.", true, now));
    talk.begin("r");
    writes(&mut talk, "r");
    assert_eq!(talk.created(), 2);
    talk.begin("s");
    is_empty(&mut talk, "s");

    assert_eq!((talk.created(), talk.connects.len()), (2, 1));
    assert_eq!(
        lacks(&talk),
        [(Purpose::Asked, EmptyResponseAction::AskedAgain), (Purpose::Asked, EmptyResponseAction::Done)]
    );
}

#[test]
fn a_goodbye_that_is_owed_is_not_replaced_by_words_asked_for_again() {
    let is_mute: fn(&mut Talk) = |talk| is_empty(talk, "r");
    let fails: fn(&mut Talk) = |talk| talk.fails("r", "server_error");
    let is_cut: fn(&mut Talk) = |talk| {
        talk.speak("r", "half", "Are you", 400);
        talk.ends("r", "incomplete", Some("max_output_tokens"));
    };
    let is_lost: fn(&mut Talk) = |talk| {
        talk.down(ConnectionLoss::Failed("reset".into()));
        talk.accept();
    };
    for (at, ends) in [is_mute, fails, is_cut, is_lost].into_iter().enumerate() {
        let mut talk = talked();
        talk.act(|session, now| session.ask("Are you there?", false, now));
        talk.begin("r");
        talk.act(|session, now| session.ask("Say goodbye.", true, now));
        ends(&mut talk);
        talk.pass(1_500);

        let asked = talk.sent_of("response.create");
        assert_eq!((asked.len(), talk.told().last()), (2, Some(&"Say goodbye.".to_owned())), "{at}");
    }
}

#[test]
fn a_caller_who_is_stayed_with_is_answered_as_before() {
    let mut talk = talked();
    talk.act(|session, _| session.set_leaving(true));
    talk.act(|session, _| session.set_leaving(false));
    talk.begin_own("r");
    is_empty(&mut talk, "r");

    assert_eq!(talk.created(), 1);
}

#[test]
fn half_a_sentence_is_gone_on_with_once() {
    for reason in ["max_output_tokens", "content_filter"] {
        let mut talk = talked();
        talk.begin_own("r");
        talk.speak("r", "half", "We open at nine and", 1_200);
        talk.ends("r", "incomplete", Some(reason));
        assert!(talk.told()[0].contains("cut off"), "{:?}", talk.told());
        assert_eq!(talk.sent_of("conversation.item.delete").len(), 0);

        talk.begin("s");
        talk.speak("s", "quarter", "close at", 400);
        talk.ends("s", "incomplete", Some(reason));

        assert_eq!(talk.created(), 1);
        assert_eq!(
            lacks(&talk),
            [(Purpose::Answer, EmptyResponseAction::GoneOn), (Purpose::Answer, EmptyResponseAction::Left)]
        );
    }
}

#[test]
fn half_a_greeting_is_gone_on_with_and_not_begun_anew() {
    let mut talk = Talk::ready_with(config());
    talk.begin("r");
    talk.speak("r", "g", "Hello, this is", 600);
    talk.ends("r", "incomplete", Some("max_output_tokens"));

    let asked = talk.sent_of("response.create");
    assert_eq!(asked.len(), 2);
    assert!(asked[1]["response"].get("instructions").is_none());
    assert!(talk.told()[0].contains("cut off"), "{:?}", talk.told());
}

#[test]
fn half_a_call_after_a_preamble_is_taken_out() {
    let mut talk = talked();
    talk.begin_own("r");
    talk.speak("r", "a1", "One moment.", 600);
    talk.finish("r", "a1");
    let half = json!({"id": "half", "type": "function_call", "status": "incomplete", "call_id": "c", "name": "look",
        "arguments": "{\"ord"});
    talk.hear(json!({"type": "response.output_item.done", "response_id": "r", "item": half}));
    talk.ends("r", "incomplete", Some("max_output_tokens"));

    assert_eq!(talk.kinds(), ["conversation.item.delete", "conversation.item.create", "response.create"]);
    assert_eq!(talk.sent_of("conversation.item.delete")[0]["item_id"], "half");
    assert!(!talk.happened.iter().any(|happening| matches!(happening, SessionEvent::ToolCalled { .. })));
}

#[test]
fn a_whole_call_in_an_incomplete_response_is_run_and_answered_once() {
    let mut talk = talked();
    talk.begin_own("r");
    talk.calls("r", "c1");
    talk.ends("r", "incomplete", Some("max_output_tokens"));
    assert_eq!(talk.created(), 0);

    talk.act(|session, now| session.answer_tool("c1", "{}", true, now));

    assert_eq!((talk.created(), talk.sent_of("conversation.item.delete").len()), (1, 0));
}

#[test]
fn half_a_sentence_the_caller_speaks_into_is_not_gone_on_with() {
    let mut talk = Talk::greeted_with(patient());
    talk.begin_own("r");
    talk.speak("r", "half", "We open at nine and", 1_200);
    talk.caller_starts("v");
    talk.ends("r", "incomplete", Some("max_output_tokens"));
    talk.caller_stops("v");
    talk.begin_own("s");
    talk.done("s", "completed");
    talk.pass(20_000);

    assert_eq!(talk.created(), 0);
}

#[test]
fn limits_told_after_the_response_that_used_them_up_are_waited_for() {
    let mut talk = talked();
    talk.begin_own("r");
    talk.fails("r", "rate_limit_exceeded");
    talk.hear(json!({"type": "rate_limits.updated",
        "rate_limits": [{"name": "tokens", "remaining": 0, "reset_seconds": 2.5}]}));

    talk.pass(2_499);
    assert_eq!(talk.created(), 0);
    talk.pass(1);

    assert_eq!(talk.created(), 1);
}

fn writes(talk: &mut Talk, response: &str) {
    let item = |status: &str, content: Value| json!({"id": format!("i{response}"), "type": "message", "role": "assistant", "status": status, "content": content});
    let content = json!([{"type": "output_text", "text": "Of course. Which day suits you?"}]);
    talk.hear(json!({"type": "response.output_item.added", "response_id": response, "item": item("in_progress", json!([]))}));
    talk.hear(json!({"type": "response.output_text.delta", "response_id": response, "item_id": format!("i{response}"),
        "delta": "Of course."}));
    talk.hear(json!({"type": "response.output_item.done", "response_id": response, "item": item("completed", content.clone())}));
    talk.hear(json!({"type": "response.done", "response": {"id": response, "status": "completed",
        "status_details": {"type": "completed"}, "output": [item("completed", content)]}}));
}

fn is_empty(talk: &mut Talk, response: &str) {
    talk.hear(
        json!({"type": "response.done", "response": {"id": response, "status": "completed", "output": []}}),
    );
}

fn is_empty_and_incomplete(talk: &mut Talk, response: &str) {
    talk.ends(response, "incomplete", Some("max_output_tokens"));
}

/// The service's word for why may be new, or missing.
fn is_filtered(talk: &mut Talk, response: &str) {
    let item = json!({"id": format!("i{response}"), "type": "message", "status": "in_progress"});
    talk.hear(json!({"type": "response.output_item.added", "response_id": response, "item": item}));
    talk.ends(response, "incomplete", None);
}

fn cuts_a_call(talk: &mut Talk, response: &str) {
    let call = json!({"id": format!("i{response}"), "type": "function_call", "status": "incomplete", "call_id": "c",
        "name": "look", "arguments": "{\"ord"});
    talk.hear(json!({"type": "response.output_item.done", "response_id": response, "item": call}));
    talk.ends(response, "incomplete", Some("max_output_tokens"));
}

/// Words run ahead of a sound that never comes.
fn only_transcribes(talk: &mut Talk, response: &str) {
    let item = format!("i{response}");
    let message = |status: &str| json!({"id": item, "type": "message", "status": status});
    talk.hear(json!({"type": "response.output_item.added", "response_id": response, "item": message("in_progress")}));
    talk.hear(
        json!({"type": "response.output_audio_transcript.done", "response_id": response, "item_id": item,
        "transcript": "Of course."}),
    );
    talk.hear(json!({"type": "response.output_audio.done", "response_id": response, "item_id": item}));
    talk.hear(
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

fn lacks(talk: &Talk) -> Vec<(Purpose, EmptyResponseAction)> {
    let lacks = talk.happened.iter().filter_map(|happening| match happening {
        SessionEvent::Lacked { purpose, then, .. } => Some((*purpose, *then)),
        _ => None,
    });
    lacks.collect()
}
