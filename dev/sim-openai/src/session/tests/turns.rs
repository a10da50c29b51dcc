//! The caller's turns.

use super::*;

#[test]
fn a_turn_is_answered_in_the_order_of_the_real_service() {
    let mut rig = Rig::configured(config());

    rig.take_turn();
    rig.pass(ms(5_000));

    assert_eq!(
        rig.received(),
        [
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.done",
            "response.created",
            "response.output_item.added",
            "conversation.item.added",
            "response.content_part.added",
            "response.output_audio_transcript.delta",
            "response.output_audio.done",
            "response.output_audio_transcript.done",
            "response.content_part.done",
            "conversation.item.done",
            "response.output_item.done",
            "response.done",
            "rate_limits.updated",
        ]
    );
    assert!(rig.violations().is_empty(), "{:?}", rig.violations());
}

#[test]
fn the_answer_begins_after_thinking() {
    let mut rig = Rig::configured(config());

    rig.take_turn();
    rig.pass(ms(1_000));

    let at = |wanted: fn(&ObservationKind) -> bool| {
        let seen = rig.session.report().observations.iter().find(|observation| wanted(&observation.kind));
        seen.map(|observation| observation.at).expect("it happened")
    };
    let stopped = at(|seen| matches!(seen, ObservationKind::SpeechStopped { .. }));
    assert_eq!(at(|seen| matches!(seen, ObservationKind::FirstDelta { .. })) - stopped, ms(300));
}

#[test]
fn one_item_is_spoken_of_from_the_first_sound_to_the_transcript() {
    let mut rig = Rig::configured(config());

    rig.take_turn();
    rig.pass(ms(1_000));

    let item = &rig.last("input_audio_buffer.speech_started")["item_id"];
    for kind in ["speech_stopped", "committed"] {
        assert_eq!(&rig.last(&format!("input_audio_buffer.{kind}"))["item_id"], item);
    }
    let written = rig.last("conversation.item.input_audio_transcription.completed");
    assert_eq!(&written["item_id"], item);
    assert_eq!(written["transcript"], clips::caller_question().text);
}

#[test]
fn nothing_is_written_down_unless_asked_for() {
    let mut rig = Rig::connected(config());
    rig.configure(json!({}));

    rig.take_turn();
    rig.pass(ms(1_000));

    assert_eq!(rig.transcript(), None);
}

#[test]
fn when_the_sound_stops_so_does_the_ear() {
    let mut rig = Rig::configured(config());
    rig.speak(&clips::caller_question().samples);

    rig.pass(ms(10_000));
    assert!(rig.all("input_audio_buffer.speech_stopped").is_empty());
    rig.speak(&silence(700));

    assert_eq!(rig.all("input_audio_buffer.speech_stopped").len(), 1);
    assert_eq!(rig.violations().len(), 1);
    assert!(rig.violations()[0].starts_with("a gap in the audio"));
}

#[test]
fn sound_that_cannot_be_read_is_refused() {
    let mut rig = Rig::configured(config());

    for audio in ["not base64!", "AAAA"] {
        rig.send(json!({"type": "input_audio_buffer.append", "audio": audio}));
        assert_eq!(rig.error().0, "invalid_value");
    }

    assert_eq!(rig.session.report().heard.len(), 0);
}

#[test]
fn a_client_may_take_the_turns_itself() {
    let mut rig = Rig::connected(config());
    rig.configure(json!({"audio": {"input": {"turn_detection": null}}}));
    rig.take_turn();
    assert!(rig.all("input_audio_buffer.speech_started").is_empty());
    rig.inbox.clear();

    rig.ask("input_audio_buffer.commit");

    let of_the_item = ["input_audio_buffer.committed", "conversation.item.added", "conversation.item.done"];
    assert_eq!(rig.received(), of_the_item);
    rig.ask("response.create");
    assert_eq!(rig.all("response.created").len(), 1);
}

#[test]
fn a_turn_committed_mid_speech_is_not_answered_yet() {
    let mut rig = Rig::configured(config());
    let monologue = clips::caller_monologue().samples;
    rig.speak(&monologue[..sim_audio::samples(ms(4_000))]);
    let announced = rig.last("input_audio_buffer.speech_started")["item_id"].clone();

    rig.ask("input_audio_buffer.commit");
    assert_eq!(rig.last("input_audio_buffer.committed")["item_id"], announced);
    rig.speak(&monologue[sim_audio::samples(ms(4_000))..sim_audio::samples(ms(8_000))]);
    assert!(rig.all("response.created").is_empty() && rig.all("error").is_empty());
    rig.speak(&silence(700));

    assert_eq!(rig.all("input_audio_buffer.speech_started").len(), 1);
    assert_ne!(rig.last("input_audio_buffer.committed")["item_id"], announced);
    assert_eq!(rig.all("response.created").len(), 1, "the rest is a turn that the service answers");
}

#[test]
fn of_silence_words_are_made_up() {
    let mut rig = Rig::configured(config());
    rig.speak(&silence(1_000));

    rig.ask("input_audio_buffer.commit");
    rig.pass(ms(1_000));

    assert_eq!(rig.transcript(), Some(crate::transcription::MADE_UP));
}

#[test]
fn a_turn_of_less_than_a_tenth_of_a_second_is_none() {
    let mut rig = Rig::configured(config());
    rig.speak(&silence(80));

    rig.ask("input_audio_buffer.commit");

    assert_eq!(rig.error().0, "input_audio_buffer_commit_empty");
}

#[test]
fn what_is_cleared_cannot_be_committed() {
    let mut rig = Rig::configured(config());
    rig.speak(&silence(500));

    rig.ask("input_audio_buffer.clear");
    rig.ask("input_audio_buffer.commit");

    assert_eq!(rig.received(), ["input_audio_buffer.cleared", "error"]);
}

#[test]
fn a_session_may_listen_without_answering() {
    let mut rig = Rig::connected(config());
    rig.configure(
        json!({"audio": {"input": {"turn_detection": {"type": "semantic_vad", "create_response": false}}}}),
    );

    rig.speak(&clips::caller_question().samples);
    rig.speak(&silence(1_500));

    assert_eq!(rig.all("input_audio_buffer.committed").len(), 1);
    assert!(rig.all("response.created").is_empty());
}

#[test]
fn a_caller_who_says_nothing_is_asked_again() {
    let mut rig = Rig::connected(config());
    rig.detect(json!({"idle_timeout_ms": 5_000}));
    rig.ask("response.create");
    let played = clips::agent_greeting().duration();

    rig.speak(&silence(played.as_millis() as u64 + 5_000));
    assert!(rig.all("input_audio_buffer.timeout_triggered").is_empty());
    rig.speak(&silence(1_500));

    assert_eq!(rig.all("input_audio_buffer.timeout_triggered").len(), 1);
    assert_eq!(rig.all("response.created").len(), 2);
}
