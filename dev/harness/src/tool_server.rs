//! The business's own system, which serves the agent's HTTP tool: it knows the orders, and answers signed requests only. Its
//! reading of the signature is its own.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// The name agent files know the key by.
pub const KEY_NAME: &str = "shop";

/// Signs requests to the tool server.
pub const KEY: &str = "a key of the shop";

/// A request signed longer ago than this is a replay.
const FRESH_FOR_S: u64 = 300;

/// A tool server, listening until it is dropped.
#[derive(Debug)]
pub struct ToolServer {
    address: std::net::SocketAddr,
    shared: Arc<Mutex<Shared>>,
    _serving: JoinSet<std::io::Result<()>>,
}

/// How a tool server answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ToolBehaviour {
    /// It answers at once.
    #[default]
    Quick,
    /// It answers after this delay.
    Slow(Duration),
    /// It answers with this status, and nothing of use.
    Broken(u16),
    /// It does as asked, answers with this status, and has its answer at `/echo`, which takes only GET: Google Apps Script does.
    Redirects(u16),
}

#[derive(Debug)]
struct Shared {
    /// The server's address, which signatures cover.
    host: String,
    key: String,
    behaviour: ToolBehaviour,
    asked: Vec<String>,
    forged: usize,
}

impl ToolServer {
    /// Listens on a free port of loopback.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (host, key) = (address.to_string(), KEY.to_owned());
        let shared = Shared { host, key, behaviour: ToolBehaviour::default(), asked: vec![], forged: 0 };
        let shared = Arc::new(Mutex::new(shared));
        let router = Router::new().route("/orders", post(look_up)).route("/echo", get(echo));
        let router = router.with_state(shared.clone());
        let serving = JoinSet::from_iter([async move { axum::serve(listener, router).await }]);
        Ok(Self { address, shared, _serving: serving })
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sets how it answers from now on.
    pub fn set_behaviour(&self, behaviour: ToolBehaviour) {
        lock(&self.shared).behaviour = behaviour;
    }

    /// Sets the one key whose signatures it accepts.
    pub fn set_key(&self, key: impl Into<String>) {
        lock(&self.shared).key = key.into();
    }

    /// The orders it was asked for, in turn.
    pub fn asked(&self) -> Vec<String> {
        lock(&self.shared).asked.clone()
    }

    /// How many requests it refused for their signature.
    pub fn forged(&self) -> usize {
        lock(&self.shared).forged
    }
}

async fn look_up(State(shared): State<Arc<Mutex<Shared>>>, headers: HeaderMap, body: Bytes) -> Response {
    let (host, key) = {
        let shared = lock(&shared);
        (shared.host.clone(), shared.key.clone())
    };
    if !is_signed(&host, &key, &headers, &body) {
        lock(&shared).forged += 1;
        return (StatusCode::UNAUTHORIZED, Json(json!({"error": "not signed by ahoy"}))).into_response();
    }
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let order = asked["arguments"]["order"].as_str().unwrap_or_default().to_owned();
    let behaviour = {
        let mut shared = lock(&shared);
        shared.asked.push(order.clone());
        shared.behaviour
    };
    match behaviour {
        ToolBehaviour::Quick => {}
        ToolBehaviour::Slow(time) => tokio::time::sleep(time).await,
        ToolBehaviour::Broken(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            return (status, Json(json!({"error": "the till is on fire"}))).into_response();
        }
        ToolBehaviour::Redirects(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::FOUND);
            return (status, [("location", "/echo?k=1"), ("content-type", "text/html")]).into_response();
        }
    }
    Json(json!({"order": order, "state": "ready", "until": "18:00"})).into_response()
}

/// Returns the answer to an order, to a request without a signature.
async fn echo(headers: HeaderMap) -> Response {
    if headers.keys().any(|name| name.as_str().starts_with("x-ahoy-")) {
        return StatusCode::BAD_REQUEST.into_response();
    }
    Json(json!({"booked": true, "reference": "A-17"})).into_response()
}

fn is_signed(host: &str, key: &str, headers: &HeaderMap, body: &[u8]) -> bool {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let time = header("x-ahoy-time");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    if time.parse::<u64>().map_or(true, |time| time.abs_diff(now) > FRESH_FOR_S) {
        return false;
    }
    let Ok(signature) = hex::decode(header("x-ahoy-signature-v2").trim_start_matches("sha256=")) else {
        return false;
    };
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(format!("{time}\nPOST\n{host}\n/orders\n").as_bytes());
    mac.update(body);
    mac.verify_slice(&signature).is_ok()
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().expect("no thread panics while holding it")
}
