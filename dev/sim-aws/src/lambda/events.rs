//! Counts of a function's asynchronous invocations, by outcome.

/// How a function's events have fared. Each is at first waiting, then either handled or lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Events {
    /// Accepted, and neither handled nor lost yet.
    pub waiting: usize,
    /// The function succeeded.
    pub handled: usize,
    /// The function failed too often, or the event grew too old. There is no destination that would get it.
    pub lost: usize,
}
