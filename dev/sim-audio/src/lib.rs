//! Makes sound, and finds it again: tones, speech clips, and how alike two recordings are.
//!
//! Texts without a recorded sentence are spoken by espeak-ng, where it is installed ([`speech`]).
//!
//! Sound is proven by hearing. A simulator plays a [`clips`] sentence or a [`tone()`]; the other side's
//! recording must contain it ([`hearing::find`], [`tone::strength`]).
//!
//! All sound here is 24 kHz, mono, signed 16 bit: what the product and the Realtime API use.

pub mod clips;
pub mod hearing;
pub mod level;
pub mod onset;
pub mod speech;
pub mod tone;
pub mod wav;

pub use clips::Clip;
pub use tone::tone;

use std::time::Duration;

/// Samples in a second.
pub const RATE: u32 = 24_000;

/// Samples in one frame of 20 ms.
pub const FRAME: usize = 480;

/// Returns how long this many samples last.
pub fn duration(samples: usize) -> Duration {
    Duration::from_micros(samples as u64 * 1_000_000 / u64::from(RATE))
}

/// How many samples this duration has.
pub fn samples(duration: Duration) -> usize {
    (duration.as_micros() as u64 * u64::from(RATE) / 1_000_000) as usize
}
