//! Tests of [`step`], one sentence each.

use super::*;
use crate::{Assignment, Fence, Party};
use std::time::Duration;

const T0: Timestamp = Timestamp(1_795_305_600_000);
const BUDGET: Duration = Duration::from_secs(25);

#[test]
fn a_new_call_requests_a_task_at_once() {
    let (_, effects) = step(ringing(), CallEvent::Tick, T0);

    assert_eq!(effects, [Effect::AssignTask]);
}

#[test]
fn a_second_function_has_nothing_to_do_while_the_first_works() {
    let (call, _) = step(ringing(), CallEvent::Tick, T0);

    let (again, effects) = step(call.clone(), CallEvent::Tick, T0 + ms(100));

    assert_eq!((again, effects), (call, vec![]));
}

#[test]
fn an_unperformed_effect_is_requested_again() {
    let (call, _) = step(ringing(), CallEvent::Tick, T0);

    let (_, effects) = step(call, CallEvent::Tick, T0 + secs(5));

    assert_eq!(effects, [Effect::AssignTask]);
}

#[test]
fn the_assigned_tasks_answer_goes_to_meta() {
    let (call, effects) = step(ringing(), found("a"), T0);
    assert_eq!(effects, [Effect::Offer(assignment("a", 1))]);

    let (call, effects) = step(call, answered(1), T0);

    assert_eq!(effects, [Effect::PreAccept]);
    assert_eq!(call.phase, Phase::Connecting);
}

#[test]
fn a_late_answer_after_a_refusal_is_ignored() {
    let (call, _) = step(ringing(), found("a"), T0);
    let (call, effects) = step(call, CallEvent::AssignmentRefused { fence: Fence(1) }, T0);
    assert_eq!((effects, &call.refused_by[..]), (vec![Effect::AssignTask], &["a".into()][..]));

    let (call, _) = step(call, found("b"), T0);
    let (call, effects) = step(call, answered(1), T0);

    assert_eq!((call.phase, effects), (Phase::Ringing, vec![]));
}

#[test]
fn a_silent_task_is_released_while_another_is_assigned() {
    let (call, _) = step(ringing(), found("a"), T0);

    let (call, effects) = step(call, CallEvent::AssignmentUnanswered { fence: Fence(1) }, T0);

    let release = Effect::Release(assignment("a", 1));
    assert_eq!(effects, [Effect::AssignTask, release.clone()]);
    assert_eq!((call.pending.clone(), &call.refused_by[..]), (effects, &["a".into()][..]));
    let (call, effects) = step(call, found("b"), T0);
    assert_eq!(
        (effects, &call.pending[1..]),
        (vec![Effect::Offer(assignment("b", 2))], &[release.clone()][..])
    );
    let (call, _) = step(call, answered(2), T0);
    let (call, _) = step(call, CallEvent::Failed(release.clone()), T0);
    let (call, effects) = step(call, CallEvent::Tick, T0 + secs(10));
    assert_eq!(effects, [Effect::PreAccept, release.clone()]);
    let (call, _) = step(call, CallEvent::Done(release), T0 + secs(10));
    assert_eq!(call.pending, [Effect::PreAccept]);
}

#[test]
fn a_pending_release_delays_nothing_else() {
    let release = Effect::Release(assignment("a", 1));
    let (call, _) = step(ringing(), found("a"), T0);
    let (call, _) = step(call, CallEvent::AssignmentUnanswered { fence: Fence(1) }, T0);
    let (call, _) = step(call, CallEvent::NoTaskFree, T0);
    let (call, _) = step(call, CallEvent::Done(Effect::LaunchTask), T0);

    let (call, effects) = step(call, CallEvent::Tick, T0 + secs(1));
    assert_eq!(effects, [Effect::AssignTask, release.clone()]);

    let (call, _) = step(call, found("b"), T0 + secs(1));
    let (call, _) = step(call, answered(2), T0 + secs(1));
    let (call, _) = step(call, CallEvent::MediaConnected { fence: Fence(2), question: None }, T0 + secs(1));
    let (call, _) = step(call, CallEvent::Done(Effect::Accept), T0 + secs(1));
    let (call, effects) = step(call, CallEvent::Tick, T0 + secs(16));
    assert_eq!(effects, [Effect::CheckTask(assignment("b", 2)), release]);
    let (call, _) = step(call, CallEvent::TaskAlive { fence: Fence(2) }, T0 + secs(16));
    let (call, effects) = step(call, CallEvent::Tick, T0 + secs(31));
    assert_eq!(
        effects,
        [Effect::CheckTask(assignment("b", 2))],
        "the task dropped the call itself at the ring deadline"
    );
    assert_eq!(call.pending, effects);
}

#[test]
fn the_previous_release_reads_cap_reached_as_took_too_long() {
    let cap = CallEvent::TaskEnded { fence: Fence(1), ending: Ending::CapReached };
    let (call, effects) = step(live(), cap, T0);
    assert_eq!((call.ending(), effects), (Some(Ending::CapReached), vec![Effect::Terminate]));

    let mut stored = serde_json::to_value(&call).expect("a call has text keys");

    assert_eq!(stored["phase"], serde_json::json!({"ended": "took_too_long"}));
    assert_eq!(serde_json::from_value::<Call>(stored.clone()).ok(), Some(call));
    for unknown in [serde_json::json!("of_a_later_release"), serde_json::Value::Null] {
        stored["newer_ending"] = unknown;
        let read: Call = serde_json::from_value(stored.clone()).expect("it is read by its phase");
        assert_eq!(read.ending(), Some(Ending::TookTooLong));
    }
}

#[test]
fn a_hang_up_before_the_accept_sends_no_message() {
    let (call, _) = step(connecting(), CallEvent::MediaConnected { fence: Fence(1), question: None }, T0);

    let (call, effects) = step(call, CallEvent::CallGone(Effect::Accept), T0);

    assert_eq!(call.ending(), Some(Ending::CallerGaveUp));
    assert_eq!(effects, [Effect::Terminate, Effect::Release(assignment("a", 1))]);
    let (call, effects) = step(call, CallEvent::CallGone(Effect::Terminate), T0);
    assert_eq!((effects, call.pending), (vec![], vec![Effect::Release(assignment("a", 1))]));
}

#[test]
fn a_failed_launch_is_retried_after_another_search() {
    let (call, _) = step(ringing(), CallEvent::NoTaskFree, T0);
    let (call, effects) = step(call, CallEvent::Failed(Effect::LaunchTask), T0);
    assert_eq!(effects, []);

    let (call, effects) = step(call, CallEvent::Tick, T0 + secs(1));
    assert_eq!(effects, [Effect::AssignTask]);
    let (_, effects) = step(call, CallEvent::NoTaskFree, T0 + secs(1));

    assert_eq!(effects, [Effect::LaunchTask]);
}

#[test]
fn a_call_without_a_slot_launches_one_task() {
    let (call, effects) = step(ringing(), CallEvent::NoTaskFree, T0);
    assert_eq!(effects, [Effect::LaunchTask]);
    let (call, _) = step(call, CallEvent::Done(Effect::LaunchTask), T0);

    let (call, effects) = step(call, CallEvent::Tick, T0 + secs(5));
    assert_eq!(effects, [Effect::AssignTask]);
    let (_, effects) = step(call, CallEvent::NoTaskFree, T0 + secs(5));

    assert_eq!(effects, []);
}

#[test]
fn no_capacity_within_the_ring_time_rejects_with_a_message() {
    let (call, _) = step(ringing(), CallEvent::NoTaskFree, T0);

    let (call, effects) = step(call, CallEvent::Tick, T0 + BUDGET);

    assert_eq!(call.ending(), Some(Ending::NoCapacity));
    assert_eq!(effects, [Effect::Reject, Effect::TellCaller(Ending::NoCapacity)]);
}

#[test]
fn a_call_turned_away_is_rejected_with_a_message() {
    for ending in [Ending::Closed, Ending::OverBudget, Ending::CalledTooOften] {
        let (call, effects) = step(ringing(), CallEvent::Rejected(ending), T0);

        assert_eq!((call.ending(), call.fence, ending.by()), (Some(ending), Fence(0), Party::Us));
        assert_eq!(effects, [Effect::Reject, Effect::TellCaller(ending)]);
        assert!(ending.is_turned_away());
    }
}

#[test]
fn a_call_offered_to_a_task_is_not_turned_away() {
    let (assigned, _) = step(ringing(), found("a"), T0);

    for call in [assigned, connecting(), live()] {
        assert_eq!(step(call.clone(), CallEvent::Rejected(Ending::Closed), T0), (call, vec![]));
    }
}

#[test]
fn a_lookup_turns_away_a_call_that_its_task_has() {
    let fence = Fence(1);
    let refused = |fence| CallEvent::TurnedAway { fence, ending: Ending::RefusedByLookup };
    let (assigned, _) = step(ringing(), found("a"), T0);
    let release = Effect::Release(assigned.assignment.clone().expect("it has a task"));
    // The previous release reads the pending message, and has no word for this ending.
    let message = Effect::TellCaller(Ending::Closed);

    for (call, way_to_end) in [(assigned, Effect::Reject), (connecting(), Effect::Terminate)] {
        assert_eq!(step(call.clone(), refused(Fence(9)), T0), (call.clone(), vec![]), "another task has it");

        let (call, effects) = step(call, refused(fence), T0);

        assert_eq!(call.ending(), Some(Ending::RefusedByLookup));
        assert_eq!(effects, [way_to_end, release.clone(), message.clone()]);
        assert_eq!(step(call.clone(), refused(fence), T0), (call, vec![]), "it is over");
    }
    assert_eq!(step(live(), refused(fence), T0), (live(), vec![]), "caller and agent are talking");
    assert_eq!(step(ringing(), refused(Fence(0)), T0), (ringing(), vec![]), "no task has it");
}

#[test]
fn connected_media_settles_a_pending_pre_accept() {
    let (call, effects) =
        step(connecting(), CallEvent::MediaConnected { fence: Fence(1), question: None }, T0);
    assert_eq!(effects, [Effect::Accept]);

    let (call, _) = step(call, CallEvent::Done(Effect::Accept), T0);

    assert_eq!(call.phase, Phase::Live);
}

#[test]
fn a_repeated_request_after_a_failure_accepts_again() {
    let (call, _) = step(connecting(), CallEvent::MediaConnected { fence: Fence(1), question: None }, T0);
    let (call, _) = step(call, CallEvent::Failed(Effect::Accept), T0 + secs(1));

    let (call, effects) =
        step(call, CallEvent::MediaConnected { fence: Fence(1), question: None }, T0 + secs(2));

    assert_eq!((effects, call.attempts), (vec![Effect::Accept], 2));
    assert!(call.may_have_taken_effect());
}

#[test]
fn two_accepts_are_never_in_flight() {
    let (call, _) = step(connecting(), CallEvent::MediaConnected { fence: Fence(1), question: None }, T0);

    for late in [secs(2), secs(5), secs(9)] {
        for event in [CallEvent::Tick, CallEvent::MediaConnected { fence: Fence(1), question: None }] {
            assert_eq!(step(call.clone(), event, T0 + late), (call.clone(), vec![]), "{late:?}");
        }
        let silent = CallEvent::TaskSilent { fence: Fence(1), lease: Some(1) };
        let (silent, effects) = step(call.clone(), silent, T0);
        assert_eq!((effects, silent.due), (vec![], call.due), "a late check schedules no earlier tick");
        assert_eq!(step(silent, CallEvent::Tick, T0 + late).1, []);
    }
    let early = Call { due: Some(T0), ..call.clone() };
    assert_eq!(
        step(early, CallEvent::Tick, T0 + secs(9)),
        (call, vec![]),
        "an older release scheduled the tick too soon"
    );
}

#[test]
fn a_task_is_released_while_another_process_accepts() {
    let (mut call, _) = step(connecting(), CallEvent::MediaConnected { fence: Fence(1), question: None }, T0);
    let release = Effect::Release(assignment("b", 0));
    call.pending.push(release.clone());
    call.due = Some(T0);

    let (call, effects) = step(call, CallEvent::Tick, T0 + secs(2));

    assert_eq!((effects, call.due), (vec![release], Some(T0 + secs(10))));
}

#[test]
fn losing_an_earlier_request_does_not_end_a_later_attempt() {
    let asks = |question| CallEvent::MediaConnected { fence: Fence(1), question: Some(question) };
    let (call, _) = step(connecting(), asks(1), T0);
    let (call, _) = step(call, CallEvent::Failed(Effect::Accept), T0);
    let (call, effects) = step(call, asks(2), T0 + secs(1));
    assert_eq!(effects, [Effect::Accept]);

    let (call, _) = step(call, CallEvent::AcceptLost { fence: Fence(1), question: Some(1) }, T0 + secs(2));
    let (call, effects) = step(call, asks(3), T0 + secs(2));
    assert_eq!(effects, []);
    let (call, _) = step(call, CallEvent::AcceptLost { fence: Fence(1), question: Some(2) }, T0 + secs(3));

    assert_eq!(step(call, asks(3), T0 + secs(3)).1, [Effect::Accept]);
}

#[test]
fn a_process_stops_trying_before_another_one_may_begin() {
    let (accepting, _) =
        step(connecting(), CallEvent::MediaConnected { fence: Fence(1), question: None }, T0);
    let (launching, _) = step(ringing(), CallEvent::NoTaskFree, T0);

    for call in [accepting, launching] {
        for spent in [ms(0), secs(4), secs(12)] {
            let stops = T0 + spent + call.retry_window(T0 + spent);
            assert!(stops <= T0 + secs(9) || stops == T0 + spent, "after {spent:?}");
            assert_eq!(step(call.clone(), CallEvent::Tick, T0 + ms(9_999)).1, []);
        }
    }
}

#[test]
fn an_accept_of_a_killed_process_is_retried_within_the_ring_time() {
    let (call, _) =
        step(connecting(), CallEvent::MediaConnected { fence: Fence(1), question: None }, T0 + secs(2));

    for event in [CallEvent::Tick, CallEvent::MediaConnected { fence: Fence(1), question: None }] {
        let (call, effects) = step(call.clone(), event, T0 + secs(12));

        assert_eq!(effects, [Effect::Accept]);
        assert!(call.may_have_taken_effect(), "the killed process may have reached Meta");
    }
}

#[test]
fn a_reported_process_failure_ends_its_attempt_at_once() {
    let (call, _) = step(connecting(), CallEvent::MediaConnected { fence: Fence(1), question: None }, T0);
    let (other, _) =
        step(call.clone(), CallEvent::AcceptLost { fence: Fence(7), question: None }, T0 + secs(2));
    assert_eq!(other, call);

    let (call, _) = step(call, CallEvent::AcceptLost { fence: Fence(1), question: None }, T0 + secs(2));
    let (call, effects) =
        step(call, CallEvent::MediaConnected { fence: Fence(1), question: None }, T0 + secs(2));

    assert_eq!((effects, call.may_have_taken_effect()), (vec![Effect::Accept], true));
}

#[test]
fn losing_a_tasks_request_does_not_end_a_ticks_attempt() {
    let (call, _) = step(connecting(), CallEvent::MediaConnected { fence: Fence(1), question: None }, T0);
    let (call, _) = step(call, CallEvent::Failed(Effect::Accept), T0);
    let (call, effects) = step(call, CallEvent::Tick, T0 + secs(1));
    assert_eq!(effects, [Effect::Accept]);

    let (call, _) = step(call, CallEvent::AcceptLost { fence: Fence(1), question: None }, T0 + secs(2));
    let (_, effects) =
        step(call, CallEvent::MediaConnected { fence: Fence(1), question: None }, T0 + secs(2));

    assert_eq!(effects, []);
}

#[test]
fn an_attempt_that_never_reached_meta_does_not_count() {
    let (mut call, _) = step(connecting(), CallEvent::MediaConnected { fence: Fence(1), question: None }, T0);
    for tries in 1..=3 {
        assert!(!call.may_have_taken_effect(), "after {tries}");
        let now = T0 + secs(3 * tries);
        (call, _) = step(call, CallEvent::NotReceived(Effect::Accept), now);
        (call, _) = step(call, CallEvent::MediaConnected { fence: Fence(1), question: None }, now);
    }
    (call, _) = step(call, CallEvent::Failed(Effect::Accept), T0 + secs(10));
    (call, _) = step(call, CallEvent::MediaConnected { fence: Fence(1), question: None }, T0 + secs(10));

    assert!(call.may_have_taken_effect());
}

#[test]
fn a_task_with_an_old_fence_is_ignored() {
    let (call, effects) =
        step(connecting(), CallEvent::MediaConnected { fence: Fence(7), question: None }, T0);

    assert_eq!((call.phase, effects), (Phase::Connecting, vec![]));
}

#[test]
fn a_call_without_media_is_terminated_at_the_ring_deadline() {
    let (call, effects) = step(connecting(), CallEvent::Tick, T0 + BUDGET);

    let ending = Ending::MediaNeverConnected;
    assert_eq!(call.ending(), Some(ending));
    assert_eq!(effects, [Effect::Terminate, Effect::Release(assignment("a", 1)), Effect::TellCaller(ending)]);
}

#[test]
fn a_hang_up_releases_the_task_and_sends_meta_nothing() {
    let (call, effects) = step(live(), CallEvent::HungUp, T0);

    assert_eq!(call.ending(), Some(Ending::CallerHungUp));
    assert_eq!(effects, [Effect::Release(assignment("a", 1))]);
}

#[test]
fn a_call_given_up_by_meta_sends_only_a_message() {
    let refused = Effect::TellCaller(Ending::MetaRefused);
    for call in [connecting(), live()] {
        let (call, effects) = step(call, CallEvent::LineGaveUp, T0);

        assert_eq!(call.ending(), Some(Ending::MetaRefused));
        assert_eq!(effects, [Effect::Release(assignment("a", 1)), refused.clone()]);
        assert_eq!(call.pending, effects);
    }
    let (call, effects) = step(ringing(), CallEvent::LineGaveUp, T0);
    assert_eq!((call.pending, effects), (vec![refused.clone()], vec![refused]));
}

#[test]
fn a_late_refusal_does_not_end_a_live_call() {
    for late in [
        CallEvent::Refused(Effect::Accept),
        CallEvent::CallGone(Effect::Accept),
        CallEvent::Refused(Effect::PreAccept),
    ] {
        let (call, effects) = step(live(), late, T0);

        assert_eq!((call.phase, effects), (Phase::Live, vec![]));
    }
}

#[test]
fn a_ring_time_ahead_of_this_clock_delays_nothing() {
    let (_, effects) = step(ringing(), CallEvent::Tick, Timestamp(T0.0 - 5_000));

    assert_eq!(effects, [Effect::AssignTask]);
}

#[test]
fn a_call_that_meta_reports_over_is_not_terminated() {
    let lost = CallEvent::TaskEnded { fence: Fence(1), ending: Ending::AgentSaidGoodbye };
    let (call, effects) = step(live(), lost, T0);
    assert_eq!(effects, [Effect::Terminate]);

    let (call, effects) = step(call, CallEvent::HungUp, T0);

    assert_eq!((effects, call.pending, call.due), (vec![], vec![], None));
}

#[test]
fn an_agents_goodbye_terminates_and_releases_nothing() {
    let goodbye = CallEvent::TaskEnded { fence: Fence(1), ending: Ending::AgentSaidGoodbye };

    let (_, effects) = step(live(), goodbye, T0);

    assert_eq!(effects, [Effect::Terminate]);
}

#[test]
fn a_silent_task_with_an_unchanged_lease_loses_the_call() {
    let (call, effects) = step(live(), CallEvent::Tick, T0 + secs(15));
    assert_eq!(effects, [Effect::CheckTask(assignment("a", 1))]);
    let call = silent(call, Some(7), 15);
    assert_eq!((call.phase, call.due), (Phase::Live, Some(T0 + secs(23))));

    let (call, effects) =
        step(call, CallEvent::TaskSilent { fence: Fence(1), lease: Some(7) }, T0 + secs(23));

    assert_eq!(call.ending(), Some(Ending::Lost));
    let release = Effect::Release(assignment("a", 1));
    assert_eq!(
        effects,
        [Effect::Terminate, release, Effect::TellCaller(Ending::Lost)],
        "it may be alive after all"
    );
}

#[test]
fn a_task_that_has_stopped_is_not_released() {
    let (call, effects) = step(live(), CallEvent::TaskStopped { fence: Fence(1) }, T0);

    assert_eq!(call.ending(), Some(Ending::Lost));
    assert_eq!(effects, [Effect::Terminate, Effect::TellCaller(Ending::Lost)]);
}

#[test]
fn a_lease_that_changed_since_the_first_silence_proves_life() {
    // Only a change counts: the task's clock may be set back.
    for moved in [8, 6] {
        let mut call = live();
        for n in 0..100 {
            call = silent(call, Some(7), 15 + n * 25);
            call = silent(call, Some(7), 20 + n * 25);
            call = silent(call, Some(moved), 25 + n * 25);
            assert_eq!((call.phase, call.silent_since), (Phase::Live, None));
        }
    }
}

#[test]
fn a_deleted_lease_does_not_prove_life() {
    let call = silent(silent(live(), Some(7), 15), None, 20);

    assert_eq!(silent(call, None, 25).ending(), Some(Ending::Lost));
}

#[test]
fn a_refused_answer_rejects_a_call_that_still_rings_at_meta() {
    let (call, effects) = step(connecting(), CallEvent::Refused(Effect::PreAccept), T0);

    let ending = Ending::MetaRefused;
    assert_eq!(call.ending(), Some(ending));
    assert_eq!(effects, [Effect::Reject, Effect::Release(assignment("a", 1)), Effect::TellCaller(ending)]);
}

#[test]
fn a_call_that_meta_refuses_to_terminate_is_rejected() {
    let (call, effects) = step(connecting(), CallEvent::Tick, T0 + BUDGET);
    assert_eq!(effects[0], Effect::Terminate);

    let (call, effects) = step(call, CallEvent::Refused(Effect::Terminate), T0 + BUDGET);
    assert_eq!(effects, [Effect::Reject]);

    let (call, _) = step(call, CallEvent::Refused(Effect::Reject), T0 + BUDGET);
    assert!(!call.pending.contains(&Effect::Reject), "no other action is left");
}

#[test]
fn effects_of_an_ended_call_are_retried_a_limited_number_of_times() {
    let (mut call, _) =
        step(live(), CallEvent::TaskEnded { fence: Fence(1), ending: Ending::BothSilent }, T0);
    let mut tries = 1;
    let mut now = T0;
    while let Some(due) = call.due {
        now = due;
        let (next, effects) = step(call, CallEvent::Tick, now);
        tries += u32::from(effects == [Effect::Terminate]);
        call = next;
    }

    assert_eq!(tries, MAX_ATTEMPTS_AFTER_END);
    assert!(now - T0 > secs(60));
}

#[test]
fn a_silent_task_is_sent_three_releases() {
    let (call, _) = step(live(), CallEvent::TaskSilent { fence: Fence(1), lease: None }, T0);
    let (call, _) = step(call, CallEvent::TaskSilent { fence: Fence(1), lease: None }, T0 + secs(8));
    let (call, _) = step(call, CallEvent::Done(Effect::Terminate), T0 + secs(8));
    let (mut call, _) = step(call, CallEvent::Claimed(Effect::TellCaller(Ending::Lost)), T0 + secs(8));

    let mut tries = 1;
    while let Some(due) = call.due {
        let (next, effects) = step(call, CallEvent::Tick, due);
        tries += u32::from(effects == [Effect::Release(assignment("a", 1))]);
        call = next;
    }

    assert_eq!((tries, call.pending), (MAX_RELEASES_AFTER_END, vec![]));
}

#[test]
fn one_process_claims_a_message() {
    let (call, _) = step(connecting(), CallEvent::Tick, T0 + BUDGET);
    let message = Effect::TellCaller(Ending::MediaNeverConnected);

    let (call, first) = step(call, CallEvent::Claimed(message.clone()), T0 + BUDGET);
    let (_, second) = step(call, CallEvent::Claimed(message.clone()), T0 + BUDGET);

    assert_eq!((first, second), (vec![message], vec![]));
}

#[test]
fn an_ended_call_without_effects_is_not_due() {
    let (call, _) = step(live(), CallEvent::HungUp, T0);

    let (call, _) = step(call, CallEvent::Done(Effect::Release(assignment("a", 1))), T0);

    assert_eq!((call.due, call.pending), (None, vec![]));
}

fn ringing() -> Call {
    Call::ringing(T0, BUDGET)
}

fn connecting() -> Call {
    let (call, _) = step(ringing(), found("a"), T0);
    step(call, answered(1), T0).0
}

fn live() -> Call {
    let (call, _) = step(connecting(), CallEvent::MediaConnected { fence: Fence(1), question: None }, T0);
    step(call, CallEvent::Done(Effect::Accept), T0).0
}

fn silent(call: Call, lease: Option<u64>, at: u64) -> Call {
    step(call, CallEvent::TaskSilent { fence: Fence(1), lease }, T0 + secs(at)).0
}

fn found(task: &str) -> CallEvent {
    CallEvent::TaskAssigned { task: task.into() }
}

fn answered(fence: u64) -> CallEvent {
    CallEvent::Answered { fence: Fence(fence), answer: "v=0".into() }
}

fn assignment(task: &str, fence: u64) -> Assignment {
    Assignment { task: task.into(), fence: Fence(fence) }
}

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}
