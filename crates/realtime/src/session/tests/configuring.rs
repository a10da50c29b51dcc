//! What is refused of a configuration, and what the conversation does without.

use super::reconnecting::talked;
use super::*;
use crate::OptionalPart;

#[test]
fn a_refused_part_is_left_out_and_the_session_goes_on() {
    let mut talk = asked();
    assert!(!transcription(&talk, 0).is_null());

    talk.refuses("session.audio.input.transcription.languages[0]");
    assert_eq!(talk.happened, [], "nothing is known before it is taken");
    talk.hear(json!({"type": "session.updated", "session": {}}));

    assert_eq!((talk.connects.len(), talk.created()), (1, 1));
    let [first, second] = &talk.sent_of("session.update")[..] else { panic!("{:?}", talk.kinds()) };
    let mut expected = first["session"].clone();
    expected["audio"]["input"].as_object_mut().expect("it is one").remove("transcription");
    assert_eq!(second["session"], expected, "nothing else changes");
    assert_eq!(talk.happened[0], refused(OptionalPart::Transcription));
}

#[test]
fn two_parts_may_be_refused_one_after_the_other() {
    let mut talk = asked();

    talk.refuses("session.audio.output.speed");
    talk.refuses("session.audio.input.noise_reduction.type");
    // A service that answers twice has seen only the first update.
    talk.refuses("session.audio.output.speed");
    talk.hear(json!({"type": "session.updated", "session": {}}));

    let last = &talk.sent_of("session.update")[2]["session"]["audio"];
    assert_eq!((last["output"].get("speed"), last["input"].get("noise_reduction")), (None, None));
    assert_eq!(talk.happened[..2], [refused(OptionalPart::Speed), refused(OptionalPart::NoiseReduction)]);
    assert_eq!(talk.sent_of("session.update").len(), 3);
}

#[test]
fn later_sessions_of_the_conversation_do_without_it_too() {
    let mut talk = asked();
    talk.refuses("session.audio.input.transcription");
    talk.hear(json!({"type": "session.updated", "session": {}}));
    talk.forget();
    talk.down(ConnectionLoss::Failed("reset".into()));
    talk.pass(300);

    talk.accept();

    assert!(transcription(&talk, 0).is_null());
    assert!(!talk.happened.contains(&refused(OptionalPart::Transcription)), "it is told once");
}

#[test]
fn a_service_that_closes_after_a_refusal_is_asked_again() {
    let mut talk = asked();
    talk.refuses("session.audio.input.transcription");
    talk.down(ConnectionLoss::Closed {
        code: Some(4000),
        reason: "invalid_request_error.invalid_value".into(),
    });
    talk.pass(300);

    talk.accept();

    assert_eq!((talk.connects.len(), talk.failure()), (2, None));
    assert!(transcription(&talk, 2).is_null());
    assert!(talk.happened.contains(&refused(OptionalPart::Transcription)));
}

#[test]
fn a_part_refused_when_another_session_takes_over_costs_nothing() {
    let mut talk = talked();
    talk.pass(58 * 60_000 - 6_000);
    let next = talk.newest();
    assert_ne!(next, talk.session.link.id);
    talk.on(next, json!({"type": "session.created", "session": {}}));
    talk.forget();

    talk.on(next, refusal("session.reasoning.effort"));
    talk.on(next, refusal("session.audio.input.transcription.model"));
    talk.on(next, json!({"type": "session.updated", "session": {"expires_at": talk.unix() + 3_600}}));

    assert!(transcription(&talk, 1).is_null());
    assert!(talk.happened.contains(&refused(OptionalPart::Transcription)));
    assert!(talk.happened.iter().any(|it| matches!(it, SessionEvent::Restored { planned: true, .. })));
}

#[test]
fn what_no_part_can_cure_fails_at_once() {
    for param in ["session.tools[0].parameters", "session.audio.input.turn_detection.type"] {
        let mut talk = asked();
        talk.refuses(param);

        assert_eq!(talk.failure().map(|failure| failure.code.as_str()), Some("invalid_value"), "{param}");
    }
}

#[test]
fn a_part_that_is_refused_although_left_out_fails_in_time() {
    let mut talk = asked();
    talk.refuses("session.audio.input.transcription");
    talk.refuses("session.audio.input.transcription");
    assert_eq!(talk.failure(), None);

    talk.pass(5_000);

    assert_eq!(talk.failure().map(|failure| failure.code.as_str()), Some("invalid_value"));
}

#[test]
fn a_transient_error_of_set_up_is_tried_again() {
    for (kind, code) in [
        (json!("server_error"), json!("internal_error")),
        (json!("server_error"), json!("a_code_of_tomorrow")),
        (json!("server_error"), Value::Null),
        (json!("a_type_of_tomorrow"), Value::Null),
        (json!("rate_limit_error"), json!("tokens")),
    ] {
        for is_created in [true, false] {
            let mut talk = Talk::with(config());
            if is_created {
                talk.hear(json!({"type": "session.created", "session": {}}));
            }
            talk.hear(json!({"type": "error", "error": {"type": kind, "code": code, "message": "x"}}));
            talk.pass(300);

            talk.accept();

            assert_eq!((talk.connects.len(), talk.created()), (2, 1), "{kind} {code}");
        }
    }
}

#[test]
fn a_key_that_is_refused_in_a_conversation_is_tried_once_more() {
    for is_told in [true, false] {
        let mut talk = talked();
        if is_told {
            talk.errs("invalid_api_key");
        } else {
            talk.down(ConnectionLoss::Closed {
                code: Some(3000),
                reason: "invalid_request_error.invalid_api_key".into(),
            });
        }
        assert_eq!((talk.connects.len(), talk.failure()), (2, None));

        talk.down(ConnectionLoss::Closed {
            code: Some(3000),
            reason: "invalid_request_error.invalid_api_key".into(),
        });

        assert_eq!(talk.failure().map(|failure| failure.code.as_str()), Some("invalid_api_key"));
    }
}

#[test]
fn a_turn_that_begins_without_a_name_interrupts_and_is_named_later() {
    for event in [json!({"item_id": null}), json!({})] {
        let mut talk = talked();
        let mut started = event;
        started["type"] = json!("input_audio_buffer.speech_started");
        talk.hear(started);
        assert_eq!(talk.happened, [SessionEvent::CallerStarted { item: String::new() }]);

        talk.hear(json!({"type": "input_audio_buffer.speech_stopped", "item_id": null}));
        talk.hear(json!({"type": "input_audio_buffer.committed", "item_id": "v"}));
        talk.transcribed("v", "And when?");

        assert_eq!(
            talk.happened[1..3],
            [SessionEvent::CallerStopped, SessionEvent::CallerNamed { item: "v".into() }]
        );
        talk.forget();
        talk.down(ConnectionLoss::Failed("reset".into()));
        talk.accept();
        assert!(talk.told().contains(&"And when?".to_owned()));
    }
}

#[test]
fn a_transcription_that_fails_is_told_by_its_code() {
    let mut talk = talked();
    talk.hear(json!({"type": "conversation.item.input_audio_transcription.failed", "item_id": "v",
        "error": {"type": "invalid_request_error", "code": "model_not_found", "message": "x"}}));

    let failed = SessionEvent::TranscriptionFailed { item: "v".into(), code: "model_not_found".into() };
    assert_eq!(talk.happened, [failed]);
}

#[test]
fn an_idle_prompt_that_comes_too_early_is_neither_heard_nor_remembered() {
    for (silent_for, is_early) in [(100, true), (6_000, true), (7_000, false)] {
        let mut talk = Talk::greeted_with(patient());
        talk.pass(silent_for);
        talk.hear(json!({"type": "input_audio_buffer.timeout_triggered", "item_id": "t",
            "audio_start_ms": 0, "audio_end_ms": 9_000}));
        talk.begin_own("r");
        talk.speak("r", "p", "Are you still there?", 900);
        talk.finish("r", "p");
        talk.done("r", "completed");

        let is_said = talk.happened.iter().any(|it| matches!(it, SessionEvent::Said { .. }));
        let cancels = talk.sent_of("response.cancel").len();
        let deletes = talk.sent_of("conversation.item.delete");
        let deletes = deletes.iter().filter(|event| event["item_id"] == "p").count();
        assert_eq!((is_said, cancels, deletes), (!is_early, usize::from(is_early), usize::from(is_early)));

        talk.forget();
        talk.caller_starts("v");
        talk.caller_stops("v");
        talk.begin_own("r2");
        talk.speak("r2", "a", "Yes.", 500);
        assert!(
            talk.happened.iter().any(|it| matches!(it, SessionEvent::Said { .. })),
            "the answer is heard"
        );
    }
}

#[test]
fn an_answer_after_an_early_timer_is_not_taken_for_its_prompt() {
    let speaks: fn(&mut Talk) = |talk| {
        talk.caller_starts("v");
        talk.caller_stops("v");
    };
    let is_asked: fn(&mut Talk) = |talk| {
        talk.act(|session, now| session.tell("The caller pressed 1.", now));
        talk.begin("q");
        talk.done("q", "completed");
    };
    let is_lost: fn(&mut Talk) = |talk| {
        talk.down(ConnectionLoss::Failed("reset".into()));
        talk.accept();
    };
    for (at, between) in [speaks, is_asked, is_lost].into_iter().enumerate() {
        let mut talk = Talk::greeted_with(patient());
        talk.hear(json!({"type": "input_audio_buffer.timeout_triggered", "item_id": "t",
            "audio_start_ms": 0, "audio_end_ms": 9_000}));
        between(&mut talk);
        talk.begin_own("r");

        assert_eq!(talk.sent_of("response.cancel").len(), 0, "{at}");
    }
}

/// The configuration is on its way.
fn asked() -> Talk {
    let mut talk = Talk::with(config());
    talk.hear(json!({"type": "session.created", "session": {}}));
    talk
}

impl Talk {
    fn refuses(&mut self, param: &str) {
        self.hear(refusal(param));
    }
}

fn refusal(param: &str) -> Value {
    json!({"type": "error", "error": {"type": "invalid_request_error", "code": "invalid_value",
        "message": "x", "param": param, "event_id": null}})
}

fn refused(part: OptionalPart) -> SessionEvent {
    SessionEvent::PartRefused { part, code: "invalid_value".into() }
}

fn transcription(talk: &Talk, update: usize) -> Value {
    let update = talk.sent_of("session.update")[update];
    update["session"]["audio"]["input"]["transcription"].clone()
}
