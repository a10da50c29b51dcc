//! How many requests to DynamoDB an invocation makes before the offer leaves: the caller waits for each of them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod stage;

use call_control::{CallControl, Invocation};
use internal_api::order::Order;
use lambda_runtime::{Context, LambdaEvent};
use service::time::now_ms;
use stage::{Cloud, TABLE};
use std::collections::BTreeMap;
use std::time::Duration;
use store::items::to_item;
use store::lease::Lease;
use store::{CallerNames, Store, StoredAgent, StoredCall};
use tokio::net::TcpListener;

const NUMBER: &str = "220000000000002";

const AGENT: &str = "name = \"shop\"\ninstructions = \"You answer.\"\ngreeting.say = \"Hello.\"\n";

#[tokio::test]
async fn six_requests_precede_an_offer() {
    let requests = requests_before_the_offer(AGENT).await;

    assert_eq!(counts(&requests), [("GetItem", 3), ("Query", 1), ("TransactWriteItems", 2)], "{requests:?}");
    assert_eq!(
        requests[..2],
        ["GetItem", "TransactWriteItems"],
        "the call is loaded, stepped and saved first"
    );
    assert_eq!(requests.last().unwrap(), "TransactWriteItems", "the fence is saved before the offer leaves");
}

#[tokio::test]
async fn nine_requests_precede_an_offer_under_caps() {
    let requests =
        requests_before_the_offer(&format!("{AGENT}[caps]\ndollars_a_day = 9\ncalls_an_hour = 9\n")).await;

    let expected = [("GetItem", 4), ("PutItem", 1), ("Query", 2), ("TransactWriteItems", 2)];
    assert_eq!(counts(&requests), expected, "{requests:?}");
}

/// Returns the operations of call-control from the webhook's tick to the connection that carries the offer.
async fn requests_before_the_offer(agent: &str) -> Vec<String> {
    let cloud = Cloud::start().await;
    let store = Store::new(aws_sdk_dynamodb::Client::new(&cloud.sdk_config()), TABLE);
    let task = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = task.local_addr().unwrap().to_string();
    store.put_agent(&StoredAgent::new("shop", agent, now_ms())).await.unwrap();
    store.assign(&NUMBER.into(), "shop").await.unwrap();
    store.renew(&Lease::new(&"0a".into(), &address, &"00".repeat(32), "1", 10, now_ms())).await.unwrap();
    let caller = CallerNames { number: Some("919900000001".into()), user_id: None };
    let (now, ring_budget) = (call::Timestamp(now_ms()), Duration::from_secs(25));
    let call = StoredCall::ringing("wacid.A", &NUMBER.into(), "v=0\r\n", caller, now, ring_budget);
    store.put(to_item(&call)).await.unwrap();
    let call_control = CallControl::connect(&cloud.sdk_config(), stage::settings()).await.unwrap();
    cloud.forget_requests();

    let tick = Invocation::Order(Order::Tick { call_ref: call.call_ref() });
    tokio::select! {
        _ = task.accept() => cloud.requests(),
        replied = call_control.handle(LambdaEvent::new(tick, Context::default())) => {
            panic!("no offer left: {replied:?}")
        }
    }
}

fn counts(requests: &[String]) -> Vec<(&str, usize)> {
    let mut counts = BTreeMap::new();
    for request in requests {
        *counts.entry(request.as_str()).or_default() += 1;
    }
    counts.into_iter().collect()
}
