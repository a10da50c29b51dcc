//! Properties of [`step`] for any events in any order: no panic, one ending, and a call that always settles.

use crate::{Assignment, Call, CallEvent, Effect, Ending, Fence, Line, Timestamp, step};
use proptest::prelude::*;
use std::time::Duration;

proptest! {
    #[test]
    fn a_call_ends_once_and_always_settles(line in line(), events in prop::collection::vec((event(), 0u64..9_000), 0..40)) {
        let mut now = Timestamp(1_000_000);
        let mut call = Call { line, ..Call::ringing(now, Duration::from_secs(25)) };
        let mut ending: Option<Ending> = None;
        let mut messages = 0;
        let mut owed: Vec<Effect> = vec![];
        for (event, wait) in events {
            now = now + Duration::from_millis(wait);
            let is_claim = matches!(event, CallEvent::Claimed(_));
            let taken_away = match &event {
                CallEvent::AssignmentUnanswered { fence } | CallEvent::TaskSilent { fence, .. } => {
                    call.assignment.clone().filter(|assignment| assignment.fence == *fence).map(Effect::Release)
                }
                _ => None,
            };
            owed.retain(|release| ![CallEvent::Done(release.clone()), CallEvent::Refused(release.clone()), CallEvent::CallGone(release.clone())].contains(&event));
            let was_offered = matches!(event, CallEvent::TurnedAway { .. }) || call.has_ended();
            let (next, effects) = step(call, event, now);
            owed.extend(taken_away.filter(|_| next.assignment.is_none()));
            let is_over = next.has_ended() || now >= next.ring_deadline;
            prop_assert!(is_over || owed.iter().all(|it| next.pending.contains(it)), "an assignment was taken away and not released");
            messages += if is_claim { effects.len() } else { 0 };
            prop_assert!(messages <= 1, "a message was sent twice");
            prop_assert!(ending.is_none() || next.ending() == ending, "a call ended twice");
            let is_claimed = |effect: &Effect| matches!(effect, Effect::TellCaller(_));
            let is_turned_away = next.ending().is_some_and(Ending::is_turned_away);
            prop_assert!(!is_turned_away || was_offered || next.assignment.is_none(), "a call was turned away that a task has");
            prop_assert!(!is_turned_away || was_offered || next.answer.is_none(), "an answered call was turned away");
            let was_accepted = next.accepted_at.is_some_and(|at| next.ended_at.is_none_or(|ended| at < ended));
            prop_assert!(!is_turned_away || !was_accepted, "an accepted call was turned away");
            let saved = effects.iter().all(|effect| next.pending.contains(effect) || is_claimed(effect));
            prop_assert!(saved, "an effect was not saved");
            ending = next.ending();
            call = next;
        }

        // From here on no task responds and no effect is performed.
        for _ in 0..200 {
            let Some(due) = call.due else { break };
            now = now.max(due);
            let (next, effects) = step(call, CallEvent::Tick, now);
            call = effects.iter().fold(next, |call, effect| fail_effect(call, effect, now));
        }

        prop_assert!(call.has_ended(), "the call is still {:?}", call.phase);
        prop_assert_eq!(call.due, None);
    }
}

proptest! {
    #[test]
    fn a_sip_call_is_rejected_or_hung_up_and_sent_nothing_else(events in prop::collection::vec((event(), 0u64..3_000), 0..40)) {
        let mut now = Timestamp(1_000_000);
        let mut call = Call { line: Line::Sip, ..Call::ringing(now, Line::Sip.rings_for()) };
        let (mut was_hung_up, mut is_known_over, mut may_be_answered) = (false, false, false);
        for (event, wait) in events.into_iter().filter(|(event, _)| happens_on_sip(event)) {
            now = now + Duration::from_millis(wait);
            is_known_over |= !call.has_ended() && reports_end(&event, &call);
            may_be_answered |= !call.has_ended() && is_in_doubt(&event, &call);
            let (next, effects) = step(call, event, now);
            for effect in &effects {
                let is_of_whatsapp = matches!(effect, Effect::PreAccept | Effect::TellCaller(_) | Effect::LaunchTask);
                prop_assert!(!is_of_whatsapp, "{effect:?} on the SIP line");
                prop_assert!(*effect != Effect::Reject || next.accepted_at.is_none(), "an accepted call was rejected");
                prop_assert!(*effect != Effect::Accept || next.line.needs_answer() || !next.has_ended(), "an ended call was accepted");
            }
            was_hung_up |= effects.contains(&Effect::Terminate);
            let is_accepted_and_over = next.accepted_at.is_some() && next.has_ended();
            prop_assert!(!is_accepted_and_over || was_hung_up || is_known_over, "an accepted call ended and was not hung up");
            prop_assert!(!may_be_answered || was_hung_up, "a call that may be answered was not hung up");
            call = next;
        }
    }
}

/// Whether the event is a report that the call is over at the line's service.
fn reports_end(event: &CallEvent, call: &Call) -> bool {
    match event {
        CallEvent::LineGaveUp => true,
        CallEvent::CallGone(effect) => *effect == Effect::Accept && call.pending.contains(effect),
        CallEvent::TaskEnded { fence, ending } => call.is_held_by(*fence) && ending.is_known_to(call.line),
        _ => false,
    }
}

/// Whether the event says that an accept may have taken effect although it was refused.
fn is_in_doubt(event: &CallEvent, call: &Call) -> bool {
    matches!(event, CallEvent::AcceptInDoubt { .. }) && call.pending.contains(&Effect::Accept)
}

/// Whether an event can happen on the SIP line: no webhook reports the end of a call there.
fn happens_on_sip(event: &CallEvent) -> bool {
    let is_of_whatsapp = |effect: &Effect| matches!(effect, Effect::PreAccept | Effect::TellCaller(_));
    match event {
        CallEvent::HungUp | CallEvent::MediaFailed => false,
        CallEvent::Claimed(effect) | CallEvent::Done(effect) | CallEvent::Refused(effect) => {
            !is_of_whatsapp(effect)
        }
        _ => true,
    }
}

fn fail_effect(call: Call, effect: &Effect, now: Timestamp) -> Call {
    match effect {
        Effect::CheckTask(assignment) => {
            step(call, CallEvent::TaskSilent { fence: assignment.fence, lease: Some(1) }, now).0
        }
        Effect::AssignTask
        | Effect::LaunchTask
        | Effect::Offer(_)
        | Effect::PreAccept
        | Effect::Accept
        | Effect::Reject
        | Effect::Terminate
        | Effect::Release(_)
        | Effect::TellCaller(_) => call,
    }
}

fn event() -> impl Strategy<Value = CallEvent> {
    let fence = (1u64..4).prop_map(Fence);
    prop_oneof![
        4 => Just(CallEvent::Tick),
        2 => "[ab]".prop_map(|task| CallEvent::TaskAssigned { task: task.into() }),
        1 => Just(CallEvent::NoTaskFree),
        1 => turned_away().prop_map(CallEvent::Rejected),
        1 => (fence.clone(), turned_away()).prop_map(|(fence, ending)| CallEvent::TurnedAway { fence, ending }),
        2 => fence.clone().prop_map(|fence| CallEvent::Answered { fence, answer: "v=0".into() }),
        1 => fence.clone().prop_map(|fence| CallEvent::AssignmentRefused { fence }),
        1 => fence.clone().prop_map(|fence| CallEvent::AssignmentUnanswered { fence }),
        1 => Just(CallEvent::Unanswerable),
        2 => message().prop_map(CallEvent::Claimed),
        2 => effect().prop_map(CallEvent::Done),
        1 => effect().prop_map(CallEvent::Refused),
        1 => effect().prop_map(CallEvent::CallGone),
        1 => prop::sample::select(vec![Ending::CallerGaveUp, Ending::LineRefused])
            .prop_map(|ending| CallEvent::AcceptInDoubt { ending }),
        1 => effect().prop_map(CallEvent::Failed),
        1 => effect().prop_map(CallEvent::NotReceived),
        1 => fence.clone().prop_map(|fence| CallEvent::AcceptLost { fence, question: None }),
        2 => fence.clone().prop_map(|fence| CallEvent::MediaConnected { fence, question: None }),
        1 => (fence.clone(), task_ending()).prop_map(|(fence, ending)| CallEvent::TaskEnded { fence, ending }),
        1 => fence.clone().prop_map(|fence| CallEvent::TaskAlive { fence }),
        1 => (fence.clone(), prop::option::of(0u64..3))
            .prop_map(|(fence, lease)| CallEvent::TaskSilent { fence, lease }),
        1 => fence.prop_map(|fence| CallEvent::TaskStopped { fence }),
        1 => Just(CallEvent::HungUp),
        1 => Just(CallEvent::MediaFailed),
        1 => Just(CallEvent::LineGaveUp),
    ]
}

fn line() -> impl Strategy<Value = Line> {
    prop::sample::select(vec![Line::WhatsApp, Line::Sip])
}

fn task_ending() -> impl Strategy<Value = Ending> {
    prop::sample::select(vec![
        Ending::AgentSaidGoodbye,
        Ending::CallerHungUp,
        Ending::Transferred,
        Ending::LineFailed,
    ])
}

/// Returns a message effect, of every ending that has one.
fn message() -> impl Strategy<Value = Effect> {
    use Ending::*;
    let endings = [AgentUnavailable, NoCapacity, OfferUnanswerable, MetaRefused, MediaNeverConnected, Lost];
    let ours = prop::sample::select(endings.to_vec());
    prop_oneof![2 => ours, 1 => turned_away()].prop_map(Effect::TellCaller)
}

fn turned_away() -> impl Strategy<Value = Ending> {
    use Ending::*;
    prop::sample::select(vec![Closed, OverBudget, CalledTooOften, Untrusted, RefusedByLookup])
}

fn effect() -> impl Strategy<Value = Effect> {
    let assignment = (1u64..4).prop_map(|fence| Assignment { task: "a".into(), fence: Fence(fence) });
    prop_oneof![
        Just(Effect::AssignTask),
        Just(Effect::LaunchTask),
        assignment.clone().prop_map(Effect::Offer),
        Just(Effect::PreAccept),
        Just(Effect::Accept),
        Just(Effect::Reject),
        Just(Effect::Terminate),
        assignment.clone().prop_map(Effect::Release),
        Just(Effect::TellCaller(Ending::Lost)),
        assignment.prop_map(Effect::CheckTask),
    ]
}
