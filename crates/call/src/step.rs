//! The transition function: moves a call on by one event and returns the effects to perform.

mod accepting;
mod ending;
mod outcomes;
mod task;

use crate::call::MAX_ATTEMPTS_AFTER_END;
use crate::{Call, CallEvent, Effect, Ending, Phase, Timestamp};
use accepting::{accept, end_attempt};
use ending::{
    end, end_by_task, end_from_meta, end_given_up_by_line, hang_up, timeout_ending, turn_away, turn_away_from,
};
use outcomes::{
    claim, note_accept_in_doubt, note_call_gone, note_done, note_failed, note_not_received, note_refused,
};
use std::time::Duration;
use task::{
    MayHold, declare_lost, launch_once, note_alive, note_silence, offer_to_task, reassign, take_answer,
};

/// How often releases of an ended call are attempted before they are dropped, where nothing else is pending. The call is over at the line's
/// service, so a task without the release finds its caller gone.
const MAX_RELEASES_AFTER_END: u32 = 3;

/// Moves a call on by one event.
///
/// The same event may arrive twice, and events may arrive late: an event that no longer applies changes nothing and has no effects. Effects
/// are also added to [`Call::pending`]: save the call, then perform them.
pub fn step(mut call: Call, event: CallEvent, now: Timestamp) -> (Call, Vec<Effect>) {
    let effects = match event {
        CallEvent::Tick => tick(&mut call, now),
        CallEvent::HungUp => hang_up(&mut call, now),
        CallEvent::MediaFailed => end_from_meta(&mut call, Ending::MediaFailed, now),
        CallEvent::LineGaveUp => end_given_up_by_line(&mut call, now),
        CallEvent::TaskAssigned { task } => offer_to_task(&mut call, task, now),
        CallEvent::Rejected(ending) => turn_away(&mut call, ending, now),
        CallEvent::TurnedAway { fence, ending } => turn_away_from(&mut call, fence, ending, now),
        CallEvent::NoTaskFree => launch_once(&mut call, now),
        CallEvent::Answered { fence, answer } => take_answer(&mut call, fence, answer, now),
        CallEvent::AssignmentRefused { fence } => reassign(&mut call, fence, MayHold::No, now),
        CallEvent::AssignmentUnanswered { fence } => reassign(&mut call, fence, MayHold::Perhaps, now),
        CallEvent::Unanswerable => end(&mut call, Ending::OfferUnanswerable, now),
        CallEvent::MediaConnected { fence, question } => accept(&mut call, fence, question, now),
        CallEvent::TaskEnded { fence, ending } => end_by_task(&mut call, fence, ending, now),
        CallEvent::TaskAlive { fence } => note_alive(&mut call, fence, now),
        CallEvent::TaskSilent { fence, lease } => note_silence(&mut call, fence, lease, now),
        CallEvent::TaskStopped { fence } => declare_lost(&mut call, fence, MayHold::No, now),
        CallEvent::Claimed(effect) => claim(&mut call, effect, now),
        CallEvent::Done(effect) => note_done(&mut call, &effect, now),
        CallEvent::Refused(effect) => note_refused(&mut call, &effect, now),
        CallEvent::CallGone(effect) => note_call_gone(&mut call, &effect, now),
        CallEvent::AcceptInDoubt { ending } => note_accept_in_doubt(&mut call, ending, now),
        CallEvent::Failed(effect) => note_failed(&mut call, &effect, now),
        CallEvent::NotReceived(effect) => note_not_received(&mut call, &effect, now),
        CallEvent::AcceptLost { fence, question } => end_attempt(&mut call, fence, question),
    };
    (call, effects)
}

fn tick(call: &mut Call, now: Timestamp) -> Vec<Effect> {
    if call.is_past_deadline(now) {
        return end(call, timeout_ending(call), now);
    }
    if !call.has_ended() && now >= call.ring_deadline && !call.line.outlives_task() {
        // A task whose line was not opened releases the call by itself by then.
        call.pending.retain(|effect| !matches!(effect, Effect::Release(_)));
    }
    // The first tick is always due: the clock of the webhook's host, which set the ring time, may be ahead of this one.
    let is_untouched = call.attempts == 0 && call.is_waiting();
    if !is_untouched && call.due.is_none_or(|due| now < due) {
        return vec![];
    }
    if call.is_waiting() {
        return retry_pending(call, now);
    }
    let releases: Vec<_> = call.pending_releases().cloned().collect();
    let next = match (call.phase, call.assignment.clone()) {
        (Phase::Ringing, _) => call.request(vec![Effect::AssignTask], now),
        (Phase::Live, None) if call.seeks_task() => call.request(vec![Effect::AssignTask], now),
        (Phase::Connecting | Phase::Accepting | Phase::Live, Some(assignment)) => {
            call.request(vec![Effect::CheckTask(assignment)], now)
        }
        (Phase::Connecting | Phase::Accepting | Phase::Live | Phase::Ended(_), _) => {
            call.settle(now);
            vec![]
        }
    };
    [next, releases].concat()
}

fn retry_pending(call: &mut Call, now: Timestamp) -> Vec<Effect> {
    let only_releases = call.pending.iter().all(|effect| matches!(effect, Effect::Release(_)));
    let tries = if only_releases { MAX_RELEASES_AFTER_END } else { MAX_ATTEMPTS_AFTER_END };
    if call.has_ended() && call.attempts >= tries {
        return give_up(call, now);
    }
    if call.is_being_answered(now) {
        call.schedule_tick(Duration::ZERO, now);
        return call.pending_releases().cloned().collect();
    }
    call.request_again(now)
}

/// Drops the pending effects of an ended call, but for a hangup that only the end of the session can replace.
fn give_up(call: &mut Call, now: Timestamp) -> Vec<Effect> {
    if !call.may_go_on_without_hangup(now) {
        call.settle(now);
        return vec![];
    }
    call.pending.retain(|effect| *effect == Effect::Terminate);
    call.request_again(now)
}

#[cfg(test)]
#[path = "step_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "step_sip_tests.rs"]
mod sip_tests;
