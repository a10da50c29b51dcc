//! What the queue promises, on a clock of its own.

use super::*;

#[test]
fn records_of_a_call_are_written_in_order_and_one_at_a_time() {
    let (mut queue, now) = (WriteQueue::default(), Instant::now());
    for what in 1..=3 {
        queue.push("a", Lane::Record, what);
    }

    let first = queue.poll_job(now).expect("it is there");
    assert!(queue.poll_job(now).is_none(), "the second waits for the first");
    assert!(queue.handle_tried(&first, WriteResult::Written, now));

    assert_eq!((*first.what, written(&mut queue, now)), (1, vec![2, 3]));
    assert!(queue.is_done_before(queue.place()));
}

#[test]
fn sixteen_calls_are_written_at_once_and_take_turns() {
    let (mut queue, now) = (WriteQueue::default(), Instant::now());
    for call in 0..20 {
        queue.push(&call.to_string(), Lane::Record, call);
        queue.push(&call.to_string(), Lane::Record, call + 100);
    }

    let away: Vec<_> = std::iter::from_fn(|| queue.poll_job(now)).collect();
    assert_eq!(away.iter().map(|job| *job.what).collect::<Vec<_>>(), (0..16).collect::<Vec<_>>());
    queue.handle_tried(&away[3], WriteResult::Written, now);

    assert_eq!(*queue.poll_job(now).expect("there is room for one").what, 16, "not call 3 again");
}

#[test]
fn trouble_with_one_call_holds_up_no_other() {
    let (mut queue, now) = (WriteQueue::default(), Instant::now());
    queue.push("troubled", Lane::Record, 1);
    queue.push("well", Lane::Record, 2);

    let troubled = queue.poll_job(now).expect("it is there");
    assert!(queue.handle_tried(&troubled, WriteResult::Later, now));

    assert_eq!(written(&mut queue, now), [2]);
    assert_eq!(queue.poll_timeout(), Some(now + PAUSE));
    assert_eq!(written(&mut queue, now + PAUSE), [1]);
}

#[test]
fn what_can_never_be_written_is_given_up_at_once() {
    for (tried, lane, is_kept) in [
        (WriteResult::Never, Lane::Record, false),
        (WriteResult::Denied, Lane::Record, false),
        (WriteResult::Never, Lane::Conclusion, false),
        (WriteResult::Denied, Lane::Conclusion, true),
    ] {
        let (mut queue, now) = (WriteQueue::default(), Instant::now());
        queue.push("a", lane, 1);

        let job = queue.poll_job(now).expect("it is there");

        assert_eq!(queue.handle_tried(&job, tried, now), is_kept, "{tried:?} {lane:?}");
        assert_eq!(queue.is_done_before(queue.place()), !is_kept);
    }
}

#[test]
fn a_record_is_tried_for_minutes_and_a_conclusion_without_end() {
    let (mut queue, begun) = (WriteQueue::default(), Instant::now());
    queue.push("a", Lane::Record, 1);
    queue.push("a", Lane::Conclusion, 2);
    let (mut now, mut given_up) = (begun, None);

    while now < begun + 2 * TRIED_FOR {
        while let Some(job) = queue.poll_job(now) {
            if !queue.handle_tried(&job, WriteResult::Later, now) {
                given_up = Some((*job.what, now - begun));
            }
        }
        now = queue.poll_timeout().expect("the conclusion is tried again");
    }

    let (what, after) = given_up.expect("the record is given up");
    assert!(what == 1 && after >= TRIED_FOR && after < TRIED_FOR + LONGEST_PAUSE, "{what} {after:?}");
    assert_eq!(queue.unconcluded().collect::<Vec<_>>(), ["a"]);
    assert_eq!(written(&mut queue, now), [2]);
}

#[test]
fn a_conclusion_follows_its_records_unless_they_are_in_trouble() {
    let (mut queue, now) = (WriteQueue::default(), Instant::now());
    queue.push("a", Lane::Record, 1);
    queue.push("a", Lane::Conclusion, 2);

    let record = queue.poll_job(now).expect("it is there");
    assert!(queue.poll_job(now).is_none(), "the record is not in trouble");
    queue.handle_tried(&record, WriteResult::Later, now);

    assert_eq!(written(&mut queue, now), [2]);
}

#[test]
fn conclusions_have_room_though_records_take_all_of_theirs() {
    let (mut queue, now) = (WriteQueue::default(), Instant::now());
    for call in 0..RECORDS_AT_ONCE {
        queue.push(&call.to_string(), Lane::Record, 0);
    }
    while queue.poll_job(now).is_some() {}
    queue.push("over", Lane::Conclusion, 1);

    assert_eq!(*queue.poll_job(now).expect("it has a lane of its own").what, 1);
}

#[test]
fn a_call_beyond_its_budget_costs_no_other_and_is_told_twice() {
    let (mut queue, now) = (WriteQueue::default(), Instant::now());
    for what in 0..OF_A_CALL + 3 {
        queue.push("loud", Lane::Record, what);
    }
    queue.push("quiet", Lane::Record, 7);
    queue.push("loud", Lane::Conclusion, 8);

    assert_eq!(queue.poll_overflow(), Some(overflow("loud", 1)));
    assert_eq!(queue.poll_overflow(), None, "not a line for each");
    let written = written(&mut queue, now);

    assert_eq!(written.len(), OF_A_CALL + 2);
    assert_eq!(written.iter().filter(|what| [7, 8].contains(*what)).count(), 4, "and records 7 and 8");
    assert_eq!(queue.poll_overflow(), Some(overflow("loud", 2)));
}

#[test]
fn where_all_is_full_the_call_that_fills_it_most_loses() {
    let mut queue = WriteQueue::default();
    for call in 0..IN_ALL / OF_A_CALL {
        for what in 0..OF_A_CALL {
            queue.push(&call.to_string(), Lane::Record, what);
        }
    }

    queue.push("quiet", Lane::Record, 7);

    assert_eq!((queue.records, queue.calls["quiet"].records.len()), (IN_ALL, 1));
    let lost = queue.poll_overflow().expect("another call has lost one");
    assert_ne!(lost.call_ref, "quiet");
}

#[test]
fn heads_of_a_full_lane_set_no_timer() {
    for (lane, at_once) in [(Lane::Record, RECORDS_AT_ONCE), (Lane::Conclusion, CONCLUSIONS_AT_ONCE)] {
        let (mut queue, now) = (WriteQueue::default(), Instant::now());
        for call in 0..=at_once {
            queue.push(&call.to_string(), lane, call);
            let job = queue.poll_job(now).expect("the lane has room");
            queue.handle_tried(&job, WriteResult::Later, now);
        }
        let later = now + LONGEST_PAUSE;

        let away: Vec<_> = std::iter::from_fn(|| queue.poll_job(later)).collect();

        assert_eq!((away.len(), queue.poll_timeout()), (at_once, None), "{lane:?}");
        queue.handle_tried(&away[0], WriteResult::Written, later);
        assert_eq!(queue.poll_timeout(), Some(now + PAUSE), "{lane:?}");
    }
}

#[test]
fn a_conclusion_that_waits_for_records_sets_no_timer() {
    let (mut queue, now) = (WriteQueue::default(), Instant::now());
    queue.push("a", Lane::Conclusion, 1);
    let conclusion = queue.poll_job(now).expect("it is there");
    queue.handle_tried(&conclusion, WriteResult::Later, now);
    queue.push("a", Lane::Record, 2);
    let record = queue.poll_job(now).expect("it is there");

    assert_eq!(queue.poll_timeout(), None);
    queue.handle_tried(&record, WriteResult::Later, now);
    assert_eq!(queue.poll_timeout(), Some(now + PAUSE));
}

fn overflow(call_ref: &str, records: u64) -> Overflow {
    Overflow { call_ref: call_ref.to_owned(), records }
}

/// What is written at this moment, if all goes well.
fn written(queue: &mut WriteQueue<usize>, now: Instant) -> Vec<usize> {
    let mut written = vec![];
    while let Some(job) = queue.poll_job(now) {
        written.push(*job.what);
        assert!(queue.handle_tried(&job, WriteResult::Written, now));
    }
    written
}
