//! The audio path of a call, sans-IO: jitter buffer, playout, barge-in, DTMF, RTCP reports, call timers and hang-up.
//! No runtime, no clock, no socket; time is an argument.
//!
//! - [`Bridge`] joins the parts: the agent's speech goes to the caller, the caller's audio to the agent.
//! - [`RemoteAudio`] follows a call whose audio another service carries.
//! - `playout` plays the agent's speech, a frame every 20 ms, and knows how much of it the caller has heard.
//! - `jitter_buffer` reorders the caller's packets and conceals lost ones, so that the
//!   model's audio clock never stops.
//! - [`BargeInPolicy`] decides when the caller's speech interrupts the agent.
//! - `call_timers` ends calls that are too long, idle or abandoned, after idle prompts and
//!   a goodbye.
//! - `hangup` waits until the goodbye was heard before the call is hung up.
//! - `dtmf` reads telephone events (RFC 4733) and collects them into [`DtmfDigits`].
//! - [`RtcpReports`] computes RTCP sender and receiver reports.
//! - [`EncoderTuning`] chooses bit rate, complexity and FEC of the Opus encoder by packet loss and CPU load.
//! - [`listening_quality()`] is the E-model: a mean opinion score from loss and delay.
//! - [`Meter`] holds the call's counters.
//!
//! All audio is 24 kHz, mono, signed 16 bit.

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
mod remote_audio;
mod response_latency;
mod rtcp_reports;
mod sample_queue;
mod unheard_speech;

pub use agent_event::AgentEvent;
pub use barge_in::BargeInPolicy;
pub use bridge::Bridge;
pub use call_timers::{CallLimits, TimeoutReason};
use call_timers::{CallTimers, TimerAction};
use dtmf::KeyPress;
pub use dtmf::{ClockRate, DtmfDigits, DtmfOptions, DtmfPacket};
pub use encoder_tuning::{EncoderSettings, EncoderTuning};
pub use jitter_buffer::DecodeStep;
use jitter_buffer::JitterBuffer;
pub use listening_quality::{NetworkPath, listening_quality};
pub use load_level::LoadLevel;
pub use meter::{Lateness, Meter};
pub use output::Output;
pub use packet::{Packet, Sound};
use playout::Playout;
pub use playout::{ItemId, PlayedItem};
pub use remote_audio::{RemoteAudio, RemoteEvent};
pub use rtcp_reports::{RemoteReport, Report, ReportBlock, RtcpReports};

use std::time::Duration;

/// The duration of a frame.
pub const FRAME: Duration = Duration::from_millis(20);

/// The number of samples in a frame.
pub const SAMPLES: usize = 480;

/// A frame of 20 ms of audio: 24 kHz, mono, signed 16 bit.
pub type Frame = [i16; SAMPLES];

const PER_MS: usize = SAMPLES / 20;

fn duration(samples: usize) -> Duration {
    Duration::from_micros((samples * 1_000 / PER_MS) as u64)
}
