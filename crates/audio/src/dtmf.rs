//! Reads the keys a caller presses (DTMF as named events, RFC 4733), and collects them into what was meant: an order
//! number, a choice.
//!
//! A press is a run of RTP packets, in principle all with the timestamp of its first; the last is sent three times. A
//! press counts from the first of its packets that arrives, so it does not matter which are lost. [`press`] decides which
//! packets are one press, [`allowance`] how many presses count.

mod limit;
mod packet;

use limit::DtmfLimit;
pub use packet::{ClockRate, DtmfPacket, KeyPress};
use packet::{LastPress, PacketKind};
use std::fmt;
use std::time::{Duration, Instant};

/// How presses are collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DtmfOptions {
    /// A pause of so much after the last key: that was all.
    pub pause: Duration,
    /// The key that says: that was all. It is not part of what was keyed, unless it was pressed alone.
    pub end: char,
    /// With so many keys, that was all. At least one.
    pub longest: usize,
}

impl Default for DtmfOptions {
    fn default() -> Self {
        Self { pause: Duration::from_secs(2), end: '#', longest: 32 }
    }
}

/// What a caller keyed in. It may be a card number: it does not show in debug output.
#[derive(Clone, PartialEq, Eq)]
pub struct DtmfDigits(String);

impl DtmfDigits {
    /// The keys: 0-9, `*`, `#`, A-D. Never empty.
    pub fn keys(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for DtmfDigits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DtmfDigits({} keys)", self.0.len())
    }
}

/// The caller's keys, until it is clear what was meant.
pub(crate) struct DtmfCollector {
    options: DtmfOptions,
    digits: String,
    last_press: Option<LastPress>,
    limit: DtmfLimit,
    pressed_at: Option<Instant>,
}

/// What came of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CollectorEvent {
    /// More of a press that is known.
    Nothing,
    /// A press.
    Press,
    /// A press too many, which does not count.
    TooMany,
}

impl fmt::Debug for DtmfCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DtmfCollector").field("digits", &self.digits.len()).finish_non_exhaustive()
    }
}

impl DtmfCollector {
    pub(crate) fn new(options: DtmfOptions) -> Self {
        let limit = DtmfLimit::new();
        Self { options, digits: String::new(), last_press: None, limit, pressed_at: None }
    }

    /// Takes a packet of a press.
    pub(crate) fn handle(
        &mut self,
        packet: &DtmfPacket<'_>,
        press: KeyPress,
        now: Instant,
    ) -> CollectorEvent {
        let kind = self.last_press.map_or(PacketKind::NewPress, |last| last.classify(packet, press, now));
        match kind {
            PacketKind::Reordered => CollectorEvent::Nothing,
            PacketKind::Continuation => {
                if let Some(last) = &mut self.last_press {
                    // The end sent again does not make the pause longer.
                    if !last.has_ended && self.pressed_at.is_some() {
                        self.pressed_at = Some(now);
                    }
                    last.extend(packet, press, now);
                }
                CollectorEvent::Nothing
            }
            PacketKind::NewPress => {
                self.last_press = Some(LastPress::first(packet, press, now));
                if !self.limit.take(now) {
                    return CollectorEvent::TooMany;
                }
                self.digits.push(press.key);
                self.pressed_at = Some(now);
                CollectorEvent::Press
            }
        }
    }

    /// When a pause will have been long enough.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.pressed_at.map(|at| at + self.options.pause)
    }

    /// What was keyed in, once it is clear that it was all.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<DtmfDigits> {
        let is_ended = self.digits.ends_with(self.options.end);
        let is_full = self.digits.len() >= self.options.longest.max(1);
        let is_pause = self.poll_timeout().is_some_and(|at| at <= now);
        if self.digits.is_empty() || !(is_ended || is_full || is_pause) {
            return None;
        }
        self.pressed_at = None;
        let mut keys = std::mem::take(&mut self.digits);
        if is_ended && keys.len() > 1 {
            keys.pop();
        }
        Some(DtmfDigits(keys))
    }
}

#[cfg(test)]
mod cases_tests;
#[cfg(test)]
#[path = "dtmf_tests.rs"]
mod tests;
