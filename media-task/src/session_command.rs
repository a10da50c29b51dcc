//! The commands that the control API and the drain policy give to a running call.

/// A command for a running call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SessionCommand {
    /// The call is over, as call-control says.
    Release,
    /// The task is draining: the agent says goodbye, then the call ends. A second one ends the call at once.
    Drain,
    /// The WhatsApp message that the agent sent under this id has failed.
    MessageFailed(String),
}
