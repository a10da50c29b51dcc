//! A real media task as a process of its own, OpenAI's side of telephone calls, and as much of AWS as the task needs: an in-memory
//! DynamoDB, a secret, and a call-control that accepts and hangs up at OpenAI.

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use internal_api::request_signature::{NONCE, SIGNATURE, SignedRequest, TIME};
use serde_json::{Value, json};
use service::time::now_ms;
use sim_openai::sip::{CallSpec, PlacedCall, Trunk};
use sim_openai::{Config, Realtime};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

const TABLE: &str = "ahoy";
const KEY: &str = "sk-test";
const CONTROL_API_KEY: &str = "door";

/// Everything else shares the machine with these tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A media task that takes SIP calls, and its surroundings.
pub(crate) struct Stage {
    pub(crate) model: Realtime,
    pub(crate) trunk: Trunk,
    cloud: Arc<Cloud>,
    table: aws_sdk_dynamodb::Client,
    http: reqwest::Client,
    _task: Child,
}

/// AWS, as far as the task needs it.
struct Cloud {
    engine: String,
    calls: String,
    http: reqwest::Client,
    /// The ending of each call that the task reported.
    endings: Mutex<Vec<(String, String)>>,
    /// What the task asked about lookups, and what is replied.
    looked_up: Mutex<Vec<Value>>,
    decision: Mutex<Value>,
    /// Whether the process that gets the next order about a lookup dies.
    dies: AtomicBool,
    /// The keys that sign requests, by name.
    keys: Mutex<Value>,
    /// How often the outbox was invoked.
    deliveries: AtomicU64,
    /// OpenAI's id of the call that is on.
    call: Mutex<String>,
    /// Whether it was accepted.
    is_accepted: AtomicBool,
}

impl Stage {
    pub(crate) async fn start(config: Config) -> Self {
        let model = Realtime::start(config).await.unwrap();
        let engine = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let http = reqwest::Client::builder().no_proxy().danger_accept_invalid_certs(true).build().unwrap();
        let cloud = Arc::new(Cloud {
            engine: format!("http://{}/", engine.local_addr().unwrap()),
            calls: format!("{}/realtime/calls", model.rest_url()),
            http: http.clone(),
            endings: Mutex::default(),
            looked_up: Mutex::default(),
            decision: Mutex::default(),
            dies: AtomicBool::default(),
            keys: Mutex::new(json!({"shop": "a key"})),
            deliveries: AtomicU64::default(),
            call: Mutex::default(),
            is_accepted: AtomicBool::new(false),
        });
        let database = dynoxide::Database::memory().unwrap();
        database.create_table(serde_json::from_value(table()).unwrap()).unwrap();
        tokio::spawn(dynoxide::server::serve_on(engine, database));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(cloud.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let table = aws_sdk_dynamodb::Client::from_conf(
            aws_sdk_dynamodb::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new("us-east-1"))
                .credentials_provider(Credentials::new("test", "test", None, None, "test"))
                .endpoint_url(&address)
                .build(),
        );
        let task = start_task(&address, &model.url());
        let trunk = model.trunk();
        Self { model, trunk, cloud, table, http, _task: task }
    }

    /// Places a call and offers it to the task, as call-control does.
    pub(crate) async fn call(&self, spec: CallSpec) -> PlacedCall {
        self.call_with(spec, json!({})).await
    }

    /// Places a call and offers it to the task with more than the least.
    pub(crate) async fn call_with(&self, spec: CallSpec, more: Value) -> PlacedCall {
        let call = self.trunk.ring(spec);
        *self.cloud.call.lock().unwrap() = call.id();
        let now = now_ms();
        let mut offer = json!({"fence": 1, "version": 2, "number": "malta", "line": "sip", "realtime_call": call.id(), "offer": "",
            "rang_at_ms": now, "ring_deadline_ms": now + 6_000, "token": "token"});
        offer.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (status, answer) = self.offer("call-1", &offer).await;
        assert_eq!((status, answer.as_str()), (200, r#"{"answer":""}"#));
        call
    }

    /// Places a call that is accepted for another task.
    pub(crate) async fn accepted(&self, spec: CallSpec) -> PlacedCall {
        let call = self.trunk.ring(spec);
        *self.cloud.call.lock().unwrap() = call.id();
        self.cloud.accept().await;
        call.answered(PATIENCE).await.unwrap();
        call
    }

    /// Offers a call that was accepted this long ago, as call-control does when the task that had it is gone.
    pub(crate) async fn hand_over(&self, call: &PlacedCall, accepted: Duration, is_ungreeted: bool) {
        let accepted_at = now_ms() - accepted.as_millis() as u64;
        let offer = json!({"fence": 2, "version": 9, "number": "malta", "line": "sip", "realtime_call": call.id(), "offer": "",
            "accepted_at_ms": accepted_at, "is_ungreeted": is_ungreeted, "rang_at_ms": accepted_at - 900,
            "ring_deadline_ms": accepted_at + 5_100, "token": "token"});
        assert_eq!(self.offer("call-1", &offer).await.0, 200);
    }

    /// Offers a call, and returns the status and body of the reply.
    pub(crate) async fn offer(&self, call_ref: &str, offer: &Value) -> (u16, String) {
        static NONCES: AtomicU64 = AtomicU64::new(0);
        let lease = self.lease().await;
        let (body, path, time_ms) = (offer.to_string(), format!("/v1/calls/{call_ref}"), now_ms());
        let nonce = format!("nonce {}", NONCES.fetch_add(1, Ordering::Relaxed));
        let signed =
            SignedRequest { time_ms, nonce: &nonce, method: "POST", path: &path, body: body.as_bytes() };
        let signature = signed.sign(CONTROL_API_KEY.as_bytes());
        let request = self.http.post(format!("https://{}{path}", text(&lease, "door")));
        let request = request.header(TIME, time_ms).header(NONCE, nonce).header(SIGNATURE, signature);
        let reply = request.body(body).send().await.unwrap();
        (reply.status().as_u16(), reply.text().await.unwrap())
    }

    /// Returns the task's lease, once it has one.
    pub(crate) async fn lease(&self) -> Value {
        let lease = || async { self.items().await.into_iter().find(|item| item.get("door").is_some()) };
        until("the lease", lease).await
    }

    /// Returns the ending that the task reported, once it has.
    pub(crate) async fn ending(&self) -> String {
        let ending =
            || async { self.cloud.endings.lock().unwrap().first().map(|(_, ending)| ending.clone()) };
        until("the end of the call", ending).await
    }

    /// Returns the first journal entry of an event, once it is there.
    pub(crate) async fn entry(&self, event: &str) -> Value {
        let entry = || async {
            self.items().await.into_iter().find(|item| item.get("event").is_some_and(|name| name == event))
        };
        until(event, entry).await
    }

    /// Returns the events in the journal.
    pub(crate) async fn events(&self) -> Vec<String> {
        let items = self.items().await;
        items.iter().filter(|item| item.get("event").is_some()).map(|item| text(item, "event")).collect()
    }

    async fn items(&self) -> Vec<Value> {
        let pages = self.table.scan().table_name(TABLE).into_paginator().items().send();
        let items = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        items.into_iter().filter_map(|item| serde_dynamo::from_item(item).ok()).collect()
    }

    /// Returns the item with this sort key, once it is there.
    pub(crate) async fn item(&self, sk: &str) -> Value {
        let item = || async { self.items().await.into_iter().find(|item| item["sk"] == sk) };
        until(sk, item).await
    }

    /// Waits until the outbox was invoked.
    pub(crate) async fn delivers(&self) {
        let invoked = || async { (self.cloud.deliveries.load(Ordering::Relaxed) > 0).then_some(()) };
        until("the outbox", invoked).await;
    }

    /// Replies this to what a lookup decides.
    pub(crate) fn decide(&self, reply: Value) {
        *self.cloud.decision.lock().unwrap() = reply;
    }

    /// Has the process die that gets the next order about a lookup.
    pub(crate) fn dies_deciding(&self) {
        self.cloud.dies.store(true, Ordering::Relaxed);
    }

    /// Replaces the keys that the secret has.
    pub(crate) fn keep_keys(&self, keys: Value) {
        *self.cloud.keys.lock().unwrap() = keys;
    }

    /// Returns the orders about lookups.
    pub(crate) fn looked_up(&self) -> Vec<Value> {
        self.cloud.looked_up.lock().unwrap().clone()
    }

    /// Whether the task has asked for the accept.
    pub(crate) fn is_accepted(&self) -> bool {
        self.cloud.is_accepted.load(Ordering::Relaxed)
    }

    /// Returns the instructions that the call's session got, one text after the other.
    pub(crate) fn instructions(&self, call: &PlacedCall) -> Vec<String> {
        let Some(session) = call.report().session else { return vec![] };
        let session = self.model.sessions().swap_remove(session);
        let of_client = session.events.iter().filter(|event| event.from == sim_openai::Side::Client);
        let texts = of_client.filter_map(|recorded| {
            let event = &recorded.event;
            let text =
                event["session"]["instructions"].as_str().or(event["response"]["instructions"].as_str());
            text.map(str::to_owned)
        });
        texts.collect()
    }

    /// Returns the client events of this kind that the call's session received.
    pub(crate) fn received(&self, call: &PlacedCall, kind: &str) -> usize {
        let session = self.model.sessions().swap_remove(call.report().session.unwrap());
        let of_client = session.events.iter().filter(|event| event.from == sim_openai::Side::Client);
        of_client.filter(|recorded| recorded.event["type"] == kind).count()
    }

    /// Asserts that OpenAI has nothing to hold against the task.
    pub(crate) fn assert_clean(&self, call: &PlacedCall) {
        let session = self.model.sessions().swap_remove(call.report().session.unwrap());
        assert_eq!(session.violations, Vec::<String>::new());
        assert_eq!(self.trunk.complaints(), Vec::<String>::new());
    }
}

/// Returns what `look` finds, once it finds something.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(awaited: &str, look: impl Fn() -> F) -> T {
    let found = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("{awaited} does not come"))
}

pub(crate) fn text(item: &Value, name: &str) -> String {
    item[name].as_str().unwrap_or_default().to_owned()
}

fn start_task(cloud: &str, realtime: &str) -> Child {
    static TASKS: AtomicU64 = AtomicU64::new(0);
    let name = format!("sideband-{}-{}", std::process::id(), TASKS.fetch_add(1, Ordering::Relaxed));
    Command::new(env!("CARGO_BIN_EXE_media-task"))
        .env_clear()
        .envs([("TABLE", TABLE), ("MEDIA_SECRET", "media"), ("CALL_CONTROL", "call-control")])
        .env("OUTBOX_FUNCTION", "outbox")
        .envs([("AHOY_BIND_IP", "127.0.0.1"), ("AHOY_PUBLIC_IP", "127.0.0.1"), ("AHOY_DOOR_PORT", "0")])
        .envs([("AHOY_LINES", "sip"), ("AHOY_LEAVE_AFTER_IDLE_S", "600"), ("REALTIME_URL", realtime)])
        .envs([("AWS_ENDPOINT_URL", cloud), ("AWS_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", "test")])
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("ECS_CONTAINER_METADATA_URI_V4", format!("{cloud}/v4/{name}"))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

async fn answer(State(cloud): State<Arc<Cloud>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    if uri.path().ends_with("/task") {
        let metadata = json!({"TaskARN": "arn:aws:ecs:us-east-1:1:task/ahoy/t1", "Revision": "1"});
        return metadata.to_string().into_response();
    }
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if target.ends_with("GetSecretValue") {
        let keys = cloud.keys.lock().unwrap().clone();
        let secret =
            json!({"door_key": CONTROL_API_KEY, "openai_api_key": KEY, "tool_secrets": keys}).to_string();
        return json!({"Name": "media", "SecretString": secret}).to_string().into_response();
    }
    if uri.path().starts_with("/2015-03-31/functions/outbox") {
        cloud.deliveries.fetch_add(1, Ordering::Relaxed);
        return StatusCode::ACCEPTED.into_response();
    }
    if uri.path().starts_with("/2015-03-31/functions") {
        let order: Value = serde_json::from_slice(&body).unwrap();
        let reply = cloud.control(&order).await.to_string();
        if order["order"] == "caller_looked_up" && cloud.dies.swap(false, Ordering::Relaxed) {
            return ([("x-amz-function-error", "Unhandled")], "{}").into_response();
        }
        return reply.into_response();
    }
    cloud.forward(headers, body).await
}

impl Cloud {
    /// Does what call-control does.
    async fn control(&self, order: &Value) -> Value {
        match order["order"].as_str().unwrap() {
            "media_connected" => {
                if !self.is_accepted.load(Ordering::Relaxed) {
                    self.accept().await;
                }
                json!({"reply": "open", "version": 4})
            }
            "task_ended" => {
                let ending = order["ending"].as_str().unwrap().to_owned();
                if ending != "caller_hung_up" {
                    self.request("hangup", &Value::Null).await;
                }
                self.endings.lock().unwrap().push((order["call_ref"].to_string(), ending));
                json!({"reply": "over"})
            }
            "caller_looked_up" => {
                self.looked_up.lock().unwrap().push(order.clone());
                self.decision.lock().unwrap().clone()
            }
            _ => json!({"reply": "wait"}),
        }
    }

    async fn accept(&self) {
        let turns = json!({"type": "server_vad", "create_response": false});
        let audio = json!({"input": {"turn_detection": turns}, "output": {"voice": "marin"}});
        let session = json!({"type": "realtime", "model": "gpt-realtime-2.1", "audio": audio});
        assert_eq!(self.request("accept", &session).await, StatusCode::OK);
        self.is_accepted.store(true, Ordering::Relaxed);
    }

    async fn request(&self, action: &str, body: &Value) -> StatusCode {
        let url = format!("{}/{}/{action}", self.calls, self.call.lock().unwrap());
        let request = self.http.post(url).bearer_auth(KEY);
        let request = if body.is_null() { request } else { request.json(body) };
        StatusCode::from_u16(request.send().await.unwrap().status().as_u16()).unwrap()
    }

    async fn forward(&self, mut headers: HeaderMap, body: Bytes) -> Response {
        headers.remove("host");
        let reply = self.http.post(&self.engine).headers(headers).body(body).send().await.unwrap();
        let status = StatusCode::from_u16(reply.status().as_u16()).unwrap();
        (status, reply.bytes().await.unwrap()).into_response()
    }
}

fn table() -> Value {
    let key = |name, kind| json!({"AttributeName": name, "KeyType": kind});
    let attribute = |name| json!({"AttributeName": name, "AttributeType": "S"});
    json!({"TableName": TABLE, "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [attribute("pk"), attribute("sk"), attribute("gsi1pk"), attribute("gsi1sk")],
        "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")],
        "GlobalSecondaryIndexes": [{"IndexName": "gsi1", "Projection": {"ProjectionType": "ALL"},
            "KeySchema": [key("gsi1pk", "HASH"), key("gsi1sk", "RANGE")]}]})
}
