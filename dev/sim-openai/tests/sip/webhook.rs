//! A webhook endpoint that takes whatever comes, with the statuses that a test wants.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

/// `ahoy-test-secret-0123456789abcdef`.
pub(crate) const SECRET: &str = "whsec_YWhveS10ZXN0LXNlY3JldC0wMTIzNDU2Nzg5YWJjZGVm";
/// `ahoy-old--secret-0123456789abcdef`.
pub(crate) const OLD_SECRET: &str = "whsec_YWhveS1vbGQtLXNlY3JldC0wMTIzNDU2Nzg5YWJjZGVm";

/// A request that came.
#[derive(Debug)]
pub(crate) struct Delivered {
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// The endpoint.
pub(crate) struct Webhook {
    pub(crate) url: String,
    pub(crate) delivered: UnboundedReceiver<Delivered>,
    answers: Arc<Mutex<VecDeque<u16>>>,
    serving: JoinHandle<()>,
}

#[derive(Clone)]
struct Office {
    sender: UnboundedSender<Delivered>,
    answers: Arc<Mutex<VecDeque<u16>>>,
}

impl Webhook {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/openai", listener.local_addr().unwrap());
        let (sender, delivered) = unbounded_channel();
        let answers = Arc::new(Mutex::new(VecDeque::new()));
        let office = Office { sender, answers: answers.clone() };
        let routes = Router::new().route("/openai", post(take)).with_state(office);
        let serving = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { url, delivered, answers, serving }
    }

    /// Answers the next requests like this, and all others with 200.
    pub(crate) fn answer(&self, statuses: impl IntoIterator<Item = u16>) {
        self.answers.lock().unwrap().extend(statuses);
    }

    pub(crate) async fn next(&mut self) -> Delivered {
        tokio::time::timeout(super::PATIENCE, self.delivered.recv()).await.expect("a webhook comes").unwrap()
    }
}

impl Drop for Webhook {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Delivered {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub(crate) fn event(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Whether one of its signatures is right.
    pub(crate) fn is_signed_with(&self, secret: &str) -> bool {
        let key = BASE64.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        let (id, timestamp) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        mac.update(format!("{id}.{timestamp}.{}", self.body).as_bytes());
        let wanted = format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()));
        self.header("webhook-signature").split(' ').any(|signature| signature == wanted)
    }
}

async fn take(
    State(office): State<Office>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, [(&'static str, &'static str); 1]) {
    let status = office.answers.lock().unwrap().pop_front().unwrap_or(200);
    // The test may be over.
    let _unread = office.sender.send(Delivered { headers, body });
    (StatusCode::from_u16(status).unwrap(), [("location", "/elsewhere")])
}
