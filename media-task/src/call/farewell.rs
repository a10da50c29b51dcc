//! How a call that is to end is brought to its end: the last words are said, and heard, before anybody hangs up.

use super::playing::say;
use super::{Over, Owner};
use crate::apology;
use bridge::Verdict;
use call::Ending;
use std::time::Instant;

/// A call that is to end as soon as the last words are heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Farewell {
    ending: Ending,
    words: LastWords,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum LastWords {
    /// The agent was asked for them.
    Asked,
    /// They are being said, by this response.
    Begun(String),
    /// They are queued.
    Queued,
}

impl Owner {
    /// The agent wants to hang up, once it has finished its sentence.
    pub(super) fn hang_up_after_this(&mut self, now: Instant) {
        self.farewell = Some(Farewell { ending: Ending::AgentSaidGoodbye, words: LastWords::Queued });
        self.bridge.close_when_silent(now);
    }

    /// The time is over, or nobody says anything: the agent says goodbye.
    pub(super) fn say_goodbye(&mut self, verdict: Verdict, now: Instant) {
        self.farewell = Some(Farewell { ending: ending(verdict), words: LastWords::Asked });
        let words = say(&self.parts.role.agent.limits.goodbye);
        self.parts.agent.ask(&words, true, now);
    }

    /// The agent is gone: a recording says so.
    pub(super) fn apologise(&mut self, now: Instant) {
        self.farewell = Some(Farewell { ending: Ending::AgentUnavailable, words: LastWords::Queued });
        self.bridge.play_recorded(apology::in_language(&self.parts.role.agent.language), now);
    }

    /// A response began: the last words, if they were asked for.
    pub(super) fn note_farewell_began(&mut self, response: &str) {
        if let Some(farewell) = self.farewell.as_mut().filter(|farewell| farewell.words == LastWords::Asked) {
            farewell.words = LastWords::Begun(response.to_owned());
        }
    }

    /// A response is whole: if it was the last words, the call ends once they are heard.
    pub(super) fn note_farewell_said(&mut self, response: &str, now: Instant) {
        let last = LastWords::Begun(response.to_owned());
        if let Some(farewell) = self.farewell.as_mut().filter(|farewell| farewell.words == last) {
            farewell.words = LastWords::Queued;
            self.bridge.close_when_silent(now);
        }
    }

    /// The last words were heard.
    pub(super) fn hang_up(&mut self) {
        let ending = self.farewell.take().map_or(Ending::AgentSaidGoodbye, |farewell| farewell.ending);
        self.over.get_or_insert(Over::Because(ending));
    }

    /// Nobody waits for last words any more.
    pub(super) fn give_up(&mut self, verdict: Verdict) {
        self.over.get_or_insert(Over::Because(ending(verdict)));
    }
}

fn ending(verdict: Verdict) -> Ending {
    match verdict {
        Verdict::TookTooLong => Ending::TookTooLong,
        Verdict::BothSilent => Ending::BothSilent,
        Verdict::CallerVanished => Ending::CallerVanished,
    }
}
