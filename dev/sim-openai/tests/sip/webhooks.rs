//! Webhooks: signed, timed, repeated, and full of surprises.

use super::webhook::{OLD_SECRET, SECRET, Webhook};
use super::*;
use sim_openai::Realtime;
use sim_openai::sip::{SipFault, WebhookEndpoint};
use std::time::{SystemTime, UNIX_EPOCH};

#[tokio::test]
async fn a_call_is_announced_as_the_standard_says() {
    let mut client = Client::start(quick()).await;

    let (call, delivered) = client.rung(call().header("X-Ahoy-Key", "a key")).await;

    assert!(delivered.is_signed_with(SECRET) && !delivered.is_signed_with(OLD_SECRET));
    assert!(delivered.header("user-agent").starts_with("OpenAI/1.0"));
    assert!(delivered.header("webhook-id").starts_with("wh_"));
    let event = delivered.event();
    let created_at = event["created_at"].as_u64().unwrap();
    assert!(unix_now() - created_at <= 1);
    assert_eq!((&event["type"], &event["object"]), (&json!("realtime.call.incoming"), &json!("event")));
    assert_eq!(event["data"]["sip_media_security"], "srtp");
    assert!(call.id().starts_with("rtc_"));
    assert_eq!(header(&event, "From"), Some(format!("<sip:{CALLER}@sip.example.net>;tag=a1")));
    assert_eq!(header(&event, "X-Ahoy-Key").as_deref(), Some("a key"));
}

#[tokio::test]
async fn what_is_not_taken_comes_again_with_the_same_id() {
    let mut client = Client::start(quick()).await;
    client.webhook.answer([500, 302]);

    let (call, first) = client.rung(call()).await;
    let (second, third) = (client.webhook.next().await, client.webhook.next().await);

    let ids = [&first, &second, &third].map(|delivered| delivered.header("webhook-id").to_owned());
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert!(second.is_signed_with(SECRET) && third.is_signed_with(SECRET));
    assert_eq!(first.body, third.body);
    let all = |report: &sim_openai::sip::CallReport| {
        (report.deliveries.len() == 3).then(|| report.deliveries.clone())
    };
    let deliveries = call.wait_until("three deliveries", PATIENCE, all).await.unwrap();
    assert_eq!(deliveries.iter().map(|d| d.status).collect::<Vec<_>>(), [Some(500), Some(302), Some(200)]);
    let pauses = deliveries.windows(2).map(|two| two[1].at - two[0].answered_at);
    assert!(pauses.zip([ms(50), ms(100)]).all(|(pause, wanted)| pause >= wanted));
}

#[tokio::test]
async fn an_endpoint_that_does_not_answer_has_failed() {
    let sip = SipConfig { webhook_patience: ms(100), retries_for: ms(60), ..quick().sip };
    let mut client = Client::start(Config { sip, ..quick() }).await;
    // It takes connections, and never answers one.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/openai", silent.local_addr().unwrap());
    client.trunk.add_endpoint(WebhookEndpoint::on_loopback(url, SECRET)).unwrap();

    let (call, _) = client.rung(call()).await;

    let both = |report: &sim_openai::sip::CallReport| {
        (report.deliveries.len() == 2).then(|| report.deliveries.clone())
    };
    let deliveries = call.wait_until("both deliveries", PATIENCE, both).await.unwrap();
    assert!(deliveries.iter().any(|delivery| delivery.status.is_none()));
}

#[tokio::test]
async fn two_secrets_sign_during_a_rotation() {
    let mut client = Client::start(quick()).await;
    let endpoint = WebhookEndpoint::on_loopback(&client.webhook.url, SECRET).with_old_secret(OLD_SECRET);
    client.trunk.set_endpoints(vec![endpoint]).unwrap();

    let (_, delivered) = client.rung(call()).await;

    assert!(delivered.is_signed_with(SECRET) && delivered.is_signed_with(OLD_SECRET));
}

#[tokio::test]
async fn an_endpoint_without_tls_is_refused() {
    let realtime = Realtime::start(quick()).await.unwrap();

    let refused = realtime.trunk().add_endpoint(WebhookEndpoint::new("http://ahoy.example/openai", SECRET));

    assert!(refused.is_err());
}

#[tokio::test]
async fn every_endpoint_of_the_project_hears_of_a_call() {
    let mut client = Client::start(quick()).await;
    let mut other = Webhook::open().await;
    client.trunk.add_endpoint(WebhookEndpoint::on_loopback(&other.url, OLD_SECRET)).unwrap();

    let (_, delivered) = client.rung(call()).await;
    let elsewhere = other.next().await;

    assert_eq!(delivered.event(), elsewhere.event());
    assert!(elsewhere.is_signed_with(OLD_SECRET) && !elsewhere.is_signed_with(SECRET));
}

#[tokio::test]
async fn a_webhook_may_come_twice() {
    for fault in [SipFault::WebhookTwice, SipFault::WebhookAgain] {
        let mut client = Client::start(quick()).await;

        let (_, first) = client.rung(call().fault(fault)).await;
        let second = client.webhook.next().await;

        assert_eq!(first.header("webhook-id"), second.header("webhook-id"), "{fault:?}");
        assert_eq!(first.body, second.body);
    }
}

#[tokio::test]
async fn a_webhook_that_was_lost_comes_later() {
    let mut client = Client::start(quick()).await;

    let (call, _) = client.rung(call().fault(SipFault::WebhookLost)).await;

    let attempts: Vec<_> = call.report().deliveries.iter().map(|delivery| delivery.attempt).collect();
    assert!(attempts.iter().all(|attempt| *attempt == 2), "{attempts:?}");
}

#[tokio::test]
async fn a_test_event_and_events_of_other_types_come_before_a_call() {
    let before = |fault| async move {
        let config = Config { fault: Some(sim_openai::InjectedFault::Sip(fault)), ..quick() };
        let mut client = Client::start(config).await;
        let call = client.trunk.ring(call());
        let mut events = vec![];
        while !events.iter().any(|event: &Value| event["data"]["call_id"] == call.id()) || events.len() < 2 {
            let delivered = client.webhook.next().await;
            assert!(delivered.is_signed_with(SECRET));
            events.push(delivered.event());
        }
        events
    };

    let tested = before(SipFault::TestEvent).await;
    let others = before(SipFault::OtherEvents).await;

    assert!(tested.iter().any(|event| event["data"] == json!({})));
    assert!(others.iter().any(|event| event["type"] != "realtime.call.incoming"));
}

#[tokio::test]
async fn headers_may_be_hard_to_read_and_fields_new() {
    let mut client = Client::start(quick()).await;

    let (_, odd) = client.rung(call().fault(SipFault::OddHeaders)).await;
    let (_, new) = client.rung(call().fault(SipFault::NewFields)).await;
    let (_, withheld) = client.rung(call().fault(SipFault::Withheld)).await;
    let (_, plain) = client.rung(call().fault(SipFault::PlainRtp)).await;

    let (odd, new) = (odd.event(), new.event());
    assert!(header(&odd, "f").unwrap().contains("\r\n "), "a folded value");
    let repeated =
        odd["data"]["sip_headers"].as_array().unwrap().iter().filter(|header| header["name"] == "v");
    assert_eq!(repeated.count(), 2);
    assert!(new["data"]["sip_transport"].is_object() && new["data"]["sip_media_security"] == "zrtp");
    assert!(header(&withheld.event(), "From").unwrap().contains("anonymous@anonymous.invalid"));
    assert_eq!(plain.event()["data"]["sip_media_security"], "rtp");
}

#[tokio::test]
async fn a_stale_webhook_tells_of_a_call_that_is_long_dead() {
    let mut client = Client::start(quick()).await;

    let (call, delivered) = client.rung(call().fault(SipFault::Stale)).await;

    let timestamp: u64 = delivered.header("webhook-timestamp").parse().unwrap();
    assert!(timestamp - delivered.event()["created_at"].as_u64().unwrap() >= 3_600);
    assert_eq!(client.ask(&call, "accept", session()).await.0, 404);
    assert_eq!(client.trunk.complaints(), ["call 0: accept after its end"]);
}

fn header(event: &Value, name: &str) -> Option<String> {
    let headers = event["data"]["sip_headers"].as_array()?;
    headers.iter().find(|header| header["name"] == name)?["value"].as_str().map(str::to_owned)
}

fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
