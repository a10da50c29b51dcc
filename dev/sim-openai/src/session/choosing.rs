//! Chooses what the model says next: by what it is asked, by which tool has answered, by what the caller said last.

use super::Session;
use crate::{ObservationKind, Reply};
use serde_json::Value;

impl Session {
    /// The reply to what is asked for, in the conversation as it is.
    pub(super) fn choose(&mut self, asked: &Value) -> Reply {
        let is_aside = self.aside_for(asked).is_some();
        if let Some(rest) = self.rest.take_if(|_| !is_aside && asked["conversation"] != "none") {
            return rest;
        }
        let reply = self.chosen(asked);
        if !self.may_call(asked) {
            let spoken = reply.only_spoken();
            return if spoken.items.is_empty() { self.config.script.nudge.clone() } else { spoken };
        }
        reply
    }

    /// Distinguishes a request for a greeting from one that is none only because of what was said before.
    pub(super) fn judge_request(&mut self, asked: &Value) {
        let instructions = asked["instructions"].as_str().unwrap_or_default();
        if self.aside_for(asked).is_some() || self.rest.is_some() {
            return;
        }
        if self.is_opening() {
            if !instructions.is_empty() {
                self.greetings.remember(instructions);
            }
            self.observe(ObservationKind::GreetingRequested);
        } else if self.has_replayed && self.greetings.contain(instructions) {
            self.note_violation(
                "a greeting is asked for in a conversation that was replayed: the caller was greeted before",
            );
        } else if self.has_greeted_by_telephone() && self.greetings.contain(instructions) {
            self.note_violation(
                "a greeting is asked for again in a call that goes on: another socket asked for one before",
            );
        }
    }

    /// Whether nothing was ever said: neither in an earlier session nor, to the end, in this one.
    fn is_opening(&self) -> bool {
        self.turns() == 0 && !self.has_replayed && !self.conversation.has_spoken()
    }

    /// The caller's turns, heard or replayed. Silence is none, nor is a message that has a reply of its own.
    pub(super) fn turns(&self) -> usize {
        let script = &self.config.script;
        let counts = |text: Option<&str>| text.and_then(|text| script.reply_to_message(text)).is_none();
        self.conversation.users().filter(|item| !item.is_silence && counts(item.text())).count()
    }

    /// Returns the reply to explicit instructions: those of the response, or a system message that nothing follows.
    pub(super) fn aside_for(&self, asked: &Value) -> Option<&Reply> {
        let last = self.conversation.last().filter(|item| item.is_from("system"));
        let instructions = asked["instructions"].as_str().or_else(|| last?.text());
        self.config.script.aside_for(instructions?)
    }

    fn chosen(&mut self, asked: &Value) -> Reply {
        let script = self.config.clone();
        let script = &script.script;
        let is_aside = asked["conversation"] == "none";
        let answered = if is_aside { Vec::new() } else { std::mem::take(&mut self.answered) };
        if let Some(aside) = self.aside_for(asked) {
            return aside.clone();
        }
        if let Some(exact) = asked["instructions"].as_str().and_then(|asked| script.exact_words(asked)) {
            return exact;
        }
        if let Some(next) = answered.into_iter().flatten().min_by_key(|follow_up| follow_up.rank) {
            return next.reply;
        }
        let last = self.conversation.users().last();
        if let Some(reply) = last.and_then(|item| item.text()).and_then(|text| script.reply_to_message(text))
        {
            return reply.clone();
        }
        match self.turns() {
            _ if last.is_some_and(|item| item.is_silence) => script.nudge.clone(),
            0 if self.is_opening() => script.greeting.clone(),
            0 => script.nudge.clone(),
            turn => script.answer(turn).clone(),
        }
    }

    /// Whether the response may use tools.
    fn may_call(&self, asked: &Value) -> bool {
        let usual = &self.settings.json()["tool_choice"];
        let choice = if asked["tool_choice"].is_null() { usual } else { &asked["tool_choice"] };
        let has_none = asked["tools"].as_array().is_some_and(Vec::is_empty);
        choice != "none" && !has_none
    }
}
