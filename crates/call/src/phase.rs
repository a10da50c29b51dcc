//! The phase of a call: the state machine's, and the coarser one that the journal shows.

use crate::Ending;
use serde::{Deserialize, Serialize};

/// The phase of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Ringing; no task has answered the offer yet.
    Ringing,
    /// A task has the call; on WhatsApp, its answer was sent to Meta with `pre_accept`, or is being sent.
    Connecting,
    /// The task is ready; the call is being accepted.
    Accepting,
    /// Caller and agent are talking.
    Live,
    /// The call has ended.
    Ended(Ending),
}

/// The phase of a call as the journal shows it: coarser than the state machine's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// No task has answered the offer yet.
    Ringing,
    /// A task has answered; the line is not open yet.
    Answering,
    /// Caller and agent hear each other.
    Talking,
    /// The call has ended.
    Over,
}

impl Phase {
    /// Returns the phase as the journal shows it.
    pub fn stage(self) -> Stage {
        match self {
            Self::Ringing => Stage::Ringing,
            Self::Connecting | Self::Accepting => Stage::Answering,
            Self::Live => Stage::Talking,
            Self::Ended(_) => Stage::Over,
        }
    }
}
