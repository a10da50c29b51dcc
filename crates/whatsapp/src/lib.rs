//! Meta's words: the webhook, its signature and challenge, and the Graph API's call actions.
//!
//! Source: Meta's "WhatsApp Business Calling API" pages as of 2026, and captures of real webhooks.

pub mod challenge;
pub mod error;
#[cfg(feature = "client")]
pub mod graph;
pub mod notice;
pub mod signature;

pub use error::GraphError;
#[cfg(feature = "client")]
pub use graph::Graph;
pub use notice::{About, Batch, Caller, Notice, What};
