//! Stored conversations, and what callers leave for people.

use crate::held::hold;
use call::Line;
use deliveries::extraction::{Extraction, ExtractionOutcome};
use journal::{CallSummary, Speaker, TokenCounts, TranscriptLine};
use tools::{Callback, Message};

#[test]
fn lines_keep_their_form() {
    let speakers = every!(Speaker; "caller": Caller, "agent": Agent);
    hold("speakers.tsv", &speakers);
    let least = TranscriptLine {
        place: 0,
        speaker: Speaker::Caller,
        text: "Hello".into(),
        at_ms: 1_795_305_600_000,
        heard_ms: None,
        of_ms: None,
        took_ms: None,
        tool_ms: None,
        in_silence: false,
    };
    let whole = TranscriptLine {
        place: 1,
        speaker: Speaker::Agent,
        text: "Good day".into(),
        at_ms: 1_795_305_600_000,
        heard_ms: Some(900),
        of_ms: Some(1_200),
        took_ms: Some(640),
        tool_ms: Some(210),
        in_silence: true,
    };
    hold("lines.tsv", &[("least", least), ("whole", whole)]);
}

#[test]
fn summaries_keep_their_form() {
    let tokens = TokenCounts {
        text_in: 1,
        text_cached: 2,
        text_out: 3,
        audio_in: 4,
        audio_cached: 5,
        audio_out: 6,
        transcript_in: 7,
        transcript_out: 8,
    };
    let whole = CallSummary {
        call_ref: "ab12".into(),
        line: Line::WhatsApp.into(),
        number: "220".into(),
        agent: "bike-shop".into(),
        model: "gpt-realtime-2.1".into(),
        opened_at_ms: Some(1_795_305_602_000),
        over_at_ms: 1_795_305_690_000,
        turns: 9,
        turn_p50_ms: Some(640),
        turn_p95_ms: Some(910),
        interruptions: 2,
        mos_up: Some(441),
        mos_down: Some(430),
        tools: 3,
        tools_done: 2,
        sessions_replaced: 1,
        verdict: Some("no_rtp_in".into()),
        without: vec!["speed".into()],
        wants_an_answer: true,
        tokens,
        transcript_ms: 61_000,
        micro_dollars: Some(123_456),
        transcription_priced: true,
        prices_of: "2026-11-01".into(),
    };
    let by_telephone = CallSummary {
        line: Line::Sip.into(),
        number: "malta".into(),
        mos_up: None,
        mos_down: None,
        verdict: None,
        ..whole.clone()
    };
    let summaries = [("whole", whole), ("least", CallSummary::default()), ("by_telephone", by_telephone)];
    hold("summaries.tsv", &summaries);
    hold("tokens.tsv", &[("tokens", tokens)]);
}

#[test]
fn what_callers_leave_keeps_its_form() {
    let message = "It squeaks".to_owned();
    let whole = Message { message: message.clone(), caller_name: Some("Ada".into()), urgent: true };
    let least = Message { message, caller_name: None, urgent: false };
    hold("messages-left.tsv", &[("whole", whole), ("least", least)]);
    let about = "A service".to_owned();
    let whole =
        Callback { about: about.clone(), when: Some("at nine".into()), number: Some("extension 7".into()) };
    hold("callbacks.tsv", &[("whole", whole), ("least", Callback { about, when: None, number: None })]);
}

#[test]
fn what_a_model_extracts_keeps_its_form() {
    let done = Extraction {
        model: "gpt-6-luna".into(),
        outcome: ExtractionOutcome::Done,
        error: None,
        summary: Some("It is about A-17.".into()),
        extracted: Some(serde_json::json!({"order": "A-17"})),
        micro_dollars: Some(350),
    };
    let failed = Extraction::failed("gpt-0", "model_not_found", Some(0));
    hold("extractions.tsv", &[("done", done), ("failed", failed)]);
}
