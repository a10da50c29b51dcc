//! The identifiers of a call and of what it belongs to, as types: one is never passed where another is meant.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Defines an identifier that is stored, sent and shown as its text.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Returns the identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
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
    /// The name of a call everywhere but at Meta: the hex SHA-256 of Meta's call id, which holds phone numbers.
    CallRef
}

text_id! {
    /// The id of a media task: the last part of its ARN.
    TaskId
}

text_id! {
    /// The id of a business number: Meta's phone number id, or the name that the operator gave a number of the telephone line; never the phone number.
    NumberId
}
