//! When a ringing call may be accepted: media is connected, the agent is there, and has something to say.

use call::Ending;
use std::time::{Duration, Instant};

/// So much of the greeting should be queued, so that the first word leaves with the accept.
const ENOUGH_GREETING: Duration = Duration::from_millis(200);

/// After this the caller has waited long enough for a greeting to be prepared.
const WAITED_ENOUGH: Duration = Duration::from_millis(1_200);

/// The same since the offer, for one that came without a sound and is prepared again.
const WAITED_ENOUGH_FOR_ANOTHER: Duration = Duration::from_secs(4);

/// How soon to ask again when call-control has not said that the line is open.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// A question that is not answered within this was lost. Longer than call-control asks Meta: two accepts at a time
/// would each take the other's for its own.
const QUESTION_LOST: Duration = Duration::from_secs(18);

/// A call that rings.
#[derive(Debug)]
pub(super) struct AnswerProgress {
    offered_at: Instant,
    deadline: Instant,
    is_connected: bool,
    is_ready: bool,
    is_open: bool,
    /// How long a greeting is waited for, since the offer.
    patience: Duration,
    asked_at: Option<Instant>,
    is_asking: bool,
    /// How many questions were asked.
    questions: u64,
    lost: Option<u64>,
}

/// What to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AnswerStep {
    /// Ask call-control to accept.
    Ask,
    /// The ring time is over.
    GiveUp(Ending),
    /// Nothing yet.
    Wait,
}

impl AnswerProgress {
    pub(super) fn new(offered_at: Instant, deadline: Instant) -> Self {
        Self {
            offered_at,
            deadline,
            is_connected: false,
            is_ready: false,
            is_open: false,
            patience: WAITED_ENOUGH,
            asked_at: None,
            is_asking: false,
            questions: 0,
            lost: None,
        }
    }

    /// ICE and DTLS are done.
    pub(super) fn note_connected(&mut self) {
        self.is_connected = true;
    }

    /// The agent is configured. Without one a call is never accepted: a silent line is worse than a refusal.
    pub(super) fn note_ready(&mut self) {
        self.is_ready = true;
    }

    /// Its session broke, and there is no other one yet.
    pub(super) fn note_unready(&mut self) {
        self.is_ready = false;
    }

    /// A greeting came to its end without a sound: the next one is waited for, unless that one was late itself.
    pub(super) fn note_empty_greeting(&mut self, now: Instant) {
        if self.asked_at.is_none() && now < self.offered_at + WAITED_ENOUGH {
            self.patience = WAITED_ENOUGH_FOR_ANOTHER;
        }
    }

    /// Call-control has replied, or failed.
    pub(super) fn note_reply(&mut self) {
        (self.is_asking, self.lost) = (false, None);
    }

    /// There was no reply to a question: the process that had it is dead, or nothing is known of it.
    pub(super) fn note_failure(&mut self, question: u64, is_dead: bool) {
        self.lost = is_dead.then_some(question);
    }

    /// The question that was asked last.
    pub(super) fn question(&self) -> u64 {
        self.questions
    }

    /// The question whose process is known to be dead.
    pub(super) fn lost(&self) -> Option<u64> {
        self.lost
    }

    /// The line is open.
    pub(super) fn note_open(&mut self) {
        self.is_open = true;
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        if self.is_open {
            return None;
        }
        let next = self.may_ask_at().unwrap_or(self.offered_at + self.patience);
        let is_waiting_for_time = self.is_connected && self.is_ready;
        Some(if is_waiting_for_time { next.min(self.deadline) } else { self.deadline })
    }

    /// What to do now, with so much of the greeting queued.
    pub(super) fn step(&mut self, queued: Duration, now: Instant) -> AnswerStep {
        if self.is_open {
            return AnswerStep::Wait;
        }
        if now >= self.deadline {
            return AnswerStep::GiveUp(self.missing());
        }
        // Once asked, the greeting is waited for no longer: `poll_timeout` goes by that, too.
        let has_greeting =
            self.asked_at.is_some() || queued >= ENOUGH_GREETING || now >= self.offered_at + self.patience;
        let may_ask = self.may_ask_at().is_none_or(|at| now >= at);
        if self.is_connected && self.is_ready && has_greeting && may_ask {
            self.asked_at = Some(now);
            self.is_asking = true;
            self.questions += 1;
            return AnswerStep::Ask;
        }
        AnswerStep::Wait
    }

    /// When it may ask again; `None` if it has not asked yet.
    fn may_ask_at(&self) -> Option<Instant> {
        Some(self.asked_at? + if self.is_asking { QUESTION_LOST } else { ASK_AGAIN })
    }

    /// What was missing, should the ring time be over.
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
    fn the_death_of_a_question_is_told_with_the_next_one() {
        let (start, mut ringing) = ringing();
        ringing.note_connected();
        ringing.note_ready();
        assert_eq!(ringing.step(ms(300), start), AnswerStep::Ask);
        assert_eq!((ringing.question(), ringing.lost()), (1, None));

        ringing.note_reply();
        ringing.note_failure(1, true);

        assert_eq!(ringing.step(ms(300), start + ASK_AGAIN), AnswerStep::Ask);
        assert_eq!((ringing.question(), ringing.lost()), (2, Some(1)));
        ringing.note_reply();
        assert_eq!(ringing.lost(), None, "it is told once");
    }

    #[test]
    fn it_asks_as_soon_as_media_agent_and_greeting_are_there() {
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
    fn a_slow_greeting_holds_the_call_up_for_a_moment_only() {
        let (start, mut ringing) = ringing();
        ringing.note_connected();
        ringing.note_ready();

        let due = ringing.poll_timeout().expect("it waits for the time to pass");

        assert_eq!(due, start + ms(1_200));
        assert_eq!(ringing.step(ms(0), due), AnswerStep::Ask);
    }

    #[test]
    fn a_greeting_without_a_sound_is_waited_for_four_seconds() {
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
    fn a_second_greeting_that_can_be_heard_is_enough() {
        let (start, mut ringing) = ringing();
        ringing.note_connected();
        ringing.note_ready();
        ringing.note_empty_greeting(start);

        assert_eq!(ringing.step(ms(200), start + ms(900)), AnswerStep::Ask);
    }

    #[test]
    fn an_empty_greeting_that_was_late_is_not_waited_for() {
        let (start, mut ringing) = ringing();
        ringing.note_connected();
        ringing.note_ready();
        ringing.note_empty_greeting(start + ms(1_200));

        assert_eq!(ringing.step(ms(0), start + ms(1_200)), AnswerStep::Ask);
    }

    #[test]
    fn a_greeting_that_is_empty_after_the_first_question_delays_no_other() {
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
    fn it_asks_one_question_at_a_time_until_the_line_is_open() {
        let (start, mut ringing) = ringing();
        ringing.note_connected();
        ringing.note_ready();
        assert_eq!(ringing.step(ms(200), start), AnswerStep::Ask);

        assert_eq!(
            ringing.step(ms(200), start + ms(9_000)),
            AnswerStep::Wait,
            "the first question is not answered yet"
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
    fn at_the_end_of_the_ring_time_it_says_what_was_missing() {
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
