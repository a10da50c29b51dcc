//! The line that a call came in on.

use crate::Ending;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The line of a call: which service carries it, and so what can be done with it.
///
/// Ask a line its questions instead of matching on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Line {
    /// WhatsApp: the audio is ours, over WebRTC.
    #[default]
    WhatsApp,
    /// OpenAI's SIP endpoint: the audio is OpenAI's, and a media task holds the session's sideband.
    Sip,
}

impl Line {
    /// Whether a media task's SDP answer is sent to the far side before the call is accepted.
    pub fn needs_answer(self) -> bool {
        self == Self::WhatsApp
    }

    /// Whether a message can be sent to the caller.
    pub fn can_write(self) -> bool {
        self == Self::WhatsApp
    }

    /// Whether a call can be transferred. Meta forbids the telephone network on any leg of a WhatsApp call.
    pub fn can_transfer(self) -> bool {
        self == Self::Sip
    }

    /// Whether a media task may be launched for a call that no task has room for: the caller must wait for it to start.
    pub fn may_launch(self) -> bool {
        self == Self::WhatsApp
    }

    /// Whether an error of the line's service proves that a call is over there: no hangup need follow.
    pub fn says_what_is_over(self) -> bool {
        self == Self::Sip
    }

    /// Whether an accepted call goes on without its media task, so that another task can take it over.
    pub fn outlives_task(self) -> bool {
        self == Self::Sip
    }

    /// Returns the ending of a call that the line's service refused to continue.
    pub fn refused(self) -> Ending {
        match self {
            Self::WhatsApp => Ending::MetaRefused,
            Self::Sip => Ending::LineRefused,
        }
    }

    /// Returns the ending of a call whose task did not become ready to talk within the ring time.
    pub fn never_connected(self) -> Ending {
        match self {
            Self::WhatsApp => Ending::MediaNeverConnected,
            Self::Sip => Ending::LineFailed,
        }
    }

    /// How long a call may ring before it is refused, unless the configuration says otherwise.
    pub fn rings_for(self) -> Duration {
        match self {
            Self::WhatsApp => Duration::from_secs(25),
            Self::Sip => Duration::from_secs(6),
        }
    }

    /// Whether this is the line that calls have which were stored without one.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
