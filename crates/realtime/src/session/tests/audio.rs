//! Sound, words and what was heard of them.

use super::*;

#[test]
fn sound_comes_out_as_samples_however_it_was_cut() {
    let mut talk = Talk::greeted();
    talk.begin_own("r");
    for delta in ["AQAC", "AQM="] {
        // 01 00 02, then 01 03.
        talk.hear(json!({"type": "response.output_audio.delta", "response_id": "r", "item_id": "i", "delta": delta}));
    }

    let said = talk.happened.iter().flat_map(|happening| match happening {
        SessionEvent::Said { samples, .. } => samples.0.clone(),
        _ => vec![],
    });
    assert_eq!(said.collect::<Vec<_>>(), [1, 258]);
}

#[test]
fn a_silent_beginning_comes_with_the_first_sound_and_counts() {
    let mut talk = Talk::greeted();
    talk.begin_own("r");
    talk.speak_at(0, "r", "a", "One", 300);
    assert!(!talk.happened.iter().any(|happening| matches!(happening, SessionEvent::Said { .. })));
    talk.speak("r", "a", " two.", 200);
    talk.finish("r", "a");
    talk.act(|session, now| session.was_heard("a", ms(400), ms(500), now));

    let said = talk.happened.iter().filter_map(|happening| match happening {
        SessionEvent::Said { samples, .. } => Some(samples.0.clone()),
        _ => None,
    });
    assert_eq!(said.collect::<Vec<_>>(), [[vec![0; 300 * 24], vec![LOUD; 200 * 24]].concat()]);
    assert_eq!(talk.sent_of("conversation.item.truncate")[0]["audio_end_ms"], 400);
}

#[test]
fn two_items_of_a_response_are_finished_and_told_each_by_itself() {
    let mut talk = Talk::greeted();
    talk.begin_own("r");
    talk.speak("r", "a", "One.", 300);
    talk.finish("r", "a");
    talk.speak("r", "b", "Two.", 400);
    talk.finish("r", "b");
    talk.done("r", "completed");

    let told: Vec<_> = talk
        .happened
        .iter()
        .filter_map(|happening| match happening {
            SessionEvent::AgentSaid { item, text, audio } => {
                Some((item.as_str(), text.as_str(), audio.as_millis()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(told, [("a", "One.", 300), ("b", "Two.", 400)]);
    let finished =
        talk.happened.iter().filter(|happening| matches!(happening, SessionEvent::Finished { .. }));
    assert_eq!(finished.count(), 2);
}

#[test]
fn an_interrupted_item_is_truncated_to_what_was_heard_and_an_unheard_one_deleted() {
    let mut talk = Talk::greeted();
    talk.begin_own("r");
    talk.speak("r", "a", "One.", 1_000);
    talk.speak("r", "b", "Two.", 1_000);
    talk.caller_starts("u");

    talk.act(|session, now| session.was_heard("a", ms(480), ms(1_000), now));
    talk.act(|session, now| session.was_heard("b", ms(0), ms(1_000), now));

    assert_eq!(talk.kinds(), ["conversation.item.truncate", "conversation.item.delete"]);
    assert_eq!((&talk.sent[0].1["item_id"], &talk.sent[0].1["audio_end_ms"]), (&json!("a"), &json!(480)));
    assert_eq!(talk.sent[1].1["item_id"], "b");
}

#[test]
fn nothing_is_truncated_beyond_what_was_received_or_after_all_was_heard() {
    let mut talk = Talk::greeted();
    talk.begin_own("r");
    talk.speak("r", "a", "One.", 500);
    talk.act(|session, now| session.was_heard("a", ms(520), ms(520), now));
    assert_eq!(talk.sent[0].1["audio_end_ms"], 500, "it is still being generated");
    talk.done("r", "cancelled");
    talk.begin_own("s");
    talk.speak("s", "b", "Two.", 500);
    talk.finish("s", "b");
    talk.forget();

    talk.act(|session, now| session.was_heard("b", ms(500), ms(500), now));
    talk.act(|session, now| session.was_heard("nobody's", ms(500), ms(600), now));

    assert_eq!(talk.sent, []);
}

#[test]
fn with_turns_of_ours_we_cancel_and_hear_no_more_of_it() {
    let mut talk = Talk::greeted_with(ours());
    talk.caller_starts("u");
    talk.caller_stops("u");
    talk.act(|session, now| session.yield_turn(true, now));
    talk.begin("r");
    talk.forget();

    talk.act(Session::interrupt);
    talk.act(Session::interrupt);
    talk.speak("r", "a", "Late.", 100);

    assert_eq!(talk.kinds(), ["response.cancel"]);
    assert!(!talk.happened.iter().any(|happening| matches!(happening, SessionEvent::Said { .. })));
}

#[test]
fn with_turns_of_the_servers_we_cancel_what_it_does_not_and_nothing_else() {
    let mut talk = Talk::greeted();
    talk.act(Session::interrupt);
    assert_eq!(talk.sent, [], "nothing is going on");
    talk.begin_own("r");

    talk.act(Session::interrupt);
    talk.act(Session::interrupt);

    assert_eq!(talk.kinds(), ["response.cancel"]);
}

#[test]
fn a_response_that_is_interrupted_before_it_begins_is_cancelled_when_it_does() {
    let mut talk = Talk::greeted_with(ours());
    talk.act(|session, now| session.yield_turn(true, now));
    talk.act(Session::interrupt);
    talk.forget();

    talk.begin("r");

    assert_eq!(talk.kinds(), ["response.cancel"]);
}

#[test]
fn a_backchannel_is_not_answered() {
    let mut talk = Talk::greeted_with(ours());
    talk.caller_starts("u");
    talk.caller_stops("u");

    talk.act(|session, now| session.yield_turn(false, now));
    talk.pass(30_000);

    assert_eq!(talk.created(), 0);
}

#[test]
fn what_the_caller_said_is_told_and_what_that_took() {
    let mut talk = Talk::greeted();
    talk.caller_starts("u");

    talk.transcribed("u", " Where is my bike? ");

    assert!(
        talk.happened
            .contains(&SessionEvent::CallerSaid { item: "u".into(), text: "Where is my bike?".into() })
    );
    assert_eq!(talk.session.used().transcript_ms, 1_500);
}

#[test]
fn g711_is_an_eighth_of_a_byte_of_a_second_both_ways() {
    let options = Options { input_format: Format::Ulaw, output_format: Format::Ulaw, ..Options::default() };
    let mut talk = Talk::greeted_with(SessionConfig { options, ..config() });

    talk.act(|session, now| session.append(&[LOUD; 480], now));
    let audio = talk.sent_of("input_audio_buffer.append")[0]["audio"].clone();
    assert_eq!(audio.as_str().map(str::len), Some(216), "160 bytes, as base64");

    talk.begin_own("r");
    talk.hear(
        json!({"type": "response.output_audio.delta", "response_id": "r", "item_id": "i", "delta": audio}),
    );
    let said = talk.happened.iter().find_map(|happening| match happening {
        SessionEvent::Said { samples, .. } => Some(samples.len()),
        _ => None,
    });
    assert_eq!(said, Some(480));
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
