//! Handles empty and cut-off responses.
//!
//! A response with neither audio nor a complete tool call is requested again, then from another session, and then the conversation fails. A
//! response that ends in the middle of a sentence is continued once.

use super::{EmptyResponseAction, Purpose, Session, SessionEvent};
use crate::link::Produced;
use crate::response_queue::ResponseRequest;
use crate::server_event::Response;
use crate::{Failure, ItemId, ResponseId};
use std::time::Instant;

/// Prompts the model to continue a sentence that a limit of the service cut off.
pub(super) const CONTINUE: &str = "You were cut off in the middle of your last sentence. Go on from there, and do not repeat what you have said.";

/// Counts empty and cut-off responses.
#[derive(Debug, Default)]
pub(super) struct EmptyResponses {
    /// Empty responses in a row.
    empty_in_a_row: u32,
    /// Whether the last response continued the one before.
    has_continued: bool,
    /// Empty goodbyes, once the call is about to end.
    silent_goodbyes: Option<u32>,
}

/// What a response contained.
#[derive(Debug, Clone, Copy)]
pub(super) struct ResponseContent {
    pub has_audio: bool,
    pub has_called: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MissingContent {
    Everything,
    Rest,
}

impl From<&ResponseRequest> for Purpose {
    fn from(request: &ResponseRequest) -> Self {
        match request {
            ResponseRequest::Greeting => Self::Greeting,
            ResponseRequest::Answer => Self::Answer,
            ResponseRequest::Prompt { .. } => Self::Asked,
        }
    }
}

impl EmptyResponses {
    /// Records that the caller spoke: the answer to that continues nothing.
    pub(super) fn caller_started(&mut self) {
        self.has_continued = false;
    }

    /// Counts an empty response, and returns what to do about it.
    fn count(&mut self, purpose: Purpose) -> EmptyResponseAction {
        match (&mut self.silent_goodbyes, purpose) {
            (Some(empty), Purpose::Asked) => {
                *empty += 1;
                if *empty == 1 { EmptyResponseAction::AskedAgain } else { EmptyResponseAction::Done }
            }
            (Some(_), Purpose::Greeting | Purpose::Answer) => EmptyResponseAction::Done,
            (None, _) => {
                self.empty_in_a_row += 1;
                match self.empty_in_a_row {
                    1 => EmptyResponseAction::AskedAgain,
                    2 => EmptyResponseAction::AnotherSession,
                    _ => EmptyResponseAction::GaveUp,
                }
            }
        }
    }
}

impl ResponseContent {
    /// Whether the response has neither audio nor a call, of a function or a hosted MCP tool.
    pub(super) fn is_empty(self) -> bool {
        !self.has_audio && !self.has_called
    }

    fn missing(self, status: &str) -> Option<MissingContent> {
        match self {
            Self { has_audio: false, has_called: false } => Some(MissingContent::Everything),
            Self { has_audio: true, has_called: false } if status == "incomplete" => {
                Some(MissingContent::Rest)
            }
            Self { .. } => None,
        }
    }
}

impl Session {
    /// Sets whether the call is about to end: the goodbye was said, or is requested.
    ///
    /// An empty response is then accepted, except that an empty goodbye is requested once more.
    pub fn set_leaving(&mut self, leaving: bool) {
        self.empty_responses.silent_goodbyes =
            leaving.then(|| self.empty_responses.silent_goodbyes.unwrap_or_default());
    }

    /// Whether a response has audible audio.
    pub(super) fn has_audio(&self, response: &ResponseId) -> bool {
        self.link.items.values().any(|item| item.response == *response && item.is_audible)
    }

    /// Makes up for what a response for `request` is missing, and returns whether anything is missing.
    pub(super) fn handle_missing_content(
        &mut self,
        response: &Response,
        content: ResponseContent,
        request: &ResponseRequest,
        produced: Vec<Produced>,
        now: Instant,
    ) -> bool {
        match content.missing(&response.status) {
            None => false,
            Some(MissingContent::Everything) => {
                self.retry_empty(response, request, produced, now);
                true
            }
            Some(MissingContent::Rest) => {
                self.continue_cut_off(response, request, produced);
                true
            }
        }
    }

    /// Resets the counts after a response with content.
    pub(super) fn note_content(&mut self, content: ResponseContent, status: &str) {
        if content.has_audio || content.has_called {
            self.empty_responses.empty_in_a_row = 0;
        }
        if status == "completed" {
            self.empty_responses.has_continued = false;
        }
    }

    fn retry_empty(
        &mut self,
        response: &Response,
        request: &ResponseRequest,
        produced: Vec<Produced>,
        now: Instant,
    ) {
        let then = match self.empty_responses.count(request.into()) {
            // A call whose audio the service carries has one session.
            EmptyResponseAction::AnotherSession if self.is_sideband() => EmptyResponseAction::AskedAgain,
            then => then,
        };
        self.report_empty_response(response, request, then);
        produced.iter().for_each(|produced| self.remove_item(&produced.item));
        match then {
            EmptyResponseAction::AskedAgain => self.link.queue.request_again(request.clone()),
            EmptyResponseAction::AnotherSession => {
                self.link.queue.request_again(request.clone());
                self.abandon_link("no_sound", now);
            }
            EmptyResponseAction::GaveUp => {
                let cure = "the model answered three times without a sound: see status.openai.com, and \
                            max_output_tokens in the agent file";
                self.fail(Failure { cure: cure.to_owned(), ..Failure::of("no_sound") }, now);
            }
            EmptyResponseAction::Done | EmptyResponseAction::GoneOn | EmptyResponseAction::Left => {}
        }
    }

    fn continue_cut_off(&mut self, response: &Response, request: &ResponseRequest, produced: Vec<Produced>) {
        let continues = !std::mem::replace(&mut self.empty_responses.has_continued, true);
        self.report_empty_response(
            response,
            request,
            if continues { EmptyResponseAction::GoneOn } else { EmptyResponseAction::Left },
        );
        // A call that was cut off gets no output, and must not wait for one.
        let half_calls = produced.iter().filter(|produced| produced.is_call);
        half_calls.for_each(|call| self.remove_item(&call.item));
        if *request == ResponseRequest::Greeting {
            self.greeting.response_ended();
        }
        if !continues {
            return;
        }
        match request {
            ResponseRequest::Prompt { insists, .. } => {
                self.link.queue.request_again(ResponseRequest::Prompt {
                    prompt: CONTINUE.to_owned(),
                    insists: *insists,
                });
            }
            ResponseRequest::Answer | ResponseRequest::Greeting => {
                // If the caller speaks during the response, that is answered and the sentence is dropped.
                self.link.continues = self.link.queue.is_callers_turn_over();
                self.link.queue.request(ResponseRequest::Answer);
            }
        }
    }

    /// Removes the silent items of a response from the conversation: the caller did not hear their words.
    pub(super) fn remove_silent_items(&mut self, response: &ResponseId, produced: &mut Vec<Produced>) {
        let items = self.link.items.iter();
        let silent = items.filter(|(_, item)| item.response == *response && !item.held_back.is_empty());
        for item in silent.map(|(id, _)| id.clone()).collect::<Vec<_>>() {
            self.remove_item(&item);
            produced.retain(|produced| produced.item != item);
        }
    }

    /// Removes an agent item from the conversation, on the server and in the history.
    fn remove_item(&mut self, item: &ItemId) {
        self.history.remove(item);
        self.link.items.remove(item);
        self.delete(item);
    }

    fn report_empty_response(
        &mut self,
        response: &Response,
        request: &ResponseRequest,
        then: EmptyResponseAction,
    ) {
        self.emit(SessionEvent::ResponseLacking {
            response: response.id.clone(),
            purpose: request.into(),
            status: response.status.clone(),
            reason: response.reason().map(str::to_owned),
            then,
        });
    }
}
