//! Plays the agent's speech to the caller, one frame every twenty milliseconds,
//! and knows at any moment how much of it the caller has heard.

use crate::{FRAME, Frame, PER_MS, SAMPLES};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A frame this late is not made up for: the schedule starts again from now.
const RESYNC_AFTER: Duration = Duration::from_millis(100);

/// The most speech that waits for its turn: the model can be minutes ahead.
const LONGEST_QUEUE: usize = 300 * 1000 * PER_MS;

/// The agent's speech on its way to the caller.
///
/// The agent speaks faster than anyone can listen, in pieces of any size, so speech waits here. Once
/// [open](Playout::open), take a frame at each [`Playout::poll_timeout`]; when there is nothing to say, the
/// frame is silent, since the stream must never pause.
#[derive(Debug, Default)]
pub struct Playout {
    items: VecDeque<Item>,
    due: Option<Instant>,
    tail: Option<Frame>,
}

/// An item of the model's answer, as far as it is not played.
#[derive(Debug)]
struct Item {
    id: ItemId,
    waiting: VecDeque<i16>,
    received: usize,
    played: usize,
    is_whole: bool,
}

/// The name of an item of the agent's speech.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ItemId(pub String);

/// How much of an item the caller was played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Which.
    pub item: ItemId,
    /// How much was sent to the caller.
    pub heard: Duration,
    /// How much there was, so far.
    pub of: Duration,
}

impl Playout {
    /// Starts playing: the first frame is due now.
    pub fn open(&mut self, now: Instant) {
        self.due.get_or_insert(now);
    }

    /// Queues more of an item. Beyond five minutes of waiting speech the rest is dropped; how much, is returned.
    pub fn push(&mut self, id: &ItemId, samples: &[i16]) -> Duration {
        let room = LONGEST_QUEUE.saturating_sub(self.items.iter().map(|item| item.waiting.len()).sum());
        let taken = &samples[..samples.len().min(room)];
        let item = self.item(id);
        item.waiting.extend(taken);
        item.received += taken.len();
        duration(samples.len() - taken.len())
    }

    /// Notes that an item is whole: nothing more will come.
    pub fn finish(&mut self, id: &ItemId) {
        if let Some(item) = self.items.iter_mut().find(|item| item.id == *id) {
            item.is_whole = true;
        }
        self.forget_played();
    }

    /// Notes that every item is whole: the response they belong to is over.
    pub fn finish_all(&mut self) {
        self.items.iter_mut().for_each(|item| item.is_whole = true);
        self.forget_played();
    }

    /// How much speech is waiting.
    pub fn waiting(&self) -> Duration {
        duration(self.items.iter().map(|item| item.waiting.len()).sum())
    }

    /// When the next frame is due; `None` before it is open.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    /// The frame that is due, if one is: speech, or `Some(None)` for silence. With it, how late it is.
    pub fn poll_frame(&mut self, now: Instant) -> Option<(Option<Frame>, Duration)> {
        let due = self.due.filter(|due| *due <= now)?;
        let late = now - due;
        self.due = Some(if late > RESYNC_AFTER { now + FRAME } else { due + FRAME });
        Some((self.next_frame(), late))
    }

    /// Forgets everything not yet played and reports how much of each item was. One more frame, faded, is
    /// still played of what was being said: a word cut hard clicks.
    pub fn interrupt(&mut self) -> Vec<Heard> {
        let fading = self.items.front().is_some_and(|item| item.played > 0 && !item.waiting.is_empty());
        self.tail = if fading { self.next_frame().map(faded) } else { None };
        let heard = self.items.drain(..).map(|item| item.heard());
        heard.collect()
    }

    fn item(&mut self, id: &ItemId) -> &mut Item {
        let known = self.items.iter().position(|item| item.id == *id);
        let at = known.unwrap_or_else(|| {
            self.items.push_back(Item::new(id));
            self.items.len() - 1
        });
        &mut self.items[at]
    }

    fn next_frame(&mut self) -> Option<Frame> {
        if let Some(tail) = self.tail.take() {
            return Some(tail);
        }
        let frame = self.items.front_mut()?.next_frame();
        self.forget_played();
        frame
    }

    fn forget_played(&mut self) {
        while self.items.front().is_some_and(|item| item.is_whole && item.waiting.is_empty()) {
            self.items.pop_front();
        }
    }
}

impl Item {
    fn new(id: &ItemId) -> Self {
        Self { id: id.clone(), waiting: VecDeque::new(), received: 0, played: 0, is_whole: false }
    }

    /// A frame's worth; less only at the item's end, padded with silence.
    fn next_frame(&mut self) -> Option<Frame> {
        let is_end = self.is_whole && !self.waiting.is_empty();
        if self.waiting.len() < SAMPLES && !is_end {
            return None;
        }
        let mut frame = [0; SAMPLES];
        let count = self.waiting.len().min(SAMPLES);
        for (place, sample) in frame.iter_mut().zip(self.waiting.drain(..count)) {
            *place = sample;
        }
        self.played += count;
        Some(frame)
    }

    fn heard(self) -> Heard {
        Heard { item: self.id, heard: duration(self.played), of: duration(self.received) }
    }
}

fn faded(mut frame: Frame) -> Frame {
    for (n, sample) in frame.iter_mut().enumerate() {
        *sample = (i32::from(*sample) * (SAMPLES - n) as i32 / SAMPLES as i32) as i16;
    }
    frame
}

fn duration(samples: usize) -> Duration {
    Duration::from_micros((samples * 1_000 / PER_MS) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plays_one_frame_every_twenty_milliseconds_and_silence_when_there_is_nothing() {
        let start = Instant::now();
        let mut playout = playing("hello", 1, start);

        assert!(matches!(playout.poll_frame(start), Some((Some(_), Duration::ZERO))));
        assert_eq!(playout.poll_frame(start + ms(19)), None);
        assert!(matches!(playout.poll_frame(start + ms(20)), Some((None, _))));
    }

    #[test]
    fn nothing_is_played_before_it_is_open() {
        let mut playout = Playout::default();
        playout.push(&item("hello"), &[1; SAMPLES]);

        assert_eq!(playout.poll_timeout(), None);
        assert_eq!(playout.poll_frame(Instant::now()), None);
    }

    #[test]
    fn when_interrupted_reports_what_the_caller_heard_and_plays_one_faded_frame_more() {
        let start = Instant::now();
        let mut playout = playing("hello", 50, start);
        play_until(&mut playout, start + ms(99));

        let heard = playout.interrupt();

        assert_eq!(heard, [heard_of("hello", 120, 1_000)]);
        let (tail, _) = playout.poll_frame(start + ms(100)).expect("a frame is due");
        let tail = tail.expect("the tail is still to be played");
        assert_eq!((tail[0], tail[SAMPLES - 1]), (1_000, 2));
        assert!(matches!(playout.poll_frame(start + ms(120)), Some((None, _))));
    }

    #[test]
    fn items_that_nobody_heard_are_reported_as_unheard() {
        let start = Instant::now();
        let mut playout = playing("first", 3, start);
        playout.push(&item("second"), &[1_000; SAMPLES]);
        play_until(&mut playout, start + ms(19));

        assert_eq!(playout.interrupt(), [heard_of("first", 40, 60), heard_of("second", 0, 20)]);
    }

    #[test]
    fn what_was_played_to_its_end_is_not_reported() {
        let start = Instant::now();
        let mut playout = playing("hello", 2, start);
        playout.finish(&item("hello"));
        play_until(&mut playout, start + ms(100));

        assert_eq!(playout.interrupt(), []);
    }

    #[test]
    fn odd_pieces_come_out_as_whole_frames_and_the_end_is_padded() {
        let start = Instant::now();
        let mut playout = Playout::default();
        playout.open(start);
        playout.push(&item("odd"), &[7; 100]);
        assert!(matches!(playout.poll_frame(start), Some((None, _))), "too little to play");

        playout.push(&item("odd"), &[7; 400]);
        assert!(matches!(playout.poll_frame(start + ms(20)), Some((Some(_), _))));
        playout.finish(&item("odd"));
        let (rest, _) = playout.poll_frame(start + ms(40)).expect("a frame is due");

        let rest = rest.expect("twenty samples are left");
        assert_eq!((rest[19], rest[20]), (7, 0));
    }

    #[test]
    fn a_stalled_clock_is_not_made_up_for_by_a_burst() {
        let start = Instant::now();
        let mut playout = playing("hello", 50, start);
        playout.poll_frame(start);

        let (_, late) = playout.poll_frame(start + ms(520)).expect("a frame is due");

        assert_eq!(late, ms(500));
        assert_eq!(playout.poll_timeout(), Some(start + ms(540)));
    }

    fn playing(name: &str, frames: usize, now: Instant) -> Playout {
        let mut playout = Playout::default();
        playout.open(now);
        playout.push(&item(name), &vec![1_000; frames * SAMPLES]);
        playout
    }

    fn play_until(playout: &mut Playout, end: Instant) {
        while let Some(due) = playout.poll_timeout().filter(|due| *due <= end) {
            playout.poll_frame(due);
        }
    }

    fn heard_of(name: &str, heard: u64, of: u64) -> Heard {
        Heard { item: item(name), heard: ms(heard), of: ms(of) }
    }

    fn item(name: &str) -> ItemId {
        ItemId(name.to_owned())
    }

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }
}
