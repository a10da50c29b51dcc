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
use switchboard::ResolvedAgent;
use switchboard::task_launcher::LaunchSettings;
use tokio::net::TcpListener;

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
async fn an_ended_call_is_hung_up_once() {
    let goodbye = |call: &CallRef| Order::TaskEnded {
        call_ref: call.clone(),
        fence: Fence(1),
        token: None,
        ending: Ending::AgentSaidGoodbye.into(),
        newer: None,
    };
    for (status, body) in [(200, json!(null)), (404, json!({"error": {"code": "call_id_not_found"}}))] {
        let stage = Stage::new().await;
        let call = stage.has(live()).await;
        stage.openai.answers(status, body);

        stage.order(goodbye(&call)).await;
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

struct Stage {
    cloud: Cloud,
    store: Store,
    openai: OpenAi,
    call_control: CallControl,
}

impl Stage {
    async fn new() -> Self {
        let cloud = Cloud::start().await;
        cloud.change_key("openai_api_key", json!("sk-test"));
        let store = Store::new(aws_sdk_dynamodb::Client::new(&cloud.sdk_config()), TABLE);
        store.put_agent(&StoredAgent::new("shop", AGENT, now_ms())).await.unwrap();
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

/// Returns a call that a task has taken.
fn connecting() -> StoredCall {
    let mut call = StoredCall::ringing_by_sip("rtc_1", &"malta".into(), CallerNames::default(), false, now());
    call.call.phase = Phase::Connecting;
    call.call.pending = vec![];
    call.call.fence = Fence(1);
    call.call.assignment = Some(Assignment { task: "0a".into(), fence: Fence(1) });
    call
}

fn live() -> StoredCall {
    let mut call = connecting();
    call.call.phase = Phase::Live;
    call.call.accepted_at = Some(now());
    assert_eq!(call.call.line, Line::Sip);
    call
}

fn now() -> Timestamp {
    Timestamp(now_ms())
}

fn settings(openai_url: &str) -> Settings {
    Settings {
        table: TABLE.into(),
        meta_secret: "meta".into(),
        media_secret: "media".into(),
        mark_secret: Some("marks".into()),
        graph_url: "http://127.0.0.1:1".into(),
        openai_url: openai_url.into(),
        realtime_model: "gpt-realtime-2.1".into(),
        other_line: Some(Line::Sip),
        agent: ResolvedAgent::built_in(),
        launch: LaunchSettings {
            cluster: "ahoy".into(),
            family: "media-task".into(),
            subnets: vec![],
            security_groups: vec![],
            leave_after_idle: Duration::from_secs(60),
            most: 1,
        },
    }
}
