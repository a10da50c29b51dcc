//! The line that a call came in on.

use crate::Ending;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
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
    /// Every line.
    pub const ALL: [Self; 2] = [Self::WhatsApp, Self::Sip];

    /// Returns the line's name, as it is stored and as operators write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::WhatsApp => "whatsapp",
            Self::Sip => "sip",
        }
    }

    /// Whether a media task's SDP answer is sent to the far side before the call is accepted.
    pub fn needs_answer(self) -> bool {
        self == Self::WhatsApp
    }

    /// Whether the call's sound passes through the media task, which then measures its levels and its quality.
    pub fn carries_audio(self) -> bool {
        self == Self::WhatsApp
    }

    /// Whether a message can be sent to the caller.
    pub fn can_write(self) -> bool {
        self == Self::WhatsApp
    }

    /// Whether the line's service knows that a caller's number is theirs. A carrier passes on what it was sent.
    pub fn verifies_number(self) -> bool {
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

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Line {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|line| line.name() == name).ok_or("a line is whatsapp or sip")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_stored_and_read_by_its_name() {
        for line in Line::ALL {
            assert_eq!(serde_json::to_value(line).ok(), Some(line.name().into()));
            assert_eq!(line.name().parse(), Ok(line));
        }
        assert!("fax".parse::<Line>().is_err());
    }
}
