//! The result of fetching one setting from Meta, AWS or OpenAI: its value, or why it could not be fetched.

use std::fmt;
use whatsapp::GraphError;

/// A fetched value, or why there is none.
pub(crate) type Fetched<T> = Result<T, FetchError>;

/// Why a value could not be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FetchError {
    /// A sentence without its full stop.
    pub(crate) why: String,
    /// Meta's error code; 0 when the error is not Meta's.
    pub(crate) code: u32,
    /// Whether the error itself is the finding: what was asked for does not exist or is malformed, rather than out of reach.
    pub(crate) is_wrong: bool,
}

impl FetchError {
    /// Returns the error of a request that could not be made or answered.
    pub(crate) fn because(why: impl Into<String>) -> Self {
        Self { why: why.into(), code: 0, is_wrong: false }
    }

    /// Returns the error of something that does not exist or is malformed.
    pub(crate) fn missing(why: impl Into<String>) -> Self {
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
