//! Notices that arrive after a person was forgotten are recorded without the person.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod stage;

use serde_json::json;
use stage::{Cloud, NUMBER, Stage, batch, change, connect_stamped};
use store::Store;
use store::items::text;
use store::{keys, pseudonym};
use switchboard::intake::KnownNumbers;

const THEM: &str = "919900000001";

#[tokio::test]
async fn records_notices_after_forgetting_without_the_person() {
    let stage = Stage::new().await;
    forget(&stage, &keys::forgotten_person(&pseudonym::of(b"marks", THEM)), keys::PERSON).await;
    let odd = json!({"id": "wacid.ODD", "event": "held", "from": THEM});
    let account = json!({"field": "account_update", "value": {"event": "unheard_of", "about": THEM}});
    let reply = json!({"type": "call_permission_reply", "call_permission_reply": {"response": "accept"}});
    let reply = json!({"id": "wamid.R", "from": THEM, "type": "interactive", "interactive": reply});
    let reply =
        json!({"field": "messages", "value": {"metadata": {"phone_number_id": NUMBER}, "messages": [reply]}});

    assert_eq!(stage.post(&batch(json!([change(NUMBER, json!([odd])), account, reply]))).await, 200);

    let items = stage.cloud.items().await;
    assert_eq!(items.len(), 4, "the tombstone, and three notices: {items:?}");
    assert!(!json!(items).to_string().contains(THEM), "{items:?}");
    let others = json!({"id": "wacid.ODD", "event": "held", "from": "919900000002"});
    assert_eq!(stage.calls(json!([others])).await, 200);
    assert!(json!(stage.cloud.items().await).to_string().contains("919900000002"));
}

#[tokio::test]
async fn a_forgotten_call_does_not_ring_again() {
    let stage = Stage::new().await;
    let call_ref = switchboard::call_ref("wacid.A");
    forget(&stage, &keys::forgotten_call(&call_ref), keys::OF_CALL).await;

    assert_eq!(stage.calls(json!([connect_stamped("wacid.A", 90)])).await, 200);

    let items = stage.cloud.items().await;
    assert!(!items.iter().any(|item| item["sk"] == keys::STATE), "{items:?}");
    assert!(!stage.cloud.requests().contains(&"Invoke".to_owned()), "no call is answered");
}

#[tokio::test]
async fn a_changed_name_of_a_forgotten_person_reaches_call_control() {
    let stage = Stage::new().await;
    forget(&stage, &keys::forgotten_person(&pseudonym::of(b"marks", THEM)), keys::PERSON).await;
    let system = json!({"type": "user_changed_user_id", "user_id": "IN.99990000000000000001"});
    let changed = json!({"id": "wamid.S", "from": THEM, "type": "system", "system": system});
    let value = json!({"metadata": {"phone_number_id": NUMBER}, "messages": [changed]});

    assert_eq!(stage.post(&batch(json!([{"field": "messages", "value": value}]))).await, 200);

    let requests = stage.cloud.requests();
    assert!(requests.contains(&"Invoke".to_owned()), "{requests:?}");
}

#[tokio::test]
async fn a_batch_of_many_people_loses_only_the_forgotten_one() {
    let stage = Stage::new().await;
    forget(&stage, &keys::forgotten_person(&pseudonym::of(b"marks", THEM)), keys::PERSON).await;
    let people = (1..=120).map(|n| format!("9199000{n:05}"));
    let odd = people
        .enumerate()
        .map(|(n, from)| json!({"id": format!("wacid.{n}"), "event": "held", "from": from}));

    assert_eq!(stage.calls(odd.collect()).await, 200);

    let items = stage.cloud.items().await;
    let kept = items.iter().filter(|item| item.get("item").is_some()).count();
    assert_eq!(kept, 119, "the content of every notice but one");
    assert!(!json!(items).to_string().contains(THEM));
}

#[tokio::test]
async fn an_unreadable_pseudonym_key_fails_the_start() {
    for error in ["ThrottlingException", "AccessDeniedException", "InternalServiceError"] {
        let cloud = Cloud::start().await;
        cloud.fail("GetSecretValue marks", [json!({"__type": error})]);

        let started = Stage::on(cloud, KnownNumbers::WithAgents).await;

        assert!(started.is_err(), "{error}");
    }
}

#[tokio::test]
async fn uses_a_pseudonym_key_made_after_the_start() {
    let cloud = Cloud::start().await;
    cloud.fail("GetSecretValue marks", [json!({"__type": "ResourceNotFoundException"})]);
    let stage = Stage::on(cloud, KnownNumbers::Listed(vec![NUMBER.into()])).await.unwrap();
    forget(&stage, &keys::forgotten_person(&pseudonym::of(b"marks", THEM)), keys::PERSON).await;

    assert_eq!(stage.calls(json!([{"id": "wacid.ODD", "event": "held", "from": THEM}])).await, 200);

    let items = stage.cloud.items().await;
    assert!(!json!(items).to_string().contains(THEM), "{items:?}");
}

#[tokio::test]
async fn a_failed_tombstone_lookup_keeps_no_call_from_ringing() {
    let stage = Stage::new().await;
    let throttled = json!({"__type": "com.amazon.coral.availability#ThrottlingException"});
    stage.cloud.fail("GetItem", [throttled]);
    let odd = json!({"id": "wacid.ODD", "event": "held", "from": THEM});

    assert_eq!(stage.calls(json!([connect_stamped("wacid.A", 0), odd])).await, 500, "Meta sends it again");

    assert!(stage.cloud.requests().contains(&"Invoke".to_owned()), "the call rings");
    let items = stage.cloud.items().await;
    assert!(items.iter().any(|item| item["sk"] == keys::STATE), "{items:?}");
}

async fn forget(stage: &Stage, pk: &str, sk: &str) {
    let store = Store::new(aws_sdk_dynamodb::Client::new(&stage.cloud.sdk_config()), "ahoy");
    let keys = [("pk", text(pk)), ("sk", text(sk))];
    store.put(keys.map(|(name, value)| (name.to_owned(), value)).into()).await.unwrap();
}
