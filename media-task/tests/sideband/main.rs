//! Telephone calls through a real media task, which holds the sideband of each at OpenAI.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod lookups;
mod stage;

use serde_json::json;
use sim_audio::{Clip, clips};
use sim_openai::sip::{Action, CallSpec, CarrierEventKind, HungUpBy, PlacedCall};
use sim_openai::{Config, Reply, Script};
use stage::{PATIENCE, Stage, text};
use std::time::Duration;

#[tokio::test]
async fn a_call_is_greeted_answered_and_ended_by_the_agent() {
    let goodbye = Reply::speech(clips::agent_goodbye()).and_call("end_call", "{}");
    let stage = Stage::start(saying([Reply::speech(clips::agent_answer()), goodbye])).await;
    assert_eq!(stage.lease().await["lines"], json!(["sip"]));

    let call = stage.call(spec()).await;
    call.answered(PATIENCE).await.unwrap();
    hears(&call).await;
    call.say(&clips::caller_question());
    hears(&call).await;
    call.say(&clips::caller_thanks());
    let over = call.over(PATIENCE).await.unwrap();

    assert_eq!(over.kind, CarrierEventKind::Bye(HungUpBy::Client));
    let report = call.report();
    let stopped = report.agent.last().and_then(|speech| speech.stopped).unwrap();
    let hung_up = report.requests_for(Action::Hangup).next().unwrap().at;
    assert!(hung_up >= stopped + Duration::from_millis(250), "the goodbye is heard to its end");
    assert_heard(&call, &[clips::agent_greeting(), clips::agent_answer(), clips::agent_goodbye()]);
    assert_eq!(stage.ending().await, "agent_said_goodbye");
    let turn = stage.entry("WA_CALL_TURN").await;
    assert!((200..3_000).contains(&turn["took_ms"].as_u64().unwrap()), "{turn}");
    let events = stage.events().await;
    for event in
        ["WA_CALL_AGENT_READY", "WA_CALL_OPENED", "WA_CALL_FIRST_WORD", "WA_CALL_TOOL", "WA_CALL_USAGE"]
    {
        assert!(events.iter().any(|known| known == event), "{event}: {events:?}");
    }
    for absent in ["WA_CALL_MEDIA", "WA_CALL_MEDIA_CONNECTED", "WA_CALL_MEDIA_VERDICT"] {
        assert!(!events.iter().any(|known| known == absent), "{absent}: {events:?}");
    }
    stage.assert_clean(&call);
}

#[tokio::test]
async fn a_caller_who_speaks_over_the_agent_is_answered() {
    let stage =
        Stage::start(saying([Reply::speech(clips::agent_long()), Reply::speech(clips::agent_closing())]))
            .await;
    let call = stage.call(spec()).await;
    hears(&call).await;
    call.say(&clips::caller_directions());
    call.agent_speaks(PATIENCE).await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;

    call.say(&clips::caller_interrupts());
    hears(&call).await;
    hears(&call).await;

    let cut = stage.entry("WA_CALL_INTERRUPTED").await;
    let heard = cut["heard_ms"].as_u64().unwrap();
    assert!((500..8_000).contains(&heard), "{cut}");
    assert!(cut.get("of_ms").is_none(), "OpenAI alone knows: {cut}");
    assert_heard(&call, &[clips::agent_closing()]);
    hang_up(&stage, &call).await;
}

#[tokio::test]
async fn keys_interrupt_and_reach_the_model() {
    let script = Script::new(Reply::speech(clips::agent_greeting()), [Reply::speech(clips::agent_long())])
        .on_message("keypad: 427", Reply::speech(clips::agent_keys()));
    let stage = Stage::start(Config { script, ..config() }).await;
    let call = stage.call(spec()).await;
    call.agent_speaks(PATIENCE).await.unwrap();

    call.press("427#");
    hears(&call).await;
    hears(&call).await;

    assert_eq!(stage.entry("WA_CALL_KEYS").await["count"], 3);
    assert!(stage.received(&call, "output_audio_buffer.clear") > 0);
    assert_heard(&call, &[clips::agent_keys()]);
    hang_up(&stage, &call).await;
}

#[tokio::test]
async fn a_tool_is_used_during_the_call() {
    let message = json!({"message": "Please call back."}).to_string();
    let reply = Reply::call("take_message", &message, Reply::speech(clips::agent_order()));
    let stage = Stage::start(saying([reply])).await;
    let call = stage.call_with(spec(), json!({"fence": 2})).await;
    hears(&call).await;

    call.say(&clips::caller_order());
    hears(&call).await;

    assert_eq!(text(&stage.entry("WA_CALL_TOOL").await, "tool"), "take_message");
    assert_heard(&call, &[clips::agent_order()]);
    hang_up(&stage, &call).await;
    // The first task of this call may have written numbers 0 and 1.
    assert_eq!(text(&stage.item("LEFT#010001").await, "message"), "Please call back.");
    assert_eq!(text(&stage.item("LINE#010000").await, "speaker"), "agent");
}

#[tokio::test]
async fn what_a_caller_leaves_is_for_the_outbox_to_deliver() {
    let message = json!({"message": "Please call back."}).to_string();
    let reply = Reply::call("take_message", &message, Reply::speech(clips::agent_order()));
    let stage = Stage::start(saying([reply])).await;
    let file = "name = 'shop'\ninstructions = 'x'\ngreeting.say = 'Hello.'\n[tools]\nallowed_hosts = ['shop.example']\n\
                take_message = true\n[after]\nurl = 'https://shop.example/calls'\nsign_with = 'shop'\n\
                on = ['message.taken', 'call.ended']\n";
    let call = stage.call_with(spec(), json!({"agent": file})).await;
    hears(&call).await;

    call.say(&clips::caller_order());
    hears(&call).await;

    let event = stage.item("AFTER#message.taken#000001").await;
    assert_eq!((text(&event, "of"), text(&event, "agent")), ("LEFT#000001".into(), "shop".into()), "{event}");
    assert_eq!(text(&stage.item("LEFT#000001").await, "message"), "Please call back.");
    stage.delivers().await;
    hang_up(&stage, &call).await;
    assert!(
        stage.item("AFTER#call.ended").await.get("concluded_1").is_some(),
        "the task has written its summary"
    );
}

#[tokio::test]
async fn a_lost_sideband_is_attached_again_without_a_second_greeting() {
    let stage = Stage::start(saying([Reply::speech(clips::agent_answer())])).await;
    let call = stage.call(spec()).await;
    call.agent_speaks(PATIENCE).await.unwrap();

    call.drop_sockets();
    let back = stage.entry("WA_CALL_SIDEBAND_BACK").await;
    call.agent_falls_silent(PATIENCE).await.unwrap();
    call.say(&clips::caller_question());
    hears(&call).await;

    assert!(back["took_ms"].as_u64().unwrap() < 10_000, "{back}");
    assert_eq!(stage.received(&call, "response.create"), 1, "the greeting's alone");
    assert_heard(&call, &[clips::agent_greeting(), clips::agent_answer()]);
    hang_up(&stage, &call).await;
}

#[tokio::test]
async fn a_caller_who_hangs_up_ends_the_call() {
    let stage = Stage::start(config()).await;
    let call = stage.call(spec()).await;
    hears(&call).await;

    hang_up(&stage, &call).await;

    assert_eq!(call.report().requests_for(Action::Hangup).count(), 0, "there is nothing to hang up");
}

#[tokio::test]
async fn a_call_taken_over_ends_by_its_longest_duration_since_the_accept() {
    let stage = Stage::start(saying([Reply::speech(clips::agent_goodbye())])).await;
    let call = stage.accepted(spec()).await;

    stage.hand_over(&call, Duration::from_secs(31 * 60), false).await;

    assert_eq!(stage.ending().await, "took_too_long");
    assert_eq!(call.over(PATIENCE).await.unwrap().kind, CarrierEventKind::Bye(HungUpBy::Client));
    assert_eq!(stage.received(&call, "response.create"), 1, "the goodbye's alone");
    stage.assert_clean(&call);
}

#[tokio::test]
async fn a_caller_who_left_a_call_without_a_task_hung_up() {
    let stage = Stage::start(config()).await;
    let call = stage.accepted(spec()).await;
    call.hang_up();

    stage.hand_over(&call, Duration::from_secs(20), false).await;

    assert_eq!(stage.ending().await, "caller_hung_up");
    assert_eq!(stage.trunk.complaints(), Vec::<String>::new());
}

#[tokio::test]
async fn a_caller_whom_no_task_has_greeted_is_greeted_by_the_next() {
    let stage = Stage::start(config()).await;
    let call = stage.accepted(spec()).await;

    stage.hand_over(&call, Duration::from_secs(3), true).await;

    hears(&call).await;
    assert_heard(&call, &[clips::agent_greeting()]);
    hang_up(&stage, &call).await;
}

#[tokio::test]
async fn an_offer_without_openais_call_is_refused() {
    let stage = Stage::start(config()).await;
    let offer = json!({"fence": 1, "version": 2, "number": "malta", "line": "sip", "offer": "",
        "rang_at_ms": 0, "ring_deadline_ms": 0});

    assert_eq!(stage.offer("call-1", &offer).await.0, 503);
}

/// Waits until the agent has spoken and is silent.
async fn hears(call: &PlacedCall) {
    call.agent_speaks(PATIENCE).await.unwrap();
    call.agent_falls_silent(PATIENCE).await.unwrap();
}

/// Has the caller hang up, which ends the call without a request of ours.
async fn hang_up(stage: &Stage, call: &PlacedCall) {
    call.hang_up();
    assert_eq!(stage.ending().await, "caller_hung_up");
    stage.assert_clean(call);
}

fn assert_heard(call: &PlacedCall, clips: &[Clip]) {
    let heard = call.heard_by_caller();
    for clip in clips {
        let found = sim_audio::hearing::find(&clip.samples, &heard).unwrap();
        assert!(found.correlation > 0.9, "{}: {found:?}", clip.name);
    }
}

fn saying(answers: impl IntoIterator<Item = Reply>) -> Config {
    Config { script: Script::new(Reply::speech(clips::agent_greeting()), answers), ..config() }
}

fn config() -> Config {
    Config::new("sk-test")
}

fn spec() -> CallSpec {
    CallSpec::new("+35699000001", "+35621000000")
}
