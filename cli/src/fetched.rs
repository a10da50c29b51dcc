//! What was looked at: a fact, or why it could not be seen.

use std::fmt;
use whatsapp::GraphError;

/// A fact, or why there is none.
pub type Fetched<T> = Result<T, FetchError>;

/// Why something could not be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchError {
    /// In a sentence without its full stop.
    pub why: String,
    /// Meta's code, 0 when it is not Meta's word.
    pub code: u32,
    /// Whether that is itself what is wrong: what was looked for is not there, or not as it must be.
    pub is_wrong: bool,
}

impl FetchError {
    /// Something kept us from looking.
    pub fn because(why: impl Into<String>) -> Self {
        Self { why: why.into(), code: 0, is_wrong: false }
    }

    /// It is not there, or not as it must be.
    pub fn missing(why: impl Into<String>) -> Self {
        Self { why: why.into(), code: 0, is_wrong: true }
    }
}

impl From<GraphError> for FetchError {
    fn from(error: GraphError) -> Self {
        Self { why: error.to_string(), code: error.code(), is_wrong: false }
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for FetchError {}
