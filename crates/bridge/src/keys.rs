//! Reads the keys a caller presses, and collects them into what was meant: an order number, a choice.
//!
//! A press is a run of RTP packets of the named event kind (RFC 4733), all with the timestamp of its first; the last
//! is sent three times. A press counts from the first of its packets that arrives, so it does not matter which are
//! lost. The timestamps are those of the sound; the durations, which count 8 kHz even then, are not needed.

use std::fmt;
use std::time::{Duration, Instant};

/// The keys, by the number of their event.
const KEYS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D'];

/// A packet this far behind the newest press belongs to an older one: five seconds of the sound's 48 kHz clock.
/// Further behind, the stream has started again.
const LATE: u32 = 5 * 48_000;

/// A press that has lasted so long, of its own 8 kHz clock, goes on under another timestamp.
const LONGEST_SEGMENT: u16 = u16::MAX - 800;

/// How presses are collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keypad {
    /// A pause of so much after the last key: that was all.
    pub pause: Duration,
    /// The key that says: that was all. It is not part of what was keyed, unless it was pressed alone.
    pub end: char,
    /// With so many keys, that was all. At least one.
    pub longest: usize,
}

impl Default for Keypad {
    fn default() -> Self {
        Self { pause: Duration::from_secs(2), end: '#', longest: 32 }
    }
}

/// What a caller keyed in. It may be a card number: it does not show in debug output.
#[derive(Clone, PartialEq, Eq)]
pub struct Keyed(String);

impl Keyed {
    /// The keys: 0-9, `*`, `#`, A-D. Never empty.
    pub fn keys(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Keyed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyed({} keys)", self.0.len())
    }
}

/// One packet of a press.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Press {
    /// 0-9, `*`, `#`, A-D.
    pub key: char,
    /// Whether the key has been let go.
    pub is_end: bool,
    /// How loud: so many dB below the loudest.
    pub volume: u8,
    /// How long it has been pressed, in ticks of 8 kHz.
    pub duration: u16,
}

impl fmt::Debug for Press {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Press").field("is_end", &self.is_end).finish_non_exhaustive()
    }
}

impl Press {
    /// Reads the payload of a named event. `None` for what is no key, or too short; what follows the four bytes is
    /// not looked at.
    pub fn read(payload: &[u8]) -> Option<Self> {
        let [event, flags, high, low] = *payload.first_chunk()?;
        let key = *KEYS.get(usize::from(event))?;
        let duration = u16::from_be_bytes([high, low]);
        Some(Self { key, is_end: flags & 0x80 != 0, volume: flags & 0x3f, duration })
    }
}

/// The caller's keys, until it is clear what was meant.
pub(crate) struct Keys {
    keypad: Keypad,
    collected: String,
    newest: Option<Newest>,
    pressed_at: Option<Instant>,
}

#[derive(Clone, Copy)]
struct Newest {
    timestamp: u32,
    press: Press,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("collected", &self.collected.len()).finish_non_exhaustive()
    }
}

impl Keys {
    pub(crate) fn new(keypad: Keypad) -> Self {
        Self { keypad, collected: String::new(), newest: None, pressed_at: None }
    }

    /// Takes a packet of a press. Whether it is the first of its press.
    pub(crate) fn handle(&mut self, timestamp: u32, press: Press, now: Instant) -> bool {
        let (is_new, is_held) = match self.newest {
            None => (true, true),
            Some(newest) if newest.timestamp == timestamp => (false, !newest.press.is_end),
            Some(newest) if newest.timestamp.wrapping_sub(timestamp) < LATE => return false,
            Some(newest) => (!newest.press.goes_on_as(press), true),
        };
        if is_held {
            self.newest = Some(Newest { timestamp, press });
        }
        if is_new {
            self.collected.push(press.key);
        }
        if is_new || (is_held && self.pressed_at.is_some()) {
            self.pressed_at = Some(now);
        }
        is_new
    }

    /// When a pause will have been long enough.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.pressed_at.map(|at| at + self.keypad.pause)
    }

    /// What was keyed in, once it is clear that it was all.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<Keyed> {
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
        Some(Keyed(keys))
    }
}

impl Press {
    /// Whether another press is more of this one: a key held for longer than one duration can tell.
    fn goes_on_as(self, other: Self) -> bool {
        self.key == other.key && !self.is_end && self.duration >= LONGEST_SEGMENT
    }
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
