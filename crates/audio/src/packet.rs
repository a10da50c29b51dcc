//! A packet of the caller's, as far as its order, its time and its length go.

/// A packet as it came, of which `P` is the sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet<P> {
    /// Which stream it is of: its SSRC.
    pub stream: u32,
    /// Its place in the stream.
    pub sequence: u16,
    /// When it was spoken, on the stream's clock of 48 kHz.
    pub timestamp: u32,
    /// What is in it. Nothing for what only has a place in the sequence: a key press, or a broken packet.
    pub sound: Option<Sound<P>>,
}

/// Encoded sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sound<P> {
    /// The sound, encoded.
    pub payload: P,
    /// How much of it there is, in samples of 24 kHz.
    pub samples: usize,
    /// Whether it can also tell what was in the packet before it.
    pub corrects: bool,
}
