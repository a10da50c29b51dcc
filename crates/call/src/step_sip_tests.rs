//! Tests of [`step`] on the SIP line, where the audio is not ours.

use super::*;
use crate::{Assignment, Fence, Line, Party};

const T0: Timestamp = Timestamp(1_795_305_600_000);

#[test]
fn a_task_that_takes_the_call_gets_it_accepted_without_an_answer() {
    let (call, effects) = step(ringing(), found("a"), T0);
    assert_eq!(effects, [Effect::Offer(assignment("a", 1))]);

    let (call, effects) = step(call, taken(1), T0);
    assert_eq!((call.phase, effects, call.pending.clone()), (Phase::Connecting, vec![], vec![]));
    let (call, effects) = step(call, ready(1), T0);
    assert_eq!((call.phase, effects), (Phase::Accepting, vec![Effect::Accept]));
    let (call, _) = step(call, CallEvent::Done(Effect::Accept), T0 + ms(300));

    assert_eq!((call.phase, call.accepted_at), (Phase::Live, Some(T0 + ms(300))));
    assert!(!call.pre_accepted, "there is no answer to take");
}

#[test]
fn a_task_that_asks_before_its_answer_is_saved_gets_the_accept() {
    let (call, _) = step(ringing(), found("a"), T0);

    let (call, effects) = step(call, ready(1), T0);
    assert_eq!((call.phase, effects), (Phase::Accepting, vec![Effect::Accept]));
    let (call, effects) = step(call, taken(1), T0);

    assert_eq!((call.phase, effects), (Phase::Accepting, vec![]));
}

#[test]
fn a_call_is_rejected_until_its_accept_is_asked_for() {
    let closed = CallEvent::Rejected(Ending::Closed);
    let (_, effects) = step(ringing(), closed, T0);
    assert_eq!(effects, [Effect::Reject], "no message can be sent");

    let ended = CallEvent::TaskEnded { fence: Fence(1), ending: Ending::AgentUnavailable };
    for (call, way) in
        [(connecting(), Effect::Reject), (accepting(), Effect::Terminate), (live(), Effect::Terminate)]
    {
        assert_eq!(step(call, ended.clone(), T0).1, [way]);
    }
}

#[test]
fn without_a_free_task_it_looks_again_each_second_and_launches_none() {
    let (call, effects) = step(ringing(), CallEvent::NoTaskFree, T0);
    assert_eq!((effects, call.due), (vec![], Some(T0 + secs(1))));
    let (call, effects) = step(call, CallEvent::Tick, T0 + secs(1));
    assert_eq!(effects, [Effect::AssignTask]);
    let (call, _) = step(call, CallEvent::NoTaskFree, T0 + secs(1));

    let (call, effects) = step(call, CallEvent::Tick, T0 + secs(6));

    assert_eq!((call.ending(), effects), (Some(Ending::NoCapacity), vec![Effect::Reject]));
}

#[test]
fn a_task_that_does_not_become_ready_in_time_loses_the_call() {
    let (call, effects) = step(connecting(), CallEvent::Tick, T0 + secs(6));

    assert_eq!((call.ending(), Ending::LineFailed.by()), (Some(Ending::LineFailed), Party::Us));
    assert_eq!(effects, [Effect::Reject, Effect::Release(assignment("a", 1))]);
}

#[test]
fn a_refused_accept_ends_the_call() {
    let (call, effects) = step(accepting(), CallEvent::Refused(Effect::Accept), T0);

    assert_eq!((call.ending(), Ending::LineRefused.by()), (Some(Ending::LineRefused), Party::Line));
    assert_eq!(call.phase, Phase::Ended(Ending::MetaRefused), "the previous release can read the phase");
    assert_eq!(effects, [Effect::Reject, Effect::Release(assignment("a", 1))], "it still rings there");
    let (unanswered, _) = step(accepting(), CallEvent::Failed(Effect::Accept), T0);
    let (unanswered, _) = step(unanswered, ready(1), T0 + secs(1));
    let (_, effects) = step(unanswered, CallEvent::Refused(Effect::Accept), T0 + secs(1));
    assert_eq!(effects[0], Effect::Terminate, "it may have been accepted before");
}

#[test]
fn a_caller_who_gave_up_before_the_accept_is_left_alone() {
    let (call, effects) = step(accepting(), CallEvent::CallGone(Effect::Accept), T0);

    assert_eq!(
        (call.ending(), effects),
        (Some(Ending::CallerGaveUp), vec![Effect::Release(assignment("a", 1))])
    );
}

#[test]
fn a_call_whose_accept_is_in_doubt_is_hung_up() {
    for ending in [Ending::CallerGaveUp, Ending::LineRefused] {
        let in_doubt = CallEvent::AcceptInDoubt { ending };
        let (call, effects) = step(accepting(), in_doubt.clone(), T0);
        assert_eq!(call.ending(), Some(ending));
        assert_eq!(effects, [Effect::Terminate, Effect::Release(assignment("a", 1))]);

        assert_eq!(step(live(), in_doubt, T0), (live(), vec![]), "another process was faster");
    }
}

#[test]
fn a_call_that_another_endpoint_answered_is_left_alone() {
    let (call, effects) = step(accepting(), CallEvent::LineGaveUp, T0);

    assert_eq!(call.ending(), Some(Ending::LineRefused));
    assert_eq!(effects, [Effect::Release(assignment("a", 1))]);
}

#[test]
fn an_accept_on_its_way_outlasts_the_ring_time() {
    let (call, _) = step(connecting(), ready(1), T0 + secs(5));
    let (call, effects) = step(call, CallEvent::Tick, T0 + secs(7));
    assert_eq!((call.phase, effects), (Phase::Accepting, vec![]));

    let (answered, _) = step(call.clone(), CallEvent::Done(Effect::Accept), T0 + secs(8));
    assert_eq!(answered.phase, Phase::Live);

    let (failed, _) = step(call, CallEvent::Failed(Effect::Accept), T0 + secs(8));
    let (late, effects) = step(failed, ready(1), T0 + secs(9));
    assert_eq!(late.ending(), Some(Ending::LineRefused), "it is too late for another accept");
    assert_eq!(effects, [Effect::Terminate, Effect::Release(assignment("a", 1))]);
}

#[test]
fn an_accept_that_arrives_after_the_end_is_hung_up() {
    let (call, _) = step(accepting(), CallEvent::TaskEnded { fence: Fence(1), ending: Ending::Drained }, T0);
    let (call, _) = step(call, CallEvent::Done(Effect::Terminate), T0);
    assert_eq!(call.due, None);

    for late in [CallEvent::Done(Effect::Accept), CallEvent::Failed(Effect::Accept)] {
        let (call, effects) = step(call.clone(), late, T0 + secs(1));

        assert_eq!((effects, call.due.is_some()), (vec![Effect::Terminate], true));
        assert_eq!(call.ending(), Some(Ending::Drained));
    }
}

#[test]
fn an_accept_that_overtakes_the_first_hangup_is_hung_up() {
    let drained = CallEvent::TaskEnded { fence: Fence(1), ending: Ending::Drained };
    let (ended, _) = step(accepting(), drained, T0);

    // Its success is saved before the hangup's refusal.
    let (call, effects) = step(ended.clone(), CallEvent::Done(Effect::Accept), T0 + secs(1));
    assert_eq!((effects, call.accepted_at), (vec![Effect::Terminate], Some(T0)));
    let (call, effects) = step(call, CallEvent::Refused(Effect::Terminate), T0 + secs(1));
    assert_eq!(effects, [], "no accepted call is rejected");
    let (call, effects) = step(call.clone(), CallEvent::Tick, call.due.expect("a hangup is still pending"));
    assert_eq!(effects, [Effect::Terminate], "the refusal was older than the accept");
    let (call, _) = step(call, CallEvent::Done(Effect::Terminate), T0 + secs(3));
    assert_eq!(call.due, None);

    // It is not saved at all.
    let (call, effects) = step(ended, CallEvent::Refused(Effect::Terminate), T0 + secs(1));
    assert_eq!(effects, [Effect::Reject], "it may ring");
    let (call, effects) = step(call, CallEvent::Refused(Effect::Reject), T0 + secs(1));
    assert_eq!((effects, call.accepted_at), (vec![Effect::Terminate], Some(T0)), "it was accepted");
    let (call, _) = step(call, CallEvent::Done(Effect::Terminate), T0 + secs(2));
    assert_eq!(call.due, None);
}

#[test]
fn a_call_of_another_endpoint_is_not_hung_up() {
    let (call, effects) = step(accepting(), CallEvent::Refused(Effect::Accept), T0);
    assert_eq!(effects[0], Effect::Reject, "it was not accepted by this one");

    let (call, effects) = step(call, CallEvent::Refused(Effect::Reject), T0 + secs(1));

    assert_eq!((effects, call.accepted_at), (vec![], None));
    assert!(!call.pending.contains(&Effect::Terminate));
}

#[test]
fn a_call_that_seems_over_to_its_task_is_hung_up_anyway() {
    for ending in [Ending::CallerHungUp, Ending::Transferred] {
        let (call, effects) = step(live(), CallEvent::TaskEnded { fence: Fence(1), ending }, T0);
        assert_eq!((call.ending(), effects), (Some(ending), vec![Effect::Terminate]));

        let (call, _) = step(call, CallEvent::Done(Effect::Terminate), T0);

        assert_eq!((call.ending(), call.due), (Some(ending), None));
    }
    assert_eq!(Ending::Transferred.by(), Party::Agent);
}

#[test]
fn a_hangup_is_repeated_until_it_arrives_or_the_session_is_over() {
    let ended = CallEvent::TaskEnded { fence: Fence(1), ending: Ending::AgentSaidGoodbye };
    let (mut call, mut effects) = step(live(), ended, T0 + secs(30));
    let (mut now, mut hangups) = (T0 + secs(30), vec![]);
    while let Some(due) = call.due {
        assert!(effects.iter().all(|effect| *effect == Effect::Terminate), "{effects:?}");
        hangups.extend(effects.iter().map(|_| now));
        (call, _) = step(call, CallEvent::Failed(Effect::Terminate), now);
        now = call.due.unwrap_or(due);
        (call, effects) = step(call, CallEvent::Tick, now);
    }

    let pauses: Vec<_> = hangups.windows(2).map(|pair| (pair[1] - pair[0]).as_secs()).collect();
    assert_eq!(pauses[..8], [1, 2, 3, 4, 5, 6, 60, 60]);
    let last = *hangups.last().expect("it was hung up");
    assert!((secs(3_500)..secs(3_600)).contains(&(last - T0)), "{last:?}");
    assert_eq!((call.pending, now >= T0 + secs(3_600)), (vec![], true));
}

#[test]
fn a_hangup_alone_is_repeated_when_all_else_is_given_up() {
    let (call, _) = step(accepting(), CallEvent::Unanswerable, T0);
    let call =
        (1..6).fold(call, |call, _| step(call.clone(), CallEvent::Tick, call.due.expect("it is due")).0);
    assert_eq!(call.pending, [Effect::Terminate, Effect::Release(assignment("a", 1))]);

    let (call, effects) = step(call.clone(), CallEvent::Tick, call.due.expect("it is due"));

    assert_eq!((effects, call.pending), (vec![Effect::Terminate], vec![Effect::Terminate]));
}

#[test]
fn another_task_takes_over_a_call_whose_task_has_stopped() {
    let (call, effects) = step(live(), CallEvent::TaskStopped { fence: Fence(1) }, T0 + secs(60));
    assert_eq!((call.phase, effects), (Phase::Live, vec![Effect::AssignTask]));

    let (call, effects) = step(call, found("b"), T0 + secs(60));
    assert_eq!(effects, [Effect::Offer(assignment("b", 2))]);
    let (call, effects) = step(call, taken(2), T0 + secs(61));

    assert_eq!((call.phase, effects, call.due), (Phase::Live, vec![], Some(T0 + secs(76))));
    let late = CallEvent::TaskEnded { fence: Fence(1), ending: Ending::AgentSaidGoodbye };
    assert_eq!(step(call.clone(), late, T0 + secs(62)), (call, vec![]), "the earlier task has no say");
}

#[test]
fn a_silent_task_releases_a_call_that_another_takes_over() {
    let (call, _) = step(live(), CallEvent::TaskSilent { fence: Fence(1), lease: None }, T0 + secs(30));
    let (call, effects) = step(call, CallEvent::TaskSilent { fence: Fence(1), lease: None }, T0 + secs(38));

    let release = Effect::Release(assignment("a", 1));
    assert_eq!(effects, [Effect::AssignTask, release.clone()]);
    let (call, _) = step(call, found("b"), T0 + secs(38));
    let (call, _) = step(call, taken(2), T0 + secs(38));
    assert_eq!(
        step(call, CallEvent::Tick, T0 + secs(53)).1,
        [Effect::CheckTask(assignment("b", 2)), release]
    );
}

#[test]
fn an_accepted_call_that_finds_no_other_task_is_hung_up() {
    let (call, _) = step(live(), CallEvent::TaskStopped { fence: Fence(1) }, T0 + secs(60));
    let (call, effects) = step(call, CallEvent::NoTaskFree, T0 + secs(60));
    assert_eq!((effects, call.due), (vec![], Some(T0 + secs(61))));
    let (call, effects) = step(call, CallEvent::Tick, T0 + secs(61));
    assert_eq!(effects, [Effect::AssignTask]);

    let (call, effects) = step(call, CallEvent::Tick, T0 + secs(70));

    assert_eq!((call.ending(), effects), (Some(Ending::Lost), vec![Effect::Terminate]));
}

#[test]
fn the_task_of_an_accepted_call_is_checked_at_once() {
    let (call, effects) = step(live(), CallEvent::Tick, T0 + secs(2));
    assert_eq!(effects, [Effect::CheckTask(assignment("a", 1))]);

    let (call, _) = step(call, CallEvent::TaskAlive { fence: Fence(1) }, T0 + secs(2));

    assert_eq!(call.due, Some(T0 + secs(17)));
}

fn ringing() -> Call {
    Call { line: Line::Sip, ..Call::ringing(T0, Line::Sip.rings_for()) }
}

fn connecting() -> Call {
    let (call, _) = step(ringing(), found("a"), T0);
    step(call, taken(1), T0).0
}

fn accepting() -> Call {
    step(connecting(), ready(1), T0).0
}

fn live() -> Call {
    step(accepting(), CallEvent::Done(Effect::Accept), T0).0
}

fn found(task: &str) -> CallEvent {
    CallEvent::TaskAssigned { task: task.into() }
}

fn taken(fence: u64) -> CallEvent {
    CallEvent::Answered { fence: Fence(fence), answer: String::new() }
}

fn ready(fence: u64) -> CallEvent {
    CallEvent::MediaConnected { fence: Fence(fence), question: None }
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
