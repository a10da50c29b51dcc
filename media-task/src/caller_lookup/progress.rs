//! Decides what the business's lookup means for a call: what its agent gets to know, whether call-control is asked for another agent, and
//! until when any of it is waited for. Whatever goes wrong, the call goes on without.

use internal_api::order::Reply;
use serde_json::{Map, Value};
use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

/// How long before the end of the ring time a call that waits goes on: time for the session, the greeting and the accept.
const GOES_ON_BEFORE: Duration = Duration::from_secs(3);

/// The same for a decision that is under way: time for the accept alone.
const GOES_ON_UNDECIDED_BEFORE: Duration = Duration::from_secs(1);

/// How long call-control may take at least to decide about what the business wishes: it may have to start first, and be asked twice. What
/// it saves after the call has gone on holds for the table, but not for the agent that talks.
const DECIDED_WITHIN: Duration = Duration::from_secs(4);

/// The lookup of one call.
#[derive(Debug)]
pub(crate) struct LookupProgress {
    stage: Stage,
    began: Instant,
    /// How long a call that waits does so.
    patience: Option<Patience>,
    /// Whether the business may still decide who answers: not in a call that was accepted, or whose agent was chosen, before.
    may_decide: bool,
    steps: VecDeque<LookupStep>,
}

/// How long a ringing call waits for its lookup.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// When it goes on without an answer, and without a decision that was given its time.
    answered_by: Instant,
    /// When it goes on without a decision, whatever its time.
    decided_by: Instant,
}

#[derive(Debug)]
enum Stage {
    /// The business was asked.
    Asked {
        until: Instant,
    },
    /// Call-control was asked.
    Deciding {
        known: Map<String, Value>,
        until: Instant,
    },
    Settled,
    /// Call-control has ended the call, which is not to be answered any more.
    Ended,
}

/// What the business says about a caller.
#[derive(Default, Clone, PartialEq)]
pub(crate) struct Known {
    /// What the agent gets to know.
    pub(crate) variables: Map<String, Value>,
    /// What the business wishes for the call.
    pub(crate) wish: Wish,
}

/// What the business wishes for a call; call-control decides about it.
#[derive(Default, Clone, PartialEq)]
pub(crate) struct Wish {
    /// The name of the agent that is to answer.
    pub(crate) agent: Option<String>,
    /// The language, as a BCP 47 tag.
    pub(crate) language: Option<String>,
    /// That the call is refused, with a message to the caller or with the agent's own.
    pub(crate) rejection: Option<Option<String>>,
}

/// Why there is no answer, or none that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unanswered {
    pub(crate) outcome: LookupOutcome,
    /// The HTTP status, if there was one.
    pub(crate) status: Option<u16>,
}

/// How a lookup ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LookupOutcome {
    /// The call uses the answer.
    Used,
    /// The business refuses the call.
    Refused,
    /// The answer did not come in time.
    Late,
    /// The answer is none.
    Wrong,
    /// The request failed, or its status is an error.
    Failed,
}

/// A step of the lookup, for the call to take.
#[derive(Debug, PartialEq)]
pub(crate) enum LookupStep {
    /// Write to the journal how the lookup ended.
    Note { outcome: LookupOutcome, took: Duration, status: Option<u16> },
    /// Ask call-control about what the business wishes.
    Ask(Wish),
    /// Write to the journal that call-control did not decide in time.
    NoteUndecided,
    /// Answer, or go on, with what is known: the last step.
    Answer(Settled),
    /// End: call-control has ended the call.
    End,
}

/// With what a call is answered.
#[derive(Default, PartialEq)]
pub(crate) struct Settled {
    /// What the agent gets to know.
    pub(crate) variables: Map<String, Value>,
    /// The file of another agent that answers.
    pub(crate) agent: Option<String>,
    /// The language, if it is not the agent's own.
    pub(crate) language: Option<String>,
}

impl LookupProgress {
    /// Begins a lookup that may take `timeout`; `patience` is that of a call that waits for it.
    pub(crate) fn begin(
        timeout: Duration,
        patience: Option<Patience>,
        may_decide: bool,
        now: Instant,
    ) -> Self {
        let until = patience.map_or(now + timeout, |patience| patience.answered_by.min(now + timeout));
        Self { stage: Stage::Asked { until }, began: now, patience, may_decide, steps: VecDeque::new() }
    }

    /// Whether the call may be answered: nothing is waited for, and it was not ended.
    pub(crate) fn is_settled(&self) -> bool {
        matches!(self.stage, Stage::Settled)
    }

    /// Returns the next step.
    pub(crate) fn poll_step(&mut self) -> Option<LookupStep> {
        self.steps.pop_front()
    }

    /// Returns when [`LookupProgress::handle_timeout`] is due.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        match self.stage {
            Stage::Asked { until } | Stage::Deciding { until, .. } => Some(until),
            Stage::Settled | Stage::Ended => None,
        }
    }

    /// Goes on without what is overdue.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_none_or(|due| due > now) {
            return;
        }
        match std::mem::replace(&mut self.stage, Stage::Settled) {
            Stage::Asked { .. } => {
                self.note(LookupOutcome::Late, None, now);
                self.settle(Settled::default());
            }
            Stage::Deciding { known, .. } => self.settle_undecided(known),
            Stage::Settled | Stage::Ended => {}
        }
    }

    /// Handles the business's answer, or that there is none.
    pub(crate) fn handle_answer(&mut self, answer: Result<Known, Unanswered>, now: Instant) {
        if !matches!(self.stage, Stage::Asked { .. }) {
            return;
        }
        let Known { variables, wish } = match answer {
            Ok(known) => known,
            Err(Unanswered { outcome, status }) => {
                self.note(outcome, status, now);
                return self.settle(Settled::default());
            }
        };
        let is_wish = self.may_decide && wish != Wish::default();
        let is_refused = self.may_decide && wish.rejection.is_some();
        self.note(if is_refused { LookupOutcome::Refused } else { LookupOutcome::Used }, None, now);
        if !is_wish {
            return self.settle(Settled { variables, ..Settled::default() });
        }
        let until = self.patience.map_or(now + DECIDED_WITHIN, |patience| patience.decides_until(now));
        self.stage = Stage::Deciding { known: variables, until };
        self.steps.push_back(LookupStep::Ask(wish));
    }

    /// Handles call-control's decision; `None` if it did not decide.
    pub(crate) fn handle_decision(&mut self, reply: Option<Reply>) {
        let Stage::Deciding { known, .. } = &mut self.stage else { return };
        let variables = std::mem::take(known);
        match reply {
            Some(Reply::Over) => {
                self.stage = Stage::Ended;
                self.steps.push_back(LookupStep::End);
            }
            Some(Reply::Agent { text: agent, language }) => {
                self.settle(Settled { variables, agent, language })
            }
            // An older release does not know the question.
            Some(
                Reply::Open { .. }
                | Reply::Wait
                | Reply::Sent
                | Reply::NotSent { .. }
                | Reply::Transferring
                | Reply::NotTransferred { .. },
            )
            | None => self.settle_undecided(variables),
        }
    }

    fn note(&mut self, outcome: LookupOutcome, status: Option<u16>, now: Instant) {
        let took = now.saturating_duration_since(self.began);
        self.steps.push_back(LookupStep::Note { outcome, took, status });
    }

    fn settle_undecided(&mut self, variables: Map<String, Value>) {
        self.steps.push_back(LookupStep::NoteUndecided);
        self.settle(Settled { variables, ..Settled::default() });
    }

    fn settle(&mut self, settled: Settled) {
        self.stage = Stage::Settled;
        self.steps.push_back(LookupStep::Answer(settled));
    }
}

impl Patience {
    /// Returns that of a call that rings until `ring_deadline`.
    pub(crate) fn until(ring_deadline: Instant, now: Instant) -> Self {
        let before = |time| ring_deadline.checked_sub(time).map_or(now, |at| at.max(now));
        Self { answered_by: before(GOES_ON_BEFORE), decided_by: before(GOES_ON_UNDECIDED_BEFORE) }
    }

    /// Returns until when call-control, asked now, may decide.
    fn decides_until(self, now: Instant) -> Instant {
        self.answered_by.max(self.decided_by.min(now + DECIDED_WITHIN))
    }
}

impl LookupOutcome {
    /// Returns the word that the journal has for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::Refused => "refused",
            Self::Late => "late",
            Self::Wrong => "wrong",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Debug for Known {
    /// Shows nothing of the caller.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Known").field("variables", &self.variables.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Wish {
    /// Shows what is wished, but neither names nor words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wish")
            .field("agent", &self.agent.is_some())
            .field("language", &self.language.is_some())
            .field("rejection", &self.rejection.is_some())
            .finish()
    }
}

impl fmt::Debug for Settled {
    /// Shows nothing of the caller and none of the operator's texts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settled")
            .field("variables", &self.variables.len())
            .field("agent", &self.agent.is_some())
            .field("language", &self.language.is_some())
            .finish()
    }
}

#[cfg(test)]
#[path = "progress_tests.rs"]
mod tests;
