//! Tests session rollover.

use super::reconnecting::talked;
use super::*;

const MINUTE: u64 = 60_000;

/// The time from the end of [`talked`] until two minutes before expiry.
const ROLLS: u64 = 58 * MINUTE - 6_000;

#[test]
fn a_rollover_happens_two_minutes_before_expiry_in_a_pause() {
    let mut talk = talked();
    talk.pass(ROLLS - 1);
    assert_eq!(talk.connects.len(), 1);

    talk.pass(1);
    assert_eq!((talk.connects.len(), talk.closed.len()), (2, 0));
    talk.act(|session, now| session.append(&[1; 480], now));
    assert_eq!(talk.sent.last().map(|(link, _)| *link), Some(talk.connects[0]), "until it is ready");

    talk.accept();

    assert_eq!(talk.closed, [talk.connects[0]]);
    assert!(talk.item_texts().contains(&"In the workshop.".to_owned()));
    assert_eq!(talk.response_creates(), 0);
    assert!(
        talk.events.iter().any(|event| matches!(event, SessionEvent::SessionRestored { planned: true, .. }))
    );
    assert!(!talk.events.iter().any(|event| matches!(event, SessionEvent::SessionLost { .. })));
}

#[test]
fn a_rollover_waits_for_speech_and_playback_to_end() {
    let mut talk = talked();
    talk.act(|session, now| session.set_playing(true, now));
    talk.pass(ROLLS);
    assert_eq!(talk.connects.len(), 1);
    talk.act(|session, now| session.set_playing(false, now));
    assert_eq!(talk.connects.len(), 2);

    talk.caller_starts("v");
    talk.accept();
    assert_eq!(talk.closed, [], "the caller speaks again");
    talk.caller_stops("v");
    talk.say("r1", "b", "Yes.", 100);

    assert_eq!(talk.closed, [talk.connects[0]]);
}

#[test]
fn the_expiry_is_read_from_either_session_event() {
    let mut talk = Talk::with(config());
    let end = (T0 + 3_600) as f64;
    talk.server_sends(json!({"type": "session.created", "session": {"expires_at": end}}));
    talk.server_sends(json!({"type": "session.updated", "session": {}}));

    assert_eq!(talk.session.link.ends_at, Some(talk.now + Duration::from_secs(3_600)));
}

#[test]
fn a_rollover_just_before_expiry_does_not_wait() {
    let mut talk = talked();
    talk.act(|session, now| session.set_playing(true, now));
    talk.pass(60 * MINUTE - 17_000);
    assert_eq!(talk.connects.len(), 1);
    talk.pass(2_000);

    assert_eq!(talk.connects.len(), 2);
    talk.accept();
    assert_eq!(talk.closed, [talk.connects[0]]);
}

#[test]
fn a_session_is_recycled_at_its_configured_age() {
    let mut talk =
        Talk::greeted_with(SessionConfig { recycle_after: Some(Duration::from_secs(20 * 60)), ..config() });

    talk.pass(20 * MINUTE);

    assert_eq!(talk.connects.len(), 2);
}

#[test]
fn a_failed_rollover_is_tried_again_silently() {
    let mut talk = talked();
    talk.pass(ROLLS);
    let next = talk.newest();
    talk.session.handle_connection_loss(next, ConnectionLoss::Refused { status: 503 }, talk.now);
    talk.pass(4_000);
    assert_eq!(talk.connects.len(), 2);

    talk.pass(1_000);

    assert_eq!(talk.connects.len(), 3);
    assert_eq!(talk.events, []);
}

#[test]
fn a_loss_during_a_rollover_uses_the_next_link() {
    let mut talk = talked();
    talk.pass(ROLLS);
    talk.down(ConnectionLoss::Closed { code: Some(1006), reason: String::new() });
    assert_eq!(talk.connects.len(), 2);

    talk.accept();

    assert!(
        talk.events.iter().any(|event| matches!(event, SessionEvent::SessionRestored { planned: false, .. }))
    );
}

#[test]
fn a_short_session_is_used_for_half_of_its_time() {
    let mut talk = Talk::with(config());
    talk.server_sends(json!({"type": "session.created", "session": {}}));
    talk.server_sends(json!({"type": "session.updated", "session": {"expires_at": T0 + 60}}));
    talk.say("greeting", "g", "Hello.", 500);
    talk.act(Session::open);
    talk.act(|session, now| session.was_played(&"g".into(), now));

    talk.pass(29_000);
    assert_eq!(talk.connects.len(), 1);
    talk.pass(1_000);

    assert_eq!(talk.connects.len(), 2);
}

#[test]
fn a_key_refused_during_a_rollover_does_not_end_the_call() {
    let mut talk = talked();
    talk.pass(ROLLS);
    let next = talk.newest();
    talk.session.handle_connection_loss(next, ConnectionLoss::Refused { status: 401 }, talk.now);

    talk.pass(59_000);

    assert_eq!((talk.connects.len(), talk.failure()), (2, None));
}
