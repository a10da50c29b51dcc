//! Configures a session with one full `session.update`, and again without each optional part that the service refuses.

use super::{Session, SessionEvent};
use crate::api_error::Remedy;
use crate::link::{LinkId, Stage};
use crate::server_event::ErrorInfo;
use crate::{ApiError, ClientEvent, Failure, OptionalPart};
use std::time::Instant;

/// What an error means for a configuration in progress.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The configuration was sent again without the refused part.
    SentAgain,
    /// The error is about a part that is already left out: the reply to the last update is still to come.
    Stale,
    /// The error is not about an optional part.
    Other(ApiError),
}

impl Session {
    /// Sends the full configuration to a link whose session was just created, or holds the link until there is one.
    pub(super) fn configure(&mut self) {
        match self.link.stage {
            Stage::Connecting if self.is_held => self.link.stage = Stage::Held,
            Stage::Connecting | Stage::Held => {
                self.link.stage = Stage::Configuring;
                self.send_configuration(self.link.id);
            }
            Stage::Waiting(_) | Stage::Configuring | Stage::StandingBy | Stage::Ready => {}
        }
    }

    /// Sends the full configuration to a link, without the parts that the service refused.
    pub(super) fn send_configuration(&mut self, link: LinkId) {
        let mut turn_taking = self.config.turn_taking(self.greeting.is_over());
        // A session whose conversation history is still being replayed must not answer.
        turn_taking.answers &= !self.was_ready;
        let event_id = self.new_id();
        let session = self.config.session(turn_taking);
        let configured = [Some(&mut self.link), self.next.as_mut()].into_iter().flatten();
        configured.filter(|it| it.id == link).for_each(|it| {
            it.update = Some(event_id.clone());
            it.instructions_revision = self.instructions_revision;
        });
        self.send_to(link, ClientEvent::SessionUpdate { event_id, session });
    }

    /// Handles an error that arrives before the link in use is configured.
    pub(super) fn handle_configuration_error(&mut self, error: ErrorInfo, now: Instant) {
        let error = match self.leave_out_refused_part(self.link.id, error) {
            Refusal::SentAgain | Refusal::Stale => return,
            Refusal::Other(error) => error,
        };
        match error.remedy() {
            Remedy::Fail => self.fail(Failure::of(&error.code), now),
            Remedy::Wait | Remedy::Again | Remedy::Reconnect => self.abandon_link(&error.code, now),
            // The error type says that the request was valid, so another session may accept it.
            Remedy::None | Remedy::Tell if !error.is_about_the_request() => {
                self.abandon_link(&error.code, now)
            }
            Remedy::None | Remedy::Tell => self.fail(Failure::refused(&error.code), now),
        }
    }

    /// Leaves out the optional part that an error refuses, if it names one, and configures the link again.
    pub(super) fn leave_out_refused_part(&mut self, link: LinkId, error: ErrorInfo) -> Refusal {
        let is_next = self.next.as_ref().is_some_and(|next| next.id == link);
        let configured = if is_next { self.next.as_mut() } else { Some(&mut self.link) };
        let Some(configured) = configured.filter(|link| link.stage == Stage::Configuring) else {
            return Refusal::Other(error.into());
        };
        let refused = OptionalPart::refused_by(&error, &self.config.options);
        let Some(part) = refused.filter(|part| part.is_optional_with(self.config.audio)) else {
            return Refusal::Other(error.into());
        };
        let is_about_the_last = error.event_id.is_some() && error.event_id == configured.update;
        let error = ApiError::from(error);
        configured.refused = Some(error.code.clone());
        if self.config.without.add(part) {
            self.refused_parts.push((part, error.code));
            self.send_configuration(link);
            return Refusal::SentAgain;
        }
        if is_about_the_last { Refusal::Other(error) } else { Refusal::Stale }
    }

    /// Reports the parts that an accepted configuration leaves out.
    pub(super) fn report_refused_parts(&mut self) {
        for (part, code) in std::mem::take(&mut self.refused_parts) {
            self.emit(SessionEvent::PartRefused { part, code });
        }
    }
}
