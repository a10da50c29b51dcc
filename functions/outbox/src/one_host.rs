//! Delivers the claimed events of one host, one event at a time, while the model is asked for several.

use crate::delivery::{Answered, Delivering, HostState};
use crate::destinations::Destination;
use crate::outbox_run::OutboxRun;
use crate::{MODEL_TIMEOUT, Outbox};
use futures_util::{StreamExt, future, stream};
use service::time::now_ms;
use std::time::Duration;
use store::{OutboxItem, OutboxKey};

/// How many requests to the model are made at once.
const QUESTIONS_AT_ONCE: usize = 8;

/// How long a delivery may take at most: a request to the business, and what is read and written around it.
pub(crate) const LONGEST_DELIVERY: Duration = Duration::from_secs(15);

/// How long it takes at most until an event is delivered that the model is asked for.
const LONGEST_WITH_MODEL: Duration = LONGEST_DELIVERY.saturating_add(MODEL_TIMEOUT);

/// How long the other events of a host wait that cannot be reached: those of other hosts are not to wait for its time-outs.
const SILENT_HOST_PAUSE: Duration = Duration::from_secs(60);

/// How often a process asks for a host that another one delivers to, and how long it waits before it asks again: most deliveries are short.
const HOST_REQUESTS: u32 = 4;
const HOST_PAUSE: Duration = Duration::from_millis(500);

/// Claimed events, each with where it goes.
pub(crate) type Claimed = Vec<(OutboxItem, Destination)>;

/// A host whose events are delivered.
pub(crate) struct OneHost<'a> {
    pub(crate) outbox: &'a Outbox,
    pub(crate) host: String,
    pub(crate) ends_at_ms: u64,
    pub(crate) claim_ends_at_ms: u64,
}

/// What came of a host's events.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct HostRun {
    pub(crate) run: OutboxRun,
    /// Whether another process delivers to the host.
    pub(crate) is_busy: bool,
}

impl OneHost<'_> {
    /// Delivers events. Those for which the model is asked come after the others; the host is claimed while it gets events alone, so that
    /// no other process waits for the model.
    pub(crate) async fn deliver(&self, events: Claimed) -> HostRun {
        let (slow, quick): (Claimed, Claimed) =
            events.into_iter().partition(|(_, destination)| destination.extract().is_some());
        let ((quick, state), (asked, answered)) =
            future::join(self.post_all(quick, HostState::Fine), self.ask_all(slow)).await;
        let (slow, _) = self.post_all(answered, state).await;
        let mut all = HostRun::default();
        for of in [quick, asked, slow] {
            all.run.done += of.run.done;
            all.run.failed += of.run.failed;
            all.is_busy |= of.is_busy;
        }
        all
    }

    /// Has the model asked for these events, several at once, and returns those that can be delivered then.
    async fn ask_all(&self, events: Claimed) -> (HostRun, Claimed) {
        let asked = events.into_iter().map(|(item, destination)| async move {
            let delivering = Delivering::new(self.outbox, &item);
            let answered = if self.has_time(LONGEST_WITH_MODEL) {
                delivering.ask(&destination).await
            } else {
                self.put_back(&item, HostState::Fine).await.map(|()| Answered::PutBack)
            };
            (item, destination, answered)
        });
        let asked: Vec<_> = stream::iter(asked).buffered(QUESTIONS_AT_ONCE).collect().await;
        let (mut run, mut answered) = (HostRun::default(), vec![]);
        for (item, destination, result) in asked {
            match result {
                Ok(Answered::Ready) => answered.push((item, destination)),
                Ok(Answered::Recorded) => run.run.done += 1,
                Ok(Answered::PutBack) => {}
                Err(error) => {
                    run.run.failed += 1;
                    report_failure(&item.key(), &error);
                }
            }
        }
        (run, answered)
    }

    /// Delivers events, one after the other. While another process delivers to the host, while it is silent, and once time is short, they
    /// stay due.
    async fn post_all(&self, events: Claimed, mut state: HostState) -> (HostRun, HostState) {
        let mut run = HostRun::default();
        if events.is_empty() {
            return (run, state);
        }
        let is_ours = self.claim_host().await.unwrap_or_else(|error| {
            tracing::error!("cannot claim a host, its events stay due: {error:#}");
            run.run.failed += 1;
            false
        });
        run.is_busy = !is_ours;
        for (item, destination) in events {
            let tried = if is_ours && state == HostState::Fine && self.has_time(LONGEST_DELIVERY) {
                Delivering::new(self.outbox, &item).run(&destination).await.map(|after| {
                    run.run.done += 1;
                    state = after;
                })
            } else {
                self.put_back(&item, state).await
            };
            if let Err(error) = tried {
                run.run.failed += 1;
                report_failure(&item.key(), &error);
            }
        }
        if is_ours && let Err(error) = self.outbox.store.release_host(&self.host, self.claim_ends_at_ms).await
        {
            tracing::warn!("cannot give up the claim to a host, it ends by itself: {error:#}");
        }
        (run, state)
    }

    /// Claims the host, and returns false if another process does not let go of it.
    async fn claim_host(&self) -> store::Result<bool> {
        for request in 0..HOST_REQUESTS {
            if request > 0 {
                tokio::time::sleep(HOST_PAUSE).await;
            }
            if self.outbox.store.claim_host(&self.host, now_ms(), self.claim_ends_at_ms).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Gives the claim to an event back without a try.
    async fn put_back(&self, item: &OutboxItem, host: HostState) -> anyhow::Result<()> {
        let pause = match host {
            HostState::Fine => Duration::ZERO,
            HostState::Silent => SILENT_HOST_PAUSE,
        };
        self.outbox.store.release_outbox_claim(item, now_ms() + pause.as_millis() as u64).await?;
        Ok(())
    }

    fn has_time(&self, takes: Duration) -> bool {
        has_time(self.ends_at_ms, takes)
    }
}

pub(crate) fn has_time(ends_at_ms: u64, takes: Duration) -> bool {
    now_ms() + (takes.as_millis() as u64) < ends_at_ms
}

pub(crate) fn report_failure(key: &OutboxKey, error: &anyhow::Error) {
    let OutboxKey { call_ref, event, .. } = key;
    tracing::error!(%call_ref, what = %event, "cannot deliver {event}, it is due again when its claim ends: {error:#}");
}
