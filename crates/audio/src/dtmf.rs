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
use packet::{LastPress, Novelty};
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
        write!(f, "Keyed({} keys)", self.0.len())
    }
}

/// The caller's keys, until it is clear what was meant.
pub(crate) struct DtmfCollector {
    keypad: DtmfOptions,
    collected: String,
    newest: Option<LastPress>,
    allowance: DtmfLimit,
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
        f.debug_struct("Keys").field("collected", &self.collected.len()).finish_non_exhaustive()
    }
}

impl DtmfCollector {
    pub(crate) fn new(keypad: DtmfOptions) -> Self {
        let allowance = DtmfLimit::new();
        Self { keypad, collected: String::new(), newest: None, allowance, pressed_at: None }
    }

    /// Takes a packet of a press.
    pub(crate) fn handle(
        &mut self,
        packet: &DtmfPacket<'_>,
        press: KeyPress,
        now: Instant,
    ) -> CollectorEvent {
        let sign = self.newest.map_or(Novelty::New, |newest| newest.judge(packet, press, now));
        match sign {
            Novelty::Overtaken => CollectorEvent::Nothing,
            Novelty::More => {
                if let Some(newest) = &mut self.newest {
                    // The end sent again does not make the pause longer.
                    if !newest.has_ended && self.pressed_at.is_some() {
                        self.pressed_at = Some(now);
                    }
                    newest.go_on(packet, press, now);
                }
                CollectorEvent::Nothing
            }
            Novelty::New => {
                self.newest = Some(LastPress::first(packet, press, now));
                if !self.allowance.take(now) {
                    return CollectorEvent::TooMany;
                }
                self.collected.push(press.key);
                self.pressed_at = Some(now);
                CollectorEvent::Press
            }
        }
    }

    /// When a pause will have been long enough.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.pressed_at.map(|at| at + self.keypad.pause)
    }

    /// What was keyed in, once it is clear that it was all.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<DtmfDigits> {
        let is_ended = self.collected.ends_with(self.keypad.end);
        let is_full = self.collected.len() >= self.keypad.longest.max(1);
        let is_pause = self.poll_timeout().is_some_and(|at| at <= now);
        if self.collected.is_empty() || !(is_ended || is_full || is_pause) {
            return None;
        }
        self.pressed_at = None;
        let mut keys = std::mem::take(&mut self.collected);
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
