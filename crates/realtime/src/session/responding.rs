//! Requests responses one at a time, handles their start and end, and retries those that fail.

use super::empty_responses::{CONTINUE, ResponseContent};
use super::{Session, SessionEvent};
use crate::api_error::Remedy;
use crate::options::Effort;
use crate::response_queue::{
    PROGRESS_WITHIN, ResponseRequest, ResponseStart, ResponseTimeout, THINKS_WITHIN,
};
use crate::server_event::Response;
use crate::{ApiError, AudioPath, ClientEvent, Failure, ItemId, ResponseId, Usage};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How often a rate-limited response is requested again.
const TRIES: u32 = 3;

/// The longest wait before a rate-limited response is requested again. No caller waits longer on the telephone.
const LONGEST_WAIT: Duration = Duration::from_secs(3);

/// The wait before a response is requested again after a server error.
const SHORT_WAIT: Duration = Duration::from_millis(300);

impl Session {
    /// Sends `response.create` for the next request of the response queue.
    pub(super) fn respond(&mut self, now: Instant) {
        if !self.link.is_ready() {
            return;
        }
        if let Some(request) = self.link.queue.poll(now) {
            self.link.rate_limited_since = None;
            self.remove_prompt();
            let event_id = self.new_id();
            let response = self.response(&request, &event_id);
            self.link.queue.requested(event_id.clone(), request, now);
            self.send(ClientEvent::ResponseCreate { event_id, response });
        }
    }

    /// Builds the `response` of a `response.create`.
    ///
    /// Instructions of a response replace the session's, so a greeting's hold both. Later responses leave the instructions alone: see
    /// [`super::prompting`].
    fn response(&mut self, request: &ResponseRequest, event_id: &str) -> Value {
        let continues = std::mem::take(&mut self.link.continues);
        // Repeats the session's modality: a model whose history was replayed as text is apt to answer in text, too.
        let mut response = json!({"output_modalities": ["audio"], "metadata": {"client_event_id": event_id}});
        match request {
            ResponseRequest::Greeting => {
                response["instructions"] = json!(self.config.greeting());
                response["tool_choice"] = json!("none");
            }
            ResponseRequest::Prompt { prompt, .. } => {
                self.add_prompt(prompt);
                response["tool_choice"] = json!("none");
            }
            ResponseRequest::Answer if continues => self.add_prompt(CONTINUE),
            ResponseRequest::Answer => {}
        }
        response
    }

    pub(super) fn start_response(&mut self, response: &Response, now: Instant) {
        self.link.continues = false;
        let is_up_to_date = self.link.is_up_to_date(now);
        let start =
            self.link.queue.response_started(response, is_up_to_date, self.first_progress_within(), now);
        if let Some((id, ResponseRequest::Greeting)) = self.link.queue.ongoing() {
            self.greeting.response_started(id);
        }
        let is_asked = matches!(self.link.queue.ongoing(), Some((_, ResponseRequest::Prompt { .. })));
        let is_asked = is_asked && start == ResponseStart::Wanted;
        self.emit(SessionEvent::ResponseStarted { response: response.id.clone(), is_asked });
        match start {
            ResponseStart::Wanted => {}
            ResponseStart::Unwanted => self.cancel(response.id.clone()),
        }
    }

    fn first_progress_within(&self) -> Duration {
        match self.config.options.reasoning_effort {
            Some(Effort::High | Effort::Xhigh) => THINKS_WITHIN,
            Some(Effort::Minimal | Effort::Low | Effort::Medium) | None => PROGRESS_WITHIN,
        }
    }

    pub(super) fn end_response(&mut self, response: &Response, now: Instant) {
        let is_complete = response.status == "completed";
        for item in response.output.iter().flatten() {
            self.note_output(&response.id, item, now);
            if is_complete {
                self.call_tool(&response.id, item);
            }
        }
        self.finish_items(Some(&response.id), is_complete);
        self.settle_hosted(&response.id, is_complete, now);
        let mut produced = self.link.take_produced(&response.id);
        let has_called = self.tools.were_called_by(&response.id);
        let content = ResponseContent { has_audio: self.has_audio(&response.id), has_called };
        let is_unwanted = self.link.queue.is_unwanted(response);
        let request = self.link.queue.response_ended(response, has_called, now);
        // The answer to tool calls is requested once their outputs are there.
        let request = request.filter(|request| !(has_called && *request == ResponseRequest::Answer));
        self.settle_prompt(is_complete && content.has_audio && !is_unwanted);
        self.drop_second_greeting();
        if let Some(usage) = response.usage.as_ref().map(Usage::of_response) {
            self.add_usage(usage);
        }
        self.end_batches(Some(&response.id));
        if content.is_empty() && matches!(response.status.as_str(), "completed" | "incomplete") {
            self.emit(SessionEvent::ResponseEmpty { response: response.id.clone() });
        }
        self.emit(SessionEvent::ResponseDone { response: response.id.clone() });
        self.request_unheard_prompt(&response.id, &response.status, request.as_ref());
        self.remove_silent_items(&response.id, &mut produced);
        if response.status == "failed" {
            let error = response.error().unwrap_or_default().into();
            return self.handle_failed_response(error, request, now);
        }
        self.note_content(content, &response.status);
        let is_cut_off = is_unwanted || response.status == "cancelled";
        if let Some(request) = request.as_ref().filter(|_| !is_cut_off)
            && self.handle_missing_content(response, content, request, produced, now)
        {
            return;
        }
        if is_complete {
            self.link.has_served = true;
            (self.failed_responses, self.failed_links) = (0, 0);
        }
        if request == Some(ResponseRequest::Greeting) && !self.link.queue.is_greeting_pending() {
            self.greeting.response_ended();
        }
    }

    /// Requests a prompt that insists again if its response was cancelled before any audio.
    fn request_unheard_prompt(
        &mut self,
        response: &ResponseId,
        status: &str,
        request: Option<&ResponseRequest>,
    ) {
        if let Some(request @ ResponseRequest::Prompt { insists: true, .. }) = request
            && status == "cancelled"
            && !self.has_audio(response)
        {
            self.link.queue.request_again(request.clone());
        }
    }

    /// Requests an answer in place of a second greeting when part of the first was received: the model continues it.
    fn drop_second_greeting(&mut self) {
        if self.link.queue.is_greeting_pending() && !self.greeting.is_outstanding() {
            self.link.queue.drop_greeting();
            self.greeting.response_ended();
            self.link.queue.request(ResponseRequest::Answer);
        }
    }

    /// Handles a response that failed or was refused: it is requested again, or the session is replaced.
    pub(super) fn handle_failed_response(
        &mut self,
        error: ApiError,
        request: Option<ResponseRequest>,
        now: Instant,
    ) {
        let remedy = error.remedy();
        let code = error.code.clone();
        let is_half_said = request == Some(ResponseRequest::Greeting) && !self.greeting.is_outstanding();
        if is_half_said {
            self.greeting.response_ended();
        }
        // A partly received greeting is not started anew.
        let request = request.filter(|_| !is_half_said);
        match remedy {
            Remedy::Fail => return self.fail(Failure::of(&code), now),
            Remedy::Reconnect => {
                request.into_iter().for_each(|request| self.link.queue.request_again(request));
                return self.abandon_link(&code, now);
            }
            Remedy::Wait | Remedy::Again | Remedy::None | Remedy::Tell => {
                self.emit(SessionEvent::ApiError(error));
            }
        }
        let Some(request) = request else { return };
        self.failed_responses += 1;
        let tries = if remedy == Remedy::Wait { TRIES } else { 1 };
        if self.failed_responses > tries {
            self.link.queue.request_again(request);
            return self.replace_failing_link(&code, now);
        }
        self.link.rate_limited_since = (remedy == Remedy::Wait).then_some(now);
        let delay = if remedy == Remedy::Wait { self.retry_delay(now) } else { SHORT_WAIT };
        self.link.queue.request_later(request, now + delay);
    }

    /// Returns how long to wait before the next try: until the server's limits reset, else longer with each failure.
    fn retry_delay(&mut self, now: Instant) -> Duration {
        let usual = Duration::from_secs(1) * 2_u32.saturating_pow(self.failed_responses - 1);
        let resets_after = self.link.resets_at.take().map(|at| at.saturating_duration_since(now));
        resets_after.unwrap_or(usual).clamp(SHORT_WAIT, LONGEST_WAIT)
    }

    /// Records when rate limits reset, which the server reports shortly after the response that exhausted them.
    pub(super) fn note_limits(&mut self, resets_after: Option<Duration>, now: Instant) {
        // Capped, whatever the server says.
        let resets_after = resets_after.map(|after| after.min(LONGEST_WAIT));
        self.link.resets_at = resets_after.map(|after| now + after);
        if let (Some(after), Some(since)) = (resets_after, self.link.rate_limited_since) {
            self.link.queue.wait_until((now + after).clamp(since + SHORT_WAIT, since + LONGEST_WAIT));
        }
    }

    /// Cancels a response that stalls, and replaces the link when responses neither start nor end in time.
    pub(super) fn handle_response_timeouts(&mut self, now: Instant) {
        let was_requested = self.link.queue.is_requested();
        let silence = self.link.queue.handle_timeout(now);
        self.remove_unrequested_prompt(was_requested);
        match silence {
            Some(ResponseTimeout::Cancel(response)) => self.cancel(response),
            Some(ResponseTimeout::ReplaceLink) => self.replace_failing_link("silent", now),
            None => {}
        }
    }

    /// Reports the agent's transcript of a response's items, or of all items for `None`. `are_complete` says that all of their audio has
    /// arrived.
    pub(super) fn finish_items(&mut self, response: Option<&ResponseId>, are_complete: bool) {
        let items = self.link.items.iter().filter(|(_, item)| response.is_none_or(|id| *id == item.response));
        let mut items: Vec<ItemId> = items.map(|(id, _)| id.clone()).collect();
        items.sort_by_key(|id| self.history.position(id));
        for id in items {
            if are_complete {
                self.finish_item(&id);
            }
            self.link.items.get_mut(&id).into_iter().for_each(|item| item.is_finished = true);
            self.report_transcript(&id);
        }
    }

    /// Reports the agent's transcript of an item, once, if any of the item is audible.
    pub(super) fn report_transcript(&mut self, id: &ItemId) {
        let Some(item) = self.link.items.get_mut(id).filter(|item| !item.is_reported) else { return };
        let is_socket = self.config.audio == AudioPath::Socket;
        let (text, audio) = (self.history.agent_transcript(id), is_socket.then(|| item.decoder.received()));
        if !text.is_empty() && item.is_audible {
            item.is_reported = true;
            let text = text.to_owned().into();
            self.emit(SessionEvent::AgentTranscript { item: id.clone(), text, audio });
        }
    }

    pub(super) fn add_usage(&mut self, usage: Usage) {
        if !usage.is_empty() {
            self.usage += usage;
            self.emit(SessionEvent::Usage(usage));
        }
    }
}
