//! Decides when a ringing call may be accepted: media is connected, the model's session is ready, and its greeting is queued. A call that
//! waits for the business's lookup is held before that.

use call::Ending;
use std::time::{Duration, Instant};

/// How much of the greeting is queued before the call is accepted, so that the first word leaves with the accept.
const GREETING_QUEUED: Duration = Duration::from_millis(200);

/// How long after the offer, or after the lookup that the call waited for, the call is accepted without a queued greeting.
const GREETING_TIMEOUT: Duration = Duration::from_millis(1_200);

/// The same for a greeting that came without audio and is generated again.
const SECOND_GREETING_TIMEOUT: Duration = Duration::from_secs(4);

/// The same where the lookup chose another model, which is connected only then.
const OTHER_MODEL_TIMEOUT: Duration = Duration::from_secs(2);

/// How long after a reply other than "open" call-control is asked again.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// How long a request to accept may stay unanswered before it counts as lost. Longer than call-control's own timeout towards
/// Meta: of two accepts at a time, each would take the other's result for its own.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(18);

/// How long before the end of the ring time a call that was held is accepted, greeting or not.
const ACCEPTED_BEFORE: Duration = Duration::from_secs(2);

/// The progress of a ringing call towards its accept.
#[derive(Debug)]
pub(crate) struct AnswerProgress {
    deadline: Instant,
    /// Since when the call waits for a greeting: since the offer, or since the lookup that it waited for was settled.
    greeting_since: Instant,
    is_held: bool,
    was_held: bool,
    is_connected: bool,
    is_ready: bool,
    is_open: bool,
    /// How long the call waits for a greeting.
    greeting_timeout: Duration,
    asked_at: Option<Instant>,
    is_asking: bool,
    /// Whether a request that was made in time is awaited past the deadline.
    awaits_reply: bool,
    /// How many requests to accept were made; the last one's number.
    questions: u64,
    /// The request whose process is known to be dead.
    lost: Option<u64>,
}

/// The next step of a ringing call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnswerStep {
    /// Ask call-control to accept.
    Ask,
    /// The ring time is over.
    GiveUp(Ending),
    /// Nothing yet.
    Wait,
}

impl AnswerProgress {
    pub(crate) fn new(offered_at: Instant, deadline: Instant) -> Self {
        Self {
            deadline,
            greeting_since: offered_at,
            is_held: false,
            was_held: false,
            is_connected: false,
            is_ready: false,
            is_open: false,
            greeting_timeout: GREETING_TIMEOUT,
            asked_at: None,
            is_asking: false,
            awaits_reply: false,
            questions: 0,
            lost: None,
        }
    }

    /// Holds the call: it is not accepted before [`AnswerProgress::release`].
    pub(crate) fn hold(&mut self) {
        (self.is_held, self.was_held) = (true, true);
    }

    /// Releases a held call, once: the agent that answers is known, and its greeting is waited for from now on.
    pub(crate) fn release(&mut self, now: Instant) {
        if std::mem::replace(&mut self.is_held, false) {
            self.greeting_since = now;
        }
    }

    /// Notes that another model answers than the one that was connected while the call was held: its greeting takes longer.
    pub(crate) fn note_other_model(&mut self) {
        self.greeting_timeout = self.greeting_timeout.max(OTHER_MODEL_TIMEOUT);
    }

    /// Awaits a request that was made in time past the deadline: the line's service may take long to say that the caller is gone.
    pub(crate) fn await_reply(&mut self) {
        self.awaits_reply = true;
    }

    /// Notes that ICE and DTLS are done.
    pub(crate) fn note_connected(&mut self) {
        self.is_connected = true;
    }

    /// Notes that the model's session is configured. Without one a call is never accepted: a silent line is worse than a refusal.
    pub(crate) fn note_ready(&mut self) {
        self.is_ready = true;
    }

    /// Notes that the model's session broke and its replacement is not ready.
    pub(crate) fn note_unready(&mut self) {
        self.is_ready = false;
    }

    /// Notes a greeting that ended without audio: the call waits for the next one, unless this one was late itself.
    pub(crate) fn note_empty_greeting(&mut self, now: Instant) {
        if self.asked_at.is_none() && now < self.greeting_since + self.greeting_timeout {
            self.greeting_timeout = SECOND_GREETING_TIMEOUT;
        }
    }

    /// Notes that call-control has replied, or that the request failed.
    pub(crate) fn note_reply(&mut self) {
        (self.is_asking, self.lost) = (false, None);
    }

    /// Notes that a request got no reply; `is_dead` if the process that had it is known to be dead.
    pub(crate) fn note_failure(&mut self, question: u64, is_dead: bool) {
        self.lost = is_dead.then_some(question);
    }

    /// Returns the number of the last request.
    pub(crate) fn question(&self) -> u64 {
        self.questions
    }

    /// Returns the request whose process is known to be dead: the next request reports it.
    pub(crate) fn lost(&self) -> Option<u64> {
        self.lost
    }

    /// Notes that the call is accepted and media flows.
    pub(crate) fn note_open(&mut self) {
        self.is_open = true;
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        if self.is_open {
            return None;
        }
        let next = self.may_ask_at().unwrap_or(self.greeting_due());
        let is_waiting_for_time = self.is_connected && self.is_ready && !self.is_held;
        Some(if is_waiting_for_time { next.min(self.gives_up_at()) } else { self.gives_up_at() })
    }

    /// Returns when the call is accepted without a queued greeting.
    fn greeting_due(&self) -> Instant {
        let due = self.greeting_since + self.greeting_timeout;
        let latest = self.deadline.checked_sub(ACCEPTED_BEFORE).filter(|_| self.was_held);
        latest.map_or(due, |latest| due.min(latest.max(self.greeting_since)))
    }

    fn gives_up_at(&self) -> Instant {
        let asked_at = self.asked_at.filter(|_| self.awaits_reply && self.is_asking);
        asked_at.map_or(self.deadline, |at| self.deadline.max(at + QUESTION_TIMEOUT))
    }

    /// Returns the next step, given how much of the greeting is queued.
    pub(crate) fn step(&mut self, queued: Duration, now: Instant) -> AnswerStep {
        if self.is_open {
            return AnswerStep::Wait;
        }
        if now >= self.gives_up_at() {
            return AnswerStep::GiveUp(self.missing());
        }
        // After the first request the greeting no longer delays the next ones: `poll_timeout` relies on that, too.
        let has_greeting = self.asked_at.is_some() || queued >= GREETING_QUEUED || now >= self.greeting_due();
        let may_ask = self.may_ask_at().is_none_or(|at| now >= at);
        if self.is_connected && self.is_ready && !self.is_held && has_greeting && may_ask {
            self.asked_at = Some(now);
            self.is_asking = true;
            self.questions += 1;
            return AnswerStep::Ask;
        }
        AnswerStep::Wait
    }

    /// Returns when the next request may be made; `None` before the first one.
    fn may_ask_at(&self) -> Option<Instant> {
        Some(self.asked_at? + if self.is_asking { QUESTION_TIMEOUT } else { RETRY_AFTER })
    }

    /// Returns the ending for what was missing when the ring time is over.
    fn missing(&self) -> Ending {
        if !self.is_connected {
            Ending::MediaNeverConnected
        } else if !self.is_ready {
            Ending::AgentUnavailable
        } else {
            Ending::MetaRefused
        }
    }
}

#[cfg(test)]
#[path = "answer_progress_tests.rs"]
mod tests;
