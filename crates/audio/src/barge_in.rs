//! Decides who has the floor: whether the caller, speaking, silences the agent, and whether that was a turn.

use std::sync::Arc;
use std::time::{Duration, Instant};

/// Who may interrupt whom. By default the caller, at once and always.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BargeInPolicy {
    /// So much of a reply, from its first frame on, cannot be interrupted. A caller who then still speaks interrupts.
    pub guard: Duration,
    /// So long the caller must be heard over the agent to interrupt it; shorter is a "mhm". From when the agent's ear
    /// hears a start to when it hears a stop, which includes the silence it waits for to be sure.
    pub after: Duration,
    /// What is quieter, dB of full scale, while the agent is being played is its echo. `None`: nothing is.
    pub echo_gate_dbfs: Option<f32>,
    /// Whether the first response can be interrupted.
    pub greeting_is_interruptible: bool,
    /// Whether a key press stops the agent, at once and whatever the guard.
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
    /// Whether it is decided here, and not by the model, what interrupts it and what it answers.
    pub fn decides_locally(&self) -> bool {
        self.guard > Duration::ZERO || self.after > Duration::ZERO
    }
}

/// Who is speaking, and since when.
#[derive(Debug)]
pub(crate) struct FloorControl {
    policy: BargeInPolicy,
    greeting: Greeting,
    reply: Option<Reply>,
    caller: Option<Utterance>,
}

/// The first response, while it cannot be interrupted.
#[derive(Debug)]
enum Greeting {
    Awaited,
    Protected { response: String, has_audio: bool },
    Over,
}

/// What the agent is saying.
#[derive(Debug)]
struct Reply {
    response: Arc<str>,
    since: Instant,
}

/// What the caller is saying.
#[derive(Debug, Clone, Copy)]
struct Utterance {
    since: Instant,
    /// It began while the agent was speaking: unless it interrupts, all of it is said while the agent goes on.
    is_over_agent: bool,
    /// It began over a greeting that could not be interrupted.
    is_over_greeting: bool,
    has_interrupted: bool,
}

/// An interruption that takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Interruption {
    /// Whether the model must be told: it did not do so itself.
    pub(crate) is_local: bool,
}

impl FloorControl {
    pub(crate) fn new(policy: BargeInPolicy) -> Self {
        let greeting = if policy.greeting_is_interruptible { Greeting::Over } else { Greeting::Awaited };
        Self { policy, greeting, reply: None, caller: None }
    }

    /// What was agreed about interruptions.
    pub(crate) fn policy(&self) -> BargeInPolicy {
        self.policy
    }

    /// Notes a sign of a response, and whether it is sound.
    pub(crate) fn note_response(&mut self, id: &str, is_sound: bool) {
        match &mut self.greeting {
            Greeting::Awaited => {
                self.greeting = Greeting::Protected { response: id.to_owned(), has_audio: is_sound }
            }
            Greeting::Protected { response, has_audio } if response == id => *has_audio |= is_sound,
            Greeting::Protected { .. } | Greeting::Over => {}
        }
    }

    /// The response that cannot be interrupted, if there is one.
    pub(crate) fn protected(&self) -> Option<&str> {
        match &self.greeting {
            Greeting::Protected { response, .. } => Some(response),
            Greeting::Awaited | Greeting::Over => None,
        }
    }

    /// Notes that nothing more comes of the protected response. One that said nothing was no greeting.
    pub(crate) fn end_protection(&mut self) {
        self.greeting = match self.greeting {
            Greeting::Protected { has_audio: false, .. } | Greeting::Awaited => Greeting::Awaited,
            Greeting::Protected { has_audio: true, .. } | Greeting::Over => Greeting::Over,
        };
    }

    /// Notes that some of a response is played.
    pub(crate) fn note_played(&mut self, response: &Arc<str>, now: Instant) {
        if self.reply() != Some(response) {
            self.reply = Some(Reply { response: response.clone(), since: now });
        }
    }

    /// Notes that the agent has no more to say for now.
    pub(crate) fn note_agent_done(&mut self) {
        self.reply = None;
    }

    /// The response that is being said.
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

    /// Notes that the caller stops. Whether what was said deserves an answer; if it is not for us to say, it does.
    pub(crate) fn stop_speech(&mut self, now: Instant) -> bool {
        let Some(caller) = self.caller.take() else { return true };
        let is_long = now.saturating_duration_since(caller.since) >= self.policy.after;
        let is_turn = !caller.is_over_agent || caller.has_interrupted || (caller.is_over_greeting && is_long);
        is_turn || !self.policy.decides_locally()
    }

    /// Notes that nobody knows whether the caller is speaking.
    pub(crate) fn clear_caller(&mut self) {
        self.caller = None;
    }

    /// Whether the caller is speaking.
    pub(crate) fn hears_caller(&self) -> bool {
        self.caller.is_some()
    }

    /// Whether the caller is speaking, and has the floor.
    pub(crate) fn has_interrupted(&self) -> bool {
        self.caller.is_some_and(|caller| caller.has_interrupted)
    }

    /// When the caller will have spoken for long enough to interrupt.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let caller = self.caller.filter(|caller| !caller.has_interrupted && self.protected().is_none())?;
        let Some(Reply { since, .. }) = self.reply else { return Some(caller.since) };
        Some((caller.since + self.policy.after).max(since + self.policy.guard))
    }

    /// Whether the caller interrupts the agent now. Once for all that is said in one go.
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
    fn the_model_decides_unless_there_is_a_guard_or_a_backchannel() {
        let ms = Duration::from_millis;
        assert!(!BargeInPolicy::default().decides_locally());
        assert!(
            !BargeInPolicy { greeting_is_interruptible: false, ..BargeInPolicy::default() }.decides_locally()
        );
        assert!(BargeInPolicy { guard: ms(1), ..BargeInPolicy::default() }.decides_locally());
        assert!(BargeInPolicy { after: ms(1), ..BargeInPolicy::default() }.decides_locally());
    }

    #[test]
    fn a_greeting_that_said_nothing_leaves_the_next_response_to_be_one() {
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
