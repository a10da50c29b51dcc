//! Session rollover: before a session expires, opens another one and switches to it in a pause of the conversation.

use super::configuring::Refusal;
use super::server_events::remaining_time;
use super::{Session, SessionAction};
use crate::ServerEvent;
use crate::api_error::Remedy;
use crate::link::{Link, Stage};
use std::time::{Duration, Instant};

/// The wait before another next link is opened after one failed.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// The same after a permanent failure, which only the operator can fix: the session in use may outlast the call.
const RETRY_PERMANENT_AFTER: Duration = Duration::from_secs(60);

impl Session {
    /// Opens the next link, or switches to it, when it is time.
    pub(super) fn roll_over(&mut self, now: Instant) {
        if self.is_sideband() {
            return self.announce_end(now);
        }
        if !self.link.is_ready() {
            return;
        }
        if self.next.as_ref().and_then(Link::stage_deadline).is_some_and(|then| then <= now) {
            self.drop_next(true, false, now);
        }
        if self.rollover_at().is_some_and(|then| then <= now) {
            match self.next {
                None => self.open_next(now),
                Some(_) => self.switch_to_next(now),
            }
        }
    }

    /// When [`Session::roll_over`] has something to do.
    pub(super) fn rollover_at(&self) -> Option<Instant> {
        if self.is_sideband() {
            return self.end_announced_at();
        }
        if !self.link.is_ready() {
            return None;
        }
        let must = self.link.rollover_deadline();
        let may = self
            .link
            .rollover_at(self.config.margin, self.config.recycle_after)
            .filter(|_| self.is_conversation_idle());
        let due = [must, may].into_iter().flatten().min();
        match &self.next {
            None => due.max(self.next_not_before.filter(|_| due.is_some())),
            Some(next) if next.stage == Stage::StandingBy => due,
            Some(next) => next.stage_deadline(),
        }
    }

    /// Whether the conversation pauses, so that a switch goes unnoticed.
    fn is_conversation_idle(&self) -> bool {
        self.greeting.is_over() && self.link.queue.is_quiet() && !self.is_playing && !self.tools.are_open()
    }

    fn open_next(&mut self, now: Instant) {
        let next = Link::new(self.next_id(), Stage::Connecting, now);
        self.actions.push_back(SessionAction::Connect(next.id));
        self.next = Some(next);
    }

    /// Handles a server event of the link that will take over.
    pub(super) fn handle_next_event(&mut self, event: ServerEvent, now: Instant, unix_now_s: u64) {
        let Some(next) = &mut self.next else { return };
        match (next.stage, event) {
            (Stage::Connecting, ServerEvent::SessionCreated { session }) => {
                next.stage = Stage::Configuring;
                next.expect_end(remaining_time(&session, unix_now_s), now);
                let id = next.id;
                self.send_configuration(id);
            }
            (Stage::Configuring, ServerEvent::SessionUpdated { session }) => {
                next.stage = Stage::StandingBy;
                next.expect_end(remaining_time(&session, unix_now_s), now);
                self.report_refused_parts();
            }
            (_, ServerEvent::Error { error }) => {
                let id = next.id;
                if let Refusal::Other(error) = self.leave_out_refused_part(id, error) {
                    self.drop_next(true, error.remedy() == Remedy::Fail, now);
                }
            }
            _ => {}
        }
    }

    /// Drops the next link, because it failed or is not needed.
    pub(super) fn drop_next(&mut self, close: bool, is_permanent: bool, now: Instant) {
        if let Some(next) = self.next.take() {
            self.next_not_before = Some(now + if is_permanent { RETRY_PERMANENT_AFTER } else { RETRY_AFTER });
            if close {
                self.actions.push_back(SessionAction::Close(next.id));
            }
        }
    }

    fn switch_to_next(&mut self, now: Instant) {
        let is_standing_by = self.next.as_ref().is_some_and(|next| next.stage == Stage::StandingBy);
        if is_standing_by {
            self.replace_link(true, now);
            self.restore(true, now);
        }
    }
}
