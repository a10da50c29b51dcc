//! OpenAI's words: the Realtime API's events, a session's configuration, and how a session is led.
//!
//! [`Session`] is sans-IO: server events go in, client events and [`Happening`]s come out. The socket is in
//! `connection`, behind the feature of that name.
//!
//! Source: the types of the `openai` Python package 3.54.0 and OpenAI's Realtime guides of 2026.

pub mod client;
mod config;
#[cfg(feature = "connection")]
pub mod connection;
mod gate;
pub mod options;
mod pcm;
pub mod server;
mod session;
mod trouble;

pub use client::ClientEvent;
pub use config::{Config, TurnDetection};
pub use options::Options;
pub use server::ServerEvent;
pub use session::{Happening, Session};
pub use trouble::Trouble;
