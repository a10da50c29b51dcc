//! Observations of a call while it lasts: the phone's journal.

use crate::{Ending, ProtocolViolation};
use std::fmt;
use std::time::{Duration, Instant};
use strum::Display;

/// One thing seen, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// When it happened.
    pub at: Instant,
    /// The call's id; empty for what belongs to no call.
    pub call: String,
    /// What happened.
    pub what: Seen,
}

/// What can be seen.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    /// A webhook was sent, for the first time or again.
    WebhookPosted {
        /// `connect` or `terminate`.
        event: Event,
        /// 1 for the first; 0 for a forgery that comes before it.
        attempt: usize,
    },
    /// A webhook was answered; `None`: it was not, in time.
    WebhookAnswered {
        /// `connect` or `terminate`.
        event: Event,
        /// The HTTP status.
        status: Option<u16>,
    },
    /// Graph is about to reply to an action.
    Action {
        /// Which one.
        name: ActionName,
        /// The HTTP status.
        status: u16,
        /// Graph's error code.
        code: Option<u32>,
    },
    /// The agent nominated a path to the relay.
    IceConnected,
    /// The DTLS handshake is done.
    DtlsConnected,
    /// The first RTP packet after `accept`.
    FirstPacket,
    /// A voiced frame arrived after silence. The observation's time is that packet's.
    AgentVoice,
    /// No voiced frame for [`crate::CallerConfig::quiet`].
    AgentSilent {
        /// When the last voiced packet came.
        since: Instant,
    },
    /// The first voiced packet of what the caller says left.
    CallerSpeaks {
        /// The name of the clip.
        clip: String,
    },
    /// The last voiced packet of it left.
    CallerSpoke {
        /// The name of the clip.
        clip: String,
    },
    /// The agent's side did something wrong.
    Violation(ProtocolViolation),
    /// The call ended, in this way.
    Ended(Ending),
    /// The terminate webhook is about to be sent.
    Terminated {
        /// `COMPLETED` or `FAILED`.
        status: &'static str,
        /// The error's code, when it failed.
        code: Option<u32>,
        /// How long it lasted, in whole seconds, if it was answered.
        duration: Option<Duration>,
    },
    /// The business sent a WhatsApp message.
    MessageSent,
}

/// Which webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display)]
#[strum(serialize_all = "lowercase")]
pub enum Event {
    /// A caller rings.
    Connect,
    /// The call is over.
    Terminate,
    /// Something about another number's call.
    #[strum(serialize = "of another number")]
    Foreign,
    /// A message of the business failed.
    #[strum(serialize = "of a message")]
    Message,
}

/// Which call action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display)]
#[strum(serialize_all = "snake_case")]
pub enum ActionName {
    /// Shows the answer.
    PreAccept,
    /// Picks up.
    Accept,
    /// Does not want the call.
    Reject,
    /// Hangs up.
    Terminate,
}

/// An action that took effect, for [`crate::Meta::on_action`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// The call's id.
    pub call: String,
    /// Which action.
    pub name: ActionName,
}

/// A line of the journal.
impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Seen::WebhookPosted { event, attempt: 0 } => write!(f, "webhook {event} forged"),
            Seen::WebhookPosted { event, attempt: 1 } => write!(f, "webhook {event} sent"),
            Seen::WebhookPosted { event, attempt } => write!(f, "webhook {event} sent, attempt {attempt}"),
            Seen::WebhookAnswered { event, status: Some(status) } => {
                write!(f, "webhook {event} answered {status}")
            }
            Seen::WebhookAnswered { event, status: None } => write!(f, "webhook {event} not answered"),
            Seen::Action { name, status, code: None } => write!(f, "{name}: {status}"),
            Seen::Action { name, status, code: Some(code) } => write!(f, "{name}: {status}, code {code}"),
            Seen::IceConnected => f.write_str("ICE connected"),
            Seen::DtlsConnected => f.write_str("DTLS connected"),
            Seen::FirstPacket => f.write_str("first packet"),
            Seen::AgentVoice => f.write_str("the agent speaks"),
            Seen::AgentSilent { .. } => f.write_str("the agent is silent"),
            Seen::CallerSpeaks { clip } => write!(f, "the caller says {clip}"),
            Seen::CallerSpoke { clip } => write!(f, "the caller has said {clip}"),
            Seen::Violation(fault) => write!(f, "FAULT: {fault}"),
            Seen::Ended(ending) => write!(f, "ended: {ending:?}"),
            Seen::Terminated { status, code: None, .. } => write!(f, "{status}"),
            Seen::Terminated { status, code: Some(code), .. } => write!(f, "{status}, code {code}"),
            Seen::MessageSent => f.write_str("the business sent a message"),
        }
    }
}
