//! Turn detection of a session, and its reconfiguration in mid-call.

use super::*;

#[test]
fn a_transcript_is_billed_by_its_duration_or_by_tokens() {
    for (model, by) in [("gpt-transcribe", "duration"), ("gpt-4o-transcribe", "tokens")] {
        let mut rig = Rig::connected(config());
        rig.configure(json!({"audio": {"input": {"transcription": {"model": model}}}}));
        rig.exchange();

        let usage = rig.last("conversation.item.input_audio_transcription.completed")["usage"].clone();
        assert_eq!(usage["type"], by, "{model}");
        let seconds = usage["seconds"].as_f64();
        assert_eq!(seconds.is_some_and(|seconds| seconds > 1.0), by == "duration", "{usage}");
    }
}

#[test]
fn who_may_interrupt_can_change_in_mid_response() {
    let mut rig = Rig::connected(Config { pace: 1.0, ..config() });
    rig.detect(json!({"interrupt_response": false, "create_response": false}));
    rig.ask("response.create");
    rig.pass(ms(400));
    rig.speak(&voice());
    rig.speak(&silence(700));
    assert!(rig.all("response.done").is_empty() && rig.all("error").is_empty(), "{:?}", rig.received());

    rig.detect(json!({"interrupt_response": true}));
    rig.speak(&voice());

    assert_eq!(rig.last("response.done")["response"]["status_details"]["reason"], "turn_detected");
}

#[test]
fn whether_turns_are_answered_can_change_and_none_is_answered_late() {
    let mut rig = Rig::connected(config());
    rig.detect(json!({"create_response": false}));
    rig.take_turn();
    assert!(rig.all("response.created").is_empty());

    rig.detect(json!({"create_response": true}));
    rig.pass(ms(3_000));
    assert!(rig.all("response.created").is_empty());
    rig.exchange();

    assert_eq!(rig.spoken(), ["agent-long"], "both turns were heard");
}

#[test]
fn patience_that_is_set_after_the_greeting_runs_from_then() {
    let mut rig = Rig::configured(config());
    rig.ask("response.create");
    rig.speak(&silence(20_000));
    assert!(rig.all("input_audio_buffer.timeout_triggered").is_empty());

    rig.detect(json!({"idle_timeout_ms": 5_000}));
    rig.speak(&silence(4_900));
    assert!(rig.all("input_audio_buffer.timeout_triggered").is_empty());
    rig.speak(&silence(200));

    assert_eq!(rig.all("input_audio_buffer.timeout_triggered").len(), 1);
}

#[test]
fn patience_can_be_taken_away() {
    let mut rig = Rig::configured(config());
    rig.detect(json!({"idle_timeout_ms": 5_000}));
    rig.ask("response.create");
    rig.speak(&silence(6_000));

    rig.detect(json!({"idle_timeout_ms": null}));
    rig.speak(&silence(20_000));

    assert!(rig.all("input_audio_buffer.timeout_triggered").is_empty());
}

#[test]
fn a_call_in_g711_is_heard_and_understood_and_answered() {
    let (mulaw, question) = (crate::format::Format::Mulaw, clips::caller_question());
    let mut rig = Rig::connected(config());
    let format = json!({"type": "audio/pcmu"});
    rig.configure(json!({"audio": {
        "input": {"format": format, "transcription": {"model": "gpt-transcribe"},
                  "turn_detection": {"type": "server_vad", "silence_duration_ms": 500}},
        "output": {"format": format},
    }}));

    for frame in [question.samples.as_slice(), &silence(700)].concat().chunks(FRAME) {
        rig.send(json!({"type": "input_audio_buffer.append", "audio": BASE64.encode(mulaw.encode(frame))}));
        rig.pass(ms(20));
    }
    rig.pass(ms(3_000));

    let found = sim_audio::hearing::find(&question.samples, &rig.session.report().heard);
    assert!(found.is_some_and(|found| found.correlation > 0.95), "{found:?}");
    assert_eq!(rig.transcript(), Some(question.text.as_str()));
    assert_eq!(rig.last("response.created")["response"]["audio"]["output"]["format"], format);
    let deltas = rig.all("response.output_audio.delta");
    let sent: Vec<u8> =
        deltas.iter().flat_map(|delta| BASE64.decode(delta["delta"].as_str().unwrap()).unwrap()).collect();
    let (answer, sent) = (clips::agent_answer(), mulaw.decode(&sent).unwrap());
    let found = sim_audio::hearing::find(&answer.samples[..answer.samples.len() - FRAME], &sent);
    assert!(found.is_some_and(|found| found.correlation > 0.95), "{found:?}");
    assert!(rig.violations().is_empty(), "{:?}", rig.violations());
}

#[test]
fn seventy_seconds_without_a_pause_are_one_turn() {
    let mut rig = Rig::configured(config());

    rig.speak(&clips::caller_monologue().samples);
    rig.speak(&silence(700));
    rig.pass(ms(1_000));

    assert_eq!(rig.all("input_audio_buffer.committed").len(), 1);
    assert_eq!(rig.transcript(), Some(clips::caller_monologue().text.as_str()));
}

#[test]
fn a_sign_of_listening_is_understood_as_such() {
    let mut rig = Rig::configured(config());

    rig.speak(&clips::caller_mhm().samples);
    rig.speak(&silence(700));
    rig.pass(ms(1_000));

    assert_eq!(rig.transcript(), Some(clips::caller_mhm().text.as_str()));
}
