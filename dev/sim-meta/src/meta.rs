//! The handle on Meta's cloud: what a rehearsal starts, rings with, watches and stops.

use crate::cloud::{BoxFuture, Cloud};
use crate::{
    Action, BusinessRecords, Call, CallRecord, CallerConfig, ExternalCall, MetaConfig, Observation,
    SetupFault, graph, ringing,
};
use anyhow::Context;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};

/// The version of Graph that the product asks for, of 2026-07-29. v27.0 exists since 2026-11-04.
const VERSION: &str = "v26.0";
/// How long replies under way may take when Meta is stopped.
const GRACE: Duration = Duration::from_secs(1);

/// Meta's cloud: Graph, the sender of webhooks, and the relays where callers' media ends.
pub struct Meta {
    cloud: Arc<Cloud>,
    address: SocketAddr,
    server: JoinHandle<()>,
    stop_server: oneshot::Sender<()>,
    calls: Mutex<JoinSet<()>>,
}

impl Meta {
    /// Starts Graph on 127.0.0.1.
    pub async fn start(config: MetaConfig) -> anyhow::Result<Meta> {
        let cloud = Arc::new(Cloud::new(config)?);
        let (stop_server, stop) = oneshot::channel();
        let (address, serving) = graph::serve(cloud.clone(), stop).await.context("no port for Graph")?;
        let server = tokio::spawn(serving);
        Ok(Meta { cloud, address, server, stop_server, calls: Mutex::default() })
    }

    /// Where Graph is, as in `GRAPH_URL`: `http://127.0.0.1:<port>/v26.0`.
    pub fn graph_url(&self) -> String {
        format!("http://{}/{VERSION}", self.address)
    }

    /// Where webhooks go from now on.
    pub fn set_webhook_url(&self, url: impl Into<String>) {
        self.cloud.sender.set_url(url.into());
    }

    /// Asks the webhook for the challenge, as Meta does when it is configured.
    ///
    /// # Errors
    /// When it does not reply 200 with exactly the challenge.
    pub async fn verify_webhook(&self) -> anyhow::Result<()> {
        let challenge = self.cloud.rng().u64(..) >> 33;
        self.cloud.sender.verify(&self.cloud.config.verify_token, challenge).await
    }

    /// Signs webhooks with another app secret from now on, as after a reset in the app's settings.
    pub fn set_app_secret(&self, secret: impl Into<String>) {
        self.cloud.sender.set_app_secret(secret.into());
    }

    /// Takes another access token from now on, and the old one no more.
    pub fn set_access_token(&self, token: impl Into<String>) {
        self.cloud.set_access_token(token.into());
    }

    /// Lets a caller ring. Returns when the relay listens; the webhook is delivered meanwhile.
    pub async fn ring(&self, caller: CallerConfig) -> anyhow::Result<Call> {
        let (call, put_through) = ringing::ring(self.cloud.clone(), caller).await?;
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).spawn(put_through);
        Ok(Call::new(call))
    }

    /// Lets a caller ring whose phone is another program, with its own SDP offer. The webhook is delivered meanwhile.
    pub fn ring_with_offer(&self, caller: CallerConfig, offer: String) -> anyhow::Result<ExternalCall> {
        let (call, answer, put_through) = ringing::ring_with_offer(self.cloud.clone(), caller, offer)?;
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).spawn(put_through);
        Ok(ExternalCall::new(call, answer))
    }

    /// What is on file about the business: its token, app, account and number.
    pub fn records(&self) -> BusinessRecords {
        self.cloud.records()
    }

    /// Changes what is on file.
    pub fn change_records(&self, change: impl FnOnce(&mut BusinessRecords)) {
        self.cloud.change_records(change);
    }

    /// Puts something amiss with the business's set-up.
    pub fn inject_setup_fault(&self, fault: SetupFault) {
        self.cloud.change_records(|records| fault.apply(records));
    }

    /// Everything seen from now on, of all calls.
    pub fn observations(&self) -> mpsc::UnboundedReceiver<Observation> {
        self.cloud.journal.watch()
    }

    /// Awaits `hook` after each action that took effect, before its reply leaves.
    pub fn on_action(&self, hook: impl Fn(Action) -> BoxFuture<()> + Send + Sync + 'static) {
        self.cloud.set_hook(Arc::new(hook));
    }

    /// The WhatsApp messages the business sent, as it sent them.
    pub fn messages(&self) -> Vec<Value> {
        self.cloud.messages()
    }

    /// What is on file about every call so far, in the order they began to ring.
    pub fn calls(&self) -> Vec<CallRecord> {
        self.cloud.calls().iter().map(|call| call.record()).collect()
    }

    /// The calls that neither side has ended and that did not end by themselves.
    pub fn open_calls(&self) -> Vec<CallRecord> {
        self.calls().into_iter().filter(CallRecord::is_open).collect()
    }

    /// The ids of calls the business acted on though they are not its own: another number's, or invented ones.
    pub fn strays(&self) -> Vec<String> {
        self.cloud.strays()
    }

    /// Stops everything, calls included; no further webhook is sent.
    pub async fn stop(self) {
        let mut calls = self.calls.into_inner().unwrap_or_else(PoisonError::into_inner);
        calls.shutdown().await;
        drop(self.stop_server);
        if tokio::time::timeout(GRACE, self.server).await.is_err() {
            tracing::warn!("Graph was stopped in the middle of a reply");
        }
    }
}
