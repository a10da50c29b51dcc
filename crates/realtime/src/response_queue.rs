//! The response queue: lets one `response.create` through at a time.
//!
//! Only one response at a time may write to the conversation, so the next one waits for the end of the last. A request that the answer to
//! the caller's turn satisfies is not sent a second time.

mod handing_over;
mod refusals;
mod timeouts;

use crate::ResponseId;
use crate::server_event::Response;
use std::time::{Duration, Instant};

/// How long a response may take to start after it was requested, or after the caller's turn.
pub(crate) const STARTS_WITHIN: Duration = Duration::from_secs(10);

/// How long a response in progress may show no progress.
pub(crate) const PROGRESS_WITHIN: Duration = Duration::from_secs(8);

/// The same before its first progress, for a model with high reasoning effort.
pub(crate) const THINKS_WITHIN: Duration = Duration::from_secs(40);

/// How long the server may take to answer, by itself, a turn that ended during a response that was not interrupted.
const ANSWERS_LATE_WITHIN: Duration = Duration::from_millis(500);

/// What a response is requested for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ResponseRequest {
    Greeting,
    /// An answer to what is new in the conversation.
    Answer,
    /// A prompt out of turn; unless it `insists`, it is dropped when the caller speaks.
    Prompt {
        prompt: String,
        insists: bool,
    },
}

/// Pending response requests, and the response in progress.
#[derive(Debug, Default)]
pub(crate) struct ResponseQueue {
    ongoing: Option<Ongoing>,
    requested: Option<Requested>,
    /// The event id of a request that timed out; its response is cancelled if it starts after all.
    late: Option<String>,
    is_greeting_pending: bool,
    is_answer_pending: bool,
    pending_prompt: Option<(String, bool)>,
    turn: Turn,
    not_before: Option<Instant>,
    /// Timeouts in a row.
    timeouts: u32,
    hosted_tools: u32,
}

#[derive(Debug)]
struct Ongoing {
    id: ResponseId,
    request: ResponseRequest,
    last_progress_at: Instant,
    /// How long it may show no progress.
    progress_within: Duration,
    cancelled_at: Option<Instant>,
    stalled: bool,
}

#[derive(Debug)]
struct Requested {
    event_id: String,
    request: ResponseRequest,
    at: Instant,
    cancelled: bool,
    /// Whether another response started that already answers what this one is for.
    fulfilled: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Turn {
    #[default]
    None,
    Speaking,
    /// The server or the local turn detection decides about the answer until then.
    AwaitingAnswer {
        until: Instant,
        collided: bool,
    },
}

/// Whether a response that started is wanted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ResponseStart {
    Wanted,
    /// It is to be cancelled: it was interrupted before it started, or had timed out.
    Unwanted,
}

/// What to do after a timeout.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ResponseTimeout {
    /// Cancel this response, which is then requested again.
    Cancel(ResponseId),
    /// Replace the link, which does not respond.
    ReplaceLink,
}

impl ResponseQueue {
    pub(crate) fn request(&mut self, request: ResponseRequest) {
        match request {
            ResponseRequest::Greeting => self.is_greeting_pending = true,
            ResponseRequest::Answer => self.is_answer_pending = true,
            ResponseRequest::Prompt { insists: false, .. }
                if self.turn != Turn::None || self.has_insistent_prompt() => {}
            ResponseRequest::Prompt { prompt, insists } => self.pending_prompt = Some((prompt, insists)),
        }
    }

    /// Requests a response again. A prompt that is pending stays, unless only this one insists.
    pub(crate) fn request_again(&mut self, request: ResponseRequest) {
        let is_replaced = match (&request, &self.pending_prompt) {
            (ResponseRequest::Prompt { insists, .. }, Some((_, pending_insists))) => {
                *pending_insists || !insists
            }
            (ResponseRequest::Prompt { .. }, None)
            | (ResponseRequest::Greeting | ResponseRequest::Answer, _) => false,
        };
        if !is_replaced {
            self.request(request);
        }
    }

    /// Whether a prompt that insists is pending.
    fn has_insistent_prompt(&self) -> bool {
        self.pending_prompt.as_ref().is_some_and(|(_, insists)| *insists)
    }

    /// Requests a response again, not before that time.
    pub(crate) fn request_later(&mut self, request: ResponseRequest, not_before: Instant) {
        self.request_again(request);
        self.wait_until(not_before);
    }

    /// Sends no request before that time.
    pub(crate) fn wait_until(&mut self, not_before: Instant) {
        self.not_before = Some(not_before);
    }

    pub(crate) fn caller_started(&mut self) {
        self.turn = Turn::Speaking;
        self.pending_prompt = self.pending_prompt.take().filter(|(_, insists)| *insists);
    }

    /// Records the end of the caller's speech: the server or the local turn detection now decides about the answer.
    pub(crate) fn caller_stopped(&mut self, now: Instant) {
        self.turn = Turn::AwaitingAnswer { until: now + STARTS_WITHIN, collided: false };
    }

    /// Ends the caller's turn, and requests an answer if `answer` is set.
    pub(crate) fn end_turn(&mut self, answer: bool) {
        self.turn = Turn::None;
        self.is_answer_pending |= answer;
    }

    /// Returns the next request to send, after which the caller calls [`ResponseQueue::requested`].
    pub(crate) fn poll(&mut self, now: Instant) -> Option<ResponseRequest> {
        if !self.is_idle() || self.not_before.is_some_and(|then| now < then) {
            return None;
        }
        self.not_before = None;
        let may_answer = self.turn == Turn::None;
        if std::mem::take(&mut self.is_greeting_pending) {
            return Some(ResponseRequest::Greeting);
        }
        if may_answer && std::mem::take(&mut self.is_answer_pending) {
            return Some(ResponseRequest::Answer);
        }
        self.pending_prompt.take().map(|(prompt, insists)| ResponseRequest::Prompt { prompt, insists })
    }

    pub(crate) fn requested(&mut self, event_id: String, request: ResponseRequest, now: Instant) {
        self.requested = Some(Requested { event_id, request, at: now, cancelled: false, fulfilled: false });
    }

    /// Records that a response started.
    ///
    /// `is_up_to_date` says that it takes every created item into account; `first_progress_within` is how long it may take until its first
    /// progress.
    pub(crate) fn response_started(
        &mut self,
        response: &Response,
        is_up_to_date: bool,
        first_progress_within: Duration,
        now: Instant,
    ) -> ResponseStart {
        let by = response.client_event_id();
        let is_late = by.is_some() && by == self.late.as_deref();
        let ours = self.requested.take_if(|requested| match by {
            Some(by) => by == requested.event_id,
            // Some servers do not echo the metadata.
            None => !matches!(self.turn, Turn::AwaitingAnswer { .. }),
        });
        if let Turn::AwaitingAnswer { .. } = self.turn {
            self.turn = Turn::None;
        }
        let unwanted = is_late || ours.as_ref().is_some_and(|ours| ours.cancelled);
        let request = ours.map(|ours| ours.request).unwrap_or_else(|| {
            self.fulfil(is_up_to_date && !is_late);
            ResponseRequest::Answer
        });
        let cancelled_at = unwanted.then_some(now);
        self.ongoing = Some(Ongoing {
            id: response.id.clone(),
            request,
            last_progress_at: now,
            progress_within: first_progress_within,
            cancelled_at,
            stalled: false,
        });
        if unwanted { ResponseStart::Unwanted } else { ResponseStart::Wanted }
    }

    /// Drops the pending answer when a response of the server's own answers the same.
    fn fulfil(&mut self, is_up_to_date: bool) {
        if is_up_to_date {
            self.is_answer_pending = false;
            self.requested.iter_mut().for_each(|requested| requested.fulfilled = true);
        }
    }

    /// Records progress of a response.
    pub(crate) fn note_progress(&mut self, id: &ResponseId, now: Instant) {
        if let Some(ongoing) = self.ongoing.as_mut().filter(|ongoing| ongoing.id == *id) {
            (ongoing.last_progress_at, ongoing.progress_within) = (now, PROGRESS_WITHIN);
        }
    }

    /// Records that a hosted MCP call started or ended.
    pub(crate) fn note_hosted_tool(&mut self, works: bool, now: Instant) {
        self.hosted_tools = if works { self.hosted_tools + 1 } else { self.hosted_tools.saturating_sub(1) };
        self.ongoing.iter_mut().for_each(|ongoing| ongoing.last_progress_at = now);
    }

    /// Records the end of a response, and returns what it was for.
    ///
    /// With `has_called`, its answer is requested once its tools have outputs, and not before.
    pub(crate) fn response_ended(
        &mut self,
        response: &Response,
        has_called: bool,
        now: Instant,
    ) -> Option<ResponseRequest> {
        let by = response.client_event_id();
        // After an interruption, some servers report the end of a response that never started.
        if self.requested.as_ref().is_some_and(|requested| by == Some(&requested.event_id)) {
            self.not_before = None;
            return self.requested.take().map(|requested| requested.request);
        }
        let ongoing = self.ongoing.take_if(|ongoing| ongoing.id == response.id)?;
        self.not_before = None;
        self.hosted_tools = 0;
        if ongoing.stalled {
            if !(has_called && ongoing.request == ResponseRequest::Answer) {
                self.request_again(ongoing.request.clone());
            }
        } else if response.status != "failed" {
            self.timeouts = 0;
        }
        if let Turn::AwaitingAnswer { until, collided } = &mut self.turn {
            // A response that was not interrupted blocked the answer.
            *collided = response.status != "cancelled";
            *until = now + if *collided { ANSWERS_LATE_WITHIN } else { STARTS_WITHIN };
        }
        Some(ongoing.request)
    }

    /// Interrupts the agent, and returns the response to cancel; a requested one is cancelled when it starts.
    pub(crate) fn cancel(&mut self, now: Instant) -> Option<ResponseId> {
        if let Some(requested) = &mut self.requested {
            requested.cancelled = true;
            if let request @ ResponseRequest::Prompt { insists: true, .. } = requested.request.clone() {
                self.request_again(request);
            }
        }
        let ongoing = self.ongoing.as_mut().filter(|ongoing| ongoing.cancelled_at.is_none())?;
        ongoing.cancelled_at = Some(now);
        Some(ongoing.id.clone())
    }

    /// Withdraws the prompt, unless its response has started.
    pub(crate) fn withdraw_prompt(&mut self) {
        self.pending_prompt = None;
        let requested = self
            .requested
            .as_mut()
            .filter(|requested| matches!(requested.request, ResponseRequest::Prompt { .. }));
        requested.into_iter().for_each(|requested| requested.cancelled = true);
    }

    /// Whether a response was cancelled by us.
    pub(crate) fn is_cancelled(&self, id: &ResponseId) -> bool {
        self.ongoing.as_ref().is_some_and(|ongoing| ongoing.id == *id && ongoing.cancelled_at.is_some())
    }

    /// Whether a response that ends was cancelled by us, before or after it started, or had timed out.
    pub(crate) fn is_unwanted(&self, response: &Response) -> bool {
        let by = response.client_event_id();
        let is_cancelled = |requested: &Requested| requested.cancelled && by == Some(&requested.event_id);
        let is_late = by.is_some() && by == self.late.as_deref();
        is_late || self.is_cancelled(&response.id) || self.requested.as_ref().is_some_and(is_cancelled)
    }

    /// Whether a response is requested that has not started.
    pub(crate) fn is_requested(&self) -> bool {
        self.requested.is_some()
    }

    /// Whether the caller neither speaks nor waits for an answer.
    pub(crate) fn is_callers_turn_over(&self) -> bool {
        self.turn == Turn::None
    }

    /// Returns the response in progress, and what it is for.
    pub(crate) fn ongoing(&self) -> Option<(&ResponseId, &ResponseRequest)> {
        self.ongoing.as_ref().map(|ongoing| (&ongoing.id, &ongoing.request))
    }

    /// Whether no response is requested or in progress.
    pub(crate) fn is_idle(&self) -> bool {
        self.ongoing.is_none() && self.requested.is_none()
    }

    /// Whether no response is in progress, expected or pending.
    pub(crate) fn is_quiet(&self) -> bool {
        self.is_idle()
            && self.turn == Turn::None
            && !(self.is_answer_pending || self.is_greeting_pending || self.pending_prompt.is_some())
    }

    pub(crate) fn is_answer_pending(&self) -> bool {
        self.is_answer_pending
    }

    pub(crate) fn is_greeting_pending(&self) -> bool {
        self.is_greeting_pending
    }

    /// Drops the pending greeting.
    pub(crate) fn drop_greeting(&mut self) {
        self.is_greeting_pending = false;
    }

    pub(crate) fn is_caller_speaking(&self) -> bool {
        self.turn == Turn::Speaking
    }
}

#[cfg(test)]
impl ResponseQueue {
    /// Returns the event id of the requested response.
    pub(crate) fn requested_event(&self) -> Option<&str> {
        self.requested.as_ref().map(|requested| requested.event_id.as_str())
    }
}
