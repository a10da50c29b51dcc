//! The call in which a tool is used, and how many of them may be at work in it.

use std::fmt;
use tokio::sync::{Semaphore, SemaphorePermit};

/// The most HTTP tools at work in a call at the same time.
pub const AT_ONCE: usize = 8;

/// The call in which a tool is used: one per call, shared by all uses in it.
pub struct CallContext {
    /// The call's reference. It names nobody.
    pub call_ref: String,
    /// The business number that was called.
    pub number: String,
    /// The agent's name.
    pub agent: String,
    turns: Semaphore,
}

impl CallContext {
    /// A call in which no tool is at work.
    pub fn new(call_ref: impl Into<String>, number: impl Into<String>, agent: impl Into<String>) -> Self {
        Self {
            call_ref: call_ref.into(),
            number: number.into(),
            agent: agent.into(),
            turns: Semaphore::new(AT_ONCE),
        }
    }

    /// Room for one more tool until the permit is dropped; `None` when [`AT_ONCE`] are at work.
    pub(crate) fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.turns.try_acquire().ok()
    }
}

/// Without the number.
impl fmt::Debug for CallContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call_ref, agent, .. } = self;
        f.debug_struct("CallContext")
            .field("call_ref", call_ref)
            .field("agent", agent)
            .finish_non_exhaustive()
    }
}
