//! Decides what a business learns of a call and when, without a runtime, a clock or a socket (sans-IO).
//!
//! [`body()`] makes an event's JSON from what is stored of its call, [`next_step`] says what follows from a try to deliver it, and
//! [`extraction`] is what a text model is asked about the transcript.

mod body;
pub mod extraction;
mod facts;
#[cfg(test)]
mod fixture_tests;
mod schedule;
#[cfg(test)]
mod test_call;

pub use body::{BodyError, Event, LARGEST_BODY, body};
pub use extraction::Extraction;
pub use facts::{CallFacts, Left};
pub use schedule::{MOST_TRIES, NextStep, NoReply, TryResult, next_step};
