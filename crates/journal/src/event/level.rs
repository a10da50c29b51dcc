//! The severity of each event: the level of its log line.

use super::JournalEvent;
use serde::Serialize;

/// The severity of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// Normal operation.
    Info,
    /// An error that was handled.
    Warn,
    /// An error that an operator should look at.
    Error,
}

impl JournalEvent {
    /// Returns the severity of this event.
    pub fn level(&self) -> Level {
        match self {
            Self::SeatRefused { .. }
            | Self::OfferUnanswerable { .. }
            | Self::AgentTrouble { .. }
            | Self::ToolsMissing { .. }
            | Self::PartRefused { .. }
            | Self::TranscriptionFailed { .. }
            | Self::SessionLost { .. }
            | Self::CapNear { .. }
            | Self::ActionRefused { .. }
            | Self::TurnedAway { .. }
            | Self::Refused { .. }
            | Self::WebhookRefused { .. }
            | Self::TaskSilent { .. }
            | Self::KeysDropped {}
            | Self::Stale { .. }
            | Self::CallerTold { .. } => Level::Warn,
            // A muted caller is not a fault.
            Self::MediaVerdict { verdict, .. } if verdict == "caller_muted" => Level::Info,
            Self::MediaVerdict { .. } => Level::Warn,
            Self::GivenUp { .. } | Self::AgentFailed { .. } | Self::Lost { .. } => Level::Error,
            Self::Tool { outcome, .. } if outcome != "done" => Level::Warn,
            Self::ResponseLacking { then, .. } if then != "done" => Level::Warn,
            Self::MetaTrouble { cure, .. } | Self::MessageFailed { cure, .. } if !cure.is_empty() => {
                Level::Error
            }
            Self::MetaTrouble { .. } | Self::MessageFailed { .. } => Level::Warn,
            Self::Connect { .. }
            | Self::NotOurs { .. }
            | Self::Over { .. }
            | Self::MediaAtMeta { .. }
            | Self::PermissionReply { .. }
            | Self::Notice { .. }
            | Self::Claimed { .. }
            | Self::TaskLaunched { .. }
            | Self::Answered { .. }
            | Self::PreAccepted {}
            | Self::AgentReady { .. }
            | Self::MediaConnected { .. }
            | Self::Accepted {}
            | Self::Opened {}
            | Self::FirstWord { .. }
            | Self::Turn { .. }
            | Self::Interrupted { .. }
            | Self::Tool { .. }
            | Self::ResponseLacking { .. }
            | Self::Keys { .. }
            | Self::Nudged { .. }
            | Self::SessionRestored { .. }
            | Self::Usage { .. }
            | Self::Media { .. }
            | Self::Forgotten { .. }
            | Self::Ended { .. }
            | Self::Other(_) => Level::Info,
        }
    }
}
