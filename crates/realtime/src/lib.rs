//! Speaks OpenAI's Realtime API: its events, a session's configuration, and a conversation over as many sessions as it takes.
//!
//! [`Session`] is sans-IO: server events go in, [`SessionAction`]s and [`SessionEvent`]s come out. It outlives its connections: it
//! reconnects after a loss and rolls over to a new session before the old one expires. The WebSocket is in `connection`, behind the feature
//! of that name.
//!
//! Source: the types of the `openai` Python package 3.54.0 and OpenAI's Realtime guides of 2026.

mod api_error;
mod audio_encoding;
mod client_event;
mod config;
#[cfg(feature = "connection")]
pub mod connection;
mod heard_words;
mod history;
mod ids;
mod link;
mod optional_parts;
pub mod options;
mod prices;
#[cfg(feature = "connection")]
pub mod probe;
mod redacted;
mod resampling;
mod response_queue;
mod server_event;
mod session;
#[cfg(feature = "connection")]
pub mod tls_roots;
mod tool_lists;
mod usage;

pub use api_error::{ApiError, ConnectionLoss, Failure};
pub use client_event::ClientEvent;
pub use config::{AudioPath, Greeting, SessionConfig, TurnMode};
pub use heard_words::{heard_words, words_within};
pub use ids::{ItemId, ResponseId, ToolCallId};
pub use link::LinkId;
pub use optional_parts::{OptionalPart, OptionalParts};
pub use options::{MODEL, Options};
pub use prices::Prices;
pub use redacted::Redacted;
pub use server_event::ServerEvent;
pub use session::{EmptyResponseAction, HostedOutcome, Purpose, Session, SessionAction, SessionEvent};
pub use usage::Usage;
