//! Sound between caller and agent. Sans-IO: no runtime, no clock, no socket; time is an argument.
//!
//! - [`Bridge`] joins the rest: what the agent says goes to the caller, what the caller says to the agent.
//! - [`Playout`] plays the agent's speech, a frame every 20 ms, and knows how much of it was heard.
//! - [`Uplink`] puts the caller's packets in order and fills what is missing, so that the agent's clock runs.
//! - [`Turns`] are who may interrupt whom: by default the caller, at once; or with a guard against echo and "mhm".
//! - [`Patience`] knows when a call has gone on, or been silent, for too long, and says so before it hangs up.
//! - [`Keypad`] is how the keys a caller presses become what was [meant](Keyed).
//! - [`Reports`] is RTCP: what we tell the far side of the call's packets, and what it tells us.
//! - [`Tuning`] chooses how the agent's voice is encoded, by what gets lost and by what the machine can spare.
//! - [`listening_quality`] is the E-model: how all of that sounds.
//! - [`Meter`] counts.
//!
//! All sound is 24 kHz, mono, signed 16 bit.

mod agent;
mod bridge;
mod echo;
mod keys;
mod leaving;
mod meter;
mod output;
mod packet;
mod patience;
mod playout;
mod quality;
mod queue;
mod reports;
mod stopwatch;
mod strain;
mod tuning;
mod turns;
mod unheard;
mod uplink;

pub use agent::Agent;
pub use bridge::Bridge;
pub use keys::{Clock, KeyPacket, Keyed, Keypad, Press};
pub use meter::{Lateness, Meter};
pub use output::Output;
pub use packet::{Packet, Sound};
pub use patience::{Impatience, Limits, Patience, Verdict};
pub use playout::{Due, Heard, ItemId, Over, Playout};
pub use quality::{Path, listening_quality};
pub use reports::{About, Report, Reports, Told};
pub use strain::Strain;
pub use tuning::{Settings, Tuning};
pub use turns::Turns;
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

/// How long so many samples last.
fn duration(samples: usize) -> Duration {
    Duration::from_micros((samples * 1_000 / PER_MS) as u64)
}
