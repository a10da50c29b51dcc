//! Decides what a call does next. Decides only: the caller of [`step`] does the doing.

use crate::call::LOOK_AGAIN;
use crate::{AnswerAttempt, Assignment, Call, CallEvent, Effect, Ending, Phase, Timestamp};
use std::time::Duration;

/// So often an effect of an ended call is tried, before it is given up.
const TRIES_AFTER_THE_END: u32 = 6;

/// The same where nothing is left but to release assignments. The call is over at Meta: a task that was not told finds its caller gone.
const RELEASES_AFTER_THE_END: u32 = 3;

/// Moves a call on by one event.
///
/// The same event may arrive twice and events may arrive late. Either way the call comes out in a
/// sensible phase, and an event that no longer matters has no effects. The effects are also in
/// [`Call::pending`]: save the call, then perform them.
pub fn step(mut call: Call, event: CallEvent, now: Timestamp) -> (Call, Vec<Effect>) {
    let effects = match event {
        CallEvent::Tick => tick(&mut call, now),
        CallEvent::HungUp => hang_up(&mut call, now),
        CallEvent::MediaFailed => end_at_meta(&mut call, Ending::MediaFailed, now),
        CallEvent::MetaGaveUp => give_up_at_meta(&mut call, now),
        CallEvent::TaskAssigned { task } => take_assignment(&mut call, task, now),
        CallEvent::Rejected(ending) => turn_away(&mut call, ending, now),
        CallEvent::NoTaskFree => launch_once(&mut call, now),
        CallEvent::Answered { fence, answer } => pre_accept(&mut call, fence, answer, now),
        CallEvent::AssignmentRefused { fence } => look_elsewhere(&mut call, fence, Holds::No, now),
        CallEvent::AssignmentUnanswered { fence } => look_elsewhere(&mut call, fence, Holds::Perhaps, now),
        CallEvent::Unanswerable => end(&mut call, Ending::OfferUnanswerable, now),
        CallEvent::MediaConnected { fence, question } => accept(&mut call, fence, question, now),
        CallEvent::TaskEnded { fence, ending } => end_by_task(&mut call, fence, ending, now),
        CallEvent::TaskAlive { fence } => note_alive(&mut call, fence, now),
        CallEvent::TaskSilent { fence, lease } => note_silence(&mut call, fence, lease, now),
        CallEvent::TaskStopped { fence } => lose(&mut call, fence, Holds::No, now),
        CallEvent::Claimed(effect) => claim(&mut call, effect, now),
        CallEvent::Done(effect) => note_done(&mut call, &effect, now),
        CallEvent::Refused(effect) => note_refused(&mut call, &effect, now),
        CallEvent::CallGone(effect) => note_gone(&mut call, &effect, now),
        CallEvent::Failed(effect) => note_failed(&mut call, &effect, now),
        CallEvent::NotReceived(effect) => note_unheard(&mut call, &effect, now),
        CallEvent::AcceptLost { fence, question } => note_lost(&mut call, fence, question),
    };
    (call, effects)
}

/// Whether a task that the call is taken away from may hold it all the same: then it is told to let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    No,
    Perhaps,
}

fn tick(call: &mut Call, now: Timestamp) -> Vec<Effect> {
    if call.rang_too_long(now) {
        return end(call, unanswered(call), now);
    }
    if !call.has_ended() && now >= call.ring_deadline {
        // A task that was not told to open the line lets go by itself by then.
        call.pending.retain(|effect| !matches!(effect, Effect::Release(_)));
    }
    // The first look is always due: the webhook's clock, by which the call rang, may be ahead of ours.
    let is_untouched = call.attempts == 0 && call.is_waiting();
    if !is_untouched && call.due.is_none_or(|due| now < due) {
        return vec![];
    }
    if call.is_waiting() {
        return resume(call, now);
    }
    let owed: Vec<_> = call.owed_releases().cloned().collect();
    let next = match (call.phase, call.assignment.clone()) {
        (Phase::Ringing, _) => call.ask(vec![Effect::AssignTask], now),
        (Phase::Connecting | Phase::Accepting | Phase::Live, Some(assignment)) => {
            call.ask(vec![Effect::CheckTask(assignment)], now)
        }
        (Phase::Connecting | Phase::Accepting | Phase::Live | Phase::Ended(_), _) => {
            call.rest(now);
            vec![]
        }
    };
    [next, owed].concat()
}

/// Why a call that rang too long was not answered.
fn unanswered(call: &Call) -> Ending {
    match call.phase {
        Phase::Ringing | Phase::Ended(_) => Ending::NoCapacity,
        Phase::Connecting => Ending::MediaNeverConnected,
        Phase::Accepting | Phase::Live => Ending::MetaRefused,
    }
}

fn resume(call: &mut Call, now: Timestamp) -> Vec<Effect> {
    let only_releases = call.pending.iter().all(|effect| matches!(effect, Effect::Release(_)));
    let tries = if only_releases { RELEASES_AFTER_THE_END } else { TRIES_AFTER_THE_END };
    if call.has_ended() && call.attempts >= tries {
        call.rest(now);
        return vec![];
    }
    if call.is_being_told(now) {
        call.wake_in(Duration::ZERO, now);
        return call.owed_releases().cloned().collect();
    }
    call.ask_again(now)
}

fn hang_up(call: &mut Call, now: Timestamp) -> Vec<Effect> {
    let ending = match call.phase {
        Phase::Ringing | Phase::Connecting | Phase::Accepting => Ending::CallerGaveUp,
        Phase::Live | Phase::Ended(_) => Ending::CallerHungUp,
    };
    end_at_meta(call, ending, now)
}

/// Meta says that it is over: there is no point in telling Meta so any more.
fn end_at_meta(call: &mut Call, ending: Ending, now: Timestamp) -> Vec<Effect> {
    if call.has_ended() {
        call.strike(&Effect::Reject, now);
        call.strike(&Effect::Terminate, now);
    }
    end(call, ending, now)
}

/// Meta says that it is over, and that it would not go on: the caller is told, and Meta knows.
fn give_up_at_meta(call: &mut Call, now: Timestamp) -> Vec<Effect> {
    let mut effects = end_at_meta(call, Ending::MetaRefused, now);
    for known in [Effect::Reject, Effect::Terminate] {
        effects.retain(|effect| *effect != known);
        call.strike(&known, now);
    }
    effects
}

fn take_assignment(call: &mut Call, task: String, now: Timestamp) -> Vec<Effect> {
    if call.phase != Phase::Ringing || call.assignment.is_some() {
        return vec![];
    }
    call.fence += 1;
    let assignment = Assignment { task, fence: call.fence };
    call.assignment = Some(assignment.clone());
    call.ask(vec![Effect::Offer(assignment)], now)
}

/// Only a call that no task was asked to take: what somebody else has begun meanwhile goes on.
fn turn_away(call: &mut Call, ending: Ending, now: Timestamp) -> Vec<Effect> {
    if call.phase != Phase::Ringing || call.assignment.is_some() {
        return vec![];
    }
    end(call, ending, now)
}

fn launch_once(call: &mut Call, now: Timestamp) -> Vec<Effect> {
    if call.phase != Phase::Ringing || call.assignment.is_some() {
        return vec![];
    }
    // Whoever refused may have room again when we look the next time.
    call.refused_by.clear();
    if call.launched {
        call.rest(now);
        return vec![];
    }
    call.launched = true;
    call.ask(vec![Effect::LaunchTask], now)
}

fn pre_accept(call: &mut Call, fence: u64, answer: String, now: Timestamp) -> Vec<Effect> {
    if call.phase != Phase::Ringing || !call.is_held_by(fence) {
        return vec![];
    }
    call.answer = Some(answer);
    call.phase = Phase::Connecting;
    call.ask(vec![Effect::PreAccept], now)
}

fn look_elsewhere(call: &mut Call, fence: u64, holds: Holds, now: Timestamp) -> Vec<Effect> {
    if call.phase != Phase::Ringing || !call.is_held_by(fence) {
        return vec![];
    }
    let Some(assignment) = call.assignment.take() else { return vec![] };
    call.refused_by.push(assignment.task.clone());
    let release = (holds == Holds::Perhaps).then_some(Effect::Release(assignment));
    call.ask([Effect::AssignTask].into_iter().chain(release).collect(), now)
}

/// Media connects only after Meta has our answer, so a task that says so settles a pending pre-accept.
/// It asks until it is told that the line is open; every time Meta is asked again, unless another process is at it.
fn accept(call: &mut Call, fence: u64, question: Option<u64>, now: Timestamp) -> Vec<Effect> {
    if !call.is_held_by(fence) {
        return vec![];
    }
    match call.phase {
        Phase::Connecting => {
            call.pre_accepted = true;
            call.phase = Phase::Accepting;
            for_task(call, question, |call| call.ask(vec![Effect::Accept], now))
        }
        Phase::Accepting if call.is_being_told(now) => vec![],
        Phase::Accepting => for_task(call, question, |call| call.ask_again(now)),
        Phase::Ringing | Phase::Live | Phase::Ended(_) => vec![],
    }
}

fn for_task(
    call: &mut Call,
    question: Option<u64>,
    ask: impl FnOnce(&mut Call) -> Vec<Effect>,
) -> Vec<Effect> {
    let effects = ask(call);
    call.telling = call.telling.map(|telling| AnswerAttempt { for_task: true, question, ..telling });
    effects
}

/// The task has its reply from Lambda, so the process that had this question tells Meta nothing any more.
fn note_lost(call: &mut Call, fence: u64, question: Option<u64>) -> Vec<Effect> {
    if call.is_held_by(fence) {
        call.telling = call.telling.filter(|telling| !telling.for_task || telling.question != question);
    }
    vec![]
}

fn end_by_task(call: &mut Call, fence: u64, ending: Ending, now: Timestamp) -> Vec<Effect> {
    if !call.is_held_by(fence) {
        return vec![];
    }
    // The task has left already: there is nobody to release.
    call.assignment = None;
    end(call, ending, now)
}

fn note_alive(call: &mut Call, fence: u64, now: Timestamp) -> Vec<Effect> {
    if call.is_held_by(fence) && !call.has_ended() {
        (call.silent_since, call.silent_lease) = (None, None);
        call.pending.retain(|effect| !matches!(effect, Effect::CheckTask(_)));
        if !call.is_waiting() {
            call.rest(now);
        }
    }
    vec![]
}

/// An unanswered knock may be the network, or a crowd at the door. A task is dead when its lease does not move either. A lease
/// that moved is told by comparing it with itself: no two hosts' clocks agree.
fn note_silence(call: &mut Call, fence: u64, lease: Option<u64>, now: Timestamp) -> Vec<Effect> {
    if !call.is_held_by(fence) || call.has_ended() {
        return vec![];
    }
    match call.silent_since {
        None => (call.silent_since, call.silent_lease) = (Some(now), lease),
        Some(_) if lease.is_some() && lease != call.silent_lease => return note_alive(call, fence, now),
        Some(since) if now - since >= LOOK_AGAIN => return lose(call, fence, Holds::Perhaps, now),
        Some(_) => {}
    }
    call.pending.retain(|effect| !matches!(effect, Effect::CheckTask(_)));
    call.wake_in(LOOK_AGAIN, now);
    vec![]
}

fn lose(call: &mut Call, fence: u64, holds: Holds, now: Timestamp) -> Vec<Effect> {
    if !call.is_held_by(fence) || call.has_ended() {
        return vec![];
    }
    if call.phase == Phase::Ringing {
        return look_elsewhere(call, fence, holds, now);
    }
    if holds == Holds::No {
        call.assignment = None;
    }
    end(call, Ending::Lost, now)
}

fn claim(call: &mut Call, effect: Effect, now: Timestamp) -> Vec<Effect> {
    if !call.pending.contains(&effect) {
        return vec![];
    }
    call.strike(&effect, now);
    vec![effect]
}

fn note_done(call: &mut Call, effect: &Effect, now: Timestamp) -> Vec<Effect> {
    call.strike(effect, now);
    if *effect == Effect::PreAccept {
        call.pre_accepted = true;
    }
    if *effect == Effect::Accept && call.phase == Phase::Accepting {
        call.phase = Phase::Live;
        call.accepted_at = Some(now);
        call.rest(now);
    }
    vec![]
}

fn note_refused(call: &mut Call, effect: &Effect, now: Timestamp) -> Vec<Effect> {
    if call.has_ended() {
        return give_up(call, effect, now);
    }
    if !call.pending.contains(effect) {
        // Somebody else was faster, and their word stands: the call may be live by now.
        return vec![];
    }
    match effect {
        Effect::PreAccept => {
            // Meta has no answer of ours: the call still rings there.
            call.phase = Phase::Ringing;
            end(call, Ending::MetaRefused, now)
        }
        Effect::Accept => end(call, Ending::MetaRefused, now),
        Effect::AssignTask
        | Effect::LaunchTask
        | Effect::Offer(_)
        | Effect::Reject
        | Effect::Terminate
        | Effect::Release(_)
        | Effect::TellCaller(_)
        | Effect::CheckTask(_) => {
            call.strike(effect, now);
            vec![]
        }
    }
}

/// The caller hung up between two of our actions; Meta's notice of it is on its way. Should Meta have meant something
/// else, the call must not stay open there: it is terminated all the same.
fn note_gone(call: &mut Call, effect: &Effect, now: Timestamp) -> Vec<Effect> {
    let was_answering = matches!(effect, Effect::PreAccept | Effect::Accept);
    if call.has_ended() || !was_answering || !call.pending.contains(effect) {
        return note_refused(call, effect, now);
    }
    let release = end(call, Ending::CallerGaveUp, now);
    call.ask([vec![Effect::Terminate], release].concat(), now)
}

/// A call that Meta does not let us terminate may still ring there: then it is rejected.
fn give_up(call: &mut Call, effect: &Effect, now: Timestamp) -> Vec<Effect> {
    let may_still_ring = *effect == Effect::Terminate && !call.pre_accepted;
    if may_still_ring && call.pending.contains(effect) {
        call.pending.retain(|pending| pending != effect);
        call.pending.push(Effect::Reject);
        return vec![Effect::Reject];
    }
    call.strike(effect, now);
    vec![]
}

fn note_unheard(call: &mut Call, effect: &Effect, now: Timestamp) -> Vec<Effect> {
    if call.pending.contains(effect) {
        call.unheard += 1;
    }
    note_failed(call, effect, now)
}

/// Leaves it pending: the next tick, or the task's next question, tries again.
fn note_failed(call: &mut Call, effect: &Effect, now: Timestamp) -> Vec<Effect> {
    if !call.pending.contains(effect) {
        return vec![];
    }
    if *effect == Effect::LaunchTask {
        // A slot may become free meanwhile: look for one before asking ECS again.
        call.launched = false;
        call.rest(now);
        return vec![];
    }
    if call.has_ended() || !matches!(effect, Effect::Release(_)) {
        call.telling = None;
        call.wake_in(Duration::from_secs(u64::from(call.attempts)), now);
    }
    vec![]
}

fn end(call: &mut Call, ending: Ending, now: Timestamp) -> Vec<Effect> {
    if call.has_ended() {
        return vec![];
    }
    let mut effects = vec![];
    if !ending.is_known_to_meta() {
        effects.push(if call.phase == Phase::Ringing { Effect::Reject } else { Effect::Terminate });
    }
    effects.extend(call.assignment.clone().map(Effect::Release));
    if ending.owes_message() {
        effects.push(Effect::TellCaller(ending));
    }
    let known_before = ending.for_release_before();
    call.phase = Phase::Ended(known_before);
    call.newer_ending = (ending != known_before).then_some(ending);
    call.ended_at = Some(now);
    if effects.is_empty() {
        call.rest(now);
        return effects;
    }
    call.ask(effects, now)
}

#[cfg(test)]
#[path = "step_tests.rs"]
mod tests;
