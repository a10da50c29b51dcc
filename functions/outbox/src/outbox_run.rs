//! The result of an invocation, which counts events.

use serde::Serialize;

/// The result of an invocation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct OutboxRun {
    /// How many events were tried, or dropped because they have no receiver.
    pub done: usize,
    /// How many events could not be claimed or recorded.
    pub failed: usize,
}
