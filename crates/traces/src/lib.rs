//! Turns a call's journal into a trace: each entry is a span, and the end of the call is the root span.
//!
//! No trace context is propagated between processes. The call's reference determines the trace id, so every writer of entries knows the ids
//! of its spans, and an entry that is sent twice is the same span twice.

mod ids;
mod spans;

pub use ids::{SpanId, TraceId};
pub use spans::{Span, spans_of};
