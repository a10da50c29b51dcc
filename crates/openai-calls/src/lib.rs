//! OpenAI's calls by SIP, as far as they reach us: the webhook event of an incoming call with its signature, who calls whom by its SIP headers,
//! and the four requests about a call; and what an operator sets up at a project of OpenAI's.
//!
//! Nothing here speaks SIP, and no audio comes by: OpenAI holds the call. The sideband of its session is `realtime`'s.
//!
//! Source: OpenAI's guide "Realtime API with SIP" and webhook reference as of 2026, the Standard Webhooks specification, and what implementers
//! report.

mod call_id;
#[cfg(feature = "client")]
pub mod client;
mod error;
mod event;
mod headers;
mod numbers;
#[cfg(feature = "client")]
pub mod project;
mod request;
pub mod signature;
pub mod trunk_key;

pub use call_id::CallId;
#[cfg(feature = "client")]
pub use client::Calls;
pub use error::CallsError;
pub use event::{IncomingCall, WebhookEvent};
pub use headers::{CallParties, SipHeader};
pub use numbers::digits;
#[cfg(feature = "client")]
pub use project::{Project, ProjectError};
pub use request::{AcceptedAs, CallRequest};
