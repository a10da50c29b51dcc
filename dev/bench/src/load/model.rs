//! A Realtime API for load: over TLS, for hundreds of sessions at once, with little CPU time.
//!
//! It sends the events of a conversation without faults, with sound that was serialised once, and only detects where
//! speech begins. It checks nothing: `dev/sim-openai` is the strict one.

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
