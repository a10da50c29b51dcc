//! Decides when a ringing call may be accepted: media is connected, the model's session is ready, and its greeting is queued.

use call::Ending;
use std::time::{Duration, Instant};

/// How much of the greeting is queued before the call is accepted, so that the first word leaves with the accept.
const GREETING_QUEUED: Duration = Duration::from_millis(200);

/// How long after the offer the call is accepted without a queued greeting.
const GREETING_TIMEOUT: Duration = Duration::from_millis(1_200);

/// The same, since the offer, for a greeting that came without audio and is generated again.
const SECOND_GREETING_TIMEOUT: Duration = Duration::from_secs(4);

/// How long after a reply other than "open" call-control is asked again.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// How long a request to accept may stay unanswered before it counts as lost. Longer than call-control's own timeout towards
/// Meta: of two accepts at a time, each would take the other's result for its own.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(18);

/// The progress of a ringing call towards its accept.
#[derive(Debug)]
pub(crate) struct AnswerProgress {
    offered_at: Instant,
    deadline: Instant,
    is_connected: bool,
    is_ready: bool,
    is_open: bool,
    /// How long after the offer the call waits for a greeting.
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
            offered_at,
            deadline,
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
        if self.asked_at.is_none() && now < self.offered_at + GREETING_TIMEOUT {
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
        let next = self.may_ask_at().unwrap_or(self.offered_at + self.greeting_timeout);
        let is_waiting_for_time = self.is_connected && self.is_ready;
        Some(if is_waiting_for_time { next.min(self.gives_up_at()) } else { self.gives_up_at() })
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
        let has_greeting = self.asked_at.is_some()
            || queued >= GREETING_QUEUED
            || now >= self.offered_at + self.greeting_timeout;
        let may_ask = self.may_ask_at().is_none_or(|at| now >= at);
        if self.is_connected && self.is_ready && has_greeting && may_ask {
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
mod tests {
    use super::*;

    #[test]
    fn a_lost_request_is_reported_with_the_next_one() {
        let (start, mut ringing) = ringing();
        ringing.note_connected();
        ringing.note_ready();
        assert_eq!(ringing.step(ms(300), start), AnswerStep::Ask);
        assert_eq!((ringing.question(), ringing.lost()), (1, None));

        ringing.note_reply();
        ringing.note_failure(1, true);

        assert_eq!(ringing.step(ms(300), start + RETRY_AFTER), AnswerStep::Ask);
        assert_eq!((ringing.question(), ringing.lost()), (2, Some(1)));
        ringing.note_reply();
        assert_eq!(ringing.lost(), None, "it is reported once");
    }

    #[test]
    fn asks_once_media_agent_and_greeting_are_ready() {
        let (start, mut ringing) = ringing();
        ringing.note_connected();
        assert_eq!(ringing.step(ms(300), start), AnswerStep::Wait);
        ringing.note_ready();

        assert_eq!(ringing.step(ms(199), start), AnswerStep::Wait);
        assert_eq!(ringing.step(ms(200), start), AnswerStep::Ask);
        assert_eq!(ringing.step(ms(200), start), AnswerStep::Wait);
    }

    #[test]
    fn a_call_is_not_accepted_while_the_agents_session_is_gone() {
        let (start, mut ringing) = ringing();
        ringing.note_connected();
        ringing.note_ready();
        ringing.note_unready();

        assert_eq!(ringing.step(ms(300), start + ms(2_000)), AnswerStep::Wait);
        ringing.note_ready();

        assert_eq!(ringing.step(ms(300), start + ms(2_000)), AnswerStep::Ask);
    }

    #[test]
    fn a_slow_greeting_delays_the_accept_by_a_second_at_most() {
        let (start, mut ringing) = ringing();
        ringing.note_connected();
        ringing.note_ready();

        let due = ringing.poll_timeout().expect("it waits for the greeting");

        assert_eq!(due, start + ms(1_200));
        assert_eq!(ringing.step(ms(0), due), AnswerStep::Ask);
    }

    #[test]
    fn waits_four_seconds_after_a_greeting_without_audio() {
        let (start, mut ringing) = ringing();
        ringing.note_connected();
        ringing.note_ready();
        ringing.note_empty_greeting(start);

        assert_eq!(ringing.step(ms(0), start + ms(1_200)), AnswerStep::Wait);
        assert_eq!(ringing.poll_timeout(), Some(start + ms(4_000)));
        ringing.note_empty_greeting(start + ms(1_300));
        assert_eq!(ringing.step(ms(0), start + ms(4_000)), AnswerStep::Ask);
    }

    #[test]
    fn a_second_greeting_with_audio_is_enough() {
        let (start, mut ringing) = ringing();
        ringing.note_connected();
        ringing.note_ready();
        ringing.note_empty_greeting(start);

        assert_eq!(ringing.step(ms(200), start + ms(900)), AnswerStep::Ask);
    }

    #[test]
    fn a_late_empty_greeting_does_not_extend_the_wait() {
        let (start, mut ringing) = ringing();
        ringing.note_connected();
        ringing.note_ready();
        ringing.note_empty_greeting(start + ms(1_200));

        assert_eq!(ringing.step(ms(0), start + ms(1_200)), AnswerStep::Ask);
    }

    #[test]
    fn an_empty_greeting_after_the_first_request_delays_no_other() {
        let (start, mut ringing) = ringing();
        ringing.note_connected();
        ringing.note_ready();
        assert_eq!(ringing.step(ms(200), start + ms(500)), AnswerStep::Ask);
        ringing.note_reply();
        ringing.note_empty_greeting(start + ms(900));

        let due = ringing.poll_timeout().expect("it asks again");

        assert_eq!(due, start + ms(2_500));
        assert_eq!(ringing.step(ms(0), due), AnswerStep::Ask);
    }

    #[test]
    fn makes_one_request_at_a_time_until_the_call_is_open() {
        let (start, mut ringing) = ringing();
        ringing.note_connected();
        ringing.note_ready();
        assert_eq!(ringing.step(ms(200), start), AnswerStep::Ask);

        assert_eq!(
            ringing.step(ms(200), start + ms(9_000)),
            AnswerStep::Wait,
            "the first request is not answered yet"
        );
        ringing.note_reply();
        assert_eq!(ringing.step(ms(200), start + ms(9_000)), AnswerStep::Ask);
        ringing.note_open();

        assert_eq!(
            (ringing.step(ms(200), start + ms(9_000)), ringing.poll_timeout()),
            (AnswerStep::Wait, None)
        );
    }

    #[test]
    fn a_request_made_in_time_is_awaited_past_the_ring_time() {
        let (start, mut ringing) = ringing();
        ringing.await_reply();
        ringing.note_connected();
        ringing.note_ready();
        let (asked, end) = (start + ms(24_000), start + ms(25_000));
        assert_eq!(ringing.step(ms(200), asked), AnswerStep::Ask);

        assert_eq!(ringing.step(ms(200), end), AnswerStep::Wait);
        assert_eq!(ringing.poll_timeout(), Some(asked + QUESTION_TIMEOUT));
        ringing.note_reply();

        assert_eq!(ringing.step(ms(200), end), AnswerStep::GiveUp(Ending::MetaRefused));
    }

    #[test]
    fn the_ending_after_the_ring_time_says_what_was_missing() {
        let (start, mut ringing) = ringing();
        let end = start + ms(25_000);

        assert_eq!(ringing.step(ms(0), end), AnswerStep::GiveUp(Ending::MediaNeverConnected));
        ringing.note_connected();
        assert_eq!(ringing.step(ms(0), end), AnswerStep::GiveUp(Ending::AgentUnavailable));
    }

    fn ringing() -> (Instant, AnswerProgress) {
        let start = Instant::now();
        (start, AnswerProgress::new(start, start + ms(25_000)))
    }

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }
}
