//! OpenAI's events of incoming calls: what is accepted, recorded, and handed to call-control.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod stage;

use openai_calls::signature::sign;
use serde_json::{Value, json};
use service::time::now_ms;
use stage::{Cloud, Stage};
use store::{LoadedCall, StoredAgent, StoredCall, call_ref};
use switchboard::intake::KnownNumbers;

const SECRET: &str = "whsec_YWhveS10ZXN0LXNlY3JldC0wMTIzNDU2Nzg5YWJjZGVm";

const OLD_SECRET: &str = "whsec_YWhveS1vbGQtLXNlY3JldC0wMTIzNDU2Nzg5YWJjZGVm";

#[tokio::test]
async fn a_call_to_a_named_number_rings() {
    let stage = ready().await;

    assert_eq!(stage_post(&stage, "wh_1", &incoming("rtc_1", "trunk key", 0)).await, 200);

    assert_eq!(stage.cloud.requests(), ["GetItem", "GetItem", "TransactWriteItems", "Invoke"]);
    let call = stored(&stage, "rtc_1").await;
    assert_eq!((call.number.as_str(), call.is_untrusted), ("malta", false));
    assert_eq!(
        (call.realtime_call.as_deref(), call.caller_number.as_deref()),
        (Some("rtc_1"), Some("35699000001"))
    );
    let details = call.caller_details();
    assert_eq!(
        (details.name.as_deref(), details.called_number.as_deref()),
        (Some("Asha"), Some("35621000000"))
    );
    assert!(!details.number_verified, "the carrier passes on what it was sent");
    let item = stage.cloud.items().await.into_iter().find(|item| item["sk"] == "STATE").unwrap();
    assert!(
        item.get("wacid").is_none() && item.get("offer").is_none(),
        "functions of the previous release cannot read it"
    );
    assert_eq!(stage.cloud.events().await, ["WA_CALL_CONNECT"]);
    let entries = stage.cloud.items().await.into_iter().filter(|item| item.get("event").is_some());
    assert!(
        entries.into_iter().all(|entry| !entry.to_string().contains("35621000000")),
        "the number is named, not shown"
    );
}

#[tokio::test]
async fn a_call_without_the_trunks_key_is_to_be_rejected() {
    let stage = ready().await;
    for (id, key) in [("rtc_1", "forged"), ("rtc_2", "")] {
        assert_eq!(stage_post(&stage, id, &incoming(id, key, 0)).await, 200);

        let call = stored(&stage, id).await;
        let known = (call.is_untrusted, call.caller_number, call.details);
        assert_eq!(known, (true, None, None), "its headers count for nothing");
    }
    assert_eq!(stage_post(&stage, "wh_3", &incoming("rtc_3", "older trunk key", 0)).await, 200);
    assert!(!stored(&stage, "rtc_3").await.is_untrusted);
}

#[tokio::test]
async fn a_new_trunk_key_is_right_at_once() {
    let stage = ready().await;
    stage_post(&stage, "wh_1", &incoming("rtc_1", "trunk key", 0)).await;
    stage.cloud.change_key("sip_trunk_key", json!("new trunk key"));

    assert_eq!(stage_post(&stage, "wh_2", &incoming("rtc_2", "new trunk key", 0)).await, 200);

    assert!(!stored(&stage, "rtc_2").await.is_untrusted);
}

#[tokio::test]
async fn without_a_trunk_key_only_an_open_line_trusts_a_call() {
    for (is_open, is_untrusted) in [(false, true), (true, false)] {
        let cloud = Cloud::start().await;
        for name in ["sip_trunk_key", "sip_trunk_key_old"] {
            cloud.change_key(name, json!(""));
        }
        let stage = Stage::with_sip(cloud, KnownNumbers::WithAgents, is_open).await.unwrap();
        name_number(&stage).await;

        assert_eq!(stage_post(&stage, "wh_1", &incoming("rtc_1", "any", 0)).await, 200);

        assert_eq!(stored(&stage, "rtc_1").await.is_untrusted, is_untrusted, "open: {is_open}");
    }
}

#[tokio::test]
async fn the_first_trunk_key_closes_an_open_line_at_once() {
    let cloud = Cloud::start().await;
    for name in ["sip_trunk_key", "sip_trunk_key_old"] {
        cloud.change_key(name, json!(""));
    }
    let stage = Stage::with_sip(cloud, KnownNumbers::WithAgents, true).await.unwrap();
    name_number(&stage).await;
    stage.cloud.change_key("sip_trunk_key", json!("first trunk key"));

    assert_eq!(stage_post(&stage, "wh_1", &incoming("rtc_1", "", 0)).await, 200);

    assert!(stored(&stage, "rtc_1").await.is_untrusted);
}

#[tokio::test]
async fn refuses_what_openai_did_not_sign_now_and_stores_nothing() {
    let stage = ready().await;
    let body = incoming("rtc_1", "trunk key", 0).to_string();
    let now = now_ms() / 1_000;
    let at = |seconds: u64| seconds.to_string();
    let signed = |timestamp: &str| sign("wh_1", timestamp, body.as_bytes(), SECRET).unwrap();
    let event = |id: &str, timestamp: &str, signature: &str| delivery(id, timestamp, signature, &body);

    for (status, event) in [
        (401, event("wh_1", &at(now), "v1,AAAA")),
        (401, event("wh_2", &at(now), &signed(&at(now)))),
        (401, event("wh_1", &at(now - 1), &signed(&at(now)))),
        (401, event("wh_1", &at(now - 301), &signed(&at(now - 301)))),
        (401, event("wh_1", &at(now + 302), &signed(&at(now + 302)))),
        (401, event("", "", "")),
        (405, {
            let mut get = event("wh_1", &at(now), "");
            get["requestContext"]["http"]["method"] = json!("GET");
            get
        }),
        (413, delivery("wh_1", &at(now), "", &"x".repeat(64 * 1024 + 1))),
    ] {
        assert_eq!(stage.send(event).await.status().as_u16(), status);
    }

    assert!(stage.cloud.requests().iter().all(|request| request == "GetSecretValue"));
}

#[tokio::test]
async fn either_webhook_secret_will_do() {
    let stage = ready().await;
    for (secret, id) in [(SECRET, "rtc_1"), (OLD_SECRET, "rtc_2")] {
        let (body, now) = (incoming(id, "trunk key", 0).to_string(), (now_ms() / 1_000).to_string());
        let signature = format!("v1a,AAAA {}", sign(id, &now, body.as_bytes(), secret).unwrap());

        assert_eq!(stage.send(delivery(id, &now, &signature, &body)).await.status().as_u16(), 200);
    }
    assert_eq!(stage.cloud.events().await, ["WA_CALL_CONNECT", "WA_CALL_CONNECT"]);
}

#[tokio::test]
async fn a_redelivered_call_that_was_not_taken_up_is_handed_over_again() {
    let stage = ready().await;
    let event = incoming("rtc_1", "trunk key", 0);
    stage_post(&stage, "wh_1", &event).await;
    for id in ["wh_1", "wh_2"] {
        stage.cloud.forget_requests();
        assert_eq!(stage_post(&stage, id, &event).await, 200);
        assert_eq!(stage.cloud.requests().iter().filter(|request| *request == "Invoke").count(), 1, "{id}");
    }
    let late = incoming("rtc_1", "trunk key", 60);
    stage.cloud.forget_requests();
    assert_eq!(stage_post(&stage, "wh_3", &late).await, 200);
    assert_eq!(stage.cloud.requests().last().unwrap(), "Invoke", "it must be rejected in the end");

    let mut call = stored(&stage, "rtc_1").await;
    (call.call, _) = call::step(call.call, call::CallEvent::Tick, call::Timestamp(now_ms()));
    stage.store().save_call(&mut call, &[], vec![], None).await.unwrap().unwrap();
    for id in ["wh_1", "wh_4"] {
        stage.cloud.forget_requests();
        assert_eq!(stage_post(&stage, id, &event).await, 200);
        assert!(!stage.cloud.requests().contains(&"Invoke".to_owned()), "call-control has it");
    }
}

#[tokio::test]
async fn an_old_event_is_recorded_and_never_accepted() {
    let stage = ready().await;

    let late = incoming("rtc_2", "trunk key", 7);
    assert_eq!(stage_post(&stage, "wh_1", &incoming("rtc_1", "trunk key", 11)).await, 200);
    assert_eq!(stage_post(&stage, "wh_2", &late).await, 200);
    let mut ahead = incoming("rtc_3", "trunk key", 0);
    ahead["created_at"] = json!(now_ms() / 1_000 + 13);
    assert_eq!(stage_post(&stage, "wh_3", &ahead).await, 200);

    for id in ["rtc_1", "rtc_3"] {
        assert_eq!(stage.store().load_call(&call_ref(id)).await.unwrap(), LoadedCall::Missing);
    }
    assert_eq!(stage.cloud.events().await, ["WA_CALL_CONNECT", "WA_CALL_STALE", "WA_CALL_STALE"]);
    let rings_until = stored(&stage, "rtc_2").await.call.ring_deadline;
    assert_eq!(rings_until.0 / 1_000, late["created_at"].as_u64().unwrap() + 10, "nor is a late one, later");
}

#[tokio::test]
async fn a_call_to_an_unknown_number_is_recorded_and_left_alone() {
    let stage = ready().await;
    let mut event = incoming("rtc_1", "trunk key", 0);
    event["data"]["sip_headers"][1]["value"] = json!("+35621999977");

    assert_eq!(stage_post(&stage, "wh_1", &event).await, 200);
    event["data"]["sip_headers"] = json!([]);
    event["data"]["call_id"] = json!("rtc_2");
    assert_eq!(stage_post(&stage, "wh_2", &event).await, 200);

    assert_eq!(stage.cloud.events().await, ["WA_CALL_NOT_OURS", "WA_CALL_NOT_OURS"]);
    let entries: Vec<_> =
        stage.cloud.items().await.into_iter().filter(|item| item.get("event").is_some()).collect();
    assert!(entries.iter().any(|entry| entry["number"] == "…77"), "{entries:?}");
    assert!(!stage.cloud.requests().contains(&"Invoke".to_owned()));
}

#[tokio::test]
async fn test_events_and_others_are_answered_and_change_nothing() {
    let stage = ready().await;
    for event in [
        json!({"type": "realtime.call.incoming", "data": {}}),
        json!({"type": "realtime.call.incoming", "data": {"call_id": "rtc_../x"}}),
        json!({"type": "batch.completed", "data": {"id": "b"}}),
        json!("text"),
    ] {
        assert_eq!(stage_post(&stage, "wh_1", &event).await, 200, "{event}");
    }
    assert_eq!(stage.cloud.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn a_call_in_the_clear_is_noted() {
    let stage = ready().await;
    let mut event = incoming("rtc_1", "trunk key", 0);
    event["data"]["sip_media_security"] = json!("rtp");

    assert_eq!(stage_post(&stage, "wh_1", &event).await, 200);

    assert_eq!(stage.cloud.events().await, ["WA_CALL_CONNECT", "WA_CALL_LINE_INSECURE"]);
}

#[tokio::test]
async fn a_failing_table_has_openai_send_again() {
    let stage = ready().await;
    stage.cloud.fail(
        "TransactWriteItems",
        [json!({"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError"})],
    );
    let event = incoming("rtc_1", "trunk key", 0);

    assert_eq!(stage_post(&stage, "wh_1", &event).await, 500);
    assert_eq!(stage_post(&stage, "wh_1", &event).await, 200);

    assert_eq!(stage.cloud.events().await, ["WA_CALL_CONNECT"]);
}

/// Returns a webhook that knows the number `malta`.
async fn ready() -> Stage {
    let stage = Stage::with(KnownNumbers::WithAgents).await;
    name_number(&stage).await;
    stage.cloud.forget_requests();
    stage
}

async fn name_number(stage: &Stage) {
    let store = stage.store();
    store.put_agent(&StoredAgent::new("shop", "name = \"shop\"", 1)).await.unwrap();
    store.assign(&"malta".into(), "shop").await.unwrap();
    store.name_dialled("35621000000", &"malta".into()).await.unwrap();
}

async fn stored(stage: &Stage, id: &str) -> StoredCall {
    match stage.store().load_call(&call_ref(id)).await.unwrap() {
        LoadedCall::Found(call) => *call,
        other => panic!("there is no call: {other:?}"),
    }
}

/// Posts an event, signed now.
async fn stage_post(stage: &Stage, id: &str, event: &Value) -> u16 {
    let (body, now) = (event.to_string(), (now_ms() / 1_000).to_string());
    let signature = sign(id, &now, body.as_bytes(), SECRET).unwrap();
    stage.send(delivery(id, &now, &signature, &body)).await.status().as_u16()
}

fn delivery(id: &str, timestamp: &str, signature: &str, body: &str) -> Value {
    let mut event = stage::event("POST", "/openai", "application/json", "", body);
    for (name, value) in
        [("webhook-id", id), ("webhook-timestamp", timestamp), ("webhook-signature", signature)]
    {
        if !value.is_empty() {
            event["headers"][name] = json!(value);
        }
    }
    event
}

/// Returns the event of a call that came in this many seconds ago.
fn incoming(id: &str, key: &str, age_s: u64) -> Value {
    let header = |name: &str, value: &str| json!({"name": name, "value": value});
    let headers = [
        header("From", "\"Asha\" <sip:+35699000001@sip.example.net>;tag=a1"),
        header("X-Ahoy-Dialled", "+356 2100 0000"),
        header("X-Ahoy-Key", key),
    ];
    json!({"object": "event", "id": "evt_1", "type": "realtime.call.incoming", "created_at": now_ms() / 1_000 - age_s,
        "data": {"call_id": id, "sip_media_security": "srtp", "sip_headers": headers}})
}
