//! The jitter buffer: reordering, FEC, concealment, and any network.

use super::DecodeStep::{Conceal, Decode, Recover, Silence};
use super::*;
use proptest::prelude::*;

#[test]
fn packets_in_order_are_passed_on_at_once() {
    let mut line = Line::open();

    line.receive(&[7, 8], 0);

    assert_eq!(line.steps(), [Decode(7), Decode(8)]);
}

#[test]
fn packets_out_of_order_are_reordered() {
    let mut line = Line::open();

    line.receive(&[1, 3, 2, 4], 0);

    assert_eq!(line.steps(), [Decode(1), Decode(2), Decode(3), Decode(4)]);
    assert_eq!(line.meter.lost, 0);
}

#[test]
fn the_last_lost_frame_is_recovered_and_those_before_it_are_concealed() {
    let mut line = Line::open();
    line.receive(&[1, 4], 0);
    assert_eq!(line.steps(), [Decode(1)]);

    line.wait_until(40);

    assert_eq!(line.steps(), [Conceal(SAMPLES), Recover(4, SAMPLES), Decode(4)]);
    assert_eq!((line.meter.lost, line.meter.recovered, line.meter.concealed, line.meter.gaps), (2, 1, 1, 1));
}

#[test]
fn a_packet_without_fec_recovers_nothing() {
    let mut line = Line::open();
    line.receive(&[1], 0);
    line.take(packet(3, 3 * 960, Some(Sound { payload: 3, samples: SAMPLES, corrects: false })), 0);

    line.wait_until(40);

    assert_eq!(line.steps(), [Decode(1), Conceal(SAMPLES), Decode(3)]);
    assert_eq!((line.meter.recovered, line.meter.concealed), (0, 1));
}

#[test]
fn each_of_two_gaps_has_its_own_wait() {
    let mut line = Line::open();
    line.receive(&[1, 3], 0);
    line.receive(&[5], 30);

    line.wait_until(40);
    assert_eq!(line.steps(), [Decode(1), Recover(3, SAMPLES), Decode(3)]);
    line.wait_until(70);

    assert_eq!(line.steps(), [Recover(5, SAMPLES), Decode(5)]);
}

#[test]
fn a_pause_in_the_stream_becomes_silence() {
    let mut line = Line::open();
    line.receive(&[1], 0);

    line.wait_until(100);

    assert_eq!(line.steps(), [Decode(1), Silence(SAMPLES)]);
}

#[test]
fn the_clock_runs_without_any_packets() {
    let mut line = Line::open();

    line.wait_until(1_000);

    assert_eq!(line.steps().len(), 47);
}

#[test]
fn a_muted_phone_becomes_silence_of_the_same_length() {
    let mut line = Line::open();
    line.receive(&[1], 0);

    line.wait_until(120_000);

    assert_eq!(line.emitted(), 120_000 / 20 - 3);
}

#[test]
fn a_burst_after_a_pause_is_passed_on_without_more_silence() {
    let mut line = Line::open();
    line.wait_until(200);
    assert_eq!(line.steps().len(), 7);

    line.receive(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 200);
    line.wait_until(340);

    assert_eq!(line.steps().len(), 10);
}

#[test]
fn silence_follows_a_burst_in_real_time() {
    let mut line = Line::open();
    line.wait_until(3_000);
    line.receive(&(1..=150).collect::<Vec<u16>>(), 3_000);
    line.steps();

    line.wait_until(4_000);

    let silence = line.steps().len();
    assert!((30..=50).contains(&silence), "{silence} frames of silence in one second");
}

#[test]
fn an_outage_that_was_filled_is_not_filled_again() {
    let mut line = Line::open();
    line.receive(&[1], 0);
    line.wait_until(1_000);
    let filled = line.steps().len();

    line.receive(&[51], 1_000);
    line.wait_until(1_040);

    let after = line.steps();
    assert_eq!(after.last(), Some(&Decode(51)));
    assert_eq!(after.iter().filter(|step| **step == Recover(51, SAMPLES)).count(), 1);
    assert!(filled + after.len() <= 52, "{filled} and then {}", after.len());
}

#[test]
fn a_pause_in_timestamps_becomes_silence_bounded_by_the_clock() {
    let mut line = Line::open();
    line.receive(&[1], 20);
    let after_60_ms = packet(2, 5 * 960, Some(Sound { payload: 2, samples: SAMPLES, corrects: false }));

    line.take(after_60_ms, 100);
    assert_eq!(line.steps(), [Decode(1), Silence(3 * SAMPLES), Decode(2)], "60 ms, all of it due");
    let at_once = packet(3, 500 * 960, Some(Sound { payload: 3, samples: SAMPLES, corrects: false }));
    line.take(at_once, 100);

    assert_eq!(line.steps(), [Decode(3)], "ten seconds have not passed");
}

#[test]
fn packets_of_60_ms_are_accounted_at_their_length() {
    let mut line = Line::open();
    let long = |n: u16| {
        let sound = Sound { payload: n, samples: 3 * SAMPLES, corrects: true };
        packet(n, u32::from(n) * 2_880, Some(sound))
    };

    line.take(long(1), 0);
    line.take(long(3), 60);
    line.wait_until(100);

    assert_eq!(line.steps(), [Decode(1), Recover(3, 3 * SAMPLES), Decode(3)]);
    line.wait_until(259);
    assert_eq!(line.steps(), [], "three packets of 60 ms are 180 ms");
}

#[test]
fn sequence_numbers_and_timestamps_wrap_around() {
    let mut line = Line::open();

    line.receive(&[65_535, 0, 1], 0);
    let wrapped =
        |n: u16, at: u32| packet(n, at, Some(Sound { payload: n, samples: SAMPLES, corrects: true }));
    line.take(wrapped(2, u32::MAX - 959), 0);
    line.take(wrapped(3, 0), 0);

    assert_eq!(line.steps(), [Decode(65_535), Decode(0), Decode(1), Decode(2), Decode(3)]);
}

#[test]
fn duplicates_and_late_packets_are_told_apart() {
    let mut line = Line::open();

    line.receive(&[5, 5, 7], 0);
    line.receive(&[7], 0);
    line.wait_until(40);
    line.receive(&[6, 5, 4], 40);

    assert_eq!(line.meter.duplicates, 3);
    assert_eq!(line.meter.tardy, 2);
}

#[test]
fn a_new_sequence_restarts_without_a_gap() {
    let mut line = Line::open();

    line.receive(&[5, 30_000, 30_001], 0);

    assert_eq!(line.steps(), [Decode(5), Decode(30_000), Decode(30_001)]);
}

#[test]
fn another_ssrc_restarts_even_with_close_sequence_numbers() {
    let mut line = Line::open();
    line.receive(&[5, 6], 0);
    let of = |stream, n: u16| Packet { stream, ..packet_of(n) };

    line.take(of(2, 9), 20);
    line.take(of(1, 7), 20);
    line.take(of(2, 10), 40);

    assert_eq!(line.steps(), [Decode(5), Decode(6), Decode(9), Decode(10)]);
    assert_eq!((line.meter.lost, line.meter.tardy, line.meter.restarts), (0, 1, 1));
}

#[test]
fn a_switch_back_to_the_first_ssrc_is_followed() {
    let mut line = Line::open();
    let of = |stream, n: u16| Packet { stream, ..packet_of(n) };
    line.take(of(1, 5), 0);
    line.take(of(2, 5), 20);

    line.take(of(1, 6), 1_100);

    assert_eq!(line.steps().last(), Some(&Decode(6)));
}

#[test]
fn a_telephone_event_takes_a_sequence_number_and_is_no_loss() {
    let mut line = Line::open();
    line.receive(&[1], 20);
    line.take(packet(2, 960, None), 40);
    line.receive(&[3], 60);

    assert_eq!(line.steps(), [Decode(1), Silence(SAMPLES), Decode(3)]);
    assert_eq!(line.meter.lost, 0);
}

#[test]
fn a_flood_is_cut_to_the_burst_limit() {
    let mut line = Line::open();

    for n in 0..20_000_u32 {
        line.receive(&[n as u16], 1_000);
    }

    assert_eq!(line.steps().len(), 300, "a second, and five of a burst");
    assert_eq!(line.meter.flooded, 19_700);
}

#[test]
fn the_number_of_packets_behind_a_gap_is_bounded() {
    let mut line = Line::open();
    line.receive(&[1], 0);

    line.receive(&(3..400).collect::<Vec<u16>>(), 0);

    assert!(line.buffer.early.is_empty(), "the wait is over");
    assert_eq!(line.meter.lost, 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_network_keeps_audio_in_order_and_the_clock_running(
        first in any::<u16>(),
        fates in prop::collection::vec((0..10_u8, 0..300_u64, 0..300_u64), 1..400),
    ) {
        let mut arrivals: Vec<(u64, u16)> = vec![];
        for (n, (fate, delay, again)) in fates.iter().enumerate() {
            let (at, sequence) = (n as u64 * 20, first.wrapping_add(n as u16));
            // Most packets come in time, some are delayed, some lost and some duplicated.
            match fate {
                0 => {}
                1 => arrivals.extend([(at + delay, sequence), (at + again, sequence)]),
                2 => arrivals.push((at + delay, sequence)),
                _ => arrivals.push((at, sequence)),
            }
        }
        arrivals.sort();
        let mut line = Line::open();
        let mut decoded = vec![];
        let mut emitted = 0;
        for (at, sequence) in arrivals {
            line.wait_until(at);
            line.receive(&[sequence], at);
            prop_assert!(line.buffer.early.len() < MAX_EARLY);
            for step in line.steps() {
                emitted += length(&step);
                if let Decode(n) = step {
                    decoded.push(n.wrapping_sub(first));
                }
            }
            prop_assert!(emitted as u64 / 24 + 80 >= at, "{} ms of sound after {at} ms", emitted / 24);
        }
        prop_assert!(decoded.is_sorted_by(|one, next| one < next), "in order, and each once: {decoded:?}");
        let meter = &line.meter;
        prop_assert!(meter.recovered + meter.concealed <= meter.lost, "{meter:?}");
        prop_assert!(emitted / 24 <= fates.len() * 40 + 1_000, "at most the audio sent plus as much silence");
    }
}

fn length(step: &DecodeStep<u16>) -> usize {
    match step {
        Decode(_) => SAMPLES,
        Recover(_, samples) | Conceal(samples) | Silence(samples) => *samples,
    }
}

fn packet(sequence: u16, timestamp: u32, sound: Option<Sound<u16>>) -> Packet<u16> {
    Packet { stream: 1, sequence, timestamp, sound }
}

fn packet_of(n: u16) -> Packet<u16> {
    packet(n, u32::from(n) * 960, Some(Sound { payload: n, samples: SAMPLES, corrects: true }))
}

struct Line {
    start: Instant,
    buffer: JitterBuffer<u16>,
    meter: Meter,
}

impl Line {
    fn open() -> Self {
        let start = Instant::now();
        let mut buffer = JitterBuffer::default();
        buffer.open(start);
        Self { start, buffer, meter: Meter::default() }
    }

    fn receive(&mut self, sequences: &[u16], at_ms: u64) {
        sequences.iter().for_each(|n| self.take(packet_of(*n), at_ms));
    }

    fn take(&mut self, packet: Packet<u16>, at_ms: u64) {
        let now = self.start + Duration::from_millis(at_ms);
        self.buffer.handle_packet(packet, now, &mut self.meter);
    }

    fn wait_until(&mut self, at_ms: u64) {
        let end = self.start + Duration::from_millis(at_ms);
        while let Some(due) = self.buffer.poll_timeout().filter(|due| *due <= end) {
            self.buffer.handle_timeout(due, &mut self.meter);
        }
    }

    fn steps(&mut self) -> Vec<DecodeStep<u16>> {
        std::iter::from_fn(|| self.buffer.poll_step()).collect()
    }

    /// Returns the number of frames emitted.
    fn emitted(&mut self) -> usize {
        self.steps().iter().map(length).sum::<usize>() / SAMPLES
    }
}
