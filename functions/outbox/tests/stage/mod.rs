//! An outbox on an in-memory AWS, with a business and a model on loopback that answer as a test tells them to.

#![allow(dead_code, reason = "each test file uses a part")]

mod cloud;
mod servers;

pub(crate) use servers::{Business, Model};

use agents::AfterEvent;
use call::{Ending, Fence, Phase, Timestamp};
use cloud::TABLE;
use journal::{CallSummary, Speaker, TranscriptLine};
use lambda_runtime::{Context, LambdaEvent};
use outbox::{Outbox, OutboxRun, Settings};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use store::items::{Item, number, text, to_item};
use store::{
    CallerNames, OutboxEvent, OutboxItem, OutboxKey, Store, StoredAgent, StoredCall, call_ref, keys,
};

pub(crate) const NUMBER: &str = "220000000000002";

/// An outbox and all that it talks to.
pub(crate) struct Stage {
    pub(crate) business: Business,
    pub(crate) model: Model,
    pub(crate) store: Store,
    outbox: Outbox,
}

impl Stage {
    /// Starts an outbox whose number has an agent with this `[after]` table, beside its URL and secret.
    pub(crate) async fn new(after: &str) -> Self {
        let cloud = cloud::start().await;
        let (business, model) = (Business::start().await, Model::start().await);
        let settings = Settings {
            table: TABLE.into(),
            media_secret: "media".into(),
            openai_url: model.url.clone(),
            agent: agents::Agent::built_in(),
        };
        let outbox = Outbox::connect(&cloud, settings).await.unwrap();
        let store = Store::new(aws_sdk_dynamodb::Client::new(&cloud), TABLE);
        let stage = Self { business, model, store, outbox };
        stage.push_agent(after).await;
        stage
    }

    /// Pushes the number's agent with this `[after]` table.
    pub(crate) async fn push_agent(&self, after: &str) {
        let after = if after.is_empty() {
            String::new()
        } else {
            format!("[after]\nurl = \"{}/ahoy/calls\"\nsign_with = \"shop\"\n{after}", self.business.url)
        };
        let file = format!(
            "name = \"shop\"\ninstructions = \"You answer.\"\ngreeting.say = \"Hello.\"\n[tools]\nallowed_hosts = [\"127.0.0.1\"]\n{after}"
        );
        self.store.put_agent(&StoredAgent::new("shop", &file, now_ms())).await.unwrap();
        self.store.assign(&NUMBER.into(), "shop").await.unwrap();
    }

    /// Pushes the number's agent under another name, too.
    pub(crate) async fn push_again_as(&self, name: &str) {
        let file = self.store.agent("shop").await.unwrap().unwrap().text;
        let file = file.replace("name = \"shop\"", &format!("name = \"{name}\""));
        self.store.put_agent(&StoredAgent::new(name, &file, now_ms())).await.unwrap();
    }

    /// Stores a call that ended a minute ago with a transcript, a summary and a message, and puts its end into the outbox.
    pub(crate) async fn ended_call(&self, wacid: &str) -> OutboxKey {
        let call_ref = call_ref(wacid);
        let rang_at = Timestamp(now_ms() - 60_000);
        let caller = CallerNames { number: Some("919900000001".into()), user_id: None };
        let mut state =
            StoredCall::ringing(wacid, &NUMBER.into(), "v=0", caller, rang_at, Duration::from_secs(25));
        state.call.phase = Phase::Ended(Ending::CallerHungUp);
        state.call.accepted_at = Some(Timestamp(rang_at.0 + 2_000));
        state.call.ended_at = Some(Timestamp(rang_at.0 + 42_000));
        state.call.fence = Fence(1);
        self.store.put(to_item(&state)).await.unwrap();
        let line = TranscriptLine {
            place: 0,
            speaker: Speaker::Caller,
            text: "Where is my order A-17?".into(),
            at_ms: rang_at.0 + 3_000,
            heard_ms: None,
            of_ms: None,
            took_ms: None,
            tool_ms: None,
            in_silence: false,
        };
        let summary = CallSummary { turns: 3, micro_dollars: Some(1_000), ..CallSummary::default() };
        let message =
            json!({"kind": "message", "message": "Call me.", "urgent": false, "left_at_ms": rang_at.0});
        for (sk, item) in [
            (keys::line(0), to_item(&line)),
            (keys::summary(Fence(1)), to_item(&summary)),
            (keys::left(1), to_item(&message)),
        ] {
            self.put(&keys::call(&call_ref), &sk, item).await;
        }
        let key = OutboxKey::of(&call_ref, OutboxEvent::CallEnded);
        let mut item = OutboxItem::new(&key, &NUMBER.into(), Some("shop"), now_ms() - 1_000);
        item.fence = Some(Fence(1));
        self.store.put_into_outbox(&item).await.unwrap();
        key
    }

    async fn put(&self, pk: &str, sk: &str, mut item: Item) {
        item.extend([("pk", pk), ("sk", sk)].map(|(name, key)| (name.to_owned(), text(key))));
        item.insert(keys::TTL.to_owned(), number(keys::forget_at(now_ms() - 60_000)));
        self.store.put(item).await.unwrap();
    }

    /// Invokes the outbox as the schedule does.
    pub(crate) async fn run(&self) -> OutboxRun {
        self.invoke(json!({"source": "aws.events", "detail-type": "Scheduled Event"})).await
    }

    /// Invokes the outbox for a call.
    pub(crate) async fn run_for(&self, key: &OutboxKey) -> OutboxRun {
        self.invoke(json!({"call_ref": key.call_ref})).await
    }

    async fn invoke(&self, payload: Value) -> OutboxRun {
        self.outbox.handle(LambdaEvent::new(payload, Context::default())).await.unwrap()
    }

    /// Returns an event of the outbox.
    pub(crate) async fn item(&self, key: &OutboxKey) -> Option<OutboxItem> {
        let items = self.store.outbox_of(&key.call_ref).await.unwrap();
        items.into_iter().find(|item| item.key() == *key)
    }

    /// Changes an event of the outbox.
    pub(crate) async fn change(&self, key: &OutboxKey, change: impl FnOnce(&mut OutboxItem)) {
        let mut item = self.item(key).await.unwrap();
        change(&mut item);
        self.store.put(to_item(&item)).await.unwrap();
    }

    /// Returns the names of the events in a call's journal.
    pub(crate) async fn journal(&self, key: &OutboxKey) -> Vec<Value> {
        let entries = self.store.journal_of(&key.call_ref).await.unwrap();
        entries.iter().map(|entry| serde_json::to_value(&entry.event).unwrap()).collect()
    }
}

pub(crate) fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

/// Every event that an agent's file may ask for, as TOML.
pub(crate) fn all_events() -> String {
    let names: Vec<_> = AfterEvent::ALL.iter().map(|event| format!("\"{event}\"")).collect();
    format!("on = [{}]", names.join(", "))
}
