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

mod agent_event;
mod barge_in;
mod bridge;
mod call_timers;
mod dtmf;
mod echo_gate;
mod encoder_tuning;
mod hangup;
mod jitter_buffer;
mod listening_quality;
mod load_level;
mod meter;
mod output;
mod packet;
mod playout;
mod response_latency;
mod rtcp_reports;
mod sample_queue;
mod unheard_speech;

pub use agent_event::AgentEvent;
pub use barge_in::BargeInPolicy;
pub use bridge::Bridge;
pub use call_timers::{CallLimits, CallTimers, TimeoutReason, TimerAction};
pub use dtmf::{ClockRate, DtmfDigits, DtmfOptions, DtmfPacket, KeyPress};
pub use encoder_tuning::{EncoderSettings, EncoderTuning};
pub use jitter_buffer::{DecodeStep, JitterBuffer};
pub use listening_quality::{NetworkPath, listening_quality};
pub use load_level::LoadLevel;
pub use meter::{Lateness, Meter};
pub use output::Output;
pub use packet::{Packet, Sound};
pub use playout::{FinishedItem, ItemId, PlayedItem, Playout, PlayoutFrame};
pub use rtcp_reports::{RemoteReport, Report, ReportBlock, RtcpReports};

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
