//! Hang-up: decides when the goodbye has been heard, so that a call does not end in the middle of a word.

use std::time::{Duration, Instant};

/// How long the line stays open after the agent's last word, for a caller who still wants to say something.
const AFTER_SPEECH: Duration = Duration::from_secs(2);

/// How long the line stays open after a recording: its last packet is in transit or in the phone's jitter buffer. The
/// agent would not hear what the caller says to a recording.
const AFTER_RECORDING: Duration = Duration::from_millis(300);

/// How long after the caller has answered a goodbye the call ends if the agent says nothing to it.
const AFTER_CALLER: Duration = Duration::from_secs(5);

/// The longest wait for the agent's speech to end.
const LONGEST: Duration = Duration::from_secs(20);

/// The state of a call's hang-up.
#[derive(Debug)]
pub(crate) struct Hangup {
    stage: HangupStage,
    /// How long the line stays open after the agent's last word.
    after_speech: Duration,
    /// The longest wait for the agent's speech to end.
    longest: Duration,
}

impl Default for Hangup {
    fn default() -> Self {
        Self::after(AFTER_SPEECH, LONGEST)
    }
}

#[derive(Debug, Default)]
enum HangupStage {
    #[default]
    Idle,
    /// Hangs up once the agent has nothing more to say, `by` at the latest.
    WhenSilent { by: Instant, quiet: Quiet },
    /// The caller spoke to the goodbye: hangs up unless the agent answers. `before` holds the responses in progress
    /// then, which are no answers.
    Postponed { before: Vec<String>, quiet: Quiet },
    /// Hangs up once the recording has been played.
    WhenPlayed { quiet: Quiet },
    /// The hang-up was requested.
    Done,
}

/// Whether the line is quiet; if so since when, else the earliest time it may be.
#[derive(Debug, Clone, Copy)]
struct Quiet {
    is_quiet: bool,
    at: Instant,
}

impl Hangup {
    /// Returns a hang-up that waits this long after the agent's speech, and for it.
    pub(crate) fn after(after_speech: Duration, longest: Duration) -> Self {
        Self { stage: HangupStage::Idle, after_speech, longest }
    }

    /// Starts the hang-up that waits for the agent's speech. Does nothing if one is under way.
    pub(crate) fn start_when_silent(&mut self, now: Instant) {
        match self.stage {
            HangupStage::Idle | HangupStage::Postponed { .. } => {
                self.stage = HangupStage::WhenSilent { by: now + self.longest, quiet: Quiet::not_yet(now) }
            }
            HangupStage::WhenSilent { .. } | HangupStage::WhenPlayed { .. } | HangupStage::Done => {}
        }
    }

    /// Starts the hang-up that waits for a recording, which the caller cannot postpone. Returns `false` after the
    /// hang-up.
    pub(crate) fn start_when_played(&mut self, now: Instant) -> bool {
        match self.stage {
            HangupStage::Idle
            | HangupStage::WhenSilent { .. }
            | HangupStage::Postponed { .. }
            | HangupStage::WhenPlayed { .. } => {
                self.stage = HangupStage::WhenPlayed { quiet: Quiet::not_yet(now) };
                true
            }
            HangupStage::Done => false,
        }
    }

    /// Postpones the hang-up because the caller speaks over the goodbye or after it: waits for an answer by a
    /// response not in `before`. Returns whether a hang-up was under way.
    pub(crate) fn postpone(&mut self, before: &[String], now: Instant) -> bool {
        let changes = matches!(self.stage, HangupStage::WhenSilent { .. });
        if changes {
            self.stage = HangupStage::Postponed { before: before.to_vec(), quiet: Quiet::not_yet(now) };
        }
        changes
    }

    /// Notes audio of a response, and cancels a postponed hang-up if it answers the caller. Returns whether it did.
    pub(crate) fn note_response(&mut self, response: &str) -> bool {
        let changes = self.is_answer(response);
        if changes {
            self.stage = HangupStage::Idle;
        }
        changes
    }

    /// Drops a postponed hang-up because a new goodbye is coming, which is no answer to the caller.
    pub(crate) fn cancel_postponed(&mut self) {
        if self.is_postponed() {
            self.stage = HangupStage::Idle;
        }
    }

    /// Notes an empty response, and completes a postponed hang-up if it was the answer to the caller. Returns whether
    /// it did.
    pub(crate) fn note_empty_response(&mut self, response: &str) -> bool {
        let is_all = self.is_answer(response);
        if is_all {
            self.stage = HangupStage::Done;
        }
        is_all
    }

    fn is_answer(&self, response: &str) -> bool {
        matches!(&self.stage, HangupStage::Postponed { before, .. } if !before.iter().any(|known| known == response))
    }

    /// Whether the hang-up waits for the agent's answer to the caller.
    pub(crate) fn is_postponed(&self) -> bool {
        matches!(self.stage, HangupStage::Postponed { .. })
    }

    /// Completes the hang-up without waiting.
    pub(crate) fn finish(&mut self) {
        self.stage = HangupStage::Done;
    }

    pub(crate) fn is_hanging_up(&self) -> bool {
        match self.stage {
            HangupStage::Idle | HangupStage::Postponed { .. } => false,
            HangupStage::WhenSilent { .. } | HangupStage::WhenPlayed { .. } | HangupStage::Done => true,
        }
    }

    /// Whether a recording replaces the agent.
    pub(crate) fn is_playing_recording(&self) -> bool {
        matches!(self.stage, HangupStage::WhenPlayed { .. })
    }

    /// Whether new speech of the agent is dropped.
    pub(crate) fn is_agent_muted(&self) -> bool {
        match self.stage {
            HangupStage::Idle | HangupStage::WhenSilent { .. } | HangupStage::Postponed { .. } => false,
            HangupStage::WhenPlayed { .. } | HangupStage::Done => true,
        }
    }

    /// Notes whether the line is quiet, and when the last audible frame ends.
    pub(crate) fn note_quiet(&mut self, is_quiet: bool, sound_until: Option<Instant>, now: Instant) {
        match &mut self.stage {
            HangupStage::WhenSilent { quiet, .. } | HangupStage::WhenPlayed { quiet } => {
                let at = if is_quiet { sound_until.unwrap_or(quiet.at) } else { now };
                *quiet = Quiet { is_quiet, at: quiet.at.max(at) };
            }
            HangupStage::Postponed { quiet, .. } => {
                let at = if is_quiet { quiet.at } else { now };
                *quiet = Quiet { is_quiet, at };
            }
            HangupStage::Idle | HangupStage::Done => {}
        }
    }

    /// Returns when the hang-up is due if nothing is noted before.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        match self.stage {
            HangupStage::WhenSilent { by, quiet } => Some(quiet.over_at(self.after_speech).unwrap_or(by)),
            HangupStage::Postponed { quiet, .. } => quiet.over_at(AFTER_CALLER),
            HangupStage::WhenPlayed { quiet } => quiet.over_at(AFTER_RECORDING),
            HangupStage::Idle | HangupStage::Done => None,
        }
    }

    /// Returns `true` once, when the hang-up is due.
    pub(crate) fn poll(&mut self, now: Instant) -> bool {
        let is_over = self.poll_timeout().is_some_and(|at| at <= now);
        if is_over {
            self.stage = HangupStage::Done;
        }
        is_over
    }
}

impl Quiet {
    fn not_yet(now: Instant) -> Self {
        Self { is_quiet: false, at: now }
    }

    fn over_at(self, after: Duration) -> Option<Instant> {
        self.is_quiet.then_some(self.at + after)
    }
}
