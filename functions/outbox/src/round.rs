//! The rounds of an invocation: claims what is due, and delivers it, to several hosts at once and to each one event at a time.
//!
//! Claims end after the invocation does, so that what a killed invocation had is due again then.

use crate::Outbox;
use crate::delivery::Delivering;
use crate::destinations::{Addressee, Destination, Destinations};
use crate::one_host::{Claimed, HostRun, LONGEST_DELIVERY, OneHost, has_time, report_failure};
use crate::outbox_run::OutboxRun;
use call::CallRef;
use deliveries::{MOST_TRIES, NoReply};
use futures_util::{StreamExt, stream};
use service::time::now_ms;
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;
use store::{OutboxClaim, OutboxItem, OutboxKey};

/// How many events are claimed at once.
const AT_ONCE: u32 = 25;

/// How many hosts are delivered to at once.
const HOSTS_AT_ONCE: usize = 8;

/// How much longer a claim lasts than the invocation, whose host's clock may be behind.
const CLAIM_MARGIN: Duration = Duration::from_secs(5);

/// The rounds of one invocation.
pub(crate) struct Round<'a> {
    outbox: &'a Outbox,
    ends_at_ms: u64,
    destinations: Destinations,
    /// Events that were seen to here, or that another process has: not claimed again.
    passed_over: HashSet<String>,
    /// The ones of those that another process had.
    elsewhere: HashSet<String>,
    /// Whether those are looked at again.
    is_second_look: bool,
    run: OutboxRun,
}

impl<'a> Round<'a> {
    pub(crate) fn new(outbox: &'a Outbox, ends_at_ms: u64) -> Self {
        Self {
            outbox,
            ends_at_ms,
            destinations: Destinations::default(),
            passed_over: HashSet::new(),
            elsewhere: HashSet::new(),
            is_second_look: false,
            run: OutboxRun::default(),
        }
    }

    /// Delivers what is due of a call, then all that is due, while time remains and hosts take it.
    pub(crate) async fn run(mut self, call: Option<CallRef>) -> anyhow::Result<OutboxRun> {
        let mut goes_on = true;
        if let Some(call_ref) = call {
            let events = self.outbox.store.outbox_of(&call_ref).await?;
            let now_ms = now_ms();
            let due = events.iter().filter(|event| event.due_ms().is_some_and(|due_ms| due_ms <= now_ms));
            let due: Vec<_> = due.map(OutboxItem::key).collect();
            goes_on = due.is_empty() || self.deliver(due).await;
        }
        while goes_on && has_time(self.ends_at_ms, LONGEST_DELIVERY) {
            let due = self.due().await?;
            goes_on = !due.is_empty() && self.deliver(due).await;
        }
        if self.run.failed > 0 {
            anyhow::bail!("{} events could not be claimed or recorded", self.run.failed);
        }
        Ok(self.run)
    }

    /// Returns events that are due and were not seen to; if there are no others, those that another process had.
    async fn due(&mut self) -> anyhow::Result<Vec<OutboxKey>> {
        let at_most = AT_ONCE + u32::try_from(self.passed_over.len()).unwrap_or_default();
        let mut due = self.outbox.store.due_outbox(now_ms(), at_most).await?;
        let is_new = |key: &OutboxKey| !self.passed_over.contains(&key.to_string());
        self.is_second_look = !due.iter().any(is_new);
        if self.is_second_look {
            for key in std::mem::take(&mut self.elsewhere) {
                self.passed_over.remove(&key);
            }
        }
        due.retain(|key| !self.passed_over.contains(&key.to_string()));
        Ok(due)
    }

    fn claims_end_at_ms(&self) -> u64 {
        self.ends_at_ms + CLAIM_MARGIN.as_millis() as u64
    }

    /// Claims these events and delivers them, and returns false if there is no use in claiming more: another process has them, or delivers
    /// to their hosts, and sees to what is due there.
    async fn deliver(&mut self, due: Vec<OutboxKey>) -> bool {
        let mut by_host: BTreeMap<String, Claimed> = BTreeMap::new();
        let done_before = self.run.done;
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
            OneHost { outbox, host, ends_at_ms, claim_ends_at_ms: claims_end_at_ms }.deliver(events).await
        });
        let runs: Vec<_> = stream::iter(hosts).buffer_unordered(HOSTS_AT_ONCE).collect().await;
        for HostRun { run: OutboxRun { done, failed }, .. } in &runs {
            self.run.done += done;
            self.run.failed += failed;
        }
        let is_free = runs.iter().any(|run| !run.is_busy) || (runs.is_empty() && !self.is_second_look);
        self.run.done > done_before || is_free
    }

    /// Claims an event; `None` if there is nothing to deliver.
    async fn claim(&mut self, key: &OutboxKey) -> anyhow::Result<Option<(OutboxItem, Destination)>> {
        let item = match self.outbox.store.claim_from_outbox(key, now_ms(), self.claims_end_at_ms()).await? {
            OutboxClaim::Yours(item) => *item,
            OutboxClaim::NotYours => {
                self.elsewhere.insert(key.to_string());
                return Ok(None);
            }
            OutboxClaim::Unreadable { tries } => {
                self.outbox.put_off_unreadable(key, tries, self.claims_end_at_ms()).await?;
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
                delivering.drop_unwanted().await?;
                self.run.done += 1;
            }
            Addressee::Unreadable => delivering.finish_without_reply(NoReply::Unreadable).await?,
            Addressee::Missing => delivering.finish_without_reply(NoReply::Agent).await?,
        }
        Ok(None)
    }

    fn fail(&mut self, key: &OutboxKey, error: &anyhow::Error) {
        self.run.failed += 1;
        report_failure(key, error);
    }
}
