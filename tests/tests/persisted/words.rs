//! Words that are logged, counted or stored and come from code: metrics, verdicts, outcomes.

use crate::held::{hold_texts, json};
use journal::Level;
use media_diagnosis::Diagnosis;
use realtime::options::{Eagerness, Effort, Format, NoiseReduction};
use realtime::{EmptyResponseAction, HostedOutcome, OptionalPart, Purpose};
use service::metrics::{self, Metric};
use store::{BudgetedAction, OutboxEvent, OutboxState};
use tools::ToolOutcomeKind;

#[test]
fn words_from_code_stay() {
    let mut words = vec![];
    let mut add =
        |kind: &str, word: &str, written: &str| words.push((format!("{kind}.{word}"), written.to_owned()));
    for (word, value) in metrics() {
        add("metric", word, value.name());
    }
    add("metric", "namespace", metrics::NAMESPACE);
    add("metric", "dimension", metrics::DIMENSION);
    for (word, value) in verdicts() {
        add("verdict", word, value.as_str());
    }
    for (word, value) in
        every!(ToolOutcomeKind; "done": Done, "failed": Failed, "timed_out": TimedOut, "refused": Refused)
    {
        add("tool_outcome", word, value.as_str());
    }
    for (word, value) in every!(HostedOutcome; "done": Done, "failed": Failed, "timed_out": TimedOut) {
        add("hosted_tool_outcome", word, value.as_str());
    }
    for (word, value) in every!(Purpose; "greeting": Greeting, "answer": Answer, "asked": Asked) {
        add("purpose", word, value.as_str());
    }
    let then = every!(EmptyResponseAction; "asked_again": AskedAgain, "another_session": AnotherSession, "gave_up": GaveUp,
        "gone_on": GoneOn, "left": Left, "done": Done);
    for (word, value) in then {
        add("then", word, value.as_str());
    }
    let parts = every!(OptionalPart; "transcription": Transcription, "noise_reduction": NoiseReduction,
        "reasoning": Reasoning, "speed": Speed, "vad_numbers": VadNumbers);
    for (word, value) in parts {
        add("part", word, &value.to_string());
    }
    for (word, value) in
        every!(BudgetedAction; "message": Message, "tool": Tool, "notice": Notice, "transfer": Transfer)
    {
        add("action", word, value.name());
    }
    let events = every!(OutboxEvent; "call_ended": CallEnded, "call_rejected": CallRejected, "message_taken": MessageTaken,
        "callback_requested": CallbackRequested, "person_wanted": PersonWanted, "spending_near_cap": SpendingNearCap);
    for (word, value) in events {
        add("outbox_event", word, &value.to_string());
    }
    let states = every!(OutboxState; "waiting": Waiting, "delivered": Delivered, "refused": Refused, "given_up": GivenUp);
    for (word, value) in states {
        add("outbox_state", word, &value.to_string());
    }
    for (word, value) in every!(Level; "info": Info, "warn": Warn, "error": Error) {
        add("level", word, &json(&value));
    }
    hold_texts("words.tsv", words);
}

#[test]
fn words_of_the_models_options_stay() {
    let mut words = vec![];
    let mut add = |kind: &str, word: &str, written: String| words.push((format!("{kind}.{word}"), written));
    let efforts =
        every!(Effort; "minimal": Minimal, "low": Low, "medium": Medium, "high": High, "xhigh": Xhigh);
    for (word, value) in efforts {
        add("reasoning_effort", word, json(&value));
        assert_eq!(serde_json::from_str::<Effort>(&json(&value)).unwrap(), value);
    }
    for (word, value) in every!(Eagerness; "low": Low, "medium": Medium, "high": High, "auto": Auto) {
        add("eagerness", word, json(&value));
        assert_eq!(serde_json::from_str::<Eagerness>(&json(&value)).unwrap(), value);
    }
    for (word, value) in every!(NoiseReduction; "near_field": NearField, "far_field": FarField) {
        add("noise_reduction", word, json(&value));
        assert_eq!(serde_json::from_str::<NoiseReduction>(&json(&value)).unwrap(), value);
    }
    for (word, value) in every!(Format; "pcm": Pcm, "pcmu": Ulaw, "pcma": Alaw) {
        add("format", word, json(&value));
        assert_eq!(serde_json::from_str::<Format>(&json(&value)).unwrap(), value);
    }
    hold_texts("model-words.tsv", words);
}

fn metrics() -> Vec<(&'static str, Metric)> {
    every!(Metric;
        "slot_utilization": SlotUtilization,
        "free_slots": FreeSlots,
        "calls": Calls,
        "answered": Answered,
        "missed": Missed,
        "lost_calls": LostCalls,
        "refused_signatures": RefusedSignatures,
        "media_verdicts": MediaVerdicts,
        "failed_tools": FailedTools,
        "meta_troubles": MetaTroubles,
        "sessions_lost": SessionsLost,
        "undelivered": Undelivered,
        "answer_ms": AnswerMs,
        "first_word_ms": FirstWordMs,
        "turn_ms": TurnMs,
        "late_frames_ms": LateFramesMs,
    )
}

fn verdicts() -> Vec<(&'static str, Diagnosis)> {
    every!(Diagnosis;
        "no_stun_answer": NoStunAnswer,
        "role_conflict": RoleConflict,
        "candidate_unreachable": CandidateUnreachable,
        "port_blocked": PortBlocked,
        "dtls_never": DtlsNever,
        "no_rtp_in": NoRtpIn,
        "wrong_payload": WrongPayload,
        "caller_muted": CallerMuted,
        "our_rtp_not_reaching": OurRtpNotReaching,
        "clock_stalled": ClockStalled,
    )
}
