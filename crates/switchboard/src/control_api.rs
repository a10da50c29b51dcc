//! Knocks at the door of a media task: TLS to the one certificate in its lease, and a seal on each request.

mod clients;
mod pinned;

use crate::secrets::ControlApiSecret;
use clients::PinnedClients;
use internal_api::control_api::{Answer, Offer, Release, UNDELIVERED, Undelivered, path_of};
use internal_api::lease::Lease;
use internal_api::request_signature::{NONCE, SIGNATURE, SignedRequest, TIME};
use reqwest::{Method, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use service::pseudonyms::{PseudonymKeys, Pseudonyms};
use service::secrets::Secret;
use std::sync::Mutex;
use std::time::Instant;
use whatsapp::Caller;

/// Knocks at doors. Connections are kept, one client for each certificate.
#[derive(Debug)]
pub struct ControlApiClient {
    secret: Secret<ControlApiSecret>,
    marks: Pseudonyms,
    /// The doors' keys as they were at the start: marks may be under them.
    first_keys: Vec<SecretString>,
    clock: fn() -> u64,
    clients: Mutex<PinnedClients>,
}

/// What came of knocking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlApiReply<T> {
    /// The task did it.
    Opened(T),
    /// The task has no room.
    Full(String),
    /// The task says that nobody can do it.
    Impossible(String),
    /// The task knows no such call.
    Unknown,
    /// The task is there, and does not take our word for it: another key, most likely.
    Stranger,
    /// The task is there, and says what we do not understand.
    Odd(String),
    /// Nobody answered as a task should.
    Silent(String),
}

impl ControlApiClient {
    /// Knocks with seals under the keys in `secret`, timed by `clock`: ms since 1970. Marks callers by the keys in `marks`; without
    /// them by the doors' key, as it is now: it does not change under a process.
    pub fn new(secret: Secret<ControlApiSecret>, marks: Pseudonyms, clock: fn() -> u64) -> Self {
        let first_keys = secret.value().keys().cloned().collect();
        Self { secret, marks, first_keys, clock, clients: Mutex::default() }
    }

    /// Looks for the key of marks, where there was none.
    pub async fn look_for_marks(&self) {
        self.marks.current().await;
    }

    /// Has the task answer an offer.
    ///
    /// # Errors
    /// When no connection can even be tried.
    pub async fn offer(
        &self,
        lease: &Lease,
        call_ref: &str,
        offer: &Offer,
    ) -> anyhow::Result<ControlApiReply<String>> {
        let body = serde_json::to_vec(offer).expect("an offer has text keys");
        Ok(match self.knock(lease, Method::POST, call_ref, body).await? {
            ControlApiReply::Opened(reply) => match reply.json::<Answer>().await {
                Ok(answer) => ControlApiReply::Opened(answer.answer),
                Err(error) => ControlApiReply::Silent(error.without_url().to_string()),
            },
            ControlApiReply::Full(reason) => ControlApiReply::Full(reason),
            ControlApiReply::Impossible(reason) => ControlApiReply::Impossible(reason),
            ControlApiReply::Unknown => ControlApiReply::Unknown,
            ControlApiReply::Stranger => ControlApiReply::Stranger,
            ControlApiReply::Odd(reason) => ControlApiReply::Odd(reason),
            ControlApiReply::Silent(reason) => ControlApiReply::Silent(reason),
        })
    }

    /// Asks whether the task has the call.
    ///
    /// # Errors
    /// When no connection can even be tried.
    pub async fn ask_after(&self, lease: &Lease, call_ref: &str) -> anyhow::Result<ControlApiReply<()>> {
        Ok(self.knock(lease, Method::GET, call_ref, vec![]).await?.map(|_| ()))
    }

    /// Tells the task that the call is over for its assignment with this fence.
    ///
    /// # Errors
    /// When no connection can even be tried.
    pub async fn release(
        &self,
        lease: &Lease,
        call_ref: &str,
        fence: u64,
    ) -> anyhow::Result<ControlApiReply<()>> {
        let body = serde_json::to_vec(&Release { fence }).expect("it has text keys");
        Ok(self.knock(lease, Method::DELETE, call_ref, body).await?.map(|_| ()))
    }

    /// Tells the task that a message of its call has failed. A task of an older release knows no such request, and says so.
    ///
    /// # Errors
    /// When no connection can even be tried.
    pub async fn undelivered(
        &self,
        lease: &Lease,
        call_ref: &str,
        failed: &Undelivered,
    ) -> anyhow::Result<ControlApiReply<()>> {
        let body = serde_json::to_vec(failed).expect("it has text keys");
        let path = format!("{}/{UNDELIVERED}", path_of(call_ref));
        Ok(self.knock_at(lease, Method::POST, path, body).await?.map(|_| ()))
    }

    /// The mark of a caller, by which they are known again; `None` when Meta does not say who calls.
    pub fn mark(&self, caller: &Caller) -> Option<String> {
        // The user id comes first: people can hide their number from one call to the next.
        let name = caller.user_id.as_deref().or(caller.number.as_deref())?;
        self.marks_of(name).next()
    }

    /// The marks of a caller by each name that Meta has for them: whoever asks for them later may know only one.
    pub(crate) fn marks(&self, caller: &Caller) -> Vec<String> {
        let names = [&caller.user_id, &caller.number].into_iter().flatten();
        names.filter_map(|name| self.marks_of(name).next()).collect()
    }

    /// The marks of a person by one name of theirs, under each key: the first is the one that is made today.
    pub(crate) fn marks_of(&self, name: &str) -> impl Iterator<Item = String> {
        let keys = self.marks.known().into_iter().flat_map(PseudonymKeys::all).chain(&self.first_keys);
        keys.map(move |key| internal_api::pseudonym::of(key.expose_secret().as_bytes(), name))
    }

    /// With the key we have; if the task does not take it, with the one before, which may be all that it knows; and then with a
    /// new one, if there is one.
    async fn knock(
        &self,
        lease: &Lease,
        method: Method,
        call_ref: &str,
        body: Vec<u8>,
    ) -> anyhow::Result<ControlApiReply<Response>> {
        self.knock_at(lease, method, path_of(call_ref), body).await
    }

    async fn knock_at(
        &self,
        lease: &Lease,
        method: Method,
        path: String,
        body: Vec<u8>,
    ) -> anyhow::Result<ControlApiReply<Response>> {
        let knock = Request { lease, method, path, body };
        let used = self.secret.current().await;
        let mut knocked = ControlApiReply::Stranger;
        for key in used.keys() {
            knocked = self.knock_with(key, &knock).await?;
            if !matches!(knocked, ControlApiReply::Stranger) {
                return Ok(knocked);
            }
        }
        match self.secret.instead_of(&used).await {
            Some(newer) => self.knock_with(&newer.door_key, &knock).await,
            None => Ok(knocked),
        }
    }

    async fn knock_with(
        &self,
        key: &SecretString,
        asked: &Request<'_>,
    ) -> anyhow::Result<ControlApiReply<Response>> {
        let Request { lease, method, path, body } = asked;
        let nonce = uuid::Uuid::new_v4().simple().to_string();
        let sealed =
            SignedRequest { time_ms: (self.clock)(), nonce: &nonce, method: method.as_str(), path, body };
        let seal = sealed.sign(key.expose_secret().as_bytes());
        let url = format!("https://{}{path}", lease.door);
        let request = self.clients().client(&lease.pin, Instant::now())?.request(method.clone(), url);
        let request = request.header(TIME, sealed.time_ms).header(NONCE, &nonce).header(SIGNATURE, seal);
        Ok(match request.body(body.clone()).send().await {
            Ok(reply) => read(reply).await,
            Err(error) => ControlApiReply::Silent(error.without_url().to_string()),
        })
    }

    fn clients(&self) -> std::sync::MutexGuard<'_, PinnedClients> {
        self.clients.lock().expect("nothing panics while it holds this lock")
    }
}

/// What is asked of a task, not sealed yet.
struct Request<'a> {
    lease: &'a Lease,
    method: Method,
    path: String,
    body: Vec<u8>,
}

impl<T> ControlApiReply<T> {
    fn map<U>(self, f: impl FnOnce(T) -> U) -> ControlApiReply<U> {
        match self {
            Self::Opened(value) => ControlApiReply::Opened(f(value)),
            Self::Full(reason) => ControlApiReply::Full(reason),
            Self::Impossible(reason) => ControlApiReply::Impossible(reason),
            Self::Unknown => ControlApiReply::Unknown,
            Self::Stranger => ControlApiReply::Stranger,
            Self::Odd(reason) => ControlApiReply::Odd(reason),
            Self::Silent(reason) => ControlApiReply::Silent(reason),
        }
    }
}

async fn read(reply: Response) -> ControlApiReply<Response> {
    let status = reply.status();
    if status.is_success() {
        return ControlApiReply::Opened(reply);
    }
    if status == StatusCode::UNAUTHORIZED {
        return ControlApiReply::Stranger;
    }
    let refusal = reply.json::<internal_api::control_api::Refusal>().await;
    let reason = refusal.map_or_else(|_| format!("status {status}"), |refusal| refusal.reason);
    match status {
        StatusCode::SERVICE_UNAVAILABLE => ControlApiReply::Full(reason),
        StatusCode::UNPROCESSABLE_ENTITY => ControlApiReply::Impossible(reason),
        StatusCode::NOT_FOUND => ControlApiReply::Unknown,
        _ => ControlApiReply::Odd(reason),
    }
}
