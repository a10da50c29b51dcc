//! What the keypad promises, one sentence each.

use super::*;

#[test]
fn a_payload_is_read_as_rfc_4733_has_it() {
    let press = Press::read(&[11, 0x8a, 0x03, 0x20]).expect("it is a key");

    assert_eq!((press.key, press.is_end, press.volume, press.duration), ('#', true, 10, 800));
    assert_eq!(Press::read(&[0, 0, 0, 160, 1, 2, 3]).map(|press| press.key), Some('0'));
    assert_eq!(Press::read(&[15, 0x3f, 0, 0]).map(|press| (press.key, press.volume)), Some(('D', 63)));
}

#[test]
fn what_is_too_short_or_no_key_is_nothing() {
    assert_eq!(Press::read(&[]), None);
    assert_eq!(Press::read(&[1, 0x80, 0]), None);
    // 16 is a hook flash.
    assert_eq!(Press::read(&[16, 0, 0, 160]), None);
}

#[test]
fn a_press_of_many_packets_is_one_key_and_its_end_may_come_three_times() {
    let mut caller = Caller::new(Keypad::default());
    caller.press(960, 4, 0);
    caller.press(9_600, 2, 300);

    assert_eq!(caller.keyed(2_299), None);
    assert_eq!(caller.keyed(2_300), Some("42".into()));
    assert_eq!(caller.keyed(9_000), None);
}

#[test]
fn a_press_whose_end_was_lost_is_ended_by_the_next() {
    let mut caller = Caller::new(Keypad::default());
    caller.packet(960, [7, 10, 0, 160], 0);
    caller.packet(9_600, [7, 10, 0, 160], 200);

    assert_eq!(caller.keyed(2_200), Some("77".into()));
}

#[test]
fn a_late_packet_of_an_older_press_is_no_press() {
    let mut caller = Caller::new(Keypad::default());
    caller.press(960, 1, 0);
    caller.press(9_600, 2, 200);
    caller.packet(960, [1, 0x8a, 3, 32], 210);

    assert_eq!(caller.keyed(3_000), Some("12".into()));
}

#[test]
fn the_end_key_says_that_was_all_and_is_not_part_of_it() {
    let mut caller = Caller::new(Keypad::default());
    for (n, key) in [1, 2, 10, 11].into_iter().enumerate() {
        caller.press(9_600 * (n as u32 + 1), key, 200 * n as u64);
    }

    assert_eq!(caller.keyed(600), Some("12*".into()));
}

#[test]
fn an_end_key_alone_is_told_and_so_is_a_star() {
    let mut caller = Caller::new(Keypad::default());
    caller.press(960, 11, 0);
    assert_eq!(caller.keyed(0), Some("#".into()));

    caller.press(96_000, 10, 2_000);
    assert_eq!(caller.keyed(5_000), Some("*".into()));
}

#[test]
fn as_many_keys_as_are_wanted_are_not_waited_for() {
    let mut caller = Caller::new(Keypad { longest: 2, ..Keypad::default() });
    caller.press(960, 3, 0);
    assert_eq!(caller.keyed(0), None);

    caller.press(9_600, 4, 200);

    assert_eq!(caller.keyed(200), Some("34".into()));
}

#[test]
fn a_pause_is_counted_from_when_the_key_is_let_go() {
    let mut caller = Caller::new(Keypad::default());
    caller.packet(960, [5, 10, 0, 160], 0);
    caller.packet(960, [5, 10, 0x5d, 0xc0], 1_500);

    assert_eq!(caller.keyed(3_400), None);
    assert_eq!(caller.keyed(3_500), Some("5".into()));
}

#[test]
fn the_end_sent_again_does_not_make_the_pause_longer() {
    let mut caller = Caller::new(Keypad::default());
    caller.packet(960, [5, 0x8a, 3, 32], 0);
    caller.packet(960, [5, 10, 2, 128], 20);
    caller.packet(960, [5, 0x8a, 3, 32], 1_000);

    assert_eq!(caller.keyed(2_000), Some("5".into()));
}

#[test]
fn a_key_still_held_after_all_was_told_is_not_told_again() {
    let mut caller = Caller::new(Keypad { longest: 1, ..Keypad::default() });
    caller.packet(960, [5, 10, 0, 160], 0);
    assert_eq!(caller.keyed(0), Some("5".into()));

    caller.packet(960, [5, 10, 1, 64], 20);

    assert_eq!((caller.keyed(9_000), caller.keys.poll_timeout()), (None, None));
}

#[test]
fn a_key_leant_upon_for_ten_seconds_is_one_press() {
    let mut caller = Caller::new(Keypad::default());
    caller.packet(960, [5, 10, 0, 160], 0);
    caller.packet(960, [5, 10, 0xff, 0xff], 8_000);
    caller.packet(394_170, [5, 10, 0, 160], 8_020);
    caller.packet(394_170, [5, 0x8a, 0x3e, 0x80], 10_000);

    assert_eq!(caller.keyed(12_000), Some("5".into()));
}

#[test]
fn a_stream_that_starts_again_goes_on_being_heard_and_timestamps_wrap() {
    let mut caller = Caller::new(Keypad::default());
    caller.press(u32::MAX - 100, 1, 0);
    caller.press(9_000, 2, 200);
    caller.press(3_000_000_000, 3, 400);

    assert_eq!(caller.keyed(3_000), Some("123".into()));
}

#[test]
fn keys_never_show_in_debug_output() {
    let mut caller = Caller::new(Keypad::default());
    caller.press(960, 7, 0);
    let shown = format!("{:?} {:?} {:?}", caller.keys, Keyed("7777".into()), Press::read(&[7, 0, 0, 160]));

    assert!(!shown.contains('7'), "{shown}");
}

struct Caller {
    start: Instant,
    keys: Keys,
}

impl Caller {
    fn new(keypad: Keypad) -> Self {
        Self { start: Instant::now(), keys: Keys::new(keypad) }
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

    fn packet(&mut self, timestamp: u32, payload: [u8; 4], at_ms: u64) {
        let press = Press::read(&payload).expect("it is a key");
        self.keys.handle(timestamp, press, self.start + Duration::from_millis(at_ms));
    }

    fn keyed(&mut self, at_ms: u64) -> Option<String> {
        let keyed = self.keys.poll(self.start + Duration::from_millis(at_ms));
        keyed.map(|keyed| keyed.keys().to_owned())
    }
}
