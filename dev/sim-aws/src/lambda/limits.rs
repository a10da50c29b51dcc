//! The largest payloads that Lambda carries.

/// The most bytes an invocation and its reply may have: 6 MB (Lambda quotas, "Invocation payload").
pub(super) const SYNCHRONOUS_LIMIT: usize = 6 * 1024 * 1024;
/// The most bytes an `Event` may have: 1 MB (Lambda quotas; it was 256 KB until October 2025).
pub(super) const EVENT_LIMIT: usize = 1024 * 1024;
