//! Tells the business what happens in a call: puts the events that the agent's file names into the outbox, and has them delivered.

use super::call_identity::CallIdentity;
use super::services::Services;
use crate::agent_cache::LoadedAgent;
use agents::AfterEvent;
use backon::{ConstantBuilder, Retryable};
use std::time::Duration;
use store::{OutboxEvent, OutboxItem, OutboxKey};

/// How long after a failed write it is tried again, and how often.
const RETRY_DELAY: Duration = Duration::from_millis(500);
const RETRIES: usize = 5;

/// What the business wants to know of one call.
#[derive(Clone)]
pub(crate) struct Business {
    call: CallIdentity,
    /// The agent's name.
    agent: String,
    on: Vec<AfterEvent>,
    services: Services,
}

impl Business {
    pub(crate) fn new(call: CallIdentity, agent: &LoadedAgent, services: Services) -> Self {
        let on = agent.file.after.as_ref().map(|after| after.on.clone()).unwrap_or_default();
        Self { call, agent: agent.file.name.clone(), on, services }
    }

    /// Returns the outbox's item of the caller's `n`-th request to the business, if the business wants to know of such.
    pub(crate) fn left(&self, event: AfterEvent, n: u64, now_ms: u64) -> Option<OutboxItem> {
        self.wants(event).then(|| {
            let key = OutboxKey::nth(&self.call.call_ref, in_outbox(event), n);
            self.item(&key, now_ms).about(&store::keys::left(n))
        })
    }

    /// Tells the business of an event that a call has once, if it wants to know.
    pub(crate) fn tell(&self, event: AfterEvent, now_ms: u64) {
        if !self.wants(event) {
            return;
        }
        let item = self.item(&OutboxKey::of(&self.call.call_ref, in_outbox(event)), now_ms);
        let business = self.clone();
        tokio::spawn(async move {
            let put = || business.services.store.put_into_outbox(&item);
            match put.retry(retries()).await {
                Ok(_) => business.deliver().await,
                Err(error) => {
                    let call_ref = &business.call.call_ref;
                    tracing::error!(%call_ref, %event, "outbox write failed, the business is not told: {error:#}");
                }
            }
        });
    }

    /// Tells the business that the call is over, once all that this task has written of it is in the table; call-control knows that it is over.
    pub(crate) fn conclude(&self) {
        if !self.wants(AfterEvent::CallEnded) {
            return;
        }
        let business = self.clone();
        tokio::spawn(async move {
            let (store, call) = (&business.services.store, &business.call);
            business.services.journal.flush().await;
            let conclude = || store.call_concluded(&call.call_ref, call.fence, service::time::now_ms());
            match conclude.retry(retries()).await {
                Ok(true) => business.deliver().await,
                Ok(false) => {}
                // It is told a minute after the call's end, whatever is written by then.
                Err(error) => {
                    tracing::warn!(call_ref = %call.call_ref, "outbox write failed, the business is told later: {error:#}");
                }
            }
        });
    }

    /// Has the outbox deliver what is due. Without it the outbox's schedule does so, within a minute.
    pub(crate) async fn deliver(&self) {
        let Some(outbox) = &self.services.outbox else { return };
        if let Err(error) = outbox.deliver(self.call.call_ref.clone()).await {
            let call_ref = &self.call.call_ref;
            tracing::warn!(%call_ref, "the outbox was not invoked, its schedule delivers: {error:#}");
        }
    }

    fn wants(&self, event: AfterEvent) -> bool {
        self.on.contains(&event)
    }

    fn item(&self, key: &OutboxKey, now_ms: u64) -> OutboxItem {
        OutboxItem::new(key, &self.call.number, Some(&self.agent), now_ms)
    }
}

fn retries() -> ConstantBuilder {
    ConstantBuilder::default().with_delay(RETRY_DELAY).with_max_times(RETRIES)
}

fn in_outbox(event: AfterEvent) -> OutboxEvent {
    match event {
        AfterEvent::CallEnded => OutboxEvent::CallEnded,
        AfterEvent::CallRejected => OutboxEvent::CallRejected,
        AfterEvent::MessageTaken => OutboxEvent::MessageTaken,
        AfterEvent::CallbackRequested => OutboxEvent::CallbackRequested,
        AfterEvent::PersonWanted => OutboxEvent::PersonWanted,
        AfterEvent::NearCap => OutboxEvent::SpendingNearCap,
    }
}
