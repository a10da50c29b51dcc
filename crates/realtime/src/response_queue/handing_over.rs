//! Hands the requests of a lost connection over to the next one.

use super::{ResponseQueue, ResponseRequest, Turn};
use std::time::Instant;

impl ResponseQueue {
    /// Returns what the next link must request: whether an answer, and a prompt. A caller who was speaking is to be answered, too.
    ///
    /// With `has_called`, the answer in progress is requested once its tools have outputs, and not before.
    pub(crate) fn into_pending(self, has_called: bool) -> (bool, Option<ResponseRequest>) {
        let (mut answer, mut pending_prompt) =
            (self.is_answer_pending || self.turn != Turn::None, self.pending_prompt);
        let under_way =
            self.requested.filter(|requested| !requested.cancelled).map(|requested| requested.request);
        // A response that was cancelled because it stalled is still wanted.
        let unfinished = self.ongoing.filter(|ongoing| ongoing.cancelled_at.is_none() || ongoing.stalled);
        let unfinished = unfinished
            .map(|ongoing| ongoing.request)
            .filter(|request| !(has_called && *request == ResponseRequest::Answer));
        for request in under_way.into_iter().chain(unfinished) {
            match request {
                ResponseRequest::Answer | ResponseRequest::Greeting => {
                    answer |= request == ResponseRequest::Answer
                }
                ResponseRequest::Prompt { prompt, insists } => {
                    pending_prompt = pending_prompt
                        .filter(|(_, pending_insists)| *pending_insists || !insists)
                        .or(Some((prompt, insists)));
                }
            }
        }
        (answer, pending_prompt.map(|(prompt, insists)| ResponseRequest::Prompt { prompt, insists }))
    }

    /// Returns what a new connection to the same session still has to request: what is pending, and after `not_before` what the session may
    /// not have received.
    ///
    /// A response in progress goes on by itself, and the server answers the caller by itself.
    pub(crate) fn into_outstanding(self, not_before: Instant) -> Self {
        let mut outstanding = Self {
            is_greeting_pending: self.is_greeting_pending,
            is_answer_pending: self.is_answer_pending,
            pending_prompt: self.pending_prompt,
            not_before: self.not_before,
            ..Self::default()
        };
        if let Some(requested) = self.requested.filter(|requested| !requested.cancelled) {
            outstanding.request_later(requested.request, not_before);
        }
        outstanding
    }
}
