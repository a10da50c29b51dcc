//! Tests audio, transcripts, interruption and truncation.

use super::*;

#[test]
fn audio_becomes_samples_however_it_was_split() {
    let mut talk = Talk::greeted();
    talk.begin_own("r");
    for delta in ["AQAC", "AQM="] {
        // 01 00 02, then 01 03.
        talk.server_sends(json!({"type": "response.output_audio.delta", "response_id": "r", "item_id": "i", "delta": delta}));
    }

    let said = talk.events.iter().flat_map(|event| match event {
        SessionEvent::Audio { samples, .. } => samples.0.clone(),
        _ => vec![],
    });
    assert_eq!(said.collect::<Vec<_>>(), [1, 258]);
}

#[test]
fn a_silent_start_arrives_with_the_first_audible_audio() {
    let mut talk = Talk::greeted();
    talk.begin_own("r");
    talk.speak_at(0, "r", "a", "One", 300);
    assert!(!talk.events.iter().any(|event| matches!(event, SessionEvent::Audio { .. })));
    talk.speak("r", "a", " two.", 200);
    talk.finish("r", "a");
    talk.act(|session, now| session.truncate(&"a".into(), ms(400), ms(500), now));

    let said = talk.events.iter().filter_map(|event| match event {
        SessionEvent::Audio { samples, .. } => Some(samples.0.clone()),
        _ => None,
    });
    assert_eq!(said.collect::<Vec<_>>(), [[vec![0; 300 * 24], vec![LOUD; 200 * 24]].concat()]);
    assert_eq!(talk.sent_of("conversation.item.truncate")[0]["audio_end_ms"], 400);
}

#[test]
fn two_items_of_a_response_finish_separately() {
    let mut talk = Talk::greeted();
    talk.begin_own("r");
    talk.speak("r", "a", "One.", 300);
    talk.finish("r", "a");
    talk.speak("r", "b", "Two.", 400);
    talk.finish("r", "b");
    talk.done("r", "completed");

    let transcripts: Vec<_> = talk
        .events
        .iter()
        .filter_map(|event| match event {
            SessionEvent::AgentTranscript { item, text, audio } => {
                Some((item.as_str(), text.as_str(), audio.map(|audio| audio.as_millis())))
            }
            _ => None,
        })
        .collect();
    assert_eq!(transcripts, [("a", "One.", Some(300)), ("b", "Two.", Some(400))]);
    let finished = talk.events.iter().filter(|event| matches!(event, SessionEvent::ItemDone { .. }));
    assert_eq!(finished.count(), 2);
}

#[test]
fn an_interrupted_item_is_truncated_and_an_unheard_one_deleted() {
    let mut talk = Talk::greeted();
    talk.begin_own("r");
    talk.speak("r", "a", "One.", 1_000);
    talk.speak("r", "b", "Two.", 1_000);
    talk.caller_starts("u");

    talk.act(|session, now| session.truncate(&"a".into(), ms(480), ms(1_000), now));
    talk.act(|session, now| session.truncate(&"b".into(), ms(0), ms(1_000), now));

    assert_eq!(talk.kinds(), ["conversation.item.truncate", "conversation.item.delete"]);
    assert_eq!((&talk.sent[0].1["item_id"], &talk.sent[0].1["audio_end_ms"]), (&json!("a"), &json!(480)));
    assert_eq!(talk.sent[1].1["item_id"], "b");
}

#[test]
fn an_item_is_never_truncated_beyond_its_received_audio() {
    let mut talk = Talk::greeted();
    talk.begin_own("r");
    talk.speak("r", "a", "One.", 500);
    talk.act(|session, now| session.truncate(&"a".into(), ms(520), ms(520), now));
    assert_eq!(talk.sent[0].1["audio_end_ms"], 500, "it is still being generated");
    talk.done("r", "cancelled");
    talk.begin_own("s");
    talk.speak("s", "b", "Two.", 500);
    talk.finish("s", "b");
    talk.forget();

    talk.act(|session, now| session.truncate(&"b".into(), ms(500), ms(500), now));
    talk.act(|session, now| session.truncate(&"unknown".into(), ms(500), ms(600), now));

    assert_eq!(talk.sent, []);
}

#[test]
fn an_interrupt_under_local_turns_cancels_and_ignores_late_audio() {
    let mut talk = Talk::greeted_with(local_turns());
    talk.caller_starts("u");
    talk.caller_stops("u");
    talk.act(|session, now| session.yield_turn(true, now));
    talk.begin("r");
    talk.forget();

    talk.act(Session::interrupt);
    talk.act(Session::interrupt);
    talk.speak("r", "a", "Late.", 100);

    assert_eq!(talk.kinds(), ["response.cancel"]);
    assert!(!talk.events.iter().any(|event| matches!(event, SessionEvent::Audio { .. })));
}

#[test]
fn an_interrupt_under_server_turns_cancels_an_active_response_once() {
    let mut talk = Talk::greeted();
    talk.act(Session::interrupt);
    assert_eq!(talk.sent, [], "nothing is going on");
    talk.begin_own("r");

    talk.act(Session::interrupt);
    talk.act(Session::interrupt);

    assert_eq!(talk.kinds(), ["response.cancel"]);
}

#[test]
fn a_response_interrupted_before_it_starts_is_cancelled_on_start() {
    let mut talk = Talk::greeted_with(local_turns());
    talk.act(|session, now| session.yield_turn(true, now));
    talk.act(Session::interrupt);
    talk.forget();

    talk.begin("r");

    assert_eq!(talk.kinds(), ["response.cancel"]);
}

#[test]
fn a_backchannel_is_not_answered() {
    let mut talk = Talk::greeted_with(local_turns());
    talk.caller_starts("u");
    talk.caller_stops("u");

    talk.act(|session, now| session.yield_turn(false, now));
    talk.pass(30_000);

    assert_eq!(talk.response_creates(), 0);
}

#[test]
fn a_caller_transcript_is_reported_with_its_usage() {
    let mut talk = Talk::greeted();
    talk.caller_starts("u");

    talk.transcribed("u", " Where is my bike? ");

    assert!(
        talk.events
            .contains(&SessionEvent::CallerTranscript { item: "u".into(), text: "Where is my bike?".into() })
    );
    assert_eq!(talk.session.usage().transcript_ms, 1_500);
}

#[test]
fn g711_audio_is_8_khz_both_ways() {
    let options = Options { input_format: Format::Ulaw, output_format: Format::Ulaw, ..Options::default() };
    let mut talk = Talk::greeted_with(SessionConfig { options, ..config() });

    talk.act(|session, now| session.append(&[LOUD; 480], now));
    let audio = talk.sent_of("input_audio_buffer.append")[0]["audio"].clone();
    assert_eq!(audio.as_str().map(str::len), Some(216), "160 bytes, as base64");

    talk.begin_own("r");
    talk.server_sends(
        json!({"type": "response.output_audio.delta", "response_id": "r", "item_id": "i", "delta": audio}),
    );
    let said = talk.events.iter().find_map(|event| match event {
        SessionEvent::Audio { samples, .. } => Some(samples.len()),
        _ => None,
    });
    assert_eq!(said, Some(480));
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
