//! Ends a call: who did, why, and what is left to do about it.

use crate::{Call, Effect, Ending, Fence, Phase, Timestamp};

/// Returns why a call was not accepted before the ring deadline, or found no other task after it was accepted.
pub(super) fn timeout_ending(call: &Call) -> Ending {
    match call.phase {
        Phase::Ringing | Phase::Ended(_) => Ending::NoCapacity,
        Phase::Connecting => call.line.never_connected(),
        Phase::Accepting => call.line.refused(),
        Phase::Live => Ending::Lost,
    }
}

pub(super) fn hang_up(call: &mut Call, now: Timestamp) -> Vec<Effect> {
    let ending = match call.phase {
        Phase::Ringing | Phase::Connecting | Phase::Accepting => Ending::CallerGaveUp,
        Phase::Live | Phase::Ended(_) => Ending::CallerHungUp,
    };
    end_from_meta(call, ending, now)
}

/// Ends a call that Meta reports as over: Meta needs no `reject` or `terminate` any more.
pub(super) fn end_from_meta(call: &mut Call, ending: Ending, now: Timestamp) -> Vec<Effect> {
    if call.has_ended() {
        call.remove_pending(&Effect::Reject, now);
        call.remove_pending(&Effect::Terminate, now);
    }
    end(call, ending, now)
}

/// Ends a call that the line's service gave up itself: the caller gets a message, and the service already knows.
pub(super) fn end_given_up_by_line(call: &mut Call, now: Timestamp) -> Vec<Effect> {
    let mut effects = end_from_meta(call, call.line.refused(), now);
    for known in [Effect::Reject, Effect::Terminate] {
        effects.retain(|effect| *effect != known);
        call.remove_pending(&known, now);
    }
    effects
}

/// Turns away a call that was not offered to any task: work that another process has begun meanwhile continues.
pub(super) fn turn_away(call: &mut Call, ending: Ending, now: Timestamp) -> Vec<Effect> {
    if call.phase != Phase::Ringing || call.assignment.is_some() {
        return vec![];
    }
    end(call, ending, now)
}

/// Turns away a call that this task has, unless it was accepted: then caller and agent are talking, and go on.
pub(super) fn turn_away_from(call: &mut Call, fence: Fence, ending: Ending, now: Timestamp) -> Vec<Effect> {
    if !call.is_held_by(fence) || call.accepted_at.is_some() {
        return vec![];
    }
    end(call, ending, now)
}

pub(super) fn end_by_task(call: &mut Call, fence: Fence, ending: Ending, now: Timestamp) -> Vec<Effect> {
    if !call.is_held_by(fence) {
        return vec![];
    }
    // The task has dropped the call already: there is nothing to release.
    call.assignment = None;
    end(call, ending, now)
}

pub(super) fn end(call: &mut Call, ending: Ending, now: Timestamp) -> Vec<Effect> {
    if call.has_ended() {
        return vec![];
    }
    let known_before = ending.for_previous_release();
    let mut effects = vec![];
    if !ending.is_known_to(call.line) {
        effects.push(call.way_to_end());
    }
    effects.extend(call.assignment.clone().map(Effect::Release));
    if ending.owes_message() && call.line.can_write() {
        // The previous release reads pending effects too.
        effects.push(Effect::TellCaller(known_before));
    }
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
