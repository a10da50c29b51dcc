//! Cancels prompts of the server's idle timer that come too early.
//!
//! The idle timer makes the model speak after a silence. Some timers run from before they were set, and expire straight after the greeting,
//! when the caller had no time to answer.

use super::{Session, SessionEvent};
use crate::options::TurnDetection;
use crate::server_event::Response;
use crate::{ApiError, ItemId, ResponseId};
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// The error code of an early idle prompt in the journal.
const TOO_EARLY: &str = "idle_timeout_too_early";

/// The state of the server's idle timer.
#[derive(Debug, Default)]
pub(super) struct IdleTimer {
    /// When playback to the caller last stopped.
    silent_since: Option<Instant>,
    /// Whether the next response of the server's own is an early idle prompt.
    is_early: bool,
    /// The cancelled idle prompts, by response id, until they end.
    prompts: HashSet<ResponseId>,
}

impl IdleTimer {
    pub(super) fn playback_stopped(&mut self, now: Instant) {
        self.silent_since = Some(now);
    }

    /// Records that the next response is no idle prompt: the caller spoke, or the session was lost.
    pub(super) fn expect_no_prompt(&mut self) {
        self.is_early = false;
    }
}

impl Session {
    /// Records that the idle timer expired: a response of the server's own follows.
    pub(super) fn note_idle_timeout(&mut self, now: Instant) {
        self.idle_timer.is_early = self.is_idle_timeout_early(now);
    }

    /// Cancels the response of an idle timer that expired too early.
    pub(super) fn cancel_early_idle_prompt(&mut self, response: &Response, now: Instant) {
        if !std::mem::take(&mut self.idle_timer.is_early) || response.client_event_id().is_some() {
            return;
        }
        if let Some(id) = self.link.queue.cancel(now) {
            self.idle_timer.prompts.insert(id.clone());
            self.cancel(id);
            let (code, message) = (TOO_EARLY.to_owned(), String::new().into());
            self.emit(SessionEvent::ApiError(ApiError { code, message, kind: None }));
        }
    }

    /// Deletes the items of a cancelled idle prompt: the model must not believe that they were heard.
    pub(super) fn delete_idle_prompt(&mut self, response: &ResponseId) {
        if !self.idle_timer.prompts.remove(response) {
            return;
        }
        let items = self.link.items.iter().filter(|(_, item)| item.response == *response);
        let items: Vec<ItemId> = items.map(|(id, _)| id.clone()).collect();
        for item in items {
            self.link.items.remove(&item);
            self.delete(&item);
        }
    }

    /// Whether the silence so far is clearly shorter than the idle timer.
    ///
    /// The server's timer starts when it believes that all audio was played, a little before the caller has heard it.
    fn is_idle_timeout_early(&self, now: Instant) -> bool {
        let TurnDetection::Server(vad) = &self.config.options.turn_detection else { return false };
        let Some(idle) = vad.idle_timeout_ms else { return false };
        let least = Duration::from_millis(u64::from(idle)) * 3 / 4;
        self.is_playing || self.idle_timer.silent_since.is_none_or(|since| now < since + least)
    }
}
