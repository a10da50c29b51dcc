//! Sends spans in batches, beside everything else: whoever has something to tell of never waits for whoever is told.

use super::otlp::data;
use journal::JournalEntry;
use opentelemetry_sdk::trace::SpanExporter;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use traces::spans_of;

/// So many entries may wait. A call has some thirty.
const WAITING: usize = 2_048;

/// So many entries go together at most.
const TOGETHER: usize = 256;

/// How long is waited for what.
#[derive(Debug, Clone, Copy)]
pub(super) struct BatchSettings {
    /// So long an entry waits for others to go with it.
    pub(super) linger: Duration,
    /// So long nothing is sent after something was not taken. The exporter has tried four times by then.
    pub(super) pause: Duration,
    /// So long nobody waits for what is sent once that was in vain. Not for good: a function that is frozen as soon as it has
    /// replied gets nothing sent unless it waits.
    pub(super) in_vain: Duration,
}

/// The way out for spans.
#[derive(Debug)]
pub(super) struct SpanQueue {
    words: mpsc::Sender<Word>,
    standing: Arc<Standing>,
}

/// What both ends know of each other.
#[derive(Debug)]
struct Standing {
    pace: BatchSettings,
    /// Entries that did not fit, and were not told of yet.
    lost: AtomicU64,
    /// Until then it is in vain to wait: what was sent last was not taken, or not in time.
    in_vain_until: Mutex<Option<Instant>>,
}

#[derive(Debug)]
enum Word {
    Entry(Box<JournalEntry>),
    /// Somebody waits for all before it.
    Flush(oneshot::Sender<()>),
}

impl SpanQueue {
    /// Begins to send by this exporter, within the runtime of whoever calls.
    pub(super) fn open(exporter: impl SpanExporter + 'static, pace: BatchSettings) -> Self {
        let (words, waiting) = mpsc::channel(WAITING);
        let standing = Standing { pace, lost: AtomicU64::default(), in_vain_until: Mutex::default() };
        let standing = Arc::new(standing);
        tokio::spawn(send_all(waiting, exporter, standing.clone()));
        Self { words, standing }
    }

    /// Notes an entry, to be sent soon; counts it, where there is no room.
    pub(super) fn note(&self, entry: &JournalEntry) {
        if self.words.try_send(Word::Entry(Box::new(entry.clone()))).is_err() {
            self.standing.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns once all that was noted is sent or `patience` is over; at once if waiting was in vain lately.
    pub(super) async fn flush(&self, patience: Duration) {
        if self.standing.is_waiting_in_vain() {
            return;
        }
        let (done, is_done) = oneshot::channel();
        let flushing = async {
            if self.words.send(Word::Flush(done)).await.is_ok() {
                let _ = is_done.await;
            }
        };
        if timeout(patience, flushing).await.is_err() {
            self.standing.note_taken(false);
        }
    }
}

async fn send_all(mut waiting: mpsc::Receiver<Word>, exporter: impl SpanExporter, standing: Arc<Standing>) {
    while let Some(word) = waiting.recv().await {
        let (entries, flushed) = gather(word, &mut waiting, standing.pace.linger).await;
        let is_taken = if entries.is_empty() { None } else { Some(send(&entries, &exporter).await) };
        if let Some(is_taken) = is_taken {
            standing.note_taken(is_taken);
        }
        standing.tell_of_lost();
        if let Some(flushed) = flushed {
            let _ = flushed.send(());
        }
        if is_taken == Some(false) {
            sleep(standing.pace.pause).await;
        }
    }
}

/// What goes together: all that comes within `linger`, or until somebody waits for it.
async fn gather(
    first: Word,
    waiting: &mut mpsc::Receiver<Word>,
    linger: Duration,
) -> (Vec<JournalEntry>, Option<oneshot::Sender<()>>) {
    let (mut entries, until) = (vec![], Instant::now() + linger);
    let mut word = Some(first);
    while let Some(said) = word {
        match said {
            Word::Entry(entry) => entries.push(*entry),
            Word::Flush(flushed) => return (entries, Some(flushed)),
        }
        if entries.len() == TOGETHER {
            break;
        }
        word = timeout_at(until, waiting.recv()).await.ok().flatten();
    }
    (entries, None)
}

/// Whether they were taken.
async fn send(entries: &[JournalEntry], exporter: &impl SpanExporter) -> bool {
    let batch: Vec<_> = entries.iter().flat_map(spans_of).map(data).collect();
    let spans = batch.len();
    match exporter.export(batch).await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(spans, "{spans} spans were not taken, and are lost: {error}");
            false
        }
    }
}

impl Standing {
    fn note_taken(&self, is_taken: bool) {
        let until = (!is_taken).then(|| Instant::now() + self.pace.in_vain);
        *self.in_vain_until.lock().expect("nobody panics while noting") = until;
    }

    fn is_waiting_in_vain(&self) -> bool {
        let until = *self.in_vain_until.lock().expect("nobody panics while noting");
        until.is_some_and(|until| Instant::now() < until)
    }

    fn tell_of_lost(&self) {
        match self.lost.swap(0, Ordering::Relaxed) {
            0 => {}
            lost => tracing::warn!(lost, "Too many spans wait to be sent: {lost} entries are in no trace"),
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

    /// A test that waits for so long is stopped.
    const NEVER: Duration = Duration::from_secs(3_600);

    /// Nothing happens by itself.
    const PATIENT: BatchSettings = BatchSettings { linger: NEVER, pause: NEVER, in_vain: NEVER };

    #[tokio::test]
    async fn what_is_noted_within_a_while_goes_together() {
        let (exporter, mut sent) = receiver(Mood::Taking);
        let outbox = SpanQueue::open(exporter, BatchSettings { linger: SOON, ..PATIENT });

        outbox.note(&entry());
        outbox.note(&entry());

        assert_eq!(sent.recv().await, Some(2));
    }

    #[tokio::test]
    async fn who_flushes_waits_for_what_was_noted_and_not_for_more_to_come() {
        let (exporter, mut sent) = receiver(Mood::Taking);
        let outbox = SpanQueue::open(exporter, PATIENT);

        outbox.note(&entry());
        outbox.flush(NEVER).await;

        assert_eq!(sent.try_recv(), Ok(1));
    }

    #[tokio::test]
    async fn nobody_waits_for_one_who_hangs_twice_in_a_row_but_later_again() {
        let (exporter, _sent) = receiver(Mood::Hanging);
        let outbox = SpanQueue::open(exporter, BatchSettings { in_vain: 10 * SOON, ..PATIENT });
        outbox.note(&entry());

        outbox.flush(SOON).await;
        outbox.flush(NEVER).await;
        sleep(10 * SOON).await;

        assert!(timeout(SOON, outbox.flush(NEVER)).await.is_err(), "it is waited for again");
    }

    #[tokio::test]
    async fn who_refuses_is_left_alone_for_a_while_and_then_tried_again() {
        let (exporter, mut sent) = receiver(Mood::Refusing);
        let outbox =
            SpanQueue::open(exporter, BatchSettings { linger: SOON, pause: 5 * SOON, in_vain: NEVER });

        outbox.note(&entry());
        assert_eq!(sent.recv().await, Some(1));
        let refused_at = Instant::now();
        outbox.note(&entry());
        outbox.flush(NEVER).await;

        assert_eq!(sent.recv().await, Some(1));
        assert!(refused_at.elapsed() >= 5 * SOON);
    }

    #[tokio::test]
    async fn once_something_is_taken_again_it_is_waited_for_again() {
        let (exporter, mut sent) = receiver(Mood::Taking);
        let outbox = SpanQueue::open(exporter, BatchSettings { linger: SOON, ..PATIENT });
        outbox.standing.note_taken(false);
        outbox.note(&entry());
        sent.recv().await;

        outbox.note(&entry());
        outbox.flush(NEVER).await;

        assert_eq!(sent.try_recv(), Ok(1));
    }

    #[tokio::test]
    async fn what_does_not_fit_is_counted_and_nobody_waits() {
        let (exporter, _sent) = receiver(Mood::Hanging);
        let outbox = SpanQueue::open(exporter, PATIENT);

        for _ in 0..WAITING + 5 {
            outbox.note(&entry());
        }

        assert_eq!(outbox.standing.lost.load(Ordering::Relaxed), 5);
    }

    /// How somebody takes spans.
    #[derive(Debug, Clone, Copy)]
    enum Mood {
        Taking,
        Refusing,
        Hanging,
    }

    #[derive(Debug)]
    struct Receiver(Mood, mpsc::UnboundedSender<usize>);

    impl SpanExporter for Receiver {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            let _ = self.1.send(batch.len());
            match self.0 {
                Mood::Taking => Ok(()),
                Mood::Refusing => Err(OTelSdkError::InternalFailure("no".into())),
                Mood::Hanging => std::future::pending().await,
            }
        }
    }

    fn receiver(mood: Mood) -> (Receiver, mpsc::UnboundedReceiver<usize>) {
        let (sent, received) = mpsc::unbounded_channel();
        (Receiver(mood, sent), received)
    }

    fn entry() -> JournalEntry {
        EntryBuilder::new(&"01".repeat(32), "task", 0, 1).enter(JournalEvent::Opened {}, 1_000)
    }
}
