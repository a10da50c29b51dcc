//! Whichever process ends a call, the business learns its outcome if the agent's file asks for it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod stage;

use call::{Assignment, CallRef, Ending, Fence, NumberId, Phase, Timestamp};
use call_control::{CallControl, Invocation, Settings};
use internal_api::order::Order;
use lambda_runtime::{Context, LambdaEvent};
use serde_json::json;
use service::time::now_ms;
use stage::{Cloud, TABLE, settings};
use std::time::Duration;
use store::items::to_item;
use store::{CallerNames, HungUp, LoadedCall, OutboxItem, OutboxKey, Store, StoredAgent, StoredCall};
use switchboard::task_launcher::LaunchSettings;

const NUMBER: &str = "220";

/// A Sunday.
const RANG_AT: u64 = 1_795_305_600_000;

const CLOSED: &str = "[hours]\nzone = \"UTC\"\nmonday = [\"09:00-17:00\"]\n";

const AFTER: &str = "[tools]\nallowed_hosts = [\"shop.example\"]\n\
    [after]\nurl = \"https://shop.example/calls\"\nsign_with = \"shop\"\non = [\"call.ended\", \"call.rejected\"]\n";

#[tokio::test]
async fn a_call_turned_away_is_told_at_once() {
    let stage = Stage::with_agent(&format!("{CLOSED}{AFTER}")).await;
    let call_ref = stage.tick(ringing()).await;

    assert_eq!(stage.outbox(&call_ref).await, ["call.rejected of shop, due"]);
    assert_eq!(stage.cloud.invoked(), ["outbox"]);
}

#[tokio::test]
async fn an_agent_that_tells_nothing_costs_nothing() {
    let only_messages = AFTER.replace("\"call.ended\", \"call.rejected\"", "\"message.taken\"");
    for file in [CLOSED.to_owned(), format!("{CLOSED}{only_messages}")] {
        let stage = Stage::with_agent(&file).await;
        let call_ref = stage.tick(ringing()).await;

        assert_eq!(stage.outbox(&call_ref).await, [""; 0]);
        assert_eq!(stage.cloud.invoked(), [""; 0]);
    }
}

#[tokio::test]
async fn a_call_that_meta_ends_before_a_task_has_it_is_told() {
    let stage = Stage::with_agent(AFTER).await;
    let mut call = ringing();
    call.hung_up = Some(HungUp { errors: vec![] });
    let call_ref = stage.tick(call).await;

    assert_eq!(stage.outbox(&call_ref).await, ["call.ended of shop, due"]);
    assert_eq!(stage.cloud.invoked(), ["outbox"]);
}

#[tokio::test]
async fn a_call_that_its_task_ends_waits_for_the_summary() {
    let stage = Stage::with_agent(AFTER).await;
    let call_ref = stage.task_ends(live()).await;

    assert_eq!(stage.outbox(&call_ref).await, ["call.ended of shop, later"]);
    assert!(stage.store.call_concluded(&call_ref, Fence(2), now_ms()).await.unwrap());
    assert_eq!(stage.outbox(&call_ref).await, ["call.ended of shop, due"]);
    assert_eq!(stage.cloud.invoked(), [""; 0], "its task has the outbox invoked");
}

#[tokio::test]
async fn a_call_whose_task_concluded_first_is_told_at_its_end() {
    let stage = Stage::with_agent(AFTER).await;
    let call = live();
    assert!(!stage.store.call_concluded(&call.call_ref(), Fence(2), now_ms()).await.unwrap());
    let call_ref = stage.task_ends(call).await;

    assert_eq!(stage.outbox(&call_ref).await, ["call.ended of shop, due"]);
    assert_eq!(stage.cloud.invoked(), ["outbox"]);
}

#[tokio::test]
async fn the_outcome_for_an_agent_without_a_right_file_is_kept() {
    for (is_there, file) in [(true, "name = 7"), (false, "")] {
        let stage = Stage::with_agent(AFTER).await;
        stage.store.assign(&NumberId::from(NUMBER), "other").await.unwrap();
        if is_there {
            stage.store.put_agent(&StoredAgent::new("other", file, now_ms())).await.unwrap();
        }
        let mut call = ringing();
        call.hung_up = Some(HungUp { errors: vec![] });
        let call_ref = stage.tick(call).await;

        assert_eq!(stage.outbox(&call_ref).await, ["call.ended of other, due"], "{file}");
    }
}

#[tokio::test]
async fn a_call_ends_although_its_outcome_cannot_be_saved() {
    let stage = Stage::with_agent(AFTER).await;
    let refused = json!({"__type": "ValidationException"});
    stage.cloud.fail("TransactWriteItems", [refused.clone(), refused]);
    let call_ref = stage.task_ends(live()).await;

    let LoadedCall::Found(ended) = stage.store.load_call(&call_ref).await.unwrap() else {
        panic!("the call is there")
    };
    assert_eq!(ended.call.ending(), Some(Ending::AgentSaidGoodbye));
    assert_eq!(stage.outbox(&call_ref).await, [""; 0]);
}

#[tokio::test]
async fn an_outcome_is_kept_although_the_outbox_cannot_be_invoked() {
    let stage = Stage::with_agent(&format!("{CLOSED}{AFTER}")).await;
    stage.cloud.fail("Invoke", [json!({"__type": "TooManyRequestsException"})]);
    let call_ref = stage.tick(ringing()).await;

    assert_eq!(stage.outbox(&call_ref).await, ["call.rejected of shop, due"]);
}

struct Stage {
    cloud: Cloud,
    store: Store,
    call_control: CallControl,
}

impl Stage {
    /// Starts call-control with an agent that has this in its file.
    async fn with_agent(more: &str) -> Self {
        let cloud = Cloud::start().await;
        cloud.change_key("openai_api_key", json!("sk-test"));
        let store = Store::new(aws_sdk_dynamodb::Client::new(&cloud.sdk_config()), TABLE);
        let file =
            format!("name = \"shop\"\ninstructions = \"You answer.\"\ngreeting.say = \"Hello.\"\n{more}");
        store.put_agent(&StoredAgent::new("shop", &file, now_ms())).await.unwrap();
        store.assign(&NumberId::from(NUMBER), "shop").await.unwrap();
        let settings = settings();
        let settings = Settings { launch: LaunchSettings { most: 0, ..settings.launch }, ..settings };
        let call_control = CallControl::connect(&cloud.sdk_config(), settings).await.unwrap();
        Self { cloud, store, call_control }
    }

    /// Ticks a call that is in the table as it is.
    async fn tick(&self, call: StoredCall) -> CallRef {
        self.store.put(to_item(&call)).await.unwrap();
        self.handle(Order::Tick { call_ref: call.call_ref() }).await;
        call.call_ref()
    }

    /// Ends a call that is in the table as it is, as its task does.
    async fn task_ends(&self, call: StoredCall) -> CallRef {
        let call_ref = call.call_ref();
        self.store.put(to_item(&call)).await.unwrap();
        let (fence, ending) = (call.call.fence, Ending::AgentSaidGoodbye.into());
        let ended = Order::TaskEnded { call_ref: call_ref.clone(), fence, ending, newer: None, token: None };
        self.handle(ended).await;
        call_ref
    }

    async fn handle(&self, order: Order) {
        let event = LambdaEvent::new(Invocation::Order(order), Context::default());
        self.call_control.handle(event).await.unwrap();
    }

    /// Returns the events of a call: of which agent, and whether they are due.
    async fn outbox(&self, call_ref: &CallRef) -> Vec<String> {
        let due = self.store.due_outbox(now_ms(), 9).await.unwrap();
        let is_due = |key: &OutboxKey| if due.contains(key) { "due" } else { "later" };
        let shown = |item: &OutboxItem| {
            format!(
                "{} of {}, {}",
                item.event,
                item.agent.as_deref().unwrap_or_default(),
                is_due(&item.key())
            )
        };
        self.store.outbox_of(call_ref).await.unwrap().iter().map(shown).collect()
    }
}

/// Returns a call that a task has.
fn live() -> StoredCall {
    let mut call = ringing();
    call.call.phase = Phase::Live;
    call.call.pending = vec![];
    call.call.accepted_at = Some(Timestamp(now_ms()));
    call.call.assignment = Some(Assignment { task: "t1".into(), fence: Fence(2) });
    call.call.fence = Fence(2);
    call
}

fn ringing() -> StoredCall {
    let (rang_at, caller) = (Timestamp(RANG_AT), CallerNames::default());
    let mut call = StoredCall::ringing("wacid.1", &NUMBER.into(), "v=0\r\n", caller, rang_at, Duration::ZERO);
    call.call.ring_deadline = Timestamp(now_ms() + 25_000);
    call
}
