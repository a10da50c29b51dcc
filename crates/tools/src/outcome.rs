//! How the use of a tool ended, and what the model is told of it.

use std::fmt;
use std::time::Duration;

/// How the use of a tool ended.
#[derive(Clone, PartialEq, Eq)]
pub struct ToolOutcome {
    /// How, in one word.
    pub kind: ToolOutcomeKind,
    /// What went wrong, for logs: it holds nothing of what was said or answered. `None` when nothing did.
    pub trouble: Option<ToolError>,
    /// What the model is told: the reply's body, or in plain words what went wrong.
    pub for_the_model: String,
}

/// How the use of a tool ended, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolOutcomeKind {
    /// It was done.
    Done,
    /// The operator's system could not, or was not reached.
    Failed,
    /// There was no answer in time.
    TimedOut,
    /// It was not even tried.
    Refused,
}

impl ToolOutcomeKind {
    /// The word for it, as the call's events use it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Refused => "refused",
        }
    }
}

/// Why a tool was not used, or not with success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ToolError {
    /// The agent has no tool of that name.
    #[error("there is no such tool")]
    NoSuchTool,
    /// The model's arguments are not what the tool takes.
    #[error("the arguments are not what the tool takes")]
    Arguments,
    /// The caller wants to be called back, and the number to call is not known.
    #[error("the caller's number is not shown, and they gave none yet")]
    NoNumber,
    /// As many as may be are at work in this call.
    #[error("too many tools are at work in this call")]
    TooMany,
    /// As many as the agent's file allows were used in this call.
    #[error("the budget of the call is used up")]
    CallBudget,
    /// As many as the agent's file allows were used for this caller within the hour.
    #[error("the budget of the hour is used up")]
    HourBudget,
    /// The host is not among the agent's allowed ones, or would be asked without TLS.
    #[error("the host is not allowed, or not https")]
    Host,
    /// The host's name leads to an address inside somebody's network.
    #[error("the host's address is not a public one")]
    Address,
    /// No connection: nothing was sent.
    #[error("no connection")]
    Connection,
    /// The connection broke, or what came was not HTTP.
    #[error("the connection broke")]
    Broken,
    /// There was no whole answer in time.
    #[error("no answer within {} ms", .0.as_millis())]
    Late(Duration),
    /// The system has done what was asked, it seems, and its answer is elsewhere, where it was not to be had.
    #[error("the answer is elsewhere, where it may not or cannot be fetched: not known whether it was done")]
    AnswerElsewhere,
    /// The answer's status says no.
    #[error("answered {0}")]
    Status(u16),
    /// The answer cannot be read to a model.
    #[error("answered something that is not text")]
    NotText,
}

impl ToolError {
    /// In one word.
    pub fn kind(self) -> ToolOutcomeKind {
        match self {
            Self::NoSuchTool
            | Self::Arguments
            | Self::NoNumber
            | Self::TooMany
            | Self::CallBudget
            | Self::HourBudget
            | Self::Host
            | Self::Address => ToolOutcomeKind::Refused,
            Self::Connection | Self::Broken | Self::Status(_) | Self::NotText | Self::AnswerElsewhere => {
                ToolOutcomeKind::Failed
            }
            Self::Late(_) => ToolOutcomeKind::TimedOut,
        }
    }
}

/// A use of a tool that was refused before anything was done.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{trouble}")]
pub struct Refused {
    /// Why, for logs.
    pub trouble: ToolError,
    /// Why, for the model: it may name arguments, but repeats no value.
    pub for_the_model: String,
}

impl From<Refused> for ToolOutcome {
    fn from(Refused { trouble, for_the_model }: Refused) -> Self {
        Self { kind: trouble.kind(), trouble: Some(trouble), for_the_model }
    }
}

/// Without what the model is told.
impl fmt::Debug for ToolOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, trouble, .. } = self;
        f.debug_struct("Outcome").field("kind", kind).field("trouble", trouble).finish_non_exhaustive()
    }
}

/// Without what the model is told.
impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused").field("trouble", &self.trouble).finish_non_exhaustive()
    }
}
