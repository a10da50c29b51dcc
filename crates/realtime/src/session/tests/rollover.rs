//! Rolling over to another session.

use super::reconnecting::talked;
use super::*;

const MINUTE: u64 = 60_000;

/// From when [`talked`] leaves off until two minutes before the end.
const ROLLS: u64 = 58 * MINUTE - 6_000;

#[test]
fn two_minutes_before_the_end_another_session_takes_over_in_a_silence() {
    let mut talk = talked();
    talk.pass(ROLLS - 1);
    assert_eq!(talk.connects.len(), 1);

    talk.pass(1);
    assert_eq!((talk.connects.len(), talk.closed.len()), (2, 0));
    talk.act(|session, now| session.append(&[1; 480], now));
    assert_eq!(talk.sent.last().map(|(link, _)| *link), Some(talk.connects[0]), "until it is ready");

    talk.accept();

    assert_eq!(talk.closed, [talk.connects[0]]);
    assert!(talk.told().contains(&"In the workshop.".to_owned()));
    assert_eq!(talk.created(), 0);
    assert!(
        talk.happened
            .iter()
            .any(|happening| matches!(happening, SessionEvent::Restored { planned: true, .. }))
    );
    assert!(!talk.happened.iter().any(|happening| matches!(happening, SessionEvent::SessionLost { .. })));
}

#[test]
fn it_waits_for_the_end_of_what_is_said_and_played() {
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
fn the_end_is_known_from_whichever_event_tells_it() {
    let mut talk = Talk::with(config());
    let end = (T0 + 3_600) as f64;
    talk.hear(json!({"type": "session.created", "session": {"expires_at": end}}));
    talk.hear(json!({"type": "session.updated", "session": {}}));

    assert_eq!(talk.session.link.ends_at, Some(talk.now + Duration::from_secs(3_600)));
}

#[test]
fn at_the_last_moment_nobody_waits() {
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
fn a_session_is_recycled_when_it_is_old_enough() {
    let mut talk =
        Talk::greeted_with(SessionConfig { recycle_after: Some(Duration::from_secs(20 * 60)), ..config() });

    talk.pass(20 * MINUTE);

    assert_eq!(talk.connects.len(), 2);
}

#[test]
fn one_that_could_not_be_had_is_tried_again_and_nobody_notices() {
    let mut talk = talked();
    talk.pass(ROLLS);
    let next = talk.newest();
    talk.session.handle_down(next, ConnectionLoss::Refused { status: 503 }, talk.now);
    talk.pass(4_000);
    assert_eq!(talk.connects.len(), 2);

    talk.pass(1_000);

    assert_eq!(talk.connects.len(), 3);
    assert_eq!(talk.happened, []);
}

#[test]
fn if_the_old_one_breaks_meanwhile_the_next_one_takes_over_as_it_is() {
    let mut talk = talked();
    talk.pass(ROLLS);
    talk.down(ConnectionLoss::Closed { code: Some(1006), reason: String::new() });
    assert_eq!(talk.connects.len(), 2);

    talk.accept();

    assert!(
        talk.happened
            .iter()
            .any(|happening| matches!(happening, SessionEvent::Restored { planned: false, .. }))
    );
}

#[test]
fn a_short_session_is_used_for_half_of_its_time_at_least() {
    let mut talk = Talk::with(config());
    talk.hear(json!({"type": "session.created", "session": {}}));
    talk.hear(json!({"type": "session.updated", "session": {"expires_at": T0 + 60}}));
    talk.say("greeting", "g", "Hello.", 500);
    talk.act(Session::open);
    talk.act(|session, now| session.was_played("g", now));

    talk.pass(29_000);
    assert_eq!(talk.connects.len(), 1);
    talk.pass(1_000);

    assert_eq!(talk.connects.len(), 2);
}

#[test]
fn a_refused_key_does_not_end_a_call_that_has_a_session_and_is_not_shown_again_and_again() {
    let mut talk = talked();
    talk.pass(ROLLS);
    let next = talk.newest();
    talk.session.handle_down(next, ConnectionLoss::Refused { status: 401 }, talk.now);

    talk.pass(59_000);

    assert_eq!((talk.connects.len(), talk.failure()), (2, None));
}
