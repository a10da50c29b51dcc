//! What was observed on the wire: counts and times of datagrams by kind.

use crate::MediaContext;
use std::time::{Duration, Instant};

/// RTCP or a STUN answer this long after the last RTP shows that the connection is alive.
const ALIVE_AFTER: Duration = Duration::from_secs(2);

/// The kind of a datagram, as far as it shows without keys (RFC 7983, RFC 8489).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatagramKind {
    /// A STUN request or indication.
    StunRequest,
    /// A STUN success response.
    StunSuccess,
    /// A STUN error response with its code.
    StunError(u16),
    /// A DTLS record.
    Dtls,
    /// An RTP packet: audio or a telephone event.
    Rtp {
        /// The payload type, which SRTP leaves unencrypted.
        payload_type: u8,
    },
    /// An RTCP packet.
    Rtcp,
    /// Any other datagram.
    Other,
}

/// Why a datagram could not be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendError {
    /// The port is closed, by ICMP of the remote host.
    Refused,
    /// There is no route to the host.
    Unreachable,
    /// This host may not send to the address.
    Forbidden,
}

/// Whether a decoded frame of the caller is audible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AudioActivity {
    /// The frame holds sound.
    Audible,
    /// The frame is digital silence.
    Silent,
}

/// The number of observations, with the times of the first and the last.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Count {
    pub(crate) times: u64,
    pub(crate) first: Option<Instant>,
    pub(crate) last: Option<Instant>,
}

impl Count {
    pub(crate) fn note(&mut self, now: Instant) {
        self.times += 1;
        self.first.get_or_insert(now);
        self.last = Some(now);
    }

    /// Moves all times by a stall, in which nothing could be observed.
    fn shift(&mut self, lost: Duration) {
        for at in [&mut self.first, &mut self.last].into_iter().flatten() {
            *at += lost;
        }
    }
}

/// Everything observed of one call.
#[derive(Debug, Clone)]
pub(crate) struct Observations {
    pub(crate) began: Instant,
    pub(crate) connected: Option<Instant>,
    pub(crate) opened: Option<Instant>,
    pub(crate) checks: Count,
    pub(crate) answers: Count,
    pub(crate) conflicts: Count,
    pub(crate) refusals: Count,
    pub(crate) refusal: Option<SendError>,
    pub(crate) dtls_out: Count,
    pub(crate) dtls_in: Count,
    pub(crate) rtp_out: Count,
    /// RTP with a negotiated payload type.
    pub(crate) rtp: Count,
    /// RTP with another payload type.
    pub(crate) wrong_payload: Count,
    pub(crate) wrong_payload_type: u8,
    pub(crate) others: Count,
    pub(crate) any: Count,
    pub(crate) audible: Count,
    pub(crate) silent: Count,
    /// STUN checks sent since anything was received.
    pub(crate) checks_since: u64,
}

impl Observations {
    pub(crate) fn new(now: Instant) -> Self {
        let none = Count::default();
        Self {
            began: now,
            connected: None,
            opened: None,
            checks: none,
            answers: none,
            conflicts: none,
            refusals: none,
            refusal: None,
            dtls_out: none,
            dtls_in: none,
            rtp_out: none,
            rtp: none,
            wrong_payload: none,
            wrong_payload_type: 0,
            others: none,
            any: none,
            audible: none,
            silent: none,
            checks_since: 0,
        }
    }

    /// Whether the caller's RTP has stopped while the connection is alive.
    pub(crate) fn has_stopped(&self) -> bool {
        self.rtp.last.zip(self.others.last).is_some_and(|(sound, other)| other >= sound + ALIVE_AFTER)
    }

    pub(crate) fn note_in(&mut self, kind: DatagramKind, context: &MediaContext, now: Instant) {
        self.any.note(now);
        self.checks_since = 0;
        let count = match kind {
            DatagramKind::Rtp { payload_type } if context.agrees_to(payload_type) => {
                return self.rtp.note(now);
            }
            DatagramKind::Rtp { payload_type } => {
                self.wrong_payload_type = payload_type;
                return self.wrong_payload.note(now);
            }
            DatagramKind::StunSuccess => Some(&mut self.answers),
            DatagramKind::StunError(487) => Some(&mut self.conflicts),
            DatagramKind::Dtls => Some(&mut self.dtls_in),
            DatagramKind::StunError(_)
            | DatagramKind::StunRequest
            | DatagramKind::Rtcp
            | DatagramKind::Other => None,
        };
        if let Some(count) = count {
            count.note(now);
        }
        self.others.note(now);
    }

    pub(crate) fn note_out(&mut self, kind: DatagramKind, now: Instant) {
        match kind {
            DatagramKind::StunRequest => {
                self.checks.note(now);
                self.checks_since += 1;
            }
            DatagramKind::Dtls => self.dtls_out.note(now),
            DatagramKind::Rtp { .. } => self.rtp_out.note(now),
            DatagramKind::StunSuccess
            | DatagramKind::StunError(_)
            | DatagramKind::Rtcp
            | DatagramKind::Other => {}
        }
    }

    pub(crate) fn note_refusal(&mut self, refusal: SendError, now: Instant) {
        self.refusal = Some(refusal);
        self.refusals.note(now);
    }

    pub(crate) fn note_sound(&mut self, sound: AudioActivity, now: Instant) {
        match sound {
            AudioActivity::Audible => self.audible.note(now),
            AudioActivity::Silent => self.silent.note(now),
        }
    }

    /// Moves all times by a stall: while the task does not run, the absence of datagrams is no evidence.
    pub(crate) fn shift(&mut self, lost: Duration) {
        self.began += lost;
        for at in [&mut self.connected, &mut self.opened].into_iter().flatten() {
            *at += lost;
        }
        let counts = [
            &mut self.checks,
            &mut self.answers,
            &mut self.conflicts,
            &mut self.refusals,
            &mut self.dtls_out,
            &mut self.dtls_in,
            &mut self.rtp_out,
            &mut self.rtp,
            &mut self.wrong_payload,
            &mut self.others,
            &mut self.any,
            &mut self.audible,
            &mut self.silent,
        ];
        counts.into_iter().for_each(|count| count.shift(lost));
    }
}
