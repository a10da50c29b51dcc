//! The Opus codec at 24 kHz, the model's sample rate, so that no resampler is needed. RTP's clock for Opus is always 48 kHz.
//!
//! - [`OpusEncoder`] encodes the agent's audio, and rests between speech.
//! - [`OpusDecoder`] decodes the caller's audio, with FEC and packet loss concealment.
//! - [`inspect`] returns a packet's duration and whether it has FEC, without decoding it.

mod decoder;
mod encoder;
mod packet;
mod sample_rate;

pub use decoder::OpusDecoder;
pub use encoder::OpusEncoder;
pub use packet::inspect;
