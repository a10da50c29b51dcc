//! Handles errors of the server about `response.create`.

use super::{ANSWERS_LATE_WITHIN, Requested, ResponseQueue, ResponseRequest};
use std::time::Instant;

impl ResponseQueue {
    /// Handles the refusal of a response because another one is active: the requested one, or that of the caller's turn.
    pub(crate) fn refused_as_active(&mut self, event_id: Option<&str>, now: Instant) {
        let is_ours = |requested: &mut Requested| event_id.is_none_or(|id| id == requested.event_id);
        match self.requested.take_if(is_ours) {
            Some(
                Requested { request: ResponseRequest::Answer, fulfilled: true, .. }
                | Requested { cancelled: true, .. },
            ) => {}
            Some(Requested { request, .. }) => self.request_again(request),
            None => self.end_turn(true),
        }
        if self.ongoing.is_none() {
            self.not_before = Some(now + ANSWERS_LATE_WITHIN);
        }
    }

    /// Handles an error for one of our events, and returns what it requested, if it was a `response.create`.
    pub(crate) fn refused(&mut self, event_id: Option<&str>) -> Option<ResponseRequest> {
        let requested = self.requested.take_if(|requested| Some(requested.event_id.as_str()) == event_id)?;
        (!requested.cancelled).then_some(requested.request)
    }

    /// Handles an error without an event id, and returns the request, unless a response in progress could be meant.
    pub(crate) fn refused_without_id(&mut self) -> Option<ResponseRequest> {
        let requested = self.requested.take_if(|_| self.ongoing.is_none())?;
        (!requested.cancelled).then_some(requested.request)
    }
}
