//! OpenAI's side of telephone calls by SIP, without SIP and without RTP: a carrier's call comes in by [`Trunk::ring`], the
//! project's webhook learns of it, and a client decides it by REST and watches it from a sideband socket.
//!
//! ```no_run
//! # async fn a_call() -> anyhow::Result<()> {
//! use sim_openai::sip::{CallSpec, CallerStep, WebhookEndpoint};
//! use sim_openai::{Config, Realtime};
//! use std::time::Duration;
//!
//! let realtime = Realtime::start(Config::new("sk-test")).await?;
//! let trunk = realtime.trunk();
//! trunk.add_endpoint(WebhookEndpoint::on_loopback("http://127.0.0.1:8080/openai", "whsec_YSBzZWNyZXQ="))?;
//!
//! let call = trunk.ring(CallSpec::new("+35699000001", "+35621000000").header("X-Ahoy-Key", "a key"));
//! call.answered(Duration::from_secs(5)).await?;
//! call.agent_speaks(Duration::from_secs(5)).await?;
//! call.agent_falls_silent(Duration::from_secs(10)).await?;
//! call.say(&sim_audio::clips::caller_question());
//! // … and in the end:
//! call.hang_up();
//! call.over(Duration::from_secs(1)).await?;
//! assert_eq!(trunk.complaints(), [] as [&str; 0]);
//! let what_was_heard = call.heard_by_caller();
//! # Ok(()) }
//! ```
//!
//! What a caller does may also be a script ([`CallSpec::script`]), so that one `ring` is a whole call. What the model says is
//! [`crate::Config::script`], as in any session; the call's session is among [`crate::Realtime::sessions`], at
//! [`CallReport::session`].
//!
//! # Layout
//!
//! - `spec`, `headers`, `webhook_event`: a call as a carrier places it, and as the webhook gets it
//! - `endpoint`, `signature`, `delivery`: webhooks on their way, signed, again and again
//! - `endpoints`, `endpoint_request`, `endpoint_api`: the project's webhook endpoints, as a client makes and rotates them
//! - `call` and its folder: decides what a call does next, without sockets or clocks
//! - `exchange`, `shared_call`, `driver`: all calls, and the time that passes in each
//! - `rest`, `rest_answer`, `client_deaths`, `sockets`, `sideband`: what clients reach; `control`, `step_syntax`: calls placed by hand
//! - `trunk`, `placed_call`, `report`, `complaints`: what a test or a harness uses

mod call;
mod client_deaths;
mod complaints;
mod config;
pub(crate) mod control;
mod delivery;
mod driver;
mod endpoint;
pub(crate) mod endpoint_api;
mod endpoint_request;
mod endpoints;
mod exchange;
mod fault;
mod headers;
mod placed_call;
mod report;
pub(crate) mod rest;
mod rest_answer;
mod shared_call;
pub(crate) mod sideband;
mod signature;
mod sockets;
mod spec;
mod step_syntax;
mod trunk;
mod webhook_event;

pub use config::SipConfig;
pub use endpoint::{NotHttps, WebhookEndpoint};
pub use endpoints::RegisteredEndpoint;
pub(crate) use exchange::Exchange;
pub use fault::SipFault;
pub use placed_call::{PlacedCall, WaitError};
pub use report::{
    Action, AgentSpeech, CallReport, CarrierEvent, CarrierEventKind, Delivery, HungUpBy, Request,
    SocketEvent, SocketEventKind,
};
pub use spec::{CallSpec, CallerStep};
pub use step_syntax::UnknownStep;
pub use trunk::Trunk;
