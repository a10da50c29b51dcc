//! Decides what a call may do next: which actions Meta takes, and when a call ends by itself.
//!
//! Decides only; time is an argument. What the reference does not say is a guess, marked so.

use crate::MetaConfig;
use std::time::{Duration, Instant};

/// A call as Meta's signalling knows it, from its offer to its end.
#[derive(Debug)]
pub(crate) struct Signalling {
    phase: Phase,
    answer: Option<String>,
    ring_ends: Instant,
    first_media: Duration,
    mid_call_media: Duration,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Ringing,
    PreAccepted,
    Live { since: Instant, media: Option<Instant> },
    Over(Ended),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) ending: Ending,
    pub(crate) at: Instant,
    /// When `accept` took effect, if it did.
    pub(crate) live_since: Option<Instant>,
}

/// Who or what ended a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The caller, before or after the call was answered.
    CallerHungUp,
    /// Meta: it rang too long.
    Unanswered,
    /// The business, by `reject`.
    Rejected,
    /// The business, by `terminate`.
    Terminated,
    /// The caller's phone: no media came for too long (138021).
    NoMedia,
    /// Meta: the business was too late (138007).
    TimedOut,
}

/// Why Meta does not take an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("call has already ended")]
    AlreadyEnded,
    #[error("call already in progress")]
    AlreadyInProgress,
    #[error("call already pre-accepted")]
    AlreadyPreAccepted,
    #[error("the SDP differs from that of pre_accept")]
    DifferentSdp,
    #[error("a ringing call is rejected, not terminated")]
    NotYetTaken,
}

impl Signalling {
    /// A call that begins to ring.
    pub(crate) fn ringing(config: &MetaConfig, now: Instant) -> Signalling {
        Signalling {
            phase: Phase::Ringing,
            answer: None,
            ring_ends: now + config.ring,
            first_media: config.timers.first_media,
            mid_call_media: config.timers.mid_call_media,
        }
    }

    /// The business shows its answer. That a repeat is refused is a guess.
    pub(crate) fn pre_accept(&mut self, answer: &str) -> Result<(), Refusal> {
        match self.phase {
            Phase::Ringing => {
                self.answer = Some(answer.to_owned());
                self.phase = Phase::PreAccepted;
                Ok(())
            }
            Phase::PreAccepted => Err(Refusal::AlreadyPreAccepted),
            Phase::Live { .. } => Err(Refusal::AlreadyInProgress),
            Phase::Over(_) => Err(Refusal::AlreadyEnded),
        }
    }

    /// The business picks up, with the very bytes of `pre_accept`.
    pub(crate) fn accept(&mut self, answer: &str, now: Instant) -> Result<(), Refusal> {
        match self.phase {
            Phase::PreAccepted if self.answer.as_deref() != Some(answer) => Err(Refusal::DifferentSdp),
            Phase::Ringing | Phase::PreAccepted => {
                self.phase = Phase::Live { since: now, media: None };
                Ok(())
            }
            Phase::Live { .. } => Err(Refusal::AlreadyInProgress),
            Phase::Over(_) => Err(Refusal::AlreadyEnded),
        }
    }

    /// The business does not want the call.
    pub(crate) fn reject(&mut self, now: Instant) -> Result<(), Refusal> {
        match self.phase {
            Phase::Ringing | Phase::PreAccepted => {
                self.end(Ending::Rejected, now);
                Ok(())
            }
            Phase::Live { .. } => Err(Refusal::AlreadyInProgress),
            Phase::Over(_) => Err(Refusal::AlreadyEnded),
        }
    }

    /// The business hangs up: documented after `pre_accept`. That it is refused before is a guess.
    pub(crate) fn terminate(&mut self, now: Instant) -> Result<(), Refusal> {
        match self.phase {
            Phase::Ringing => Err(Refusal::NotYetTaken),
            Phase::PreAccepted | Phase::Live { .. } => {
                self.end(Ending::Terminated, now);
                Ok(())
            }
            Phase::Over(_) => Err(Refusal::AlreadyEnded),
        }
    }

    /// Meta finds that the business is too late.
    pub(crate) fn time_out(&mut self, now: Instant) {
        self.end(Ending::TimedOut, now);
    }

    /// The caller hangs up, or gives up.
    pub(crate) fn hang_up(&mut self, now: Instant) {
        self.end(Ending::CallerHungUp, now);
    }

    /// A sound of the business arrived.
    pub(crate) fn handle_rtp(&mut self, now: Instant) {
        if let Phase::Live { media, .. } = &mut self.phase {
            *media = Some(now);
        }
    }

    /// A report arrived. It keeps a call going, but begins none.
    pub(crate) fn handle_rtcp(&mut self, now: Instant) {
        if let Phase::Live { media: Some(media), .. } = &mut self.phase {
            *media = now;
        }
    }

    /// Ends the call if it waited too long for the business or for its sound.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_none_or(|deadline| now < deadline) {
            return;
        }
        match self.phase {
            Phase::Ringing | Phase::PreAccepted => self.end(Ending::Unanswered, now),
            Phase::Live { .. } => self.end(Ending::NoMedia, now),
            Phase::Over(_) => {}
        }
    }

    /// When to call [`Signalling::handle_timeout`] next.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        match self.phase {
            Phase::Ringing | Phase::PreAccepted => Some(self.ring_ends),
            Phase::Live { since, media: None } => Some(since + self.first_media),
            Phase::Live { media: Some(media), .. } => Some(media + self.mid_call_media),
            Phase::Over(_) => None,
        }
    }

    /// Whether Meta has the answer already and waits for `accept`.
    pub(crate) fn is_pre_accepted(&self) -> bool {
        matches!(self.phase, Phase::PreAccepted)
    }

    pub(crate) fn ended(&self) -> Option<Ended> {
        match self.phase {
            Phase::Over(ended) => Some(ended),
            Phase::Ringing | Phase::PreAccepted | Phase::Live { .. } => None,
        }
    }

    fn end(&mut self, ending: Ending, at: Instant) {
        let live_since = match self.phase {
            Phase::Ringing | Phase::PreAccepted => None,
            Phase::Live { since, .. } => Some(since),
            Phase::Over(_) => return,
        };
        self.phase = Phase::Over(Ended { ending, at, live_since });
    }
}

#[cfg(test)]
#[path = "signalling_tests.rs"]
mod tests;
