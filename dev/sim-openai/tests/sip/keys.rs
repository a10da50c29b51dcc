//! Keys of the telephone: while no one speaks, and while the agent does.

use super::*;

#[tokio::test]
async fn keys_come_with_and_without_an_event_id() {
    let mut client = Client::start(quick()).await;
    let (call, mut sideband) = client.watched(call()).await;

    call.press("4*");

    let keys = [sideband.until(KEY).await, sideband.until(KEY).await];
    assert_eq!([&keys[0]["event"], &keys[1]["event"]], ["4", "*"]);
    assert_eq!(keys.iter().filter(|key| key["event_id"].is_string()).count(), 1);
    assert!(keys.iter().all(|key| key["received_at"].is_u64()));
}

#[tokio::test]
async fn keys_are_heard_while_the_agent_speaks_and_interrupt_nothing() {
    let mut client = Client::start(quick()).await;
    let (call, mut sideband) = client.greeted(call()).await;

    call.press("7");
    sideband.until(KEY).await;

    assert!(call.report().agent_is_speaking());
    sideband.until("output_audio_buffer.stopped").await;
}

const KEY: &str = "input_audio_buffer.dtmf_event_received";
