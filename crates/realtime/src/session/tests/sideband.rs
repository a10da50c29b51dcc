//! Tests the sideband of a call: the service carries the audio, and the session outlives its connections.

use super::*;

const UNKNOWN: ConnectionLoss = ConnectionLoss::Refused { status: 404 };

#[test]
fn nothing_is_attached_before_the_call_is_open() {
    let mut talk = Talk::with(sideband());
    assert_eq!((talk.connects.len(), talk.session.poll_timeout()), (0, None));

    talk.act(Session::open);

    assert_eq!(talk.connects.len(), 1);
}

#[test]
fn the_whole_configuration_precedes_the_greeting() {
    let mut talk = Talk::with(sideband());
    talk.act(Session::open);
    assert_eq!(talk.kinds(), [""; 0], "nothing before the session exists");

    talk.accept();

    assert_eq!(talk.kinds(), ["session.update", "response.create"]);
    let session = &talk.sent_of("session.update")[0]["session"];
    assert_eq!((&session["type"], &session["tools"][0]["name"]), (&json!("realtime"), &json!("look")));
    let input = &session["audio"]["input"];
    assert_eq!(
        (&input["format"], &input["turn_detection"]["silence_duration_ms"]),
        (&Value::Null, &json!(500))
    );
}

#[test]
fn refused_vad_numbers_are_left_out() {
    let mut talk = Talk::with(sideband());
    talk.act(Session::open);
    talk.server_sends(json!({"type": "session.created", "session": {}}));
    let param = "session.audio.input.turn_detection.threshold";

    talk.server_sends(
        json!({"type": "error", "error": {"type": "invalid_request_error", "code": "unknown_parameter",
        "param": param, "message": format!("Unknown parameter: '{param}'.")}}),
    );

    let updates = talk.sent_of("session.update");
    let turns = &updates[1]["session"]["audio"]["input"]["turn_detection"];
    assert_eq!(
        turns,
        &json!({"type": "server_vad", "idle_timeout_ms": null, "create_response": true,
        "interrupt_response": true})
    );
}

#[test]
fn a_session_that_is_not_there_yet_is_tried_every_200_ms() {
    let mut talk = Talk::with(sideband());
    talk.act(Session::open);
    for _ in 0..3 {
        talk.down(UNKNOWN);
        talk.pass(200);
    }
    assert_eq!(talk.connects.len(), 4);

    talk.accept();

    assert_eq!(talk.response_creates(), 1);
    assert!(talk.events.iter().any(|event| matches!(event, SessionEvent::Ready { .. })));
}

#[test]
fn a_session_that_never_appears_is_given_up_after_five_seconds() {
    let mut talk = Talk::with(sideband());
    talk.act(Session::open);
    while talk.session.poll_timeout().is_some() && talk.unix() < T0 + 60 {
        talk.down(UNKNOWN);
        talk.pass(200);
    }

    assert_eq!(talk.events, [SessionEvent::CallGone { was_attached: false }]);
    assert_eq!(talk.now - talk.start, Duration::from_secs(5));
}

#[test]
fn speech_is_known_by_its_words_and_its_playback() {
    let mut talk = attached();

    talk.begin("r");
    talk.words("r", "a", "Hello, how can I help?");
    talk.playback("started", "r");
    talk.pass(1_500);
    talk.ends("r", "completed", None);
    talk.pass(500);
    talk.playback("stopped", "r");

    let (response, item) = (ResponseId::from("r"), ItemId::from("a"));
    for event in [
        SessionEvent::Speaking { response: response.clone(), item: item.clone() },
        SessionEvent::PlaybackStarted { response: response.clone() },
        SessionEvent::AgentTranscript {
            item: item.clone(),
            text: "Hello, how can I help?".to_owned().into(),
            audio: None,
        },
        SessionEvent::ResponseDone { response: response.clone() },
        SessionEvent::PlaybackEnded {
            response,
            items: vec![item],
            heard: Duration::from_secs(2),
            is_cut: false,
        },
    ] {
        assert_eq!(
            talk.events.iter().filter(|known| **known == event).count(),
            1,
            "{event:?}: {:?}",
            talk.events
        );
    }
    assert_eq!(talk.sent, [], "the service has all it needs");
}

#[test]
fn a_response_without_words_is_requested_again_from_the_same_session() {
    let mut talk = attached();
    for response in ["r1", "r2"] {
        talk.begin(response);
        talk.ends(response, "completed", None);
    }

    assert_eq!((talk.response_creates(), talk.connects.len()), (2, 1));
}

#[test]
fn a_barge_in_of_the_server_needs_no_word_of_ours() {
    let mut talk = greeted();
    talk.begin_own("r");
    talk.words("r", "a", "Your bike is in the workshop, and ready by six.");
    talk.playback("started", "r");
    talk.pass(900);
    talk.caller_starts("u");
    talk.server_sends(json!({"type": "conversation.item.truncated", "item_id": "a", "content_index": 0, "audio_end_ms": 840}));
    talk.ends("r", "cancelled", Some("turn_detected"));
    talk.playback("cleared", "r");

    let cut = SessionEvent::PlaybackEnded {
        response: "r".into(),
        items: vec!["a".into()],
        heard: Duration::from_millis(840),
        is_cut: true,
    };
    assert!(talk.events.contains(&cut), "{:?}", talk.events);
    assert_eq!(talk.sent, []);
}

#[test]
fn an_interruption_of_ours_cancels_and_then_clears() {
    let mut talk = greeted();
    talk.begin_own("r");
    talk.words("r", "a", "Your bike is in the workshop.");
    talk.playback("started", "r");

    talk.act(Session::interrupt);

    assert_eq!(talk.kinds(), ["response.cancel", "output_audio_buffer.clear"]);
}

#[test]
fn speech_that_is_only_played_is_cleared_without_a_cancel() {
    let mut talk = greeted();
    talk.begin_own("r");
    talk.words("r", "a", "Your bike is in the workshop.");
    talk.playback("started", "r");
    talk.ends("r", "completed", None);

    talk.act(Session::interrupt);

    assert_eq!(talk.kinds(), ["output_audio_buffer.clear"]);
}

#[test]
fn audio_of_ours_is_never_sent() {
    let mut talk = greeted();
    talk.caller_starts("u");

    talk.act(|session, now| session.append(&[LOUD; 480], now));
    talk.act(|session, now| session.truncate(&"a".into(), Duration::ZERO, Duration::from_secs(1), now));
    talk.pass(60_000);

    assert_eq!(talk.sent, []);
}

#[test]
fn a_pressed_key_is_reported() {
    let mut talk = greeted();

    talk.server_sends(
        json!({"type": "input_audio_buffer.dtmf_event_received", "event": "#", "received_at": 1}),
    );

    assert_eq!(talk.events, [SessionEvent::KeyPressed { key: "#".to_owned().into() }]);
}

#[test]
fn a_lost_connection_is_attached_again_without_a_second_greeting() {
    let mut talk = attached();
    talk.begin("r");
    talk.words("r", "a", "Hello, how");
    talk.playback("started", "r");

    talk.down(reset());
    talk.pass(700);
    talk.attach_again();

    assert_eq!(talk.kinds(), ["session.update"]);
    assert!(talk.events.contains(&SessionEvent::SessionLost { reason: "failed".into() }));
    let took = Duration::from_millis(700);
    assert!(talk.events.contains(&SessionEvent::SessionRestored { took, planned: false }));
    talk.pass(60_000);
    assert_eq!(talk.response_creates(), 0);
}

#[test]
fn the_end_of_a_playback_is_reported_on_the_next_connection() {
    let mut talk = attached();
    talk.begin("r");
    talk.words("r", "a", "Thank you for your call.");
    talk.playback("started", "r");
    talk.pass(900);
    talk.down(reset());
    let (items, heard) = (vec![ItemId::from("a")], Duration::from_millis(900));
    let lost = SessionEvent::PlaybackLost { items, heard };
    assert!(talk.events.contains(&lost), "{:?}", talk.events);
    talk.pass(200);
    talk.attach_again();
    talk.forget();

    talk.playback("stopped", "r");

    let (response, items, heard) = (ResponseId::from("r"), vec![], Duration::ZERO);
    assert_eq!(talk.events, [SessionEvent::PlaybackEnded { response, items, heard, is_cut: false }]);
}

#[test]
fn a_call_taken_over_is_configured_and_not_greeted_again() {
    let mut talk = Talk::with(SessionConfig { greeting: Greeting::Said, ..sideband() });
    talk.act(Session::open);

    talk.accept();

    assert_eq!(talk.kinds(), ["session.update"]);
    talk.pass(60_000);
    assert_eq!(talk.response_creates(), 0);
}

#[test]
fn a_greeting_in_doubt_is_requested_again_if_nothing_of_it_comes() {
    let mut talk = attached_with_the_greeting_requested();
    talk.down(reset());
    talk.pass(200);
    talk.attach_again();
    assert_eq!(talk.response_creates(), 0, "it may be on its way");

    talk.pass(1_800);

    assert_eq!(talk.response_creates(), 1);
}

#[test]
fn a_greeting_in_doubt_that_is_being_said_is_not_requested_again() {
    let mut talk = attached_with_the_greeting_requested();
    talk.down(reset());
    talk.pass(200);
    talk.attach_again();
    talk.words("r", "a", "Hello, how can I help?");
    talk.pass(2_000);
    talk.ends("r", "completed", None);

    talk.pass(5_000);

    assert_eq!(talk.response_creates(), 0);
}

#[test]
fn a_tools_output_waits_for_the_connection() {
    let mut talk = greeted();
    talk.begin_own("r");
    talk.calls("r", "c1");
    talk.ends("r", "completed", None);
    talk.down(reset());
    talk.act(|session, now| session.answer_tool(&"c1".into(), "{}", true, now));
    assert_eq!(talk.sent, []);

    talk.attach_again();

    let output = &talk.sent_of("conversation.item.create")[0]["item"];
    assert_eq!((&output["type"], &output["call_id"]), (&json!("function_call_output"), &json!("c1")));
    assert_eq!(talk.response_creates(), 1);
}

#[test]
fn an_unknown_session_after_a_loss_means_that_the_caller_is_gone() {
    for status in [404, 400] {
        let mut talk = greeted();
        talk.down(ConnectionLoss::Closed { code: None, reason: String::new() });
        assert_eq!(talk.connects.len(), 2, "it asks at once");

        talk.down(ConnectionLoss::Refused { status });

        assert_eq!(talk.events.last(), Some(&SessionEvent::CallGone { was_attached: true }), "{status}");
        assert_eq!(talk.session.poll_timeout(), None);
    }
}

#[test]
fn an_unreachable_service_is_tried_for_ten_seconds() {
    let mut talk = greeted();
    talk.pass(5_000);
    let lost_at = talk.now;
    talk.down(reset());
    while talk.failure().is_none() && talk.now < lost_at + Duration::from_secs(60) {
        talk.down(ConnectionLoss::Refused { status: 503 });
        talk.pass(200);
    }

    assert_eq!(talk.failure().map(|failure| failure.code.as_str()), Some("unreachable"));
    assert_eq!(talk.now - lost_at, Duration::from_secs(10));
}

#[test]
fn the_end_of_the_session_is_announced_a_minute_before_once() {
    let mut talk = greeted();

    talk.pass(58 * 60 * 1_000);
    assert_eq!(talk.events, []);
    talk.pass(60 * 1_000);
    assert_eq!(talk.events, [SessionEvent::EndsSoon]);
    talk.pass(10 * 60 * 1_000);

    assert_eq!((talk.events.len(), talk.connects.len()), (1, 1), "no other session can take the caller over");
}

impl Talk {
    /// Sends words of an item, which has no audio on a sideband.
    pub(super) fn words(&mut self, response: &str, item: &str, words: &str) {
        let message = json!({"id": item, "type": "message", "status": "in_progress"});
        self.server_sends(
            json!({"type": "response.output_item.added", "response_id": response, "item": message}),
        );
        self.server_sends(json!({"type": "response.output_audio_transcript.delta", "response_id": response,
            "item_id": item, "delta": words}));
    }

    pub(super) fn playback(&mut self, what: &str, response: &str) {
        self.server_sends(json!({"type": format!("output_audio_buffer.{what}"), "response_id": response}));
    }

    /// Opens a new connection to the same session.
    fn attach_again(&mut self) {
        self.forget_sent();
        let link = self.newest();
        self.on(link, json!({"type": "session.created", "session": {}}));
    }

    fn forget_sent(&mut self) {
        self.drain();
        self.sent.clear();
    }
}

/// Returns a sideband whose greeting is requested.
fn attached_with_the_greeting_requested() -> Talk {
    let mut talk = Talk::with(sideband());
    talk.act(Session::open);
    talk.accept();
    talk
}

fn attached() -> Talk {
    let mut talk = attached_with_the_greeting_requested();
    talk.forget();
    talk
}

fn greeted() -> Talk {
    let mut talk = attached();
    talk.begin("greeting");
    talk.words("greeting", "g", "Hello, how can I help?");
    talk.playback("started", "greeting");
    talk.ends("greeting", "completed", None);
    talk.playback("stopped", "greeting");
    talk.forget();
    talk
}

fn sideband() -> SessionConfig {
    SessionConfig { audio: AudioPath::Service, ..config() }
}

fn reset() -> ConnectionLoss {
    ConnectionLoss::Failed("reset".into())
}
