//! Journals: every event, the entries they are kept in, and the lines they are logged as.

use crate::held::{hold, hold_texts, json, lines};
use call::{Ending, Fence, Line, Party, Stage};
use journal::{EntryBuilder, EntryContext, JournalEntry, JournalEvent, line_of_no_call};

const NOW: u64 = 1_795_305_602_000;

#[test]
fn events_keep_their_form() {
    hold("journal-events.tsv", &all_events());
}

#[test]
fn entries_keep_their_form() {
    let phases = every!(Stage; "ringing": Ringing, "answering": Answering, "talking": Talking, "over": Over);
    hold("journal-phases.tsv", &phases);
    let entry = |place: EntryContext, rang_at_ms: Option<u64>, event| {
        EntryBuilder::new(&"ab12".into(), "call-control", rang_at_ms, 3).at(place).enter(event, NOW)
    };
    let whole = |phase: Option<Stage>| EntryContext {
        line: Line::WhatsApp.into(),
        number: Some("220".into()),
        task: Some("0a".into()),
        phase: phase.map(Into::into),
    };
    let mut entries: Vec<(&str, JournalEntry)> = phases
        .into_iter()
        .map(|(name, phase)| (name, entry(whole(Some(phase)), Some(NOW - 2_000), JournalEvent::Opened {})))
        .collect();
    entries.push(("least", entry(EntryContext::default(), None, JournalEvent::Opened {})));
    let names_its_task = JournalEvent::SeatRefused { task: "0b".into(), reason: "full".into() };
    entries.push(("names_its_task", entry(whole(None), None, names_its_task)));
    let names_its_number = JournalEvent::Connect { number: "221".into() };
    entries.push(("names_its_number", entry(whole(None), None, names_its_number)));
    let by_telephone =
        EntryContext { line: Line::Sip.into(), number: Some("malta".into()), ..whole(Some(Stage::Talking)) };
    entries.push(("by_telephone", entry(by_telephone.clone(), Some(NOW - 2_000), JournalEvent::Opened {})));
    let rings = JournalEvent::Connect { number: "malta".into() };
    entries.push(("rings_by_telephone", entry(by_telephone, Some(NOW - 2_000), rings)));
    hold("journal-entries.tsv", &entries);
}

/// With the level of every event.
#[test]
fn logged_lines_keep_their_form() {
    let logged = all_events().into_iter().map(|(name, event)| {
        let place = EntryContext {
            line: Line::WhatsApp.into(),
            number: Some("220".into()),
            task: Some("0a".into()),
            phase: Some(Stage::Talking.into()),
        };
        let mut journal = EntryBuilder::new(&"ab12".into(), "task-0a", NOW - 2_000, 3).at(place);
        (name.to_owned(), journal.enter(event, NOW).to_line())
    });
    hold_texts("journal-log.tsv", logged);
    let refused = JournalEvent::WebhookRefused { why: "signature".into(), count: 2 };
    let of_no_call = ("of_no_call".to_owned(), line_of_no_call(&refused, "webhook", NOW));
    hold_texts("journal-log.tsv", [of_no_call]);
}

#[test]
fn logged_lines_are_read_as_entries() {
    for (name, line) in lines("journal-log.tsv").into_iter().filter(|(name, _)| name != "of_no_call") {
        let entry: JournalEntry =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(line.ends_with(&json(&entry)[1..]), "{name}: {line}");
    }
}

fn all_events() -> Vec<(&'static str, JournalEvent)> {
    let mut events = events();
    events.extend(lesser_events());
    events
}

fn events() -> Vec<(&'static str, JournalEvent)> {
    let text = str::to_owned;
    let later = serde_json::from_str(r#"{"event":"WA_CALL_HELD","by":"caller","tries":2}"#).unwrap();
    let JournalEvent::Other(of_a_later_release) = later else { panic!("it is known: {later:?}") };
    every!(JournalEvent;
        "connect": Connect { number: "220".into() },
        "not_ours": NotOurs { number: "999".into() },
        "stale": Stale { number: "220".into(), late_ms: 61_000, ahead_ms: 5 },
        "webhook_refused": WebhookRefused { why: text("signature"), count: 2 },
        "over": Over { status: text("completed"), errors: vec![138_021], talked_s: Some(9) },
        "media_at_meta": MediaAtMeta { kind: text("voicemail"), media: text("m1"), mime_type: text("audio/ogg") },
        "permission_reply": PermissionReply { is_granted: true, is_permanent: true, until_s: Some(7) },
        "notice": Notice { notice: text("juggle"), status: text("done") },
        "claimed": Claimed { task: "0a".into(), fence: Fence(2) },
        "seat_refused": SeatRefused { task: "0a".into(), reason: text("full") },
        "task_launched": TaskLaunched { task: "0b".into() },
        "answered": Answered { took_ms: 7, start: text("warm") },
        "offer_unanswerable": OfferUnanswerable { reason: text("no audio") },
        "pre_accepted": PreAccepted {},
        "agent_ready": AgentReady { took_ms: 410 },
        "lookup": Lookup { took_ms: 230, outcome: text("failed"), status: Some(500) },
        "media_connected": MediaConnected { took_ms: 320 },
        "accepted": Accepted {},
        "opened": Opened {},
        "first_word": FirstWord { after_open_ms: 250 },
        "turn": Turn { turn: 1, took_ms: 640, tool_ms: 210 },
        "interrupted": Interrupted { item: text("item_1"), heard_ms: 900, of_ms: Some(1_200) },
        "tool": Tool { tool: text("lookup_order"), took_ms: 80, outcome: text("failed") },
        "keys": Keys { count: 6 },
        "keys_dropped": KeysDropped {},
        "nudged": Nudged { times: 2 },
        "session_lost": SessionLost { reason: text("closed") },
        "session_restored": SessionRestored { took_ms: 700, planned: true },
        "sideband_lost": SidebandLost { reason: text("closed") },
        "sideband_back": SidebandBack { took_ms: 700 },
        "transferred": Transferred { target_kind: text("tel") },
        "agent_failed": AgentFailed { code: text("insufficient_quota"), cure: text("Pay.") },
        "part_refused": PartRefused { part: text("speed"), code: text("invalid_value") },
        "transcription_failed": TranscriptionFailed { model: text("gpt-transcribe"), code: text("server_error") },
        "usage": Usage {
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
        "cap_near": CapNear { spent_micro_dollars: 8, cap_micro_dollars: 10 },
        "action_refused": ActionRefused { action: text("tool"), budget: text("hour") },
        "turned_away": TurnedAway { why: Ending::Closed.into() },
        "agent_chosen": AgentChosen { agent: text("front-desk-fr") },
        "lookup_refused": LookupRefused { reason: text("agent x is not in may_override") },
        "refused": Refused { why: Ending::NoCapacity.into() },
        "lost": Lost { task: "0a".into() },
        "agent_trouble": AgentTrouble { code: text("rate_limit") },
        "response_lacking": ResponseLacking {
            purpose: text("answer"), status: text("incomplete"), reason: Some(text("content_filter")), then: text("asked_again"),
        },
        "tools_missing": ToolsMissing { server: text("calendar") },
        "media": Media {
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
        "media_verdict": MediaVerdict { verdict: text("no_rtp_in"), evidence: text("0 packets"), cure: text("Open UDP.") },
        "line_trouble": LineTrouble { action: text("accept"), code: text("invalid_value"), reason: text("no such voice"), cure: text("") },
        "line_insecure": LineInsecure {},
        "meta_trouble": MetaTrouble { action: text("accept"), code: 131_044, reason: text("no payment method"), cure: text("Add one.") },
        "caller_told": CallerTold { why: Ending::NoCapacity.into() },
        "message_failed": MessageFailed { code: 131_026, reason: text("undeliverable"), cure: text("") },
        "task_silent": TaskSilent { task: "0a".into() },
        "given_up": GivenUp { what: text("item"), reason: text("cannot be read") },
        "forgotten": Forgotten { number: "220".into(), calls: 3 },
        "after_sent": AfterSent {
            what: "call.ended".into(),
            outcome: "delivered".into(),
            status: Some(204),
            why: String::new(),
            tries: 1,
            took_ms: 84,
        },
        "after_given_up": AfterGivenUp {
            what: "call.ended".into(),
            status: Some(500),
            why: String::new(),
            tries: 7,
        },
        "after_extracted": AfterExtracted {
            model: "gpt-6-luna".into(),
            outcome: "done".into(),
            code: String::new(),
            took_ms: 900,
            micro_dollars: Some(350),
        },
        "ended": Ended { ending: Ending::CallerHungUp.into(), by: Party::Caller.into(), lasted_ms: 88_000 },
        "of_a_later_release": Other(of_a_later_release),
    )
}

/// Events whose optional fields say nothing, and those whose level depends on what they say.
fn lesser_events() -> Vec<(&'static str, JournalEvent)> {
    let text = str::to_owned;
    let media = JournalEvent::Media {
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
    let muted = JournalEvent::MediaVerdict {
        verdict: text("caller_muted"),
        evidence: text("silence"),
        cure: text("None."),
    };
    let trouble = JournalEvent::MetaTrouble {
        action: text("accept"),
        code: 1,
        reason: text("try again"),
        cure: text(""),
    };
    let failed =
        JournalEvent::MessageFailed { code: 131_042, reason: text("no payment"), cure: text("Add one.") };
    let lacking = JournalEvent::ResponseLacking {
        purpose: text("asked"),
        status: text("completed"),
        reason: None,
        then: text("done"),
    };
    vec![
        ("over_least", JournalEvent::Over { status: text("failed"), errors: vec![], talked_s: None }),
        (
            "permission_reply_least",
            JournalEvent::PermissionReply { is_granted: false, is_permanent: false, until_s: None },
        ),
        ("tool_done", JournalEvent::Tool { tool: text("take_message"), took_ms: 3, outcome: text("done") }),
        ("response_lacking_least", lacking),
        ("media_least", media),
        ("media_verdict_muted", muted),
        ("meta_trouble_without_cure", trouble),
        ("message_failed_with_cure", failed),
        ("given_up_least", JournalEvent::GivenUp { what: text("terminate"), reason: String::new() }),
    ]
}
