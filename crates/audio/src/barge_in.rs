//! Barge-in: decides whether the caller's speech interrupts the agent, and whether it was a turn to answer or a
//! backchannel.

use std::sync::Arc;
use std::time::{Duration, Instant};

/// The rules of barge-in. By default any speech of the caller interrupts the agent at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BargeInPolicy {
    /// The time from a reply's first frame on in which it cannot be interrupted. A caller who still speaks at its end
    /// interrupts.
    pub guard: Duration,
    /// How long the caller must speak over the agent to interrupt it; shorter speech is a backchannel ("mhm").
    /// Measured between the voice activity detection's start and stop, so it includes the silence after which the
    /// detection reports a stop.
    pub after: Duration,
    /// The level, dB of full scale, below which the caller's audio is taken for the agent's echo while the agent
    /// speaks. `None` switches the echo gate off.
    pub echo_gate_dbfs: Option<f32>,
    /// Whether the caller can interrupt the first response.
    pub greeting_is_interruptible: bool,
    /// Whether a DTMF digit stops the agent, at once and despite the guard.
    pub keys_interrupt: bool,
}

impl Default for BargeInPolicy {
    fn default() -> Self {
        Self {
            guard: Duration::ZERO,
            after: Duration::ZERO,
            echo_gate_dbfs: None,
            greeting_is_interruptible: true,
            keys_interrupt: true,
        }
    }
}

impl BargeInPolicy {
    /// Whether interruptions and answers are decided here. Otherwise the model's own turn detection decides.
    pub fn decides_locally(&self) -> bool {
        self.guard > Duration::ZERO || self.after > Duration::ZERO
    }
}

/// Floor control: which side is speaking, and since when.
#[derive(Debug)]
pub(crate) struct FloorControl {
    policy: BargeInPolicy,
    greeting: Greeting,
    reply: Option<Reply>,
    caller: Option<Utterance>,
}

#[derive(Debug)]
enum Greeting {
    Awaited,
    Protected { response: String, has_audio: bool },
    Over,
}

#[derive(Debug)]
struct Reply {
    response: Arc<str>,
    since: Instant,
}

#[derive(Debug, Clone, Copy)]
struct Utterance {
    since: Instant,
    /// The speech began while the agent was speaking. Unless it interrupts the agent, it counts as a backchannel.
    is_over_agent: bool,
    /// The speech began during a greeting that cannot be interrupted.
    is_over_greeting: bool,
    has_interrupted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Interruption {
    /// Whether the model needs a request to cancel its response. Otherwise its own turn detection has done so.
    pub(crate) is_local: bool,
}

impl FloorControl {
    pub(crate) fn new(policy: BargeInPolicy) -> Self {
        let greeting = if policy.greeting_is_interruptible { Greeting::Over } else { Greeting::Awaited };
        Self { policy, greeting, reply: None, caller: None }
    }

    pub(crate) fn policy(&self) -> BargeInPolicy {
        self.policy
    }

    /// Notes an event of a response; `is_sound` if it brought audio.
    pub(crate) fn note_response(&mut self, id: &str, is_sound: bool) {
        match &mut self.greeting {
            Greeting::Awaited => {
                self.greeting = Greeting::Protected { response: id.to_owned(), has_audio: is_sound }
            }
            Greeting::Protected { response, has_audio } if response == id => *has_audio |= is_sound,
            Greeting::Protected { .. } | Greeting::Over => {}
        }
    }

    /// Returns the greeting's response while it cannot be interrupted.
    pub(crate) fn protected(&self) -> Option<&str> {
        match &self.greeting {
            Greeting::Protected { response, .. } => Some(response),
            Greeting::Awaited | Greeting::Over => None,
        }
    }

    /// Notes that the protected response is over. A response without audio was no greeting: the next one is protected
    /// instead.
    pub(crate) fn end_protection(&mut self) {
        self.greeting = match self.greeting {
            Greeting::Protected { has_audio: false, .. } | Greeting::Awaited => Greeting::Awaited,
            Greeting::Protected { has_audio: true, .. } | Greeting::Over => Greeting::Over,
        };
    }

    /// Notes that audio of a response is being played.
    pub(crate) fn note_played(&mut self, response: &Arc<str>, now: Instant) {
        if self.reply() != Some(response) {
            self.reply = Some(Reply { response: response.clone(), since: now });
        }
    }

    /// Notes that the agent has nothing left to play.
    pub(crate) fn note_agent_done(&mut self) {
        self.reply = None;
    }

    /// Returns the response being played.
    pub(crate) fn reply(&self) -> Option<&Arc<str>> {
        self.reply.as_ref().map(|reply| &reply.response)
    }

    /// Notes that the caller begins to speak.
    pub(crate) fn start_speech(&mut self, now: Instant) {
        self.caller = Some(Utterance {
            since: now,
            is_over_agent: self.reply.is_some(),
            is_over_greeting: self.protected().is_some(),
            has_interrupted: false,
        });
    }

    /// Notes that the caller stops, and returns whether the speech needs an answer. Where the model decides, always
    /// `true`.
    pub(crate) fn stop_speech(&mut self, now: Instant) -> bool {
        let Some(caller) = self.caller.take() else { return true };
        let is_long = now.saturating_duration_since(caller.since) >= self.policy.after;
        let is_turn = !caller.is_over_agent || caller.has_interrupted || (caller.is_over_greeting && is_long);
        is_turn || !self.policy.decides_locally()
    }

    /// Forgets that the caller speaks: no session is listening, so no stop will be reported.
    pub(crate) fn clear_caller(&mut self) {
        self.caller = None;
    }

    pub(crate) fn hears_caller(&self) -> bool {
        self.caller.is_some()
    }

    /// Whether the caller is speaking and has interrupted the agent.
    pub(crate) fn has_interrupted(&self) -> bool {
        self.caller.is_some_and(|caller| caller.has_interrupted)
    }

    /// Returns when the caller will have spoken for long enough to interrupt.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let caller = self.caller.filter(|caller| !caller.has_interrupted && self.protected().is_none())?;
        let Some(Reply { since, .. }) = self.reply else { return Some(caller.since) };
        Some((caller.since + self.policy.after).max(since + self.policy.guard))
    }

    /// Returns an interruption that is due, once per utterance.
    pub(crate) fn poll_interruption(&mut self, now: Instant) -> Option<Interruption> {
        self.poll_timeout().filter(|at| *at <= now)?;
        let caller = self.caller.as_mut()?;
        caller.has_interrupted = true;
        self.reply = None;
        Some(Interruption { is_local: self.policy.decides_locally() || caller.is_over_greeting })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_decides_without_a_guard_or_backchannel_time() {
        let ms = Duration::from_millis;
        assert!(!BargeInPolicy::default().decides_locally());
        assert!(
            !BargeInPolicy { greeting_is_interruptible: false, ..BargeInPolicy::default() }.decides_locally()
        );
        assert!(BargeInPolicy { guard: ms(1), ..BargeInPolicy::default() }.decides_locally());
        assert!(BargeInPolicy { after: ms(1), ..BargeInPolicy::default() }.decides_locally());
    }

    #[test]
    fn after_an_empty_greeting_the_next_response_is_the_greeting() {
        let mut floor =
            FloorControl::new(BargeInPolicy { greeting_is_interruptible: false, ..BargeInPolicy::default() });
        floor.note_response("r1", false);
        floor.end_protection();
        floor.note_response("r2", true);
        assert_eq!(floor.protected(), Some("r2"));

        floor.end_protection();
        floor.note_response("r3", true);

        assert_eq!(floor.protected(), None);
    }
}
