//! A business that receives events of calls, and a model that reads transcripts.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::sync::Barrier;
use tokio::task::JoinHandle;

/// A business's system, which verifies and records what it is told.
pub(crate) struct Business {
    pub(crate) url: String,
    inner: Arc<Receiver>,
    server: JoinHandle<()>,
}

/// What a business was told.
pub(crate) struct Told {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

#[derive(Default)]
struct Receiver {
    told: Mutex<Vec<Told>>,
    answers: Mutex<VecDeque<u16>>,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
    meeting: Mutex<Option<Arc<Barrier>>>,
}

impl Business {
    pub(super) async fn start() -> Self {
        let inner = Arc::new(Receiver::default());
        let routes = Router::new().route("/ahoy/calls", post(receive)).with_state(inner.clone());
        let (url, server) = serve(routes).await;
        Self { url, inner, server }
    }

    /// Closes the business's port.
    pub(crate) async fn close(&mut self) {
        self.server.abort();
        assert!((&mut self.server).await.unwrap_err().is_cancelled());
    }

    /// Answers the next requests with these statuses, and any later one with 204.
    pub(crate) fn answer(&self, statuses: impl IntoIterator<Item = u16>) {
        self.inner.answers.lock().unwrap().extend(statuses);
    }

    /// Holds the next answer until the test meets it at this barrier twice: once it is there, and when it may go on.
    pub(crate) fn meet(&self, barrier: Arc<Barrier>) {
        *self.inner.meeting.lock().unwrap() = Some(barrier);
    }

    /// Returns what the business was told since the last call.
    pub(crate) fn told(&self) -> Vec<Told> {
        std::mem::take(&mut *self.inner.told.lock().unwrap())
    }

    /// Returns how many requests the business had at once at most.
    pub(crate) fn most_at_once(&self) -> usize {
        self.inner.most_at_once.load(Ordering::SeqCst)
    }
}

async fn receive(State(receiver): State<Arc<Receiver>>, headers: HeaderMap, body: Bytes) -> Response {
    let at_once = receiver.at_once.fetch_add(1, Ordering::SeqCst) + 1;
    receiver.most_at_once.fetch_max(at_once, Ordering::SeqCst);
    let library = Webhook::from_bytes(b"a secret of the shop".to_vec()).unwrap();
    library.verify(&body, &headers).unwrap();
    let body = serde_json::from_slice(&body).unwrap();
    receiver.told.lock().unwrap().push(Told { headers, body });
    let meeting = receiver.meeting.lock().unwrap().take();
    if let Some(barrier) = meeting {
        barrier.wait().await;
        barrier.wait().await;
    }
    let status = receiver.answers.lock().unwrap().pop_front().unwrap_or(204);
    receiver.at_once.fetch_sub(1, Ordering::SeqCst);
    StatusCode::from_u16(status).unwrap().into_response()
}

/// A model, which answers as a test tells it to.
pub(crate) struct Model {
    pub(crate) url: String,
    inner: Arc<Answers>,
}

#[derive(Default)]
struct Answers {
    asked: Mutex<Vec<Value>>,
    next: Mutex<VecDeque<(u16, Value)>>,
    meetings: Mutex<Vec<Arc<Barrier>>>,
}

impl Model {
    pub(super) async fn start() -> Self {
        let inner = Arc::new(Answers::default());
        let routes = Router::new().route("/v1/responses", post(respond)).with_state(inner.clone());
        let (url, _) = serve(routes).await;
        Self { url, inner }
    }

    /// Answers the next question with this JSON.
    pub(crate) fn say(&self, answer: &Value) {
        let content = json!([{"type": "output_text", "text": answer.to_string(), "annotations": []}]);
        let usage = json!({"input_tokens": 2_000, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 300});
        let output =
            json!([{"type": "message", "role": "assistant", "status": "completed", "content": content}]);
        let reply = json!({"status": "completed", "output": output, "usage": usage});
        self.inner.next.lock().unwrap().push_back((200, reply));
    }

    /// Answers the next question with this error.
    pub(crate) fn fail(&self, status: u16, code: &str) {
        self.inner.next.lock().unwrap().push_back((status, json!({"error": {"code": code}})));
    }

    /// Holds all answers until as many as meet at each of these barriers are there, one barrier after the other.
    pub(crate) fn meet(&self, barriers: impl IntoIterator<Item = Arc<Barrier>>) {
        self.inner.meetings.lock().unwrap().extend(barriers);
    }

    /// Returns what the model was asked since the last call.
    pub(crate) fn asked(&self) -> Vec<Value> {
        std::mem::take(&mut *self.inner.asked.lock().unwrap())
    }
}

async fn respond(State(answers): State<Arc<Answers>>, body: Bytes) -> Response {
    answers.asked.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
    let meetings = answers.meetings.lock().unwrap().clone();
    for barrier in meetings {
        barrier.wait().await;
    }
    let (status, reply) =
        answers.next.lock().unwrap().pop_front().expect("a test says what the model answers");
    (StatusCode::from_u16(status).unwrap(), reply.to_string()).into_response()
}

async fn serve(routes: Router) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (url, tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() }))
}
