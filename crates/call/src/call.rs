//! A call as it is stored.

use crate::{Effect, Ending, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long whoever performs an effect has, before a tick asks for it again.
const PATIENCE: Duration = Duration::from_secs(5);

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
    /// How often the pending effects were asked for. More than once: an earlier try may have taken effect.
    pub attempts: u32,
    /// Who has the call.
    pub seat: Option<Seat>,
    /// Grows with every seat, so that a task that lost the call cannot speak for it.
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
pub struct Seat {
    /// The media task's id.
    pub task: String,
    /// The fencing number.
    pub fence: u64,
}

impl Call {
    /// A call that has just begun to ring, with its first effect pending and due at once.
    pub fn ringing(now: Timestamp, budget: Duration) -> Self {
        Self {
            phase: Phase::Ringing,
            rang_at: now,
            ring_deadline: now + budget,
            due: Some(now),
            pending: vec![Effect::FindSeat],
            attempts: 0,
            seat: None,
            fence: 0,
            refused_by: vec![],
            answer: None,
            pre_accepted: false,
            launched: false,
            silent_since: None,
            silent_lease: None,
            accepted_at: None,
            ended_at: None,
        }
    }

    /// Whether it is over.
    pub fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended(_))
    }

    /// Why it ended, if it has.
    pub fn ending(&self) -> Option<Ending> {
        match self.phase {
            Phase::Ended(ending) => Some(ending),
            Phase::Ringing | Phase::Connecting | Phase::Accepting | Phase::Live => None,
        }
    }

    /// Whether this fence is that of the task that has the call now.
    pub fn is_held_by(&self, fence: u64) -> bool {
        self.seat.as_ref().is_some_and(|seat| seat.fence == fence)
    }

    /// Whether the ring time is over for a call that still rings.
    pub(crate) fn rang_too_long(&self, now: Timestamp) -> bool {
        match self.phase {
            Phase::Ringing | Phase::Connecting | Phase::Accepting => now >= self.ring_deadline,
            Phase::Live | Phase::Ended(_) => false,
        }
    }

    /// Asks for effects, for the first time.
    pub(crate) fn ask(&mut self, effects: Vec<Effect>, now: Timestamp) -> Vec<Effect> {
        self.attempts = 0;
        self.pending = effects;
        self.ask_again(now)
    }

    /// Asks for what is pending, again.
    pub(crate) fn ask_again(&mut self, now: Timestamp) -> Vec<Effect> {
        self.attempts += 1;
        self.wake_in(PATIENCE * self.attempts, now);
        self.pending.clone()
    }

    /// Strikes an effect off what is pending.
    pub(crate) fn strike(&mut self, effect: &Effect, now: Timestamp) {
        self.pending.retain(|pending| pending != effect);
        if self.pending.is_empty() {
            self.rest(now);
        }
    }

    /// Nothing to do but to watch.
    pub(crate) fn rest(&mut self, now: Timestamp) {
        self.pending.clear();
        self.attempts = 0;
        match self.phase {
            Phase::Ended(_) => self.due = None,
            Phase::Ringing => self.wake_in(FIND_AGAIN, now),
            Phase::Connecting | Phase::Accepting | Phase::Live => self.wake_in(CHECK_EVERY, now),
        }
    }

    /// Wants a tick after `wait`, and never later than the ring deadline while it rings.
    pub(crate) fn wake_in(&mut self, wait: Duration, now: Timestamp) {
        let due = now + wait;
        self.due = Some(match self.phase {
            Phase::Ringing | Phase::Connecting | Phase::Accepting => due.min(self.ring_deadline.max(now)),
            Phase::Live | Phase::Ended(_) => due,
        });
    }
}
