//! Callers who leave: while it rings, in mid-call, and without anyone being told.

use super::*;
use sim_audio::clips;
use sim_openai::sip::{CarrierEventKind, HungUpBy, SipFault};
use std::time::Instant;

#[tokio::test]
async fn an_accept_of_a_caller_who_has_left_takes_long_and_fails() {
    let mut client = Client::start(quick()).await;
    let (call, _) = client.rung(call().fault(SipFault::CallerGone)).await;

    let asked = Instant::now();
    let (status, answer) = client.ask(&call, "accept", session()).await;

    assert_eq!((status, &answer["error"]["code"]), (404, &json!("call_id_not_found")));
    assert!(asked.elapsed() >= quick().sip.accept_of_a_gone_caller);
    assert_eq!(call.report().ending().unwrap().kind, CarrierEventKind::Cancelled);
    assert_eq!(client.trunk.complaints(), [] as [&str; 0]);
}

#[tokio::test]
async fn a_dead_session_speaks_to_no_one_and_nothing_tells() {
    let mut client = Client::start(quick()).await;

    let (call, mut sideband) = client.greeted(call().fault(SipFault::DeadSession)).await;
    call.say(&clips::caller_mhm());
    let events = sideband.passing("output_audio_buffer.stopped").await;

    assert_eq!(call.report().ending().unwrap().kind, CarrierEventKind::Cancelled);
    assert!(call.report().answered().is_none());
    assert!(!events.iter().any(|event| event["type"] == "input_audio_buffer.speech_started"));
    assert_eq!(client.ask(&call, "hangup", Value::Null).await.0, 200);
    assert_eq!(sideband.end().await, None);
    assert_eq!(client.trunk.complaints(), [] as [&str; 0]);
}

#[tokio::test]
async fn a_caller_may_give_up_after_a_while() {
    let mut client = Client::start(quick()).await;
    let spec = sim_openai::sip::CallSpec { rings_for: Some(ms(100)), ..call() };
    let (call, _) = client.rung(spec).await;

    assert_eq!(call.over(PATIENCE).await.unwrap().kind, CarrierEventKind::Cancelled);
    assert_eq!(client.ask(&call, "reject", Value::Null).await.0, 404);
}

#[tokio::test]
async fn a_caller_who_hangs_up_takes_the_last_transcript_along() {
    let mut client = Client::start(quick()).await;
    let (call, mut sideband) = client.greeted(call()).await;
    sideband.until("output_audio_buffer.stopped").await;

    call.say(&clips::caller_thanks());
    sideband.until("input_audio_buffer.committed").await;
    call.hang_up();

    loop {
        match sideband.next().await {
            Ok(event) => assert_ne!(event["type"], "conversation.item.input_audio_transcription.completed"),
            Err(end) => break assert_eq!(end, None),
        }
    }
    assert_eq!(call.report().ending().unwrap().kind, CarrierEventKind::Bye(HungUpBy::Caller));
    for (action, body) in [("hangup", Value::Null), ("refer", json!({"target_uri": "tel:+35621000001"}))] {
        let (status, answer) = client.ask(&call, action, body).await;
        assert!([404, 400].contains(&status), "{status}");
        assert_eq!(answer["error"]["code"], "call_id_not_found");
    }
}

#[tokio::test]
async fn that_a_call_is_over_is_said_by_either_status() {
    let mut client = Client::start(quick()).await;
    let (call, _) = client.watched(call()).await;
    call.hang_up();

    let statuses =
        [client.ask(&call, "hangup", Value::Null).await.0, client.ask(&call, "hangup", Value::Null).await.0];

    assert_eq!(statuses, [404, 400]);
    assert_eq!(client.trunk.complaints(), ["call 0: it was hung up again after its end"]);
}

#[tokio::test]
async fn a_caller_may_hang_up_in_an_answer() {
    let mut client = Client::start(quick()).await;
    let (call, mut sideband) = client.greeted(call().fault(SipFault::HangsUpInAnswer)).await;
    sideband.until("output_audio_buffer.stopped").await;

    call.say(&clips::caller_question());

    assert_eq!(sideband.end().await, None);
    assert_eq!(call.report().ending().unwrap().kind, CarrierEventKind::Bye(HungUpBy::Caller));
}

#[tokio::test]
async fn the_service_may_lose_a_call_that_goes_on_for_the_carrier() {
    let mut client = Client::start(quick()).await;
    let (call, mut sideband) = client.greeted(call().fault(SipFault::LosesCall)).await;
    sideband.until("output_audio_buffer.stopped").await;

    call.say(&clips::caller_question());

    assert_eq!(sideband.end().await, None);
    assert!(call.report().ending().is_none());
    assert_eq!(client.ask(&call, "hangup", Value::Null).await.0, 404);
    assert_eq!(client.attach(&call).await.unwrap_err(), 404);
    assert_eq!(client.trunk.complaints(), [] as [&str; 0]);
}
