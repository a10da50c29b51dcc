//! The events of a call: names, fields, and who wrote them.
//!
//! One list for DynamoDB, logs, queries and the command line. Nothing in it is personal: calls go by
//! their `call_ref`, and there is no field for a phone number, an SDP or a token.

mod entry;
mod event;
mod redaction;
mod rfc_3339;
#[cfg(any(test, feature = "schema"))]
pub mod schema;
mod transcript;

pub use entry::{EntryBuilder, EntryContext, JournalEntry, JournalPhase, line_of_no_call};
pub use event::{JournalEvent, Level, OtherEvent};
pub use transcript::{CallSummary, Speaker, TokenCounts, TranscriptLine};
