//! The state of a call, as the table stores it.

use crate::{Assignment, Effect, Ending, Fence, Line, Phase, Recorded, TaskId, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};
use std::time::Duration;

/// How long a process has to perform an effect before a tick requests it again.
const EFFECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long one process holds the right to answer at Meta, or to start a task for the call. If it dies in the middle, this much of the ring
/// time is lost.
const ANSWER_ATTEMPT: Duration = Duration::from_secs(10);

/// How much earlier a process stops trying than its right ends: the clocks of two hosts differ.
const CLOCK_MARGIN: Duration = Duration::from_secs(1);

/// The longest pause before an effect is requested again.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How often an effect of an ended call is attempted before it is dropped, or, if it is a hangup that must arrive, repeated once a minute.
pub(crate) const MAX_ATTEMPTS_AFTER_END: u32 = 6;

/// How long the line's service keeps the session of a call that is never hung up.
const LONGEST_SESSION: Duration = Duration::from_secs(60 * 60);

/// How often the task of a connected call is checked.
const CHECK_INTERVAL: Duration = Duration::from_secs(15);

/// How soon the task of a call is checked that outlives its task, once it is accepted: with [`SILENCE_RECHECK`], another task has it within
/// ten seconds.
const FIRST_CHECK: Duration = Duration::from_secs(2);

/// How long an accepted call that has lost its task waits for another one.
const ADRIFT_FOR: Duration = Duration::from_secs(10);

/// How soon a call without a free slot asks for one again. Short, so that a task that becomes ready finds it waiting.
const ASSIGN_RETRY: Duration = Duration::from_secs(1);

/// How soon a task that did not respond is checked again: a heartbeat and three seconds, so that a live task has renewed its lease by then.
/// Heartbeats tick calls every five seconds, so the second check comes ten seconds after the first.
pub(crate) const SILENCE_RECHECK: Duration = Duration::from_secs(8);

/// A call, with the effects that are pending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The line that the call came in on; the previous release stores none.
    #[serde(default, skip_serializing_if = "Line::is_default")]
    pub line: Line,
    /// The call's phase.
    pub phase: Phase,
    /// When the webhook received the offer.
    pub rang_at: Timestamp,
    /// The deadline for accepting the call: one that is not accepted by then is ended.
    pub ring_deadline: Timestamp,
    /// When the next tick is due; `None` when nothing is left to do.
    pub due: Option<Timestamp>,
    /// Effects to perform, saved before they are performed.
    pub pending: Vec<Effect>,
    /// How often the pending effects were requested.
    pub attempts: u32,
    /// How many of these attempts certainly never reached Meta.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unheard: u32,
    /// The process that answers at Meta now, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub telling: Option<AnswerAttempt>,
    /// The media task that has the call.
    #[serde(rename = "seat")]
    pub assignment: Option<Assignment>,
    /// The fencing token of the latest assignment. It grows with each one, so that a task that lost the call is recognized and ignored.
    pub fence: Fence,
    /// Tasks that refused the call or did not answer the offer.
    pub refused_by: Vec<TaskId>,
    /// The task's SDP answer, byte for byte as Meta received it.
    pub answer: Option<String>,
    /// Whether Meta confirmed the answer. If it did not, it may have taken it all the same.
    pub pre_accepted: bool,
    /// Whether a media task was launched for this call.
    pub launched: bool,
    /// When the task's control API first failed to respond.
    pub silent_since: Option<Timestamp>,
    /// When its lease was to expire then, by the task's own clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent_lease: Option<u64>,
    /// Whether an accept was asked for on a line whose service may have answered the call without our learning of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub accept_asked: bool,
    /// When the call was accepted; when it ended, if the accept took effect after that.
    pub accepted_at: Option<Timestamp>,
    /// When an accepted call that has no task is ended, unless another task takes it by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adrift_until: Option<Timestamp>,
    /// When the call ended.
    pub ended_at: Option<Timestamp>,
    /// Why it ended, where the previous release has no variant for the reason: `phase` then holds one that it knows.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "known_ending")]
    pub newer_ending: Option<Ending>,
}

/// Reads an ending that this release does not know as `None`: the one in the phase applies.
fn known_ending<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Ending>, D::Error> {
    let recorded = Option::<Recorded<Ending>>::deserialize(deserializer)?;
    Ok(recorded.and_then(|ending| ending.known()))
}

/// The right of one process to answer at Meta. No other process does so meanwhile: each would take the other's effect for its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerAttempt {
    /// When that process has stopped trying, or is dead.
    pub until: Timestamp,
    /// Whether the task requested it: the task learns when that process dies.
    pub for_task: bool,
    /// The number of the task's request; `None` from a task of an older release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<u64>,
}

impl Call {
    /// Returns a call that has just begun to ring, with its first effect pending and due at once.
    pub fn ringing(now: Timestamp, budget: Duration) -> Self {
        Self {
            line: Line::default(),
            phase: Phase::Ringing,
            rang_at: now,
            ring_deadline: now + budget,
            due: Some(now),
            pending: vec![Effect::AssignTask],
            attempts: 0,
            unheard: 0,
            telling: None,
            assignment: None,
            fence: Fence::default(),
            refused_by: vec![],
            answer: None,
            pre_accepted: false,
            launched: false,
            silent_since: None,
            silent_lease: None,
            accept_asked: false,
            accepted_at: None,
            adrift_until: None,
            ended_at: None,
            newer_ending: None,
        }
    }

    /// Whether the call has ended.
    pub fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended(_))
    }

    /// Returns why the call ended, if it has.
    pub fn ending(&self) -> Option<Ending> {
        match self.phase {
            Phase::Ended(ending) => Some(self.newer_ending.unwrap_or(ending)),
            Phase::Ringing | Phase::Connecting | Phase::Accepting | Phase::Live => None,
        }
    }

    /// Whether this is the fence of the current assignment.
    pub fn is_held_by(&self, fence: Fence) -> bool {
        self.assignment.as_ref().is_some_and(|assignment| assignment.fence == fence)
    }

    /// Whether an earlier attempt may have taken effect at Meta.
    pub fn may_have_taken_effect(&self) -> bool {
        self.attempts.saturating_sub(1) > self.unheard
    }

    /// Returns how long the process that saved this call may try the pending effects: it stops before another process may start.
    pub fn retry_window(&self, now: Timestamp) -> Duration {
        let until =
            self.telling.map(|telling| telling.until).or(self.due.filter(|_| self.has_pending_launch()));
        until.map_or(ANSWER_ATTEMPT, |until| until - now).min(ANSWER_ATTEMPT).saturating_sub(CLOCK_MARGIN)
    }

    fn has_pending_launch(&self) -> bool {
        self.pending.contains(&Effect::LaunchTask)
    }

    pub(crate) fn is_being_answered(&self, now: Timestamp) -> bool {
        self.telling.is_some_and(|telling| now < telling.until)
    }

    /// Whether the time of a call that is not accepted yet, or has lost its task, has passed.
    pub(crate) fn is_past_deadline(&self, now: Timestamp) -> bool {
        self.deadline().is_some_and(|deadline| now >= deadline)
    }

    /// Returns when the call ends unless it gets further: at the ring deadline, or as long after it as an accept is on its way that cannot be
    /// taken back; at the end of its time without a task, once it is accepted.
    fn deadline(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::Accepting if !self.line.needs_answer() => {
                Some(self.telling.map_or(self.ring_deadline, |telling| telling.until.max(self.ring_deadline)))
            }
            Phase::Ringing | Phase::Connecting | Phase::Accepting => Some(self.ring_deadline),
            Phase::Live => self.adrift_until,
            Phase::Ended(_) => None,
        }
    }

    /// Whether the call has no task and needs one.
    pub fn seeks_task(&self) -> bool {
        let may_seek = self.phase == Phase::Ringing || self.adrift_until.is_some() && !self.has_ended();
        may_seek && self.assignment.is_none()
    }

    /// Whether a task that was offered the call has not taken it yet.
    pub(crate) fn is_offered(&self) -> bool {
        self.phase == Phase::Ringing || self.adrift_until.is_some()
    }

    /// Notes that an ended call was accepted at the line's service all the same.
    pub(crate) fn note_accepted_late(&mut self) {
        self.accepted_at = self.accepted_at.or(self.ended_at);
    }

    /// Leaves an accepted call without a task, for a while.
    pub(crate) fn set_adrift(&mut self, now: Timestamp) {
        self.refused_by.clear();
        (self.silent_since, self.silent_lease) = (None, None);
        self.adrift_until = Some(now + ADRIFT_FOR);
    }

    /// Returns the effect that ends the call at the line's service.
    pub(crate) fn way_to_end(&self) -> Effect {
        match self.phase {
            Phase::Ringing => Effect::Reject,
            Phase::Connecting if !self.line.needs_answer() => Effect::Reject,
            Phase::Connecting | Phase::Accepting | Phase::Live | Phase::Ended(_) => Effect::Terminate,
        }
    }

    /// Requests effects for the first time. Releases that are still pending stay pending.
    pub(crate) fn request(&mut self, effects: Vec<Effect>, now: Timestamp) -> Vec<Effect> {
        let releases = self.pending_releases().filter(|release| !effects.contains(release)).cloned();
        self.pending = effects.iter().cloned().chain(releases.collect::<Vec<_>>()).collect();
        (self.attempts, self.unheard) = (0, 0);
        self.begin_attempt(now);
        effects
    }

    /// Returns the pending releases, which a call that has not ended does not wait for.
    pub(crate) fn pending_releases(&self) -> impl Iterator<Item = &Effect> {
        self.pending.iter().filter(|effect| matches!(effect, Effect::Release(_)))
    }

    /// Whether effects are pending that the call waits for; until it ends, releases are not.
    pub(crate) fn is_waiting(&self) -> bool {
        let waits = |effect: &Effect| self.has_ended() || !matches!(effect, Effect::Release(_));
        self.pending.iter().any(waits)
    }

    /// Requests the pending effects again.
    pub(crate) fn request_again(&mut self, now: Timestamp) -> Vec<Effect> {
        self.begin_attempt(now);
        self.pending.clone()
    }

    fn begin_attempt(&mut self, now: Timestamp) {
        self.attempts += 1;
        let answers = self.pending.iter().any(|effect| matches!(effect, Effect::PreAccept | Effect::Accept));
        self.telling =
            answers.then(|| AnswerAttempt { until: now + ANSWER_ATTEMPT, for_task: false, question: None });
        self.schedule_tick(
            if answers || self.has_pending_launch() {
                ANSWER_ATTEMPT
            } else {
                (EFFECT_TIMEOUT * self.attempts).min(LONGEST_PAUSE)
            },
            now,
        );
    }

    /// How long after a failure the pending effects are requested again.
    pub(crate) fn pause(&self) -> Duration {
        let is_slow = self.has_ended() && self.attempts > MAX_ATTEMPTS_AFTER_END;
        if is_slow { LONGEST_PAUSE } else { Duration::from_secs(u64::from(self.attempts)) }
    }

    /// Whether the call goes on at the line's service, with no task and no end of its own, until the pending hangup arrives there.
    pub(crate) fn may_go_on_without_hangup(&self, now: Timestamp) -> bool {
        let begun = self.accepted_at.or(self.ended_at).unwrap_or(self.rang_at);
        self.line.outlives_task()
            && self.pending.contains(&Effect::Terminate)
            && now < begun + LONGEST_SESSION
    }

    /// Removes a pending effect.
    pub(crate) fn remove_pending(&mut self, effect: &Effect, now: Timestamp) {
        self.pending.retain(|pending| pending != effect);
        if !self.is_waiting() {
            self.settle(now);
        }
    }

    /// Drops all pending effects but releases, and schedules the next check.
    pub(crate) fn settle(&mut self, now: Timestamp) {
        let is_active = !self.has_ended();
        self.pending.retain(|effect| is_active && matches!(effect, Effect::Release(_)));
        (self.attempts, self.unheard, self.telling) = (0, 0, None);
        match self.phase {
            Phase::Ended(_) => self.due = None,
            Phase::Ringing => self.schedule_tick(ASSIGN_RETRY, now),
            Phase::Live if self.adrift_until.is_some() => self.schedule_tick(ASSIGN_RETRY, now),
            Phase::Connecting | Phase::Accepting | Phase::Live => self.schedule_tick(CHECK_INTERVAL, now),
        }
    }

    /// Schedules the first check of the task of a call that was just accepted.
    pub(crate) fn schedule_first_check(&mut self, now: Timestamp) {
        self.schedule_tick(if self.line.outlives_task() { FIRST_CHECK } else { CHECK_INTERVAL }, now);
    }

    /// Schedules a tick after `wait`: not while a process answers at Meta, and not later than the call's deadline.
    pub(crate) fn schedule_tick(&mut self, wait: Duration, now: Timestamp) {
        let due = self.telling.map_or(now + wait, |telling| telling.until.max(now + wait));
        self.due = Some(self.deadline().map_or(due, |deadline| due.min(deadline.max(now))));
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(unheard: &u32) -> bool {
    *unheard == 0
}
