//! Tests refused parts of a configuration, and early idle prompts.

use super::reconnecting::talked;
use super::*;
use crate::OptionalPart;

#[test]
fn a_refused_part_is_left_out_and_the_session_continues() {
    let mut talk = asked();
    assert!(!transcription(&talk, 0).is_null());

    talk.refuses("session.audio.input.transcription.languages[0]");
    assert_eq!(talk.events, [], "nothing is known before it is taken");
    talk.server_sends(json!({"type": "session.updated", "session": {}}));

    assert_eq!((talk.connects.len(), talk.response_creates()), (1, 1));
    let [first, second] = &talk.sent_of("session.update")[..] else { panic!("{:?}", talk.kinds()) };
    let mut expected = first["session"].clone();
    expected["audio"]["input"].as_object_mut().expect("it is one").remove("transcription");
    assert_eq!(second["session"], expected, "nothing else changes");
    assert_eq!(talk.events[0], refused(OptionalPart::Transcription));
}

#[test]
fn two_parts_may_be_refused_one_after_the_other() {
    let mut talk = asked();

    talk.refuses("session.audio.output.speed");
    talk.refuses("session.audio.input.noise_reduction.type");
    // A server that reports an error twice has seen only the first update.
    talk.refuses("session.audio.output.speed");
    talk.server_sends(json!({"type": "session.updated", "session": {}}));

    let last = &talk.sent_of("session.update")[2]["session"]["audio"];
    assert_eq!((last["output"].get("speed"), last["input"].get("noise_reduction")), (None, None));
    assert_eq!(talk.events[..2], [refused(OptionalPart::Speed), refused(OptionalPart::NoiseReduction)]);
    assert_eq!(talk.sent_of("session.update").len(), 3);
}

#[test]
fn later_sessions_leave_out_a_refused_part_too() {
    let mut talk = asked();
    talk.refuses("session.audio.input.transcription");
    talk.server_sends(json!({"type": "session.updated", "session": {}}));
    talk.forget();
    talk.down(ConnectionLoss::Failed("reset".into()));
    talk.pass(300);

    talk.accept();

    assert!(transcription(&talk, 0).is_null());
    assert!(!talk.events.contains(&refused(OptionalPart::Transcription)), "it is reported once");
}

#[test]
fn a_close_after_a_refused_part_reconnects_without_it() {
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
    assert!(talk.events.contains(&refused(OptionalPart::Transcription)));
}

#[test]
fn a_part_refused_during_a_rollover_costs_nothing() {
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
    assert!(talk.events.contains(&refused(OptionalPart::Transcription)));
    assert!(talk.events.iter().any(|it| matches!(it, SessionEvent::SessionRestored { planned: true, .. })));
}

#[test]
fn an_error_about_no_optional_part_fails_at_once() {
    for param in ["session.tools[0].parameters", "session.audio.input.turn_detection.type"] {
        let mut talk = asked();
        talk.refuses(param);

        assert_eq!(talk.failure().map(|failure| failure.code.as_str()), Some("invalid_value"), "{param}");
    }
}

#[test]
fn a_part_refused_although_left_out_times_out() {
    let mut talk = asked();
    talk.refuses("session.audio.input.transcription");
    talk.refuses("session.audio.input.transcription");
    assert_eq!(talk.failure(), None);

    talk.pass(5_000);

    assert_eq!(talk.failure().map(|failure| failure.code.as_str()), Some("invalid_value"));
}

#[test]
fn a_transient_error_during_configuration_reconnects() {
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
                talk.server_sends(json!({"type": "session.created", "session": {}}));
            }
            talk.server_sends(
                json!({"type": "error", "error": {"type": kind, "code": code, "message": "x"}}),
            );
            talk.pass(300);

            talk.accept();

            assert_eq!((talk.connects.len(), talk.response_creates()), (2, 1), "{kind} {code}");
        }
    }
}

#[test]
fn a_key_refused_during_a_conversation_is_tried_once_more() {
    for is_reported in [true, false] {
        let mut talk = talked();
        if is_reported {
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
fn a_turn_without_an_item_id_interrupts_and_is_named_later() {
    for event in [json!({"item_id": null}), json!({})] {
        let mut talk = talked();
        let mut started = event;
        started["type"] = json!("input_audio_buffer.speech_started");
        talk.server_sends(started);
        assert_eq!(talk.events, [SessionEvent::SpeechStarted { item: ItemId::default() }]);

        talk.server_sends(json!({"type": "input_audio_buffer.speech_stopped", "item_id": null}));
        talk.server_sends(json!({"type": "input_audio_buffer.committed", "item_id": "v"}));
        talk.transcribed("v", "And when?");

        assert_eq!(
            talk.events[1..3],
            [SessionEvent::SpeechStopped, SessionEvent::CallerNamed { item: "v".into() }]
        );
        talk.forget();
        talk.down(ConnectionLoss::Failed("reset".into()));
        talk.accept();
        assert!(talk.item_texts().contains(&"And when?".to_owned()));
    }
}

#[test]
fn a_failed_transcription_is_reported_by_its_code() {
    let mut talk = talked();
    talk.server_sends(json!({"type": "conversation.item.input_audio_transcription.failed", "item_id": "v",
        "error": {"type": "invalid_request_error", "code": "model_not_found", "message": "x"}}));

    let failed = SessionEvent::TranscriptionFailed { item: "v".into(), code: "model_not_found".into() };
    assert_eq!(talk.events, [failed]);
}

#[test]
fn an_early_idle_prompt_is_cancelled_and_deleted() {
    for (silent_for, is_early) in [(100, true), (6_000, true), (7_000, false)] {
        let mut talk = Talk::greeted_with(protected_greeting());
        talk.pass(silent_for);
        talk.server_sends(json!({"type": "input_audio_buffer.timeout_triggered", "item_id": "t",
            "audio_start_ms": 0, "audio_end_ms": 9_000}));
        talk.begin_own("r");
        talk.speak("r", "p", "Are you still there?", 900);
        talk.finish("r", "p");
        talk.done("r", "completed");

        let is_said = talk.events.iter().any(|it| matches!(it, SessionEvent::Audio { .. }));
        let cancels = talk.sent_of("response.cancel").len();
        let deletes = talk.sent_of("conversation.item.delete");
        let deletes = deletes.iter().filter(|event| event["item_id"] == "p").count();
        assert_eq!((is_said, cancels, deletes), (!is_early, usize::from(is_early), usize::from(is_early)));

        talk.forget();
        talk.caller_starts("v");
        talk.caller_stops("v");
        talk.begin_own("r2");
        talk.speak("r2", "a", "Yes.", 500);
        assert!(talk.events.iter().any(|it| matches!(it, SessionEvent::Audio { .. })), "the answer is heard");
    }
}

#[test]
fn an_answer_after_an_early_idle_timeout_is_not_cancelled() {
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
        let mut talk = Talk::greeted_with(protected_greeting());
        talk.server_sends(json!({"type": "input_audio_buffer.timeout_triggered", "item_id": "t",
            "audio_start_ms": 0, "audio_end_ms": 9_000}));
        between(&mut talk);
        talk.begin_own("r");

        assert_eq!(talk.sent_of("response.cancel").len(), 0, "{at}");
    }
}

/// Returns a conversation whose configuration was sent.
fn asked() -> Talk {
    let mut talk = Talk::with(config());
    talk.server_sends(json!({"type": "session.created", "session": {}}));
    talk
}

impl Talk {
    fn refuses(&mut self, param: &str) {
        self.server_sends(refusal(param));
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
