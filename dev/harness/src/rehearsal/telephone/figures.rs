//! The figures of a telephone call: what is measured at OpenAI's side, where its audio is.

use super::super::figures::{Figures, between, ms};
use super::super::{Evidence, THINKING, sound};
use sim_openai::ObservationKind;
use sim_openai::sip::CallReport;
use std::time::Instant;

pub(super) fn of(evidence: &Evidence<CallReport>) -> Figures {
    let report = &evidence.report;
    let (placed, answered) = (Some(report.placed_at), report.answered());
    let first_voice = report.agent.first().map(|speech| speech.started);
    Figures {
        answered_ms: between(placed, answered),
        first_voice_ms: between(placed, first_voice),
        media_ms: None,
        first_word_ms: between(answered, first_voice),
        turn_added_ms: turn_added(evidence),
        interrupt_ms: interrupt(evidence),
        claimed_too_much_ms: sound::claimed_too_much_ms(evidence),
    }
}

/// From the end of the caller's speech, as the model hears it, to the agent's voice, less the model's thinking; the median turn.
fn turn_added(evidence: &Evidence<CallReport>) -> Option<f64> {
    let stops = moments(evidence, |seen| matches!(seen, ObservationKind::SpeechStopped { .. }));
    let answer = |stopped: Instant| {
        evidence.report.agent.iter().map(|speech| speech.started).find(|started| *started > stopped)
    };
    let mut turns: Vec<f64> =
        stops.filter_map(|stopped| Some(ms(answer(stopped)? - stopped) - ms(THINKING))).collect();
    turns.sort_by(f64::total_cmp);
    turns.get(turns.len() / 2).map(|added| (added * 10.0).round() / 10.0)
}

/// From the model hearing the caller to the end of the speech that the caller interrupts.
fn interrupt(evidence: &Evidence<CallReport>) -> Option<f64> {
    let cut = evidence.report.agent.iter().find(|speech| speech.was_cut)?;
    let stopped = cut.stopped?;
    let mut starts = moments(evidence, |seen| matches!(seen, ObservationKind::SpeechStarted { .. }));
    let heard = starts.find(|heard| cut.started < *heard && *heard <= stopped)?;
    Some(ms(stopped - heard))
}

fn moments(
    evidence: &Evidence<CallReport>,
    is_one: impl Fn(&ObservationKind) -> bool,
) -> impl Iterator<Item = Instant> {
    let observations = evidence.sessions.iter().flat_map(|session| &session.observations);
    observations.filter(move |observation| is_one(&observation.kind)).map(|observation| observation.at)
}
