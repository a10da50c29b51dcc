//! Reads a call's journal as a trace: each entry is a span, and the call's end is the span that all others are under.
//!
//! Nothing is handed from process to process for it. A call's reference names its trace, so whoever writes an entry can say
//! where in the trace it belongs; and an entry that is told twice is the same span twice.

mod failures;
mod ids;
mod spans;

pub use ids::{SpanId, TraceId};
pub use spans::{Span, spans_of};
