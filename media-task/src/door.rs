//! The door: takes call-control's requests, over TLS with a certificate made at boot, each with a seal.

mod tls;

pub use tls::{Certificate, TlsListener};

use crate::calls::{Calls, Refused};
use crate::settings::MediaSecret;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Json, Router};
use protocol::door::{Answer, CALLS, LARGEST_BODY, Offer, Refusal};
use protocol::seal::{Broken, Doorkeeper, NONCE, SEAL, Sealed, TIME};
use secrecy::ExposeSecret;
use service::secrets::Secret;
use service::time::now_ms;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// So long a request's body may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// What the door needs to know.
pub struct Door {
    calls: Arc<Calls>,
    secret: Secret<MediaSecret>,
    keeper: Mutex<Doorkeeper>,
}

impl Door {
    /// A door to these calls.
    pub fn new(calls: Arc<Calls>, secret: Secret<MediaSecret>) -> Arc<Self> {
        Arc::new(Self { calls, secret, keeper: Mutex::default() })
    }

    /// Answers until the listener ends, which it does not.
    ///
    /// # Errors
    /// When it cannot serve at all.
    pub async fn serve(self: Arc<Self>, listener: TlsListener) -> std::io::Result<()> {
        let router = Router::new().route(&format!("{CALLS}/{{call_ref}}"), any(answer)).with_state(self);
        axum::serve(listener, router).await
    }

    fn admit(&self, method: &Method, path: &str, headers: &HeaderMap, body: &[u8]) -> Result<(), Broken> {
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let time_ms = header(TIME).parse().unwrap_or_default();
        let sealed = Sealed { time_ms, nonce: header(NONCE), method: method.as_str(), path, body };
        let key = self.secret.value().door_key;
        let mut keeper = self.keeper.lock().expect("nothing panics while it holds this lock");
        keeper.admit(&sealed, header(SEAL), key.expose_secret().as_bytes(), now_ms())
    }

    fn take(&self, call_ref: &str, body: &[u8]) -> Response {
        let Ok(offer) = serde_json::from_slice::<Offer>(body) else {
            return refuse(StatusCode::BAD_REQUEST, "not an offer".to_owned());
        };
        match self.calls.take(call_ref, &offer) {
            Ok(answer) => Json(Answer { answer }).into_response(),
            Err(refused @ Refused::Unanswerable(_)) => {
                refuse(StatusCode::UNPROCESSABLE_ENTITY, refused.to_string())
            }
            Err(refused @ (Refused::NoRoom(_) | Refused::NoSocket(_) | Refused::UnknownAgent(_))) => {
                refuse(StatusCode::SERVICE_UNAVAILABLE, refused.to_string())
            }
        }
    }
}

async fn answer(
    State(door): State<Arc<Door>>,
    Path(call_ref): Path<String>,
    request: Request<Body>,
) -> Response {
    let (head, body) = request.into_parts();
    let body = match tokio::time::timeout(PATIENCE, to_bytes(body, LARGEST_BODY)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return refuse(StatusCode::PAYLOAD_TOO_LARGE, "too large".to_owned()),
        Err(_) => return refuse(StatusCode::REQUEST_TIMEOUT, "too slow".to_owned()),
    };
    match door.admit(&head.method, head.uri.path(), &head.headers, &body) {
        Ok(()) => act(door, &head.method, call_ref, body).await,
        Err(broken) => {
            tracing::warn!("Turned a request away at the door: {broken}");
            refuse(StatusCode::UNAUTHORIZED, broken.to_string())
        }
    }
}

async fn act(door: Arc<Door>, method: &Method, call_ref: String, body: Bytes) -> Response {
    let known = |is_known: bool| if is_known { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND };
    match *method {
        Method::POST => {
            // To read an agent file and to make keys takes milliseconds, which frames of other calls must not wait for.
            let taken = tokio::task::spawn_blocking(move || door.take(&call_ref, &body)).await;
            taken.unwrap_or_else(|_| refuse(StatusCode::INTERNAL_SERVER_ERROR, "it failed".to_owned()))
        }
        Method::GET => known(door.calls.has(&call_ref)).into_response(),
        Method::DELETE => known(door.calls.release(&call_ref)).into_response(),
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

fn refuse(status: StatusCode, reason: String) -> Response {
    (status, Json(Refusal { reason })).into_response()
}
