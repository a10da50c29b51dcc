//! Counts what a caller of many sends and gets, and looks at nothing more than a length.

use std::time::{Duration, Instant};

/// A payload that is longer is speech; silence takes fewer than a dozen bytes.
const SPEECH_BYTES: usize = 20;

/// After this many packets of silence, a second, speech begins anew.
const QUIET: u32 = 50;

/// Beyond this there is a hole in what the caller hears.
const GAP: Duration = Duration::from_millis(60);

/// What was counted since it was last asked.
#[derive(Debug, Clone, Default)]
pub struct PacketCounts {
    /// Packets that came.
    pub packets: u64,
    /// Packets that did not, by the numbers of those around them.
    pub lost: u64,
    /// Times between two packets of more than 60 ms.
    pub gaps: u64,
    /// The longest time between two packets.
    pub longest_gap: Duration,
    /// How late each packet came against its place in the stream. The earliest of the call is on time.
    pub lateness: Vec<Duration>,
    /// How late each of the caller's own packets left.
    pub own_lateness: Vec<Duration>,
    /// When the agent's speech began, after a second of silence.
    pub voices: Vec<Instant>,
    /// When packets left with which the caller's speech begins.
    pub onsets: Vec<Instant>,
}

#[derive(Debug, Default)]
pub(crate) struct PacketCounter {
    counted: PacketCounts,
    start: Option<(Instant, u32)>,
    last: Option<(Instant, u16)>,
    /// Of the whole call, µs.
    earliest: i64,
    /// Of this count, µs.
    offsets: Vec<i64>,
    quiet: u32,
}

impl PacketCounter {
    pub(crate) fn handle_packet(&mut self, timestamp: u32, sequence: u16, bytes: usize, at: Instant) {
        let (start, first) = *self.start.get_or_insert((at, timestamp));
        let due_us = i64::from(timestamp.wrapping_sub(first)) * 1_000 / 48;
        let offset = at.saturating_duration_since(start).as_micros() as i64 - due_us;
        self.earliest = self.earliest.min(offset);
        self.offsets.push(offset);
        self.counted.packets += 1;
        if let Some((last, before)) = self.last {
            let gap = at.saturating_duration_since(last);
            self.counted.longest_gap = self.counted.longest_gap.max(gap);
            self.counted.gaps += u64::from(gap > GAP);
            self.counted.lost += u64::from(sequence.wrapping_sub(before).wrapping_sub(1));
        }
        self.last = Some((at, sequence));
        if bytes <= SPEECH_BYTES {
            self.quiet += 1;
            return;
        }
        if self.quiet >= QUIET {
            self.counted.voices.push(at);
        }
        self.quiet = 0;
    }

    pub(crate) fn note_sent(&mut self, due: Instant, is_onset: bool, at: Instant) {
        self.counted.own_lateness.push(at.saturating_duration_since(due));
        if is_onset {
            self.counted.onsets.push(at);
        }
    }

    pub(crate) fn take(&mut self) -> PacketCounts {
        let mut counted = std::mem::take(&mut self.counted);
        let late = |offset: i64| Duration::from_micros((offset - self.earliest).unsigned_abs());
        counted.lateness = self.offsets.drain(..).map(late).collect();
        counted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_late_against_the_earliest_of_the_call() {
        let (mut counter, t0) = (PacketCounter::default(), Instant::now());
        counter.handle_packet(0, 0, 8, t0 + ms(5));
        counter.handle_packet(960, 1, 8, t0 + ms(20));
        counter.handle_packet(1_920, 2, 8, t0 + ms(42));

        assert_eq!(counter.take().lateness, [ms(5), ms(0), ms(2)]);
    }

    #[test]
    fn holes_and_lost_packets_are_counted() {
        let (mut counter, t0) = (PacketCounter::default(), Instant::now());
        counter.handle_packet(0, 65_535, 8, t0);
        counter.handle_packet(960, 0, 8, t0 + ms(20));
        counter.handle_packet(3_840, 3, 8, t0 + ms(81));

        let counted = counter.take();

        assert_eq!((counted.packets, counted.lost, counted.gaps, counted.longest_gap), (3, 2, 1, ms(61)));
        assert_eq!(counter.take().packets, 0);
    }

    #[test]
    fn speech_begins_after_a_second_of_silence() {
        let (mut counter, t0) = (PacketCounter::default(), Instant::now());
        let lengths = [vec![8; 50], vec![45; 3], vec![8; 20], vec![45; 3]].concat();
        for (n, bytes) in lengths.into_iter().enumerate() {
            counter.handle_packet(960 * n as u32, n as u16, bytes, t0 + ms(20 * n as u64));
        }

        assert_eq!(counter.take().voices, [t0 + ms(1_000)]);
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }
}
