//! The bridge: playout, interruption, response latency and DTMF of one call.

use super::virtual_call::{Call, answered, interrupted, item, ms, packet, played, sounding, voice};
use crate::{AgentEvent, BargeInPolicy, CallLimits, DecodeStep, Output, PlayedItem, SAMPLES};

#[test]
fn speech_is_queued_until_the_line_opens() {
    let mut call = Call::new(CallLimits::default(), BargeInPolicy::default());
    call.agent_says("r1", "greeting", 3);

    assert_eq!(call.bridge.poll_timeout(), None);
    call.bridge.open(call.start);

    assert_eq!(call.run_until(0), [Output::FirstAudio(ms(0)), voice()]);
    assert_eq!(call.run_until(60), [voice(), voice(), Output::Play(None)]);
}

#[test]
fn speech_silences_the_agent_within_a_frame() {
    let mut call = Call::open();
    call.agent_says("r1", "story", 100);
    call.run_until(99);

    call.does(AgentEvent::SpeechStarted);

    let outputs = call.run_until(140);
    assert_eq!(outputs[0], interrupted("story", 120, 2_000));
    assert!(matches!(outputs[1], Output::Play(Some(_))), "the faded end of the word");
    assert_eq!(outputs[2..], [Output::Play(None), Output::Play(None)]);
}

#[test]
fn late_audio_of_an_interrupted_response_is_dropped() {
    let mut call = Call::open();
    call.agent_says("r1", "story", 2);
    call.run_until(0);
    call.does(AgentEvent::SpeechStarted);
    call.run_until(60);

    call.agent_says("r1", "story", 5);
    assert_eq!(call.run_until(80), [Output::Play(None)]);
    call.agent_says("r2", "answer", 1);

    assert_eq!(call.run_until(100), [voice()]);
}

#[test]
fn a_response_interrupted_before_its_first_audio_stays_silent() {
    let mut call = Call::open();
    call.does(AgentEvent::ResponseStarted { response: "r1".into() });
    call.does(AgentEvent::SpeechStarted);
    call.run_until(0);

    call.agent_says("r1", "late", 5);

    assert_eq!(call.run_until(20), [interrupted("late", 0, 100), Output::Play(None)]);
    call.agent_says("r1", "late", 5);
    assert_eq!(call.run_until(40), [Output::Play(None)], "reported once");
}

#[test]
fn latency_is_measured_from_the_callers_stop_to_the_answers_first_frame() {
    let mut call = Call::open();
    call.agent_says("r1", "greeting", 1);
    call.does(AgentEvent::ItemDone { item: item("greeting") });
    call.run_until(100);

    call.does(AgentEvent::SpeechStopped);
    call.run_until(400);
    call.agent_says("r2", "answer", 1);

    assert_eq!(call.run_until(420), [answered(320, 0), voice()]);
}

#[test]
fn audio_goes_to_the_agent_whether_or_not_packets_come() {
    let mut call = Call::open();
    for n in 0..10_u16 {
        call.run_until(u64::from(n) * 20);
        call.bridge.handle_packet(packet(n, true), call.start + ms(u64::from(n) * 20));
    }
    call.run_until(1_000);

    let slots = std::iter::from_fn(|| call.bridge.poll_step()).collect::<Vec<_>>();

    assert_eq!(slots.len(), 47);
    assert_eq!(slots.iter().filter(|slot| matches!(slot, DecodeStep::Decode(_))).count(), 10);
}

#[test]
fn a_caller_who_talks_for_minutes_is_not_idle() {
    let mut call = Call::open();
    call.does(AgentEvent::SpeechStarted);
    let mut outputs = vec![];
    for second in 0..120 {
        call.bridge.note_liveness(call.start + ms(second * 1_000));
        outputs.extend(call.run_until(second * 1_000));
    }

    assert!(outputs.iter().all(|output| *output == Output::Play(None)));
}

#[test]
fn an_item_never_completed_does_not_block_the_next() {
    let mut call = Call::open();
    call.agent_says("r1", "first", 1);
    call.does(AgentEvent::ResponseDone { response: "r1".into() });
    call.agent_says("r2", "second", 1);

    let outputs = call.run_until(20);

    assert_eq!(outputs.iter().filter(|output| **output == voice()).count(), 2);
}

#[test]
fn an_item_played_to_its_end_is_reported_once() {
    let mut call = Call::open();
    call.agent_says("r1", "hello", 2);
    assert_eq!(call.events_until(100), [Output::FirstAudio(ms(0))], "more of it may come");
    assert!(call.bridge.is_playing());

    call.does(AgentEvent::ItemDone { item: item("hello") });

    assert_eq!(call.events_until(1_000), [played("hello")]);
    assert!(!call.bridge.is_playing());
}

#[test]
fn audio_after_the_end_of_its_item_is_dropped() {
    let mut call = Call::open();
    call.agent_says("r1", "hello", 2);
    call.does(AgentEvent::ItemDone { item: item("hello") });
    call.run_until(100);

    call.agent_says("r1", "hello", 2);
    call.does(AgentEvent::ResponseDone { response: "r1".into() });

    assert_eq!(call.run_until(140), [Output::Play(None), Output::Play(None)]);
}

#[test]
fn latency_includes_tool_time_and_reports_it_apart() {
    let mut call = Call::open();
    call.does(AgentEvent::SpeechStarted);
    call.run_until(1_000);
    call.does(AgentEvent::SpeechStopped);
    call.run_until(1_200);
    call.bridge.note_busy(true, call.now);
    call.run_until(1_900);
    call.bridge.note_busy(false, call.now);
    call.run_until(2_000);

    call.agent_says("r2", "answer", 1);

    assert_eq!(call.events_until(2_020), [Output::FirstAudio(ms(2_020)), answered(1_020, 700)]);
}

#[test]
fn speech_left_unfinished_by_a_replaced_session_blocks_nothing() {
    let mut call = Call::open();
    call.agent_says("r1", "half", 3);
    call.does(AgentEvent::SpeechStarted);
    call.agent_says("r2", "cut", 3);
    call.does(AgentEvent::SessionReplaced);

    let cut = Output::CutShort(PlayedItem { item: item("cut"), heard: ms(60), of: ms(60) });
    assert_eq!(call.events_until(100)[1..], [Output::FirstAudio(ms(0)), cut]);
    assert!(!call.bridge.is_playing());
    assert_eq!(
        call.events_until(20_100),
        [Output::IdlePrompt { times: 1 }],
        "the replaced session left no caller speaking"
    );
}

#[test]
fn dtmf_counts_once_the_line_is_open_and_resets_idle_prompts() {
    let mut call = Call::new(CallLimits::default(), BargeInPolicy::default());
    call.presses(1, 1);
    call.bridge.open(call.start);
    assert_eq!(call.events_until(19_000), []);

    call.presses(100, 4);
    call.presses(110, 2);
    let keyed = call.events_until(38_900);

    let [Output::Dtmf(keyed)] = &keyed[..] else { panic!("{keyed:?}") };
    assert_eq!((keyed.keys(), call.bridge.meter().keys), ("42", 2));
}

#[test]
fn the_echo_gate_is_closed_while_the_agent_speaks() {
    let mut call = Call::open_with(BargeInPolicy { echo_gate_dbfs: Some(-30.0), ..BargeInPolicy::default() });
    call.agent_answers("r1", "hello", 5);
    call.run_until(90);
    let mut through = |at| {
        call.run_until(at);
        let mut samples = [500; SAMPLES];
        call.bridge.gate(&mut samples, call.now);
        samples[0]
    };

    assert_eq!((through(90), through(299), through(301)), (0, 0, 500));
    assert_eq!(call.bridge.meter().gated, 2);
}

#[test]
fn speech_beyond_the_queue_of_five_minutes_is_cut_short() {
    let mut call = Call::open();
    call.agent_answers("r1", "saga", 50 * 301);

    let outputs = call.run_until(310_000);

    assert_eq!(sounding(&outputs), 50 * 300);
    let cut = |output: &&Output| matches!(output, Output::CutShort(heard) if heard.of == ms(301_000));
    assert_eq!(outputs.iter().filter(cut).count(), 1);
    assert_eq!(call.bridge.meter().dropped, ms(1_000));
}
