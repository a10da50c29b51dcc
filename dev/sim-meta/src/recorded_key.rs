//! A recorded packet of a key press.

use std::time::Duration;

/// A packet of a key as some phone or gateway was seen to send it (RFC 4733), relative to where the stream is then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedKey {
    /// When it leaves.
    pub at: Duration,
    /// By how much its sequence number is more than that of the packet that would be next.
    pub sequence: u32,
    /// By how much its timestamp is more than that of the packet before.
    pub timestamp: u32,
    /// Event, end bit and volume, duration.
    pub payload: [u8; 4],
    /// One that was agreed on for telephone events, or not.
    pub payload_type: u8,
    /// The marker bit.
    pub marker: bool,
}

impl RecordedKey {
    /// A packet at this many milliseconds.
    pub fn at_ms(ms: u64, sequence: u32, timestamp: u32, payload: [u8; 4]) -> RecordedKey {
        RecordedKey {
            at: Duration::from_millis(ms),
            sequence,
            timestamp,
            payload,
            payload_type: 126,
            marker: false,
        }
    }
}
