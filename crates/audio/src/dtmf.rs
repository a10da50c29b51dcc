//! DTMF as telephone events (RFC 4733): reads the digits that a caller presses and collects them into an entry, such
//! as an order number or a menu choice.
//!
//! A key press is a run of RTP packets that normally share the timestamp of the first; the end packet is sent three
//! times. A press counts from the first packet that arrives, so any of its packets may be lost. [`packet`] decides
//! which packets belong to one press, [`limit`] how many presses count.

mod limit;
mod packet;

use limit::DtmfLimit;
pub(crate) use packet::KeyPress;
pub use packet::{ClockRate, DtmfPacket};
use packet::{KEYS, LastPress, PacketKind};
use std::fmt;
use std::time::{Duration, Instant};

/// How DTMF digits are collected into an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DtmfOptions {
    /// The pause after the last digit that completes the entry.
    pub pause: Duration,
    /// The key that completes the entry. It is not part of the entry unless it is the only key.
    pub end: char,
    /// The number of digits that completes the entry; zero counts as one.
    pub longest: usize,
}

impl Default for DtmfOptions {
    fn default() -> Self {
        Self { pause: Duration::from_secs(2), end: '#', longest: 32 }
    }
}

/// An entry of DTMF digits. It may be a card number, so `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct DtmfDigits(String);

impl DtmfDigits {
    /// Returns the digits: 0-9, `*`, `#`, A-D. Never empty.
    pub fn keys(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for DtmfDigits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DtmfDigits({} keys)", self.0.len())
    }
}

/// Collects a caller's digits until the entry is complete.
pub(crate) struct DtmfCollector {
    options: DtmfOptions,
    digits: String,
    last_press: Option<LastPress>,
    limit: DtmfLimit,
    pressed_at: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CollectorEvent {
    /// The packet continues, repeats or precedes a known press.
    Nothing,
    /// A new press, which counts.
    Press,
    /// A new press over the limit, which does not count.
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

    /// Handles a telephone-event packet.
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
                    // A repeated end packet does not prolong the pause.
                    if !last.has_ended && self.pressed_at.is_some() {
                        self.pressed_at = Some(now);
                    }
                    last.extend(packet, press, now);
                }
                CollectorEvent::Nothing
            }
            PacketKind::NewPress => {
                self.last_press = Some(LastPress::first(packet, press, now));
                self.press(press.key, now)
            }
        }
    }

    /// Handles a whole press.
    pub(crate) fn press(&mut self, key: char, now: Instant) -> CollectorEvent {
        if !KEYS.contains(&key) {
            return CollectorEvent::Nothing;
        }
        if !self.limit.take(now) {
            return CollectorEvent::TooMany;
        }
        self.digits.push(key);
        self.pressed_at = Some(now);
        CollectorEvent::Press
    }

    /// Returns when a pause completes the entry.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.pressed_at.map(|at| at + self.options.pause)
    }

    /// Returns the entry once it is complete.
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
