//! Decides when everything has been said, so that a call is not hung up in the middle of a word.

use std::time::{Duration, Instant};

/// So long after the last word: the packet that holds it is on its way, and waits in the phone's own buffer.
const LAST_WORD: Duration = Duration::from_millis(300);

/// So long at most, if something is still being said then.
const LONGEST: Duration = Duration::from_secs(20);

/// How far a call is on its way out.
#[derive(Debug, Default)]
pub(crate) struct Leaving {
    stage: Stage,
}

#[derive(Debug, Default, Clone, Copy)]
enum Stage {
    #[default]
    Staying,
    /// Once the agent has nothing more to say.
    WhenSilent { by: Instant, quiet: Quiet },
    /// Once the recording is over.
    WhenPlayed { quiet: Quiet },
    /// It was said that all is said.
    Gone,
}

/// Whether anything is still to be heard, and since when, or until when at least.
#[derive(Debug, Clone, Copy)]
struct Quiet {
    is_quiet: bool,
    at: Instant,
}

impl Leaving {
    /// Leaves when all is said. The first time counts.
    pub(crate) fn leave_when_silent(&mut self, now: Instant) {
        match self.stage {
            Stage::Staying => {
                self.stage = Stage::WhenSilent { by: now + LONGEST, quiet: Quiet::not_yet(now) }
            }
            Stage::WhenSilent { .. } | Stage::WhenPlayed { .. } | Stage::Gone => {}
        }
    }

    /// Leaves when a recording was played. Whether that is still possible. Nobody calls it off.
    pub(crate) fn leave_when_played(&mut self, now: Instant) -> bool {
        match self.stage {
            Stage::Staying | Stage::WhenSilent { .. } | Stage::WhenPlayed { .. } => {
                self.stage = Stage::WhenPlayed { quiet: Quiet::not_yet(now) };
                true
            }
            Stage::Gone => false,
        }
    }

    /// Stays after all. Whether that is news.
    pub(crate) fn stay(&mut self) -> bool {
        let is_news = matches!(self.stage, Stage::WhenSilent { .. });
        if is_news {
            self.stage = Stage::Staying;
        }
        is_news
    }

    /// Leaves without another word.
    pub(crate) fn go(&mut self) {
        self.stage = Stage::Gone;
    }

    /// Whether the call is on its way out.
    pub(crate) fn is_leaving(&self) -> bool {
        match self.stage {
            Stage::Staying => false,
            Stage::WhenSilent { .. } | Stage::WhenPlayed { .. } | Stage::Gone => true,
        }
    }

    /// Whether a recording has taken the agent's place.
    pub(crate) fn is_recorded(&self) -> bool {
        matches!(self.stage, Stage::WhenPlayed { .. })
    }

    /// Whether the agent may say nothing new.
    pub(crate) fn is_agent_silenced(&self) -> bool {
        match self.stage {
            Stage::Staying | Stage::WhenSilent { .. } => false,
            Stage::WhenPlayed { .. } | Stage::Gone => true,
        }
    }

    /// Takes whether nothing more is to be heard, and when the last sound is over.
    pub(crate) fn note(&mut self, is_quiet: bool, sound_until: Option<Instant>, now: Instant) {
        match &mut self.stage {
            Stage::WhenSilent { quiet, .. } | Stage::WhenPlayed { quiet } => {
                let at = if is_quiet { sound_until.unwrap_or(quiet.at) } else { now };
                *quiet = Quiet { is_quiet, at: quiet.at.max(at) };
            }
            Stage::Staying | Stage::Gone => {}
        }
    }

    /// When all will have been said, should nothing be noted until then.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        match self.stage {
            Stage::WhenSilent { by, quiet } => Some(quiet.over_at().unwrap_or(by)),
            Stage::WhenPlayed { quiet } => quiet.over_at(),
            Stage::Staying | Stage::Gone => None,
        }
    }

    /// Whether all is said. `true` once.
    pub(crate) fn poll(&mut self, now: Instant) -> bool {
        let is_over = self.poll_timeout().is_some_and(|at| at <= now);
        if is_over {
            self.stage = Stage::Gone;
        }
        is_over
    }
}

impl Quiet {
    fn not_yet(now: Instant) -> Self {
        Self { is_quiet: false, at: now }
    }

    fn over_at(self) -> Option<Instant> {
        self.is_quiet.then_some(self.at + LAST_WORD)
    }
}
