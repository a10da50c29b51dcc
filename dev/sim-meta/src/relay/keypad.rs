//! The phone's keypad: keys in, telephone events of RFC 4733 out, one for each beat of 20 ms that a key takes.

use std::collections::VecDeque;

/// How many beats a key is held, with an event on each: 100 ms.
const HELD: u32 = 5;
/// The end of an event is sent three times, as no one repeats it later (RFC 4733, section 2.5.1.4).
const ENDS: u32 = 3;
/// Beats between two keys, 100 ms: a finger has to move.
const REST: u32 = 5;
/// Beats in a second.
const BEATS: u32 = 50;
/// How loud the key is, in -dBm0. No receiver uses it.
const VOLUME: u8 = 10;
const END: u8 = 0x80;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key(char);

/// Takes turns with the microphone: on a beat that the keypad wants, no voice is sent.
#[derive(Debug, Default)]
pub(crate) struct Keypad {
    kind: KeyKind,
    keys: VecDeque<(Key, bool)>,
    held: Option<Held>,
    rest: u32,
}

/// Which of the payload types of telephone events is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyKind {
    pub(crate) payload_type: u8,
    /// The rate in which durations count, Hz.
    pub(crate) clock: u32,
}

impl Default for KeyKind {
    /// The one that Meta requires.
    fn default() -> KeyKind {
        KeyKind { payload_type: 126, clock: 8_000 }
    }
}

impl KeyKind {
    /// Of those that were agreed on, the one with the clock of the voice; else the first. As libwebrtc chooses.
    pub(crate) fn among(agreed: &[(u8, u32)]) -> Option<KeyKind> {
        let chosen = agreed.iter().find(|(_, clock)| *clock == 48_000).or(agreed.first());
        chosen.map(|(payload_type, clock)| KeyKind { payload_type: *payload_type, clock: *clock })
    }
}

/// What is sent on a beat.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) payload_type: u8,
    pub(crate) payload: [u8; 4],
    /// When the key went down, on the clock of the voice.
    pub(crate) timestamp: u32,
    /// The key that goes down on this beat.
    pub(crate) down: Option<char>,
    /// Whether it is the last of the keys that were to be pressed in a row.
    pub(crate) is_last: bool,
}

#[derive(Debug)]
struct Held {
    key: Key,
    is_last_key: bool,
    since: u32,
    beats: u32,
}

impl Key {
    /// `0` to `9`, `*`, `#`, `A` to `D`.
    pub(crate) fn on_keypad(key: char) -> Option<Key> {
        "0123456789*#ABCD".contains(key).then_some(Key(key))
    }

    /// Its number among the telephone events (RFC 4733, section 3.2).
    fn event(self) -> u8 {
        "0123456789*#ABCD".find(self.0).expect("a key is on the keypad") as u8
    }
}

impl Keypad {
    /// Sends keys in this way from the next one on.
    pub(crate) fn agree(&mut self, kind: KeyKind) {
        self.kind = kind;
    }

    /// Presses these, after all that are still to be pressed.
    pub(crate) fn press(&mut self, keys: &[Key]) {
        let last = keys.len().saturating_sub(1);
        self.keys.extend(keys.iter().enumerate().map(|(n, key)| (*key, n == last)));
    }

    /// What the keypad sends on the beat that begins at `timestamp`; `None` leaves it to the voice.
    pub(crate) fn poll_beat(&mut self, timestamp: u32) -> Option<Event> {
        if self.held.is_none() {
            if self.rest > 0 {
                self.rest -= 1;
                return None;
            }
            let (key, is_last_key) = self.keys.pop_front()?;
            self.held = Some(Held { key, is_last_key, since: timestamp, beats: 0 });
        }
        let held = self.held.as_mut()?;
        held.beats += 1;
        let event = held.event(self.kind);
        if held.is_over() {
            self.held = None;
            self.rest = REST;
        }
        Some(event)
    }
}

impl Held {
    fn event(&self, kind: KeyKind) -> Event {
        let flags = if self.beats >= HELD { END | VOLUME } else { VOLUME };
        let [high, low] = ((kind.clock / BEATS * self.beats.min(HELD)) as u16).to_be_bytes();
        Event {
            payload_type: kind.payload_type,
            payload: [self.key.event(), flags, high, low],
            timestamp: self.since,
            down: (self.beats == 1).then_some(self.key.0),
            is_last: self.is_last_key && self.is_over(),
        }
    }

    fn is_over(&self) -> bool {
        self.beats == HELD + ENDS - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_key_is_repeated_and_its_end_sent_three_times() {
        let events = pressed("#", 10);

        let durations: Vec<u16> = events
            .iter()
            .map(|(_, event)| u16::from_be_bytes([event.payload[2], event.payload[3]]))
            .collect();
        let ends: Vec<bool> = events.iter().map(|(_, event)| event.payload[1] & END != 0).collect();
        assert_eq!(durations, [160, 320, 480, 640, 800, 800, 800]);
        assert_eq!(ends, [false, false, false, false, true, true, true]);
        assert!(events.iter().all(|(_, event)| event.payload[0] == 11 && event.timestamp == 0));
        assert_eq!(events[0].1.down, Some('#'));
        assert!(events[6].1.is_last && events[1..].iter().all(|(_, event)| event.down.is_none()));
    }

    #[test]
    fn durations_count_the_clock_that_was_agreed_on() {
        assert_eq!(KeyKind::among(&[(126, 8_000)]), Some(KeyKind::default()));
        let kind = KeyKind::among(&[(126, 8_000), (110, 48_000)]).unwrap();
        let mut keypad = Keypad::default();
        keypad.agree(kind);
        keypad.press(&[Key::on_keypad('7').unwrap()]);

        let events: Vec<Event> = (0..7).map(|beat| keypad.poll_beat(beat * 960).unwrap()).collect();

        assert!(events.iter().all(|event| event.payload_type == 110));
        assert_eq!((&events[0].payload, &events[6].payload), (&[7, 10, 3, 192], &[7, 138, 18, 192]));
    }

    #[test]
    fn between_two_keys_there_is_time_for_the_voice() {
        let events = pressed("11", 30);

        let begins: Vec<u32> =
            events.iter().filter(|(_, event)| event.down.is_some()).map(|(beat, _)| *beat).collect();
        assert_eq!(begins, [0, 12]);
        assert_eq!(events[7].1.timestamp, 12 * 960);
        assert_eq!(events.iter().filter(|(_, event)| event.is_last).count(), 1);
    }

    #[test]
    fn every_key_has_its_event_and_nothing_else_is_a_key() {
        let events: Vec<u8> =
            "0123456789*#ABCD".chars().map(|key| Key::on_keypad(key).unwrap().event()).collect();

        assert_eq!(events, (0..16).collect::<Vec<u8>>());
        assert_eq!(Key::on_keypad('E'), None);
    }

    /// What is sent, and on which beat.
    fn pressed(keys: &str, beats: u32) -> Vec<(u32, Event)> {
        let mut keypad = Keypad::default();
        keypad.press(&keys.chars().filter_map(Key::on_keypad).collect::<Vec<Key>>());
        (0..beats).filter_map(|beat| Some((beat, keypad.poll_beat(beat * 960)?))).collect()
    }
}
