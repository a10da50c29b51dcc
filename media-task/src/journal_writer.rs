//! The journal writer: logs a call's journal entries at once and queues them for the table, as it does transcript lines, audio
//! levels and call summaries, which go to the table alone.
//!
//! No caller waits for the table: writes queue (`queue`), many calls are written at once, and a call beyond its budget delays no
//! other. What the table can never take is dropped at once, and a log line names it.

mod queue;

use anyhow::Context;
use call::CallRef;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use journal::{JournalEntry, TranscriptLine};
use queue::{Job, Lane, WriteQueue, WriteResult};
use serde::Serialize;
use service::time::now_ms;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use store::items::{Item, number, text, to_item};
use store::keys;
use store::{AudioLevels, CallOutcome, ErrorKind, OutboxItem, Store, StoreError};
use tokio::sync::Notify;

/// How long after a failed write a caller's request is written again, and how often in all. The agent waits for it, so it is not
/// queued.
const REQUEST_RETRY_DELAY: Duration = Duration::from_millis(300);
const REQUEST_ATTEMPTS: u32 = 5;

/// Queues writes to the table that no caller waits for.
#[derive(Debug, Clone)]
pub struct JournalWriter {
    store: Store,
    pending_writes: Arc<PendingWrites>,
}

/// The queue, and its wake-ups.
#[derive(Debug, Default)]
struct PendingWrites {
    queue: Mutex<WriteQueue<TableWrite>>,
    /// Wakes the writer: a write was queued.
    added: Notify,
    /// Wakes [`JournalWriter::flush`]: a write has ended or was dropped.
    finished: Notify,
}

/// A write to the table.
#[derive(Debug)]
enum TableWrite {
    Entry(Box<JournalEntry>),
    Item(Item),
    Outcome(Box<CallOutcome>),
}

/// A caller's request to the business, before it is stored: a message, or to be called back. It knows its key.
#[derive(Debug)]
pub struct CallerRequest {
    store: Store,
    pk: String,
    n: u64,
    ttl: u64,
}

impl JournalWriter {
    /// Starts the background task that writes to the table.
    pub fn open(store: Store) -> Self {
        let pending_writes = Arc::new(PendingWrites::default());
        tokio::spawn(run_writes(store.clone(), pending_writes.clone()));
        Self { store, pending_writes }
    }

    /// Returns once everything queued so far is in the table or was dropped.
    pub async fn flush(&self) {
        let end = self.pending_writes.queue().sequence();
        loop {
            let finished = self.pending_writes.finished.notified();
            if self.pending_writes.queue().is_done_before(end) {
                return;
            }
            finished.await;
        }
    }

    /// Returns the calls whose summary is not in the table yet.
    pub fn calls_without_summary(&self) -> Vec<CallRef> {
        self.pending_writes.queue().calls_without_summary().cloned().collect()
    }

    /// Logs a journal entry, and queues it for the table.
    pub fn note(&self, entry: JournalEntry) {
        service::events::report(&entry);
        let call_ref = entry.call_ref.clone();
        self.queue(&call_ref, Lane::Record, TableWrite::Entry(Box::new(entry)));
    }

    /// Queues a transcript line, kept for `days`.
    pub fn keep_line(&self, call_ref: &CallRef, line: &TranscriptLine, days: u32) {
        let item = item(line, call_ref, &keys::line(line.place), days);
        self.queue(call_ref, Lane::Record, TableWrite::Item(item));
    }

    /// Queues the audio levels of both sides of a call, kept for `days`.
    pub fn keep_levels(&self, call_ref: &CallRef, levels: &AudioLevels, days: u32) {
        let item = keyed(levels.to_item(), call_ref, keys::LEVELS, days);
        self.queue(call_ref, Lane::Record, TableWrite::Item(item));
    }

    /// Queues a call's outcome: its summary, and its cost as part of what its number spent that day.
    pub fn conclude(&self, outcome: CallOutcome) {
        let call_ref = outcome.by.call_ref.clone();
        self.queue(&call_ref, Lane::Outcome, TableWrite::Outcome(Box::new(outcome)));
    }

    /// Returns the caller's `n`-th request in this call, to be stored and kept for `days`.
    pub fn caller_request(&self, call_ref: &CallRef, n: u64, days: u32) -> CallerRequest {
        CallerRequest { store: self.store.clone(), pk: keys::call(call_ref), n, ttl: ttl_after_days(days) }
    }

    fn queue(&self, call_ref: &CallRef, lane: Lane, table_write: TableWrite) {
        self.pending_writes.queue().push(call_ref, lane, table_write);
        self.pending_writes.added.notify_one();
    }
}

impl PendingWrites {
    fn queue(&self) -> MutexGuard<'_, WriteQueue<TableWrite>> {
        self.queue.lock().expect("nothing panics while it holds this lock")
    }
}

impl CallerRequest {
    /// Returns its number in the call.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// Stores the request: its kind, and `what` it says, which serializes to a map; with it the `event` that tells the business. The caller
    /// hears whether this succeeded.
    ///
    /// # Errors
    /// When the table refuses the item, or five attempts within 1.2 s fail.
    pub async fn store(
        &self,
        kind: &str,
        what: &impl Serialize,
        event: Option<&OutboxItem>,
    ) -> anyhow::Result<()> {
        let mut item = to_item(what);
        item.insert("pk".to_owned(), text(&self.pk));
        item.insert("sk".to_owned(), text(keys::left(self.n)));
        item.insert("kind".to_owned(), text(kind));
        item.insert("left_at_ms".to_owned(), number(now_ms()));
        item.insert(keys::TTL.to_owned(), number(self.ttl));
        for attempt in 1.. {
            let put = async {
                match event {
                    Some(event) => self.store.put_with_event(item.clone(), event).await,
                    None => self.store.put(item.clone()).await,
                }
            };
            match put.await {
                Ok(()) => break,
                Err(error)
                    if attempt == REQUEST_ATTEMPTS || write_result(error.kind()) != WriteResult::Later =>
                {
                    return Err(error).context("cannot write to the table");
                }
                Err(_) => tokio::time::sleep(REQUEST_RETRY_DELAY).await,
            }
        }
        Ok(())
    }
}

/// Writes queued items, many calls at once, for as long as the process runs.
async fn run_writes(store: Store, pending_writes: Arc<PendingWrites>) {
    let mut in_flight = FuturesUnordered::new();
    let mut dropped = 0;
    loop {
        while let Some(job) = pending_writes.queue().poll_job(Instant::now()) {
            in_flight.push(async {
                let result = job.what.write(&store).await;
                (job, result)
            });
        }
        while let Some(overflow) = pending_writes.queue().poll_overflow() {
            let (call_ref, records) = (overflow.call_ref, overflow.records);
            dropped += records;
            tracing::error!(%call_ref, records, dropped, "journal queue full for this call; records dropped");
        }
        let retry_at = pending_writes.queue().poll_timeout();
        tokio::select! {
            () = pending_writes.added.notified() => {}
            Some((job, result)) = in_flight.next() => {
                let written = result.as_ref().map_or_else(|error| write_result(error.kind()), |()| WriteResult::Written);
                let is_kept = pending_writes.queue().handle_result(&job, written, Instant::now());
                if let (false, Err(error)) = (is_kept, result) {
                    dropped += 1;
                    log_dropped(&job, &error, dropped);
                }
                pending_writes.finished.notify_waiters();
            }
            () = sleep_until(retry_at) => {}
        }
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => pending().await,
    }
}

fn write_result(kind: &ErrorKind) -> WriteResult {
    match kind {
        ErrorKind::Permanent(_) | ErrorKind::SpendingConflict => WriteResult::Never,
        ErrorKind::Denied(_) => WriteResult::Denied,
        ErrorKind::Condition(_)
        | ErrorKind::Conflict(_)
        | ErrorKind::Throttled(_)
        | ErrorKind::Unavailable
        | ErrorKind::Unreadable => WriteResult::Later,
    }
}

/// Logs a dropped write. `dropped` is the number of writes that this task has dropped in all.
fn log_dropped(job: &Job<TableWrite>, error: &StoreError, dropped: u64) {
    let (call_ref, item) = (&job.call_ref, job.what.sort_key());
    tracing::error!(%call_ref, item, dropped, "table write failed; item dropped: {error:#}");
}

impl TableWrite {
    async fn write(&self, store: &Store) -> Result<(), StoreError> {
        match self {
            Self::Entry(entry) => store.write(entry).await,
            Self::Item(item) => store.put(item.clone()).await,
            Self::Outcome(outcome) => store.conclude(outcome).await.map(drop),
        }
    }

    /// Returns the sort key of the item to write.
    fn sort_key(&self) -> String {
        match self {
            Self::Entry(entry) => keys::event(entry.version, &entry.writer, entry.sequence),
            Self::Item(item) => item.get("sk").and_then(|sk| sk.as_s().ok()).cloned().unwrap_or_default(),
            Self::Outcome(outcome) => keys::summary(outcome.by.fence),
        }
    }
}

fn item(what: &impl Serialize, call_ref: &CallRef, sk: &str, days: u32) -> Item {
    keyed(to_item(what), call_ref, sk, days)
}

fn keyed(mut item: Item, call_ref: &CallRef, sk: &str, days: u32) -> Item {
    item.insert("pk".to_owned(), text(keys::call(call_ref)));
    item.insert("sk".to_owned(), text(sk));
    item.insert(keys::TTL.to_owned(), number(ttl_after_days(days)));
    item
}

/// Returns the DynamoDB TTL of an item kept for `days`, in seconds since 1970.
pub(crate) fn ttl_after_days(days: u32) -> u64 {
    now_ms() / 1_000 + u64::from(days) * 24 * 60 * 60
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_outcome_with_a_spending_conflict_is_not_retried() {
        assert_eq!(write_result(&ErrorKind::SpendingConflict), WriteResult::Never);
        assert_eq!(write_result(&ErrorKind::Unavailable), WriteResult::Later);
    }
}
