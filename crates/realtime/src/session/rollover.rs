//! Rolling over: before a session ends, another one is opened and told what was said, in a silence.

use super::configuring::Refusal;
use super::server_events::left;
use super::{Session, SessionAction};
use crate::ServerEvent;
use crate::api_error::Remedy;
use crate::link::{Link, Stage};
use std::time::{Duration, Instant};

/// So long after one could not be had, another one is tried.
const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// The same, when only the operator can put it right: the session in use may outlast the call.
const LATER: Duration = Duration::from_secs(60);

impl Session {
    /// Opens the next link, or lets it take over, if it is time.
    pub(super) fn roll(&mut self, now: Instant) {
        if !self.link.is_ready() {
            return;
        }
        if self.next.as_ref().and_then(Link::impatient_at).is_some_and(|then| then <= now) {
            self.drop_next(true, false, now);
        }
        if self.rolls_at().is_some_and(|then| then <= now) {
            match self.next {
                None => self.open_next(now),
                Some(_) => self.swap(now),
            }
        }
    }

    /// When [`Session::roll`] has something to do.
    pub(super) fn rolls_at(&self) -> Option<Instant> {
        if !self.link.is_ready() {
            return None;
        }
        let must = self.link.must_roll_at();
        let may =
            self.link.rolls_at(self.config.margin, self.config.recycle_after).filter(|_| self.is_silent());
        let due = [must, may].into_iter().flatten().min();
        match &self.next {
            None => due.max(self.next_after.filter(|_| due.is_some())),
            Some(next) if next.stage == Stage::StandingBy => due,
            Some(next) => next.impatient_at(),
        }
    }

    /// Whether nobody would notice.
    fn is_silent(&self) -> bool {
        self.greeted.is_over() && self.link.gate.is_quiet() && !self.is_playing && !self.tools.are_open()
    }

    fn open_next(&mut self, now: Instant) {
        let next = Link::new(self.next_id(), Stage::Connecting, now);
        self.actions.push_back(SessionAction::Connect(next.id));
        self.next = Some(next);
    }

    /// What the server says to the link that is to take over.
    pub(super) fn hear_next(&mut self, event: ServerEvent, now: Instant, unix_now_s: u64) {
        let Some(next) = &mut self.next else { return };
        match (next.stage, event) {
            (Stage::Connecting, ServerEvent::SessionCreated { session }) => {
                next.stage = Stage::Configuring;
                next.expect_end(left(&session, unix_now_s), now);
                let id = next.id;
                self.send_configuration(id);
            }
            (Stage::Configuring, ServerEvent::SessionUpdated { session }) => {
                next.stage = Stage::StandingBy;
                next.expect_end(left(&session, unix_now_s), now);
                self.tell_refused_parts();
            }
            (_, ServerEvent::Error { error }) => {
                let id = next.id;
                if let Refusal::Other(trouble) = self.refused(id, error) {
                    self.drop_next(true, trouble.remedy() == Remedy::Fail, now);
                }
            }
            _ => {}
        }
    }

    /// It could not be had, or is not needed.
    pub(super) fn drop_next(&mut self, close: bool, is_hopeless: bool, now: Instant) {
        if let Some(next) = self.next.take() {
            self.next_after = Some(now + if is_hopeless { LATER } else { AGAIN_AFTER });
            if close {
                self.actions.push_back(SessionAction::Close(next.id));
            }
        }
    }

    fn swap(&mut self, now: Instant) {
        let is_standing_by = self.next.as_ref().is_some_and(|next| next.stage == Stage::StandingBy);
        if is_standing_by {
            self.let_go(true, now);
            self.restore(true, now);
        }
    }
}
