//! When ringing calls are accepted, on virtual time.

use super::*;

#[test]
fn a_lost_request_is_reported_with_the_next_one() {
    let (start, mut ringing) = ringing();
    ringing.note_connected();
    ringing.note_ready();
    assert_eq!(ringing.step(ms(300), start), AnswerStep::Ask);
    assert_eq!((ringing.question(), ringing.lost()), (1, None));

    ringing.note_reply();
    ringing.note_failure(1, true);

    assert_eq!(ringing.step(ms(300), start + RETRY_AFTER), AnswerStep::Ask);
    assert_eq!((ringing.question(), ringing.lost()), (2, Some(1)));
    ringing.note_reply();
    assert_eq!(ringing.lost(), None, "it is reported once");
}

#[test]
fn asks_once_media_agent_and_greeting_are_ready() {
    let (start, mut ringing) = ringing();
    ringing.note_connected();
    assert_eq!(ringing.step(ms(300), start), AnswerStep::Wait);
    ringing.note_ready();

    assert_eq!(ringing.step(ms(199), start), AnswerStep::Wait);
    assert_eq!(ringing.step(ms(200), start), AnswerStep::Ask);
    assert_eq!(ringing.step(ms(200), start), AnswerStep::Wait);
}

#[test]
fn a_call_is_not_accepted_while_the_agents_session_is_gone() {
    let (start, mut ringing) = ringing();
    ringing.note_connected();
    ringing.note_ready();
    ringing.note_unready();

    assert_eq!(ringing.step(ms(300), start + ms(2_000)), AnswerStep::Wait);
    ringing.note_ready();

    assert_eq!(ringing.step(ms(300), start + ms(2_000)), AnswerStep::Ask);
}

#[test]
fn a_slow_greeting_delays_the_accept_by_a_second_at_most() {
    let (start, mut ringing) = ringing();
    ringing.note_connected();
    ringing.note_ready();

    let due = ringing.poll_timeout().expect("it waits for the greeting");

    assert_eq!(due, start + ms(1_200));
    assert_eq!(ringing.step(ms(0), due), AnswerStep::Ask);
}

#[test]
fn waits_four_seconds_after_a_greeting_without_audio() {
    let (start, mut ringing) = ringing();
    ringing.note_connected();
    ringing.note_ready();
    ringing.note_empty_greeting(start);

    assert_eq!(ringing.step(ms(0), start + ms(1_200)), AnswerStep::Wait);
    assert_eq!(ringing.poll_timeout(), Some(start + ms(4_000)));
    ringing.note_empty_greeting(start + ms(1_300));
    assert_eq!(ringing.step(ms(0), start + ms(4_000)), AnswerStep::Ask);
}

#[test]
fn a_second_greeting_with_audio_is_enough() {
    let (start, mut ringing) = ringing();
    ringing.note_connected();
    ringing.note_ready();
    ringing.note_empty_greeting(start);

    assert_eq!(ringing.step(ms(200), start + ms(900)), AnswerStep::Ask);
}

#[test]
fn a_late_empty_greeting_does_not_extend_the_wait() {
    let (start, mut ringing) = ringing();
    ringing.note_connected();
    ringing.note_ready();
    ringing.note_empty_greeting(start + ms(1_200));

    assert_eq!(ringing.step(ms(0), start + ms(1_200)), AnswerStep::Ask);
}

#[test]
fn an_empty_greeting_after_the_first_request_delays_no_other() {
    let (start, mut ringing) = ringing();
    ringing.note_connected();
    ringing.note_ready();
    assert_eq!(ringing.step(ms(200), start + ms(500)), AnswerStep::Ask);
    ringing.note_reply();
    ringing.note_empty_greeting(start + ms(900));

    let due = ringing.poll_timeout().expect("it asks again");

    assert_eq!(due, start + ms(2_500));
    assert_eq!(ringing.step(ms(0), due), AnswerStep::Ask);
}

#[test]
fn makes_one_request_at_a_time_until_the_call_is_open() {
    let (start, mut ringing) = ringing();
    ringing.note_connected();
    ringing.note_ready();
    assert_eq!(ringing.step(ms(200), start), AnswerStep::Ask);

    assert_eq!(
        ringing.step(ms(200), start + ms(9_000)),
        AnswerStep::Wait,
        "the first request is not answered yet"
    );
    ringing.note_reply();
    assert_eq!(ringing.step(ms(200), start + ms(9_000)), AnswerStep::Ask);
    ringing.note_open();

    assert_eq!((ringing.step(ms(200), start + ms(9_000)), ringing.poll_timeout()), (AnswerStep::Wait, None));
}

#[test]
fn a_held_call_waits_for_its_greeting_from_its_release_on() {
    let (start, mut ringing) = held();
    assert_eq!(ringing.step(ms(300), start + ms(1_400)), AnswerStep::Wait, "whatever is queued");
    assert_eq!(ringing.poll_timeout(), Some(start + ms(25_000)), "it does not wake up before");

    ringing.release(start + ms(1_500));
    ringing.release(start + ms(1_600));

    assert_eq!(ringing.step(ms(199), start + ms(1_700)), AnswerStep::Wait);
    assert_eq!(ringing.poll_timeout(), Some(start + ms(2_700)));
    assert_eq!(ringing.step(ms(200), start + ms(1_700)), AnswerStep::Ask);
}

#[test]
fn a_greeting_that_stays_away_after_the_release_is_not_awaited() {
    let (start, mut ringing) = held();
    ringing.release(start + ms(800));

    assert_eq!(ringing.step(ms(0), start + ms(1_999)), AnswerStep::Wait);
    assert_eq!(ringing.step(ms(0), start + ms(2_000)), AnswerStep::Ask);
}

#[test]
fn another_model_has_two_seconds_for_its_greeting() {
    let (start, mut ringing) = held();
    ringing.release(start + ms(800));
    ringing.note_other_model();

    assert_eq!(ringing.step(ms(0), start + ms(2_799)), AnswerStep::Wait);
    assert_eq!(ringing.poll_timeout(), Some(start + ms(2_800)));
    ringing.note_empty_greeting(start + ms(2_700));
    ringing.note_other_model();
    assert_eq!(ringing.poll_timeout(), Some(start + ms(4_800)), "an empty one is generated again");
}

#[test]
fn an_empty_greeting_after_the_release_extends_the_wait_from_there() {
    let (start, mut ringing) = held();
    ringing.release(start + ms(1_500));

    ringing.note_empty_greeting(start + ms(2_600));

    assert_eq!(ringing.poll_timeout(), Some(start + ms(5_500)));
}

#[test]
fn a_held_call_is_accepted_two_seconds_before_the_ring_time_ends() {
    let (start, mut ringing) = held();
    ringing.release(start + ms(22_500));
    assert_eq!(ringing.poll_timeout(), Some(start + ms(23_000)));
    assert_eq!(ringing.step(ms(0), start + ms(23_000)), AnswerStep::Ask);

    let (start, mut later) = held();
    later.release(start + ms(24_000));
    assert_eq!(later.step(ms(0), start + ms(24_000)), AnswerStep::Ask, "at once");
}

#[test]
fn a_call_that_is_never_released_ends_with_its_ring_time() {
    let (start, mut ringing) = held();

    assert_eq!(ringing.step(ms(300), start + ms(24_999)), AnswerStep::Wait);
    assert!(matches!(ringing.step(ms(300), start + ms(25_000)), AnswerStep::GiveUp(_)));
}

#[test]
fn a_request_made_in_time_is_awaited_past_the_ring_time() {
    let (start, mut ringing) = ringing();
    ringing.await_reply();
    ringing.note_connected();
    ringing.note_ready();
    let (asked, end) = (start + ms(24_000), start + ms(25_000));
    assert_eq!(ringing.step(ms(200), asked), AnswerStep::Ask);

    assert_eq!(ringing.step(ms(200), end), AnswerStep::Wait);
    assert_eq!(ringing.poll_timeout(), Some(asked + QUESTION_TIMEOUT));
    ringing.note_reply();

    assert_eq!(ringing.step(ms(200), end), AnswerStep::GiveUp(Ending::MetaRefused));
}

#[test]
fn the_ending_after_the_ring_time_says_what_was_missing() {
    let (start, mut ringing) = ringing();
    let end = start + ms(25_000);

    assert_eq!(ringing.step(ms(0), end), AnswerStep::GiveUp(Ending::MediaNeverConnected));
    ringing.note_connected();
    assert_eq!(ringing.step(ms(0), end), AnswerStep::GiveUp(Ending::AgentUnavailable));
}

fn ringing() -> (Instant, AnswerProgress) {
    let start = Instant::now();
    (start, AnswerProgress::new(start, start + ms(25_000)))
}

fn held() -> (Instant, AnswerProgress) {
    let (start, mut ringing) = ringing();
    ringing.hold();
    ringing.note_connected();
    ringing.note_ready();
    (start, ringing)
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}
