//! Responses: asked for one at a time, begun, ended, and asked for again when they fail.

use super::empty_responses::{GO_ON, ResponseContent};
use super::{Session, SessionEvent};
use crate::api_error::Remedy;
use crate::options::Effort;
use crate::response_queue::{Began, ResponseRequest, ResponseTimeout, SILENT, THINKS};
use crate::server_event::Response;
use crate::{ApiError, ClientEvent, Failure, Usage};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// So often a response that was refused for want of capacity is asked for again.
const TRIES: u32 = 3;

/// The longest wait between two of them. Nobody on the telephone waits longer.
const LONGEST_WAIT: Duration = Duration::from_secs(3);

/// The wait after a server error.
const SHORT_WAIT: Duration = Duration::from_millis(300);

impl Session {
    /// Asks for the response whose turn it is.
    pub(super) fn respond(&mut self, now: Instant) {
        if !self.link.is_ready() {
            return;
        }
        if let Some(wish) = self.link.gate.poll(now) {
            self.link.waits_since = None;
            self.take_back_prompt();
            let event_id = self.name();
            let response = self.response(&wish, &event_id);
            self.link.gate.asked(event_id.clone(), wish, now);
            self.send(ClientEvent::ResponseCreate { event_id, response });
        }
    }

    /// A response's instructions replace the session's, so they hold both. Once something was said, they are left as they are: see
    /// [`super::prompting`].
    fn response(&mut self, wish: &ResponseRequest, event_id: &str) -> Value {
        let goes_on = std::mem::take(&mut self.link.goes_on);
        // As the session has it: a model that was told in writing what was said is apt to write, too.
        let mut response = json!({"output_modalities": ["audio"], "metadata": {"client_event_id": event_id}});
        match wish {
            ResponseRequest::Greeting => {
                response["instructions"] = json!(self.config.greeting());
                response["tool_choice"] = json!("none");
            }
            ResponseRequest::Ask { words, .. } => {
                self.prompt(words);
                response["tool_choice"] = json!("none");
            }
            ResponseRequest::Answer if goes_on => self.prompt(GO_ON),
            ResponseRequest::Answer => {}
        }
        response
    }

    pub(super) fn begin(&mut self, response: &Response, now: Instant) {
        self.link.goes_on = false;
        let is_up_to_date = self.link.is_up_to_date(now);
        let began = self.link.gate.began(response, is_up_to_date, self.thinks(), now);
        if let Some((id, ResponseRequest::Greeting)) = self.link.gate.ongoing() {
            self.greeted.began(id);
        }
        let is_asked = matches!(self.link.gate.ongoing(), Some((_, ResponseRequest::Ask { .. })));
        let is_asked = is_asked && began == Began::Wanted;
        self.happen(SessionEvent::Began { response: response.id.clone(), is_asked });
        match began {
            Began::Wanted => {}
            Began::Unwanted => self.cancel(response.id.clone()),
        }
    }

    fn thinks(&self) -> Duration {
        match self.config.options.reasoning_effort {
            Some(Effort::High | Effort::Xhigh) => THINKS,
            Some(Effort::Minimal | Effort::Low | Effort::Medium) | None => SILENT,
        }
    }

    pub(super) fn end(&mut self, response: &Response, now: Instant) {
        let is_whole = response.status == "completed";
        for item in response.output.iter().flatten() {
            self.note_output(&response.id, item, now);
            if is_whole {
                self.call(&response.id, item);
            }
        }
        self.close_items(Some(&response.id), is_whole);
        self.settle_hosted(&response.id, is_whole, now);
        let mut produced = self.link.take_produced(&response.id);
        let has_called = self.tools.were_called_by(&response.id);
        let brought = ResponseContent { has_sound: self.has_sound(&response.id), has_called };
        let is_unwanted = self.link.gate.is_unwanted(response);
        let wish = self.link.gate.ended(response, has_called, now);
        // With its outputs, the answer is asked for.
        let wish = wish.filter(|wish| !(has_called && *wish == ResponseRequest::Answer));
        self.settle_prompt(is_whole && brought.has_sound && !is_unwanted);
        self.forgo_second_greeting();
        if let Some(usage) = response.usage.as_ref().map(Usage::of_response) {
            self.use_up(usage);
        }
        self.end_batches(Some(&response.id));
        if brought.is_nothing() && matches!(response.status.as_str(), "completed" | "incomplete") {
            self.happen(SessionEvent::SaidNothing { response: response.id.clone() });
        }
        self.happen(SessionEvent::Ended { response: response.id.clone() });
        self.insist(&response.id, &response.status, wish.as_ref());
        self.take_out_silent(&response.id, &mut produced);
        if response.status == "failed" {
            let trouble = response.error().unwrap_or_default().into();
            return self.failed(trouble, wish, now);
        }
        self.note_brought(brought, &response.status);
        let is_cut_off = is_unwanted || response.status == "cancelled";
        if let Some(wish) = wish.as_ref().filter(|_| !is_cut_off)
            && self.weigh(response, brought, wish, produced, now)
        {
            return;
        }
        if is_whole {
            self.link.has_served = true;
            (self.strikes, self.fruitless) = (0, 0);
        }
        if wish == Some(ResponseRequest::Greeting) && !self.link.gate.wants_greeting() {
            self.greeted.ended();
        }
    }

    /// What must be said, and was cut before a sound of it came, is said later.
    fn insist(&mut self, response: &str, status: &str, wish: Option<&ResponseRequest>) {
        if let Some(wish @ ResponseRequest::Ask { insists: true, .. }) = wish
            && status == "cancelled"
            && !self.has_sound(response)
        {
            self.link.gate.wish_again(wish.clone());
        }
    }

    /// Half a greeting is one: it is not begun anew, but gone on with.
    fn forgo_second_greeting(&mut self) {
        if self.link.gate.wants_greeting() && !self.greeted.is_wanted() {
            self.link.gate.forgo_greeting();
            self.greeted.ended();
            self.link.gate.wish(ResponseRequest::Answer);
        }
    }

    /// A response failed, or was refused. It is asked for again, or another session is.
    pub(super) fn failed(&mut self, trouble: ApiError, wish: Option<ResponseRequest>, now: Instant) {
        let remedy = trouble.remedy();
        let code = trouble.code.clone();
        let is_half_said = wish == Some(ResponseRequest::Greeting) && !self.greeted.is_wanted();
        if is_half_said {
            self.greeted.ended();
        }
        // Half a greeting is one: it is not begun anew.
        let wish = wish.filter(|_| !is_half_said);
        match remedy {
            Remedy::Fail => return self.fail(Failure::of(&code), now),
            Remedy::Reconnect => {
                wish.into_iter().for_each(|wish| self.link.gate.wish_again(wish));
                return self.lose(&code, now);
            }
            Remedy::Wait | Remedy::Again | Remedy::None | Remedy::Tell => {
                self.happen(SessionEvent::Troubled(trouble));
            }
        }
        let Some(wish) = wish else { return };
        self.strikes += 1;
        let tries = if remedy == Remedy::Wait { TRIES } else { 1 };
        if self.strikes > tries {
            self.link.gate.wish_again(wish);
            return self.give_up_link(&code, now);
        }
        self.link.waits_since = (remedy == Remedy::Wait).then_some(now);
        let wait = if remedy == Remedy::Wait { self.wait(now) } else { SHORT_WAIT };
        self.link.gate.wish_later(wish, now + wait);
    }

    /// So long as the server said, or longer each time.
    fn wait(&mut self, now: Instant) -> Duration {
        let usual = Duration::from_secs(1) * 2_u32.saturating_pow(self.strikes - 1);
        let resets_after = self.link.resets_at.take().map(|at| at.saturating_duration_since(now));
        resets_after.unwrap_or(usual).clamp(SHORT_WAIT, LONGEST_WAIT)
    }

    /// The server says what is left of its limits, shortly after the response that used them up.
    pub(super) fn note_limits(&mut self, resets_after: Option<Duration>, now: Instant) {
        // However far off the server says it is.
        let resets_after = resets_after.map(|after| after.min(LONGEST_WAIT));
        self.link.resets_at = resets_after.map(|after| now + after);
        if let (Some(after), Some(since)) = (resets_after, self.link.waits_since) {
            self.link.gate.wait_until((now + after).clamp(since + SHORT_WAIT, since + LONGEST_WAIT));
        }
    }

    /// Looks after responses that do not come, or stop coming.
    pub(super) fn watch(&mut self, now: Instant) {
        let was_asked = self.link.gate.is_asked();
        let silence = self.link.gate.handle_timeout(now);
        self.take_back_unasked_prompt(was_asked);
        match silence {
            Some(ResponseTimeout::Cancel(response)) => self.cancel(response),
            Some(ResponseTimeout::Dead) => self.give_up_link("silent", now),
            None => {}
        }
    }

    /// What was said in the items of a response is told; `None`: of all. `are_whole`: no sound of them is missing.
    pub(super) fn close_items(&mut self, response: Option<&str>, are_whole: bool) {
        let items = self.link.items.iter().filter(|(_, item)| response.is_none_or(|id| id == item.response));
        let mut items: Vec<String> = items.map(|(id, _)| id.clone()).collect();
        items.sort_by_key(|id| self.mirror.place(id));
        for id in items {
            if are_whole {
                self.sound_done(&id);
            }
            self.link.items.get_mut(&id).into_iter().for_each(|item| item.is_finished = true);
            self.tell_words(&id);
        }
    }

    /// What was said in an item, if anything was.
    pub(super) fn tell_words(&mut self, id: &str) {
        let Some(item) = self.link.items.get_mut(id).filter(|item| !item.is_told) else { return };
        let (text, audio) = (self.mirror.words(id), item.reader.so_far());
        if !text.is_empty() && item.is_audible {
            item.is_told = true;
            let text = text.to_owned().into();
            self.happen(SessionEvent::AgentSaid { item: id.to_owned(), text, audio });
        }
    }

    pub(super) fn use_up(&mut self, usage: Usage) {
        if !usage.is_nothing() {
            self.used += usage;
            self.happen(SessionEvent::Used(usage));
        }
    }
}
