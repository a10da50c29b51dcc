//! The transition function: moves a call on by one event and returns the effects to perform.

use crate::call::SILENCE_RECHECK;
use crate::{AnswerAttempt, Assignment, Call, CallEvent, Effect, Ending, Fence, Phase, TaskId, Timestamp};
use std::time::Duration;

/// How often an effect of an ended call is attempted before it is dropped.
const MAX_ATTEMPTS_AFTER_END: u32 = 6;

/// The same for calls with only releases pending. The call is over at Meta, so a task that was not told finds its caller gone.
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
        CallEvent::Failed(effect) => note_failed(&mut call, &effect, now),
        CallEvent::NotReceived(effect) => note_not_received(&mut call, &effect, now),
        CallEvent::AcceptLost { fence, question } => end_attempt(&mut call, fence, question),
    };
    (call, effects)
}

/// Whether a task that the call is taken from may still hold it: then it is told to release the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MayHold {
    No,
    Perhaps,
}

fn tick(call: &mut Call, now: Timestamp) -> Vec<Effect> {
    if call.is_past_deadline(now) {
        return end(call, timeout_ending(call), now);
    }
    if !call.has_ended() && now >= call.ring_deadline && !call.line.outlives_task() {
        // A task that was not told to open the line releases the call by itself by then.
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

/// Returns why a call was not accepted before the ring deadline, or found no other task after it was accepted.
fn timeout_ending(call: &Call) -> Ending {
    match call.phase {
        Phase::Ringing | Phase::Ended(_) => Ending::NoCapacity,
        Phase::Connecting => call.line.never_connected(),
        Phase::Accepting => call.line.refused(),
        Phase::Live => Ending::Lost,
    }
}

fn retry_pending(call: &mut Call, now: Timestamp) -> Vec<Effect> {
    let only_releases = call.pending.iter().all(|effect| matches!(effect, Effect::Release(_)));
    let tries = if only_releases { MAX_RELEASES_AFTER_END } else { MAX_ATTEMPTS_AFTER_END };
    if call.has_ended() && call.attempts >= tries {
        call.settle(now);
        return vec![];
    }
    if call.is_being_answered(now) {
        call.schedule_tick(Duration::ZERO, now);
        return call.pending_releases().cloned().collect();
    }
    call.request_again(now)
}

fn hang_up(call: &mut Call, now: Timestamp) -> Vec<Effect> {
    let ending = match call.phase {
        Phase::Ringing | Phase::Connecting | Phase::Accepting => Ending::CallerGaveUp,
        Phase::Live | Phase::Ended(_) => Ending::CallerHungUp,
    };
    end_from_meta(call, ending, now)
}

/// Ends a call that Meta reports as over: Meta needs no `reject` or `terminate` any more.
fn end_from_meta(call: &mut Call, ending: Ending, now: Timestamp) -> Vec<Effect> {
    if call.has_ended() {
        call.remove_pending(&Effect::Reject, now);
        call.remove_pending(&Effect::Terminate, now);
    }
    end(call, ending, now)
}

/// Ends a call that the line's service gave up itself: the caller gets a message, and the service already knows.
fn end_given_up_by_line(call: &mut Call, now: Timestamp) -> Vec<Effect> {
    let mut effects = end_from_meta(call, call.line.refused(), now);
    for known in [Effect::Reject, Effect::Terminate] {
        effects.retain(|effect| *effect != known);
        call.remove_pending(&known, now);
    }
    effects
}

fn offer_to_task(call: &mut Call, task: TaskId, now: Timestamp) -> Vec<Effect> {
    if !call.seeks_task() {
        return vec![];
    }
    call.fence = call.fence.next();
    let assignment = Assignment { task, fence: call.fence };
    call.assignment = Some(assignment.clone());
    call.request(vec![Effect::Offer(assignment)], now)
}

/// Turns away a call that was not offered to any task: work that another process has begun meanwhile continues.
fn turn_away(call: &mut Call, ending: Ending, now: Timestamp) -> Vec<Effect> {
    if call.phase != Phase::Ringing || call.assignment.is_some() {
        return vec![];
    }
    end(call, ending, now)
}

fn launch_once(call: &mut Call, now: Timestamp) -> Vec<Effect> {
    if !call.seeks_task() {
        return vec![];
    }
    // Tasks that refused may have room at the next attempt.
    call.refused_by.clear();
    if call.launched || !call.line.may_launch() {
        call.settle(now);
        return vec![];
    }
    call.launched = true;
    call.request(vec![Effect::LaunchTask], now)
}

/// Takes a task's answer: it goes to the line's service, unless the line needs none. Then the task asks for the accept, or takes over a call
/// that is accepted already.
fn take_answer(call: &mut Call, fence: Fence, answer: String, now: Timestamp) -> Vec<Effect> {
    if !call.is_offered() || !call.is_held_by(fence) {
        return vec![];
    }
    call.answer = Some(answer);
    call.adrift_until = None;
    if call.phase == Phase::Ringing {
        call.phase = Phase::Connecting;
    }
    if call.line.needs_answer() {
        return call.request(vec![Effect::PreAccept], now);
    }
    call.settle(now);
    vec![]
}

fn reassign(call: &mut Call, fence: Fence, may_hold: MayHold, now: Timestamp) -> Vec<Effect> {
    if !call.is_offered() || !call.is_held_by(fence) {
        return vec![];
    }
    let Some(assignment) = call.assignment.take() else { return vec![] };
    call.refused_by.push(assignment.task.clone());
    let release = (may_hold == MayHold::Perhaps).then_some(Effect::Release(assignment));
    call.request([Effect::AssignTask].into_iter().chain(release).collect(), now)
}

/// Requests the accept. Media connects only after Meta has the answer, so this also settles a pending pre-accept. The task repeats its
/// request until the line is open, and each time the line's service is asked again, unless another process is doing so, or it is too late.
fn accept(call: &mut Call, fence: Fence, question: Option<u64>, now: Timestamp) -> Vec<Effect> {
    if !call.is_held_by(fence) {
        return vec![];
    }
    match call.phase {
        Phase::Connecting | Phase::Accepting if !call.line.needs_answer() && call.is_past_deadline(now) => {
            end(call, timeout_ending(call), now)
        }
        Phase::Connecting => {
            call.pre_accepted = call.line.needs_answer();
            call.phase = Phase::Accepting;
            for_task(call, question, |call| call.request(vec![Effect::Accept], now))
        }
        Phase::Accepting if call.is_being_answered(now) => vec![],
        Phase::Accepting => for_task(call, question, |call| call.request_again(now)),
        Phase::Ringing | Phase::Live | Phase::Ended(_) => vec![],
    }
}

fn for_task(
    call: &mut Call,
    question: Option<u64>,
    request: impl FnOnce(&mut Call) -> Vec<Effect>,
) -> Vec<Effect> {
    let effects = request(call);
    call.telling = call.telling.map(|telling| AnswerAttempt { for_task: true, question, ..telling });
    effects
}

/// Ends the attempt of the process that had this request: Lambda has reported its failure to the task, so it does nothing more at Meta.
fn end_attempt(call: &mut Call, fence: Fence, question: Option<u64>) -> Vec<Effect> {
    if call.is_held_by(fence) {
        call.telling = call.telling.filter(|telling| !telling.for_task || telling.question != question);
    }
    vec![]
}

fn end_by_task(call: &mut Call, fence: Fence, ending: Ending, now: Timestamp) -> Vec<Effect> {
    if !call.is_held_by(fence) {
        return vec![];
    }
    // The task has dropped the call already: there is nothing to release.
    call.assignment = None;
    end(call, ending, now)
}

fn note_alive(call: &mut Call, fence: Fence, now: Timestamp) -> Vec<Effect> {
    if call.is_held_by(fence) && !call.has_ended() {
        (call.silent_since, call.silent_lease) = (None, None);
        call.pending.retain(|effect| !matches!(effect, Effect::CheckTask(_)));
        if !call.is_waiting() {
            call.settle(now);
        }
    }
    vec![]
}

/// Declares a task dead when its lease is not renewed either: an unanswered request may be the network, or a loaded control API. The lease
/// is compared with itself, since no two hosts' clocks agree.
fn note_silence(call: &mut Call, fence: Fence, lease: Option<u64>, now: Timestamp) -> Vec<Effect> {
    if !call.is_held_by(fence) || call.has_ended() {
        return vec![];
    }
    match call.silent_since {
        None => (call.silent_since, call.silent_lease) = (Some(now), lease),
        Some(_) if lease.is_some() && lease != call.silent_lease => return note_alive(call, fence, now),
        Some(since) if now - since >= SILENCE_RECHECK => {
            return declare_lost(call, fence, MayHold::Perhaps, now);
        }
        Some(_) => {}
    }
    call.pending.retain(|effect| !matches!(effect, Effect::CheckTask(_)));
    call.schedule_tick(SILENCE_RECHECK, now);
    vec![]
}

fn declare_lost(call: &mut Call, fence: Fence, may_hold: MayHold, now: Timestamp) -> Vec<Effect> {
    if !call.is_held_by(fence) || call.has_ended() {
        return vec![];
    }
    if call.phase == Phase::Live && call.line.outlives_task() {
        call.set_adrift(now);
    }
    if call.is_offered() {
        return reassign(call, fence, may_hold, now);
    }
    if may_hold == MayHold::No {
        call.assignment = None;
    }
    end(call, Ending::Lost, now)
}

fn claim(call: &mut Call, effect: Effect, now: Timestamp) -> Vec<Effect> {
    if !call.pending.contains(&effect) {
        return vec![];
    }
    call.remove_pending(&effect, now);
    vec![effect]
}

fn note_done(call: &mut Call, effect: &Effect, now: Timestamp) -> Vec<Effect> {
    call.remove_pending(effect, now);
    if *effect == Effect::PreAccept {
        call.pre_accepted = true;
    }
    if *effect == Effect::Accept && call.phase == Phase::Accepting {
        call.phase = Phase::Live;
        call.accepted_at = Some(now);
        call.settle(now);
        call.schedule_first_check(now);
    }
    hang_up_late_accept(call, effect, now)
}

/// Hangs up, once more, a call that ended while its accept was on its way: the service may have answered the first hangup before the accept.
fn hang_up_late_accept(call: &mut Call, effect: &Effect, now: Timestamp) -> Vec<Effect> {
    let is_late = *effect == Effect::Accept && call.has_ended() && call.line.outlives_task();
    if !is_late || call.pending.contains(&Effect::Terminate) {
        return vec![];
    }
    let pending = call.pending.iter().filter(|pending| **pending != Effect::Reject).cloned();
    let effects = std::iter::once(Effect::Terminate).chain(pending).collect();
    call.request(effects, now);
    vec![Effect::Terminate]
}

fn note_refused(call: &mut Call, effect: &Effect, now: Timestamp) -> Vec<Effect> {
    if call.has_ended() {
        return drop_refused(call, effect, now);
    }
    if !call.pending.contains(effect) {
        // Another process was faster and its result stands: the call may be live by now.
        return vec![];
    }
    match effect {
        Effect::PreAccept => {
            // Meta has no answer: the call still rings there.
            call.phase = Phase::Ringing;
            end(call, call.line.refused(), now)
        }
        Effect::Accept => {
            if !call.line.needs_answer() && !call.may_have_taken_effect() {
                // The call still rings there.
                call.phase = Phase::Connecting;
            }
            end(call, call.line.refused(), now)
        }
        Effect::AssignTask
        | Effect::LaunchTask
        | Effect::Offer(_)
        | Effect::Reject
        | Effect::Terminate
        | Effect::Release(_)
        | Effect::TellCaller(_)
        | Effect::CheckTask(_) => {
            call.remove_pending(effect, now);
            vec![]
        }
    }
}

/// Ends a call that the line's service does not know any more: the caller hung up between two actions. In case Meta meant something else, a
/// WhatsApp call is terminated all the same, so that it does not stay open there.
fn note_call_gone(call: &mut Call, effect: &Effect, now: Timestamp) -> Vec<Effect> {
    let was_answering = matches!(effect, Effect::PreAccept | Effect::Accept);
    if call.has_ended() || !was_answering || !call.pending.contains(effect) {
        return note_refused(call, effect, now);
    }
    if call.line.says_what_is_over() {
        return end(call, Ending::CallerGaveUp, now);
    }
    let release = end(call, Ending::CallerGaveUp, now);
    call.request([vec![Effect::Terminate], release].concat(), now)
}

/// Drops a refused effect. A call that Meta refuses to terminate may still ring there: then it is rejected.
fn drop_refused(call: &mut Call, effect: &Effect, now: Timestamp) -> Vec<Effect> {
    let is_answered = call.pre_accepted || call.accepted_at.is_some();
    let may_still_ring = *effect == Effect::Terminate && !is_answered;
    if may_still_ring && call.pending.contains(effect) {
        call.pending.retain(|pending| pending != effect);
        call.pending.push(Effect::Reject);
        return vec![Effect::Reject];
    }
    call.remove_pending(effect, now);
    vec![]
}

fn note_not_received(call: &mut Call, effect: &Effect, now: Timestamp) -> Vec<Effect> {
    if call.pending.contains(effect) {
        call.unheard += 1;
    }
    note_failed(call, effect, now)
}

/// Leaves the effect pending: the next tick, or the task's next request, tries again.
fn note_failed(call: &mut Call, effect: &Effect, now: Timestamp) -> Vec<Effect> {
    if !call.pending.contains(effect) {
        return hang_up_late_accept(call, effect, now);
    }
    if *effect == Effect::LaunchTask {
        // A slot may become free meanwhile: ask for one before asking ECS again.
        call.launched = false;
        call.settle(now);
        return vec![];
    }
    if call.has_ended() || !matches!(effect, Effect::Release(_)) {
        call.telling = None;
        call.schedule_tick(Duration::from_secs(u64::from(call.attempts)), now);
    }
    vec![]
}

fn end(call: &mut Call, ending: Ending, now: Timestamp) -> Vec<Effect> {
    if call.has_ended() {
        return vec![];
    }
    let mut effects = vec![];
    if !ending.is_known_to_line() {
        effects.push(call.way_to_end());
    }
    effects.extend(call.assignment.clone().map(Effect::Release));
    if ending.owes_message() && call.line.can_write() {
        effects.push(Effect::TellCaller(ending));
    }
    let known_before = ending.for_previous_release();
    call.phase = Phase::Ended(known_before);
    call.newer_ending = (ending != known_before).then_some(ending);
    call.ended_at = Some(now);
    call.adrift_until = None;
    if effects.is_empty() {
        call.settle(now);
        return effects;
    }
    call.request(effects, now)
}

#[cfg(test)]
#[path = "step_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "step_sip_tests.rs"]
mod sip_tests;
