//! The rounds of an invocation: claims what is due, and delivers it, to several hosts at once and to each one event at a time.
//!
//! Claims end after the invocation does, so that what a killed invocation had is due again then.

use crate::Outbox;
use crate::delivery::{Delivering, HostState};
use crate::destinations::{Addressee, Destination, Destinations};
use call::CallRef;
use deliveries::{MOST_TRIES, NoReply};
use futures_util::{StreamExt, stream};
use serde::Serialize;
use service::time::now_ms;
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;
use store::{OutboxClaim, OutboxItem, OutboxKey};

/// How many events are claimed at once.
const AT_ONCE: u32 = 25;

/// How many hosts are delivered to at once.
const HOSTS_AT_ONCE: usize = 8;

/// How long a delivery may take at most: a request to the model, one to the business, and what is read and written around them.
const LONGEST_DELIVERY: Duration = Duration::from_secs(45);

/// How long the other events of a host wait that cannot be reached: those of other hosts are not to wait for its time-outs.
const SILENT_HOST_PAUSE: Duration = Duration::from_secs(60);

/// How much longer a claim lasts than the invocation, whose host's clock may be behind.
const CLAIM_MARGIN: Duration = Duration::from_secs(5);

/// The result of an invocation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct OutboxRun {
    /// How many events were tried, or dropped because they have no receiver.
    pub done: usize,
    /// How many events could not be claimed or recorded.
    pub failed: usize,
}

/// The rounds of one invocation.
pub(crate) struct Round<'a> {
    outbox: &'a Outbox,
    ends_at_ms: u64,
    destinations: Destinations,
    /// Events that wait for another process, or that failed here: not claimed again.
    passed_over: HashSet<String>,
    run: OutboxRun,
}

/// The events of one host.
type OfHost = Vec<(OutboxItem, Destination)>;

impl<'a> Round<'a> {
    pub(crate) fn new(outbox: &'a Outbox, ends_at_ms: u64) -> Self {
        Self {
            outbox,
            ends_at_ms,
            destinations: Destinations::default(),
            passed_over: HashSet::new(),
            run: OutboxRun::default(),
        }
    }

    /// Delivers what is due of a call, then all that is due, while time remains.
    pub(crate) async fn run(mut self, call: Option<CallRef>) -> anyhow::Result<OutboxRun> {
        if let Some(call_ref) = call {
            let events = self.outbox.store.outbox_of(&call_ref).await?;
            let now_ms = now_ms();
            let due = events.iter().filter(|event| event.due_ms().is_some_and(|due_ms| due_ms <= now_ms));
            let due = due.map(OutboxItem::key).collect();
            self.deliver(due).await;
        }
        while self.has_time() {
            let at_most = AT_ONCE + u32::try_from(self.passed_over.len()).unwrap_or_default();
            let due = self.outbox.store.due_outbox(now_ms(), at_most).await?;
            let due: Vec<_> =
                due.into_iter().filter(|key| !self.passed_over.contains(&key.to_string())).collect();
            if due.is_empty() {
                break;
            }
            self.deliver(due).await;
        }
        if self.run.failed > 0 {
            anyhow::bail!("{} events could not be claimed or recorded", self.run.failed);
        }
        Ok(self.run)
    }

    fn has_time(&self) -> bool {
        has_time(self.ends_at_ms)
    }

    fn claims_end_at_ms(&self) -> u64 {
        self.ends_at_ms + CLAIM_MARGIN.as_millis() as u64
    }

    /// Claims these events and delivers them.
    async fn deliver(&mut self, due: Vec<OutboxKey>) {
        let mut by_host: BTreeMap<String, OfHost> = BTreeMap::new();
        for key in due {
            self.passed_over.insert(key.to_string());
            match self.claim(&key).await {
                Ok(Some((item, destination))) => {
                    let host = destination.after.url.host_str().unwrap_or_default().to_owned();
                    by_host.entry(host).or_default().push((item, destination));
                }
                Ok(None) => {}
                Err(error) => self.fail(&key, &error),
            }
        }
        let (outbox, ends_at_ms, claims_end_at_ms) = (self.outbox, self.ends_at_ms, self.claims_end_at_ms());
        let hosts = by_host.into_iter().map(|(host, events)| async move {
            deliver_to_host(outbox, &host, events, ends_at_ms, claims_end_at_ms).await
        });
        let runs: Vec<_> = stream::iter(hosts).buffer_unordered(HOSTS_AT_ONCE).collect().await;
        for OutboxRun { done, failed } in runs {
            self.run.done += done;
            self.run.failed += failed;
        }
    }

    /// Claims an event; `None` if there is nothing to deliver.
    async fn claim(&mut self, key: &OutboxKey) -> anyhow::Result<Option<(OutboxItem, Destination)>> {
        let store = &self.outbox.store;
        let item = match store.claim_from_outbox(key, now_ms(), self.claims_end_at_ms()).await? {
            OutboxClaim::Yours(item) => *item,
            OutboxClaim::NotYours => return Ok(None),
            OutboxClaim::Unreadable => {
                tracing::error!(what = %key.event, call_ref = %key.call_ref, "cannot read an event of the outbox, it is set aside");
                store.set_event_aside(key, now_ms()).await?;
                return Ok(None);
            }
        };
        let addressee = self.destinations.of(self.outbox, &item).await?;
        let delivering = Delivering::new(self.outbox, &item);
        match addressee {
            // It was claimed as often, and each process died of it.
            _ if item.tries > MOST_TRIES => delivering.give_up().await?,
            Addressee::Found(destination) => return Ok(Some((item, *destination))),
            Addressee::Unwanted => {
                store.drop_from_outbox(key).await?;
                self.run.done += 1;
            }
            Addressee::Unreadable => delivering.finish_without_reply(NoReply::Unreadable).await?,
        }
        Ok(None)
    }

    fn fail(&mut self, key: &OutboxKey, error: &anyhow::Error) {
        self.run.failed += 1;
        report_failure(key, error);
    }
}

/// Delivers the events of one host, one after the other. While another process delivers to it, while it is silent, and once time is short,
/// they stay due.
async fn deliver_to_host(
    outbox: &Outbox,
    host: &str,
    events: OfHost,
    ends_at_ms: u64,
    claim_ends_at_ms: u64,
) -> OutboxRun {
    let mut run = OutboxRun::default();
    let is_ours = outbox.store.claim_host(host, now_ms(), claim_ends_at_ms).await;
    let is_ours = is_ours.unwrap_or_else(|error| {
        tracing::error!("cannot claim a host, its events stay due: {error:#}");
        run.failed += 1;
        false
    });
    let mut state = HostState::Fine;
    for (item, destination) in events {
        let tried = if is_ours && state == HostState::Fine && has_time(ends_at_ms) {
            Delivering::new(outbox, &item).run(&destination).await.map(|after| {
                run.done += 1;
                state = after;
            })
        } else {
            put_back(outbox, &item, state).await
        };
        if let Err(error) = tried {
            run.failed += 1;
            report_failure(&item.key(), &error);
        }
    }
    if is_ours && let Err(error) = outbox.store.release_host(host, claim_ends_at_ms).await {
        tracing::warn!("cannot give up the claim to a host, it ends by itself: {error:#}");
    }
    run
}

/// Gives the claim to an event back without a try.
async fn put_back(outbox: &Outbox, item: &OutboxItem, host: HostState) -> anyhow::Result<()> {
    let pause = match host {
        HostState::Fine => Duration::ZERO,
        HostState::Silent => SILENT_HOST_PAUSE,
    };
    outbox.store.release_outbox_claim(item, now_ms() + pause.as_millis() as u64).await?;
    Ok(())
}

fn report_failure(key: &OutboxKey, error: &anyhow::Error) {
    let OutboxKey { call_ref, event, .. } = key;
    tracing::error!(%call_ref, what = %event, "cannot deliver {event}, it is due again when its claim ends: {error:#}");
}

fn has_time(ends_at_ms: u64) -> bool {
    now_ms() + (LONGEST_DELIVERY.as_millis() as u64) < ends_at_ms
}
