//! A Realtime API for load: over TLS, for hundreds of sessions at once, and next to free.
//!
//! It says what a service says to a conversation that goes well, with sound that was serialised once, and listens only
//! for where speech begins. It judges nothing: the strict one is `dev/sim-openai`.

mod certificate;
mod rhythm;
mod server;
mod session;
mod session_counters;
mod speech;
mod speech_detector;

pub(super) use rhythm::Rhythm;
pub(super) use server::Model;
pub(super) use session_counters::SessionCounters;
