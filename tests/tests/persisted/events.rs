//! Journals: every event, the entries they are kept in, and the lines they are logged as.

use crate::held::{hold, hold_texts, json, lines};
use journal::{Entry, Event, Journal, Phase, Place, line_of_no_call};

const NOW: u64 = 1_795_305_602_000;

#[test]
fn events_keep_their_form() {
    hold("journal-events.tsv", &all_events());
}

#[test]
fn entries_keep_their_form() {
    let phases = each!(Phase; "ringing": Ringing, "answering": Answering, "talking": Talking, "over": Over);
    hold("journal-phases.tsv", &phases);
    let entry = |place: Place, rang_at_ms: Option<u64>, event| {
        Journal::new("ab12", "call-control", rang_at_ms, 3).at(place).enter(event, NOW)
    };
    let whole = |phase| Place { number: Some("220".into()), task: Some("0a".into()), phase };
    let mut entries: Vec<(&str, Entry)> = phases
        .into_iter()
        .map(|(name, phase)| (name, entry(whole(Some(phase)), Some(NOW - 2_000), Event::Opened {})))
        .collect();
    entries.push(("least", entry(Place::default(), None, Event::Opened {})));
    let names_its_task = Event::SeatRefused { task: "0b".into(), reason: "full".into() };
    entries.push(("names_its_task", entry(whole(None), None, names_its_task)));
    let names_its_number = Event::Connect { number: "221".into() };
    entries.push(("names_its_number", entry(whole(None), None, names_its_number)));
    hold("journal-entries.tsv", &entries);
}

/// With the level of every event.
#[test]
fn logged_lines_keep_their_form() {
    let logged = all_events().into_iter().map(|(name, event)| {
        let place =
            Place { number: Some("220".into()), task: Some("0a".into()), phase: Some(Phase::Talking) };
        let mut journal = Journal::new("ab12", "task-0a", NOW - 2_000, 3).at(place);
        (name.to_owned(), journal.enter(event, NOW).to_line())
    });
    hold_texts("journal-log.tsv", logged);
    let refused = Event::WebhookRefused { why: "signature".into(), count: 2 };
    let of_no_call = ("of_no_call".to_owned(), line_of_no_call(&refused, "webhook", NOW));
    hold_texts("journal-log.tsv", [of_no_call]);
}

#[test]
fn logged_lines_are_read_as_entries() {
    for (name, line) in lines("journal-log.tsv").into_iter().filter(|(name, _)| name != "of_no_call") {
        let entry: Entry = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(line.ends_with(&json(&entry)[1..]), "{name}: {line}");
    }
}

fn all_events() -> Vec<(&'static str, Event)> {
    let mut events = events();
    events.extend(lesser_events());
    events
}

fn events() -> Vec<(&'static str, Event)> {
    let text = str::to_owned;
    every!(Event;
        "connect": Event::Connect { .. } => Event::Connect { number: text("220") },
        "not_ours": Event::NotOurs { .. } => Event::NotOurs { number: text("999") },
        "stale": Event::Stale { .. } => Event::Stale { number: text("220"), late_ms: 61_000, ahead_ms: 5 },
        "webhook_refused": Event::WebhookRefused { .. } => Event::WebhookRefused { why: text("signature"), count: 2 },
        "over": Event::Over { .. } => Event::Over { status: text("completed"), errors: vec![138_021], talked_s: Some(9) },
        "media_at_meta": Event::MediaAtMeta { .. } => Event::MediaAtMeta {
            kind: text("voicemail"), media: text("m1"), mime_type: text("audio/ogg"),
        },
        "permission_reply": Event::PermissionReply { .. } => Event::PermissionReply {
            is_granted: true, is_permanent: true, until_s: Some(7),
        },
        "notice": Event::Notice { .. } => Event::Notice { notice: text("juggle"), status: text("done") },
        "claimed": Event::Claimed { .. } => Event::Claimed { task: text("0a"), fence: 2 },
        "seat_refused": Event::SeatRefused { .. } => Event::SeatRefused { task: text("0a"), reason: text("full") },
        "task_launched": Event::TaskLaunched { .. } => Event::TaskLaunched { task: text("0b") },
        "answered": Event::Answered { .. } => Event::Answered { took_ms: 7, start: text("warm") },
        "offer_unanswerable": Event::OfferUnanswerable { .. } => Event::OfferUnanswerable { reason: text("no audio") },
        "pre_accepted": Event::PreAccepted {} => Event::PreAccepted {},
        "agent_ready": Event::AgentReady { .. } => Event::AgentReady { took_ms: 410 },
        "media_connected": Event::MediaConnected { .. } => Event::MediaConnected { took_ms: 320 },
        "accepted": Event::Accepted {} => Event::Accepted {},
        "opened": Event::Opened {} => Event::Opened {},
        "first_word": Event::FirstWord { .. } => Event::FirstWord { after_open_ms: 250 },
        "turn": Event::Turn { .. } => Event::Turn { turn: 1, took_ms: 640, tool_ms: 210 },
        "interrupted": Event::Interrupted { .. } => Event::Interrupted { item: text("item_1"), heard_ms: 900, of_ms: 1_200 },
        "tool": Event::Tool { .. } => Event::Tool { tool: text("lookup_order"), took_ms: 80, outcome: text("failed") },
        "keys": Event::Keys { .. } => Event::Keys { count: 6 },
        "keys_dropped": Event::KeysDropped {} => Event::KeysDropped {},
        "nudged": Event::Nudged { .. } => Event::Nudged { times: 2 },
        "session_lost": Event::SessionLost { .. } => Event::SessionLost { reason: text("closed") },
        "session_restored": Event::SessionRestored { .. } => Event::SessionRestored { took_ms: 700, planned: true },
        "agent_failed": Event::AgentFailed { .. } => Event::AgentFailed { code: text("insufficient_quota"), cure: text("Pay.") },
        "part_refused": Event::PartRefused { .. } => Event::PartRefused { part: text("speed"), code: text("invalid_value") },
        "transcription_failed": Event::TranscriptionFailed { .. } => Event::TranscriptionFailed {
            model: text("gpt-transcribe"), code: text("server_error"),
        },
        "usage": Event::Usage { .. } => Event::Usage {
            agent: text("bike-shop"),
            model: text("gpt-realtime-2.1"),
            text_in: 1,
            text_cached: 2,
            text_out: 3,
            audio_in: 4,
            audio_cached: 5,
            audio_out: 6,
            transcript_in: 7,
            transcript_out: 8,
            transcript_ms: 9,
            micro_dollars: Some(10),
            transcription_priced: true,
            prices_of: text("2026-11-01"),
        },
        "cap_near": Event::CapNear { .. } => Event::CapNear { spent_micro_dollars: 8, cap_micro_dollars: 10 },
        "action_refused": Event::ActionRefused { .. } => Event::ActionRefused { action: text("tool"), budget: text("hour") },
        "turned_away": Event::TurnedAway { .. } => Event::TurnedAway { why: text("closed") },
        "refused": Event::Refused { .. } => Event::Refused { why: text("no_capacity") },
        "lost": Event::Lost { .. } => Event::Lost { task: text("0a") },
        "agent_trouble": Event::AgentTrouble { .. } => Event::AgentTrouble { code: text("rate_limit") },
        "response_lacking": Event::ResponseLacking { .. } => Event::ResponseLacking {
            purpose: text("answer"), status: text("incomplete"), reason: Some(text("content_filter")), then: text("asked_again"),
        },
        "tools_missing": Event::ToolsMissing { .. } => Event::ToolsMissing { server: text("calendar") },
        "media": Event::Media { .. } => Event::Media {
            received: 1,
            lost: 2,
            recovered: 3,
            concealed: 4,
            duplicates: 5,
            tardy: 6,
            foreign: 7,
            malformed: 8,
            flooded: 9,
            restarts: 10,
            keys_dropped: 11,
            sent: 12,
            late_p99_ms: 13,
            unsent_to_agent: 14,
            jitter_up_ms: 15,
            loss_down_permille: Some(16),
            jitter_down_ms: Some(17),
            round_trip_ms: Some(18),
            mos_up: Some(441),
            mos_down: Some(430),
        },
        "media_verdict": Event::MediaVerdict { .. } => Event::MediaVerdict {
            verdict: text("no_rtp_in"), evidence: text("0 packets"), cure: text("Open UDP."),
        },
        "meta_trouble": Event::MetaTrouble { .. } => Event::MetaTrouble {
            action: text("accept"), code: 131_044, reason: text("no payment method"), cure: text("Add one."),
        },
        "caller_told": Event::CallerTold { .. } => Event::CallerTold { why: text("no_capacity") },
        "message_failed": Event::MessageFailed { .. } => Event::MessageFailed {
            code: 131_026, reason: text("undeliverable"), cure: text(""),
        },
        "task_silent": Event::TaskSilent { .. } => Event::TaskSilent { task: text("0a") },
        "given_up": Event::GivenUp { .. } => Event::GivenUp { what: text("item"), reason: text("cannot be read") },
        "forgotten": Event::Forgotten { .. } => Event::Forgotten { number: text("220"), calls: 3 },
        "ended": Event::Ended { .. } => Event::Ended { ending: text("caller_hung_up"), by: text("caller"), lasted_ms: 88_000 },
        "of_a_later_release": Event::Other(_) =>
            serde_json::from_str(r#"{"event":"WA_CALL_HELD","by":"caller","tries":2}"#).unwrap(),
    )
}

/// Events whose optional fields say nothing, and those whose level depends on what they say.
fn lesser_events() -> Vec<(&'static str, Event)> {
    let text = str::to_owned;
    let media = Event::Media {
        received: 1,
        lost: 0,
        recovered: 0,
        concealed: 0,
        duplicates: 0,
        tardy: 0,
        foreign: 0,
        malformed: 0,
        flooded: 0,
        restarts: 0,
        keys_dropped: 0,
        sent: 2,
        late_p99_ms: 3,
        unsent_to_agent: 0,
        jitter_up_ms: 0,
        loss_down_permille: None,
        jitter_down_ms: None,
        round_trip_ms: None,
        mos_up: None,
        mos_down: None,
    };
    let muted =
        Event::MediaVerdict { verdict: text("caller_muted"), evidence: text("silence"), cure: text("None.") };
    let trouble =
        Event::MetaTrouble { action: text("accept"), code: 1, reason: text("try again"), cure: text("") };
    let failed = Event::MessageFailed { code: 131_042, reason: text("no payment"), cure: text("Add one.") };
    let lacking = Event::ResponseLacking {
        purpose: text("asked"),
        status: text("completed"),
        reason: None,
        then: text("done"),
    };
    vec![
        ("over_least", Event::Over { status: text("failed"), errors: vec![], talked_s: None }),
        (
            "permission_reply_least",
            Event::PermissionReply { is_granted: false, is_permanent: false, until_s: None },
        ),
        ("tool_done", Event::Tool { tool: text("take_message"), took_ms: 3, outcome: text("done") }),
        ("response_lacking_least", lacking),
        ("media_least", media),
        ("media_verdict_muted", muted),
        ("meta_trouble_without_cure", trouble),
        ("message_failed_with_cure", failed),
        ("given_up_least", Event::GivenUp { what: text("terminate"), reason: String::new() }),
    ]
}
