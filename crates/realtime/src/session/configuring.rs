//! Configuring: one full update first of all, and once more without each optional part that is refused.

use super::{Session, SessionEvent};
use crate::api_error::Remedy;
use crate::link::{LinkId, Stage};
use crate::server_event::ErrorInfo;
use crate::{ApiError, ClientEvent, Failure, OptionalPart};
use std::time::Instant;

/// What an error means for a configuration that is on its way.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It was sent once more without a part.
    SentAgain,
    /// It is about a part that is left out by now: the answer to what was sent last is still to come.
    Stale,
    /// It is about something else.
    Other(ApiError),
}

impl Session {
    /// One full update, first of all.
    pub(super) fn configure(&mut self) {
        if self.link.stage == Stage::Connecting {
            self.link.stage = Stage::Configuring;
            self.send_configuration(self.link.id);
        }
    }

    /// Sends all of the configuration to a link, without the parts that are not taken.
    pub(super) fn send_configuration(&mut self, link: LinkId) {
        let mut reflexes = self.config.reflexes(self.greeted.is_over());
        // A session that is still being told what was said must not answer.
        reflexes.answers &= !self.was_ready;
        let event_id = self.name();
        let session = self.config.session(reflexes);
        let configured = [Some(&mut self.link), self.next.as_mut()].into_iter().flatten();
        configured.filter(|it| it.id == link).for_each(|it| it.update = Some(event_id.clone()));
        self.send_to(link, ClientEvent::SessionUpdate { event_id, session });
    }

    /// An error before the link in use was configured.
    pub(super) fn refuse(&mut self, error: ErrorInfo, now: Instant) {
        let trouble = match self.refused(self.link.id, error) {
            Refusal::SentAgain | Refusal::Stale => return,
            Refusal::Other(trouble) => trouble,
        };
        match trouble.remedy() {
            Remedy::Fail => self.fail(Failure::of(&trouble.code), now),
            Remedy::Wait | Remedy::Again | Remedy::Reconnect => self.lose(&trouble.code, now),
            // Whatever is wrong is not what we sent.
            Remedy::None | Remedy::Tell if !trouble.is_about_the_request() => self.lose(&trouble.code, now),
            Remedy::None | Remedy::Tell => self.fail(Failure::refused(&trouble.code), now),
        }
    }

    /// Leaves out the part that an error refuses, if it is about one, and configures the link once more.
    pub(super) fn refused(&mut self, link: LinkId, error: ErrorInfo) -> Refusal {
        let is_next = self.next.as_ref().is_some_and(|next| next.id == link);
        let configured = if is_next { self.next.as_mut() } else { Some(&mut self.link) };
        let Some(configured) = configured.filter(|link| link.stage == Stage::Configuring) else {
            return Refusal::Other(error.into());
        };
        let Some(part) = OptionalPart::refused_by(&error, &self.config.options) else {
            return Refusal::Other(error.into());
        };
        let is_about_the_last = error.event_id.is_some() && error.event_id == configured.update;
        let trouble = ApiError::from(error);
        configured.refused = Some(trouble.code.clone());
        if self.config.without.add(part) {
            self.refused_parts.push((part, trouble.code));
            self.send_configuration(link);
            return Refusal::SentAgain;
        }
        if is_about_the_last { Refusal::Other(trouble) } else { Refusal::Stale }
    }

    /// A configuration was taken: what is not in it is known not to be.
    pub(super) fn tell_refused_parts(&mut self) {
        for (part, code) in std::mem::take(&mut self.refused_parts) {
            self.happen(SessionEvent::PartRefused { part, code });
        }
    }
}
