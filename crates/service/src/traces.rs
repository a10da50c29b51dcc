//! Sends what happens in calls as traces, over OTLP, to where the environment says. Not set: nothing happens.

mod otlp;
mod settings;
mod span_queue;

use crate::env::{Env, SettingError};
use journal::JournalEntry;
use settings::TraceSettings;
use span_queue::{BatchSettings, SpanQueue};
use std::sync::OnceLock;
use std::time::Duration;

/// So long somebody waits at most for what was noted to be sent. They do so again once something was taken since.
const PATIENCE: Duration = Duration::from_millis(300);

/// Batches of a second, and half a minute's rest from waiting for somebody who does not answer.
const PACE: BatchSettings = BatchSettings {
    linger: Duration::from_secs(1),
    pause: Duration::from_secs(5),
    in_vain: Duration::from_secs(30),
};

static OUTBOX: OnceLock<SpanQueue> = OnceLock::new();

/// Begins to send traces of what this program does, if the environment says where to.
///
/// # Errors
/// Which setting is malformed.
pub(crate) fn init(env: &Env, program: &'static str) -> Result<(), SettingError> {
    if let Some(settings) = TraceSettings::from_env(env, program)? {
        let _ = OUTBOX.set(SpanQueue::open(otlp::exporter(&settings)?, PACE));
    }
    Ok(())
}

/// Notes an entry, to be sent as spans. Nobody waits for that; what does not fit is counted, and the count is told.
pub(crate) fn note(entry: &JournalEntry) {
    if let Some(outbox) = OUTBOX.get() {
        outbox.note(entry);
    }
}

/// Sends what was noted until now, and waits for that as long as [`PATIENCE`] lasts.
pub(crate) async fn flush() {
    if let Some(outbox) = OUTBOX.get() {
        outbox.flush(PATIENCE).await;
    }
}
