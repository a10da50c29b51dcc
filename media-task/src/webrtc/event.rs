//! The events of a WebRTC peer, and the statistics of its packets.

use audio::{ClockRate, RemoteReport};
use bytes::Bytes;
use std::time::Duration;

/// An event of a WebRTC peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerEvent {
    /// ICE and DTLS are done.
    Connected,
    /// The connection failed. A DTLS close_notify of the far side is no event: Meta's notice and missing packets tell the end of a call.
    Closed,
    /// An RTP packet of the caller's audio.
    Audio {
        /// SSRC.
        stream: u32,
        /// RTP sequence number.
        sequence: u16,
        /// RTP timestamp.
        timestamp: u32,
        /// Opus.
        payload: Bytes,
    },
    /// A DTMF packet (RFC 4733): it has no audio, but takes a sequence number.
    Dtmf {
        /// SSRC.
        stream: u32,
        /// RTP sequence number.
        sequence: u16,
        /// RTP timestamp: the packets of one key press usually share it.
        timestamp: u32,
        /// The clock in which its duration counts.
        clock: ClockRate,
        /// The event, its volume and its duration.
        payload: Bytes,
    },
    /// A packet of a payload type that was not negotiated: it takes a sequence number.
    Foreign {
        /// SSRC.
        stream: u32,
        /// RTP sequence number.
        sequence: u16,
        /// RTP timestamp.
        timestamp: u32,
    },
    /// An RTCP report says how our packets arrive: see [`super::Peer::report`].
    RtcpReport,
}

/// Statistics of a call's packets that only its peer knows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PeerReport {
    /// Datagrams that look like SRTP or SRTCP and cannot be decrypted or were refused.
    pub unreadable: u64,
    /// Repeated packets, dropped by SRTP's replay protection.
    pub repeated: u64,
    /// Interarrival jitter of the caller's packets (RFC 3550).
    pub jitter: Duration,
    /// The far side's last RTCP report on our packets; `None` before its first one.
    pub remote: Option<RemoteReport>,
}
