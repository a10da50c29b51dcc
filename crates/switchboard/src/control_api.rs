//! The client of the media tasks' control API: HTTPS pinned to the certificate in the task's lease, with an HMAC signature on each request.

mod clients;
mod pinned;

use crate::secrets::ControlApiSecret;
use call::{CallRef, Fence};
use clients::PinnedClients;
use internal_api::control_api::{Answer, Offer, Release, UNDELIVERED, Undelivered, path_of};
use internal_api::request_signature::{NONCE, SIGNATURE, SignedRequest, TIME};
use reqwest::{Method, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use service::pseudonym_keys::{PseudonymKeys, Pseudonyms};
use service::secrets::Secret;
use std::sync::Mutex;
use std::time::Instant;
use store::CallerNames;
use store::lease::Lease;

/// Sends requests to media tasks. Connections are kept, one client for each certificate.
#[derive(Debug)]
pub struct ControlApiClient {
    secret: Secret<ControlApiSecret>,
    pseudonyms: Pseudonyms,
    /// The keys at start-up: stored pseudonyms may have been made with them.
    first_keys: Vec<SecretString>,
    clock: fn() -> u64,
    clients: Mutex<PinnedClients>,
}

/// A media task's reply to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ControlApiReply<T> {
    /// The task carried out the request.
    Done(T),
    /// The task has no free slot (503).
    Full(String),
    /// No task can answer the offer (422).
    Unanswerable(String),
    /// The task does not know the call, or this request (404).
    UnknownCall,
    /// The task rejects the request's signature (401), most likely because its key differs.
    Unauthorized,
    /// The task replied with a status that we do not know.
    Unexpected(String),
    /// No reply, or none under the task's certificate.
    NoAnswer(String),
}

impl ControlApiClient {
    /// Returns a client that signs requests with the keys in `secret`, at times from `clock` (ms since 1970).
    ///
    /// Pseudonyms of callers are made with the keys in `pseudonyms`; without those, with the control API key at start-up, so that they do
    /// not change while a process lives.
    pub fn new(secret: Secret<ControlApiSecret>, pseudonyms: Pseudonyms, clock: fn() -> u64) -> Self {
        let first_keys = secret.value().keys().cloned().collect();
        Self { secret, pseudonyms, first_keys, clock, clients: Mutex::default() }
    }

    /// Fetches the pseudonym key if there was none at start-up.
    pub async fn load_pseudonym_key(&self) {
        self.pseudonyms.current().await;
    }

    /// Asks the task to answer an SDP offer.
    ///
    /// # Errors
    /// When no TLS client can be made.
    pub(crate) async fn offer(
        &self,
        lease: &Lease,
        call_ref: &CallRef,
        offer: &Offer,
    ) -> anyhow::Result<ControlApiReply<String>> {
        let body = serde_json::to_vec(offer).expect("an offer has text keys");
        Ok(match self.send_request(lease, Method::POST, call_ref, body).await? {
            ControlApiReply::Done(reply) => match reply.json::<Answer>().await {
                Ok(answer) => ControlApiReply::Done(answer.answer),
                Err(error) => ControlApiReply::NoAnswer(error.without_url().to_string()),
            },
            ControlApiReply::Full(reason) => ControlApiReply::Full(reason),
            ControlApiReply::Unanswerable(reason) => ControlApiReply::Unanswerable(reason),
            ControlApiReply::UnknownCall => ControlApiReply::UnknownCall,
            ControlApiReply::Unauthorized => ControlApiReply::Unauthorized,
            ControlApiReply::Unexpected(reason) => ControlApiReply::Unexpected(reason),
            ControlApiReply::NoAnswer(reason) => ControlApiReply::NoAnswer(reason),
        })
    }

    /// Asks whether the task holds the call.
    ///
    /// # Errors
    /// When no TLS client can be made.
    pub(crate) async fn check_call(
        &self,
        lease: &Lease,
        call_ref: &CallRef,
    ) -> anyhow::Result<ControlApiReply<()>> {
        Ok(self.send_request(lease, Method::GET, call_ref, vec![]).await?.map(|_| ()))
    }

    /// Tells the task that its assignment with this fence is over.
    ///
    /// # Errors
    /// When no TLS client can be made.
    pub(crate) async fn release(
        &self,
        lease: &Lease,
        call_ref: &CallRef,
        fence: Fence,
    ) -> anyhow::Result<ControlApiReply<()>> {
        let body = serde_json::to_vec(&Release { fence }).expect("it has text keys");
        Ok(self.send_request(lease, Method::DELETE, call_ref, body).await?.map(|_| ()))
    }

    /// Tells the task that a message of its call has failed. A task of an older release replies 404.
    ///
    /// # Errors
    /// When no TLS client can be made.
    pub(crate) async fn undelivered(
        &self,
        lease: &Lease,
        call_ref: &CallRef,
        failed: &Undelivered,
    ) -> anyhow::Result<ControlApiReply<()>> {
        let body = serde_json::to_vec(failed).expect("it has text keys");
        let path = format!("{}/{UNDELIVERED}", path_of(call_ref));
        Ok(self.send_to_path(lease, Method::POST, path, body).await?.map(|_| ()))
    }

    /// Returns the caller's pseudonym, by which later calls of theirs are recognized; `None` when Meta does not say who calls.
    pub(crate) fn pseudonym(&self, caller: &CallerNames) -> Option<String> {
        // The user id comes first: a person can hide their number from one call to the next.
        let name = caller.user_id.as_deref().or(caller.number.as_deref())?;
        self.pseudonyms_of(name).next()
    }

    /// Returns the caller's pseudonyms by each name that Meta gives: a later search may know only one of them.
    pub(crate) fn pseudonyms(&self, caller: &CallerNames) -> Vec<String> {
        let names = [&caller.user_id, &caller.number].into_iter().flatten();
        names.filter_map(|name| self.pseudonyms_of(name).next()).collect()
    }

    /// Returns the pseudonyms of one name under each key, today's first.
    pub(crate) fn pseudonyms_of(&self, name: &str) -> impl Iterator<Item = String> {
        let keys = self.pseudonyms.known().into_iter().flat_map(PseudonymKeys::all).chain(&self.first_keys);
        keys.map(move |key| store::pseudonym::of(key.expose_secret().as_bytes(), name))
    }

    async fn send_request(
        &self,
        lease: &Lease,
        method: Method,
        call_ref: &CallRef,
        body: Vec<u8>,
    ) -> anyhow::Result<ControlApiReply<Response>> {
        self.send_to_path(lease, method, path_of(call_ref), body).await
    }

    /// Sends a request signed with the current key; if the task rejects it, with the previous one, which may be all that the task knows;
    /// then with a newer key, if the secret has one.
    async fn send_to_path(
        &self,
        lease: &Lease,
        method: Method,
        path: String,
        body: Vec<u8>,
    ) -> anyhow::Result<ControlApiReply<Response>> {
        let request = Request { lease, method, path, body };
        let used = self.secret.current().await;
        let mut reply = ControlApiReply::Unauthorized;
        for key in used.keys() {
            reply = self.send_signed(key, &request).await?;
            if !matches!(reply, ControlApiReply::Unauthorized) {
                return Ok(reply);
            }
        }
        match self.secret.instead_of(&used).await {
            Some(newer) => self.send_signed(&newer.door_key, &request).await,
            None => Ok(reply),
        }
    }

    async fn send_signed(
        &self,
        key: &SecretString,
        request: &Request<'_>,
    ) -> anyhow::Result<ControlApiReply<Response>> {
        let Request { lease, method, path, body } = request;
        let nonce = uuid::Uuid::new_v4().simple().to_string();
        let signed =
            SignedRequest { time_ms: (self.clock)(), nonce: &nonce, method: method.as_str(), path, body };
        let signature = signed.sign(key.expose_secret().as_bytes());
        let url = format!("https://{}{path}", lease.door);
        let request = self.clients().client(&lease.pin, Instant::now())?.request(method.clone(), url);
        let request = request.header(TIME, signed.time_ms).header(NONCE, &nonce).header(SIGNATURE, signature);
        Ok(match request.body(body.clone()).send().await {
            Ok(reply) => read(reply).await,
            Err(error) => ControlApiReply::NoAnswer(error.without_url().to_string()),
        })
    }

    fn clients(&self) -> std::sync::MutexGuard<'_, PinnedClients> {
        self.clients.lock().expect("nothing panics while it holds this lock")
    }
}

/// A request to a task, not signed yet.
struct Request<'a> {
    lease: &'a Lease,
    method: Method,
    path: String,
    body: Vec<u8>,
}

impl<T> ControlApiReply<T> {
    fn map<U>(self, f: impl FnOnce(T) -> U) -> ControlApiReply<U> {
        match self {
            Self::Done(value) => ControlApiReply::Done(f(value)),
            Self::Full(reason) => ControlApiReply::Full(reason),
            Self::Unanswerable(reason) => ControlApiReply::Unanswerable(reason),
            Self::UnknownCall => ControlApiReply::UnknownCall,
            Self::Unauthorized => ControlApiReply::Unauthorized,
            Self::Unexpected(reason) => ControlApiReply::Unexpected(reason),
            Self::NoAnswer(reason) => ControlApiReply::NoAnswer(reason),
        }
    }
}

async fn read(reply: Response) -> ControlApiReply<Response> {
    let status = reply.status();
    if status.is_success() {
        return ControlApiReply::Done(reply);
    }
    if status == StatusCode::UNAUTHORIZED {
        return ControlApiReply::Unauthorized;
    }
    let refusal = reply.json::<internal_api::control_api::Refusal>().await;
    let reason = refusal.map_or_else(|_| format!("status {status}"), |refusal| refusal.reason);
    match status {
        StatusCode::SERVICE_UNAVAILABLE => ControlApiReply::Full(reason),
        StatusCode::UNPROCESSABLE_ENTITY => ControlApiReply::Unanswerable(reason),
        StatusCode::NOT_FOUND => ControlApiReply::UnknownCall,
        _ => ControlApiReply::Unexpected(reason),
    }
}
