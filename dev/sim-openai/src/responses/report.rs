//! What the Responses API was asked for.

use serde_json::Value;
use std::time::Instant;

/// One request, refused or not. Requests with a wrong key are not among them.
#[derive(Debug, Clone, PartialEq)]
pub struct ResponsesRequest {
    /// When it came.
    pub at: Instant,
    /// Its body; null if that was no JSON.
    pub body: Value,
    /// The status of the answer; `None`: there was none.
    pub status: Option<u16>,
    /// The code of the error, if there was one.
    pub code: Option<String>,
}
