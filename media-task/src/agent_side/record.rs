//! Records a call: its journal entries, transcript, audio levels and summary.

mod level_meter;
mod transcript;

use super::call_identity::CallIdentity;
use crate::agent_cache::LoadedAgent;
use crate::journal_writer::{CallerRequest, JournalWriter};
use agents::Keeping;
use audio::PlayedItem;
use call::{CallRef, Fence, Stage};
use journal::{CallSummary, EntryBuilder, JournalEvent, TranscriptLine};
use level_meter::LevelMeter;
use media_diagnosis::{Diagnosis, Finding};
use realtime::{ItemId, OptionalPart};
use service::time::now_ms;
use std::time::Instant;
use store::{CallOutcome, Side, keys};
use transcript::Transcript;

/// The record of one call, as far as it has come.
pub(crate) struct CallRecord {
    /// Who said what.
    pub(crate) transcript: Transcript,
    /// The summary, which is written at the end of the call.
    pub(crate) summary: CallSummary,
    call_ref: CallRef,
    fence: Fence,
    keeping: Keeping,
    entries: EntryBuilder,
    journal: JournalWriter,
    levels: Option<LevelMeter>,
    /// Whether the journal already says that transcription fails: it says so once a call.
    has_noted_transcription_failure: bool,
}

impl CallRecord {
    pub(crate) fn new(
        call: &CallIdentity,
        agent: &LoadedAgent,
        model: &str,
        entries: EntryBuilder,
        journal: JournalWriter,
    ) -> Self {
        let summary = CallSummary {
            call_ref: call.call_ref.clone(),
            line: call.line.into(),
            number: call.number.clone(),
            agent: agent.file.name.clone(),
            model: model.to_owned(),
            without: agent.without().iter().map(|part| part.name().to_owned()).collect(),
            ..CallSummary::default()
        };
        Self {
            transcript: Transcript::default(),
            summary,
            call_ref: call.call_ref.clone(),
            fence: call.fence,
            keeping: agent.file.keeping,
            entries,
            journal,
            levels: None,
            has_noted_transcription_failure: false,
        }
    }

    /// Records another agent's call from now on: the lookup chose it.
    pub(crate) fn adopt(&mut self, agent: &LoadedAgent, model: &str) {
        self.summary.agent.clone_from(&agent.file.name);
        model.clone_into(&mut self.summary.model);
        self.summary.without = agent.without().iter().map(|part| part.name().to_owned()).collect();
        self.keeping = agent.file.keeping;
    }

    /// Writes an event to the journal.
    pub(crate) fn note(&mut self, event: JournalEvent) {
        let entry = self.entries.enter(event, now_ms());
        self.journal.note(entry);
    }

    /// Notes that the call is accepted, by this version of its state.
    pub(crate) fn open(&mut self, version: u64) {
        self.summary.opened_at_ms = Some(now_ms());
        self.entries.advance_to(version);
        self.entries.enter_phase(Stage::Talking);
        self.note(JournalEvent::Opened {});
    }

    /// Begins to measure the audio levels of both sides, if the agent file says that they are kept.
    pub(crate) fn measure_levels(&mut self, now: Instant) {
        self.levels = LevelMeter::begin(self.keeping, now);
    }

    /// Notes that the call is over.
    pub(crate) fn note_over(&mut self) {
        self.entries.enter_phase(Stage::Over);
    }

    /// Adds samples of one side to the call's audio levels.
    pub(crate) fn note_level(&mut self, side: Side, samples: &[i16], now: Instant) {
        if let Some(levels) = &mut self.levels {
            levels.note(side, samples, now);
        }
    }

    /// Notes a turn of the caller that gets no transcript. The journal says so once a call: when transcription fails, it mostly fails
    /// for every turn.
    pub(crate) fn note_transcription_failed(&mut self, item: &ItemId, model: Option<&str>, code: String) {
        self.transcript.caller_transcription_failed(item);
        if !std::mem::replace(&mut self.has_noted_transcription_failure, true) {
            let model = model.unwrap_or_default().to_owned();
            self.note(JournalEvent::TranscriptionFailed { model, code });
        }
    }

    /// Notes an optional part of the model's session that OpenAI refused.
    pub(crate) fn note_part_refused(&mut self, part: OptionalPart, code: String) {
        // Another call of this agent may have added it meanwhile.
        if !self.summary.without.iter().any(|known| known == part.name()) {
            self.summary.without.push(part.name().to_owned());
        }
        self.note(JournalEvent::PartRefused { part: part.name().to_owned(), code });
    }

    /// Notes a finding about the call's media. The summary has the first one, or the latest fault.
    pub(crate) fn note_finding(&mut self, finding: Finding) {
        let Finding { verdict, evidence, cure } = finding;
        if self.summary.verdict.is_none() || is_fault(verdict) {
            self.summary.verdict = Some(verdict.to_string());
        }
        self.note(JournalEvent::MediaVerdict { verdict: verdict.to_string(), evidence, cure });
    }

    /// Returns the caller's next request to the business, to be stored.
    pub(crate) fn caller_request(&self) -> CallerRequest {
        let n = keys::number_in_call(self.fence, self.summary.tools);
        self.journal.caller_request(&self.call_ref, n, self.keeping.days)
    }

    /// Keeps every transcript line that is complete by now.
    pub(crate) fn keep_lines(&mut self) {
        while let Some(line) = self.transcript.poll_line() {
            self.keep_line(&line);
        }
    }

    /// Keeps the remaining transcript lines at the end of the call. `interrupted` is what the agent was saying.
    pub(crate) fn close_transcript(&mut self, interrupted: &[PlayedItem]) {
        for heard in interrupted {
            self.transcript.note_interrupted(heard);
        }
        self.keep_lines();
        while let Some(line) = self.transcript.poll_rest() {
            self.keep_line(&line);
        }
        (self.summary.turns, self.summary.turn_p50_ms, self.summary.turn_p95_ms) = self.transcript.turns();
    }

    /// Keeps a transcript line, if the agent file says that transcripts are kept.
    fn keep_line(&self, line: &TranscriptLine) {
        if self.keeping.transcripts {
            let place = keys::number_in_call(self.fence, line.place.into());
            let line = TranscriptLine { place: u32::try_from(place).unwrap_or(u32::MAX), ..line.clone() };
            self.journal.keep_line(&self.call_ref, &line, self.keeping.days);
        }
    }

    /// Keeps the audio levels of both sides.
    pub(crate) fn keep_levels(&mut self) {
        if let Some(levels) = self.levels.take() {
            self.journal.keep_levels(&self.call_ref, &levels.into_levels(), self.keeping.days);
        }
    }

    /// Writes the call's outcome.
    pub(crate) fn conclude(&self, outcome: CallOutcome) {
        self.journal.conclude(outcome);
    }
}

/// Whether a diagnosis is a fault: a muted caller is not.
fn is_fault(verdict: Diagnosis) -> bool {
    verdict != Diagnosis::CallerMuted
}
