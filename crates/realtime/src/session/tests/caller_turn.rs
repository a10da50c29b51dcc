//! Tests caller turns that never end, and turns of silence.

use super::*;

#[test]
fn a_turn_that_never_ends_is_committed_and_answered() {
    let mut talk = Talk::greeted();
    talk.caller_starts("u");
    talk.pass(44_999);
    assert_eq!(talk.kinds(), [""; 0]);

    talk.pass(1);

    assert_eq!(talk.kinds(), ["input_audio_buffer.commit", "response.create"]);
    assert!(talk.events.contains(&SessionEvent::SpeechStopped), "{:?}", talk.events);
}

#[test]
fn a_committed_local_turn_is_answered_when_it_is_yielded() {
    let mut talk = Talk::greeted_with(local_turns());
    talk.caller_starts("u");

    talk.pass(45_000);
    assert_eq!(talk.kinds(), ["input_audio_buffer.commit"]);
    talk.act(|session, now| session.yield_turn(true, now));

    assert_eq!(talk.kinds(), ["input_audio_buffer.commit", "response.create"]);
}

#[test]
fn only_an_overlong_turn_is_committed_and_only_once() {
    let mut talk = Talk::greeted();
    talk.caller_starts("u");
    talk.pass(44_000);
    talk.caller_stops("u");
    talk.begin_own("r");
    talk.done("r", "completed");
    talk.pass(60_000);
    assert_eq!(talk.sent_of("input_audio_buffer.commit").len(), 0);

    talk.caller_starts("v");
    talk.pass(45_000);
    talk.say("s", "a", "Are you on hold?", 900);
    talk.pass(300_000);

    assert_eq!(talk.sent_of("input_audio_buffer.commit").len(), 1);
    assert_eq!(talk.failure(), None);
}

#[test]
fn late_server_events_for_a_committed_turn_are_accepted() {
    let mut talk = Talk::greeted();
    talk.caller_starts("u");
    talk.pass(45_000);
    talk.errs("input_audio_buffer_commit_empty");
    talk.say("r", "a", "Are you on hold?", 900);
    talk.forget();

    talk.caller_stops("u");
    talk.begin_own("s");
    talk.speak("s", "b", "Yes?", 300);
    talk.finish("s", "b");
    talk.done("s", "completed");
    talk.pass(30_000);

    assert_eq!(talk.sent, [], "it was answered by the server");
}

#[test]
fn a_turn_cut_by_a_lost_link_is_not_committed_later() {
    let mut talk = Talk::greeted();
    talk.caller_starts("u");
    talk.pass(20_000);
    talk.down(ConnectionLoss::Failed("reset".into()));
    talk.accept();

    talk.pass(60_000);

    assert_eq!(talk.sent_of("input_audio_buffer.commit").len(), 0);
}

#[test]
fn the_transcript_of_a_silent_turn_is_marked_and_not_replayed() {
    for (level, is_silent) in [(0, true), (60, true), (600, false)] {
        let mut talk = Talk::greeted();
        hears(&mut talk, level, 1_000);
        talk.caller_starts("u");
        hears(&mut talk, level, 1_000);
        talk.caller_stops("u");
        let marked = SessionEvent::CallerWasSilent { item: "u".into() };
        assert_eq!(talk.events.contains(&marked), is_silent, "{level}");
        talk.transcribed("u", "Thank you for watching!");
        talk.begin_own("r");
        talk.done("r", "completed");
        talk.down(ConnectionLoss::Failed("reset".into()));
        talk.accept();

        assert_eq!(talk.item_texts().contains(&"Thank you for watching!".to_owned()), !is_silent, "{level}");
    }
}

#[test]
fn a_silent_turn_without_an_id_is_marked_once_named() {
    for is_named_first in [true, false] {
        let mut talk = Talk::greeted();
        hears(&mut talk, 0, 1_000);
        talk.server_sends(json!({"type": "input_audio_buffer.speech_started", "item_id": null}));
        hears(&mut talk, 0, 1_000);
        let committed = json!({"type": "input_audio_buffer.committed", "item_id": "u"});
        if is_named_first {
            talk.server_sends(committed.clone());
        }
        talk.server_sends(json!({"type": "input_audio_buffer.speech_stopped", "item_id": null}));
        if !is_named_first {
            talk.server_sends(committed);
        }

        let marked = SessionEvent::CallerWasSilent { item: "u".into() };
        assert!(talk.events.contains(&marked), "named first: {is_named_first}: {:?}", talk.events);
        assert!(!talk.events.contains(&SessionEvent::CallerWasSilent { item: ItemId::default() }));
    }
}

#[test]
fn a_short_word_is_not_silence() {
    let mut talk = Talk::greeted();
    hears(&mut talk, 3_000, 200);
    hears(&mut talk, 0, 600);
    talk.caller_starts("u");
    talk.caller_stops("u");

    assert!(!talk.events.iter().any(|it| matches!(it, SessionEvent::CallerWasSilent { .. })));
}

#[test]
fn loud_audio_long_before_a_turn_does_not_count() {
    let mut talk = Talk::greeted();
    hears(&mut talk, 3_000, 1_000);
    hears(&mut talk, 0, 2_000);
    talk.caller_starts("u");
    hears(&mut talk, 0, 600);
    talk.caller_stops("u");

    assert!(talk.events.contains(&SessionEvent::CallerWasSilent { item: "u".into() }));
}

#[test]
fn an_idle_timeout_turn_is_marked_as_silent() {
    let mut talk = Talk::greeted_with(protected_greeting());
    talk.server_sends(json!({"type": "input_audio_buffer.timeout_triggered", "item_id": "u",
        "audio_start_ms": 0, "audio_end_ms": 9_000}));
    talk.transcribed("u", "Thank you for watching!");
    assert!(talk.events.contains(&SessionEvent::CallerWasSilent { item: "u".into() }));
    talk.down(ConnectionLoss::Failed("reset".into()));
    talk.accept();

    assert!(!talk.item_texts().concat().contains("watching"), "{:?}", talk.item_texts());
}

#[test]
fn an_idle_timeout_does_not_hide_an_unclear_turn() {
    let mut talk = Talk::greeted();
    hears(&mut talk, 3_000, 600);
    talk.caller_starts("u");
    talk.caller_stops("u");
    talk.server_sends(json!({"type": "input_audio_buffer.timeout_triggered", "item_id": "v",
        "audio_start_ms": 0, "audio_end_ms": 9_000}));
    talk.down(ConnectionLoss::Failed("reset".into()));
    talk.accept();

    assert!(talk.item_texts().concat().contains("did not catch"), "{:?}", talk.item_texts());
}

#[test]
fn a_deaf_session_is_replaced_and_the_caller_asked_again() {
    let mut talk = Talk::greeted();

    talk.act(Session::replace_deaf);
    assert!(talk.events.contains(&SessionEvent::SessionLost { reason: "deaf".into() }));
    talk.accept();
    assert!(talk.item_texts().concat().contains("did not catch"), "{:?}", talk.item_texts());
    assert_eq!(talk.response_creates(), 0, "the caller may go on first");
    talk.pass(1_500);

    assert_eq!(talk.response_creates(), 1);
}

#[test]
fn a_caller_heard_by_the_next_session_is_answered_once() {
    let mut talk = Talk::greeted();
    talk.act(Session::replace_deaf);
    talk.accept();

    talk.caller_starts("u");
    talk.pass(3_000);
    talk.caller_stops("u");
    talk.say("r", "a", "Yes.", 300);
    talk.pass(9_000);

    assert_eq!(talk.response_creates(), 0);
}

/// Sends the caller's audio at a level, in pieces of 40 ms in real time.
fn hears(talk: &mut Talk, level: i16, ms: u64) {
    for _ in 0..ms / 40 {
        talk.act(|session, now| session.append(&[level; 960], now));
        talk.pass(40);
    }
    talk.sent.clear();
}
