//! Knows when a call has gone on for too long, been silent for too long, or lost its caller.

use std::time::{Duration, Instant};

/// How long things may last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest call.
    pub longest: Duration,
    /// The longest time in which neither side says anything.
    pub silence: Duration,
    /// The longest time without a single packet from the caller's side: no sound, no report, no STUN reply. A muted
    /// caller is not gone.
    pub absence: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            longest: Duration::from_secs(30 * 60),
            silence: Duration::from_secs(60),
            absence: Duration::from_secs(20),
        }
    }
}

/// Why patience ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The call has lasted as long as it may.
    TookTooLong,
    /// Nobody has said anything for too long.
    BothSilent,
    /// Nothing comes from the caller's side any more.
    CallerVanished,
}

/// Watches a call that is open.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    limits: Limits,
    opened_at: Instant,
    voice_at: Instant,
    packet_at: Instant,
}

impl Patience {
    /// Starts watching.
    pub fn open(limits: Limits, now: Instant) -> Self {
        Self { limits, opened_at: now, voice_at: now, packet_at: now }
    }

    /// Notes that somebody is speaking.
    pub fn note_voice(&mut self, now: Instant) {
        self.voice_at = now;
    }

    /// Notes that something came from the caller's side.
    pub fn note_packet(&mut self, now: Instant) {
        self.packet_at = now;
    }

    /// When patience runs out, should nothing be noted until then.
    pub fn poll_timeout(&self) -> Instant {
        let Limits { longest, silence, absence } = self.limits;
        (self.opened_at + longest).min(self.voice_at + silence).min(self.packet_at + absence)
    }

    /// Whether patience has run out.
    pub fn verdict(&self, now: Instant) -> Option<Verdict> {
        let Limits { longest, silence, absence } = self.limits;
        if now >= self.packet_at + absence {
            Some(Verdict::CallerVanished)
        } else if now >= self.opened_at + longest {
            Some(Verdict::TookTooLong)
        } else if now >= self.voice_at + silence {
            Some(Verdict::BothSilent)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_muted_caller_is_not_gone_but_silent() {
        let start = Instant::now();
        let mut patience = Patience::open(Limits::default(), start);
        (0..60).for_each(|second| patience.note_packet(start + secs(second)));

        assert_eq!(patience.verdict(start + secs(59)), None);
        assert_eq!(patience.verdict(start + secs(60)), Some(Verdict::BothSilent));
    }

    #[test]
    fn a_caller_of_whom_nothing_comes_is_gone() {
        let start = Instant::now();
        let patience = Patience::open(Limits::default(), start);

        assert_eq!(patience.poll_timeout(), start + secs(20));
        assert_eq!(patience.verdict(start + secs(20)), Some(Verdict::CallerVanished));
    }

    #[test]
    fn the_longest_call_ends_though_everybody_is_talking() {
        let start = Instant::now();
        let mut patience = Patience::open(Limits { longest: secs(90), ..Limits::default() }, start);
        patience.note_voice(start + secs(89));
        patience.note_packet(start + secs(89));

        assert_eq!(patience.verdict(start + secs(90)), Some(Verdict::TookTooLong));
    }

    fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }
}
