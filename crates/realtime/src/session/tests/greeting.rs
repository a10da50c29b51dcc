//! Tests the first configuration and the greeting.

use super::*;

#[test]
fn a_session_is_configured_at_once_and_then_greets() {
    let mut talk = Talk::with(config());
    assert_eq!((talk.connects.len(), talk.sent.len()), (1, 0));

    talk.server_sends(json!({"type": "session.created", "session": {"type": "realtime"}}));
    assert_eq!(talk.kinds(), ["session.update"]);

    talk.server_sends(json!({"type": "session.updated", "session": {"expires_at": T0 + 3_600}}));
    assert_eq!(talk.kinds(), ["session.update", "response.create"]);
    assert_eq!(talk.events, [SessionEvent::Ready { expires_at: Some(T0 + 3_600) }]);
}

#[test]
fn an_exact_greeting_keeps_the_session_instructions() {
    let mut config = config();
    config.greeting = Greeting::Exact("Mirsk Bikes, good day.".into());

    let talk = Talk::ready_with(config);

    let instructions = talk.sent_of("response.create")[0]["response"]["instructions"].clone();
    let instructions = instructions.as_str().expect("they are text");
    assert!(instructions.starts_with("You answer calls."), "{instructions}");
    assert!(
        instructions.contains("exactly these words") && instructions.contains("\"Mirsk Bikes, good day.\"")
    );
}

#[test]
fn every_option_is_sent_in_openais_words() {
    let mut config = protected_greeting();
    config.options = Options {
        name: Some("gpt-realtime-2.1".into()),
        voice: "voice_123".into(),
        reasoning_effort: Some(crate::options::Effort::Low),
        max_output_tokens: Some(900),
        input_format: Format::Ulaw,
        output_format: Format::Alaw,
        turn_detection: TurnDetection::Semantic(Default::default()),
        transcription: Some(crate::options::Transcription {
            language: Some("rw".into()),
            keywords: vec!["Mirsk".into()],
            prompt: Some("Bikes.".into()),
            ..Default::default()
        }),
        ..Options::default()
    };

    let talk = Talk::ready_with(config);

    let session = &talk.sent_of("session.update")[0]["session"];
    assert_eq!(session["audio"]["input"]["format"], json!({"type": "audio/pcmu"}));
    assert_eq!(session["audio"]["output"]["voice"], json!({"id": "voice_123"}));
    assert_eq!(session["audio"]["input"]["turn_detection"]["type"], "semantic_vad");
    assert_eq!(
        (&session["reasoning"]["effort"], &session["max_output_tokens"]),
        (&json!("low"), &json!(900))
    );
}

#[test]
fn no_caller_audio_is_sent_before_open() {
    let mut talk = Talk::ready_with(config());

    talk.act(|session, now| session.append(&[1; 480], now));
    talk.act(Session::open);
    assert_eq!(talk.sent_of("input_audio_buffer.append").len(), 0);

    talk.act(|session, now| session.append(&[1; 480], now));
    assert_eq!(talk.sent_of("input_audio_buffer.append").len(), 1);
}

#[test]
fn a_protected_greeting_cannot_be_interrupted_until_played() {
    let mut talk = Talk::ready_with(protected_greeting());
    let first = &talk.sent_of("session.update")[0]["session"]["audio"]["input"]["turn_detection"];
    assert_eq!((&first["interrupt_response"], &first["idle_timeout_ms"]), (&json!(false), &Value::Null));

    talk.say("greeting", "g", "Hello.", 500);
    talk.act(Session::open);
    talk.act(|session, now| session.set_playing(true, now));
    assert_eq!(talk.sent_of("session.update").len(), 1);

    talk.act(|session, now| session.was_played(&"g".into(), now));
    let update = &talk.sent_of("session.update")[1]["session"];
    let turns = &update["audio"]["input"]["turn_detection"];
    assert_eq!((&turns["interrupt_response"], &turns["idle_timeout_ms"]), (&json!(true), &json!(9_000)));
    assert_eq!(
        update.as_object().map(serde_json::Map::len),
        Some(2),
        "nothing but the type and what changes"
    );
}

#[test]
fn a_greeting_ends_when_playback_stops_without_a_report() {
    let mut talk = Talk::ready_with(protected_greeting());
    talk.say("greeting", "g", "Hello.", 500);
    talk.act(Session::open);

    talk.act(|session, now| session.set_playing(true, now));
    talk.act(|session, now| session.set_playing(false, now));

    assert_eq!(talk.sent_of("session.update").len(), 2);
}

#[test]
fn a_turn_that_ends_during_a_protected_greeting_is_answered_after_it() {
    let mut talk = Talk::ready_with(protected_greeting());
    talk.act(Session::open);
    talk.begin("greeting");
    talk.speak("greeting", "g", "Hello.", 500);
    talk.caller_starts("u");
    talk.caller_stops("u");
    talk.errs("conversation_already_has_active_response");
    assert_eq!(talk.response_creates(), 1);

    talk.done("greeting", "completed");

    assert_eq!(talk.response_creates(), 2);
}

#[test]
fn a_turn_during_a_protected_greeting_is_answered_without_server_error() {
    let mut talk = Talk::ready_with(protected_greeting());
    talk.act(Session::open);
    talk.begin("greeting");
    talk.caller_starts("u");
    talk.caller_stops("u");
    talk.done("greeting", "completed");
    assert_eq!(talk.response_creates(), 1, "the server may answer by itself");

    talk.pass(600);

    assert_eq!(talk.response_creates(), 2);
}

#[test]
fn a_configuration_error_fails_with_a_cure() {
    let mut talk = Talk::with(config());

    talk.errs("unknown_parameter");

    let failure = talk.failure().expect("it failed");
    assert!(failure.is_fatal && failure.cure.contains("agent file"), "{failure:?}");
    assert_eq!((talk.closed.len(), talk.session.poll_timeout()), (1, None));
}

#[test]
fn a_stalled_greeting_is_continued_and_not_repeated() {
    for (said, greetings) in [(600, 1), (0, 2)] {
        let mut talk = Talk::ready_with(config());
        talk.begin("r");
        if said > 0 {
            talk.speak("r", "g", "Hello, this is the bike shop.", said);
        }
        talk.pass(8_000);
        assert_eq!(talk.kinds().last(), Some(&"response.cancel"));

        talk.done("r", "cancelled");

        let create = talk.sent_of("response.create");
        let greets = create.iter().filter(|event| event["response"]["instructions"].is_string()).count();
        assert_eq!((create.len(), greets), (2, greetings), "{said} ms");
    }
}

#[test]
fn a_failed_greeting_is_requested_again() {
    let mut talk = Talk::ready_with(config());
    talk.begin("r1");
    talk.fails("r1", "server_error");

    talk.pass(1_000);

    let greetings = talk.sent_of("response.create");
    assert_eq!(greetings.len(), 2);
    assert_eq!(greetings[0]["response"]["instructions"], greetings[1]["response"]["instructions"]);
}
