//! The settings of a business number. What is not set is decided by its agent's file.

use call::NumberId;
use serde::{Deserialize, Serialize};

/// The settings of a business number, as stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NumberSettings {
    /// The name of the agent that takes its calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The message to a caller whose call could not be answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sorry: Option<String>,
    /// The message to a caller whose call broke off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost: Option<String>,
}

/// A number and the agent that takes its calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assigned {
    /// The phone number id.
    #[serde(rename = "gsi1sk")]
    pub number: NumberId,
    /// The name of the agent.
    pub agent: String,
}
