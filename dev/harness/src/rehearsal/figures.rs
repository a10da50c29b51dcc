//! The figures of a call, each with its start and stop.

use super::{Evidence, THINKING, sound};
use serde::Serialize;
use sim_meta::CallReport;
use sim_openai::ObservationKind;
use std::time::{Duration, Instant};

/// Milliseconds, `None` where it did not come to it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Webhook posted → accept's 200.
    pub answered_ms: Option<f64>,
    /// Webhook posted → first voice at the caller.
    pub first_voice_ms: Option<f64>,
    /// Control API has the offer → media connected, as the media task measures it.
    pub media_ms: Option<f64>,
    /// Accept's 200 → first voice at the caller.
    pub first_word_ms: Option<f64>,
    /// Caller's last voiced packet → first voiced packet back, less the model's VAD and thinking time; the median turn.
    pub turn_added_ms: Option<f64>,
    /// Model's `speech_started` sent → last voiced packet at the caller.
    pub interrupt_ms: Option<f64>,
    /// Heard, as claimed to the model, minus what the caller got.
    pub claimed_too_much_ms: Option<i64>,
}

impl Figures {
    pub(super) fn of(evidence: &Evidence<CallReport>) -> Self {
        let report = &evidence.report;
        Self {
            answered_ms: between(report.posted, report.accepted),
            first_voice_ms: between(report.posted, report.first_voice),
            media_ms: media(evidence),
            first_word_ms: between(report.accepted, report.first_voice),
            turn_added_ms: turn_added(evidence),
            interrupt_ms: interrupt(evidence),
            claimed_too_much_ms: sound::claimed_too_much_ms(evidence),
        }
    }
}

pub(super) fn between(from: Option<Instant>, to: Option<Instant>) -> Option<f64> {
    from.zip(to).map(|(from, to)| ms(to.saturating_duration_since(from)))
}

fn media(evidence: &Evidence<CallReport>) -> Option<f64> {
    evidence.journal.iter().find_map(|entry| match entry.event {
        journal::JournalEvent::MediaConnected { took_ms } => Some(took_ms as f64),
        _ => None,
    })
}

fn turn_added(evidence: &Evidence<CallReport>) -> Option<f64> {
    let model = Duration::from_millis(vad_ms(evidence)?) + THINKING;
    let report = &evidence.report;
    let turns = report.caller_turns.iter().filter_map(|said| {
        let stopped = said.ended?;
        let answer = report.agent_turns.iter().map(|turn| turn.began).find(|began| *began > stopped)?;
        Some(ms(answer - stopped) - ms(model))
    });
    let mut turns: Vec<f64> = turns.collect();
    turns.sort_by(f64::total_cmp);
    turns.get(turns.len() / 2).map(|added| (added * 10.0).round() / 10.0)
}

/// The silence that ended a turn, as the product set it.
fn vad_ms<R>(evidence: &Evidence<R>) -> Option<u64> {
    let session = evidence.sessions.first()?;
    let update = session.events_of(sim_openai::Side::Client, "session.update").next()?;
    update.pointer("/session/audio/input/turn_detection/silence_duration_ms")?.as_u64()
}

fn interrupt(evidence: &Evidence<CallReport>) -> Option<f64> {
    let observations = evidence.sessions.iter().flat_map(|session| &session.observations);
    let mut starts = observations.filter(|seen| matches!(seen.kind, ObservationKind::SpeechStarted { .. }));
    starts.find_map(|start| {
        let turns = &evidence.report.agent_turns;
        let cut = turns
            .iter()
            .find(|turn| turn.began < start.at && turn.ended.is_some_and(|end| end > start.at))?;
        Some(ms(cut.ended? - start.at))
    })
}

pub(super) fn ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10_000.0).round() / 10.0
}
