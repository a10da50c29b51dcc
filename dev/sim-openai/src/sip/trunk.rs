//! The carrier's trunk: where calls come from.

use super::{
    Action, CallSpec, Exchange, NotHttps, PlacedCall, RegisteredEndpoint, WebhookEndpoint, complaints,
    webhook_event,
};
use crate::session_registry::unix_now;
use futures_util::future::BoxFuture;
use serde_json::Value;
use std::sync::Arc;

/// A carrier's trunk to a simulator, which places calls; got from [`crate::Realtime::trunk`].
#[derive(Debug, Clone)]
pub struct Trunk {
    pub(crate) exchange: Arc<Exchange>,
}

impl Trunk {
    /// Has one more endpoint receive the project's webhooks from now on.
    ///
    /// # Errors
    /// When its URL is not https, unless it is on loopback.
    pub fn add_endpoint(&self, endpoint: WebhookEndpoint) -> Result<(), NotHttps> {
        self.exchange.add_endpoint(endpoint.check()?);
        Ok(())
    }

    /// Has only these endpoints receive webhooks from now on, as after a rotation of their secrets.
    ///
    /// # Errors
    /// When a URL is not https, unless it is on loopback; then nothing changes.
    pub fn set_endpoints(&self, endpoints: Vec<WebhookEndpoint>) -> Result<(), NotHttps> {
        let checked = endpoints.into_iter().map(WebhookEndpoint::check).collect::<Result<_, _>>()?;
        self.exchange.set_endpoints(checked);
        Ok(())
    }

    /// The project's webhook endpoints, those made by API among them; the oldest first.
    pub fn endpoints(&self) -> Vec<RegisteredEndpoint> {
        self.exchange.registered_endpoints()
    }

    /// Places a call. Every endpoint gets its webhook, and it rings until it is decided.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn ring(&self, spec: CallSpec) -> PlacedCall {
        PlacedCall { call: self.exchange.ring(spec) }
    }

    /// Sends the dashboard's test event to every endpoint: signed, and about no call.
    pub fn send_test_event(&self) {
        self.exchange.announce(&webhook_event::test(unix_now()), None);
    }

    /// Sends any event to every endpoint, signed.
    pub fn send_event(&self, event: &Value) {
        self.exchange.announce(event, None);
    }

    /// Once: runs `kill` as soon as a request of this kind has taken effect, before its answer leaves. It ends the client, which never gets
    /// the answer.
    pub fn kill_client_after(
        &self,
        action: Action,
        kill: impl FnOnce() -> BoxFuture<'static, ()> + Send + 'static,
    ) {
        self.exchange.client_deaths.plan(action, Box::new(kill));
    }

    /// Every call placed so far, in order.
    pub fn calls(&self) -> Vec<PlacedCall> {
        self.exchange.calls().into_iter().map(|call| PlacedCall { call }).collect()
    }

    /// What is wrong with what clients did, now that all calls should be over: none is right.
    ///
    /// Every call that was announced in time is decided exactly once, every accepted call was ended, and nothing was asked for
    /// after a call's end but one hangup.
    pub fn complaints(&self) -> Vec<String> {
        complaints::of(&self.exchange)
    }
}
