//! Notes what came of an effect: done, refused or failed.

use super::ending::end;
use crate::{Call, Effect, Ending, Phase, Timestamp};

pub(super) fn claim(call: &mut Call, effect: Effect, now: Timestamp) -> Vec<Effect> {
    if !call.pending.contains(&effect) {
        return vec![];
    }
    call.remove_pending(&effect, now);
    vec![effect]
}

pub(super) fn note_done(call: &mut Call, effect: &Effect, now: Timestamp) -> Vec<Effect> {
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
    if is_late_accept(call, effect) {
        call.note_accepted_late();
    }
    hang_up_late_accept(call, effect, now)
}

fn is_late_accept(call: &Call, effect: &Effect) -> bool {
    *effect == Effect::Accept && call.has_ended() && call.line.outlives_task()
}

/// Hangs up, once more, a call that ended while its accept was on its way: the service may have answered the first hangup before the accept,
/// even one that is still pending here.
fn hang_up_late_accept(call: &mut Call, effect: &Effect, now: Timestamp) -> Vec<Effect> {
    if !is_late_accept(call, effect) {
        return vec![];
    }
    let ends_call = |effect: &Effect| matches!(effect, Effect::Reject | Effect::Terminate);
    let pending = call.pending.iter().filter(|pending| !ends_call(pending)).cloned();
    let effects = std::iter::once(Effect::Terminate).chain(pending).collect();
    call.request(effects, now);
    vec![Effect::Terminate]
}

pub(super) fn note_refused(call: &mut Call, effect: &Effect, now: Timestamp) -> Vec<Effect> {
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
                // The call still rings there, or another endpoint has it.
                call.phase = Phase::Connecting;
                call.accept_asked = false;
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
pub(super) fn note_call_gone(call: &mut Call, effect: &Effect, now: Timestamp) -> Vec<Effect> {
    let was_answering = matches!(effect, Effect::PreAccept | Effect::Accept);
    if call.has_ended() || !was_answering || !call.pending.contains(effect) {
        return note_refused(call, effect, now);
    }
    if call.line.says_what_is_over() {
        return end(call, Ending::CallerGaveUp, now);
    }
    end_and_hang_up(call, Ending::CallerGaveUp, now)
}

/// Ends a call whose accept may have taken effect: it is hung up, whatever the line's service said last.
pub(super) fn note_accept_in_doubt(call: &mut Call, ending: Ending, now: Timestamp) -> Vec<Effect> {
    if call.has_ended() || !call.pending.contains(&Effect::Accept) {
        // Where another process was faster, its result stands.
        return hang_up_late_accept(call, &Effect::Accept, now);
    }
    end_and_hang_up(call, ending, now)
}

fn end_and_hang_up(call: &mut Call, ending: Ending, now: Timestamp) -> Vec<Effect> {
    let effects = end(call, ending, now);
    if effects.contains(&Effect::Terminate) {
        return effects;
    }
    call.request([vec![Effect::Terminate], effects].concat(), now)
}

/// Drops a refused effect. A call that cannot be hung up may still ring: then it is rejected. One that cannot be rejected was accepted
/// meanwhile, if its accept may have taken effect: then it is hung up. A call that goes on without a hangup keeps it.
fn drop_refused(call: &mut Call, effect: &Effect, now: Timestamp) -> Vec<Effect> {
    let is_answered = call.pre_accepted || call.accepted_at.is_some();
    if !call.pending.contains(effect) {
        return vec![];
    }
    if *effect == Effect::Terminate && !is_answered {
        return replace_pending(call, effect, Effect::Reject);
    }
    if *effect == Effect::Reject && call.accept_asked {
        call.note_accepted_late();
        return replace_pending(call, effect, Effect::Terminate);
    }
    if *effect == Effect::Terminate && call.may_go_on_without_hangup(now) {
        // The refusal may be older than the accept.
        call.schedule_tick(call.pause(), now);
        return vec![];
    }
    call.remove_pending(effect, now);
    vec![]
}

fn replace_pending(call: &mut Call, effect: &Effect, other: Effect) -> Vec<Effect> {
    call.pending.retain(|pending| pending != effect);
    call.pending.push(other.clone());
    vec![other]
}

pub(super) fn note_not_received(call: &mut Call, effect: &Effect, now: Timestamp) -> Vec<Effect> {
    if call.pending.contains(effect) {
        call.unheard += 1;
    }
    note_failed(call, effect, now)
}

/// Leaves the effect pending: the next tick, or the task's next request, tries again.
pub(super) fn note_failed(call: &mut Call, effect: &Effect, now: Timestamp) -> Vec<Effect> {
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
        call.schedule_tick(call.pause(), now);
    }
    vec![]
}
