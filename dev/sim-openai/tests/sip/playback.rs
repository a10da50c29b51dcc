//! The service plays to the caller: in real time, until the caller speaks or a client clears it.

use super::*;
use sim_audio::clips;
use sim_audio::hearing::{HEARD, find};
use sim_openai::sip::{CallReport, CallerStep, CarrierEventKind, HungUpBy};
use sim_openai::{Reply, Script};

#[tokio::test]
async fn what_the_caller_cuts_short_is_truncated_to_what_was_heard() {
    // At the pace of speech, so that the response is still active.
    let mut client = Client::start(Config { pace: 1.1, ..quick() }).await;
    let (call, mut sideband) = client.greeted(call()).await;
    tokio::time::sleep(ms(800)).await;

    call.say(&clips::caller_interrupts());
    let before = sideband.passing("input_audio_buffer.speech_started").await;
    let events = sideband.passing("output_audio_buffer.cleared").await;

    assert!(!kinds(&before).contains(&"conversation.item.truncated"));
    assert_eq!(
        kinds(&events),
        [
            "conversation.item.truncated",
            "response.output_audio.done",
            "response.output_audio_transcript.done",
            "response.content_part.done",
            "conversation.item.done",
            "response.output_item.done",
            "response.done",
            "output_audio_buffer.cleared",
        ]
    );
    let details = &events[6]["response"]["status_details"];
    assert_eq!((&details["type"], &details["reason"]), (&json!("cancelled"), &json!("turn_detected")));
    let speech = call.report().agent[0].clone();
    let heard = speech.stopped.unwrap() - speech.started;
    let truncated = events[0]["audio_end_ms"].as_u64().unwrap();
    assert!(
        speech.was_cut && heard.as_millis().abs_diff(truncated.into()) < 60,
        "{heard:?}, not {truncated} ms"
    );
    assert!(
        find(&clips::agent_greeting().samples, &call.heard_by_caller())
            .is_none_or(|it| it.correlation < HEARD)
    );
}

#[tokio::test]
async fn a_response_that_is_done_can_still_be_cut_short() {
    let mut client = Client::start(Config { pace: f64::INFINITY, ..quick() }).await;
    let (call, mut sideband) = client.greeted(call()).await;
    sideband.until("response.done").await;

    call.say(&clips::caller_interrupts());
    sideband.until("input_audio_buffer.speech_started").await;
    let events = sideband.passing("output_audio_buffer.cleared").await;

    let without_limits = kinds(&events).into_iter().filter(|kind| *kind != "rate_limits.updated");
    assert_eq!(
        without_limits.collect::<Vec<_>>(),
        ["conversation.item.truncated", "output_audio_buffer.cleared"]
    );
}

#[tokio::test]
async fn a_client_interrupts_by_cancelling_and_clearing() {
    let mut client = Client::start(Config { pace: 1.1, ..quick() }).await;
    let (call, mut sideband) = client.greeted(call()).await;

    sideband.send(json!({"type": "response.cancel"})).await;
    let done = sideband.until("response.done").await;
    assert!(call.report().agent_is_speaking(), "what was made is played on");
    sideband.send(json!({"type": "output_audio_buffer.clear"})).await;
    let events = sideband.passing("output_audio_buffer.cleared").await;

    assert_eq!(done["response"]["status_details"]["reason"], "client_cancelled");
    assert!(kinds(&events).contains(&"conversation.item.truncated"), "{events:?}");
    assert!(!call.report().agent_is_speaking());
    assert!(client.violations(&call).is_empty());
}

#[tokio::test]
async fn a_whole_call_by_a_script_is_heard_on_both_sides() {
    let script = Script::new(Reply::speech(clips::agent_nudge()), [Reply::speech(clips::agent_closing())]);
    let mut client = Client::start(Config { script, ..quick() }).await;
    let steps = [
        CallerStep::HearOut,
        CallerStep::Say(clips::caller_question()),
        CallerStep::HearOut,
        CallerStep::Press("1#".to_owned()),
        CallerStep::Wait(ms(100)),
        CallerStep::HangUp,
    ];
    let (call, mut sideband) = client.greeted(call().script(steps)).await;

    let written = sideband.until("conversation.item.input_audio_transcription.completed").await;
    assert_eq!(sideband.end().await, None, "a caller who hangs up leaves no close frame");

    let ending = call.over(PATIENCE).await.unwrap();
    assert_eq!(ending.kind, CarrierEventKind::Bye(HungUpBy::Caller));
    assert_eq!(written["transcript"], clips::caller_question().text);
    let CallReport { session, agent, .. } = call.report();
    assert_eq!(agent.len(), 2);
    let heard = client.realtime.sessions().swap_remove(session.unwrap()).heard;
    assert!(find(&clips::caller_question().samples, &heard).is_some_and(|found| found.correlation > HEARD));
    for clip in [clips::agent_nudge(), clips::agent_closing()] {
        let found = find(&clip.samples, &call.heard_by_caller()).unwrap();
        assert!(found.correlation > HEARD, "{}: {found:?}", clip.name);
    }
    assert_eq!(client.trunk.complaints(), [] as [&str; 0]);
}

fn kinds(events: &[Value]) -> Vec<&str> {
    let mut kinds: Vec<&str> = events.iter().filter_map(|event| event["type"].as_str()).collect();
    kinds.retain(|kind| !kind.ends_with(".delta"));
    kinds
}
