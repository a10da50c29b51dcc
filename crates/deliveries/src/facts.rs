//! What is stored of a call, as far as a business may be told.

use call::{CallRef, CallerDetails, Ending, Fence, Line, NumberId};
use journal::{CallSummary, JournalEntry, TranscriptLine};
use serde_json::{Map, Value};
use std::fmt;

/// The fields of what a caller left that a business is told.
const TOLD: [&str; 6] = ["message", "caller_name", "urgent", "about", "when", "number"];

/// What is stored of a call, as far as a business may be told.
#[derive(Clone, PartialEq)]
pub struct CallFacts {
    /// The call's reference.
    pub call_ref: CallRef,
    /// The business number that was called.
    pub number: NumberId,
    /// The line that the call came in on.
    pub line: Line,
    /// The name of the agent that the event is of.
    pub agent: String,
    /// What the line's service says about the caller.
    pub caller: CallerDetails,
    /// When it rang, ms since 1970.
    pub rang_at_ms: u64,
    /// When it was accepted, ms since 1970.
    pub accepted_at_ms: Option<u64>,
    /// When it ended, ms since 1970.
    pub ended_at_ms: Option<u64>,
    /// Why it ended.
    pub ending: Option<Ending>,
    /// The journal, in order.
    pub entries: Vec<JournalEntry>,
    /// What the caller left for people, in order.
    pub left: Vec<Left>,
    /// The transcript, in order; empty if the agent keeps none.
    pub lines: Vec<TranscriptLine>,
    /// The summary of each owner, by the fence of its assignment; without one that of the owner whose line opened.
    pub summaries: Vec<(Option<Fence>, CallSummary)>,
}

/// A message or a request to be called back.
#[derive(Clone, PartialEq)]
pub struct Left {
    /// Its sort key in the call's partition.
    pub key: String,
    /// `message` or `callback`.
    pub kind: String,
    /// When it was left, ms since 1970.
    pub left_at_ms: u64,
    /// What the caller said, by the names of the tool's arguments.
    pub content: Map<String, Value>,
}

impl CallFacts {
    /// Returns the summary that readers get: that of the owner whose line opened, else that of the last owner.
    pub(crate) fn summary(&self) -> Option<&CallSummary> {
        let rank = |fence: Option<Fence>| fence.unwrap_or(Fence(u64::MAX));
        self.summaries.iter().max_by_key(|(fence, _)| rank(*fence)).map(|(_, summary)| summary)
    }

    /// Returns one summary of each owner: what several owners did is the sum of theirs. One without a fence repeats the one of the owner whose
    /// line opened, unless owners of an older release wrote no other.
    pub(crate) fn summaries_of_owners(&self) -> impl Iterator<Item = &CallSummary> {
        let has_fenced = self.summaries.iter().any(|(fence, _)| fence.is_some());
        let counts = move |fence: Option<Fence>| fence.is_some() || !has_fenced;
        self.summaries.iter().filter(move |(fence, _)| counts(*fence)).map(|(_, summary)| summary)
    }

    /// Whether the task with this assignment has written its summary. A task of an older release writes one without a fence alone.
    pub(crate) fn is_concluded_by(&self, fence: Fence) -> bool {
        let has_own = self.summaries.iter().any(|(of, _)| *of == Some(fence));
        has_own || (!self.summaries.is_empty() && self.summaries.iter().all(|(of, _)| of.is_none()))
    }

    /// Returns the lines that were spoken: where no sound was heard, the transcription invented them.
    pub(crate) fn spoken_lines(&self) -> impl Iterator<Item = &TranscriptLine> {
        self.lines.iter().filter(|line| !line.in_silence)
    }
}

impl Left {
    /// Returns what was left, of whose stored fields those stay that a business is told.
    pub fn new(key: &str, kind: &str, left_at_ms: u64, stored: Map<String, Value>) -> Self {
        let content = stored.into_iter().filter(|(name, _)| TOLD.contains(&name.as_str())).collect();
        Self { key: key.to_owned(), kind: kind.to_owned(), left_at_ms, content }
    }
}

impl fmt::Debug for CallFacts {
    /// Leaves out who called and what was said.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallFacts").field("call_ref", &self.call_ref).finish_non_exhaustive()
    }
}

impl fmt::Debug for Left {
    /// Leaves out what the caller said.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Left").field("key", &self.key).field("kind", &self.kind).finish_non_exhaustive()
    }
}
