//! Call timers: maximum duration, idle prompts, goodbye, and the loss of the caller's packets.

use std::time::{Duration, Instant};

/// How long the session has to say goodbye before the call is hung up regardless.
const GOODBYE_TIME: Duration = Duration::from_secs(15);

/// Speech that the agent begins this long after any other speech is unprompted. Models that speak into a silence by
/// themselves wait for at least five seconds.
const UNPROMPTED_AFTER: Duration = Duration::from_secs(4);

/// The durations after which a call is prompted or ended.
///
/// By default an idle line gets six idle prompts, one every 20 s: a caller who mutes the phone for two minutes is
/// still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    /// The maximum duration of a call.
    pub longest: Duration,
    /// How long both sides must be silent before the agent asks whether the caller is still there.
    pub idle_after: Duration,
    /// How many idle prompts go unanswered before the agent says goodbye and hangs up.
    pub idle_prompts: u32,
    /// How long no packet of any kind (RTP, RTCP, STUN) may come from the caller's side. A muted phone still sends
    /// some.
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

/// Why a call timer ended the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeoutReason {
    /// The call has reached its maximum duration.
    TookTooLong,
    /// The line has been idle, idle prompts included, for too long.
    BothSilent,
    /// No packets come from the caller's side any more.
    CallerVanished,
    /// The media task is draining and has to end its calls.
    Draining,
    /// The agent's spending cap of the day is reached.
    CapReached,
}

impl TimeoutReason {
    /// Whether the call ends even if the caller goes on talking.
    pub fn is_final(self) -> bool {
        match self {
            Self::TookTooLong | Self::CallerVanished | Self::Draining | Self::CapReached => true,
            Self::BothSilent => false,
        }
    }
}

/// An action that a timer requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimerAction {
    /// Ask whether the caller is still there.
    IdlePrompt {
        /// The number of this prompt in a row, from one.
        times: u32,
    },
    /// Say goodbye, then hang up.
    SayGoodbye(TimeoutReason),
    /// Hang up without a goodbye, or though the goodbye is not over.
    HangUp(TimeoutReason),
}

/// How long an idle prompt waits after unheard speech of the caller: the model may turn out not to hear them.
const UNHEARD_DELAY: Duration = Duration::from_secs(4);

/// The longest delay of an idle prompt by unheard speech.
const MAX_UNHEARD_DELAY: Duration = Duration::from_secs(12);

/// The timers of a call whose line is open.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallTimers {
    limits: CallLimits,
    opened_at: Instant,
    last_speech_at: Instant,
    /// When the caller was last known to be there: they spoke, or were being answered.
    caller_active_at: Instant,
    speech: Speech,
    packet_at: Instant,
    /// When speech of the caller was last detected that the model does not hear.
    unheard_at: Option<Instant>,
    prompts_sent: u32,
    is_busy: bool,
    is_hanging_up: bool,
    end_reason: Option<TimeoutReason>,
    goodbye: Option<(TimeoutReason, Instant)>,
    is_over: bool,
}

/// Why the agent speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speech {
    /// Its greeting, or the first speech of a call without one.
    Greeting,
    Answer,
    /// It asks whether the caller is still there.
    IdlePrompt,
    Unprompted,
}

impl CallTimers {
    pub(crate) fn open(limits: CallLimits, now: Instant) -> Self {
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

    /// Notes that the agent is speaking. That alone does not prove that the caller is there: idle prompts go on being
    /// counted, so a model that speaks into an empty line by itself does not keep the call open.
    pub(crate) fn note_agent_speaking(&mut self, now: Instant) {
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
            // The caller cannot answer a prompt that is still being spoken.
            Speech::IdlePrompt => self.caller_active_at += since,
            Speech::Unprompted => {}
        }
        self.last_speech_at = now;
    }

    /// Notes that the agent begins to answer the caller, which proves that the caller is there.
    pub(crate) fn note_answer(&mut self, now: Instant) {
        self.note_active(now);
        self.prompts_sent = 0;
    }

    /// Notes speech or a DTMF digit of the caller. Returns whether that cancels a goodbye to an idle line.
    pub(crate) fn note_caller_active(&mut self, now: Instant) -> bool {
        self.note_active(now);
        self.prompts_sent = 0;
        let is_cancelled = self.goodbye.is_some_and(|(reason, _)| reason == TimeoutReason::BothSilent);
        if is_cancelled {
            self.goodbye = None;
        }
        is_cancelled
    }

    /// Ends the call for another reason than its duration, as if it had reached its maximum.
    pub(crate) fn end_now(&mut self, why: TimeoutReason) {
        self.end_reason.get_or_insert(why);
    }

    /// Whether a goodbye is under way that the caller cannot cancel.
    pub(crate) fn is_end_final(&self) -> bool {
        self.goodbye.is_some_and(|(reason, _)| reason.is_final())
    }

    /// Notes speech of the caller, found by level, that the model does not hear: the line may not be idle, so an idle
    /// prompt waits.
    pub(crate) fn note_unheard_speech(&mut self, now: Instant) {
        self.unheard_at = Some(now);
    }

    /// Notes a packet from the caller's side.
    pub(crate) fn note_packet(&mut self, now: Instant) {
        self.packet_at = now;
    }

    /// Notes whether tool calls are running: the line is not idle then.
    pub(crate) fn note_busy(&mut self, is_busy: bool, now: Instant) {
        if self.is_busy != is_busy {
            self.is_busy = is_busy;
            self.note_active(now);
        }
    }

    /// Notes whether a hang-up is under way: no idle prompt and no goodbye is needed then.
    pub(crate) fn note_hanging_up(&mut self, is_hanging_up: bool, now: Instant) {
        if self.is_hanging_up != is_hanging_up {
            self.is_hanging_up = is_hanging_up;
            self.note_active(now);
        }
    }

    /// Returns when the next timer fires if nothing is noted before.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        if self.is_over {
            return None;
        }
        let gone = Some(self.packet_at + self.limits.absence);
        let silent = [self.idle_at(), self.abandoned_at()];
        [gone, self.goodbye_due_at(), self.too_long_at()].into_iter().chain(silent).flatten().min()
    }

    /// Returns the action that is due, each once.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<TimerAction> {
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

    /// When the idle prompts would have run out since the caller was last known to be there, even if none was due.
    fn abandoned_at(&self) -> Option<Instant> {
        let prompting = self.limits.idle_after.saturating_mul(self.limits.idle_prompts.saturating_add(1));
        let at = self.caller_active_at.checked_add(prompting).filter(|_| self.is_watching_for_idle());
        at.map(|at| self.delayed_by_unheard_speech(at))
    }

    /// Delays `at` while the caller may be speaking unheard.
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
