//! Knocks at the door of a media task: TLS to the one certificate in its lease, and a seal on each request.

mod pinned;

use anyhow::Context;
use protocol::door::{Answer, Offer, path_of};
use protocol::lease::Lease;
use protocol::seal::{NONCE, SEAL, Sealed, TIME};
use reqwest::{Client, Method, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;
use whatsapp::Caller;

/// So long a task has to answer at its door.
const TIMEOUT: Duration = Duration::from_millis(1_500);

/// Knocks at doors. Connections are kept, one client for each certificate.
#[derive(Debug)]
pub struct Knocker {
    key: SecretString,
    clock: fn() -> u64,
    clients: Mutex<HashMap<String, Client>>,
}

/// What came of knocking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Knock<T> {
    /// The task did it.
    Opened(T),
    /// The task has no room.
    Full(String),
    /// The task says that nobody can do it.
    Impossible(String),
    /// The task knows no such call.
    Unknown,
    /// The task is there, and does not take our word for it.
    Odd(String),
    /// Nobody answered as a task should.
    Silent(String),
}

impl Knocker {
    /// Knocks with seals under `key`, timed by `clock`: ms since 1970.
    pub fn new(key: SecretString, clock: fn() -> u64) -> Self {
        Self { key, clock, clients: Mutex::default() }
    }

    /// Has the task answer an offer.
    ///
    /// # Errors
    /// When no connection can even be tried.
    pub async fn offer(&self, lease: &Lease, call_ref: &str, offer: &Offer) -> anyhow::Result<Knock<String>> {
        let body = serde_json::to_vec(offer).expect("an offer has text keys");
        Ok(match self.knock(lease, Method::POST, call_ref, body).await? {
            Knock::Opened(reply) => match reply.json::<Answer>().await {
                Ok(answer) => Knock::Opened(answer.answer),
                Err(error) => Knock::Silent(error.without_url().to_string()),
            },
            Knock::Full(reason) => Knock::Full(reason),
            Knock::Impossible(reason) => Knock::Impossible(reason),
            Knock::Unknown => Knock::Unknown,
            Knock::Odd(reason) => Knock::Odd(reason),
            Knock::Silent(reason) => Knock::Silent(reason),
        })
    }

    /// Asks whether the task has the call.
    ///
    /// # Errors
    /// When no connection can even be tried.
    pub async fn ask_after(&self, lease: &Lease, call_ref: &str) -> anyhow::Result<Knock<()>> {
        Ok(self.knock(lease, Method::GET, call_ref, vec![]).await?.map(|_| ()))
    }

    /// Tells the task that the call is over.
    ///
    /// # Errors
    /// When no connection can even be tried.
    pub async fn release(&self, lease: &Lease, call_ref: &str) -> anyhow::Result<Knock<()>> {
        Ok(self.knock(lease, Method::DELETE, call_ref, vec![]).await?.map(|_| ()))
    }

    /// The mark of a caller, by which they are known again; `None` when Meta does not say who calls.
    pub fn mark(&self, caller: &Caller) -> Option<String> {
        // The user id comes first: people can hide their number from one call to the next.
        let name = caller.user_id.as_deref().or(caller.number.as_deref())?;
        Some(protocol::mark::of(self.key.expose_secret().as_bytes(), name))
    }

    /// The marks of a caller by each name that Meta has for them: whoever asks for them later may know only one.
    pub(crate) fn marks(&self, caller: &Caller) -> Vec<String> {
        let names = [&caller.user_id, &caller.number].into_iter().flatten();
        names.map(|name| protocol::mark::of(self.key.expose_secret().as_bytes(), name)).collect()
    }

    async fn knock(
        &self,
        lease: &Lease,
        method: Method,
        call_ref: &str,
        body: Vec<u8>,
    ) -> anyhow::Result<Knock<Response>> {
        let path = path_of(call_ref);
        let nonce = uuid::Uuid::new_v4().simple().to_string();
        let sealed = Sealed {
            time_ms: (self.clock)(),
            nonce: &nonce,
            method: method.as_str(),
            path: &path,
            body: &body,
        };
        let seal = sealed.seal(self.key.expose_secret().as_bytes());
        let url = format!("https://{}{path}", lease.door);
        let request = self.client(&lease.pin)?.request(method.clone(), url);
        let request = request.header(TIME, sealed.time_ms).header(NONCE, &nonce).header(SEAL, seal);
        Ok(match request.body(body).send().await {
            Ok(reply) => read(reply).await,
            Err(error) => Knock::Silent(error.without_url().to_string()),
        })
    }

    fn client(&self, pin: &str) -> anyhow::Result<Client> {
        let mut clients = self.clients.lock().expect("nothing panics while it holds this lock");
        if let Some(client) = clients.get(pin) {
            return Ok(client.clone());
        }
        let tls = pinned::tls(pin)?;
        let client = Client::builder().tls_backend_preconfigured(tls).timeout(TIMEOUT).no_proxy().build();
        let client = client.context("cannot make a client for a media task's door")?;
        clients.insert(pin.to_owned(), client.clone());
        Ok(client)
    }
}

impl<T> Knock<T> {
    fn map<U>(self, f: impl FnOnce(T) -> U) -> Knock<U> {
        match self {
            Self::Opened(value) => Knock::Opened(f(value)),
            Self::Full(reason) => Knock::Full(reason),
            Self::Impossible(reason) => Knock::Impossible(reason),
            Self::Unknown => Knock::Unknown,
            Self::Odd(reason) => Knock::Odd(reason),
            Self::Silent(reason) => Knock::Silent(reason),
        }
    }
}

async fn read(reply: Response) -> Knock<Response> {
    let status = reply.status();
    if status.is_success() {
        return Knock::Opened(reply);
    }
    let refusal = reply.json::<protocol::door::Refusal>().await;
    let reason = refusal.map_or_else(|_| format!("status {status}"), |refusal| refusal.reason);
    match status {
        StatusCode::SERVICE_UNAVAILABLE => Knock::Full(reason),
        StatusCode::UNPROCESSABLE_ENTITY => Knock::Impossible(reason),
        StatusCode::NOT_FOUND => Knock::Unknown,
        _ => Knock::Odd(reason),
    }
}
