//! Sideband sockets: when they open, what they carry, and that the call outlives them.

use super::*;
use sim_audio::clips;
use sim_audio::hearing::{HEARD, find};
use sim_openai::sip::SipFault;

#[tokio::test]
async fn a_caller_is_greeted() {
    let mut client = Client::start(quick()).await;
    let (call, mut sideband) = client.greeted(call()).await;

    let started = call.agent_speaks(PATIENCE).await.unwrap();
    sideband.until("output_audio_buffer.stopped").await;

    let lasted = call.report().agent[0].stopped.unwrap() - started;
    assert!(lasted.abs_diff(clips::agent_greeting().duration()) < ms(100), "{lasted:?}");
    let heard = find(&clips::agent_greeting().samples, &call.heard_by_caller()).unwrap();
    assert!(heard.correlation > HEARD, "{heard:?}");
    assert!(client.violations(&call).is_empty());
}

#[tokio::test]
async fn a_sideband_opens_only_while_the_call_goes_on() {
    let sip = SipConfig { sideband_opens: ms(300)..ms(301), ..quick().sip };
    let mut client = Client::start(Config { sip, ..quick() }).await;
    let (call, _) = client.rung(call()).await;

    assert_eq!(client.attach(&call).await.unwrap_err(), 404, "before the accept");
    client.ask(&call, "accept", session()).await;
    assert_eq!(client.attach(&call).await.unwrap_err(), 404, "right after it");
    tokio::time::sleep(ms(310)).await;
    let mut sideband = client.attach(&call).await.unwrap();
    call.hang_up();
    sideband.end().await;
    assert_eq!(client.attach(&call).await.unwrap_err(), 404, "after the end");
}

#[tokio::test]
async fn a_sideband_needs_the_key() {
    let mut client = Client::start(quick()).await;
    let (call, _) = client.watched(call()).await;

    let mut refused = client.attach_with(&call, "sk-other").await.unwrap();

    assert_eq!(refused.until("error").await["error"]["code"], "invalid_api_key");
    assert_eq!(refused.end().await, Some(3_000));
}

#[tokio::test]
async fn every_socket_gets_every_event_and_no_sound() {
    let mut client = Client::start(quick()).await;
    let (call, mut first) = client.watched(call()).await;
    let mut second = client.attach(&call).await.unwrap();
    second.until("session.created").await;

    first.send(json!({"type": "response.create"})).await;

    let mut both = vec![];
    for sideband in [&mut first, &mut second] {
        let mut events = sideband.passing("output_audio_buffer.stopped").await;
        events.retain(|event| event["type"] != "conversation.created");
        both.push(events);
    }
    assert_eq!(both[0], both[1]);
    let kinds: Vec<&str> = both[0].iter().filter_map(|event| event["type"].as_str()).collect();
    assert!(kinds.contains(&"response.output_audio_transcript.delta") && kinds.contains(&"response.done"));
    assert!(!kinds.contains(&"response.output_audio.delta"), "{kinds:?}");
}

#[tokio::test]
async fn a_client_may_not_touch_the_sound() {
    let mut client = Client::start(quick()).await;
    let (call, mut sideband) = client.watched(call()).await;

    for event in [
        json!({"type": "input_audio_buffer.append", "audio": ""}),
        json!({"type": "input_audio_buffer.commit"}),
        json!({"type": "conversation.item.truncate", "item_id": "item_1", "content_index": 0, "audio_end_ms": 0}),
        json!({"type": "session.update", "session": {"instructions": "Be brief."}}),
    ] {
        sideband.send(event).await;
        sideband.until("error").await;
    }
    assert_eq!(client.violations(&call).len(), 4);
}

#[tokio::test]
async fn a_call_outlives_its_sockets_and_is_not_greeted_again() {
    let mut client = Client::start(quick()).await;
    let (call, mut sideband) = client.greeted(call()).await;

    call.drop_sockets();
    assert_eq!(sideband.end().await, None, "there is no close frame");
    let mut again = client.attach(&call).await.unwrap();
    let created = again.until("session.created").await;
    again.until("output_audio_buffer.stopped").await;

    assert_eq!(created["session"]["instructions"], "Be brief.", "the session is the same");
    assert!(call.report().ending().is_none());
    assert!(client.violations(&call).is_empty());
    again.send(json!({"type": "response.create", "response": {"instructions": "Greet."}})).await;
    again.until("response.created").await;
    assert_eq!(client.violations(&call).len(), 1);
}

#[tokio::test]
async fn a_client_that_leaves_ends_nothing() {
    let mut client = Client::start(quick()).await;
    let (call, mut sideband) = client.greeted(call()).await;

    sideband.socket.close(None).await.unwrap();
    sideband.end().await;
    call.agent_falls_silent(PATIENCE).await.unwrap();

    assert!(call.report().ending().is_none());
    assert_eq!(client.trunk.complaints(), ["call 0: it was accepted, and never ended"]);
}

#[tokio::test]
async fn a_sideband_may_be_late_and_may_break_in_an_answer() {
    let mut client = Client::start(quick()).await;
    let (late, _) = client.rung(call().fault(SipFault::LateSideband)).await;
    client.ask(&late, "accept", session()).await;
    assert_eq!(client.attach(&late).await.unwrap_err(), 404);

    let (call, mut sideband) = client.greeted(call().fault(SipFault::SidebandDrops)).await;
    call.agent_falls_silent(PATIENCE).await.unwrap();
    call.say(&clips::caller_question());
    assert_eq!(sideband.end().await, None);

    assert!(call.report().agent_is_speaking());
    let mut again = client.attach(&call).await.unwrap();
    again.until("output_audio_buffer.stopped").await;
    client.attach(&late).await.expect("two seconds have passed");
}
