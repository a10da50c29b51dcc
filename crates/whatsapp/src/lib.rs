//! Meta's WhatsApp Business Calling API: webhook notices, their signature and challenge, and the Graph API's call actions, messages and
//! business set-up.
//!
//! Source: Meta's "WhatsApp Business Calling API" pages as of 2026, and captures of real webhooks.

#[cfg(feature = "client")]
pub mod business;
pub mod challenge;
pub mod error;
#[cfg(feature = "client")]
pub mod graph;
mod message_id;
pub mod notice;
pub mod personal_names;
#[cfg(feature = "client")]
mod setup;
pub mod signature;

pub use error::GraphError;
#[cfg(feature = "client")]
pub use graph::Graph;
pub use message_id::message_ref;
pub use notice::{Batch, Caller, ConnectDetails, Notice, NoticeKind, NoticeSubject};
#[cfg(feature = "client")]
pub use setup::App;
