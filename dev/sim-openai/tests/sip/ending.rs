//! Calls that end: by hangup, by refer, by the clock. And what is held against clients once they have.

use super::*;
use sim_openai::sip::{CarrierEventKind, HungUpBy, SipFault};

#[tokio::test]
async fn a_hangup_ends_the_call_and_breaks_its_sockets() {
    let mut client = Client::start(quick()).await;
    let (call, mut sideband) = client.greeted(call()).await;

    assert_eq!(client.ask(&call, "hangup", Value::Null).await, (200, Value::Null));
    assert_eq!(client.ask(&call, "hangup", Value::Null).await.0, 404);

    assert_eq!(sideband.end().await, None);
    let ending = call.over(PATIENCE).await.unwrap();
    assert_eq!(ending.kind, CarrierEventKind::Bye(HungUpBy::Client));
    assert!(ending.at - call.report().requests[1].at <= ms(500));
    assert_eq!(client.trunk.complaints(), [] as [&str; 0]);
}

#[tokio::test]
async fn a_call_that_rings_cannot_be_hung_up_or_referred() {
    let mut client = Client::start(quick()).await;
    let (call, _) = client.rung(call()).await;

    assert_eq!(client.ask(&call, "hangup", Value::Null).await.1["error"]["code"], "call_id_not_found");
    assert_eq!(
        client.ask(&call, "refer", target("tel:+35621000001")).await.1["error"]["code"],
        "call_id_not_found"
    );
    assert!(call.report().ending().is_none());
}

#[tokio::test]
async fn the_service_may_fail_before_or_after_it_has_hung_up() {
    let mut client = Client::start(quick()).await;
    let (before, _) = client.watched(call().fault(SipFault::HangupFails)).await;
    let (after, _) = client.watched(call().fault(SipFault::HangupLost)).await;

    assert_eq!(client.ask(&before, "hangup", Value::Null).await.0, 500);
    assert!(before.report().ending().is_none());
    assert_eq!(client.ask(&before, "hangup", Value::Null).await.0, 200);
    assert_eq!(client.ask(&after, "hangup", Value::Null).await.0, 500);
    after.over(PATIENCE).await.unwrap();
    assert_eq!(client.ask(&after, "hangup", Value::Null).await.1["error"]["code"], "call_id_not_found");
    before.over(PATIENCE).await.unwrap();
    assert_eq!(client.trunk.complaints(), [] as [&str; 0]);
}

#[tokio::test]
async fn a_refer_takes_the_caller_elsewhere() {
    let mut client = Client::start(quick()).await;
    let (call, mut sideband) = client.watched(call()).await;

    assert_eq!(client.ask(&call, "refer", target("tel:+35621000001")).await, (200, Value::Null));

    assert_eq!(sideband.end().await, None);
    let report = call.report();
    let seen: Vec<&CarrierEventKind> = report.carrier.iter().map(|event| &event.kind).collect();
    assert_eq!(
        seen[2..],
        [&CarrierEventKind::Refer("tel:+35621000001".to_owned()), &CarrierEventKind::Bye(HungUpBy::Transfer)]
    );
    assert_eq!(client.trunk.complaints(), [] as [&str; 0]);
}

#[tokio::test]
async fn a_refer_takes_only_a_telephone_or_sip_uri() {
    let mut client = Client::start(quick()).await;
    let (call, _) = client.watched(call()).await;

    for body in
        [target("+35621000001"), target("tel:"), target("https://pbx.example"), json!({}), Value::Null]
    {
        assert_eq!(client.ask(&call, "refer", body.clone()).await.0, 400, "{body}");
    }
    assert_eq!(client.ask(&call, "refer", target("sip:agent@pbx.example")).await.0, 200);
}

#[tokio::test]
async fn a_refer_may_do_nothing_or_fail() {
    let mut client = Client::start(quick()).await;
    let (ignored, mut sideband) = client.watched(call().fault(SipFault::ReferIgnored)).await;
    let (failed, _) = client.watched(call().fault(SipFault::ReferFails)).await;

    assert_eq!(client.ask(&ignored, "refer", target("tel:+35621000001")).await.0, 200);
    assert_eq!(client.ask(&failed, "refer", target("tel:+35621000001")).await.0, 500);

    sideband.configure().await;
    for call in [ignored, failed] {
        let carrier = call.report().carrier;
        assert_eq!(carrier.last().unwrap().kind, CarrierEventKind::Answered);
    }
}

#[tokio::test]
async fn a_call_ends_with_the_longest_duration_of_its_session() {
    let mut client = Client::start(Config { longest: ms(1_500), ..quick() }).await;
    let (call, mut sideband) = client.watched(call()).await;

    assert_eq!(sideband.until("error").await["error"]["code"], "session_expired");
    assert_eq!(sideband.end().await, Some(1_001));
    assert_eq!(call.over(PATIENCE).await.unwrap().kind, CarrierEventKind::Bye(HungUpBy::Service));
}

#[tokio::test]
async fn what_was_not_decided_or_ended_is_held_against_the_client() {
    let mut client = Client::start(quick()).await;
    let (_rings, _) = client.rung(call()).await;
    let (talks, _) = client.watched(call()).await;

    assert_eq!(
        client.trunk.complaints(),
        ["call 0: it still rings", "call 1: it was accepted, and never ended"]
    );
    assert_eq!(client.ask(&talks, "accept", session()).await.0, 400);
    assert!(client.trunk.complaints()[1].starts_with("call 1: it was decided again"));
}

fn target(uri: &str) -> Value {
    json!({"target_uri": uri})
}
