//! The server's idle timer: the model speaks by itself after a silence. Some timers run from before they were set and
//! expire straight after the greeting: such a prompt is not for a caller who had no time to answer.

use super::{Session, SessionEvent};
use crate::ApiError;
use crate::options::TurnDetection;
use crate::server_event::Response;
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// What a prompt that comes too early is called in the journal.
const TOO_EARLY: &str = "idle_timeout_too_early";

/// What is known of silences.
#[derive(Debug, Default)]
pub(super) struct IdleTimer {
    /// When the caller was last played something.
    quiet_since: Option<Instant>,
    /// The next response is the server's own, and a prompt that comes too early.
    is_early: bool,
    /// Responses that were such prompts, until they end.
    prompts: HashSet<String>,
}

impl IdleTimer {
    pub(super) fn fell_silent(&mut self, now: Instant) {
        self.quiet_since = Some(now);
    }

    /// The caller speaks, or the session is lost: the response that comes next is no prompt.
    pub(super) fn expect_no_prompt(&mut self) {
        self.is_early = false;
    }
}

impl Session {
    /// The server's idle timer has expired: a response of its own follows.
    pub(super) fn idled(&mut self, now: Instant) {
        self.idling.is_early = self.has_hardly_been_silent(now);
    }

    /// Cancels a prompt that comes too early.
    pub(super) fn hush_idle_prompt(&mut self, response: &Response, now: Instant) {
        if !std::mem::take(&mut self.idling.is_early) || response.asked_by().is_some() {
            return;
        }
        if let Some(id) = self.link.gate.cancel(now) {
            self.idling.prompts.insert(id.clone());
            self.cancel(id);
            let (code, message) = (TOO_EARLY.to_owned(), String::new().into());
            self.happen(SessionEvent::Troubled(ApiError { code, message, kind: None }));
        }
    }

    /// What a cancelled prompt says was not heard: the model must not believe that it was.
    pub(super) fn delete_idle_prompt(&mut self, response: &str) {
        if !self.idling.prompts.remove(response) {
            return;
        }
        let items = self.link.items.iter().filter(|(_, item)| item.response == response);
        let items: Vec<String> = items.map(|(id, _)| id.clone()).collect();
        for item in items {
            self.link.items.remove(&item);
            self.delete(&item);
        }
    }

    /// Whether the silence so far is clearly shorter than the timer. The server's begins when it believes that all was
    /// played, which is a little before the caller has heard it.
    fn has_hardly_been_silent(&self, now: Instant) -> bool {
        let TurnDetection::Server(vad) = &self.config.options.turn_detection else { return false };
        let Some(idle) = vad.idle_timeout_ms else { return false };
        let least = Duration::from_millis(u64::from(idle)) * 3 / 4;
        self.is_playing || self.idling.quiet_since.is_none_or(|since| now < since + least)
    }
}
