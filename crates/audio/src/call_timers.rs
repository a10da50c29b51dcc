//! Knows when a call has gone on for too long, been silent for too long, or lost its caller; and says so before it
//! hangs up.

use std::time::{Duration, Instant};

/// So long the owner has to wind a call up, before it is given up.
const GOODBYE_TIME: Duration = Duration::from_secs(15);

/// What the agent begins to say so long after anything else happened, it says of its own accord. Models that speak into
/// a silence by themselves wait for five seconds at least.
const UNPROMPTED_AFTER: Duration = Duration::from_secs(4);

/// How long things may last.
///
/// By default a silent line is asked six times, every 20 s: whoever mutes the phone for two minutes is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    /// The longest call.
    pub longest: Duration,
    /// When neither side has said anything for so long, the caller is asked whether they are still there.
    pub idle_after: Duration,
    /// So often, without an answer. Then the call is wound up.
    pub idle_prompts: u32,
    /// The longest time without a single packet from the caller's side: no sound, no report, no STUN reply. A muted
    /// caller is not gone.
    pub absence: Duration,
}

impl Default for CallLimits {
    fn default() -> Self {
        Self {
            longest: Duration::from_secs(30 * 60),
            idle_after: Duration::from_secs(20),
            idle_prompts: 6,
            absence: Duration::from_secs(20),
        }
    }
}

/// Why patience ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeoutReason {
    /// The call has lasted as long as it may.
    TookTooLong,
    /// Nobody has said anything for too long.
    BothSilent,
    /// Nothing comes from the caller's side any more.
    CallerVanished,
    /// Whoever holds the call cannot hold it any longer.
    Draining,
    /// As much was spent in the day as may be.
    CapReached,
}

impl TimeoutReason {
    /// Whether a caller who goes on talking changes nothing.
    pub fn is_final(self) -> bool {
        match self {
            Self::TookTooLong | Self::CallerVanished | Self::Draining | Self::CapReached => true,
            Self::BothSilent => false,
        }
    }
}

/// What patience wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimerAction {
    /// Ask whether the caller is still there, for the so-manieth time.
    IdlePrompt {
        /// Counted from one.
        times: u32,
    },
    /// Say goodbye, and hang up.
    SayGoodbye(TimeoutReason),
    /// Hang up.
    HangUp(TimeoutReason),
}

/// How long a nudge waits after the caller was last seen to speak unheard: the agent may turn out to be deaf.
const UNHEARD_DELAY: Duration = Duration::from_secs(4);

/// The longest that a nudge waits for that.
const MAX_UNHEARD_DELAY: Duration = Duration::from_secs(12);

/// Watches a call that is open.
#[derive(Debug, Clone, Copy)]
pub struct CallTimers {
    limits: CallLimits,
    opened_at: Instant,
    last_speech_at: Instant,
    /// When somebody was there last: they spoke, or were being answered.
    caller_active_at: Instant,
    speech: Speech,
    packet_at: Instant,
    /// When the caller was last seen to speak though the agent does not hear it.
    unheard_at: Option<Instant>,
    prompts_sent: u32,
    is_busy: bool,
    is_hanging_up: bool,
    end_reason: Option<TimeoutReason>,
    goodbye: Option<(TimeoutReason, Instant)>,
    is_over: bool,
}

/// Why the agent says what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speech {
    /// The call has just begun.
    Greeting,
    Answer,
    /// It was told to ask whether the caller is still there.
    IdlePrompt,
    Unprompted,
}

impl CallTimers {
    /// Starts watching.
    pub fn open(limits: CallLimits, now: Instant) -> Self {
        Self {
            limits,
            opened_at: now,
            last_speech_at: now,
            caller_active_at: now,
            speech: Speech::Greeting,
            packet_at: now,
            unheard_at: None,
            prompts_sent: 0,
            is_busy: false,
            is_hanging_up: false,
            end_reason: None,
            goodbye: None,
            is_over: false,
        }
    }

    /// Notes that the agent is speaking. That alone proves nobody there: the nudges go on being counted, and a model that
    /// speaks into an empty line by itself does not keep it open.
    pub fn note_agent_speaking(&mut self, now: Instant) {
        let since = now.saturating_duration_since(self.last_speech_at);
        self.speech = match self.speech {
            Speech::Greeting => Speech::Answer,
            Speech::Answer | Speech::IdlePrompt | Speech::Unprompted if since >= UNPROMPTED_AFTER => {
                Speech::Unprompted
            }
            known @ (Speech::Answer | Speech::IdlePrompt | Speech::Unprompted) => known,
        };
        match self.speech {
            Speech::Greeting | Speech::Answer => self.caller_active_at = now,
            // Whoever is being asked cannot answer yet.
            Speech::IdlePrompt => self.caller_active_at += since,
            Speech::Unprompted => {}
        }
        self.last_speech_at = now;
    }

    /// Notes that the agent begins to answer the caller: somebody is there.
    pub fn note_answer(&mut self, now: Instant) {
        self.note_active(now);
        self.prompts_sent = 0;
    }

    /// Notes that the caller is speaking, or pressed a key. Whether that calls off a goodbye to a silent line.
    pub fn note_caller_active(&mut self, now: Instant) -> bool {
        self.note_active(now);
        self.prompts_sent = 0;
        let is_called_off = self.goodbye.is_some_and(|(reason, _)| reason == TimeoutReason::BothSilent);
        if is_called_off {
            self.goodbye = None;
        }
        is_called_off
    }

    /// Notes that the call must end for another reason than its length: as if it had lasted as long as it may.
    pub fn end_now(&mut self, why: TimeoutReason) {
        self.end_reason.get_or_insert(why);
    }

    /// Whether the call is ending whatever the caller says.
    pub fn is_end_final(&self) -> bool {
        self.goodbye.is_some_and(|(reason, _)| reason.is_final())
    }

    /// Notes that the caller speaks, by the level of their sound, though the agent does not hear it: a line that is perhaps not
    /// silent is not prompts_sent for its silence yet.
    pub fn note_unheard_speech(&mut self, now: Instant) {
        self.unheard_at = Some(now);
    }

    /// Notes that something came from the caller's side.
    pub fn note_packet(&mut self, now: Instant) {
        self.packet_at = now;
    }

    /// Notes whether the agent is busy with something that takes long: that is no silence.
    pub fn note_busy(&mut self, is_busy: bool, now: Instant) {
        if self.is_busy != is_busy {
            self.is_busy = is_busy;
            self.note_active(now);
        }
    }

    /// Notes whether the call is about to end: there is nothing to nudge for then, and nothing to wind up.
    pub fn note_hanging_up(&mut self, is_hanging_up: bool, now: Instant) {
        if self.is_hanging_up != is_hanging_up {
            self.is_hanging_up = is_hanging_up;
            self.note_active(now);
        }
    }

    /// When something is wanted, should nothing be noted until then.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.is_over {
            return None;
        }
        let gone = Some(self.packet_at + self.limits.absence);
        let silent = [self.idle_at(), self.abandoned_at()];
        [gone, self.goodbye_due_at(), self.too_long_at()].into_iter().chain(silent).flatten().min()
    }

    /// What is wanted now. Each is said once.
    pub fn poll(&mut self, now: Instant) -> Option<TimerAction> {
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if self.is_over {
            None
        } else if now >= self.packet_at + self.limits.absence {
            Some(self.hang_up(TimeoutReason::CallerVanished))
        } else if let Some((reason, _)) = self.goodbye.filter(|_| is_due(self.goodbye_due_at())) {
            Some(self.hang_up(reason))
        } else if is_due(self.too_long_at()) {
            Some(self.start_goodbye(self.reason_to_end(), now))
        } else if is_due(self.abandoned_at()) {
            Some(self.start_goodbye(TimeoutReason::BothSilent, now))
        } else if is_due(self.idle_at()) && self.prompts_sent < self.limits.idle_prompts {
            self.prompts_sent += 1;
            (self.last_speech_at, self.speech) = (now, Speech::IdlePrompt);
            Some(TimerAction::IdlePrompt { times: self.prompts_sent })
        } else if is_due(self.idle_at()) {
            Some(self.start_goodbye(TimeoutReason::BothSilent, now))
        } else {
            None
        }
    }

    fn goodbye_due_at(&self) -> Option<Instant> {
        self.goodbye.map(|(_, since)| since + GOODBYE_TIME)
    }

    fn too_long_at(&self) -> Option<Instant> {
        let may_start_goodbye = self.goodbye.is_none() && !self.is_hanging_up;
        let longest = if self.end_reason.is_some() { Duration::ZERO } else { self.limits.longest };
        may_start_goodbye.then_some(self.opened_at + longest)
    }

    fn reason_to_end(&self) -> TimeoutReason {
        self.end_reason.unwrap_or(TimeoutReason::TookTooLong)
    }

    fn idle_at(&self) -> Option<Instant> {
        self.is_watching_for_idle()
            .then(|| self.delayed_by_unheard_speech(self.last_speech_at + self.limits.idle_after))
    }

    /// When all nudges would have been in vain, whether or not there was any need for them.
    fn abandoned_at(&self) -> Option<Instant> {
        let nudging = self.limits.idle_after.saturating_mul(self.limits.idle_prompts.saturating_add(1));
        let at = self.caller_active_at.checked_add(nudging).filter(|_| self.is_watching_for_idle());
        at.map(|at| self.delayed_by_unheard_speech(at))
    }

    /// A moment at which the line will have been too silent, or a later one if the caller may be speaking unheard.
    fn delayed_by_unheard_speech(&self, at: Instant) -> Instant {
        let Some(unheard_at) = self.unheard_at else { return at };
        at.max((unheard_at + UNHEARD_DELAY).min(at + MAX_UNHEARD_DELAY))
    }

    fn is_watching_for_idle(&self) -> bool {
        self.goodbye.is_none() && !self.is_hanging_up && !self.is_busy
    }

    fn note_active(&mut self, now: Instant) {
        (self.last_speech_at, self.caller_active_at, self.speech) = (now, now, Speech::Answer);
    }

    fn start_goodbye(&mut self, reason: TimeoutReason, now: Instant) -> TimerAction {
        self.goodbye = Some((reason, now));
        TimerAction::SayGoodbye(reason)
    }

    fn hang_up(&mut self, reason: TimeoutReason) -> TimerAction {
        self.is_over = true;
        TimerAction::HangUp(reason)
    }
}

#[cfg(test)]
#[path = "call_timers_tests.rs"]
mod tests;
