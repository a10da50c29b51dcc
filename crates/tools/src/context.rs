//! The call in which tools are used, and the limit on tools at work in it at once.

use call::{CallRef, CallerDetails, Line, NumberId};
use std::fmt;
use tokio::sync::{Semaphore, SemaphorePermit};

/// How many HTTP tools may be at work in a call at once.
pub const AT_ONCE: usize = 8;

/// The call in which tools are used; all tool calls in it share one.
pub struct CallContext {
    /// The call's reference, which identifies no person.
    pub call_ref: CallRef,
    /// The business number that was called.
    pub number: NumberId,
    /// The agent's name.
    pub agent: String,
    /// Who calls, and how; only for tools whose `tells_caller` is on.
    caller: Option<(Line, CallerDetails)>,
    is_try: bool,
    permits: Semaphore,
}

impl CallContext {
    /// Creates the context of a call, with no tool at work.
    pub fn new(call_ref: impl Into<CallRef>, number: impl Into<NumberId>, agent: impl Into<String>) -> Self {
        Self {
            call_ref: call_ref.into(),
            number: number.into(),
            agent: agent.into(),
            caller: None,
            is_try: false,
            permits: Semaphore::new(AT_ONCE),
        }
    }

    /// Adds who calls, and on which line.
    #[must_use]
    pub fn with_caller(self, line: Line, details: CallerDetails) -> Self {
        Self { caller: Some((line, details)), ..self }
    }

    /// Returns the context of an operator's own try, without a call: requests carry `x-ahoy-try: 1`.
    #[must_use]
    pub fn of_try(self) -> Self {
        Self { is_try: true, ..self }
    }

    pub(crate) fn caller(&self) -> Option<(Line, &CallerDetails)> {
        self.caller.as_ref().map(|(line, details)| (*line, details))
    }

    pub(crate) fn is_try(&self) -> bool {
        self.is_try
    }

    /// Returns a permit for one more tool, until it is dropped; `None` when [`AT_ONCE`] are at work.
    pub(crate) fn try_acquire(&self) -> Option<SemaphorePermit<'_>> {
        self.permits.try_acquire().ok()
    }
}

/// Hides the number, and who calls.
impl fmt::Debug for CallContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call_ref, agent, .. } = self;
        f.debug_struct("CallContext")
            .field("call_ref", call_ref)
            .field("agent", agent)
            .finish_non_exhaustive()
    }
}
