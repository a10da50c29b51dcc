//! What is set for one business number. Whatever is not set is the agent's to say.

use serde::{Deserialize, Serialize};

/// The settings item of a number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NumberSettings {
    /// The name of the agent that takes its calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The message to a caller whom nobody could talk to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sorry: Option<String>,
    /// The message to a caller whose call broke off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost: Option<String>,
}

/// A number and the agent that takes its calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assigned {
    /// Meta's id of the number.
    #[serde(rename = "gsi1sk")]
    pub number: String,
    /// The agent's name.
    pub agent: String,
}
