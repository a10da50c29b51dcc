//! The outcome of a tool call, and what the model gets as its output.

use operator_http::OperatorHttpError;
use std::fmt;
use std::time::Duration;

/// The outcome of a tool call.
#[derive(Clone, PartialEq, Eq)]
pub struct ToolOutcome {
    /// Whether it was done.
    pub kind: ToolOutcomeKind,
    /// What went wrong, for logs, without anything that was said or answered. `None` if nothing did.
    pub trouble: Option<ToolError>,
    /// The tool's output for the model: the reply's body, or in plain words what went wrong.
    pub for_the_model: String,
}

/// Whether a tool call was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolOutcomeKind {
    /// The tool did what was asked.
    Done,
    /// The operator's system failed, or was not reached.
    Failed,
    /// The reply did not come in time, so the result is unknown.
    TimedOut,
    /// It was refused before anything was done.
    Refused,
}

impl ToolOutcomeKind {
    /// Returns the word for it in journal events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Refused => "refused",
        }
    }
}

/// Why a tool call did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ToolError {
    /// The agent has no tool of that name.
    #[error("there is no such tool")]
    NoSuchTool,
    /// The model's arguments do not match the tool's schema.
    #[error("the arguments do not match the tool's schema")]
    Arguments,
    /// The caller wants to be called back, and no number is known.
    #[error("the caller's number is not shown, and they gave none yet")]
    NoNumber,
    /// [`AT_ONCE`](crate::AT_ONCE) tools are at work in this call.
    #[error("too many tools are at work in this call")]
    TooMany,
    /// The agent file's limit for one call is reached.
    #[error("the budget of the call is used up")]
    CallBudget,
    /// The agent file's limit for one caller within an hour is reached.
    #[error("the budget of the hour is used up")]
    HourBudget,
    /// The agent file's limit for one day is reached.
    #[error("the budget of the day is used up")]
    DayBudget,
    /// The host is not in the agent's `allowed_hosts`, or the URL is not https.
    #[error("the host is not allowed, or not https")]
    Host,
    /// The host resolves to an address that is not public.
    #[error("the host's address is not a public one")]
    Address,
    /// No connection was made, so nothing was sent.
    #[error("no connection")]
    Connection,
    /// The connection broke, or the reply was not HTTP.
    #[error("the connection broke")]
    Broken,
    /// The whole reply did not come in time.
    #[error("no answer within {} ms", .0.as_millis())]
    Timeout(Duration),
    /// The system redirected to its answer, so it has probably done what was asked, but the answer may not or cannot be fetched
    /// there.
    #[error("redirected to an answer that may not or cannot be fetched: not known whether it was done")]
    RedirectFailed,
    /// The reply's status is neither a success nor a redirect that is followed.
    #[error("answered with status {0}")]
    Status(u16),
    /// The reply is not text.
    #[error("the reply is not text")]
    NotText,
}

impl ToolError {
    /// Returns the kind of outcome that this error is.
    pub fn kind(self) -> ToolOutcomeKind {
        match self {
            Self::NoSuchTool
            | Self::Arguments
            | Self::NoNumber
            | Self::TooMany
            | Self::CallBudget
            | Self::HourBudget
            | Self::DayBudget
            | Self::Host
            | Self::Address => ToolOutcomeKind::Refused,
            Self::Connection | Self::Broken | Self::Status(_) | Self::NotText | Self::RedirectFailed => {
                ToolOutcomeKind::Failed
            }
            Self::Timeout(_) => ToolOutcomeKind::TimedOut,
        }
    }
}

impl From<OperatorHttpError> for ToolError {
    fn from(error: OperatorHttpError) -> Self {
        match error {
            OperatorHttpError::Host => Self::Host,
            OperatorHttpError::Address => Self::Address,
            OperatorHttpError::Connection => Self::Connection,
            OperatorHttpError::Broken => Self::Broken,
            OperatorHttpError::Timeout(time) => Self::Timeout(time),
        }
    }
}

/// A tool call that was refused before anything was done.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{trouble}")]
pub struct Refused {
    /// The cause, for logs; it repeats no value.
    pub trouble: ToolError,
    /// Why, for the model: may name arguments, but repeats no value.
    pub for_the_model: String,
}

impl From<Refused> for ToolOutcome {
    fn from(Refused { trouble, for_the_model }: Refused) -> Self {
        Self { kind: trouble.kind(), trouble: Some(trouble), for_the_model }
    }
}

/// Hides what the model gets.
impl fmt::Debug for ToolOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, trouble, .. } = self;
        f.debug_struct("Outcome").field("kind", kind).field("trouble", trouble).finish_non_exhaustive()
    }
}

/// Hides what the model gets.
impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused").field("trouble", &self.trouble).finish_non_exhaustive()
    }
}
