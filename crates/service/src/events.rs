//! Tells the log what happened, counts it, and has it traced: one line for an event, in every process alike.

use crate::{logs, metrics, time, traces};
use journal::{JournalEntry, JournalEvent, line_of_no_call};

/// Tells of an event that is in a call's journal, or on its way there.
pub fn tell(entry: &JournalEntry) {
    logs::line(&entry.to_line());
    metrics::count(entry);
    traces::note(entry);
}

/// Tells of an event that belongs to no call. It is kept nowhere else.
pub fn tell_of_no_call(event: &JournalEvent, writer: &str) {
    logs::line(&line_of_no_call(event, writer, time::now_ms()));
    metrics::count_event(event);
}

/// Writes what was counted, and sends what is to be traced, since the last time. Functions do it before each reply, since
/// Lambda stops them then. Whoever takes the traces is waited for, but not for long.
pub async fn flush() {
    metrics::flush();
    traces::flush().await;
}
