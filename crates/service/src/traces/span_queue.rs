//! Sends spans in batches from a queue. Sending never blocks the caller: entries are dropped and counted when the queue is full.

use super::otlp::data;
use journal::JournalEntry;
use opentelemetry_sdk::trace::SpanExporter;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use traces::spans_of;

/// The capacity of the queue, entries. A call has about thirty.
const CAPACITY: usize = 2_048;

/// The largest batch, entries.
const MAX_BATCH: usize = 256;

/// The timing of batches.
#[derive(Debug, Clone, Copy)]
pub(super) struct BatchSettings {
    /// How long an entry waits for others of its batch.
    pub(super) linger: Duration,
    /// How long nothing is sent after a failed export, which the exporter has attempted four times.
    pub(super) pause: Duration,
    /// How long flushes do not wait after a failed export. Not for good: a function that is frozen once it has responded sends nothing
    /// unless a flush waits.
    pub(super) no_wait: Duration,
}

/// The sending half of the queue.
#[derive(Debug)]
pub(super) struct SpanQueue {
    messages: mpsc::Sender<Message>,
    shared: Arc<Shared>,
}

/// The state shared by both halves of the queue.
#[derive(Debug)]
struct Shared {
    settings: BatchSettings,
    /// Dropped entries that were not logged yet.
    dropped: AtomicU64,
    /// Until when flushes do not wait: the last export failed or timed out.
    no_wait_until: Mutex<Option<Instant>>,
}

#[derive(Debug)]
enum Message {
    Entry(Box<JournalEntry>),
    /// A flush waits for all entries before this one.
    Flush(oneshot::Sender<()>),
}

impl SpanQueue {
    /// Starts sending with this exporter, on the caller's runtime.
    pub(super) fn open(exporter: impl SpanExporter + 'static, settings: BatchSettings) -> Self {
        let (messages, receiver) = mpsc::channel(CAPACITY);
        let shared = Shared { settings, dropped: AtomicU64::default(), no_wait_until: Mutex::default() };
        let shared = Arc::new(shared);
        tokio::spawn(send_all(receiver, exporter, shared.clone()));
        Self { messages, shared }
    }

    /// Queues an entry; drops and counts it when the queue is full.
    pub(super) fn note(&self, entry: &JournalEntry) {
        if self.messages.try_send(Message::Entry(Box::new(entry.clone()))).is_err() {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns once all queued entries are sent or `timeout_after` is over; at once if a flush failed recently.
    pub(super) async fn flush(&self, timeout_after: Duration) {
        if self.shared.skips_waiting() {
            return;
        }
        let (done, is_done) = oneshot::channel();
        let flushing = async {
            if self.messages.send(Message::Flush(done)).await.is_ok() {
                let _ = is_done.await;
            }
        };
        if timeout(timeout_after, flushing).await.is_err() {
            self.shared.note_export(false);
        }
    }
}

async fn send_all(mut receiver: mpsc::Receiver<Message>, exporter: impl SpanExporter, shared: Arc<Shared>) {
    while let Some(message) = receiver.recv().await {
        let (entries, flushed) = collect_batch(message, &mut receiver, shared.settings.linger).await;
        let is_exported = if entries.is_empty() { None } else { Some(send(&entries, &exporter).await) };
        if let Some(is_exported) = is_exported {
            shared.note_export(is_exported);
        }
        shared.log_dropped();
        if let Some(flushed) = flushed {
            let _ = flushed.send(());
        }
        if is_exported == Some(false) {
            sleep(shared.settings.pause).await;
        }
    }
}

/// Collects a batch: all entries that arrive within `linger`, or until a flush.
async fn collect_batch(
    first: Message,
    receiver: &mut mpsc::Receiver<Message>,
    linger: Duration,
) -> (Vec<JournalEntry>, Option<oneshot::Sender<()>>) {
    let (mut entries, until) = (vec![], Instant::now() + linger);
    let mut message = Some(first);
    while let Some(received) = message {
        match received {
            Message::Entry(entry) => entries.push(*entry),
            Message::Flush(flushed) => return (entries, Some(flushed)),
        }
        if entries.len() == MAX_BATCH {
            break;
        }
        message = timeout_at(until, receiver.recv()).await.ok().flatten();
    }
    (entries, None)
}

/// Sends a batch and returns whether the collector took it.
async fn send(entries: &[JournalEntry], exporter: &impl SpanExporter) -> bool {
    let batch: Vec<_> = entries.iter().flat_map(spans_of).map(data).collect();
    let spans = batch.len();
    match exporter.export(batch).await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(spans, "span export failed, {spans} spans dropped: {error}");
            false
        }
    }
}

impl Shared {
    fn note_export(&self, is_exported: bool) {
        let until = (!is_exported).then(|| Instant::now() + self.settings.no_wait);
        *self.no_wait_until.lock().expect("nothing panics while it holds this lock") = until;
    }

    fn skips_waiting(&self) -> bool {
        let until = *self.no_wait_until.lock().expect("nothing panics while it holds this lock");
        until.is_some_and(|until| Instant::now() < until)
    }

    fn log_dropped(&self) {
        match self.dropped.swap(0, Ordering::Relaxed) {
            0 => {}
            dropped => tracing::warn!(
                lost = dropped,
                "span queue full, {dropped} journal entries dropped from traces"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use journal::{EntryBuilder, JournalEvent};
    use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
    use opentelemetry_sdk::trace::SpanData;

    const SOON: Duration = Duration::from_millis(20);

    /// Longer than any test runs.
    const NEVER: Duration = Duration::from_secs(3_600);

    /// No batch is sent by time alone.
    const PATIENT: BatchSettings = BatchSettings { linger: NEVER, pause: NEVER, no_wait: NEVER };

    #[tokio::test]
    async fn entries_within_the_linger_time_form_a_batch() {
        let (exporter, mut sent) = receiver(Behavior::Accepting);
        let queue = SpanQueue::open(exporter, BatchSettings { linger: SOON, ..PATIENT });

        queue.note(&entry());
        queue.note(&entry());

        assert_eq!(sent.recv().await, Some(2));
    }

    #[tokio::test]
    async fn a_flush_sends_the_queued_entries_at_once() {
        let (exporter, mut sent) = receiver(Behavior::Accepting);
        let queue = SpanQueue::open(exporter, PATIENT);

        queue.note(&entry());
        queue.flush(NEVER).await;

        assert_eq!(sent.try_recv(), Ok(1));
    }

    #[tokio::test]
    async fn after_a_timeout_flushes_do_not_wait_for_a_while() {
        let (exporter, _sent) = receiver(Behavior::Hanging);
        let queue = SpanQueue::open(exporter, BatchSettings { no_wait: 10 * SOON, ..PATIENT });
        queue.note(&entry());

        queue.flush(SOON).await;
        queue.flush(NEVER).await;
        sleep(10 * SOON).await;

        assert!(timeout(SOON, queue.flush(NEVER)).await.is_err(), "it is waited for again");
    }

    #[tokio::test]
    async fn exports_pause_after_a_refusal() {
        let (exporter, mut sent) = receiver(Behavior::Refusing);
        let queue =
            SpanQueue::open(exporter, BatchSettings { linger: SOON, pause: 5 * SOON, no_wait: NEVER });

        queue.note(&entry());
        assert_eq!(sent.recv().await, Some(1));
        let refused_at = Instant::now();
        queue.note(&entry());
        queue.flush(NEVER).await;

        assert_eq!(sent.recv().await, Some(1));
        assert!(refused_at.elapsed() >= 5 * SOON);
    }

    #[tokio::test]
    async fn flushes_wait_again_after_a_successful_export() {
        let (exporter, mut sent) = receiver(Behavior::Accepting);
        let queue = SpanQueue::open(exporter, BatchSettings { linger: SOON, ..PATIENT });
        queue.shared.note_export(false);
        queue.note(&entry());
        sent.recv().await;

        queue.note(&entry());
        queue.flush(NEVER).await;

        assert_eq!(sent.try_recv(), Ok(1));
    }

    #[tokio::test]
    async fn a_full_queue_drops_and_counts_entries() {
        let (exporter, _sent) = receiver(Behavior::Hanging);
        let queue = SpanQueue::open(exporter, PATIENT);

        for _ in 0..CAPACITY + 5 {
            queue.note(&entry());
        }

        assert_eq!(queue.shared.dropped.load(Ordering::Relaxed), 5);
    }

    /// How the exporter of a test treats spans.
    #[derive(Debug, Clone, Copy)]
    enum Behavior {
        Accepting,
        Refusing,
        Hanging,
    }

    #[derive(Debug)]
    struct Receiver(Behavior, mpsc::UnboundedSender<usize>);

    impl SpanExporter for Receiver {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            let _ = self.1.send(batch.len());
            match self.0 {
                Behavior::Accepting => Ok(()),
                Behavior::Refusing => Err(OTelSdkError::InternalFailure("no".into())),
                Behavior::Hanging => std::future::pending().await,
            }
        }
    }

    fn receiver(behavior: Behavior) -> (Receiver, mpsc::UnboundedReceiver<usize>) {
        let (sent, received) = mpsc::unbounded_channel();
        (Receiver(behavior, sent), received)
    }

    fn entry() -> JournalEntry {
        EntryBuilder::new(&"01".repeat(32).into(), "task", 0, 1).enter(JournalEvent::Opened {}, 1_000)
    }
}
