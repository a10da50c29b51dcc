//! What was said in the conversation, as the caller heard it: no session can be resumed, so the next one is told.

mod hosted_tools;

use crate::heard_words::{heard_words, shortened, words_within};
pub(crate) use hosted_tools::{HostedAnswer, HostedHistory};
use serde_json::{Value, json};
use std::time::Duration;

/// So many messages are told word for word.
const WORD_FOR_WORD: usize = 12;

/// So many before them are told shortly.
const SHORTLY: usize = 24;

/// How much of each of those, characters.
const SHORT: usize = 80;

/// Told after what was said: sessions otherwise introduce themselves again.
const GAP: &str = "The line dropped for a moment. Continue where you were, in the same language. Do not greet or \
                   introduce yourself again, and do not mention the interruption.";

/// Told if the caller waits for an answer to what nobody understood.
const MISSED: &str = "You did not catch what the caller said last: ask them to say it again.";

/// The conversation.
#[derive(Debug, Default)]
pub(crate) struct ConversationHistory {
    entries: Vec<HistoryEntry>,
}

#[derive(Debug)]
enum HistoryEntry {
    Caller { item: String, text: String, is_silence: bool },
    Agent(Spoken),
    Told { text: String },
    Called { call_id: String, name: String, arguments: String },
    Answered { call_id: String, output: String },
    Hosted(HostedHistory),
}

#[derive(Debug)]
struct Spoken {
    item: String,
    text: String,
    received: Duration,
    is_whole: bool,
    /// When it was interrupted: how much of it was heard.
    heard: Option<(Duration, Duration)>,
    /// Its name in the session that was told of it.
    told_as: Option<String>,
}

impl ConversationHistory {
    /// The caller began to say this item; what, comes later, if at all.
    pub(crate) fn caller_speaks(&mut self, item: &str) {
        let is_known = self
            .entries
            .iter()
            .any(|entry| matches!(entry, HistoryEntry::Caller { item: known, .. } if known == item));
        if !is_known && !item.is_empty() {
            self.entries.push(HistoryEntry::Caller {
                item: item.to_owned(),
                text: String::new(),
                is_silence: false,
            });
        }
    }

    pub(crate) fn caller_said(&mut self, item: &str, words: &str) {
        self.caller_speaks(item);
        for entry in &mut self.entries {
            match entry {
                HistoryEntry::Caller { item: known, text, .. } if known == item => words.clone_into(text),
                HistoryEntry::Caller { .. } | HistoryEntry::Agent(_) | HistoryEntry::Told { .. } => {}
                HistoryEntry::Called { .. } | HistoryEntry::Answered { .. } | HistoryEntry::Hosted(_) => {}
            }
        }
    }

    /// Nothing was said in this item: what is written down of it is made up, and is not told.
    pub(crate) fn caller_was_silent(&mut self, item: &str) {
        self.caller_speaks(item);
        for entry in &mut self.entries {
            match entry {
                HistoryEntry::Caller { item: known, is_silence, .. } if known == item => *is_silence = true,
                HistoryEntry::Caller { .. } | HistoryEntry::Agent(_) | HistoryEntry::Told { .. } => {}
                HistoryEntry::Called { .. } | HistoryEntry::Answered { .. } | HistoryEntry::Hosted(_) => {}
            }
        }
    }

    pub(crate) fn agent_speaks(&mut self, item: &str) {
        if self.spoken(item).is_none() {
            self.entries.push(HistoryEntry::Agent(Spoken {
                item: item.to_owned(),
                text: String::new(),
                received: Duration::ZERO,
                is_whole: false,
                heard: None,
                told_as: None,
            }));
        }
    }

    pub(crate) fn agent_adds(&mut self, item: &str, words: &str) {
        self.agent_speaks(item);
        self.spoken(item).into_iter().for_each(|spoken| spoken.text.push_str(words));
    }

    pub(crate) fn agent_said(&mut self, item: &str, words: &str) {
        self.agent_speaks(item);
        self.spoken(item).into_iter().for_each(|spoken| words.clone_into(&mut spoken.text));
    }

    /// The same, from where it is said once more.
    pub(crate) fn agent_had_said(&mut self, item: &str, words: &str) {
        self.agent_speaks(item);
        let spoken = self.spoken(item).filter(|spoken| spoken.text.is_empty());
        spoken.into_iter().for_each(|spoken| words.clone_into(&mut spoken.text));
    }

    /// So much sound of an item has come; `is_whole`: no more will.
    pub(crate) fn received(&mut self, item: &str, received: Duration, is_whole: bool) {
        self.agent_speaks(item);
        self.spoken(item).into_iter().for_each(|spoken| {
            spoken.received = received;
            spoken.is_whole |= is_whole;
        });
    }

    /// So much of an item was heard. Its name in the session that was told of it otherwise, if one was.
    pub(crate) fn heard(&mut self, item: &str, heard: Duration, of: Duration) -> Option<String> {
        let spoken = self.spoken(item)?;
        let told = spoken.heard_words().len();
        spoken.heard = Some((heard, of));
        let is_otherwise = spoken.heard_words().len() != told;
        spoken.told_as.take_if(|_| is_otherwise)
    }

    /// What the agent said in an item, as far as its sound came.
    pub(crate) fn words(&self, item: &str) -> &str {
        let words = self.entries.iter().rev().find_map(|entry| match entry {
            HistoryEntry::Agent(spoken) if spoken.item == item => Some(spoken.said_words()),
            HistoryEntry::Agent(_) | HistoryEntry::Caller { .. } | HistoryEntry::Told { .. } => None,
            HistoryEntry::Called { .. } | HistoryEntry::Answered { .. } | HistoryEntry::Hosted(_) => None,
        });
        words.unwrap_or_default()
    }

    pub(crate) fn told(&mut self, text: &str) {
        self.entries.push(HistoryEntry::Told { text: text.to_owned() });
    }

    pub(crate) fn called(&mut self, call_id: &str, name: &str, arguments: &str) {
        let (call_id, name, arguments) = (call_id.to_owned(), name.to_owned(), arguments.to_owned());
        self.entries.push(HistoryEntry::Called { call_id, name, arguments });
    }

    pub(crate) fn answered(&mut self, call_id: &str, output: &str) {
        self.entries.push(HistoryEntry::Answered { call_id: call_id.to_owned(), output: output.to_owned() });
    }

    /// An item of the agent's is taken out of the conversation.
    pub(crate) fn forget(&mut self, item: &str) {
        self.entries.retain(|entry| match entry {
            HistoryEntry::Agent(spoken) => spoken.item != item,
            HistoryEntry::Hosted(hosted) => hosted.item != item,
            HistoryEntry::Caller { .. }
            | HistoryEntry::Told { .. }
            | HistoryEntry::Called { .. }
            | HistoryEntry::Answered { .. } => true,
        });
    }

    /// Where an item is among the others.
    pub(crate) fn place(&self, wanted: &str) -> Option<usize> {
        self.entries
            .iter()
            .position(|entry| matches!(entry, HistoryEntry::Agent(spoken) if spoken.item == wanted))
    }

    /// The items that tell a new session of all this. `id` names them; `owes_answer`: the caller waits for one.
    pub(crate) fn retell(&mut self, owes_answer: bool, mut id: impl FnMut() -> String) -> Vec<Value> {
        let from = self.word_for_word_from();
        let before = self.entries[..from].iter().filter_map(HistoryEntry::shortly).collect::<Vec<_>>();
        let before = before[before.len().saturating_sub(SHORTLY)..].join("\n");
        let mut items = vec![];
        if !before.is_empty() {
            items.push(message("system", "input_text", &format!("Earlier in this call:\n{before}")));
        }
        for at in 0..self.entries.len() {
            if at < from && !self.is_open_call(at) {
                continue;
            }
            items.extend(self.entries[at].item(&mut id));
        }
        let last = self.entries.iter().rev().find(|entry| !entry.is_silence());
        let missed = matches!(last, Some(HistoryEntry::Caller { text, .. }) if text.is_empty());
        let gap = if missed && owes_answer { format!("{GAP} {MISSED}") } else { GAP.to_owned() };
        items.push(message("system", "input_text", &gap));
        items
    }

    /// One item, told anew, as far as it was heard.
    pub(crate) fn retell_one(&mut self, item: &str, id: impl FnOnce() -> String) -> Option<Value> {
        self.spoken(item)?.item(id)
    }

    /// A function's output goes with its call, so the cut is never between them.
    fn word_for_word_from(&self) -> usize {
        let from = self.entries.len().saturating_sub(WORD_FOR_WORD);
        let outputs = self.entries[from..].iter().filter_map(|entry| match entry {
            HistoryEntry::Answered { call_id, .. } => self.call_at(call_id),
            HistoryEntry::Caller { .. } | HistoryEntry::Agent(_) | HistoryEntry::Told { .. } => None,
            HistoryEntry::Called { .. } | HistoryEntry::Hosted(_) => None,
        });
        outputs.chain([from]).min().unwrap_or(from)
    }

    fn call_at(&self, wanted: &str) -> Option<usize> {
        self.entries
            .iter()
            .position(|entry| matches!(entry, HistoryEntry::Called { call_id, .. } if call_id == wanted))
    }

    fn is_open_call(&self, at: usize) -> bool {
        let HistoryEntry::Called { call_id, .. } = &self.entries[at] else { return false };
        !self.entries.iter().any(
            |entry| matches!(entry, HistoryEntry::Answered { call_id: answered, .. } if answered == call_id),
        )
    }

    fn spoken(&mut self, item: &str) -> Option<&mut Spoken> {
        self.entries.iter_mut().rev().find_map(|entry| match entry {
            HistoryEntry::Agent(spoken) if spoken.item == item => Some(spoken),
            HistoryEntry::Agent(_) | HistoryEntry::Caller { .. } | HistoryEntry::Told { .. } => None,
            HistoryEntry::Called { .. } | HistoryEntry::Answered { .. } | HistoryEntry::Hosted(_) => None,
        })
    }
}

impl HistoryEntry {
    fn item(&mut self, id: impl FnOnce() -> String) -> Option<Value> {
        match self {
            Self::Caller { text, is_silence, .. } if *is_silence || text.is_empty() => None,
            Self::Caller { text, .. } | Self::Told { text } => Some(message("user", "input_text", text)),
            Self::Agent(spoken) => spoken.item(id),
            Self::Called { call_id, name, arguments } => Some(json!({
                "type": "function_call", "call_id": call_id, "name": name, "arguments": arguments,
            })),
            Self::Answered { call_id, output } => Some(json!({
                "type": "function_call_output", "call_id": call_id, "output": output,
            })),
            Self::Hosted(hosted) => hosted.item(),
        }
    }

    fn is_silence(&self) -> bool {
        matches!(self, Self::Caller { is_silence: true, .. })
    }

    fn shortly(&self) -> Option<String> {
        let (who, text) = match self {
            Self::Caller { is_silence: true, .. } => return None,
            Self::Caller { text, .. } => ("Caller", text.as_str()),
            Self::Agent(spoken) => ("You", spoken.heard_words()),
            Self::Told { text } => ("System", text.as_str()),
            Self::Answered { output, .. } => ("Tool", output.as_str()),
            Self::Hosted(HostedHistory { came: HostedAnswer::Answered(output), .. }) => {
                ("Tool", output.as_str())
            }
            Self::Hosted(_) | Self::Called { .. } => return None,
        };
        (!text.is_empty()).then(|| format!("{who}: {}", shortened(text, SHORT)))
    }
}

impl Spoken {
    fn item(&mut self, id: impl FnOnce() -> String) -> Option<Value> {
        let words = self.heard_words();
        if words.is_empty() {
            return None;
        }
        let mut item = message("assistant", "output_text", words);
        let id = id();
        item["id"] = json!(id);
        self.told_as = Some(id);
        Some(item)
    }

    fn heard_words(&self) -> &str {
        match self.heard {
            Some((heard, of)) => heard_words(self.said_words(), heard, of),
            None => self.said_words(),
        }
    }

    /// The words run ahead of the sound, and the rest of the sound may never have come.
    fn said_words(&self) -> &str {
        if self.is_whole {
            return &self.text;
        }
        words_within(&self.text, self.received)
    }
}

fn message(role: &str, kind: &str, text: &str) -> Value {
    json!({"type": "message", "role": role, "content": [{"type": kind, "text": text}]})
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
