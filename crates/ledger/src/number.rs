//! What is set for one business number. Whatever is not set has a default.

use serde::{Deserialize, Serialize};

/// Said to a caller whom nobody could talk to.
const SORRY: &str =
    "Sorry, we could not take your call just now. Please try again in a moment, or write to us here.";

/// Said to a caller whose call broke off.
const LOST: &str = "Sorry, our line broke down. Please call again.";

/// The settings item of a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NumberSettings {
    /// The message to a caller whom nobody could talk to.
    pub sorry: String,
    /// The message to a caller whose call broke off.
    pub lost: String,
}

impl Default for NumberSettings {
    fn default() -> Self {
        Self { sorry: SORRY.to_owned(), lost: LOST.to_owned() }
    }
}
