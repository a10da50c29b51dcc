//! The faults that can be injected, by name.

use crate::ResponsesFault;
use crate::sip::SipFault;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;
use strum::IntoStaticStr;

/// A fault. Those marked *once* occur in the first session only, so that reconnecting helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum InjectedFault {
    /// The TCP connection is accepted, the upgrade never answered.
    NeverAnswers,
    /// Upgraded, but silent for ever: no `session.created`.
    NoSession,
    /// 401 at the upgrade, whatever the key.
    RefusesKey,
    /// `insufficient_quota` as the first event, then close 4000.
    QuotaExhausted,
    /// *Once*: the connection breaks, without a close frame, after this many audio deltas.
    DropsSession {
        /// Audio deltas sent before.
        after_deltas: usize,
    },
    /// *Once*: a response stops after this many audio deltas and is never done.
    Stalls {
        /// Audio deltas sent before.
        after_deltas: usize,
    },
    /// *Once*: the first response fails with `server_error`.
    ServerError,
    /// *Once*: the first response fails with `rate_limit_exceeded`.
    RateLimited,
    /// *Once*: the session reaches its longest duration early: `session_expired`, close 1001.
    Expires {
        /// Counted from the upgrade.
        after: Duration,
    },
    /// *Once*: after this many audio deltas the socket stays open, and nothing more ever comes.
    GoesSilent {
        /// Audio deltas sent before.
        after_deltas: usize,
    },
    /// *Once*: the caller is never heard to speak.
    Deaf,
    /// *Once*: the first three responses fail with `rate_limit_exceeded`.
    RateLimitedThrice,
    /// The first session breaks after this many audio deltas, and from then on the key is refused.
    DropsThenRefuses {
        /// Audio deltas sent before.
        after_deltas: usize,
    },
    /// After this many audio deltas the response fails with `insufficient_quota`, close 4000. Later sessions are refused.
    QuotaMidCall {
        /// Audio deltas sent before.
        after_deltas: usize,
    },
    /// *Once*: the first `response.create` after the greeting never gets a `response.created`.
    IgnoresCreate,
    /// Audio deltas end in the middle of a 16 bit sample.
    SplitsSamples,
    /// Every input transcription fails.
    TranscriptionFails,
    /// *Once*: the first `responses` responses are written, though sound was asked for.
    Writes {
        /// How many.
        responses: usize,
    },
    /// *Once*: the first `responses` responses are `completed` with nothing in them.
    SaysNothing {
        /// How many.
        responses: usize,
    },
    /// *Once*: a response ends in the middle of a sentence, `incomplete` for `max_output_tokens`.
    RunsOut {
        /// Audio deltas sent before.
        after_deltas: usize,
    },
    /// *Once*: the first response is `incomplete` for `content_filter`, with nothing in it.
    Filters,
    /// *Once*: the first call of a function ends in the middle of its arguments.
    CutsCalls,
    /// Every response is `completed` with nothing in it.
    Mute,
    /// Replies to explicit instructions come as text: a goodbye, a nudge.
    MuteAsides,
    /// One of telephone calls, by its own name. It spares sessions of sockets.
    Sip(SipFault),
    /// One of the Responses API, by its own name. It spares sessions of sockets.
    Responses(ResponsesFault),
}

impl InjectedFault {
    /// Every kind, with its usual number where it has one.
    pub fn all() -> Vec<Self> {
        let of_calls = SipFault::ALL.map(Self::Sip);
        Self::ALL.into_iter().chain(of_calls).chain(ResponsesFault::ALL.map(Self::Responses)).collect()
    }

    /// Every kind that befalls a session, with its usual number where it has one.
    pub const ALL: [Self; 24] = [
        Self::NeverAnswers,
        Self::NoSession,
        Self::RefusesKey,
        Self::QuotaExhausted,
        Self::DropsSession { after_deltas: 5 },
        Self::Stalls { after_deltas: 5 },
        Self::ServerError,
        Self::RateLimited,
        Self::Expires { after: Duration::from_secs(10) },
        Self::GoesSilent { after_deltas: 5 },
        Self::Deaf,
        Self::RateLimitedThrice,
        Self::DropsThenRefuses { after_deltas: 5 },
        Self::QuotaMidCall { after_deltas: 5 },
        Self::IgnoresCreate,
        Self::SplitsSamples,
        Self::TranscriptionFails,
        Self::Writes { responses: 1 },
        Self::SaysNothing { responses: 2 },
        Self::RunsOut { after_deltas: 5 },
        Self::Filters,
        Self::CutsCalls,
        Self::Mute,
        Self::MuteAsides,
    ];

    /// Returns the fault of the n-th session of a simulator.
    pub(crate) fn fault_of(self, session: usize) -> Option<Self> {
        match self {
            _ if session == 0 => Some(self),
            Self::DropsSession { .. } | Self::Stalls { .. } | Self::Expires { .. } => None,
            Self::GoesSilent { .. } | Self::Deaf | Self::RateLimitedThrice | Self::IgnoresCreate => None,
            Self::ServerError | Self::RateLimited => None,
            Self::Writes { .. } | Self::SaysNothing { .. } | Self::RunsOut { .. } => None,
            Self::Filters | Self::CutsCalls => None,
            Self::DropsThenRefuses { .. } => Some(Self::RefusesKey),
            Self::QuotaMidCall { .. } => Some(Self::QuotaExhausted),
            Self::NeverAnswers | Self::NoSession | Self::RefusesKey | Self::QuotaExhausted => Some(self),
            Self::SplitsSamples | Self::TranscriptionFails | Self::Mute | Self::MuteAsides => Some(self),
            Self::Sip(_) | Self::Responses(_) => None,
        }
    }

    /// The fault of telephone calls that it is, if it is one.
    pub(crate) fn of_calls(self) -> Option<SipFault> {
        match self {
            Self::Sip(fault) => Some(fault),
            _ => None,
        }
    }

    /// The fault of the Responses API that it is, if it is one.
    pub(crate) fn of_responses(self) -> Option<ResponsesFault> {
        match self {
            Self::Responses(fault) => Some(fault),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Sip(fault) => fault.name(),
            Self::Responses(fault) => fault.name(),
            session => session.into(),
        }
    }

    /// The number behind the name, if it has one; seconds for a duration.
    fn number(self) -> Option<u64> {
        match self {
            Self::Expires { after } => Some(after.as_secs()),
            mut other => other.count_mut().map(|count| *count as u64),
        }
    }

    fn with(mut self, number: u64) -> Option<Self> {
        match &mut self {
            Self::Expires { after } => *after = Duration::from_secs(number),
            other => *other.count_mut()? = number as usize,
        }
        Some(self)
    }

    fn count_mut(&mut self) -> Option<&mut usize> {
        match self {
            Self::Writes { responses } | Self::SaysNothing { responses } => Some(responses),
            other => other.after_deltas_mut(),
        }
    }

    /// The audio deltas that are sent before it occurs, where they count.
    pub(crate) fn after_deltas_mut(&mut self) -> Option<&mut usize> {
        match self {
            Self::DropsSession { after_deltas }
            | Self::Stalls { after_deltas }
            | Self::GoesSilent { after_deltas }
            | Self::DropsThenRefuses { after_deltas }
            | Self::QuotaMidCall { after_deltas }
            | Self::RunsOut { after_deltas } => Some(after_deltas),
            _ => None,
        }
    }
}

/// The name, with its number where it has one: `drops-session:5`.
impl fmt::Display for InjectedFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number() {
            Some(number) => write!(f, "{}:{number}", self.name()),
            None => f.write_str(self.name()),
        }
    }
}

/// No injected fault has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no injected fault is called {0:?}; try one of: {names}", names = InjectedFault::all().iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
pub struct UnknownFault(String);

/// By name; the number may be left out.
impl FromStr for InjectedFault {
    type Err = UnknownFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, number) = text.split_once(':').map_or((text, None), |(name, number)| (name, Some(number)));
        let known = Self::all().into_iter().find(|fault| fault.name() == name);
        let chosen = known.and_then(|usual| match number {
            None => Some(usual),
            Some(number) => number.parse().ok().and_then(|number| usual.with(number)),
        });
        chosen.ok_or_else(|| UnknownFault(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_known_by_the_name_it_prints() {
        for fault in InjectedFault::all() {
            assert_eq!(fault.to_string().parse(), Ok(fault));
        }
    }

    #[test]
    fn a_number_is_taken_where_there_is_one() {
        assert_eq!("drops-session:12".parse(), Ok(InjectedFault::DropsSession { after_deltas: 12 }));
        assert!("no-session:3".parse::<InjectedFault>().is_err());
        assert!("expires:soon".parse::<InjectedFault>().is_err());
    }

    #[test]
    fn what_happens_once_spares_the_second_session() {
        let both = |fault: InjectedFault| [0, 1].map(|session| fault.fault_of(session));

        assert_eq!(both(InjectedFault::ServerError), [Some(InjectedFault::ServerError), None]);
        assert_eq!(both(InjectedFault::NoSession), [Some(InjectedFault::NoSession); 2]);
    }

    #[test]
    fn what_cannot_be_cured_is_refused_again() {
        let again = |fault: &str| fault.parse::<InjectedFault>().expect("it is known").fault_of(1);

        assert_eq!(again("drops-then-refuses"), Some(InjectedFault::RefusesKey));
        assert_eq!(again("quota-mid-call:7"), Some(InjectedFault::QuotaExhausted));
    }
}
