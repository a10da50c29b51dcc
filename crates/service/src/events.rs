//! Reports journal events: one log line, the metrics and the spans of each, from the same entry in every process.

use crate::{logs, metrics, time, traces};
use journal::{JournalEntry, JournalEvent, line_of_no_call};

/// Reports a journal entry that is in the table, or queued for it.
pub fn report(entry: &JournalEntry) {
    logs::line(&entry.to_line());
    metrics::count(&entry.meaning());
    traces::note(entry);
}

/// Reports an event that belongs to no call. It is only logged and counted.
pub fn report_without_call(event: &JournalEvent, writer: &str) {
    logs::line(&line_of_no_call(event, writer, time::now_ms()));
    metrics::count(&event.meaning(None));
}

/// Writes the metrics and sends the spans since the last flush, waiting for the trace collector only briefly. Functions flush before each
/// response, since Lambda then freezes them.
pub async fn flush() {
    metrics::flush();
    traces::flush().await;
}
