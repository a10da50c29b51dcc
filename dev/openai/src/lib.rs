//! OpenAI's Realtime API over WebSocket, simulated: strict in what it takes, faithful in what it sends, and able to
//! misbehave on purpose.
//!
//! [`Realtime`] listens on loopback. What a session may do next is decided without sockets or clocks in `session`;
//! the shell around it only carries events. Facts come from OpenAI's own types (`fixtures/realtime-schema`) and from
//! what the service has been seen to do; where neither says, the README does.

mod clock;
mod format;
mod g711;
mod input;
mod limits;
mod random;
mod refusal;
mod schema;
mod settings;
mod transcription;
mod usage;
mod vad;
