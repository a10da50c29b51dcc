//! OpenAI's words: the Realtime API's events, a session's configuration, and how a conversation is led.
//!
//! [`Session`] is sans-IO: server events go in, [`Action`]s and [`Happening`]s come out. It survives the connections it is
//! led over. The socket is in `connection`, behind the feature of that name.
//!
//! Source: the types of the `openai` Python package 3.54.0 and OpenAI's Realtime guides of 2026.

pub mod client;
mod config;
#[cfg(feature = "connection")]
pub mod connection;
mod gate;
mod link;
mod mirror;
pub mod options;
mod prices;
mod private;
mod rate;
pub mod server;
mod session;
mod sound;
mod trouble;
#[cfg(feature = "connection")]
pub mod trust;
mod usage;

pub use client::ClientEvent;
pub use config::{Config, Greeting, Turns};
pub use link::LinkId;
pub use mirror::heard_words;
pub use options::Options;
pub use prices::{Prices, PricesError};
pub use private::Private;
pub use server::ServerEvent;
pub use session::{Action, Happening, HostedOutcome, Purpose, Session, Then};
pub use sound::RATE;
pub use trouble::{Down, Failure, Trouble};
pub use usage::Usage;
