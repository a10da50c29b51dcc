//! Exports calls as traces over OTLP, to the endpoint in the environment; without one nothing is sent.

mod otlp;
mod settings;
mod span_queue;

use crate::env::{Env, SettingError};
use journal::JournalEntry;
use settings::TraceSettings;
use span_queue::{BatchSettings, SpanQueue};
use std::sync::OnceLock;
use std::time::Duration;

/// How long a flush waits for queued spans to be sent.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(300);

/// Batches of a second. After a timeout, flushes do not wait for the collector for half a minute.
const BATCHES: BatchSettings = BatchSettings {
    linger: Duration::from_secs(1),
    pause: Duration::from_secs(5),
    no_wait: Duration::from_secs(30),
};

static QUEUE: OnceLock<SpanQueue> = OnceLock::new();

/// Starts the export, if the environment has an endpoint.
///
/// # Errors
/// Returns an error that names the invalid setting.
pub(crate) fn init(env: &Env, program: &'static str) -> Result<(), SettingError> {
    if let Some(settings) = TraceSettings::from_env(env, program)? {
        let _ = QUEUE.set(SpanQueue::open(otlp::exporter(&settings)?, BATCHES));
    }
    Ok(())
}

/// Queues an entry for export. Never blocks: entries are dropped and counted when the queue is full.
pub(crate) fn note(entry: &JournalEntry) {
    if let Some(queue) = QUEUE.get() {
        queue.note(entry);
    }
}

/// Sends the queued spans, and waits for that at most [`FLUSH_TIMEOUT`].
pub(crate) async fn flush() {
    if let Some(queue) = QUEUE.get() {
        queue.flush(FLUSH_TIMEOUT).await;
    }
}
