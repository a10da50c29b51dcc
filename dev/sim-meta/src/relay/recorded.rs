//! Plays packets of keys as some phone or gateway was seen to send them, in place of the keypad's own.

use crate::recorded_key::RecordedKey;
use std::collections::VecDeque;
use std::time::Instant;

/// Ticks of the 48 kHz clock in a beat of 20 ms.
const STEP: u32 = 960;

/// The packets that are still to be sent.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    packets: VecDeque<RecordedKey>,
    base: Option<Base>,
}

/// Where in the stream they begin.
#[derive(Debug, Clone, Copy)]
struct Base {
    at: Instant,
    n: u32,
    timestamp: u32,
    is_under_way: bool,
}

/// A packet to send now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RecordedPacket {
    pub(crate) key: RecordedKey,
    pub(crate) n: u32,
    pub(crate) timestamp: u32,
    pub(crate) is_last: bool,
}

impl Recorded {
    pub(crate) fn play(&mut self, packets: &[RecordedKey]) {
        self.packets.extend(packets.iter().copied());
    }

    /// Whether voice has to wait: the first packet was sent, and the last was not.
    pub(crate) fn is_under_way(&self) -> bool {
        self.base.is_some_and(|base| base.is_under_way)
    }

    /// The packet that is due on the beat that begins at `due` with packet `n`; there may be more than one.
    pub(crate) fn poll(&mut self, due: Instant, n: u32, beat: u32) -> Option<RecordedPacket> {
        let key = *self.packets.front()?;
        // The packets are given as offsets from the voice before them.
        let timestamp = beat.wrapping_sub(1).wrapping_mul(STEP);
        let base = self.base.get_or_insert(Base { at: due, n, timestamp, is_under_way: false });
        if due < base.at + key.at {
            return None;
        }
        base.is_under_way = true;
        let (n, timestamp) = (base.n + key.sequence, base.timestamp.wrapping_add(key.timestamp));
        self.packets.pop_front();
        let is_last = self.packets.is_empty();
        if is_last {
            self.base = None;
        }
        Some(RecordedPacket { key, n, timestamp, is_last })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn packets_leave_when_they_are_due_even_several_at_once() {
        let start = Instant::now();
        let mut recorded = Recorded::default();
        recorded.play(&[
            RecordedKey::at_ms(20, 1, 1_920, [1, 10, 0, 160]),
            RecordedKey::at_ms(40, 2, 1_920, [1, 138, 0, 160]),
            RecordedKey::at_ms(40, 5, 3_840, [1, 138, 0, 160]),
        ]);
        let mut sent = vec![];
        for beat in 0..4 {
            let due = start + Duration::from_millis(20) * beat;
            while let Some(packet) = recorded.poll(due, 100 + beat, 100 + beat) {
                sent.push((beat, packet.n, packet.timestamp, packet.is_last));
            }
            assert_eq!(recorded.is_under_way(), beat == 1);
        }

        let first = 99 * 960;
        let (second, third) = (first + 1_920, first + 3_840);
        assert_eq!(sent, [(1, 101, second, false), (2, 102, second, false), (2, 105, third, true)]);
    }
}
