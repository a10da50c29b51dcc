//! Notices about no call, unknown notices, and notices that DynamoDB refuses are kept as documented and answered with 200.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod stage;

use serde_json::{Value, json};
use stage::{NUMBER, Stage, batch, change, connect, terminate};
use std::time::{Duration, Instant};

#[tokio::test]
async fn keeps_hash_and_head_of_a_notice_dynamodb_refuses() {
    let stage = Stage::new().await;
    let mut huge = connect("wacid.HUGE");
    huge["session"]["sdp"] = json!("v=0\r\n".repeat(100_000));
    let odd_name = json!({"id": "wacid.ODD", "event": "e".repeat(2_000)});
    let beside = json!({"id": "wacid.HUGE", "event": "call_created"});
    let calls = json!([huge, odd_name, beside, connect("wacid.A")]);
    let settings = json!({"field": "account_settings_update", "value": {"type": "x".repeat(2_000)}});
    let body = batch(json!([settings, change(NUMBER, calls)]));

    assert_eq!(stage.post(&body).await, 200);

    let unfit: Vec<_> = of(&stage, "UNFIT#").await;
    assert_eq!(unfit.len(), 3);
    for item in &unfit {
        assert!(bytes(&item["head"]) <= 16 * 1024 && bytes(&item["head"]) > 0);
        assert!(item["ttl"].as_u64() > item["at_ms"].as_u64().map(|ms| ms / 1_000));
    }
    assert!(
        unfit.iter().any(|item| item["bytes"].as_u64() > Some(500_000) && bytes(&item["head"]) == 16 * 1024)
    );
    assert_eq!(stage.cloud.events().await, ["WA_CALL_CONNECT", "WA_CALL_NOTICE"], "no other notice is lost");
    assert_eq!(stage.post(&body).await, 200, "and it may come again");
    assert_eq!(of(&stage, "UNFIT#").await.len(), 3);
}

#[tokio::test]
async fn records_other_notices_once_under_number_or_account() {
    let stage = Stage::new().await;
    let violation = json!({"field": "account_update", "value": {"event": "ACCOUNT_VIOLATION",
        "violation_info": {"violation_type": "USER_INITIATED_CALLS_LOW_PICKUP_RATE"}}});
    let settings = json!({"field": "account_settings_update", "value": {"type": "phone_number_settings",
        "phone_number_settings": {"phone_number_id": NUMBER, "calling": {"sip": {"status": "ENABLED"}}}}});
    let unpaid = json!({"field": "calls", "value": {"metadata": {"phone_number_id": NUMBER},
        "errors": [{"code": 131_044}]}});
    let body = batch(json!([violation, settings, unpaid]));

    for _ in 0..2 {
        assert_eq!(stage.post(&body).await, 200);
    }

    let account = of(&stage, "ACCOUNT#110000000000001").await;
    let kind = "user_initiated_calls_low_pickup_rate";
    assert_eq!(
        account.iter().map(|item| &item["what"]).collect::<Vec<_>>(),
        [&json!({"violation": {"kind": kind}})]
    );
    let number = of(&stage, &format!("NUMBER#{NUMBER}")).await;
    let what: Vec<_> = number.iter().map(|item| &item["what"]).collect();
    assert_eq!(what, [&json!({"settings": {"sip": "enabled"}}), &json!({"trouble": {"errors": [131_044]}})]);
}

#[tokio::test]
async fn keeps_an_unknown_notice_until_it_expires() {
    let stage = Stage::new().await;
    let item = json!({"id": "wacid.A", "event": "juggle", "balls": 3});
    let field = json!({"field": "history", "value": {"threads": ["a chat of other people"]}});
    let body = batch(json!([change(NUMBER, json!([item, "what is this"])), field]));

    assert_eq!(stage.post(&body).await, 200);

    let call = of(&stage, "CALL#").await;
    assert_eq!((call.len(), call[0]["item"].as_str()), (1, Some(item.to_string().as_str())));
    assert!(call[0]["ttl"].is_u64());
    let journal: journal::JournalEntry = serde_json::from_value(call[0].clone()).unwrap();
    assert_eq!(
        journal.event,
        journal::JournalEvent::Notice { notice: "juggle".into(), status: String::new() }
    );
    assert_eq!(of(&stage, "NUMBER#").await[0]["item"], "\"what is this\"");
    assert_eq!(of(&stage, "ACCOUNT#").await[0]["what"]["unknown_field"]["bytes"], 38);
}

#[tokio::test]
async fn keeps_only_call_related_messages() {
    let stage = Stage::new().await;
    let reply = json!({"id": "wamid.P", "type": "interactive", "from": "919900000001", "context": {"id": "wamid.Q"},
        "interactive": {"type": "call_permission_reply", "call_permission_reply": {"response": "accept"}}});
    let mut after_call = reply.clone();
    after_call["context"]["id"] = json!("wacid.A");
    let voicemail =
        json!({"id": "wacid.A", "type": "audio", "audio": {"id": "330", "mime_type": "audio/ogg"}});
    let chat = json!({"id": "wamid.C", "type": "text", "text": {"body": "a chat of other people"}});
    let value =
        json!({"metadata": {"phone_number_id": NUMBER}, "messages": [chat, reply, after_call, voicemail]});

    assert_eq!(stage.post(&batch(json!([{"field": "messages", "value": value}]))).await, 200);

    assert_eq!(stage.cloud.events().await, ["WA_CALL_MEDIA_AT_META", "WA_CALL_PERMISSION_REPLY"]);
    assert_eq!(of(&stage, "NUMBER#").await[0]["caller"]["number"], "919900000001");
    let items = stage.cloud.items().await;
    assert_eq!(items.len(), 3);
    assert!(!json!(items).to_string().contains("other people"));
}

#[tokio::test]
async fn records_our_failed_message_once_and_others_never() {
    let stage = Stage::new().await;
    let store = store::Store::new(aws_sdk_dynamodb::Client::new(&stage.cloud.sdk_config()), "ahoy");
    let (ours, call_ref) = (whatsapp::message_ref("wamid.OURS"), "c".repeat(64).into());
    store.note_message_ref(&call_ref, &ours, "call_1", 1).await.unwrap();
    let failed = |id: &str| json!({"id": id, "status": "failed", "recipient_id": "919900000001", "errors": [{"code": 131_026}]});
    let of = |statuses: Value| {
        let value = json!({"metadata": {"phone_number_id": NUMBER}, "statuses": statuses});
        batch(json!([{"field": "messages", "value": value}]))
    };
    let before = stage.cloud.items().await.len();
    stage.cloud.forget_requests();

    assert_eq!(stage.post(&of(json!([failed("wamid.OTHERS")]))).await, 200);
    assert_eq!(
        (stage.cloud.requests(), stage.cloud.items().await.len()),
        (vec!["GetItem".to_owned()], before)
    );
    stage.cloud.forget_requests();
    assert_eq!(stage.post(&of(json!([failed("wamid.OURS"), failed("wamid.OURS")]))).await, 200);
    assert_eq!(stage.cloud.requests(), ["GetItem", "PutItem", "Invoke"]);
    assert_eq!(stage.post(&of(json!([failed("wamid.OURS")]))).await, 200);

    assert_eq!(stage.cloud.events().await, ["WA_CALL_MESSAGE_FAILED"]);
    let stored = json!(stage.cloud.items().await).to_string();
    assert!(!stored.contains("wamid") && !stored.contains("919900000001"), "{stored}");
}

#[tokio::test]
async fn records_a_failure_that_precedes_the_messages_reference() {
    let stage = Stage::new().await;
    let store = store::Store::new(aws_sdk_dynamodb::Client::new(&stage.cloud.sdk_config()), "ahoy");
    let (ours, call_ref) = (whatsapp::message_ref("wamid.OURS"), "c".repeat(64).into());
    let failed = failed_now("wamid.OURS");
    let keep = async {
        while stage.cloud.requests().is_empty() {
            tokio::task::yield_now().await;
        }
        store.note_message_ref(&call_ref, &ours, "call_1", 1).await.unwrap();
    };

    let posted = batch(json!([failed]));
    let (status, ()) = tokio::join!(stage.post(&posted), keep);

    assert_eq!((status, stage.cloud.events().await), (200, vec!["WA_CALL_MESSAGE_FAILED".to_owned()]));
}

#[tokio::test]
async fn a_failed_message_lookup_costs_no_call_in_the_batch() {
    let stage = Stage::new().await;
    stage.cloud.fail("GetItem", [json!({"__type": "InternalServerError"})]);
    let ringing = change(NUMBER, json!([connect("wacid.A")]));

    assert_eq!(stage.post(&batch(json!([failed_now("wamid.A"), ringing]))).await, 500);

    assert_eq!(stage.cloud.requests(), ["TransactWriteItems", "Invoke", "GetItem"]);
    assert_eq!(stage.cloud.events().await, ["WA_CALL_CONNECT"]);
}

/// Returns a change about a message that failed just now.
fn failed_now(id: &str) -> Value {
    let stamp = connect(id)["timestamp"].clone();
    let status = json!({"id": id, "status": "failed", "timestamp": stamp, "errors": [{"code": 131_026}]});
    let value = json!({"metadata": {"phone_number_id": NUMBER}, "statuses": [status]});
    json!({"field": "messages", "value": value})
}

#[tokio::test]
async fn records_a_thousand_items_within_metas_timeout() {
    let stage = Stage::new().await;
    let mut calls: Vec<Value> = (0..999).map(|n| terminate(&format!("wacid.{n}"))).collect();
    calls.push(connect("wacid.LAST"));
    let body = batch(json!([change("999", json!(calls[..500])), change(NUMBER, json!(calls[500..]))]));
    let began = Instant::now();

    assert_eq!(stage.post(&body).await, 200);

    let (took, requests) = (began.elapsed(), stage.cloud.requests());
    assert!(took < Duration::from_secs(20), "Meta waits for 20 s: {took:?}");
    assert_eq!(requests.iter().filter(|name| *name == "Invoke").count(), 500);
    assert_eq!(requests.iter().filter(|name| *name == "PutItem").count(), 500);
    assert_eq!(requests.iter().filter(|name| *name == "TransactWriteItems").count(), 500);
    assert_eq!(stage.cloud.events().await.len(), 1_000);
}

/// Returns the items whose partition key begins with `partition`, by sort key.
async fn of(stage: &Stage, partition: &str) -> Vec<Value> {
    let mut items = stage.cloud.items().await;
    items.retain(|item| item["pk"].as_str().is_some_and(|pk| pk.starts_with(partition)));
    items.sort_by_key(|item| item["sk"].to_string());
    items
}

fn bytes(head: &Value) -> usize {
    head.as_str().map_or(0, str::len)
}
