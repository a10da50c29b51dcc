//! Writes what is known of calls: their journals, a line in the log at once and an item in the table as soon as may be;
//! and what was said in them, which goes into the table alone.
//!
//! Nothing waits for the table: what is to be written queues (`queue`), many calls are written at once, and one that writes more
//! than its budget costs no other. What can never be written is dropped at once, and a log line names it.

mod queue;

use anyhow::Context;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use internal_api::keys;
use journal::{JournalEntry, TranscriptLine};
use queue::{Job, Lane, WriteQueue, WriteResult};
use serde::Serialize;
use service::time::now_ms;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use store::items::{Item, number, text, to_item};
use store::{AudioLevels, CallOutcome, SpendingConflict, Store, WriteError};
use tokio::sync::Notify;

/// How soon what a caller left is tried again, and how often in all: the agent waits for it.
const LEFT_AGAIN: Duration = Duration::from_millis(300);
const LEFT_TRIES: u32 = 5;

/// The way into the table for everything that nobody waits for.
#[derive(Debug, Clone)]
pub struct JournalWriter {
    ledger: Store,
    waiting: Arc<JournalWrites>,
}

/// What waits to be written.
#[derive(Debug, Default)]
struct JournalWrites {
    queue: Mutex<WriteQueue<JournalWrite>>,
    /// Something was taken in.
    more: Notify,
    /// Something is written, or was given up.
    fewer: Notify,
}

/// Something to write.
#[derive(Debug)]
enum JournalWrite {
    Entry(Box<JournalEntry>),
    Item(Item),
    Conclusion(Box<CallOutcome>),
}

/// Where a caller leaves something for people: a message, or that they want to be called back.
#[derive(Debug)]
pub struct Unwritten {
    ledger: Store,
    pk: String,
    sk: String,
    ttl: u64,
}

impl JournalWriter {
    /// Starts writing to the table.
    pub fn open(ledger: Store) -> Self {
        let waiting = Arc::new(JournalWrites::default());
        tokio::spawn(write(ledger.clone(), waiting.clone()));
        Self { ledger, waiting }
    }

    /// Returns once all that was noted until now is in the table, or was given up.
    pub async fn written(&self) {
        let until = self.waiting.queue().place();
        loop {
            let fewer = self.waiting.fewer.notified();
            if self.waiting.queue().is_done_before(until) {
                return;
            }
            fewer.await;
        }
    }

    /// The calls whose conclusions are not in the table yet.
    pub fn unconcluded(&self) -> Vec<String> {
        self.waiting.queue().unconcluded().map(str::to_owned).collect()
    }

    /// Notes an entry of a call's journal.
    pub fn note(&self, entry: JournalEntry) {
        service::events::report(&entry);
        let call_ref = entry.call_ref.clone();
        self.queue(&call_ref, Lane::Record, JournalWrite::Entry(Box::new(entry)));
    }

    /// Keeps a line of a conversation for so many days.
    pub fn keep_line(&self, call_ref: &str, line: &TranscriptLine, days: u32) {
        let item = item(line, call_ref, &keys::line(line.place), days);
        self.queue(call_ref, Lane::Record, JournalWrite::Item(item));
    }

    /// Keeps how loud each side of a call was, for so many days.
    pub fn keep_levels(&self, call_ref: &str, levels: &AudioLevels, days: u32) {
        let item = keyed(levels.to_item(), call_ref, keys::LEVELS, days);
        self.queue(call_ref, Lane::Record, JournalWrite::Item(item));
    }

    /// Keeps a call's summary, and counts what it cost to what its number spent that day.
    pub fn conclude(&self, conclusion: CallOutcome) {
        let call_ref = conclusion.by.call_ref.clone();
        self.queue(&call_ref, Lane::Conclusion, JournalWrite::Conclusion(Box::new(conclusion)));
    }

    /// Where the caller of this call leaves their n-th thing for people, for so many days.
    pub fn left_by(&self, call_ref: &str, n: u64, days: u32) -> Unwritten {
        Unwritten {
            ledger: self.ledger.clone(),
            pk: keys::call(call_ref),
            sk: keys::left(n),
            ttl: forget_in(days),
        }
    }

    fn queue(&self, call_ref: &str, lane: Lane, page: JournalWrite) {
        self.waiting.queue().push(call_ref, lane, page);
        self.waiting.more.notify_one();
    }
}

impl JournalWrites {
    fn queue(&self) -> MutexGuard<'_, WriteQueue<JournalWrite>> {
        self.queue.lock().expect("nothing panics while it holds this lock")
    }
}

impl Unwritten {
    /// Writes down what the caller leaves: its kind, and the thing itself, a map. They are told whether that was done.
    ///
    /// # Errors
    /// When the table cannot be written for a second and more.
    pub async fn store(&self, kind: &str, what: &impl Serialize) -> anyhow::Result<()> {
        let mut item = to_item(what);
        item.insert("pk".to_owned(), text(&self.pk));
        item.insert("sk".to_owned(), text(&self.sk));
        item.insert("kind".to_owned(), text(kind));
        item.insert("left_at_ms".to_owned(), number(now_ms()));
        item.insert(keys::TTL.to_owned(), number(self.ttl));
        for attempt in 1.. {
            match self.ledger.put(item.clone()).await {
                Ok(()) => break,
                Err(error) if attempt == LEFT_TRIES || trouble(&error) != WriteResult::Later => {
                    return Err(error).context("cannot write to the table");
                }
                Err(_) => tokio::time::sleep(LEFT_AGAIN).await,
            }
        }
        Ok(())
    }
}

/// Writes what waits, many calls at once.
async fn write(ledger: Store, waiting: Arc<JournalWrites>) {
    let mut writing = FuturesUnordered::new();
    let mut dropped = 0;
    loop {
        while let Some(job) = waiting.queue().poll_job(Instant::now()) {
            writing.push(async {
                let came = job.what.write(&ledger).await;
                (job, came)
            });
        }
        while let Some(overflow) = waiting.queue().poll_overflow() {
            let (call_ref, records) = (overflow.call_ref, overflow.records);
            dropped += records;
            tracing::error!(
                call_ref,
                records,
                dropped,
                "Too much of one call waits for the table: records dropped"
            );
        }
        let again_at = waiting.queue().poll_timeout();
        tokio::select! {
            () = waiting.more.notified() => {}
            Some((job, came)) = writing.next() => {
                let tried = came.as_ref().map_or_else(trouble, |()| WriteResult::Written);
                let is_kept = waiting.queue().handle_tried(&job, tried, Instant::now());
                if let (false, Err(error)) = (is_kept, came) {
                    dropped += 1;
                    tell_dropped(&job, &error, dropped);
                }
                waiting.fewer.notify_waiters();
            }
            () = until(again_at) => {}
        }
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => pending().await,
    }
}

fn trouble(error: &anyhow::Error) -> WriteResult {
    if error.is::<SpendingConflict>() {
        return WriteResult::Never;
    }
    match WriteError::of_write(error) {
        WriteError::Unfit(_) => WriteResult::Never,
        WriteError::Denied(_) => WriteResult::Denied,
        WriteError::Condition(_) | WriteError::Conflict(_) | WriteError::Busy(_) | WriteError::Unanswered => {
            WriteResult::Later
        }
    }
}

/// `dropped` counts what this task has dropped in all.
fn tell_dropped(job: &Job<JournalWrite>, error: &anyhow::Error, dropped: u64) {
    let (call_ref, item) = (&job.call_ref, job.what.name());
    tracing::error!(call_ref, item, dropped, "Not written to the table, and dropped: {error:#}");
}

impl JournalWrite {
    async fn write(&self, ledger: &Store) -> anyhow::Result<()> {
        match self {
            Self::Entry(entry) => ledger.write(entry).await,
            Self::Item(item) => ledger.put(item.clone()).await,
            Self::Conclusion(conclusion) => ledger.conclude(conclusion).await.map(drop),
        }
    }

    /// The sort key of what is written.
    fn name(&self) -> String {
        match self {
            Self::Entry(entry) => keys::event(entry.version, &entry.writer, entry.sequence),
            Self::Item(item) => item.get("sk").and_then(|sk| sk.as_s().ok()).cloned().unwrap_or_default(),
            Self::Conclusion(conclusion) => keys::summary(conclusion.by.fence),
        }
    }
}

fn item(what: &impl Serialize, call_ref: &str, sk: &str, days: u32) -> Item {
    keyed(to_item(what), call_ref, sk, days)
}

fn keyed(mut item: Item, call_ref: &str, sk: &str, days: u32) -> Item {
    item.insert("pk".to_owned(), text(keys::call(call_ref)));
    item.insert("sk".to_owned(), text(sk));
    item.insert(keys::TTL.to_owned(), number(forget_in(days)));
    item
}

/// When what is kept for so many days is forgotten, seconds since 1970.
pub(crate) fn forget_in(days: u32) -> u64 {
    now_ms() / 1_000 + u64::from(days) * 24 * 60 * 60
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conclusion_that_was_counted_otherwise_is_not_tried_again() {
        assert_eq!(trouble(&SpendingConflict.into()), WriteResult::Never);
        assert_eq!(trouble(&anyhow::anyhow!("the network is gone")), WriteResult::Later);
    }
}
