//! Opus, both ways, at 24 kHz: no resampler. RTP's clock is 48 kHz all the same.
//!
//! - [`Mouth`] encodes the agent's voice, and rests while the agent is silent.
//! - [`Ear`] decodes the caller's voice, and makes up what is missing of it.
//! - [`read`] tells how long a packet is, and whether it corrects the one before it, without decoding it.

mod decoder;
mod encoder;
mod packet;

pub use decoder::OpusDecoder;
pub use encoder::OpusEncoder;
pub use packet::read;

/// What Opus is decoded to and encoded from.
const RATE: u32 = 24_000;
