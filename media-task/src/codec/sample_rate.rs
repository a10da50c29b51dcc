//! The sample rate of decoded audio: the model's.

/// The sample rate of decoded audio, Hz.
pub(super) const RATE: u32 = 24_000;
