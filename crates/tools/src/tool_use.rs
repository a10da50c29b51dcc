//! A tool call of the model, read and checked.

use crate::http::HttpCall;
use crate::outcome::{Refused, ToolError};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A tool call of the model, with checked arguments.
pub enum ToolUse {
    /// Ends the call, once the caller has heard what is being said.
    EndCall,
    /// Sends the caller a WhatsApp text.
    SendMessage {
        /// The text, 1 to 4,096 characters.
        text: String,
    },
    /// Stores a message for the people of the business.
    TakeMessage(Message),
    /// Asks the people of the business to call the caller back.
    RequestCallback(Callback),
    /// Transfers the call to the target of the agent's file, once the caller has heard what is being said.
    TransferCall,
    /// Sends a request to the operator's system.
    Http(HttpCall),
}

/// A message from a caller to the people of the business.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The message, 1 to 4,000 characters.
    pub message: String,
    /// The caller's name, if given, up to 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_name: Option<String>,
    /// Whether the caller says that it cannot wait.
    #[serde(default)]
    pub urgent: bool,
}

/// A caller's request to be called back.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    /// What it is about, 1 to 2,000 characters.
    pub about: String,
    /// When it suits the caller, in their words, up to 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// A number other than the one the caller calls from, as they said it, up to 50 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
}

impl ToolUse {
    /// Returns why a callback cannot be requested yet where the caller's number is not shown: the caller gave none either. `None`
    /// for any other tool call.
    pub fn lacks_number(&self) -> Option<Refused> {
        let Self::RequestCallback(callback) = self else { return None };
        let has_digits = |number: &String| number.chars().any(|letter| letter.is_ascii_digit());
        if callback.number.as_ref().is_some_and(has_digits) {
            return None;
        }
        let for_the_model = "Nothing was stored yet: this caller's phone number is not shown. Ask them at which number they want \
                             to be called back, with its country code, read it back, and use this again with it. If they would \
                             rather not say, use this again without it.";
        Some(Refused { trouble: ToolError::NoNumber, for_the_model: for_the_model.to_owned() })
    }
}

/// Hides what the caller said.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("urgent", &self.urgent).finish_non_exhaustive()
    }
}

/// Hides what the caller said.
impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback").finish_non_exhaustive()
    }
}
