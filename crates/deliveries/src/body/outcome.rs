//! The outcome of a call: what the events `call.ended` and `call.rejected` say.

use super::{Event, ToldLeft, dollars, rfc_3339};
use crate::extraction::ExtractionOutcome;
use crate::{CallFacts, Extraction};
use call::{Ending, Party};
use journal::{JournalEvent, Speaker, TranscriptLine};
use serde::Serialize;
use serde_json::Value;

/// The outcome of a call.
#[derive(Serialize)]
pub(super) struct Outcome<'a> {
    began_at: String,
    ended_at: String,
    talked_s: u64,
    ending: Option<Ending>,
    by: Option<Party>,
    turns: u64,
    tools: Vec<UsedTool<'a>>,
    left: Vec<ToldLeft<'a>>,
    cost_usd: Option<f64>,
    verdict: Option<&'a str>,
    complete: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extracted: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extraction: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extraction_error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) transcript: Option<Vec<ToldLine<'a>>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) transcript_cut: bool,
}

/// A tool call of the agent.
#[derive(Serialize)]
struct UsedTool<'a> {
    name: &'a str,
    did: &'a str,
}

/// A line of the transcript.
#[derive(Serialize)]
pub(super) struct ToldLine<'a> {
    who: Speaker,
    at: String,
    text: &'a str,
}

impl<'a> Outcome<'a> {
    /// Returns the outcome, without the transcript.
    pub(super) fn of(event: &Event, call: &'a CallFacts, extraction: Option<&'a Extraction>) -> Self {
        let ended_at_ms = call.ended_at_ms.unwrap_or(event.at_ms);
        let talked_ms = call.accepted_at_ms.map_or(0, |accepted| ended_at_ms.saturating_sub(accepted));
        let summary = call.summary();
        let failed = extraction.filter(|extraction| extraction.outcome == ExtractionOutcome::Failed);
        Self {
            began_at: rfc_3339(call.rang_at_ms),
            ended_at: rfc_3339(ended_at_ms),
            talked_s: (talked_ms + 500) / 1_000,
            ending: call.ending,
            by: call.ending.map(Ending::by),
            turns: call.summaries_of_owners().map(|summary| summary.turns).sum(),
            tools: call.entries.iter().filter_map(|entry| used_tool(&entry.event)).collect(),
            left: call.left.iter().map(Into::into).collect(),
            cost_usd: cost(event, call, extraction).map(dollars),
            verdict: summary.and_then(|summary| summary.verdict.as_deref()),
            complete: event.fence.is_none_or(|fence| call.is_concluded_by(fence)),
            summary: extraction.and_then(|extraction| extraction.summary.as_deref()),
            extracted: extraction.and_then(|extraction| extraction.extracted.as_ref()),
            extraction: failed.map(|_| "failed"),
            extraction_error: failed.and_then(|failed| failed.error.as_deref()),
            transcript: None,
            transcript_cut: false,
        }
    }
}

/// Returns the cost of the call with that of its extraction, in millionths of a dollar; `None` if a part of it is not known. A call that no
/// task took has cost nothing.
fn cost(event: &Event, call: &CallFacts, extraction: Option<&Extraction>) -> Option<u64> {
    let extraction = match extraction {
        Some(extraction) => extraction.micro_dollars?,
        None => 0,
    };
    if call.summaries.is_empty() && event.fence.is_some() {
        return None;
    }
    let talk: Option<u64> = call.summaries_of_owners().map(|summary| summary.micro_dollars).sum();
    Some(talk? + extraction)
}

fn used_tool(event: &JournalEvent) -> Option<UsedTool<'_>> {
    match event {
        JournalEvent::Tool { tool, outcome, .. } => Some(UsedTool { name: tool, did: outcome }),
        _ => None,
    }
}

impl<'a> From<&'a TranscriptLine> for ToldLine<'a> {
    fn from(line: &'a TranscriptLine) -> Self {
        Self { who: line.speaker, at: rfc_3339(line.at_ms), text: &line.text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_call::{call, ended, extraction};
    use call::Fence;

    #[test]
    fn an_outcome_is_complete_once_the_last_task_has_concluded() {
        let is_complete = |fence: Option<u64>, summaries: &[Option<u64>]| {
            let (_, summary) = call().summaries.remove(0);
            let summaries = summaries.iter().map(|fence| (fence.map(Fence), summary.clone())).collect();
            let call = CallFacts { summaries, ..call() };
            Outcome::of(&Event { fence: fence.map(Fence), ..ended() }, &call, None).complete
        };

        assert!(is_complete(None, &[]), "no task was asked");
        assert!(is_complete(Some(2), &[None, Some(2)]));
        assert!(is_complete(Some(2), &[None]), "a task of an older release writes this one alone");
        assert!(!is_complete(Some(2), &[]));
        assert!(!is_complete(Some(2), &[None, Some(1)]), "another task had the call before");
    }

    #[test]
    fn the_cost_of_extracting_is_part_of_the_call() {
        let cost =
            |micro_dollars| cost(&ended(), &call(), Some(&Extraction { micro_dollars, ..extraction() }));

        assert_eq!(cost(Some(350)), Some(12_350));
        assert_eq!(cost(None), None, "a sum with an unknown part is not known");
        let lost = CallFacts { summaries: vec![], ..call() };
        assert_eq!(super::cost(&ended(), &lost, None), None, "its task died");
    }

    #[test]
    fn what_several_owners_did_is_added_up() {
        let (_, summary) = call().summaries.remove(0);
        let of = |fences: &[Option<u64>]| {
            let summaries = fences.iter().map(|fence| (fence.map(Fence), summary.clone())).collect();
            let call = CallFacts { summaries, ..call() };
            (Outcome::of(&ended(), &call, None).turns, super::cost(&ended(), &call, None))
        };

        assert_eq!(of(&[None, Some(2)]), (4, Some(12_000)));
        assert_eq!(of(&[None, Some(1), Some(2)]), (8, Some(24_000)), "another task took the call over");
        assert_eq!(of(&[None]), (4, Some(12_000)), "a task of an older release");
    }

    #[test]
    fn a_failed_extraction_says_why() {
        let failed = Extraction::failed("gpt-0", "model_not_found", None);

        let call = call();
        let outcome = Outcome::of(&ended(), &call, Some(&failed));

        assert_eq!((outcome.extraction, outcome.extraction_error), (Some("failed"), Some("model_not_found")));
        assert_eq!((outcome.summary, outcome.extracted), (None, None));
    }
}
