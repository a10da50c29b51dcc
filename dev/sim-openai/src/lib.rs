//! OpenAI's Realtime API over WebSocket and for telephone calls by SIP, simulated: strict in what it takes, faithful in what it
//! sends, and able to misbehave on purpose.
//!
//! [`Realtime`] listens on loopback. What a session may do next is decided without sockets or clocks in `session`;
//! the shell around it only carries events. Telephone calls are in [`sip`], the Responses API in `responses`. Facts come from OpenAI's own types (`fixtures/realtime-schema`) and from
//! what the service has been seen to do; where neither says, the README does.

mod clock;
mod config;
mod conversation;
mod fault_plan;
mod forbidden_parameter;
mod format;
mod greetings;
mod http;
mod injected_fault;
mod input;
mod limits;
mod models;
mod observation;
mod plan;
mod playback;
mod random;
mod realtime;
mod refusal;
mod reply;
mod reply_syntax;
mod report;
mod response;
mod responses;
mod schema;
mod script;
mod session;
mod session_registry;
mod settings;
pub mod sip;
mod socket;
mod summary;
mod transcription;
mod upgrade;
mod usage;
mod vad;

pub use config::Config;
pub use fault_plan::FaultPlan;
pub use forbidden_parameter::ForbiddenParameter;
pub use injected_fault::{InjectedFault, UnknownFault};
pub use observation::{Observation, ObservationKind};
pub use realtime::Realtime;
pub use reply::{Cut, McpCall, Reply, ReplyItem};
pub use report::{Recorded, Replayed, SessionReport, Side, Spoken};
pub use responses::{ResponsesConfig, ResponsesFault, ResponsesRequest};
pub use script::Script;
pub use summary::Summary;
