//! Playout: sends the agent's speech to the caller in frames of 20 ms, and tracks how much of each item was heard.

use crate::sample_queue::SampleQueue;
use crate::{FRAME, Frame, PER_MS, SAMPLES, duration};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A frame this late is not followed by a burst: the schedule restarts from now.
const RESYNC_AFTER: Duration = Duration::from_millis(100);

/// The longest playout queue, in samples: the model can be minutes ahead.
const LONGEST_QUEUE: usize = 300 * 1000 * PER_MS;

/// The playout queue of the agent's speech.
///
/// The model generates audio faster than real time, in chunks of any size, so it is queued here. Once
/// [open](Playout::open), take a frame at each [`Playout::poll_timeout`]; without speech the frame is silent, since
/// the RTP stream must never pause.
#[derive(Debug, Default)]
pub(crate) struct Playout {
    items: VecDeque<Item>,
    due: Option<Instant>,
    tail: Option<Frame>,
    recording: SampleQueue,
    finished: VecDeque<FinishedItem>,
}

/// An item of the conversation whose audio is not fully played.
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ItemEnd {
    Open,
    Complete,
    /// Its response or session ended before the item was complete.
    Abandoned,
}

/// The id of an item in the model's conversation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ItemId(pub String);

/// How much of an item the caller has heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayedItem {
    /// The item's id.
    pub item: ItemId,
    /// The audio of it that was sent to the caller.
    pub heard: Duration,
    /// The audio of it that was received from the model so far.
    pub of: Duration,
}

/// A frame that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlayoutFrame {
    /// The audio; `None` is silence.
    pub(crate) frame: Option<Frame>,
    /// The response it belongs to; `None` for silence, a recording, and the faded end of interrupted speech.
    pub(crate) response: Option<Arc<str>>,
    /// How late the frame is sent.
    pub(crate) late: Duration,
}

/// An item that is no longer played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FinishedItem {
    /// It was played to its end.
    Played(ItemId),
    /// Its end was not played: the queue was full, or the model never sent it.
    Cut(PlayedItem),
}

impl Playout {
    /// Starts the playout: the first frame is due now.
    pub(crate) fn open(&mut self, now: Instant) {
        self.due.get_or_insert(now);
    }

    /// Queues audio of an item, and returns how much was dropped because the queue was full.
    pub(crate) fn push(&mut self, response: &str, id: &ItemId, mut samples: Vec<i16>) -> Duration {
        let room = LONGEST_QUEUE.saturating_sub(self.items.iter().map(|item| item.waiting.len()).sum());
        let dropped = samples.len().saturating_sub(room);
        samples.truncate(room);
        let item = self.item(response, id);
        item.received += samples.len();
        item.dropped += dropped;
        item.waiting.push(samples);
        duration(dropped)
    }

    /// Notes that an item's audio is complete.
    pub(crate) fn finish(&mut self, id: &ItemId) {
        self.items.iter_mut().filter(|item| item.id == *id).for_each(|item| item.end = ItemEnd::Complete);
        self.remove_finished();
    }

    /// Notes that a response is over: its items get no more audio, complete or not.
    pub(crate) fn finish_response(&mut self, response: &str) {
        self.items.iter_mut().filter(|item| *item.response == *response).for_each(Item::abandon);
        self.remove_finished();
    }

    /// Notes that no item gets more audio, because the model's session is gone.
    pub(crate) fn finish_all(&mut self) {
        self.items.iter_mut().for_each(Item::abandon);
        self.remove_finished();
    }

    /// Plays a recording before the agent's speech, and in place of another recording.
    pub(crate) fn play_recording(&mut self, samples: Vec<i16>) {
        self.recording = SampleQueue::default();
        self.recording.push(samples);
    }

    /// Returns the duration of the queued speech.
    pub(crate) fn waiting(&self) -> Duration {
        duration(self.items.iter().map(|item| item.waiting.len()).sum())
    }

    /// Whether nothing is queued and no item is unfinished.
    pub(crate) fn is_idle(&self) -> bool {
        self.items.is_empty() && self.tail.is_none() && self.recording.is_empty()
    }

    /// Whether items of a response are queued or unfinished.
    pub(crate) fn has(&self, response: &str) -> bool {
        self.items.iter().any(|item| *item.response == *response)
    }

    /// Returns when the next frame is due, or `None` before the playout is open.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    /// Returns the frame that is due at `now`.
    pub(crate) fn poll_frame(&mut self, now: Instant) -> Option<PlayoutFrame> {
        let due = self.due.filter(|due| *due <= now)?;
        let late = now - due;
        self.due = Some(if late > RESYNC_AFTER { now + FRAME } else { due + FRAME });
        if let Some(frame) = self.tail.take().or_else(|| self.next_recorded_frame()) {
            return Some(PlayoutFrame { frame: Some(frame), response: None, late });
        }
        let (frame, response) = self.next_frame().unzip();
        Some(PlayoutFrame { frame, response, late })
    }

    /// Returns the next item that was played or cut without an interruption, each once.
    pub(crate) fn poll_finished(&mut self) -> Option<FinishedItem> {
        self.finished.pop_front()
    }

    /// Clears the queue and returns how much of each item was heard. One more frame of the current item is played,
    /// faded out, since speech cut hard clicks.
    pub(crate) fn interrupt(&mut self) -> Vec<PlayedItem> {
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

    /// Returns the next frame; a shorter rest is padded with silence, but only at the item's end.
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
            ItemEnd::Complete | ItemEnd::Abandoned => true,
        }
    }

    fn abandon(&mut self) {
        self.end = match self.end {
            ItemEnd::Open | ItemEnd::Abandoned => ItemEnd::Abandoned,
            ItemEnd::Complete => ItemEnd::Complete,
        };
    }

    fn heard(self) -> PlayedItem {
        let of = duration(self.received + self.dropped);
        PlayedItem { item: self.id, heard: duration(self.played), of }
    }

    /// Returns the report of an item that is no longer played, or `None` if it never had audio.
    fn finished(self) -> Option<FinishedItem> {
        let is_complete = self.end == ItemEnd::Complete && self.dropped == 0;
        let is_empty = self.received + self.dropped == 0;
        match (is_empty, is_complete) {
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
