//! The ids of what a conversation consists of, as types: one is never passed where another is meant.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Defines an id that OpenAI sends and takes as text.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Returns the id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Whether there is no id: some servers leave it out.
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            /// Writes the text alone, as a string's.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}

text_id! {
    /// The id of an item of the conversation: a message, a call of a tool, or its output.
    ItemId
}

text_id! {
    /// The id of a response of the model.
    ResponseId
}

text_id! {
    /// The id of a tool call, which its output names.
    ToolCallId
}

impl From<&ItemId> for ToolCallId {
    /// A hosted MCP call has no id but its item's.
    fn from(item: &ItemId) -> Self {
        Self(item.0.clone())
    }
}
