//! An RTP packet of the caller as the jitter buffer needs it: order, time and length.

/// An RTP packet of the caller with a payload `P`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet<P> {
    /// The SSRC of the RTP stream.
    pub stream: u32,
    /// The RTP sequence number.
    pub sequence: u16,
    /// The RTP timestamp, on a clock of 48 kHz.
    pub timestamp: u32,
    /// The audio. `None` for a packet that only takes a sequence number: a telephone event, or a malformed packet.
    pub sound: Option<Sound<P>>,
}

/// Encoded audio of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sound<P> {
    /// The encoded payload.
    pub payload: P,
    /// The length of the audio, in samples at 24 kHz.
    pub samples: usize,
    /// Whether the payload carries FEC of the packet before it.
    pub corrects: bool,
}
