//! Tests the journal writer's queue on virtual time.

use super::*;

#[test]
fn records_of_a_call_are_written_in_order_one_at_a_time() {
    let (mut queue, now) = (WriteQueue::default(), Instant::now());
    for what in 1..=3 {
        queue.push(&"a".into(), Lane::Record, what);
    }

    let first = queue.poll_job(now).expect("a write is due");
    assert!(queue.poll_job(now).is_none(), "the second waits for the first");
    assert!(queue.handle_result(&first, WriteResult::Written, now));

    assert_eq!((*first.what, written(&mut queue, now)), (1, vec![2, 3]));
    assert!(queue.is_done_before(queue.sequence()));
}

#[test]
fn sixteen_calls_are_written_at_once_and_take_turns() {
    let (mut queue, now) = (WriteQueue::default(), Instant::now());
    for call in 0..20 {
        queue.push(&call.to_string().into(), Lane::Record, call);
        queue.push(&call.to_string().into(), Lane::Record, call + 100);
    }

    let in_flight: Vec<_> = std::iter::from_fn(|| queue.poll_job(now)).collect();
    assert_eq!(in_flight.iter().map(|job| *job.what).collect::<Vec<_>>(), (0..16).collect::<Vec<_>>());
    queue.handle_result(&in_flight[3], WriteResult::Written, now);

    assert_eq!(*queue.poll_job(now).expect("there is room for one").what, 16, "not call 3 again");
}

#[test]
fn a_failing_write_delays_no_other_call() {
    let (mut queue, now) = (WriteQueue::default(), Instant::now());
    queue.push(&"troubled".into(), Lane::Record, 1);
    queue.push(&"well".into(), Lane::Record, 2);

    let troubled = queue.poll_job(now).expect("a write is due");
    assert!(queue.handle_result(&troubled, WriteResult::Later, now));

    assert_eq!(written(&mut queue, now), [2]);
    assert_eq!(queue.poll_timeout(), Some(now + RETRY_DELAY));
    assert_eq!(written(&mut queue, now + RETRY_DELAY), [1]);
}

#[test]
fn a_write_that_can_never_succeed_is_dropped_at_once() {
    for (result, lane, is_kept) in [
        (WriteResult::Never, Lane::Record, false),
        (WriteResult::Denied, Lane::Record, false),
        (WriteResult::Never, Lane::Outcome, false),
        (WriteResult::Denied, Lane::Outcome, true),
    ] {
        let (mut queue, now) = (WriteQueue::default(), Instant::now());
        queue.push(&"a".into(), lane, 1);

        let job = queue.poll_job(now).expect("a write is due");

        assert_eq!(queue.handle_result(&job, result, now), is_kept, "{result:?} {lane:?}");
        assert_eq!(queue.is_done_before(queue.sequence()), !is_kept);
    }
}

#[test]
fn records_are_retried_for_minutes_and_outcomes_for_ever() {
    let (mut queue, begun) = (WriteQueue::default(), Instant::now());
    queue.push(&"a".into(), Lane::Record, 1);
    queue.push(&"a".into(), Lane::Outcome, 2);
    let (mut now, mut given_up) = (begun, None);

    while now < begun + 2 * RECORD_DEADLINE {
        while let Some(job) = queue.poll_job(now) {
            if !queue.handle_result(&job, WriteResult::Later, now) {
                given_up = Some((*job.what, now - begun));
            }
        }
        now = queue.poll_timeout().expect("the outcome is retried");
    }

    let (what, after) = given_up.expect("the record is given up");
    assert!(
        what == 1 && after >= RECORD_DEADLINE && after < RECORD_DEADLINE + MAX_RETRY_DELAY,
        "{what} {after:?}"
    );
    assert_eq!(queue.calls_without_summary().collect::<Vec<_>>(), [&CallRef::from("a")]);
    assert_eq!(written(&mut queue, now), [2]);
}

#[test]
fn an_outcome_follows_its_records_unless_they_fail() {
    let (mut queue, now) = (WriteQueue::default(), Instant::now());
    queue.push(&"a".into(), Lane::Record, 1);
    queue.push(&"a".into(), Lane::Outcome, 2);

    let record = queue.poll_job(now).expect("a write is due");
    assert!(queue.poll_job(now).is_none(), "the record is not in trouble");
    queue.handle_result(&record, WriteResult::Later, now);

    assert_eq!(written(&mut queue, now), [2]);
}

#[test]
fn outcomes_are_written_while_records_fill_their_lane() {
    let (mut queue, now) = (WriteQueue::default(), Instant::now());
    for call in 0..MAX_RECORDS_IN_FLIGHT {
        queue.push(&call.to_string().into(), Lane::Record, 0);
    }
    while queue.poll_job(now).is_some() {}
    queue.push(&"over".into(), Lane::Outcome, 1);

    assert_eq!(*queue.poll_job(now).expect("it has a lane of its own").what, 1);
}

#[test]
fn a_call_beyond_its_budget_costs_no_other_its_records() {
    let (mut queue, now) = (WriteQueue::default(), Instant::now());
    for what in 0..MAX_PER_CALL + 3 {
        queue.push(&"loud".into(), Lane::Record, what);
    }
    queue.push(&"quiet".into(), Lane::Record, 7);
    queue.push(&"loud".into(), Lane::Outcome, 8);

    assert_eq!(queue.poll_overflow(), Some(overflow("loud", 1)));
    assert_eq!(queue.poll_overflow(), None, "not a line for each");
    let written = written(&mut queue, now);

    assert_eq!(written.len(), MAX_PER_CALL + 2);
    assert_eq!(written.iter().filter(|what| [7, 8].contains(*what)).count(), 4, "and records 7 and 8");
    assert_eq!(queue.poll_overflow(), Some(overflow("loud", 2)));
}

#[test]
fn the_call_with_the_most_records_loses_when_the_queue_is_full() {
    let mut queue = WriteQueue::default();
    for call in 0..MAX_TOTAL / MAX_PER_CALL {
        for what in 0..MAX_PER_CALL {
            queue.push(&call.to_string().into(), Lane::Record, what);
        }
    }

    queue.push(&"quiet".into(), Lane::Record, 7);

    assert_eq!((queue.records, queue.calls[&CallRef::from("quiet")].records.len()), (MAX_TOTAL, 1));
    let lost = queue.poll_overflow().expect("another call has lost one");
    assert_ne!(lost.call_ref, "quiet".into());
}

#[test]
fn a_full_lane_sets_no_timer() {
    for (lane, at_once) in [(Lane::Record, MAX_RECORDS_IN_FLIGHT), (Lane::Outcome, MAX_OUTCOMES_IN_FLIGHT)] {
        let (mut queue, now) = (WriteQueue::default(), Instant::now());
        for call in 0..=at_once {
            queue.push(&call.to_string().into(), lane, call);
            let job = queue.poll_job(now).expect("the lane has room");
            queue.handle_result(&job, WriteResult::Later, now);
        }
        let later = now + MAX_RETRY_DELAY;

        let in_flight: Vec<_> = std::iter::from_fn(|| queue.poll_job(later)).collect();

        assert_eq!((in_flight.len(), queue.poll_timeout()), (at_once, None), "{lane:?}");
        queue.handle_result(&in_flight[0], WriteResult::Written, later);
        assert_eq!(queue.poll_timeout(), Some(now + RETRY_DELAY), "{lane:?}");
    }
}

#[test]
fn an_outcome_that_waits_for_records_sets_no_timer() {
    let (mut queue, now) = (WriteQueue::default(), Instant::now());
    queue.push(&"a".into(), Lane::Outcome, 1);
    let outcome = queue.poll_job(now).expect("a write is due");
    queue.handle_result(&outcome, WriteResult::Later, now);
    queue.push(&"a".into(), Lane::Record, 2);
    let record = queue.poll_job(now).expect("a write is due");

    assert_eq!(queue.poll_timeout(), None);
    queue.handle_result(&record, WriteResult::Later, now);
    assert_eq!(queue.poll_timeout(), Some(now + RETRY_DELAY));
}

fn overflow(call_ref: &str, records: u64) -> Overflow {
    Overflow { call_ref: call_ref.into(), records }
}

/// Writes everything that may be written at `now`, and returns it.
fn written(queue: &mut WriteQueue<usize>, now: Instant) -> Vec<usize> {
    let mut written = vec![];
    while let Some(job) = queue.poll_job(now) {
        written.push(*job.what);
        assert!(queue.handle_result(&job, WriteResult::Written, now));
    }
    written
}
