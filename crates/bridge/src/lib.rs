//! Sound between caller and agent. Sans-IO: no runtime, no clock, no socket; time is an argument.
//!
//! - [`Bridge`] joins the rest: what the agent says goes to the caller, what the caller says to the agent.
//! - [`Playout`] plays the agent's speech, a frame every 20 ms, and knows how much of it was heard.
//! - [`Uplink`] puts the caller's packets in order and fills what is missing, so that the agent's clock runs.
//! - [`Patience`] knows when a call has gone on, or been silent, for too long.
//! - [`Meter`] counts.
//!
//! All sound is 24 kHz, mono, signed 16 bit.

mod bridge;
mod meter;
mod patience;
mod playout;
mod uplink;

pub use bridge::{Agent, Bridge, Output};
pub use meter::{Lateness, Meter};
pub use patience::{Limits, Patience, Verdict};
pub use playout::{Heard, ItemId, Playout};
pub use uplink::{Slot, Uplink};

use std::time::Duration;

/// How long a frame lasts.
pub const FRAME: Duration = Duration::from_millis(20);

/// Samples in a frame.
pub const SAMPLES: usize = 480;

/// A frame of sound.
pub type Frame = [i16; SAMPLES];

/// Samples in a millisecond.
const PER_MS: usize = SAMPLES / 20;
