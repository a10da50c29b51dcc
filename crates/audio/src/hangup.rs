//! Decides when everything has been said, so that a call is not hung up in the middle of a word.

use std::time::{Duration, Instant};

/// How long the line stays open after the agent's last word: a caller with one more thing to say takes a breath first.
const AFTER_SPEECH: Duration = Duration::from_secs(2);

/// How long the line stays open after a recording: its last packet is on its way, and waits in the phone's own buffer. No
/// agent would hear what the caller says to it.
const AFTER_RECORDING: Duration = Duration::from_millis(300);

/// How long after the caller's words to a goodbye the call ends, if the agent says nothing to them.
const AFTER_CALLER: Duration = Duration::from_secs(5);

/// So long at most, if something is still being said then.
const LONGEST: Duration = Duration::from_secs(20);

/// How far a call is on its way out.
#[derive(Debug, Default)]
pub(crate) struct Hangup {
    stage: HangupStage,
}

#[derive(Debug, Default)]
enum HangupStage {
    #[default]
    Idle,
    /// Once the agent has nothing more to say.
    WhenSilent { by: Instant, quiet: Quiet },
    /// Once nothing is said to what the caller said to the goodbye. `before`: the responses that were under way then.
    Postponed { before: Vec<String>, quiet: Quiet },
    /// Once the recording is over.
    WhenPlayed { quiet: Quiet },
    /// It was said that all is said.
    Done,
}

/// Whether anything is still to be heard, and since when, or until when at least.
#[derive(Debug, Clone, Copy)]
struct Quiet {
    is_quiet: bool,
    at: Instant,
}

impl Hangup {
    /// Leaves when all is said. The first time counts.
    pub(crate) fn start_when_silent(&mut self, now: Instant) {
        match self.stage {
            HangupStage::Idle | HangupStage::Postponed { .. } => {
                self.stage = HangupStage::WhenSilent { by: now + LONGEST, quiet: Quiet::not_yet(now) }
            }
            HangupStage::WhenSilent { .. } | HangupStage::WhenPlayed { .. } | HangupStage::Done => {}
        }
    }

    /// Leaves when a recording was played. Whether that is still possible. Nobody calls it off.
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

    /// The caller speaks over the goodbye, or after it: waits for what is said to that, by another response than these.
    /// Whether that is news.
    pub(crate) fn postpone(&mut self, before: &[String], now: Instant) -> bool {
        let is_news = matches!(self.stage, HangupStage::WhenSilent { .. });
        if is_news {
            self.stage = HangupStage::Postponed { before: before.to_vec(), quiet: Quiet::not_yet(now) };
        }
        is_news
    }

    /// The agent says something: stays, if it says it to the caller's words to a goodbye. Whether that is news.
    pub(crate) fn note_response(&mut self, response: &str) -> bool {
        let is_news = self.is_answer(response);
        if is_news {
            self.stage = HangupStage::Idle;
        }
        is_news
    }

    /// Another goodbye is asked for: what the agent says next is no answer to the caller's words.
    pub(crate) fn cancel_postponed(&mut self) {
        if self.is_postponed() {
            self.stage = HangupStage::Idle;
        }
    }

    /// The agent has nothing to say. Whether that is to the caller's words to a goodbye: then all is said.
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

    /// Whether the hang-up waits for what is said to the caller's words.
    pub(crate) fn is_postponed(&self) -> bool {
        matches!(self.stage, HangupStage::Postponed { .. })
    }

    /// Leaves without another word.
    pub(crate) fn finish(&mut self) {
        self.stage = HangupStage::Done;
    }

    /// Whether the call is on its way out.
    pub(crate) fn is_hanging_up(&self) -> bool {
        match self.stage {
            HangupStage::Idle | HangupStage::Postponed { .. } => false,
            HangupStage::WhenSilent { .. } | HangupStage::WhenPlayed { .. } | HangupStage::Done => true,
        }
    }

    /// Whether a recording has taken the agent's place.
    pub(crate) fn is_playing_recording(&self) -> bool {
        matches!(self.stage, HangupStage::WhenPlayed { .. })
    }

    /// Whether the agent may say nothing new.
    pub(crate) fn is_agent_muted(&self) -> bool {
        match self.stage {
            HangupStage::Idle | HangupStage::WhenSilent { .. } | HangupStage::Postponed { .. } => false,
            HangupStage::WhenPlayed { .. } | HangupStage::Done => true,
        }
    }

    /// Takes whether nothing more is to be heard, and when the last sound is over.
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

    /// When all will have been said, should nothing be noted until then.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        match self.stage {
            HangupStage::WhenSilent { by, quiet } => Some(quiet.over_at(AFTER_SPEECH).unwrap_or(by)),
            HangupStage::Postponed { quiet, .. } => quiet.over_at(AFTER_CALLER),
            HangupStage::WhenPlayed { quiet } => quiet.over_at(AFTER_RECORDING),
            HangupStage::Idle | HangupStage::Done => None,
        }
    }

    /// Whether all is said. `true` once.
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
