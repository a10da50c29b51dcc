//! Plays the agent's speech to the caller, one frame every twenty milliseconds,
//! and knows at any moment how much of it the caller has heard.

use crate::sample_queue::SampleQueue;
use crate::{FRAME, Frame, PER_MS, SAMPLES, duration};
use std::collections::VecDeque;
use std::sync::Arc;
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
    recording: SampleQueue,
    finished: VecDeque<FinishedItem>,
}

/// An item of the model's answer, as far as it is not played.
#[derive(Debug)]
struct Item {
    id: ItemId,
    response: Arc<str>,
    waiting: SampleQueue,
    received: usize,
    played: usize,
    dropped: usize,
    end: ItemEnd,
}

/// Whether more of an item may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ItemEnd {
    Open,
    Whole,
    /// It was left unfinished.
    Abandoned,
}

/// The name of an item of the agent's speech.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ItemId(pub String);

/// How much of an item the caller was played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayedItem {
    /// Which.
    pub item: ItemId,
    /// How much was sent to the caller.
    pub heard: Duration,
    /// How much there was, so far.
    pub of: Duration,
}

/// A frame that was due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayoutFrame {
    /// Its sound; `None` is silence.
    pub frame: Option<Frame>,
    /// The response of which it is more; `None` for silence, a recording, and the fading end of what was cut.
    pub response: Option<Arc<str>>,
    /// How late it is.
    pub late: Duration,
}

/// An item of which nothing more will be played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FinishedItem {
    /// All of it was.
    Played(ItemId),
    /// All of it that there was: there was no room for the rest, or the rest never came.
    Cut(PlayedItem),
}

impl Playout {
    /// Starts playing: the first frame is due now.
    pub fn open(&mut self, now: Instant) {
        self.due.get_or_insert(now);
    }

    /// Queues more of an item of a response. Beyond five minutes of waiting speech the rest is dropped; how much, is
    /// returned.
    pub fn push(&mut self, response: &str, id: &ItemId, mut samples: Vec<i16>) -> Duration {
        let room = LONGEST_QUEUE.saturating_sub(self.items.iter().map(|item| item.waiting.len()).sum());
        let dropped = samples.len().saturating_sub(room);
        samples.truncate(room);
        let item = self.item(response, id);
        item.received += samples.len();
        item.dropped += dropped;
        item.waiting.push(samples);
        duration(dropped)
    }

    /// Notes that an item is whole: nothing more will come.
    pub fn finish(&mut self, id: &ItemId) {
        self.items.iter_mut().filter(|item| item.id == *id).for_each(|item| item.end = ItemEnd::Whole);
        self.remove_finished();
    }

    /// Notes that a response is over: nothing more will come of it, whether or not its items are whole.
    pub fn finish_response(&mut self, response: &str) {
        self.items.iter_mut().filter(|item| *item.response == *response).for_each(Item::abandon);
        self.remove_finished();
    }

    /// Notes that nothing more will come of any item: whoever was saying them is gone.
    pub fn finish_all(&mut self) {
        self.items.iter_mut().for_each(Item::abandon);
        self.remove_finished();
    }

    /// Plays a recording, before anything the agent says and instead of any other.
    pub fn play_recording(&mut self, samples: Vec<i16>) {
        self.recording = SampleQueue::default();
        self.recording.push(samples);
    }

    /// How much speech is waiting.
    pub fn waiting(&self) -> Duration {
        duration(self.items.iter().map(|item| item.waiting.len()).sum())
    }

    /// Whether nothing is to be played, nor more of an item to be expected.
    pub fn is_idle(&self) -> bool {
        self.items.is_empty() && self.tail.is_none() && self.recording.is_empty()
    }

    /// Whether something of a response is still to be played.
    pub fn has(&self, response: &str) -> bool {
        self.items.iter().any(|item| *item.response == *response)
    }

    /// When the next frame is due; `None` before it is open.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    /// The frame that is due, if one is.
    pub fn poll_frame(&mut self, now: Instant) -> Option<PlayoutFrame> {
        let due = self.due.filter(|due| *due <= now)?;
        let late = now - due;
        self.due = Some(if late > RESYNC_AFTER { now + FRAME } else { due + FRAME });
        if let Some(frame) = self.tail.take().or_else(|| self.next_recorded_frame()) {
            return Some(PlayoutFrame { frame: Some(frame), response: None, late });
        }
        let (frame, response) = self.next_frame().unzip();
        Some(PlayoutFrame { frame, response, late })
    }

    /// The next item of which nothing more will be played, though nobody interrupted it. Each is told once.
    pub fn poll_finished(&mut self) -> Option<FinishedItem> {
        self.finished.pop_front()
    }

    /// Forgets everything not yet played and reports how much of each item was. One more frame, faded, is
    /// still played of what was being said: a word cut hard clicks.
    pub fn interrupt(&mut self) -> Vec<PlayedItem> {
        let fading = self.items.front().is_some_and(|item| item.played > 0 && !item.waiting.is_empty());
        let tail = if fading { self.next_frame() } else { None };
        self.tail = tail.map(|(frame, _)| faded(frame)).or(self.tail.take());
        let heard = self.items.drain(..).map(Item::heard);
        heard.collect()
    }

    fn item(&mut self, response: &str, id: &ItemId) -> &mut Item {
        let known = self.items.iter().position(|item| item.id == *id);
        let at = known.unwrap_or_else(|| {
            self.items.push_back(Item::new(response, id));
            self.items.len() - 1
        });
        &mut self.items[at]
    }

    fn next_recorded_frame(&mut self) -> Option<Frame> {
        (!self.recording.is_empty()).then(|| self.recording.take_frame().0)
    }

    fn next_frame(&mut self) -> Option<(Frame, Arc<str>)> {
        let item = self.items.front_mut()?;
        let frame = item.next_frame()?;
        let response = item.response.clone();
        self.remove_finished();
        Some((frame, response))
    }

    fn remove_finished(&mut self) {
        while let Some(item) = self.items.pop_front_if(|item| item.has_ended() && item.waiting.is_empty()) {
            self.finished.extend(item.finished());
        }
    }
}

impl Item {
    fn new(response: &str, id: &ItemId) -> Self {
        Self {
            id: id.clone(),
            response: response.into(),
            waiting: SampleQueue::default(),
            received: 0,
            played: 0,
            dropped: 0,
            end: ItemEnd::Open,
        }
    }

    /// A frame's worth; less only at the item's end, padded with silence.
    fn next_frame(&mut self) -> Option<Frame> {
        let is_end = self.has_ended() && !self.waiting.is_empty();
        if self.waiting.len() < SAMPLES && !is_end {
            return None;
        }
        let (frame, count) = self.waiting.take_frame();
        self.played += count;
        Some(frame)
    }

    fn has_ended(&self) -> bool {
        match self.end {
            ItemEnd::Open => false,
            ItemEnd::Whole | ItemEnd::Abandoned => true,
        }
    }

    fn abandon(&mut self) {
        self.end = match self.end {
            ItemEnd::Open | ItemEnd::Abandoned => ItemEnd::Abandoned,
            ItemEnd::Whole => ItemEnd::Whole,
        };
    }

    fn heard(self) -> PlayedItem {
        let of = duration(self.received + self.dropped);
        PlayedItem { item: self.id, heard: duration(self.played), of }
    }

    /// What is to be said of an item that was played to its end; nothing, if there was no sound in it.
    fn finished(self) -> Option<FinishedItem> {
        let is_whole = self.end == ItemEnd::Whole && self.dropped == 0;
        let is_empty = self.received + self.dropped == 0;
        match (is_empty, is_whole) {
            (true, _) => None,
            (false, true) => Some(FinishedItem::Played(self.id)),
            (false, false) => Some(FinishedItem::Cut(self.heard())),
        }
    }
}

fn faded(mut frame: Frame) -> Frame {
    for (n, sample) in frame.iter_mut().enumerate() {
        *sample = (i32::from(*sample) * (SAMPLES - n) as i32 / SAMPLES as i32) as i16;
    }
    frame
}

#[cfg(test)]
#[path = "playout_tests.rs"]
mod tests;
