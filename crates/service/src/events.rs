//! Tells the log what happened, and counts it: one line for an event, in every process alike.

use crate::{logs, metrics, time};
use journal::{Entry, Event, line_of_no_call};

/// Tells of an event that is in a call's journal, or on its way there.
pub fn tell(entry: &Entry) {
    logs::line(&entry.to_line());
    metrics::count(entry);
}

/// Tells of an event that belongs to no call. It is kept nowhere else.
pub fn tell_of_no_call(event: &Event, writer: &str) {
    logs::line(&line_of_no_call(event, writer, time::now_ms()));
    metrics::count_event(event);
}
