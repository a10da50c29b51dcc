//! Knows when a call has gone on for too long, been silent for too long, or lost its caller; and says so before it
//! hangs up.

use std::time::{Duration, Instant};

/// So long the owner has to wind a call up, before it is given up.
const WIND_UP: Duration = Duration::from_secs(15);

/// What the agent begins to say so long after anything else happened, it says of its own accord. Models that speak into
/// a silence by themselves wait for five seconds at least.
const OWN_ACCORD: Duration = Duration::from_secs(4);

/// How long things may last.
///
/// By default a silent line is asked six times, every 20 s: whoever mutes the phone for two minutes is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    /// The longest call.
    pub longest: Duration,
    /// When neither side has said anything for so long, the caller is asked whether they are still there.
    pub nudge_after: Duration,
    /// So often, without an answer. Then the call is wound up.
    pub nudges: u32,
    /// The longest time without a single packet from the caller's side: no sound, no report, no STUN reply. A muted
    /// caller is not gone.
    pub absence: Duration,
}

impl Default for CallLimits {
    fn default() -> Self {
        Self {
            longest: Duration::from_secs(30 * 60),
            nudge_after: Duration::from_secs(20),
            nudges: 6,
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
    MustLeave,
    /// As much was spent in the day as may be.
    CapReached,
}

impl TimeoutReason {
    /// Whether a caller who goes on talking changes nothing.
    pub fn is_final(self) -> bool {
        match self {
            Self::TookTooLong | Self::CallerVanished | Self::MustLeave | Self::CapReached => true,
            Self::BothSilent => false,
        }
    }
}

/// What patience wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimerAction {
    /// Ask whether the caller is still there, for the so-manieth time.
    Nudge {
        /// Counted from one.
        times: u32,
    },
    /// Say goodbye, and hang up.
    WindUp(TimeoutReason),
    /// Hang up.
    GiveUp(TimeoutReason),
}

/// How long a nudge waits after the caller was last seen to speak unheard: the agent may turn out to be deaf.
const UNHEARD: Duration = Duration::from_secs(4);

/// The longest that a nudge waits for that.
const UNHEARD_AT_MOST: Duration = Duration::from_secs(12);

/// Watches a call that is open.
#[derive(Debug, Clone, Copy)]
pub struct CallTimers {
    limits: CallLimits,
    opened_at: Instant,
    voice_at: Instant,
    /// When somebody was there last: they spoke, or were being answered.
    caller_at: Instant,
    speech: Speech,
    packet_at: Instant,
    /// When the caller was last seen to speak though the agent does not hear it.
    unheard_at: Option<Instant>,
    nudged: u32,
    is_busy: bool,
    is_leaving: bool,
    must_end: Option<TimeoutReason>,
    winding_up: Option<(TimeoutReason, Instant)>,
    has_given_up: bool,
}

/// Why the agent says what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speech {
    /// The call has just begun.
    Greeting,
    Answer,
    /// It was told to ask whether the caller is still there.
    Nudge,
    OwnAccord,
}

impl CallTimers {
    /// Starts watching.
    pub fn open(limits: CallLimits, now: Instant) -> Self {
        Self {
            limits,
            opened_at: now,
            voice_at: now,
            caller_at: now,
            speech: Speech::Greeting,
            packet_at: now,
            unheard_at: None,
            nudged: 0,
            is_busy: false,
            is_leaving: false,
            must_end: None,
            winding_up: None,
            has_given_up: false,
        }
    }

    /// Notes that the agent is speaking. That alone proves nobody there: the nudges go on being counted, and a model that
    /// speaks into an empty line by itself does not keep it open.
    pub fn note_agent(&mut self, now: Instant) {
        let since = now.saturating_duration_since(self.voice_at);
        self.speech = match self.speech {
            Speech::Greeting => Speech::Answer,
            Speech::Answer | Speech::Nudge | Speech::OwnAccord if since >= OWN_ACCORD => Speech::OwnAccord,
            known @ (Speech::Answer | Speech::Nudge | Speech::OwnAccord) => known,
        };
        match self.speech {
            Speech::Greeting | Speech::Answer => self.caller_at = now,
            // Whoever is being asked cannot answer yet.
            Speech::Nudge => self.caller_at += since,
            Speech::OwnAccord => {}
        }
        self.voice_at = now;
    }

    /// Notes that the agent begins to answer the caller: somebody is there.
    pub fn note_answer(&mut self, now: Instant) {
        self.note_somebody(now);
        self.nudged = 0;
    }

    /// Notes that the caller is speaking, or pressed a key. Whether that calls off a goodbye to a silent line.
    pub fn note_caller(&mut self, now: Instant) -> bool {
        self.note_somebody(now);
        self.nudged = 0;
        let is_called_off = self.winding_up.is_some_and(|(verdict, _)| verdict == TimeoutReason::BothSilent);
        if is_called_off {
            self.winding_up = None;
        }
        is_called_off
    }

    /// Notes that the call must end for another reason than its length: as if it had lasted as long as it may.
    pub fn must_end(&mut self, why: TimeoutReason) {
        self.must_end.get_or_insert(why);
    }

    /// Whether the call is ending whatever the caller says.
    pub fn ends_in_any_case(&self) -> bool {
        self.winding_up.is_some_and(|(verdict, _)| verdict.is_final())
    }

    /// Notes that the caller speaks, by the level of their sound, though the agent does not hear it: a line that is perhaps not
    /// silent is not nudged for its silence yet.
    pub fn note_unheard(&mut self, now: Instant) {
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
            self.note_somebody(now);
        }
    }

    /// Notes whether the call is about to end: there is nothing to nudge for then, and nothing to wind up.
    pub fn note_leaving(&mut self, is_leaving: bool, now: Instant) {
        if self.is_leaving != is_leaving {
            self.is_leaving = is_leaving;
            self.note_somebody(now);
        }
    }

    /// When something is wanted, should nothing be noted until then.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.has_given_up {
            return None;
        }
        let gone = Some(self.packet_at + self.limits.absence);
        let silent = [self.too_silent_at(), self.deserted_at()];
        [gone, self.wound_up_by(), self.too_long_at()].into_iter().chain(silent).flatten().min()
    }

    /// What is wanted now. Each is said once.
    pub fn poll(&mut self, now: Instant) -> Option<TimerAction> {
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if self.has_given_up {
            None
        } else if now >= self.packet_at + self.limits.absence {
            Some(self.give_up(TimeoutReason::CallerVanished))
        } else if let Some((verdict, _)) = self.winding_up.filter(|_| is_due(self.wound_up_by())) {
            Some(self.give_up(verdict))
        } else if is_due(self.too_long_at()) {
            Some(self.wind_up(self.why_so_long(), now))
        } else if is_due(self.deserted_at()) {
            Some(self.wind_up(TimeoutReason::BothSilent, now))
        } else if is_due(self.too_silent_at()) && self.nudged < self.limits.nudges {
            self.nudged += 1;
            (self.voice_at, self.speech) = (now, Speech::Nudge);
            Some(TimerAction::Nudge { times: self.nudged })
        } else if is_due(self.too_silent_at()) {
            Some(self.wind_up(TimeoutReason::BothSilent, now))
        } else {
            None
        }
    }

    fn wound_up_by(&self) -> Option<Instant> {
        self.winding_up.map(|(_, since)| since + WIND_UP)
    }

    fn too_long_at(&self) -> Option<Instant> {
        let may_wind_up = self.winding_up.is_none() && !self.is_leaving;
        let longest = if self.must_end.is_some() { Duration::ZERO } else { self.limits.longest };
        may_wind_up.then_some(self.opened_at + longest)
    }

    fn why_so_long(&self) -> TimeoutReason {
        self.must_end.unwrap_or(TimeoutReason::TookTooLong)
    }

    fn too_silent_at(&self) -> Option<Instant> {
        self.may_be_silent().then(|| self.unless_unheard(self.voice_at + self.limits.nudge_after))
    }

    /// When all nudges would have been in vain, whether or not there was any need for them.
    fn deserted_at(&self) -> Option<Instant> {
        let nudging = self.limits.nudge_after.saturating_mul(self.limits.nudges.saturating_add(1));
        let at = self.caller_at.checked_add(nudging).filter(|_| self.may_be_silent());
        at.map(|at| self.unless_unheard(at))
    }

    /// A moment at which the line will have been too silent, or a later one if the caller may be speaking unheard.
    fn unless_unheard(&self, at: Instant) -> Instant {
        let Some(unheard_at) = self.unheard_at else { return at };
        at.max((unheard_at + UNHEARD).min(at + UNHEARD_AT_MOST))
    }

    fn may_be_silent(&self) -> bool {
        self.winding_up.is_none() && !self.is_leaving && !self.is_busy
    }

    fn note_somebody(&mut self, now: Instant) {
        (self.voice_at, self.caller_at, self.speech) = (now, now, Speech::Answer);
    }

    fn wind_up(&mut self, verdict: TimeoutReason, now: Instant) -> TimerAction {
        self.winding_up = Some((verdict, now));
        TimerAction::WindUp(verdict)
    }

    fn give_up(&mut self, verdict: TimeoutReason) -> TimerAction {
        self.has_given_up = true;
        TimerAction::GiveUp(verdict)
    }
}

#[cfg(test)]
#[path = "call_timers_tests.rs"]
mod tests;
