//! Words of the call's types as stored, logged and sent: a later release may have written one that this release does not know.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A value as it was recorded, a word. One that this release does not know is kept, and written back as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Recorded<T> {
    /// A value that this release knows.
    Known(T),
    /// A word of a later release.
    Other(String),
}

impl<T: Copy> Recorded<T> {
    /// Returns the value, if this release knows it.
    pub fn known(&self) -> Option<T> {
        match self {
            Self::Known(value) => Some(*value),
            Self::Other(_) => None,
        }
    }
}

impl<T: Default + PartialEq> Recorded<T> {
    /// Whether this is what is meant where nothing was recorded.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl<T: Default> Default for Recorded<T> {
    /// Returns the default value, as known.
    fn default() -> Self {
        Self::Known(T::default())
    }
}

impl<T> From<T> for Recorded<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

impl<T: fmt::Display> fmt::Display for Recorded<T> {
    /// Writes the word.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(value) => value.fmt(f),
            Self::Other(word) => f.write_str(word),
        }
    }
}
