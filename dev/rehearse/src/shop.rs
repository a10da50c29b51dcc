//! The shop's own system: it knows the orders, and answers only who can sign. Its reading of the signature is its own.

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
use tokio::task::JoinHandle;

/// The name agent files know the key by.
pub const KEY_NAME: &str = "shop";

/// Signs requests to the shop.
pub const KEY: &str = "a key of the shop";

/// A request signed longer ago than this is a replay.
const FRESH_FOR_S: u64 = 300;

/// A shop that is open.
#[derive(Debug)]
pub struct Shop {
    address: std::net::SocketAddr,
    counter: Arc<Mutex<Counter>>,
    serving: JoinHandle<()>,
}

/// How the shop's system is today.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mood {
    /// It answers at once.
    #[default]
    Quick,
    /// It answers after this delay.
    Slow(Duration),
    /// It answers with this status, and nothing of use.
    Broken(u16),
    /// It does as asked, answers with this status, and has its answer at `/echo`, which takes only GET: Google Apps Script does.
    Elsewhere(u16),
}

#[derive(Debug)]
struct Counter {
    /// Where the shop is, which requests to it are signed for.
    host: String,
    key: String,
    mood: Mood,
    asked: Vec<String>,
    forged: usize,
}

impl Shop {
    /// Opens it on a free port.
    ///
    /// # Errors
    /// When there is none.
    pub async fn open() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (host, key) = (address.to_string(), KEY.to_owned());
        let counter = Counter { host, key, mood: Mood::default(), asked: vec![], forged: 0 };
        let counter = Arc::new(Mutex::new(counter));
        let router = Router::new().route("/orders", post(look_up)).route("/echo", get(echo));
        let router = router.with_state(counter.clone());
        let serving = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, counter, serving })
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on its system is like this.
    pub fn be(&self, mood: Mood) {
        lock(&self.counter).mood = mood;
    }

    /// From now on it believes what is signed with this key, and nothing else.
    pub fn set_key(&self, key: impl Into<String>) {
        lock(&self.counter).key = key.into();
    }

    /// The orders it was asked for, in turn.
    pub fn asked(&self) -> Vec<String> {
        lock(&self.counter).asked.clone()
    }

    /// How many requests it did not believe.
    pub fn forged(&self) -> usize {
        lock(&self.counter).forged
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn look_up(State(counter): State<Arc<Mutex<Counter>>>, headers: HeaderMap, body: Bytes) -> Response {
    let (host, key) = {
        let counter = lock(&counter);
        (counter.host.clone(), counter.key.clone())
    };
    if !is_signed(&host, &key, &headers, &body) {
        lock(&counter).forged += 1;
        return (StatusCode::UNAUTHORIZED, Json(json!({"error": "not signed by ahoy"}))).into_response();
    }
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let order = asked["arguments"]["order"].as_str().unwrap_or_default().to_owned();
    let mood = {
        let mut counter = lock(&counter);
        counter.asked.push(order.clone());
        counter.mood
    };
    match mood {
        Mood::Quick => {}
        Mood::Slow(time) => tokio::time::sleep(time).await,
        Mood::Broken(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            return (status, Json(json!({"error": "the till is on fire"}))).into_response();
        }
        Mood::Elsewhere(status) => {
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

fn lock(counter: &Mutex<Counter>) -> MutexGuard<'_, Counter> {
    counter.lock().expect("no thread panics while holding the counter")
}
