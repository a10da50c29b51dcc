//! Sends what was encoded before, one packet every 20 ms.

use super::microphone::PACE;
use crate::replay::Replaying;
use std::time::Instant;

/// Ticks of the 48 kHz clock in a packet.
const STEP: u32 = 960;

/// Sends a caller's recorded audio, for load.
pub(crate) struct Replayer {
    what: Replaying,
    next: Option<Instant>,
    n: u32,
}

/// A packet to send.
pub(crate) struct Replayed {
    /// Its number, from 0.
    pub(crate) n: u32,
    /// On the 48 kHz clock.
    pub(crate) timestamp: u32,
    /// When it should have left.
    pub(crate) due: Instant,
    pub(crate) payload: Vec<u8>,
    pub(crate) is_onset: bool,
}

impl Replayer {
    pub(crate) fn new(what: Replaying) -> Replayer {
        Replayer { what, next: None, n: 0 }
    }

    /// From now on there is a packet every 20 ms.
    pub(crate) fn open(&mut self, now: Instant) {
        self.next.get_or_insert(now);
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.next
    }

    /// The packet that is due, if one is.
    pub(crate) fn poll_packet(&mut self, now: Instant) -> Option<Replayed> {
        let due = self.next.filter(|due| *due <= now)?;
        self.next = Some(due + PACE);
        let n = self.n;
        self.n += 1;
        let packet = self.what.replay.packet(self.what.from + n as usize);
        let (payload, is_onset) = (packet.payload.clone(), packet.is_onset);
        Some(Replayed { n, timestamp: n.wrapping_mul(STEP), due, payload, is_onset })
    }
}
