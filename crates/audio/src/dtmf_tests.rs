//! DTMF: parsing of telephone events, and collection into entries.

use super::*;

#[test]
fn a_payload_is_parsed_as_in_rfc_4733() {
    let press = read(&[11, 0x8a, 0x03, 0x20]).expect("it is a key");

    assert_eq!((press.key, press.is_end, press.volume, press.duration), ('#', true, 10, ms(100)));
    assert_eq!(read(&[0, 0, 0, 160, 1, 2, 3]).map(|press| press.key), Some('0'));
    assert_eq!(read(&[15, 0x3f, 0, 0]).map(|press| (press.key, press.volume)), Some(('D', 63)));
}

#[test]
fn a_duration_counts_in_the_clock_of_its_payload_type() {
    let at = |clock| KeyPress::read(&[11, 0x8a, 0x12, 0xc0], clock).map(|press| press.duration);

    assert_eq!((at(ClockRate::Khz8), at(ClockRate::Khz48)), (Some(ms(600)), Some(ms(100))));
}

#[test]
fn a_short_payload_or_unknown_event_is_ignored() {
    assert_eq!(read(&[]), None);
    assert_eq!(read(&[1, 0x80, 0]), None);
    // 16 is a hook flash.
    assert_eq!(read(&[16, 0, 0, 160]), None);
}

#[test]
fn the_packets_of_a_press_are_one_key_with_a_repeated_end() {
    let mut caller = Caller::new(DtmfOptions::default());
    caller.press(960, 4, 0);
    caller.press(9_600, 2, 300);

    assert_eq!(caller.keyed(2_299), None);
    assert_eq!(caller.keyed(2_300), Some("42".into()));
    assert_eq!(caller.keyed(9_000), None);
}

#[test]
fn a_press_whose_end_was_lost_is_ended_by_the_next() {
    let mut caller = Caller::new(DtmfOptions::default());
    caller.packet(960, [7, 10, 0, 160], 0);
    caller.packet(9_600, [7, 10, 0, 160], 200);

    assert_eq!(caller.keyed(2_200), Some("77".into()));
}

#[test]
fn a_reordered_packet_of_an_older_press_is_ignored() {
    let mut caller = Caller::new(DtmfOptions::default());
    caller.press(960, 1, 0);
    caller.press(9_600, 2, 200);
    caller.overtaken(12, 960, [1, 0x8a, 3, 32], 210);

    assert_eq!(caller.keyed(3_000), Some("12".into()));
}

#[test]
fn the_end_key_completes_the_entry_and_is_not_part_of_it() {
    let mut caller = Caller::new(DtmfOptions::default());
    for (n, key) in [1, 2, 10, 11].into_iter().enumerate() {
        caller.press(9_600 * (n as u32 + 1), key, 200 * n as u64);
    }

    assert_eq!(caller.keyed(600), Some("12*".into()));
}

#[test]
fn an_end_key_alone_is_an_entry_and_so_is_a_star() {
    let mut caller = Caller::new(DtmfOptions::default());
    caller.press(960, 11, 0);
    assert_eq!(caller.keyed(0), Some("#".into()));

    caller.press(96_000, 10, 2_000);
    assert_eq!(caller.keyed(5_000), Some("*".into()));
}

#[test]
fn the_maximum_length_completes_the_entry_at_once() {
    let mut caller = Caller::new(DtmfOptions { longest: 2, ..DtmfOptions::default() });
    caller.press(960, 3, 0);
    assert_eq!(caller.keyed(0), None);

    caller.press(9_600, 4, 200);

    assert_eq!(caller.keyed(200), Some("34".into()));
}

#[test]
fn the_pause_begins_when_the_key_is_released() {
    let mut caller = Caller::new(DtmfOptions::default());
    caller.packet(960, [5, 10, 0, 160], 0);
    caller.packet(960, [5, 10, 0x5d, 0xc0], 1_500);

    assert_eq!(caller.keyed(3_400), None);
    assert_eq!(caller.keyed(3_500), Some("5".into()));
}

#[test]
fn a_repeated_end_does_not_prolong_the_pause() {
    let mut caller = Caller::new(DtmfOptions::default());
    caller.packet(960, [5, 0x8a, 3, 32], 0);
    caller.overtaken(1, 960, [5, 10, 2, 128], 20);
    caller.packet(960, [5, 0x8a, 3, 32], 1_000);

    assert_eq!(caller.keyed(2_000), Some("5".into()));
}

#[test]
fn a_key_held_after_the_entry_is_not_reported_again() {
    let mut caller = Caller::new(DtmfOptions { longest: 1, ..DtmfOptions::default() });
    caller.packet(960, [5, 10, 0, 160], 0);
    assert_eq!(caller.keyed(0), Some("5".into()));

    caller.packet(960, [5, 10, 1, 64], 20);

    assert_eq!((caller.keyed(9_000), caller.collector.poll_timeout()), (None, None));
}

#[test]
fn a_key_held_for_ten_seconds_is_one_press() {
    let mut caller = Caller::new(DtmfOptions::default());
    caller.packet(960, [5, 10, 0, 160], 0);
    caller.packet(960, [5, 10, 0xff, 0xff], 8_000);
    caller.packet(394_170, [5, 10, 0, 160], 8_020);
    caller.packet(394_170, [5, 0x8a, 0x3e, 0x80], 10_000);

    assert_eq!(caller.keyed(12_000), Some("5".into()));
}

#[test]
fn a_restarted_stream_is_read_and_timestamps_wrap() {
    let mut caller = Caller::new(DtmfOptions::default());
    caller.press(u32::MAX - 100, 1, 0);
    caller.press(9_000, 2, 200);
    caller.sequence = caller.sequence.wrapping_sub(20_000);
    caller.press(3_000_000_000, 3, 400);

    assert_eq!(caller.keyed(3_000), Some("123".into()));
}

#[test]
fn digits_never_show_in_debug_output() {
    let mut caller = Caller::new(DtmfOptions::default());
    caller.press(960, 7, 0);
    let shown = format!("{:?} {:?} {:?}", caller.collector, DtmfDigits("7777".into()), read(&[7, 0, 0, 160]));

    assert!(!shown.contains('7'), "{shown}");
}

#[test]
fn presses_over_the_limit_do_not_count_nor_prolong_the_pause() {
    let mut caller = Caller::new(DtmfOptions { longest: 64, ..DtmfOptions::default() });
    let came: Vec<CollectorEvent> =
        (0..200).map(|n| caller.packet(960 * n, [n as u8 % 2, 10, 0, 160], 0)).collect();

    assert_eq!(came.iter().filter(|came| **came == CollectorEvent::Press).count(), 64);
    assert_eq!(came[64..], [CollectorEvent::TooMany; 136]);
    assert_eq!(caller.keyed(0).map(|keyed| keyed.len()), Some(64));
    assert_eq!(caller.collector.poll_timeout(), None);
}

fn read(payload: &[u8]) -> Option<KeyPress> {
    KeyPress::read(payload, ClockRate::Khz8)
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

struct Caller {
    start: Instant,
    collector: DtmfCollector,
    sequence: u16,
}

impl Caller {
    fn new(options: DtmfOptions) -> Self {
        Self { start: Instant::now(), collector: DtmfCollector::new(options), sequence: u16::MAX - 4 }
    }

    /// Presses a key for 100 ms, as a phone sends it.
    fn press(&mut self, timestamp: u32, event: u8, at_ms: u64) {
        for duration in [160_u16, 320, 480, 640, 800] {
            let [high, low] = duration.to_be_bytes();
            self.packet(timestamp, [event, 10, high, low], at_ms);
        }
        for _ in 0..3 {
            self.packet(timestamp, [event, 0x8a, 3, 0x20], at_ms);
        }
    }

    fn packet(&mut self, timestamp: u32, payload: [u8; 4], at_ms: u64) -> CollectorEvent {
        self.sequence = self.sequence.wrapping_add(1);
        self.send(self.sequence, timestamp, payload, at_ms)
    }

    /// Sends a packet that `by` packets have overtaken.
    fn overtaken(&mut self, by: u16, timestamp: u32, payload: [u8; 4], at_ms: u64) -> CollectorEvent {
        self.send(self.sequence.wrapping_sub(by), timestamp, payload, at_ms)
    }

    fn send(&mut self, sequence: u16, timestamp: u32, payload: [u8; 4], at_ms: u64) -> CollectorEvent {
        let packet = DtmfPacket { stream: 1, sequence, timestamp, clock: ClockRate::Khz8, payload: &payload };
        self.collector.handle(&packet, read(&payload).expect("it is a key"), self.start + ms(at_ms))
    }

    fn keyed(&mut self, at_ms: u64) -> Option<String> {
        let keyed = self.collector.poll(self.start + ms(at_ms));
        keyed.map(|keyed| keyed.keys().to_owned())
    }
}
