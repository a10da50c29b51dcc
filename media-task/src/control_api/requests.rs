//! Answers the control API's requests: verifies the signature of each, and passes it to the calls it acts on.
//!
//! A request without a valid signature gets 401 and no reason; the log has the reason.

use super::connection::ControlConnection;
use super::limits::ConnectionLimits;
use super::refusal_log::RefusalLog;
use crate::active_calls::{AdmissionError, Calls, CommandOutcome};
use crate::settings::MediaSecret;
use call::CallRef;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use internal_api::control_api::{
    Answer, CALLS, LARGEST_BODY, Offer, Refusal, Release, UNDELIVERED, Undelivered,
};
use internal_api::request_signature::{
    NONCE, RequestVerifier, SIGNATURE, SignatureError, SignedRequest, TIME, is_fresh,
};
use serde::Serialize;
use service::secrets::Secret;
use service::time::now_ms;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long reading a request's body may take.
const BODY_TIMEOUT: Duration = Duration::from_secs(2);

type Reply = Response<Full<Bytes>>;

/// The control API of this task: the calls it acts on, the secret that signs requests, and the connection limits.
pub(super) struct ControlApi {
    calls: Arc<Calls>,
    secret: Secret<MediaSecret>,
    verifier: Mutex<RequestVerifier>,
    refusal_log: Mutex<RefusalLog>,
    limits: Mutex<ConnectionLimits>,
}

/// Why a request is rejected.
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
    /// Creates the control API of these calls.
    pub(super) fn new(calls: Arc<Calls>, secret: Secret<MediaSecret>) -> Arc<Self> {
        let (verifier, refusal_log, limits) = Default::default();
        Arc::new(Self { calls, secret, verifier, refusal_log, limits })
    }

    /// Returns when a new connection's handshake may begin; `None` drops the connection.
    pub(super) fn admit_connection(&self, from: IpAddr, now: Instant) -> Option<Instant> {
        self.limits.lock().expect("nothing panics while it holds this lock").admit(from, now)
    }

    /// Answers one request of a connection.
    pub(super) async fn handle_request(
        self: &Arc<Self>,
        connection: &ControlConnection,
        request: Request<Incoming>,
    ) -> Reply {
        let (head, body) = request.into_parts();
        match self.authenticate(&head, body).await {
            Ok(body) => {
                let now = Instant::now();
                connection.note_authenticated(now);
                self.limits
                    .lock()
                    .expect("nothing panics while it holds this lock")
                    .note_authenticated(connection.from, now);
                self.route(&head, body).await
            }
            Err(why) => self.reject(why),
        }
    }

    /// Returns the body of a request whose signature is valid.
    async fn authenticate(&self, head: &Parts, body: Incoming) -> Result<Bytes, RequestError> {
        // A request without a fresh timestamp is rejected before its body is read.
        if !is_fresh(signed_at(head), now_ms()) {
            return Err(SignatureError::Stale.into());
        }
        let body = tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, LARGEST_BODY).collect()).await;
        let body = body.map_err(|_| RequestError::TooSlow)?.map_err(|_| RequestError::TooLarge)?.to_bytes();
        let current = self.secret.value();
        match self.verify(head, &body, &current) {
            // A signature under an unknown key may be one under a new key: the secret is read again once.
            Err(SignatureError::Forged) => match self.secret.instead_of(&current).await {
                Some(newer) => self.verify(head, &body, &newer)?,
                None => return Err(SignatureError::Forged.into()),
            },
            verified => verified?,
        }
        Ok(body)
    }

    fn verify(&self, head: &Parts, body: &[u8], secret: &MediaSecret) -> Result<(), SignatureError> {
        let signed = SignedRequest {
            time_ms: signed_at(head),
            nonce: header(head, NONCE),
            method: head.method.as_str(),
            path: head.uri.path(),
            body,
        };
        let mut verifier = self.verifier.lock().expect("nothing panics while it holds this lock");
        verifier.verify(&signed, header(head, SIGNATURE), &secret.control_api_keys(), now_ms())
    }

    fn reject(&self, why: RequestError) -> Reply {
        let mut refusal_log = self.refusal_log.lock().expect("nothing panics while it holds this lock");
        if let Some(unsaid) = refusal_log.handle(Instant::now()) {
            tracing::warn!(
                unsaid,
                "control API rejected a request: {why}; {unsaid} more since the last line"
            );
        }
        let mut reply = refuse(StatusCode::UNAUTHORIZED, "refused".to_owned());
        reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        reply
    }

    async fn route(self: &Arc<Self>, head: &Parts, body: Bytes) -> Reply {
        let found = |is_here: bool| if is_here { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND };
        let path = head.uri.path().strip_prefix(CALLS).and_then(|path| path.strip_prefix('/'));
        let (call_ref, subresource) = match path.map(|path| path.split_once('/').unwrap_or((path, ""))) {
            Some((call_ref, "")) if path.is_some_and(|path| !path.ends_with('/')) => {
                (CallRef::from(call_ref), None)
            }
            Some((call_ref, UNDELIVERED)) => (CallRef::from(call_ref), Some(UNDELIVERED)),
            Some(_) | None => return empty(StatusCode::NOT_FOUND),
        };
        match head.method {
            Method::POST if subresource.is_some() => match serde_json::from_slice::<Undelivered>(&body) {
                Ok(failed) => past_call_reply(self.calls.message_failed(&call_ref, failed)),
                Err(_) => refuse(
                    StatusCode::BAD_REQUEST,
                    "the body is not a notice of an undelivered message".to_owned(),
                ),
            },
            _ if subresource.is_some() => empty(StatusCode::METHOD_NOT_ALLOWED),
            Method::POST => self.accept_offer(call_ref, body).await,
            Method::GET => empty(found(self.calls.has(&call_ref))),
            Method::DELETE => {
                let assignment = serde_json::from_slice::<Release>(&body).ok();
                past_call_reply(self.calls.release(&call_ref, assignment.map(|assignment| assignment.fence)))
            }
            _ => empty(StatusCode::METHOD_NOT_ALLOWED),
        }
    }

    async fn accept_offer(self: &Arc<Self>, call_ref: CallRef, body: Bytes) -> Reply {
        let (api, secret) = (self.clone(), self.secret.clone());
        // Refreshes an old secret for the next call; this one must not wait for Secrets Manager.
        tokio::spawn(async move { secret.current().await });
        // Reading an agent file and generating keys takes milliseconds, which the frames of other calls must not wait for.
        let answered = tokio::task::spawn_blocking(move || api.answer_offer(&call_ref, &body)).await;
        answered.unwrap_or_else(|_| {
            refuse(StatusCode::INTERNAL_SERVER_ERROR, "answering the offer failed".to_owned())
        })
    }

    fn answer_offer(&self, call_ref: &CallRef, body: &[u8]) -> Reply {
        let Ok(offer) = serde_json::from_slice::<Offer>(body) else {
            return refuse(StatusCode::BAD_REQUEST, "the body is not an offer".to_owned());
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

/// Returns the reply for a command to a call. Only a missing call gets 404: call-control reads 404 as the reply of an older
/// release, or of a call that has ended.
fn past_call_reply(outcome: CommandOutcome) -> Reply {
    match outcome {
        CommandOutcome::Queued => empty(StatusCode::NO_CONTENT),
        CommandOutcome::NoCall => empty(StatusCode::NOT_FOUND),
        CommandOutcome::Full => {
            refuse(StatusCode::SERVICE_UNAVAILABLE, "too many commands wait for this call".to_owned())
        }
    }
}

fn signed_at(head: &Parts) -> u64 {
    header(head, TIME).parse().unwrap_or_default()
}

fn header<'a>(head: &'a Parts, name: &str) -> &'a str {
    head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn refuse(status: StatusCode, reason: String) -> Reply {
    json(status, &Refusal { reason })
}

fn json(status: StatusCode, body: &impl Serialize) -> Reply {
    let body = serde_json::to_vec(body).expect("replies have text keys");
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
