//! The report of a telephone call: what the carrier received, what clients asked for, and when.

use serde_json::Value;
use std::time::Instant;
use strum::IntoStaticStr;

/// What happened in a call so far.
#[derive(Debug, Clone)]
pub struct CallReport {
    /// The call's id, `rtc_…`.
    pub id: String,
    /// When the INVITE came.
    pub placed_at: Instant,
    /// What the carrier received, in order.
    pub carrier: Vec<CarrierEvent>,
    /// Each attempt to deliver the call's webhook.
    pub deliveries: Vec<Delivery>,
    /// Each request about the call.
    pub requests: Vec<Request>,
    /// What sideband sockets did.
    pub sockets: Vec<SocketEvent>,
    /// Each time the agent spoke.
    pub agent: Vec<AgentSpeech>,
    /// The call's session, once it was accepted: an index into [`crate::Realtime::sessions`].
    pub session: Option<usize>,
}

/// A message to the carrier, or one that ends the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarrierEvent {
    /// When.
    pub at: Instant,
    /// What.
    pub kind: CarrierEventKind,
}

/// The messages that a carrier sees of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CarrierEventKind {
    /// `100 Trying`.
    Trying,
    /// `200 OK`: the call was accepted.
    Answered,
    /// The status of a reject.
    Rejected(u16),
    /// `400 Bad Request`: no one has decided in time, or what was decided could not be done.
    BadRequest,
    /// The caller gave up before the call was answered.
    Cancelled,
    /// `REFER`, with its target.
    Refer(String),
    /// `BYE`: the call is over.
    Bye(HungUpBy),
}

/// Who ends a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HungUpBy {
    /// The caller.
    Caller,
    /// A client, by `hangup`.
    Client,
    /// The service: the longest duration is reached, or the session failed for good.
    Service,
    /// The carrier, once it has taken the caller elsewhere.
    Transfer,
}

/// An attempt to deliver a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// When the request was sent.
    pub at: Instant,
    /// `webhook-id`: the same in each attempt.
    pub webhook_id: String,
    /// From 1.
    pub attempt: usize,
    /// The status of the answer; `None` when none came in time.
    pub status: Option<u16>,
    /// When the answer came, or was not waited for any longer.
    pub answered_at: Instant,
}

/// A request about a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// When it came.
    pub at: Instant,
    /// What it asked for.
    pub action: Action,
    /// Its body; null for none.
    pub body: Value,
    /// The status of the answer.
    pub status: u16,
    /// The code of the error, if it was one.
    pub code: Option<String>,
    /// Whether it was done, whatever the answer says.
    pub took_effect: bool,
    /// Whether the client lived to get the answer.
    pub was_answered: bool,
}

/// What can be asked for in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, strum::EnumString, strum::Display)]
#[strum(serialize_all = "lowercase")]
#[allow(missing_docs, reason = "the last segment of each request's path")]
pub enum Action {
    Accept,
    Reject,
    Hangup,
    Refer,
}

/// Something that a sideband socket did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketEvent {
    /// When.
    pub at: Instant,
    /// What.
    pub kind: SocketEventKind,
}

/// What happens to sideband sockets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SocketEventKind {
    /// It was attached.
    Attached,
    /// It came too early or too late: 404.
    NotFound,
    /// All of them were dropped, without a close frame.
    Dropped,
    /// All of them were closed.
    Closed,
}

/// The agent speaks, from the first sound of a response that the caller hears to the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentSpeech {
    /// The response.
    pub response: String,
    /// When the first sound was played.
    pub started: Instant,
    /// When the last one was; `None`: it goes on.
    pub stopped: Option<Instant>,
    /// Whether it was cut short.
    pub was_cut: bool,
}

impl CallReport {
    pub(crate) fn new(id: String, now: Instant) -> Self {
        let carrier = vec![CarrierEvent { at: now, kind: CarrierEventKind::Trying }];
        Self {
            id,
            placed_at: now,
            carrier,
            deliveries: vec![],
            requests: vec![],
            sockets: vec![],
            agent: vec![],
            session: None,
        }
    }

    /// When the carrier received `200 OK`.
    pub fn answered(&self) -> Option<Instant> {
        self.carrier.iter().find(|event| event.kind == CarrierEventKind::Answered).map(|event| event.at)
    }

    /// How the call ended for the carrier, and when.
    pub fn ending(&self) -> Option<&CarrierEvent> {
        self.carrier.last().filter(|event| event.kind.is_end())
    }

    /// Whether the caller hears the agent right now.
    pub fn agent_is_speaking(&self) -> bool {
        self.agent.last().is_some_and(|speech| speech.stopped.is_none())
    }

    /// The requests that asked for this.
    pub fn requests_for(&self, action: Action) -> impl Iterator<Item = &Request> {
        self.requests.iter().filter(move |request| request.action == action)
    }

    /// How many sideband sockets were attached, one after the other or at once.
    pub fn sockets_attached(&self) -> usize {
        self.sockets.iter().filter(|event| event.kind == SocketEventKind::Attached).count()
    }
}

impl CarrierEventKind {
    /// Whether nothing comes after it.
    pub fn is_end(&self) -> bool {
        match self {
            Self::Trying | Self::Answered | Self::Refer(_) => false,
            Self::Rejected(_) | Self::BadRequest | Self::Cancelled | Self::Bye(_) => true,
        }
    }
}
