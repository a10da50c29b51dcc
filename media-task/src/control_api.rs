//! The door: takes call-control's requests, over TLS with a certificate made at boot, each with a seal.
//!
//! A request without a valid seal is refused and told nothing else. The log says why.

mod connections;
mod limits;
mod refusal_log;
mod tls;

pub use tls::Certificate;

use crate::active_calls::{AdmissionError, Calls, CommandOutcome};
use crate::settings::MediaSecret;
use connections::ControlConnection;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use internal_api::control_api::{
    Answer, CALLS, LARGEST_BODY, Offer, Refusal, Release, UNDELIVERED, Undelivered,
};
use internal_api::request_signature::{
    NONCE, RequestVerifier, SEAL, SignatureError, SignedRequest, TIME, is_fresh,
};
use limits::ConnectionLimits;
use refusal_log::RefusalLog;
use serde::Serialize;
use service::secrets::Secret;
use service::time::now_ms;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

/// So long a request's body may take.
const PATIENCE: Duration = Duration::from_secs(2);

type Reply = Response<Full<Bytes>>;

/// What the door needs to know.
pub struct ControlApi {
    calls: Arc<Calls>,
    secret: Secret<MediaSecret>,
    keeper: Mutex<RequestVerifier>,
    complaints: Mutex<RefusalLog>,
    limits: Mutex<ConnectionLimits>,
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, thiserror::Error)]
enum RequestError {
    #[error(transparent)]
    Broken(#[from] SignatureError),
    #[error("the request is too large")]
    TooLarge,
    #[error("the request came too slowly")]
    TooSlow,
}

impl ControlApi {
    /// A door to these calls.
    pub fn new(calls: Arc<Calls>, secret: Secret<MediaSecret>) -> Arc<Self> {
        let (keeper, complaints, limits) = Default::default();
        Arc::new(Self { calls, secret, keeper, complaints, limits })
    }

    /// Answers requests on `listener` until dropped, which closes every connection.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, certificate: Certificate) {
        connections::accept(self, listener, certificate.acceptor()).await;
    }

    /// When a new connection's handshake begins; `None` if the connection is to be dropped.
    fn admit_connection(&self, from: IpAddr, now: Instant) -> Option<Instant> {
        self.limits.lock().expect("nothing panics while it holds this lock").admit(from, now)
    }

    /// Answers one request.
    async fn answer(self: &Arc<Self>, visit: &ControlConnection, request: Request<Incoming>) -> Reply {
        let (head, body) = request.into_parts();
        match self.let_in(&head, body).await {
            Ok(body) => {
                let now = Instant::now();
                visit.is_known(now);
                self.limits
                    .lock()
                    .expect("nothing panics while it holds this lock")
                    .is_known(visit.from, now);
                self.act(&head, body).await
            }
            Err(why) => self.turn_away(why),
        }
    }

    /// The body of a request that is sealed.
    async fn let_in(&self, head: &Parts, body: Incoming) -> Result<Bytes, RequestError> {
        // Whoever does not even know what a seal looks like is not listened to.
        if !is_fresh(time_of(head), now_ms()) {
            return Err(SignatureError::Stale.into());
        }
        let body = tokio::time::timeout(PATIENCE, Limited::new(body, LARGEST_BODY).collect()).await;
        let body = body.map_err(|_| RequestError::TooSlow)?.map_err(|_| RequestError::TooLarge)?.to_bytes();
        let used = self.secret.value();
        match self.admit(head, &body, &used) {
            // A seal under a key we do not know may be one under a new key.
            Err(SignatureError::Forged) => match self.secret.instead_of(&used).await {
                Some(newer) => self.admit(head, &body, &newer)?,
                None => return Err(SignatureError::Forged.into()),
            },
            admitted => admitted?,
        }
        Ok(body)
    }

    fn admit(&self, head: &Parts, body: &[u8], secret: &MediaSecret) -> Result<(), SignatureError> {
        let sealed = SignedRequest {
            time_ms: time_of(head),
            nonce: header(head, NONCE),
            method: head.method.as_str(),
            path: head.uri.path(),
            body,
        };
        let mut keeper = self.keeper.lock().expect("nothing panics while it holds this lock");
        keeper.admit(&sealed, header(head, SEAL), &secret.door_keys(), now_ms())
    }

    fn turn_away(&self, why: RequestError) -> Reply {
        let mut complaints = self.complaints.lock().expect("nothing panics while it holds this lock");
        if let Some(unsaid) = complaints.handle(Instant::now()) {
            tracing::warn!(
                unsaid,
                "Turned a request away at the door: {why}; {unsaid} more since the last time"
            );
        }
        let mut reply = refuse(StatusCode::UNAUTHORIZED, "refused".to_owned());
        reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        reply
    }

    async fn act(self: &Arc<Self>, head: &Parts, body: Bytes) -> Reply {
        let known = |is_known: bool| if is_known { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND };
        let path = head.uri.path().strip_prefix(CALLS).and_then(|path| path.strip_prefix('/'));
        let (call_ref, about) = match path.map(|path| path.split_once('/').unwrap_or((path, ""))) {
            Some((call_ref, "")) if path.is_some_and(|path| !path.ends_with('/')) => (call_ref, None),
            Some((call_ref, UNDELIVERED)) => (call_ref, Some(UNDELIVERED)),
            Some(_) | None => return empty(StatusCode::NOT_FOUND),
        };
        match head.method {
            Method::POST if about.is_some() => match serde_json::from_slice::<Undelivered>(&body) {
                Ok(failed) => passed(self.calls.message_failed(call_ref, failed)),
                Err(_) => refuse(StatusCode::BAD_REQUEST, "not a message that failed".to_owned()),
            },
            _ if about.is_some() => empty(StatusCode::METHOD_NOT_ALLOWED),
            Method::POST => self.take(call_ref.to_owned(), body).await,
            Method::GET => empty(known(self.calls.has(call_ref))),
            Method::DELETE => {
                let assignment = serde_json::from_slice::<Release>(&body).ok();
                passed(self.calls.release(call_ref, assignment.map(|assignment| assignment.fence)))
            }
            _ => empty(StatusCode::METHOD_NOT_ALLOWED),
        }
    }

    async fn take(self: &Arc<Self>, call_ref: String, body: Bytes) -> Reply {
        let (door, secret) = (self.clone(), self.secret.clone());
        // A secret that is old is looked up for the next call: this one rings.
        tokio::spawn(async move { secret.current().await });
        // To read an agent file and to make keys takes milliseconds, which frames of other calls must not wait for.
        let taken = tokio::task::spawn_blocking(move || door.take_now(&call_ref, &body)).await;
        taken.unwrap_or_else(|_| refuse(StatusCode::INTERNAL_SERVER_ERROR, "it failed".to_owned()))
    }

    fn take_now(&self, call_ref: &str, body: &[u8]) -> Reply {
        let Ok(offer) = serde_json::from_slice::<Offer>(body) else {
            return refuse(StatusCode::BAD_REQUEST, "not an offer".to_owned());
        };
        match self.calls.take(call_ref, &offer) {
            Ok(answer) => json(StatusCode::OK, &Answer { answer }),
            Err(refused @ AdmissionError::Unanswerable(_)) => {
                refuse(StatusCode::UNPROCESSABLE_ENTITY, refused.to_string())
            }
            Err(
                refused @ (AdmissionError::NoRoom(_)
                | AdmissionError::NoSocket(_)
                | AdmissionError::UnknownAgent(_)),
            ) => refuse(StatusCode::SERVICE_UNAVAILABLE, refused.to_string()),
        }
    }
}

/// Only a call that is not here is unknown: call-control takes 404 for the word of an older release, or for a call that is over.
fn passed(passed: CommandOutcome) -> Reply {
    match passed {
        CommandOutcome::Queued => empty(StatusCode::NO_CONTENT),
        CommandOutcome::NoCall => empty(StatusCode::NOT_FOUND),
        CommandOutcome::Full => {
            refuse(StatusCode::SERVICE_UNAVAILABLE, "too many commands wait for this call".to_owned())
        }
    }
}

fn time_of(head: &Parts) -> u64 {
    header(head, TIME).parse().unwrap_or_default()
}

fn header<'a>(head: &'a Parts, name: &str) -> &'a str {
    head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn refuse(status: StatusCode, reason: String) -> Reply {
    json(status, &Refusal { reason })
}

fn json(status: StatusCode, body: &impl Serialize) -> Reply {
    let body = serde_json::to_vec(body).expect("what the door says has text keys");
    let mut reply = Response::new(Full::from(body));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply
}

fn empty(status: StatusCode) -> Reply {
    let mut reply = Response::new(Full::default());
    *reply.status_mut() = status;
    reply
}
