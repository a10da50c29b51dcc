//! Lives of calls, on a clock that only the tests move.

use super::*;

#[test]
fn takes_pre_accept_then_accept_with_the_same_bytes() {
    let (mut signalling, t0) = ringing();

    assert_eq!(signalling.pre_accept("answer\r\n"), Ok(()));
    assert_eq!(signalling.accept("answer\r\n", t0), Ok(()));
}

#[test]
fn takes_an_accept_without_pre_accept() {
    let (mut signalling, t0) = ringing();

    assert_eq!(signalling.accept("answer", t0), Ok(()));
}

#[test]
fn refuses_an_accept_that_differs_by_a_byte() {
    let (mut signalling, t0) = pre_accepted();

    assert_eq!(signalling.accept("answes", t0), Err(Refusal::DifferentSdp));
    assert_eq!(signalling.accept("answer", t0), Ok(()), "the refused one had no effect");
}

#[test]
fn refuses_to_take_a_call_twice() {
    let (mut signalling, t0) = pre_accepted();
    assert_eq!(signalling.pre_accept("answer"), Err(Refusal::AlreadyPreAccepted));

    signalling.accept("answer", t0).unwrap();

    assert_eq!(signalling.accept("answer", t0), Err(Refusal::AlreadyInProgress));
    assert_eq!(signalling.pre_accept("answer"), Err(Refusal::AlreadyInProgress));
}

#[test]
fn refuses_to_reject_a_call_it_accepted() {
    let (mut signalling, t0) = live();

    assert_eq!(signalling.reject(t0), Err(Refusal::AlreadyInProgress));
    assert_eq!(signalling.ended(), None);
}

#[test]
fn refuses_to_terminate_what_only_rings() {
    let (mut signalling, t0) = ringing();

    assert_eq!(signalling.terminate(t0), Err(Refusal::NotYetTaken));
    assert_eq!(signalling.reject(t0), Ok(()));
}

#[test]
fn refuses_everything_after_the_end() {
    let (mut signalling, t0) = live();
    signalling.terminate(t0).unwrap();

    assert_eq!(signalling.pre_accept("answer"), Err(Refusal::AlreadyEnded));
    assert_eq!(signalling.accept("answer", t0), Err(Refusal::AlreadyEnded));
    assert_eq!(signalling.reject(t0), Err(Refusal::AlreadyEnded));
    assert_eq!(signalling.terminate(t0), Err(Refusal::AlreadyEnded));
}

#[test]
fn the_first_ending_stands() {
    let (mut signalling, t0) = live();

    signalling.terminate(t0).unwrap();
    signalling.hang_up(t0 + secs(1));

    assert_eq!(signalling.ended(), Some(Ended { ending: Ending::Terminated, at: t0, live_since: Some(t0) }));
}

#[test]
fn an_unanswered_call_ends_after_its_ring() {
    let (mut signalling, t0) = pre_accepted();

    signalling.handle_timeout(t0 + secs(45) - Duration::from_millis(1));
    assert_eq!(signalling.ended(), None);

    signalling.handle_timeout(t0 + secs(45));
    let unanswered = Ended { ending: Ending::Unanswered, at: t0 + secs(45), live_since: None };
    assert_eq!(signalling.ended(), Some(unanswered));
}

#[test]
fn twenty_seconds_without_first_media_end_a_call_even_with_reports() {
    let (mut signalling, t0) = live();

    signalling.handle_rtcp(t0 + secs(19));
    assert_eq!(signalling.poll_timeout(), Some(t0 + secs(20)));

    signalling.handle_timeout(t0 + secs(20));
    assert_eq!(signalling.ended().map(|ended| ended.ending), Some(Ending::NoMedia));
}

#[test]
fn in_mid_call_reports_count_as_media() {
    let (mut signalling, t0) = live();
    signalling.handle_rtp(t0 + secs(1));
    assert_eq!(signalling.poll_timeout(), Some(t0 + secs(31)));

    signalling.handle_rtcp(t0 + secs(10));

    assert_eq!(signalling.poll_timeout(), Some(t0 + secs(40)));
    signalling.handle_timeout(t0 + secs(40));
    assert_eq!(signalling.ended().map(|ended| ended.ending), Some(Ending::NoMedia));
}

fn ringing() -> (Signalling, Instant) {
    let t0 = Instant::now();
    (Signalling::ringing(&MetaConfig::default(), t0), t0)
}

fn pre_accepted() -> (Signalling, Instant) {
    let (mut signalling, t0) = ringing();
    signalling.pre_accept("answer").unwrap();
    (signalling, t0)
}

fn live() -> (Signalling, Instant) {
    let (mut signalling, t0) = pre_accepted();
    signalling.accept("answer", t0).unwrap();
    (signalling, t0)
}

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}
