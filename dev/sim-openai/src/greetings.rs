//! Remembers across sessions how the client asked to be greeted, so that greeting a caller twice is found out.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// The `instructions` of every greeting asked for so far. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Greetings(Arc<Mutex<BTreeSet<String>>>);

impl Greetings {
    /// A greeting was asked for in these words.
    pub(crate) fn remember(&self, instructions: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(instructions.to_owned());
    }

    /// Whether these words once asked for a greeting.
    pub(crate) fn contain(&self, instructions: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(instructions)
    }
}
