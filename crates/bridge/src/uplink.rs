//! Puts the caller's packets in order and fills what is missing.
//!
//! A packet in order is passed on at once. A gap waits for late packets, at most [`REORDER`]; then the last missing
//! frame is recovered from the packet after it, those before it are concealed, and a long hole is silence. When
//! nothing comes at all, silence is passed on: the model's clock is the audio it gets, so a caller whose phone pauses
//! would otherwise never be heard to stop.

use crate::{FRAME, Meter};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// How long a missing packet may still come.
const REORDER: Duration = Duration::from_millis(40);

/// How far the passed-on sound may be behind the clock before silence makes up for it, in frames.
const LAG: u64 = 3;

/// So many frames in a row are worth concealing; what is longer is silence.
const CONCEALED: u64 = 4;

/// A jump of sequence numbers further than this is a new stream, not a loss.
const FURTHEST_JUMP: u64 = 500;

/// A frame of the caller's sound, in order. `P` is a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Slot<P> {
    /// Decode this packet.
    Decode(P),
    /// Recover the frame before this packet from the packet's error correction.
    Recover(P),
    /// Make up a frame from what came before.
    Conceal,
    /// Silence.
    Silence,
}

/// The caller's sound on its way to the agent.
#[derive(Debug)]
pub struct Uplink<P> {
    next: Option<u64>,
    early: BTreeMap<u64, Option<P>>,
    gap_since: Option<Instant>,
    slots: VecDeque<Slot<P>>,
    clock: Option<Clock>,
    /// Frames that were filled since the last packet: a gap found later has been made up for by so much.
    filled: u64,
}

#[derive(Debug)]
struct Clock {
    started_at: Instant,
    passed_on: u64,
}

impl<P: Clone> Default for Uplink<P> {
    fn default() -> Self {
        Self {
            next: None,
            early: BTreeMap::new(),
            gap_since: None,
            slots: VecDeque::new(),
            clock: None,
            filled: 0,
        }
    }
}

impl<P: Clone> Uplink<P> {
    /// Starts passing sound on. What came before is forgotten.
    pub fn open(&mut self, now: Instant) {
        self.slots.clear();
        self.clock = Some(Clock { started_at: now, passed_on: 0 });
    }

    /// Takes a packet. `None` is one that holds no sound but has a place in the sequence, such as a key press.
    pub fn handle_packet(&mut self, sequence: u16, packet: Option<P>, now: Instant, meter: &mut Meter) {
        if self.clock.is_none() {
            return;
        }
        let next = *self.next.get_or_insert(u64::from(sequence) + 65_536);
        let place = unwrap_sequence(sequence, next);
        if place.abs_diff(next) > FURTHEST_JUMP {
            self.restart_at(place);
        } else if place < next || self.early.contains_key(&place) {
            meter.useless += 1;
            return;
        }
        meter.received += 1;
        self.early.insert(place, packet);
        self.pass_on_in_order();
        self.gap_since = if self.early.is_empty() { None } else { self.gap_since.or(Some(now)) };
    }

    /// When [`Uplink::handle_timeout`] has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let clock = self.clock.as_ref()?;
        let filled = clock.started_at + FRAME * (clock.passed_on + LAG + 1) as u32;
        Some(self.gap_since.map_or(filled, |since| filled.min(since + REORDER)))
    }

    /// Gives up on what is missing, and fills what never came.
    pub fn handle_timeout(&mut self, now: Instant, meter: &mut Meter) {
        if self.gap_since.is_some_and(|since| now >= since + REORDER) {
            self.give_up_gap(meter);
            self.gap_since = (!self.early.is_empty()).then_some(now);
        }
        let Some(clock) = &mut self.clock else { return };
        let elapsed =
            (now.saturating_duration_since(clock.started_at).as_millis() / FRAME.as_millis()) as u64;
        while clock.passed_on + LAG < elapsed {
            clock.passed_on += 1;
            self.filled += 1;
            meter.filled += 1;
            self.slots.push_back(Slot::Silence);
        }
    }

    /// The next frame, in order.
    pub fn poll_slot(&mut self) -> Option<Slot<P>> {
        self.slots.pop_front()
    }

    fn restart_at(&mut self, place: u64) {
        self.early.clear();
        self.gap_since = None;
        self.next = Some(place);
    }

    fn pass_on_in_order(&mut self) {
        while let Some(packet) = self.next.and_then(|next| self.early.remove(&next)) {
            self.filled = 0;
            self.pass_on(packet.map_or(Slot::Silence, Slot::Decode));
            self.next = self.next.map(|next| next + 1);
        }
    }

    fn give_up_gap(&mut self, meter: &mut Meter) {
        let Some((next, (&found, after))) = self.next.zip(self.early.first_key_value()) else { return };
        let after = after.clone();
        let missing = found - next;
        meter.lost += missing;
        let already_filled = self.filled.min(missing - 1);
        for n in already_filled..missing {
            let last = n + 1 == missing;
            match &after {
                Some(packet) if last => {
                    meter.recovered += 1;
                    self.pass_on(Slot::Recover(packet.clone()));
                }
                _ if already_filled == 0 && n < CONCEALED => self.pass_on(Slot::Conceal),
                _ => self.pass_on(Slot::Silence),
            }
        }
        self.next = Some(found);
        self.pass_on_in_order();
    }

    fn pass_on(&mut self, slot: Slot<P>) {
        if let Some(clock) = &mut self.clock {
            clock.passed_on += 1;
        }
        self.slots.push_back(slot);
    }
}

/// The place in the stream of a 16-bit sequence number, nearest to the one that is expected.
fn unwrap_sequence(sequence: u16, expected: u64) -> u64 {
    let ahead = sequence.wrapping_sub(expected as u16) as i16;
    expected.saturating_add_signed(i64::from(ahead))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Slot::{Conceal, Decode, Recover, Silence};

    #[test]
    fn packets_in_order_are_passed_on_at_once() {
        let mut line = Line::open();

        line.receive(&[7, 8], 0);

        assert_eq!(line.slots(), [Decode(7), Decode(8)]);
    }

    #[test]
    fn packets_out_of_order_are_put_in_order() {
        let mut line = Line::open();

        line.receive(&[1, 3, 2, 4], 0);

        assert_eq!(line.slots(), [Decode(1), Decode(2), Decode(3), Decode(4)]);
        assert_eq!(line.meter.lost, 0);
    }

    #[test]
    fn the_last_lost_frame_is_recovered_and_those_before_it_are_concealed() {
        let mut line = Line::open();
        line.receive(&[1, 4], 0);
        assert_eq!(line.slots(), [Decode(1)]);

        line.wait_until(40);

        assert_eq!(line.slots(), [Conceal, Recover(4), Decode(4)]);
        assert_eq!((line.meter.lost, line.meter.recovered), (2, 1));
    }

    #[test]
    fn a_caller_whose_phone_pauses_is_silent() {
        let mut line = Line::open();
        line.receive(&[1], 0);

        line.wait_until(100);

        assert_eq!(line.slots(), [Decode(1), Silence]);
    }

    #[test]
    fn the_clock_runs_even_when_nothing_ever_comes() {
        let mut line = Line::open();

        line.wait_until(1_000);

        assert_eq!(line.slots().len(), 47);
    }

    #[test]
    fn a_burst_after_a_pause_is_heard_and_not_filled_again() {
        let mut line = Line::open();
        line.wait_until(200);
        assert_eq!(line.slots().len(), 7);

        line.receive(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 200);
        line.wait_until(340);

        assert_eq!(line.slots().len(), 10);
    }

    #[test]
    fn an_outage_that_was_filled_is_not_filled_again() {
        let mut line = Line::open();
        line.receive(&[1], 0);
        line.wait_until(1_000);
        let filled = line.slots().len();

        line.receive(&[51], 1_000);
        line.wait_until(1_040);

        let after = line.slots();
        assert_eq!(
            (after.last(), after.iter().filter(|slot| **slot == Recover(51)).count()),
            (Some(&Decode(51)), 1)
        );
        assert!(filled + after.len() <= 52, "{filled} and then {}", after.len());
    }

    #[test]
    fn sequence_numbers_wrap_around() {
        let mut line = Line::open();

        line.receive(&[65_535, 0, 1], 0);

        assert_eq!(line.slots(), [Decode(65_535), Decode(0), Decode(1)]);
    }

    #[test]
    fn duplicates_and_late_packets_are_useless() {
        let mut line = Line::open();

        line.receive(&[5, 5, 4, 6], 0);

        assert_eq!(line.slots(), [Decode(5), Decode(6)]);
        assert_eq!(line.meter.useless, 2);
    }

    #[test]
    fn another_stream_starts_again_without_a_hole() {
        let mut line = Line::open();

        line.receive(&[5, 30_000, 30_001], 0);

        assert_eq!(line.slots(), [Decode(5), Decode(30_000), Decode(30_001)]);
    }

    #[test]
    fn a_key_press_has_a_place_and_is_no_loss() {
        let mut line = Line::open();
        line.receive(&[1], 0);
        line.uplink.handle_packet(2, None, line.start, &mut line.meter);
        line.receive(&[3], 0);

        assert_eq!(line.slots(), [Decode(1), Silence, Decode(3)]);
        assert_eq!(line.meter.lost, 0);
    }

    struct Line {
        start: Instant,
        uplink: Uplink<u16>,
        meter: Meter,
    }

    impl Line {
        fn open() -> Self {
            let start = Instant::now();
            let mut uplink = Uplink::default();
            uplink.open(start);
            Self { start, uplink, meter: Meter::default() }
        }

        fn receive(&mut self, sequences: &[u16], at_ms: u64) {
            for sequence in sequences {
                let now = self.start + Duration::from_millis(at_ms);
                self.uplink.handle_packet(*sequence, Some(*sequence), now, &mut self.meter);
            }
        }

        fn wait_until(&mut self, at_ms: u64) {
            let end = self.start + Duration::from_millis(at_ms);
            while let Some(due) = self.uplink.poll_timeout().filter(|due| *due <= end) {
                self.uplink.handle_timeout(due, &mut self.meter);
            }
        }

        fn slots(&mut self) -> Vec<Slot<u16>> {
            std::iter::from_fn(|| self.uplink.poll_slot()).collect()
        }
    }
}
