//! Responses: asked for one at a time, begun, ended, and asked for again when they fail.

use super::{Happening, Session};
use crate::gate::{Began, SILENT, Silence, THINKS, Wish};
use crate::link::Item;
use crate::options::Effort;
use crate::server::Response;
use crate::trouble::Remedy;
use crate::{ClientEvent, Failure, Trouble, Usage};
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
            let event_id = self.name();
            let response = self.response(&wish, &event_id);
            self.link.gate.asked(event_id.clone(), wish, now);
            self.send(ClientEvent::ResponseCreate { event_id, response });
        }
    }

    /// A response's instructions replace the session's, so they hold both.
    fn response(&self, wish: &Wish, event_id: &str) -> Value {
        let metadata = json!({"client_event_id": event_id});
        match wish {
            Wish::Greeting => {
                json!({"instructions": self.config.greeting(), "tool_choice": "none", "metadata": metadata})
            }
            Wish::Ask { words, .. } => {
                json!({"instructions": self.config.with(words), "tool_choice": "none", "metadata": metadata})
            }
            Wish::Answer => json!({"metadata": metadata}),
        }
    }

    pub(super) fn begin(&mut self, response: &Response, now: Instant) {
        let is_up_to_date = self.link.is_up_to_date(now);
        let began = self.link.gate.began(response, is_up_to_date, self.thinks(), now);
        if let Some((id, Wish::Greeting)) = self.link.gate.ongoing() {
            self.greeted.began(id);
        }
        let is_asked = matches!(self.link.gate.ongoing(), Some((_, Wish::Ask { .. })));
        let is_asked = is_asked && began == Began::Wanted;
        self.happen(Happening::Began { response: response.id.clone(), is_asked });
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
        for item in response.output.iter().flatten().filter(|_| response.status == "completed") {
            self.call(&response.id, item);
        }
        self.close_items(Some(&response.id), response.status == "completed");
        let has_called = self.tools.were_called_by(&response.id);
        let wish = self.link.gate.ended(response, has_called, now);
        // With its outputs, the answer is asked for.
        let wish = wish.filter(|wish| !(has_called && *wish == Wish::Answer));
        self.forgo_second_greeting();
        if let Some(usage) = response.usage.as_ref().map(Usage::of_response) {
            self.use_up(usage);
        }
        self.end_batches(Some(&response.id));
        if !has_called && self.has_said_nothing(response) {
            self.happen(Happening::SaidNothing { response: response.id.clone() });
        }
        self.happen(Happening::Ended { response: response.id.clone() });
        self.insist(&response.id, &response.status, wish.as_ref());
        if response.status == "failed" {
            let trouble = response.error().unwrap_or_default().into();
            return self.failed(trouble, wish, now);
        }
        if response.status == "completed" {
            self.link.has_served = true;
            (self.strikes, self.fruitless) = (0, 0);
        }
        if wish == Some(Wish::Greeting) && !self.link.gate.wants_greeting() {
            self.greeted.ended();
        }
    }

    /// Whether a response that was not stopped brought neither sound nor a call that its end names, of ours or of a hosted tool.
    fn has_said_nothing(&self, response: &Response) -> bool {
        let has_sound = |item: &Item| item.response == response.id && !item.reader.so_far().is_zero();
        let mut output = response.output.iter().flatten();
        matches!(response.status.as_str(), "completed" | "incomplete")
            && !self.link.items.values().any(has_sound)
            && !output
                .any(|item| matches!(item.r#type.as_str(), "function_call" | "mcp_call") && item.is_whole())
    }

    /// What must be said, and was cut before a sound of it came, is said later.
    fn insist(&mut self, response: &str, status: &str, wish: Option<&Wish>) {
        let has_sound = |item: &Item| item.response == response && !item.reader.so_far().is_zero();
        if let Some(wish @ Wish::Ask { insists: true, .. }) = wish
            && status == "cancelled"
            && !self.link.items.values().any(has_sound)
        {
            self.link.gate.wish(wish.clone());
        }
    }

    /// Half a greeting is one: it is not begun anew, but gone on with.
    fn forgo_second_greeting(&mut self) {
        if self.link.gate.wants_greeting() && !self.greeted.is_wanted() {
            self.link.gate.forgo_greeting();
            self.greeted.ended();
            self.link.gate.wish(Wish::Answer);
        }
    }

    /// A response failed, or was refused. It is asked for again, or another session is.
    pub(super) fn failed(&mut self, trouble: Trouble, wish: Option<Wish>, now: Instant) {
        let remedy = trouble.remedy();
        let (code, message) = (trouble.code.clone(), trouble.message.clone());
        let is_half_said = wish == Some(Wish::Greeting) && !self.greeted.is_wanted();
        if is_half_said {
            self.greeted.ended();
        }
        // Half a greeting is one: it is not begun anew.
        let wish = wish.filter(|_| !is_half_said);
        match remedy {
            Remedy::Fail => return self.fail(Failure::of(&code), now),
            Remedy::Reconnect => {
                wish.into_iter().for_each(|wish| self.link.gate.wish(wish));
                return self.lose(&code, now);
            }
            Remedy::Wait | Remedy::Again | Remedy::None | Remedy::Tell => {
                self.happen(Happening::Troubled(Trouble { code: code.clone(), message }));
            }
        }
        let Some(wish) = wish else { return };
        self.strikes += 1;
        let tries = if remedy == Remedy::Wait { TRIES } else { 1 };
        if self.strikes > tries {
            self.link.gate.wish(wish);
            return self.give_up_link(&code, now);
        }
        let wait = if remedy == Remedy::Wait { self.wait() } else { SHORT_WAIT };
        self.link.gate.wish_later(wish, now + wait);
    }

    /// So long as the server said, or longer each time.
    fn wait(&mut self) -> Duration {
        let usual = Duration::from_secs(1) * 2_u32.saturating_pow(self.strikes - 1);
        self.link.resets_after.take().unwrap_or(usual).clamp(SHORT_WAIT, LONGEST_WAIT)
    }

    /// Looks after responses that do not come, or stop coming.
    pub(super) fn watch(&mut self, now: Instant) {
        match self.link.gate.handle_timeout(now) {
            Some(Silence::Cancel(response)) => self.cancel(response),
            Some(Silence::Dead) => self.give_up_link("silent", now),
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
        if !text.is_empty() && !audio.is_zero() {
            item.is_told = true;
            let text = text.to_owned().into();
            self.happen(Happening::AgentSaid { item: id.to_owned(), text, audio });
        }
    }

    pub(super) fn use_up(&mut self, usage: Usage) {
        if !usage.is_nothing() {
            self.used += usage;
            self.happen(Happening::Used(usage));
        }
    }
}
