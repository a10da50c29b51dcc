//! Playout: timing, interruption, and what was heard of each item.

use super::*;

#[test]
fn plays_a_frame_every_20_ms_and_silence_without_speech() {
    let start = Instant::now();
    let mut playout = playing("hello", 1, start);

    assert!(matches!(
        playout.poll_frame(start),
        Some(PlayoutFrame { frame: Some(_), response: Some(_), late: Duration::ZERO })
    ));
    assert_eq!(playout.poll_frame(start + ms(19)), None);
    assert!(matches!(playout.poll_frame(start + ms(20)), Some(PlayoutFrame { frame: None, .. })));
}

#[test]
fn nothing_is_played_before_it_is_open() {
    let mut playout = Playout::default();
    playout.push("r1", &item("hello"), vec![1; SAMPLES]);

    assert_eq!(playout.poll_timeout(), None);
    assert_eq!(playout.poll_frame(Instant::now()), None);
}

#[test]
fn interrupt_reports_what_was_heard_and_fades_out() {
    let start = Instant::now();
    let mut playout = playing("hello", 50, start);
    play_until(&mut playout, start + ms(99));

    let heard = playout.interrupt();

    assert_eq!(heard, [played_item("hello", 120, 1_000)]);
    let due = playout.poll_frame(start + ms(100)).expect("a frame is due");
    assert_eq!(due.response, None);
    let tail = due.frame.expect("the tail is still to be played");
    assert_eq!((tail[0], tail[SAMPLES - 1]), (1_000, 2));
    assert!(matches!(playout.poll_frame(start + ms(120)), Some(PlayoutFrame { frame: None, .. })));
}

#[test]
fn interrupt_reports_items_not_yet_played() {
    let start = Instant::now();
    let mut playout = playing("first", 3, start);
    playout.push("r1", &item("second"), vec![1_000; SAMPLES]);
    play_until(&mut playout, start + ms(19));

    assert_eq!(playout.interrupt(), [played_item("first", 40, 60), played_item("second", 0, 20)]);
}

#[test]
fn an_item_played_to_its_end_is_not_reported_as_interrupted() {
    let start = Instant::now();
    let mut playout = playing("hello", 2, start);
    playout.finish(&item("hello"));
    play_until(&mut playout, start + ms(100));

    assert_eq!(playout.interrupt(), []);
    assert_eq!(playout.poll_finished(), Some(FinishedItem::Played(item("hello"))));
    assert_eq!(playout.poll_finished(), None);
}

#[test]
fn chunks_of_any_size_become_frames_and_the_end_is_padded() {
    let start = Instant::now();
    let mut playout = Playout::default();
    playout.open(start);
    playout.push("r1", &item("odd"), vec![7; 100]);
    assert!(
        matches!(playout.poll_frame(start), Some(PlayoutFrame { frame: None, .. })),
        "too little to play"
    );

    playout.push("r1", &item("odd"), vec![7; 400]);
    assert!(matches!(playout.poll_frame(start + ms(20)), Some(PlayoutFrame { frame: Some(_), .. })));
    playout.finish(&item("odd"));
    let due = playout.poll_frame(start + ms(40)).expect("a frame is due");

    let rest = due.frame.expect("twenty samples are left");
    assert_eq!((rest[19], rest[20]), (7, 0));
}

#[test]
fn a_stall_is_not_followed_by_a_burst() {
    let start = Instant::now();
    let mut playout = playing("hello", 50, start);
    playout.poll_frame(start);

    let PlayoutFrame { late, .. } = playout.poll_frame(start + ms(520)).expect("a frame is due");

    assert_eq!(late, ms(500));
    assert_eq!(playout.poll_timeout(), Some(start + ms(540)));
}

#[test]
fn an_item_that_overflows_the_queue_is_reported_as_cut() {
    let start = Instant::now();
    let mut playout = Playout::default();
    let five_minutes = vec![1; LONGEST_QUEUE];
    assert_eq!(playout.push("r1", &item("saga"), five_minutes), Duration::ZERO);
    assert_eq!(playout.push("r1", &item("saga"), vec![1; SAMPLES]), ms(20));
    playout.finish(&item("saga"));
    playout.open(start);

    play_until(&mut playout, start + Duration::from_secs(300));

    assert_eq!(playout.poll_finished(), Some(FinishedItem::Cut(played_item("saga", 300_000, 300_020))));
}

#[test]
fn the_end_of_one_response_does_not_end_the_items_of_another() {
    let start = Instant::now();
    let mut playout = playing("first", 1, start);
    playout.push("r2", &item("second"), vec![1_000; SAMPLES]);

    playout.finish_response("r1");
    play_until(&mut playout, start + ms(100));

    assert_eq!(
        playout.poll_finished(),
        Some(FinishedItem::Cut(played_item("first", 20, 20))),
        "it was never completed"
    );
    assert_eq!((playout.poll_finished(), playout.is_idle(), playout.has("r2")), (None, false, true));
}

#[test]
fn a_recording_is_played_before_speech_and_has_no_response() {
    let start = Instant::now();
    let mut playout = playing("hello", 1, start);
    playout.play_recording(vec![7; SAMPLES + 1]);

    let frames = (0..4).filter_map(|n| playout.poll_frame(start + ms(n * 20))).collect::<Vec<_>>();

    assert_eq!(
        frames.iter().map(|due| due.response.is_some()).collect::<Vec<_>>(),
        [false, false, true, false]
    );
    assert_eq!(frames[1].frame.map(|frame| (frame[0], frame[1])), Some((7, 0)));
}

fn playing(name: &str, frames: usize, now: Instant) -> Playout {
    let mut playout = Playout::default();
    playout.open(now);
    playout.push("r1", &item(name), vec![1_000; frames * SAMPLES]);
    playout
}

fn play_until(playout: &mut Playout, end: Instant) {
    while let Some(due) = playout.poll_timeout().filter(|due| *due <= end) {
        playout.poll_frame(due);
    }
}

fn played_item(name: &str, heard: u64, of: u64) -> PlayedItem {
    PlayedItem { item: item(name), heard: ms(heard), of: ms(of) }
}

fn item(name: &str) -> ItemId {
    ItemId(name.to_owned())
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}
