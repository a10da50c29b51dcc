//! Bounds the SSRCs that may reach the WebRTC stack in one protocol, and remembers the genuine ones.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How many SSRCs outside the offer may be tried at once; as many may have proved genuine.
pub(super) const MAX_SSRCS: usize = 32;

/// How soon one more SSRC may be tried once that many were.
pub(super) const REFILL_AFTER: Duration = Duration::from_secs(5);

/// The SSRCs that the stack has seen in one protocol, SRTP or SRTCP.
#[derive(Debug, Default)]
pub(super) struct Ssrcs {
    /// Those of the offer, which are always admitted.
    offered: Vec<u32>,
    genuine: Vec<u32>,
    tried: VecDeque<u32>,
    /// When the last of them was first admitted.
    tried_at: Option<Instant>,
}

impl Ssrcs {
    /// Creates the set of an offer's SSRCs.
    pub(super) fn of_offer(ssrcs: &[u32]) -> Self {
        Self { offered: ssrcs.iter().copied().take(MAX_SSRCS).collect(), ..Self::default() }
    }

    /// Whether a packet of this SSRC may reach the stack.
    pub(super) fn admits(&mut self, ssrc: u32, now: Instant) -> bool {
        if self.offered.contains(&ssrc) || self.genuine.contains(&ssrc) || self.tried.contains(&ssrc) {
            return true;
        }
        if self.tried.len() >= MAX_SSRCS {
            if self.tried_at.is_some_and(|at| now.saturating_duration_since(at) < REFILL_AFTER) {
                return false;
            }
            self.tried.pop_front();
        }
        self.tried.push_back(ssrc);
        self.tried_at = Some(now);
        true
    }

    /// Notes that the stack has decrypted a packet of this SSRC.
    pub(super) fn note_genuine(&mut self, ssrc: u32) {
        let is_full = self.genuine.len() >= MAX_SSRCS && !self.offered.contains(&ssrc);
        if !is_full && !self.genuine.contains(&ssrc) {
            self.tried.retain(|tried| *tried != ssrc);
            self.genuine.push(ssrc);
        }
    }

    /// Whether the stack has decrypted a packet of this SSRC.
    pub(super) fn knows(&self, ssrc: u32) -> bool {
        self.genuine.contains(&ssrc)
    }

    /// Returns how many SSRCs are being tried.
    #[cfg(test)]
    pub(super) fn tried(&self) -> usize {
        self.tried.len()
    }
}
