//! Observations of a call while it lasts: the phone's journal.

use crate::{Ending, ProtocolViolation};
use std::fmt;
use std::time::{Duration, Instant};
use strum::Display;

/// What happened to a call, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// When it happened.
    pub at: Instant,
    /// The call's id; empty for what belongs to no call.
    pub call: String,
    /// What happened.
    pub kind: ObservationKind,
}

/// What can be observed.
#[derive(Debug, Clone, PartialEq)]
pub enum ObservationKind {
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
impl fmt::Display for ObservationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ObservationKind::WebhookPosted { event, attempt: 0 } => write!(f, "webhook {event} forged"),
            ObservationKind::WebhookPosted { event, attempt: 1 } => write!(f, "webhook {event} sent"),
            ObservationKind::WebhookPosted { event, attempt } => {
                write!(f, "webhook {event} sent, attempt {attempt}")
            }
            ObservationKind::WebhookAnswered { event, status: Some(status) } => {
                write!(f, "webhook {event} answered {status}")
            }
            ObservationKind::WebhookAnswered { event, status: None } => {
                write!(f, "webhook {event} not answered")
            }
            ObservationKind::Action { name, status, code: None } => write!(f, "{name}: {status}"),
            ObservationKind::Action { name, status, code: Some(code) } => {
                write!(f, "{name}: {status}, code {code}")
            }
            ObservationKind::IceConnected => f.write_str("ICE connected"),
            ObservationKind::DtlsConnected => f.write_str("DTLS connected"),
            ObservationKind::FirstPacket => f.write_str("first packet"),
            ObservationKind::AgentVoice => f.write_str("the agent speaks"),
            ObservationKind::AgentSilent { .. } => f.write_str("the agent is silent"),
            ObservationKind::CallerSpeaks { clip } => write!(f, "the caller says {clip}"),
            ObservationKind::CallerSpoke { clip } => write!(f, "the caller has said {clip}"),
            ObservationKind::Violation(fault) => write!(f, "FAULT: {fault}"),
            ObservationKind::Ended(ending) => write!(f, "ended: {ending:?}"),
            ObservationKind::Terminated { status, code: None, .. } => write!(f, "{status}"),
            ObservationKind::Terminated { status, code: Some(code), .. } => {
                write!(f, "{status}, code {code}")
            }
            ObservationKind::MessageSent => f.write_str("the business sent a message"),
        }
    }
}
