//! The severity of an event.

use serde::Serialize;

/// The severity of an event: the level of its log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// Normal operation.
    Info,
    /// An error that was handled.
    Warn,
    /// An error that an operator should look at.
    Error,
}
