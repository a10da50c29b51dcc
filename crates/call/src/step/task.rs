//! Finds a task for a call, and another one when the first refuses, falls silent or is lost.

use super::ending::end;
use crate::call::SILENCE_RECHECK;
use crate::{Assignment, Call, Effect, Ending, Fence, Phase, TaskId, Timestamp};

/// Whether a task that the call is taken from may still hold it: then it gets a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MayHold {
    No,
    Perhaps,
}

pub(super) fn offer_to_task(call: &mut Call, task: TaskId, now: Timestamp) -> Vec<Effect> {
    if !call.seeks_task() {
        return vec![];
    }
    call.fence = call.fence.next();
    let assignment = Assignment { task, fence: call.fence };
    call.assignment = Some(assignment.clone());
    call.request(vec![Effect::Offer(assignment)], now)
}

pub(super) fn launch_once(call: &mut Call, now: Timestamp) -> Vec<Effect> {
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
pub(super) fn take_answer(call: &mut Call, fence: Fence, answer: String, now: Timestamp) -> Vec<Effect> {
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

pub(super) fn reassign(call: &mut Call, fence: Fence, may_hold: MayHold, now: Timestamp) -> Vec<Effect> {
    if !call.is_offered() || !call.is_held_by(fence) {
        return vec![];
    }
    let Some(assignment) = call.assignment.take() else { return vec![] };
    call.refused_by.push(assignment.task.clone());
    let release = (may_hold == MayHold::Perhaps).then_some(Effect::Release(assignment));
    call.request([Effect::AssignTask].into_iter().chain(release).collect(), now)
}

pub(super) fn note_alive(call: &mut Call, fence: Fence, now: Timestamp) -> Vec<Effect> {
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
pub(super) fn note_silence(call: &mut Call, fence: Fence, lease: Option<u64>, now: Timestamp) -> Vec<Effect> {
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

pub(super) fn declare_lost(call: &mut Call, fence: Fence, may_hold: MayHold, now: Timestamp) -> Vec<Effect> {
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
