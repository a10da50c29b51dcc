//! The caller's turn, while it lasts: whether our own meter hears anything in it, and when it has lasted too long.

use super::{Session, SessionEvent};
use crate::{ApiError, ClientEvent, TurnMode};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A turn that lasts longer is committed by us: hold music and traffic never pause for as long as a turn's end takes.
const LONGEST: Duration = Duration::from_secs(45);

/// How far back a turn may reach from when the server tells of its start: its padding, and the way there and back.
const BEFORE: Duration = Duration::from_millis(1_500);

/// Samples in 20 ms.
const FRAME: usize = 480;

/// A frame with less energy than this a sample is silence: -50 dBFS.
const SILENCE: f64 = 104.0 * 104.0;

/// A turn with fewer frames of sound than this is silence: even "hm" lasts longer.
const FEWEST: usize = 5;

/// What is known of the turn.
#[derive(Debug, Default)]
pub(super) struct CallerTurn {
    /// Since when the caller speaks, and as which item.
    speaking: Option<(Instant, String)>,
    /// When frames with sound in them were sent, since shortly before the turn.
    sounds: VecDeque<Instant>,
    /// When anything was sent last, be it silence.
    sent_at: Option<Instant>,
    /// A turn that is over, and has no name yet, was silence.
    unnamed_silence: bool,
}

impl CallerTurn {
    /// Notes the caller's sound on its way to the server.
    pub(super) fn note_sound(&mut self, samples: &[i16], now: Instant) {
        self.sent_at = Some(now);
        let is_speaking = self.speaking.is_some();
        while !is_speaking && self.sounds.front().is_some_and(|at| *at + BEFORE < now) {
            self.sounds.pop_front();
        }
        // More than a turn needs is not kept.
        let missing = FEWEST.saturating_sub(self.sounds.len());
        let frames = samples.chunks(FRAME).filter(|frame| has_sound(frame));
        let room = if is_speaking { missing } else { usize::MAX };
        self.sounds.extend(frames.take(room).map(|_| now));
    }

    fn begin(&mut self, item: &str, now: Instant) {
        self.sounds.retain(|at| *at + BEFORE >= now);
        self.speaking = Some((now, item.to_owned()));
        self.unnamed_silence = false;
    }

    /// A turn that began without a name goes by this one. Whether it is over, and was silence.
    fn name(&mut self, item: &str) -> bool {
        if let Some((_, name)) = self.speaking.as_mut().filter(|(_, name)| name.is_empty()) {
            item.clone_into(name);
        }
        std::mem::take(&mut self.unnamed_silence)
    }

    /// The turn is over. Its item, empty while it has no name, if all of it was silence.
    fn end(&mut self) -> Option<String> {
        let (since, item) = self.speaking.take()?;
        let was_listened_to = self.sent_at.is_some_and(|at| at + BEFORE >= since);
        (was_listened_to && self.sounds.len() < FEWEST).then_some(item)
    }

    /// When the turn will have lasted too long.
    pub(super) fn ends_by(&self) -> Option<Instant> {
        self.speaking.as_ref().map(|(since, _)| *since + LONGEST)
    }

    /// Notes that the session that heard the caller is gone.
    pub(super) fn forget(&mut self) {
        self.speaking = None;
        self.unnamed_silence = false;
    }
}

impl Session {
    pub(super) fn begin_turn(&mut self, item: &str, now: Instant) {
        self.turn.begin(item, now);
    }

    /// The caller is heard no more. What is written down of a turn of silence is made up.
    pub(super) fn end_turn(&mut self) {
        if let Some(item) = self.turn.end() {
            self.take_for_silence(item);
        }
    }

    /// Nothing was said in this item, whatever is written down of it. One without a name is marked when it has one.
    pub(super) fn take_for_silence(&mut self, item: String) {
        if item.is_empty() {
            self.turn.unnamed_silence = true;
            return;
        }
        self.mirror.caller_was_silent(&item);
        self.happen(SessionEvent::CallerWasSilent { item });
    }

    /// A turn that began without a name goes by this one.
    pub(super) fn name_turn(&mut self, item: String) {
        let (began_without, was_silent) =
            (std::mem::take(&mut self.link.has_unnamed_turn), self.turn.name(&item));
        if item.is_empty() {
            return;
        }
        if began_without {
            self.mirror.caller_speaks(&item);
            self.happen(SessionEvent::CallerNamed { item: item.clone() });
        }
        if was_silent {
            self.take_for_silence(item);
        }
    }

    /// Commits a turn that does not end by itself, and has it answered: a commit alone is not.
    pub(super) fn end_endless_turn(&mut self, now: Instant) {
        if self.turn.ends_by().is_none_or(|then| now < then) {
            return;
        }
        let event_id = self.name();
        self.send(ClientEvent::Commit { event_id });
        self.end_turn();
        self.link.gate.caller_stopped(now);
        if self.config.turns == TurnMode::Server {
            self.link.gate.yielded(true);
        }
        self.happen(SessionEvent::CallerStopped);
        let message = "the caller's turn lasted too long, and was committed".to_owned().into();
        self.happen(SessionEvent::Troubled(ApiError {
            code: "turn_without_end".to_owned(),
            message,
            kind: None,
        }));
    }
}

fn has_sound(frame: &[i16]) -> bool {
    let energy: f64 = frame.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    energy > SILENCE * frame.len() as f64
}
