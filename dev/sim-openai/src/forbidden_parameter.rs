//! Session parameters that a project may not use, though others may.

use crate::refusal::Refusal;
use serde_json::Value;
use std::convert::Infallible;
use std::str::FromStr;

/// A parameter that the service refuses: the whole update with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForbiddenParameter {
    path: String,
    names_it: bool,
}

impl ForbiddenParameter {
    /// By its path within the session, such as `audio.input.transcription`.
    pub fn new(path: &str) -> Self {
        Self { path: path.to_owned(), names_it: true }
    }

    /// The error's `param` is null: only its message says which.
    #[must_use]
    pub fn unnamed(self) -> Self {
        Self { names_it: false, ..self }
    }

    /// Refuses an update that has it. Null asks for nothing.
    pub(crate) fn check(&self, update: &Value) -> Result<(), Refusal> {
        let value = self.path.split('.').fold(update, |value, key| &value[key]);
        if value.is_null() {
            return Ok(());
        }
        let path = format!("session.{}", self.path);
        let message = format!("The parameter '{path}' is not supported for this project.");
        let refusal = Refusal::new("unsupported_parameter", message);
        Err(if self.names_it { refusal.about(&path) } else { refusal })
    }
}

impl FromStr for ForbiddenParameter {
    type Err = Infallible;

    fn from_str(path: &str) -> Result<Self, Infallible> {
        Ok(Self::new(path))
    }
}
