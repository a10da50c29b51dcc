//! Calls on the SIP line: what call-control asks of OpenAI.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod stage;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::{Json, Router};
use call::{Assignment, CallRef, Ending, Fence, Line, Phase, Timestamp};
use call_control::{CallControl, Invocation, Settings};
use internal_api::order::{Order, Reply};
use lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};
use service::time::now_ms;
use stage::{Cloud, TABLE};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use store::items::to_item;
use store::{CallerNames, LoadedCall, Store, StoredAgent, StoredCall};
use tokio::net::TcpListener;

/// An agent that may transfer two calls a day.
const TRANSFERRING: &str = "name = \"shop\"\ninstructions = \"You answer.\"\ngreeting.say = \"Hello.\"\n\
                            [transfer]\ntarget = \"tel:+35621000001\"\na_day = 2\n";

const AGENT: &str = "name = \"shop\"\ninstructions = \"You answer.\"\ngreeting.say = \"Hello.\"\n[model]\nvoice = \"cedar\"\n";

#[tokio::test]
async fn a_ready_task_gets_the_call_accepted_with_the_agents_voice() {
    let stage = Stage::new().await;
    let call = stage.has(connecting()).await;

    assert!(matches!(stage.order(ready(&call)).await, Reply::Open { .. }));

    let session = json!({"type": "realtime", "model": "gpt-realtime-2.1", "audio": {
        "input": {"turn_detection": {"type": "server_vad", "create_response": false}}, "output": {"voice": "cedar"}}});
    assert_eq!(stage.openai.requests(), [("/v1/realtime/calls/rtc_1/accept".to_owned(), session)]);
    assert_eq!(stage.stored(&call).await.call.phase, Phase::Live);
}

#[tokio::test]
async fn a_refused_turn_detection_does_not_cost_the_call() {
    let stage = Stage::new().await;
    let call = stage.has(connecting()).await;
    let message = "Unknown parameter: 'session.audio.input.turn_detection.create_response'.";
    stage.openai.answers(400, json!({"error": {"code": "unknown_parameter", "message": message}}));

    assert!(matches!(stage.order(ready(&call)).await, Reply::Open { .. }));

    let bodies: Vec<_> = stage.openai.requests().into_iter().map(|(_, body)| body).collect();
    assert_eq!((bodies.len(), &bodies[1]["audio"]), (2, &json!({"output": {"voice": "cedar"}})));
}

#[tokio::test]
async fn a_fault_is_tried_again_and_a_refusal_is_not() {
    let stage = Stage::new().await;
    let call = stage.has(connecting()).await;
    stage.openai.answers(500, json!({"error": {"type": "server_error"}}));
    assert!(matches!(stage.order(ready(&call)).await, Reply::Open { .. }));
    assert_eq!(stage.openai.paths(), ["accept", "accept"]);

    let stage = Stage::new().await;
    let call = stage.has(connecting()).await;
    stage.openai.answers(400, json!({"error": {"code": "invalid_value", "message": "no such voice"}}));
    assert_eq!(stage.order(ready(&call)).await, Reply::Over);

    assert_eq!(stage.openai.paths(), ["accept", "reject"], "it still rings");
    assert_eq!(stage.stored(&call).await.call.ending(), Some(Ending::LineRefused));
    assert!(stage.cloud.events().await.contains(&"WA_CALL_LINE_TROUBLE".to_owned()));
}

#[tokio::test]
async fn a_call_that_is_gone_or_not_ours_is_left_alone() {
    for (status, code, ending) in [
        (404, "call_id_not_found", Ending::CallerGaveUp),
        (400, "call_id_not_found", Ending::CallerGaveUp),
        (400, "decision_already_made", Ending::LineRefused),
    ] {
        let stage = Stage::new().await;
        let call = stage.has(connecting()).await;
        stage.openai.answers(status, json!({"error": {"code": code}}));

        assert_eq!(stage.order(ready(&call)).await, Reply::Over);

        assert_eq!(stage.openai.paths(), ["accept"], "{code}");
        assert_eq!(stage.stored(&call).await.call.ending(), Some(ending), "{code}");
    }
}

#[tokio::test]
async fn a_second_decision_after_an_unanswered_one_is_ours() {
    let stage = Stage::new().await;
    let call = stage.has(connecting()).await;
    stage.openai.answers(500, json!({}));
    stage.openai.answers(400, json!({"error": {"code": "decision_already_made"}}));

    assert!(matches!(stage.order(ready(&call)).await, Reply::Open { .. }));

    assert_eq!(stage.openai.paths(), ["accept", "accept"]);
}

#[tokio::test]
async fn a_call_that_may_have_been_answered_is_hung_up() {
    for (status, code, ending) in
        [(404, "call_id_not_found", Ending::CallerGaveUp), (400, "invalid_value", Ending::LineRefused)]
    {
        let stage = Stage::new().await;
        let call = stage.has(connecting()).await;
        stage.openai.answers(500, json!({}));
        stage.openai.answers(status, json!({"error": {"code": code}}));

        assert_eq!(stage.order(ready(&call)).await, Reply::Over);

        assert_eq!(stage.openai.paths(), ["accept", "accept", "hangup"], "{code}");
        assert_eq!(stage.stored(&call).await.call.ending(), Some(ending), "{code}");
    }
}

#[tokio::test]
async fn an_ended_call_is_hung_up_once() {
    let over = json!({"error": {"code": "call_id_not_found"}});
    for ending in [Ending::AgentSaidGoodbye, Ending::CallerHungUp] {
        for (status, body) in [(200, &json!(null)), (404, &over), (400, &over)] {
            let stage = Stage::new().await;
            let call = stage.has(live()).await;
            stage.openai.answers(status, body.clone());

            stage.order(ended(&call, ending)).await;
            stage.order(Order::Tick { call_ref: call.clone() }).await;

            assert_eq!(stage.openai.paths(), ["hangup"]);
            let call = stage.stored(&call).await.call;
            assert_eq!((call.ending(), call.due), (Some(ending), None));
        }
    }
}

#[tokio::test]
async fn a_hangup_outlives_a_key_that_openai_rejects() {
    for status in [401, 403] {
        let stage = Stage::new().await;
        let call = stage.has(live()).await;
        for _ in ["the key in use", "the key in the secret"] {
            stage.openai.answers(status, json!({"error": {"code": "invalid_api_key"}}));
        }

        stage.order(ended(&call, Ending::AgentSaidGoodbye)).await;

        assert_eq!(stage.openai.paths(), ["hangup", "hangup"]);
        stage.is_due(&call).await;
        stage.order(Order::Tick { call_ref: call.clone() }).await;
        assert_eq!(stage.openai.paths(), ["hangup"]);
        assert_eq!(stage.stored(&call).await.call.due, None);
    }
}

#[tokio::test]
async fn a_call_without_the_trunks_key_is_rejected_with_403() {
    let stage = Stage::new().await;
    let call = stage
        .has(StoredCall::ringing_by_sip("rtc_1", &"malta".into(), CallerNames::default(), true, now()))
        .await;

    stage.order(Order::Tick { call_ref: call.clone() }).await;

    assert_eq!(
        stage.openai.requests(),
        [("/v1/realtime/calls/rtc_1/reject".to_owned(), json!({"status_code": 403}))]
    );
    assert_eq!(stage.stored(&call).await.call.ending(), Some(Ending::Untrusted));
}

#[tokio::test]
async fn a_call_that_finds_no_task_is_rejected_within_its_ring_time() {
    let stage = Stage::new().await;
    let mut ringing =
        StoredCall::ringing_by_sip("rtc_1", &"malta".into(), CallerNames::default(), false, now());
    ringing.call.ring_deadline = Timestamp(now_ms() + 1_500);
    let call = stage.has(ringing).await;
    let begun = Instant::now();

    stage.order(Order::Tick { call_ref: call.clone() }).await;

    assert_eq!(
        stage.openai.requests(),
        [("/v1/realtime/calls/rtc_1/reject".to_owned(), json!({"status_code": 503}))]
    );
    assert!(begun.elapsed() >= Duration::from_millis(1_400), "it looked for a task until then");
    assert_eq!(stage.stored(&call).await.call.ending(), Some(Ending::NoCapacity));
    assert!(!stage.cloud.requests().contains(&"RunTask".to_owned()), "no caller waits for a task to start");
}

#[tokio::test]
async fn a_call_whose_task_stopped_and_finds_no_other_is_hung_up() {
    let stage = Stage::new().await;
    let mut adrift = live();
    adrift.call.assignment = None;
    adrift.call.adrift_until = Some(Timestamp(now_ms() + 1_200));
    adrift.call.due = Some(now());
    let call = stage.has(adrift).await;

    stage.order(Order::Tick { call_ref: call.clone() }).await;

    assert_eq!(stage.openai.paths(), ["hangup"]);
    assert_eq!(stage.stored(&call).await.call.ending(), Some(Ending::Lost));
}

#[tokio::test]
async fn a_call_is_transferred_to_its_agents_target_and_stays_live() {
    let stage = Stage::with_agent(TRANSFERRING).await;
    let call = stage.has(live()).await;

    assert_eq!(stage.order(transfer(&call, "call_1")).await, Reply::Transferring);

    let target = json!({"target_uri": "tel:+35621000001"});
    assert_eq!(stage.openai.requests(), [("/v1/realtime/calls/rtc_1/refer".to_owned(), target)]);
    assert_eq!(stage.stored(&call).await.call.phase, Phase::Live, "it may not happen");
}

#[tokio::test]
async fn a_call_is_transferred_once() {
    let stage = Stage::with_agent(TRANSFERRING).await;
    let call = stage.has(live()).await;
    stage.order(transfer(&call, "call_1")).await;

    assert_eq!(stage.order(transfer(&call, "call_1")).await, Reply::Transferring, "it is the same order");
    let second = stage.order(transfer(&call, "call_2")).await;

    assert!(matches!(second, Reply::NotTransferred { is_budget_spent: false, .. }), "{second:?}");
    assert_eq!(stage.openai.paths(), ["refer"]);
}

#[tokio::test]
async fn no_more_calls_are_transferred_than_the_day_allows() {
    let stage = Stage::with_agent(TRANSFERRING).await;
    let mut replies = vec![];
    for id in ["rtc_1", "rtc_2", "rtc_3"] {
        let call = stage.has(live_by(id)).await;
        replies.push(stage.order(transfer(&call, "call_1")).await);
    }

    assert_eq!(replies[..2], [Reply::Transferring, Reply::Transferring]);
    assert!(matches!(replies[2], Reply::NotTransferred { is_budget_spent: true, .. }), "{replies:?}");
    assert_eq!(stage.openai.paths(), ["refer", "refer"]);
}

#[tokio::test]
async fn a_transfer_in_doubt_is_neither_repeated_nor_failed() {
    for (status, code, asked, may_happen) in [
        (500, "server_error", 1, true),
        (400, "invalid_value", 1, false),
        (404, "call_id_not_found", 1, false),
        (429, "", 2, true),
    ] {
        let stage = Stage::with_agent(TRANSFERRING).await;
        let call = stage.has(live()).await;
        stage.openai.answers(status, json!({"error": {"code": code}}));

        let reply = stage.order(transfer(&call, "call_1")).await;

        assert_eq!(reply == Reply::Transferring, may_happen, "{status}: {reply:?}");
        assert_eq!(stage.openai.paths().len(), asked, "{status}");
        let has_trouble = stage.cloud.events().await.contains(&"WA_CALL_LINE_TROUBLE".to_owned());
        assert_eq!(has_trouble, status != 429, "{status}");
    }
}

#[tokio::test]
async fn only_the_task_of_a_live_call_has_it_transferred() {
    let stage = Stage::with_agent(TRANSFERRING).await;
    let call = stage.has(connecting()).await;
    refuses(&stage, transfer(&call, "call_1")).await;
    let call = stage.has(live()).await;
    let Order::TransferCall { call_ref, token, id, .. } = transfer(&call, "call_1") else { unreachable!() };
    refuses(&stage, Order::TransferCall { call_ref, fence: Fence(0), token, id }).await;
    let mut by_whatsapp = live();
    by_whatsapp.call.line = Line::WhatsApp;
    let call = stage.has(by_whatsapp).await;
    refuses(&stage, transfer(&call, "call_1")).await;

    let without = Stage::new().await;
    let call = without.has(live()).await;
    refuses(&without, transfer(&call, "call_1")).await;
}

async fn refuses(stage: &Stage, order: Order) {
    let reply = stage.order(order).await;
    assert!(matches!(reply, Reply::NotTransferred { is_budget_spent: false, .. }), "{reply:?}");
    assert_eq!(stage.openai.paths(), [""; 0]);
}

struct Stage {
    cloud: Cloud,
    store: Store,
    openai: OpenAi,
    call_control: CallControl,
}

impl Stage {
    async fn new() -> Self {
        Self::with_agent(AGENT).await
    }

    async fn with_agent(agent: &str) -> Self {
        let cloud = Cloud::start().await;
        cloud.change_key("openai_api_key", json!("sk-test"));
        let store = Store::new(aws_sdk_dynamodb::Client::new(&cloud.sdk_config()), TABLE);
        store.put_agent(&StoredAgent::new("shop", agent, now_ms())).await.unwrap();
        store.assign(&"malta".into(), "shop").await.unwrap();
        let openai = OpenAi::start().await;
        let call_control = CallControl::connect(&cloud.sdk_config(), settings(&openai.url)).await.unwrap();
        Self { cloud, store, openai, call_control }
    }

    async fn has(&self, call: StoredCall) -> CallRef {
        self.store.put(to_item(&call)).await.unwrap();
        call.call_ref()
    }

    async fn stored(&self, call: &CallRef) -> StoredCall {
        match self.store.load_call(call).await.unwrap() {
            LoadedCall::Found(call) => *call,
            other => panic!("there is no call: {other:?}"),
        }
    }

    /// Makes a call due now that is due later.
    async fn is_due(&self, call: &CallRef) {
        let mut record = self.stored(call).await;
        assert!(record.call.due.is_some_and(|due| due > now()), "{:?}", record.call);
        record.call.due = Some(now());
        self.has(record).await;
    }

    async fn order(&self, order: Order) -> Reply {
        self.call_control
            .handle(LambdaEvent::new(Invocation::Order(order), Context::default()))
            .await
            .unwrap()
    }
}

/// OpenAI's requests about calls: answers as it is told, else with 200 and nothing.
struct OpenAi {
    url: String,
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    answers: Mutex<VecDeque<(u16, Value)>>,
    requests: Mutex<Vec<(String, Value)>>,
}

impl OpenAi {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (url, inner) = (format!("http://{}", listener.local_addr().unwrap()), Arc::new(Inner::default()));
        let router = Router::new().fallback(answer).with_state(inner.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, inner }
    }

    fn answers(&self, status: u16, body: Value) {
        self.inner.answers.lock().unwrap().push_back((status, body));
    }

    fn requests(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut *self.inner.requests.lock().unwrap())
    }

    /// Returns the last part of each request's path.
    fn paths(&self) -> Vec<String> {
        self.requests().into_iter().map(|(path, _)| path.rsplit('/').next().unwrap().to_owned()).collect()
    }
}

async fn answer(
    State(inner): State<Arc<Inner>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, Json<Value>) {
    if uri.path() == "/" {
        // A connection is opened before it is needed.
        return (StatusCode::NOT_FOUND, Json(json!({})));
    }
    assert_eq!(headers["authorization"], "Bearer sk-test");
    inner
        .requests
        .lock()
        .unwrap()
        .push((uri.path().to_owned(), serde_json::from_slice(&body).unwrap_or_default()));
    let (status, body) = inner.answers.lock().unwrap().pop_front().unwrap_or((200, json!(null)));
    (StatusCode::from_u16(status).unwrap(), Json(body))
}

fn ready(call: &CallRef) -> Order {
    Order::MediaConnected {
        call_ref: call.clone(),
        fence: Fence(1),
        was_lost: false,
        question: Some(1),
        lost: None,
        token: None,
    }
}

fn ended(call: &CallRef, ending: Ending) -> Order {
    Order::TaskEnded {
        call_ref: call.clone(),
        fence: Fence(1),
        token: None,
        ending: ending.into(),
        newer: None,
    }
}

fn transfer(call: &CallRef, id: &str) -> Order {
    Order::TransferCall { call_ref: call.clone(), fence: Fence(1), token: None, id: id.to_owned() }
}

/// Returns a call that a task has taken.
fn connecting() -> StoredCall {
    connecting_by("rtc_1")
}

fn connecting_by(id: &str) -> StoredCall {
    let mut call = StoredCall::ringing_by_sip(id, &"malta".into(), CallerNames::default(), false, now());
    call.call.phase = Phase::Connecting;
    call.call.pending = vec![];
    call.call.fence = Fence(1);
    call.call.assignment = Some(Assignment { task: "0a".into(), fence: Fence(1) });
    call
}

fn live() -> StoredCall {
    live_by("rtc_1")
}

fn live_by(id: &str) -> StoredCall {
    let mut call = connecting_by(id);
    call.call.phase = Phase::Live;
    call.call.accepted_at = Some(now());
    assert_eq!(call.call.line, Line::Sip);
    call
}

fn now() -> Timestamp {
    Timestamp(now_ms())
}

fn settings(openai_url: &str) -> Settings {
    Settings { openai_url: openai_url.into(), other_line: Some(Line::Sip), ..stage::settings() }
}
