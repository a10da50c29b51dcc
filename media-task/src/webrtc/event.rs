//! What a connection tells: each thing as it happens, and what the network did to the call's packets.

use audio::{ClockRate, RemoteReport};
use bytes::Bytes;
use std::time::Duration;

/// Something that happened on the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerEvent {
    /// ICE and DTLS are done.
    Connected,
    /// The connection failed. The other side's goodbye is not told: its absence, and Meta's notice, are.
    Closed,
    /// A packet of the caller's sound.
    Sound {
        /// SSRC.
        stream: u32,
        /// RTP sequence number.
        sequence: u16,
        /// RTP timestamp.
        timestamp: u32,
        /// Opus.
        payload: Bytes,
    },
    /// A packet that tells of a key press: no sound, but a place in the sequence.
    Key {
        /// SSRC.
        stream: u32,
        /// RTP sequence number.
        sequence: u16,
        /// RTP timestamp: all packets of one press share it, as a rule.
        timestamp: u32,
        /// What its duration counts in.
        clock: ClockRate,
        /// As RFC 4733 has it.
        payload: Bytes,
    },
    /// A packet of a payload type that was not agreed on: no sound, but a place in the sequence.
    Foreign {
        /// SSRC.
        stream: u32,
        /// RTP sequence number.
        sequence: u16,
        /// RTP timestamp.
        timestamp: u32,
    },
    /// The far side told how our packets arrive: see [`super::Peer::report`].
    Told,
}

/// What the network did to a call's packets, as far as only the connection knows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PeerReport {
    /// Datagrams that look like sound or reports, and are not the caller's.
    pub unreadable: u64,
    /// Packets that came again, and were dropped before they were read.
    pub repeated: u64,
    /// How unevenly the caller's packets come.
    pub jitter: Duration,
    /// What the far side told last of our packets; nothing before its first report.
    pub told: Option<RemoteReport>,
}
