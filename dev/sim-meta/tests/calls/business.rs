//! The business: a webhook that checks signatures over raw bytes, and a client of Graph.

use crate::agent::Agent;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sim_meta::{Call, CallerConfig, Meta, MetaConfig, Timers};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// Longer than anything here takes.
pub(crate) const SOON: Duration = Duration::from_secs(10);

pub(crate) struct Business {
    pub meta: Meta,
    pub config: MetaConfig,
    pub inbox: mpsc::UnboundedReceiver<String>,
    faults: Moods,
    http: reqwest::Client,
}

type Moods = Arc<Mutex<VecDeque<u16>>>;

#[derive(Clone)]
struct Webhook {
    app_secret: String,
    inbox: mpsc::UnboundedSender<String>,
    faults: Moods,
}

impl Business {
    pub(crate) async fn open(config: MetaConfig) -> Business {
        let meta = Meta::start(config.clone()).await.unwrap();
        let (url, inbox, faults) = open_webhook(&config.app_secret).await;
        meta.set_webhook_url(url);
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Business { meta, config, inbox, faults, http }
    }

    /// The webhook answers so next, before it answers 200 again.
    pub(crate) fn answer_next_with(&self, status: u16) {
        self.faults.lock().unwrap().push_back(status);
    }

    /// The next webhook's call, and all of it.
    pub(crate) async fn notice(&mut self) -> (Value, Value) {
        let body = tokio::time::timeout(SOON, self.inbox.recv()).await.expect("a webhook").unwrap();
        let notice: Value = serde_json::from_str(&body).unwrap();
        (notice["entry"][0]["changes"][0]["value"]["calls"][0].clone(), notice)
    }

    /// A caller rings, and an agent has its answer ready.
    pub(crate) async fn ring(&mut self) -> (Call, Agent) {
        self.ring_as(CallerConfig::default()).await
    }

    pub(crate) async fn ring_as(&mut self, caller: CallerConfig) -> (Call, Agent) {
        let call = self.meta.ring(caller).await.unwrap();
        let (connect, _) = self.notice().await;
        assert_eq!(connect["id"], call.id());
        let agent = Agent::answer(connect["session"]["sdp"].as_str().unwrap()).await;
        (call, agent)
    }

    /// A caller rings, and the agent is connected and taken.
    pub(crate) async fn take_call(&mut self) -> (Call, Agent) {
        let (call, mut agent) = self.ring().await;
        self.pre_accept(&call, &agent).await;
        agent.connected().await;
        self.accept(&call, &agent).await;
        (call, agent)
    }

    pub(crate) async fn pre_accept(&self, call: &Call, agent: &Agent) {
        assert_eq!(self.act(&call_action(call, "pre_accept", Some(&agent.sdp))).await.0, 200);
    }

    pub(crate) async fn accept(&self, call: &Call, agent: &Agent) {
        assert_eq!(self.act(&call_action(call, "accept", Some(&agent.sdp))).await.0, 200);
    }

    pub(crate) async fn act(&self, body: &Value) -> (u16, Value) {
        self.try_act(body).await.unwrap()
    }

    pub(crate) async fn try_act(&self, body: &Value) -> reqwest::Result<(u16, Value)> {
        self.post("calls", &self.config.access_token, body).await
    }

    pub(crate) async fn post(&self, what: &str, token: &str, body: &Value) -> reqwest::Result<(u16, Value)> {
        let url = format!("{}/{}/{what}", self.meta.graph_url(), self.config.phone_number_id);
        let response = self.http.post(url).bearer_auth(token).json(body).send().await?;
        Ok((response.status().as_u16(), response.json().await?))
    }
}

/// A webhook: where it is, what it took, and how it will answer.
pub(crate) async fn open_webhook(app_secret: &str) -> (String, mpsc::UnboundedReceiver<String>, Moods) {
    let (tell, inbox) = mpsc::unbounded_channel();
    let faults = Moods::default();
    let webhook = Webhook { app_secret: app_secret.to_owned(), inbox: tell, faults: faults.clone() };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/webhook", listener.local_addr().unwrap());
    let routes = Router::new().route("/webhook", post(take).get(echo)).with_state(webhook);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (url, inbox, faults)
}

pub(crate) fn call_action(call: &Call, action: &str, sdp: Option<&str>) -> Value {
    action_on(call.id(), action, sdp)
}

/// The same, of a call known by its id only.
pub(crate) fn action_on(call: &str, action: &str, sdp: Option<&str>) -> Value {
    let mut body = json!({ "messaging_product": "whatsapp", "call_id": call, "action": action });
    if let Some(sdp) = sdp {
        body["session"] = json!({ "sdp_type": "answer", "sdp": sdp });
    }
    body
}

/// Meta in a hurry: what takes it seconds takes it a fraction here.
pub(crate) fn hurried() -> MetaConfig {
    let timers = Timers {
        terminate_delay: Duration::from_millis(20),
        webhook_retries: vec![Duration::from_millis(20); 3],
        slow_graph: Duration::from_millis(300),
        ..Timers::default()
    };
    MetaConfig { timers, ..MetaConfig::default() }
}

/// Taken only when it is signed, and pure ASCII.
async fn take(State(webhook): State<Webhook>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(webhook.app_secret.as_bytes()).unwrap();
    mac.update(&body);
    let wanted = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    if headers["x-hub-signature-256"] != wanted.as_str() || !body.is_ascii() {
        return StatusCode::UNAUTHORIZED;
    }
    webhook.inbox.send(String::from_utf8(body.to_vec()).unwrap()).unwrap();
    let mood = webhook.faults.lock().unwrap().pop_front().unwrap_or(200);
    StatusCode::from_u16(mood).unwrap()
}

/// Echoes the challenge to whom knows the token.
async fn echo(RawQuery(query): RawQuery) -> (StatusCode, String) {
    let query = query.unwrap_or_default();
    let part = |name: &str| query.split('&').find_map(|part| part.strip_prefix(name)).map(str::to_owned);
    match (part("hub.mode=subscribe"), part("hub.verify_token=a+verify+token"), part("hub.challenge=")) {
        (Some(_), Some(_), Some(challenge)) => (StatusCode::OK, challenge),
        _ => (StatusCode::FORBIDDEN, String::new()),
    }
}
