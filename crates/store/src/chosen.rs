//! What the business's lookup decided about a call, which holds for the rest of it.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What the business's lookup decided about a call: once, before the call was accepted.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    /// The name of the agent that takes the call; `None` for the number's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The language of the call, as a BCP 47 tag; `None` for the agent's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Whether the call is refused.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_refused: bool,
    /// The message to a caller who is refused; `None` for the agent's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl fmt::Debug for Chosen {
    /// Leaves out the message, which may name the caller.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chosen")
            .field("agent", &self.agent)
            .field("language", &self.language)
            .field("is_refused", &self.is_refused)
            .finish_non_exhaustive()
    }
}
