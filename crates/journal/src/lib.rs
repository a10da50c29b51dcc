//! The journal of a call: its events with their fields, its transcript and its summary.
//!
//! One list of events serves DynamoDB, logs, queries and the command line. Nothing in an event is personal: calls are identified by their
//! `call_ref`, and no field holds a phone number, an SDP or a token.

mod call_summary;
mod entry;
mod entry_builder;
mod event;
mod log_line;
mod metric;
mod rfc_3339;
#[cfg(any(test, feature = "schema"))]
pub mod schema;

pub use call_summary::{CallSummary, Speaker, TokenCounts, TranscriptLine};
pub use entry::{EntryContext, JournalEntry};
pub use entry_builder::EntryBuilder;
pub use event::{EventMeaning, EventSpan, JournalEvent, Level, OtherEvent};
pub use log_line::line_of_no_call;
pub use metric::Metric;
