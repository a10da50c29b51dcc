//! Turns of the caller that never end, and turns in which nothing is said.

use super::*;

#[test]
fn a_turn_that_never_ends_is_committed_and_answered() {
    let mut talk = Talk::greeted();
    talk.caller_starts("u");
    talk.pass(44_999);
    assert_eq!(talk.kinds(), [""; 0]);

    talk.pass(1);

    assert_eq!(talk.kinds(), ["input_audio_buffer.commit", "response.create"]);
    assert!(talk.happened.contains(&SessionEvent::CallerStopped), "{:?}", talk.happened);
}

#[test]
fn a_turn_of_ours_without_an_end_is_answered_when_the_bridge_says() {
    let mut talk = Talk::greeted_with(ours());
    talk.caller_starts("u");

    talk.pass(45_000);
    assert_eq!(talk.kinds(), ["input_audio_buffer.commit"]);
    talk.act(|session, now| session.yield_turn(true, now));

    assert_eq!(talk.kinds(), ["input_audio_buffer.commit", "response.create"]);
}

#[test]
fn a_turn_is_committed_once_and_a_turn_that_ends_never() {
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
fn what_the_server_says_late_of_a_committed_turn_is_taken() {
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
fn a_turn_in_which_the_link_breaks_is_not_committed_on_the_next() {
    let mut talk = Talk::greeted();
    talk.caller_starts("u");
    talk.pass(20_000);
    talk.down(ConnectionLoss::Failed("reset".into()));
    talk.accept();

    talk.pass(60_000);

    assert_eq!(talk.sent_of("input_audio_buffer.commit").len(), 0);
}

#[test]
fn words_of_a_turn_of_silence_are_marked_and_never_retold() {
    for (level, is_silent) in [(0, true), (60, true), (600, false)] {
        let mut talk = Talk::greeted();
        hears(&mut talk, level, 1_000);
        talk.caller_starts("u");
        hears(&mut talk, level, 1_000);
        talk.caller_stops("u");
        let marked = SessionEvent::CallerWasSilent { item: "u".into() };
        assert_eq!(talk.happened.contains(&marked), is_silent, "{level}");
        talk.transcribed("u", "Thank you for watching!");
        talk.begin_own("r");
        talk.done("r", "completed");
        talk.down(ConnectionLoss::Failed("reset".into()));
        talk.accept();

        assert_eq!(talk.told().contains(&"Thank you for watching!".to_owned()), !is_silent, "{level}");
    }
}

#[test]
fn a_turn_of_silence_without_a_name_is_marked_once_it_has_one() {
    for is_named_first in [true, false] {
        let mut talk = Talk::greeted();
        hears(&mut talk, 0, 1_000);
        talk.hear(json!({"type": "input_audio_buffer.speech_started", "item_id": null}));
        hears(&mut talk, 0, 1_000);
        let committed = json!({"type": "input_audio_buffer.committed", "item_id": "u"});
        if is_named_first {
            talk.hear(committed.clone());
        }
        talk.hear(json!({"type": "input_audio_buffer.speech_stopped", "item_id": null}));
        if !is_named_first {
            talk.hear(committed);
        }

        let marked = SessionEvent::CallerWasSilent { item: "u".into() };
        assert!(talk.happened.contains(&marked), "named first: {is_named_first}: {:?}", talk.happened);
        assert!(!talk.happened.contains(&SessionEvent::CallerWasSilent { item: String::new() }));
    }
}

#[test]
fn a_short_word_is_no_silence() {
    let mut talk = Talk::greeted();
    hears(&mut talk, 3_000, 200);
    hears(&mut talk, 0, 600);
    talk.caller_starts("u");
    talk.caller_stops("u");

    assert!(!talk.happened.iter().any(|it| matches!(it, SessionEvent::CallerWasSilent { .. })));
}

#[test]
fn loud_sound_long_before_a_turn_is_none_of_it() {
    let mut talk = Talk::greeted();
    hears(&mut talk, 3_000, 1_000);
    hears(&mut talk, 0, 2_000);
    talk.caller_starts("u");
    hears(&mut talk, 0, 600);
    talk.caller_stops("u");

    assert!(talk.happened.contains(&SessionEvent::CallerWasSilent { item: "u".into() }));
}

#[test]
fn a_silence_that_the_server_takes_for_a_turn_is_silence() {
    let mut talk = Talk::greeted_with(patient());
    talk.hear(json!({"type": "input_audio_buffer.timeout_triggered", "item_id": "u",
        "audio_start_ms": 0, "audio_end_ms": 9_000}));
    talk.transcribed("u", "Thank you for watching!");
    assert!(talk.happened.contains(&SessionEvent::CallerWasSilent { item: "u".into() }));
    talk.down(ConnectionLoss::Failed("reset".into()));
    talk.accept();

    assert!(!talk.told().concat().contains("watching"), "{:?}", talk.told());
}

#[test]
fn a_silence_between_an_unclear_turn_and_the_next_session_hides_nothing() {
    let mut talk = Talk::greeted();
    hears(&mut talk, 3_000, 600);
    talk.caller_starts("u");
    talk.caller_stops("u");
    talk.hear(json!({"type": "input_audio_buffer.timeout_triggered", "item_id": "v",
        "audio_start_ms": 0, "audio_end_ms": 9_000}));
    talk.down(ConnectionLoss::Failed("reset".into()));
    talk.accept();

    assert!(talk.told().concat().contains("did not catch"), "{:?}", talk.told());
}

#[test]
fn another_session_takes_the_place_of_a_deaf_one_and_asks_again() {
    let mut talk = Talk::greeted();

    talk.act(Session::replace_deaf);
    assert!(talk.happened.contains(&SessionEvent::SessionLost { reason: "deaf".into() }));
    talk.accept();
    assert!(talk.told().concat().contains("did not catch"), "{:?}", talk.told());
    assert_eq!(talk.created(), 0, "the caller may go on first");
    talk.pass(1_500);

    assert_eq!(talk.created(), 1);
}

#[test]
fn a_caller_who_is_heard_by_the_next_session_is_answered_once() {
    let mut talk = Talk::greeted();
    talk.act(Session::replace_deaf);
    talk.accept();

    talk.caller_starts("u");
    talk.pass(3_000);
    talk.caller_stops("u");
    talk.say("r", "a", "Yes.", 300);
    talk.pass(9_000);

    assert_eq!(talk.created(), 0);
}

/// The caller's sound, as loud as that, in pieces of 40 ms as they are spoken.
fn hears(talk: &mut Talk, level: i16, ms: u64) {
    for _ in 0..ms / 40 {
        talk.act(|session, now| session.append(&[level; 960], now));
        talk.pass(40);
    }
    talk.sent.clear();
}
