//! Tracks the caller's turn: commits one that the server VAD never ends, and marks one that holds only silence.

use super::{Session, SessionEvent};
use crate::{ApiError, ClientEvent, ItemId, TurnMode};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The longest turn before it is committed: hold music and traffic never pause for as long as the server VAD needs to end a turn.
const LONGEST_TURN: Duration = Duration::from_secs(45);

/// How far a turn's audio may start before the server reports it: its prefix padding, and a round trip.
const LOOKBACK: Duration = Duration::from_millis(1_500);

/// The samples in a 20 ms frame.
const FRAME: usize = 480;

/// The energy per sample below which a frame is silence: -50 dBFS.
const SILENCE_ENERGY: f64 = 104.0 * 104.0;

/// The fewest voiced frames of a turn that is not silence: even "hm" lasts longer.
const FEWEST_VOICED_FRAMES: usize = 5;

/// The state of the caller's turn.
#[derive(Debug, Default)]
pub(super) struct CallerTurn {
    /// When the caller began to speak, and the item id, empty while the server has not named it.
    speaking: Option<(Instant, ItemId)>,
    /// When voiced frames were sent, from shortly before the turn.
    voiced_frames: VecDeque<Instant>,
    /// When any audio was last sent, silence included.
    sent_at: Option<Instant>,
    /// Whether the last turn was silence and the server has not named its item yet.
    unnamed_silence: bool,
}

impl CallerTurn {
    /// Records which frames of the caller's audio are voiced.
    pub(super) fn note_audio(&mut self, samples: &[i16], now: Instant) {
        self.sent_at = Some(now);
        let is_speaking = self.speaking.is_some();
        while !is_speaking && self.voiced_frames.front().is_some_and(|at| *at + LOOKBACK < now) {
            self.voiced_frames.pop_front();
        }
        // Frames beyond the required number are not stored.
        let missing = FEWEST_VOICED_FRAMES.saturating_sub(self.voiced_frames.len());
        let frames = samples.chunks(FRAME).filter(|frame| has_audio(frame));
        let room = if is_speaking { missing } else { usize::MAX };
        self.voiced_frames.extend(frames.take(room).map(|_| now));
    }

    fn begin(&mut self, item: &ItemId, now: Instant) {
        self.voiced_frames.retain(|at| *at + LOOKBACK >= now);
        self.speaking = Some((now, item.clone()));
        self.unnamed_silence = false;
    }

    /// Names the item of a turn that began without one, and returns whether that turn is over and was silence.
    fn name(&mut self, item: &ItemId) -> bool {
        if let Some((_, name)) = self.speaking.as_mut().filter(|(_, name)| name.is_empty()) {
            name.clone_from(item);
        }
        std::mem::take(&mut self.unnamed_silence)
    }

    /// Ends the turn, and returns its item id if all of it was silence; the id is empty while the server has not named it.
    fn end(&mut self) -> Option<ItemId> {
        let (since, item) = self.speaking.take()?;
        let had_audio = self.sent_at.is_some_and(|at| at + LOOKBACK >= since);
        (had_audio && self.voiced_frames.len() < FEWEST_VOICED_FRAMES).then_some(item)
    }

    /// When the turn exceeds its longest duration.
    pub(super) fn commit_at(&self) -> Option<Instant> {
        self.speaking.as_ref().map(|(since, _)| *since + LONGEST_TURN)
    }

    /// Discards the turn of a session that was lost.
    pub(super) fn forget(&mut self) {
        self.speaking = None;
        self.unnamed_silence = false;
    }
}

impl Session {
    pub(super) fn begin_turn(&mut self, item: &ItemId, now: Instant) {
        self.caller_turn.begin(item, now);
    }

    /// Ends the caller's turn, and marks one of silence: transcribers invent text for silence.
    pub(super) fn end_turn(&mut self) {
        if let Some(item) = self.caller_turn.end() {
            self.mark_silent_turn(item);
        }
    }

    /// Marks an item as silent, so that its transcript is not replayed; an item without an id is marked when it gets one.
    pub(super) fn mark_silent_turn(&mut self, item: ItemId) {
        if item.is_empty() {
            self.caller_turn.unnamed_silence = true;
            return;
        }
        self.history.mark_caller_item_silent(&item);
        self.emit(SessionEvent::CallerWasSilent { item });
    }

    /// Handles the item id of a committed turn.
    pub(super) fn name_turn(&mut self, item: ItemId) {
        let (began_without, was_silent) =
            (std::mem::take(&mut self.link.has_unnamed_turn), self.caller_turn.name(&item));
        if item.is_empty() {
            return;
        }
        if began_without {
            self.history.add_caller_item(&item);
            self.emit(SessionEvent::CallerNamed { item: item.clone() });
        }
        if was_silent {
            self.mark_silent_turn(item);
        }
    }

    /// Commits a turn that lasts too long and requests an answer, which a commit alone does not.
    pub(super) fn commit_overlong_turn(&mut self, now: Instant) {
        // The service alone may commit what it carries itself.
        if self.is_sideband() || self.caller_turn.commit_at().is_none_or(|then| now < then) {
            return;
        }
        let event_id = self.new_id();
        self.send(ClientEvent::Commit { event_id });
        self.end_turn();
        self.link.queue.caller_stopped(now);
        if self.config.turns == TurnMode::Server {
            self.link.queue.end_turn(true);
        }
        self.emit(SessionEvent::SpeechStopped);
        let message = "the caller's turn lasted too long, and was committed".to_owned().into();
        self.emit(SessionEvent::ApiError(ApiError {
            code: "turn_without_end".to_owned(),
            message,
            kind: None,
        }));
    }
}

fn has_audio(frame: &[i16]) -> bool {
    let energy: f64 = frame.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    energy > SILENCE_ENERGY * frame.len() as f64
}
