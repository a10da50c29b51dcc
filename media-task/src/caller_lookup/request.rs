//! Sends a lookup's request to the business's system, and reads the reply.

use super::progress::{Known, LookupOutcome, Unanswered, Wish};
use crate::settings::MediaSecret;
use agents::{Agent, Lookup};
use call::CallRef;
use lookup::{LARGEST_REPLY, LookupReply, LookupRequest, Rejection};
use operator_http::{OperatorHttp, OperatorHttpError, Post, Reply};
use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use service::secrets::Secret;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The HTTP status of a system that does not accept our signature.
const UNAUTHORIZED: u16 = 401;

/// A lookup's request, ready to be sent.
pub(crate) struct LookupPost {
    /// The client; `None` where TLS cannot be configured.
    http: Option<OperatorHttp>,
    secret: Secret<MediaSecret>,
    call_ref: CallRef,
    agent: String,
    lookup: Lookup,
    allowed_hosts: Vec<String>,
    body: Vec<u8>,
}

impl LookupPost {
    /// Returns the request about a caller, if the agent has a lookup.
    pub(crate) fn of(
        agent: &Agent,
        request: LookupRequest<'_>,
        http: Option<&OperatorHttp>,
        secret: &Secret<MediaSecret>,
    ) -> Option<Self> {
        Some(Self {
            http: http.cloned(),
            secret: secret.clone(),
            call_ref: request.call_ref.clone(),
            agent: agent.name.clone(),
            lookup: agent.lookup.clone()?,
            allowed_hosts: agent.tools.allowed_hosts.clone(),
            body: request.body(),
        })
    }

    /// Returns how long the reply may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.lookup.timeout
    }

    /// Sends the request, once more if no connection can be made, and returns what the business says.
    pub(crate) async fn send(self) -> Result<Known, Unanswered> {
        let secret = self.secret.value();
        // An empty key counts as missing: anyone could sign with it.
        let key = secret.tool_secrets.get(&self.lookup.sign_with);
        let Some(key) = key.filter(|key| !key.expose_secret().is_empty()) else {
            let Self { call_ref, agent, lookup, .. } = &self;
            let name = &lookup.sign_with;
            tracing::error!(%call_ref, agent, "lookup of {agent} not sent: it is signed with {name}, which the secret lacks");
            self.fetch_instead_of(secret);
            return Err(unanswered(LookupOutcome::Failed, None));
        };
        let Some(http) = &self.http else {
            let Self { call_ref, agent, .. } = &self;
            tracing::error!(%call_ref, agent, "lookup of {agent} not sent: TLS could not be configured when the task started");
            return Err(unanswered(LookupOutcome::Failed, None));
        };
        let began = Instant::now();
        let reply = match self.post(http, key, began).await {
            Err(OperatorHttpError::Connection) => self.post(http, key, began).await,
            replied => replied,
        };
        let reply = reply.map_err(|error| self.without_reply(error))?;
        if reply.status == UNAUTHORIZED {
            self.fetch_instead_of(secret);
        }
        self.read(&reply)
    }

    /// Has the secret fetched again, without waiting for it: a key was added or rotated since, and the next call needs it.
    fn fetch_instead_of(&self, used: Arc<MediaSecret>) {
        let secret = self.secret.clone();
        tokio::spawn(async move { secret.instead_of(&used).await });
    }

    async fn post(
        &self,
        http: &OperatorHttp,
        key: &SecretString,
        began: Instant,
    ) -> Result<Reply, OperatorHttpError> {
        let post = Post {
            url: &self.lookup.url,
            allowed_hosts: &self.allowed_hosts,
            headers: HeaderMap::new(),
            body: self.body.clone(),
            key,
            webhook_id: None,
            timeout: self.lookup.timeout.saturating_sub(began.elapsed()),
            largest_reply: LARGEST_REPLY,
        };
        http.post(post).await
    }

    fn without_reply(&self, error: OperatorHttpError) -> Unanswered {
        tracing::warn!(call_ref = %self.call_ref, agent = self.agent, "lookup of {} failed: {error}", self.agent);
        match error {
            OperatorHttpError::Timeout(_) => unanswered(LookupOutcome::Late, None),
            OperatorHttpError::Host
            | OperatorHttpError::Address
            | OperatorHttpError::Connection
            | OperatorHttpError::Broken => unanswered(LookupOutcome::Failed, None),
        }
    }

    fn read(&self, reply: &Reply) -> Result<Known, Unanswered> {
        let status = Some(reply.status);
        if !reply.is_success() {
            return Err(unanswered(LookupOutcome::Failed, status));
        }
        let read = if reply.is_cut { None } else { LookupReply::read(&reply.body).ok() };
        let LookupReply { variables, agent, language, reject } =
            read.ok_or(unanswered(LookupOutcome::Wrong, status))?;
        let rejection = reject.map(|Rejection { message }| message);
        Ok(Known { variables, wish: Wish { agent, language, rejection } })
    }
}

fn unanswered(outcome: LookupOutcome, status: Option<u16>) -> Unanswered {
    Unanswered { outcome, status }
}
