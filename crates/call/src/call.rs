//! A call as it is stored.

use crate::{Effect, Ending, Timestamp};
use serde::de::IntoDeserializer;
use serde::de::value::{Error, StrDeserializer};
use serde::{Deserialize, Deserializer, Serialize};
use std::time::Duration;

/// How long whoever performs an effect has, before a tick asks for it again.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long no other process tells Meta our answer, or starts a task for the call, while one is at it. A process that dies in the middle
/// costs this much of the ring time.
const TELLING: Duration = Duration::from_secs(10);

/// So much earlier that one process gives up: the clocks of two hosts differ.
const MARGIN: Duration = Duration::from_secs(1);

/// How often the task of a connected call is looked at.
const CHECK_EVERY: Duration = Duration::from_secs(15);

/// How soon a call that found no slot looks for one again. Short, so that a task that becomes ready finds it waiting.
const FIND_AGAIN: Duration = Duration::from_secs(1);

/// How soon to look again at a task that did not answer at its door: a heartbeat and three seconds, so that a task that lives has
/// moved its lease by then. Tasks tick calls every five seconds: the second look comes ten seconds after the first.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_secs(8);

/// A call, and what is still to be done for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// How far it has come.
    pub phase: Phase,
    /// When we first heard of it.
    pub rang_at: Timestamp,
    /// When it must have been answered, or be refused.
    pub ring_deadline: Timestamp,
    /// When a tick is worth its while; `None` when nothing is left to do.
    pub due: Option<Timestamp>,
    /// What is to be done, saved before it is done.
    pub pending: Vec<Effect>,
    /// How often the pending effects were asked for.
    pub attempts: u32,
    /// How many of these attempts certainly did nothing at Meta.
    #[serde(default, skip_serializing_if = "is_none")]
    pub unheard: u32,
    /// Which process tells Meta our answer now, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub telling: Option<AnswerAttempt>,
    /// Who has the call.
    #[serde(rename = "seat")]
    pub assignment: Option<Assignment>,
    /// Grows with every assignment, so that a task that lost the call cannot speak for it.
    pub fence: u64,
    /// Tasks that would not have it.
    pub refused_by: Vec<String>,
    /// The task's SDP answer, byte for byte as Meta was told it.
    pub answer: Option<String>,
    /// Whether Meta is known to have taken the answer. If not, it may have all the same.
    pub pre_accepted: bool,
    /// Whether another media task was launched for it.
    pub launched: bool,
    /// When the task first failed to answer at its door.
    pub silent_since: Option<Timestamp>,
    /// Until when its lease held then, by the task's own clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent_lease: Option<u64>,
    /// When it was accepted.
    pub accepted_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why it ended, where the release before has no word for that: the phase then holds one that it knows.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "known")]
    pub newer_ending: Option<Ending>,
}

/// An ending of a later release is read as the one that the phase holds.
fn known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Ending>, D::Error> {
    let word = Option::<String>::deserialize(deserializer)?;
    Ok(word.and_then(|word| {
        let word: StrDeserializer<'_, Error> = word.as_str().into_deserializer();
        Ending::deserialize(word).ok()
    }))
}

/// How far a call has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It rings; nobody has answered the offer yet.
    Ringing,
    /// A task answered; Meta has been told the answer, or is being told.
    Connecting,
    /// Media is connected; Meta is being told that we pick up.
    Accepting,
    /// Caller and agent are talking.
    Live,
    /// It is over.
    Ended(Ending),
}

/// A place in a media task. The fence says which: a task that lost the call has an older one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The media task's id.
    pub task: String,
    /// The fencing number.
    pub fence: u64,
}

/// That a process tells Meta our answer: no other one does meanwhile, since each would take the other's doing for its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerAttempt {
    /// When it has given up, or is dead.
    pub until: Timestamp,
    /// Whether the task asked for it, which learns when that process dies.
    pub for_task: bool,
    /// Which of the task's questions it was; none from a task of an older release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<u64>,
}

impl Call {
    /// A call that has just begun to ring, with its first effect pending and due at once.
    pub fn ringing(now: Timestamp, budget: Duration) -> Self {
        Self {
            phase: Phase::Ringing,
            rang_at: now,
            ring_deadline: now + budget,
            due: Some(now),
            pending: vec![Effect::AssignTask],
            attempts: 0,
            unheard: 0,
            telling: None,
            assignment: None,
            fence: 0,
            refused_by: vec![],
            answer: None,
            pre_accepted: false,
            launched: false,
            silent_since: None,
            silent_lease: None,
            accepted_at: None,
            ended_at: None,
            newer_ending: None,
        }
    }

    /// Whether it is over.
    pub fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended(_))
    }

    /// Why it ended, if it has.
    pub fn ending(&self) -> Option<Ending> {
        match self.phase {
            Phase::Ended(ending) => Some(self.newer_ending.unwrap_or(ending)),
            Phase::Ringing | Phase::Connecting | Phase::Accepting | Phase::Live => None,
        }
    }

    /// Whether this fence is that of the task that has the call now.
    pub fn is_held_by(&self, fence: u64) -> bool {
        self.assignment.as_ref().is_some_and(|assignment| assignment.fence == fence)
    }

    /// Whether an attempt before this one may have taken effect at Meta.
    pub fn may_be_done(&self) -> bool {
        self.attempts.saturating_sub(1) > self.unheard
    }

    /// How long the process that saved this call may try what is pending: it ends before another one may begin.
    pub fn tries_for(&self, now: Timestamp) -> Duration {
        let until = self.telling.map(|telling| telling.until).or(self.due.filter(|_| self.launches()));
        until.map_or(TELLING, |until| until - now).min(TELLING).saturating_sub(MARGIN)
    }

    fn launches(&self) -> bool {
        self.pending.contains(&Effect::LaunchTask)
    }

    /// Whether a process tells Meta our answer now.
    pub(crate) fn is_being_told(&self, now: Timestamp) -> bool {
        self.telling.is_some_and(|telling| now < telling.until)
    }

    /// Whether the ring time is over for a call that still rings.
    pub(crate) fn rang_too_long(&self, now: Timestamp) -> bool {
        match self.phase {
            Phase::Ringing | Phase::Connecting | Phase::Accepting => now >= self.ring_deadline,
            Phase::Live | Phase::Ended(_) => false,
        }
    }

    /// Asks for effects, for the first time. Assignments that are still to be released stay so.
    pub(crate) fn ask(&mut self, effects: Vec<Effect>, now: Timestamp) -> Vec<Effect> {
        let owed = self.owed_releases().filter(|release| !effects.contains(release)).cloned();
        self.pending = effects.iter().cloned().chain(owed.collect::<Vec<_>>()).collect();
        (self.attempts, self.unheard) = (0, 0);
        self.begin_attempt(now);
        effects
    }

    /// Assignments that are still to be released. While the call goes on, they are not what it waits for.
    pub(crate) fn owed_releases(&self) -> impl Iterator<Item = &Effect> {
        self.pending.iter().filter(|effect| matches!(effect, Effect::Release(_)))
    }

    /// Whether it waits for something to be done. A call that goes on does not wait for releases.
    pub(crate) fn is_waiting(&self) -> bool {
        let waits = |effect: &Effect| self.has_ended() || !matches!(effect, Effect::Release(_));
        self.pending.iter().any(waits)
    }

    /// Asks for what is pending, again.
    pub(crate) fn ask_again(&mut self, now: Timestamp) -> Vec<Effect> {
        self.begin_attempt(now);
        self.pending.clone()
    }

    fn begin_attempt(&mut self, now: Timestamp) {
        self.attempts += 1;
        let tells = self.pending.iter().any(|effect| matches!(effect, Effect::PreAccept | Effect::Accept));
        self.telling = tells.then(|| AnswerAttempt { until: now + TELLING, for_task: false, question: None });
        self.wake_in(if tells || self.launches() { TELLING } else { PATIENCE * self.attempts }, now);
    }

    /// Strikes an effect off what is pending.
    pub(crate) fn strike(&mut self, effect: &Effect, now: Timestamp) {
        self.pending.retain(|pending| pending != effect);
        if !self.is_waiting() {
            self.rest(now);
        }
    }

    /// Nothing to do but to watch, and to release assignments.
    pub(crate) fn rest(&mut self, now: Timestamp) {
        let goes_on = !self.has_ended();
        self.pending.retain(|effect| goes_on && matches!(effect, Effect::Release(_)));
        (self.attempts, self.unheard, self.telling) = (0, 0, None);
        match self.phase {
            Phase::Ended(_) => self.due = None,
            Phase::Ringing => self.wake_in(FIND_AGAIN, now),
            Phase::Connecting | Phase::Accepting | Phase::Live => self.wake_in(CHECK_EVERY, now),
        }
    }

    /// Wants a tick after `wait`, not while a process tells Meta our answer, and never later than the ring deadline while it rings.
    pub(crate) fn wake_in(&mut self, wait: Duration, now: Timestamp) {
        let due = self.telling.map_or(now + wait, |telling| telling.until.max(now + wait));
        self.due = Some(match self.phase {
            Phase::Ringing | Phase::Connecting | Phase::Accepting => due.min(self.ring_deadline.max(now)),
            Phase::Live | Phase::Ended(_) => due,
        });
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_none(unheard: &u32) -> bool {
    *unheard == 0
}
