//! What the wire has shown so far: counted, and when.

use crate::MediaContext;
use std::time::{Duration, Instant};

/// What a datagram is, by what it shows without any key (RFC 7983, RFC 8489).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatagramKind {
    /// A STUN request, or an indication.
    StunRequest,
    /// A STUN success.
    StunSuccess,
    /// A STUN error, by its code.
    StunError(u16),
    /// A DTLS record.
    Dtls,
    /// Sound, or a key press.
    Rtp {
        /// Of the RTP header, which SRTP leaves in the clear.
        payload_type: u8,
    },
    /// A report.
    Rtcp,
    /// None of those.
    Other,
}

/// Why a datagram could not be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendError {
    /// The host there says that nobody listens at the port.
    Refused,
    /// There is no way there.
    Unreachable,
    /// This host may not send there.
    Forbidden,
}

/// What a frame of the caller's turned out to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AudioActivity {
    /// Something.
    Audible,
    /// Digital silence.
    Silent,
}

/// How often something was seen, and when first and last.
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

    /// Time in which nothing could be seen: as if all of it had been seen so much later.
    fn forgive(&mut self, lost: Duration) {
        for at in [&mut self.first, &mut self.last].into_iter().flatten() {
            *at += lost;
        }
    }
}

/// All that was seen of one call.
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
    /// RTP of an agreed kind.
    pub(crate) rtp: Count,
    /// RTP of any other kind.
    pub(crate) strays: Count,
    pub(crate) stray_type: u8,
    /// Anything but RTP.
    pub(crate) others: Count,
    /// Anything.
    pub(crate) any: Count,
    pub(crate) audible: Count,
    pub(crate) silent: Count,
    /// Checks since anything came.
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
            strays: none,
            stray_type: 0,
            others: none,
            any: none,
            audible: none,
            silent: none,
            checks_since: 0,
        }
    }

    pub(crate) fn note_in(&mut self, kind: DatagramKind, premises: &MediaContext, now: Instant) {
        self.any.note(now);
        self.checks_since = 0;
        let count = match kind {
            DatagramKind::Rtp { payload_type } if premises.agrees_to(payload_type) => {
                return self.rtp.note(now);
            }
            DatagramKind::Rtp { payload_type } => {
                self.stray_type = payload_type;
                return self.strays.note(now);
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

    /// Time in which the task did not run is nobody's silence.
    pub(crate) fn forgive(&mut self, lost: Duration) {
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
            &mut self.strays,
            &mut self.others,
            &mut self.any,
            &mut self.audible,
            &mut self.silent,
        ];
        counts.into_iter().for_each(|count| count.forgive(lost));
    }
}
