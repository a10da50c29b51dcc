//! What was said in the conversation, as the caller heard it: no session can be resumed, so the next one is told.

use serde_json::{Value, json};
use std::time::Duration;

/// So many messages are told word for word.
const WORD_FOR_WORD: usize = 12;

/// So many before them are told shortly.
const SHORTLY: usize = 24;

/// How much of each of those, characters.
const SHORT: usize = 80;

/// How fast agents speak, characters a second: what was said of an item whose end never came.
const PACE: f64 = 15.0;

/// How much of what a tool of a remote server answered is told, characters.
const LONGEST_ANSWER: usize = 4_000;

/// Told after what was said: sessions otherwise introduce themselves again.
const GAP: &str = "The line dropped for a moment. Continue where you were, in the same language. Do not greet or \
                   introduce yourself again, and do not mention the interruption.";

/// Told if the caller waits for an answer to what nobody understood.
const MISSED: &str = "You did not catch what the caller said last: ask them to say it again.";

/// The conversation.
#[derive(Debug, Default)]
pub(crate) struct Mirror {
    entries: Vec<Entry>,
}

#[derive(Debug)]
enum Entry {
    Caller { item: String, text: String },
    Agent(Spoken),
    Told { text: String },
    Called { call_id: String, name: String, arguments: String },
    Answered { call_id: String, output: String },
    Hosted(Hosted),
}

/// A call of a tool that the service made itself.
#[derive(Debug)]
pub(crate) struct Hosted {
    item: String,
    pub tool: String,
    /// JSON, as text.
    pub arguments: String,
    pub came: Came,
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Came {
    NotYet,
    Answered(String),
    Failed(String),
    /// Its session was lost, or it took too long.
    Unknown,
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

impl Mirror {
    /// The caller began to say this item; what, comes later, if at all.
    pub(crate) fn caller_speaks(&mut self, item: &str) {
        let is_known = self
            .entries
            .iter()
            .any(|entry| matches!(entry, Entry::Caller { item: known, .. } if known == item));
        if !is_known && !item.is_empty() {
            self.entries.push(Entry::Caller { item: item.to_owned(), text: String::new() });
        }
    }

    pub(crate) fn caller_said(&mut self, item: &str, words: &str) {
        self.caller_speaks(item);
        for entry in &mut self.entries {
            match entry {
                Entry::Caller { item: known, text } if known == item => words.clone_into(text),
                Entry::Caller { .. } | Entry::Agent(_) | Entry::Told { .. } => {}
                Entry::Called { .. } | Entry::Answered { .. } | Entry::Hosted(_) => {}
            }
        }
    }

    pub(crate) fn agent_speaks(&mut self, item: &str) {
        if self.spoken(item).is_none() {
            self.entries.push(Entry::Agent(Spoken {
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
            Entry::Agent(spoken) if spoken.item == item => Some(spoken.said_words()),
            Entry::Agent(_) | Entry::Caller { .. } | Entry::Told { .. } => None,
            Entry::Called { .. } | Entry::Answered { .. } | Entry::Hosted(_) => None,
        });
        words.unwrap_or_default()
    }

    pub(crate) fn told(&mut self, text: &str) {
        self.entries.push(Entry::Told { text: text.to_owned() });
    }

    pub(crate) fn called(&mut self, call_id: &str, name: &str, arguments: &str) {
        let (call_id, name, arguments) = (call_id.to_owned(), name.to_owned(), arguments.to_owned());
        self.entries.push(Entry::Called { call_id, name, arguments });
    }

    pub(crate) fn answered(&mut self, call_id: &str, output: &str) {
        self.entries.push(Entry::Answered { call_id: call_id.to_owned(), output: output.to_owned() });
    }

    /// The service calls a tool itself.
    pub(crate) fn call_hosted(&mut self, item: &str, tool: &str) {
        let (item, tool) = (item.to_owned(), tool.to_owned());
        self.entries.push(Entry::Hosted(Hosted { item, tool, arguments: String::new(), came: Came::NotYet }));
    }

    /// The call that the service made by this item.
    pub(crate) fn hosted(&mut self, wanted: &str) -> Option<&mut Hosted> {
        self.entries.iter_mut().rev().find_map(|entry| match entry {
            Entry::Hosted(hosted) if hosted.item == wanted => Some(hosted),
            Entry::Hosted(_) | Entry::Agent(_) | Entry::Caller { .. } | Entry::Told { .. } => None,
            Entry::Called { .. } | Entry::Answered { .. } => None,
        })
    }

    /// An item of the agent's is taken out of the conversation.
    pub(crate) fn forget(&mut self, item: &str) {
        self.entries.retain(|entry| match entry {
            Entry::Agent(spoken) => spoken.item != item,
            Entry::Hosted(hosted) => hosted.item != item,
            Entry::Caller { .. } | Entry::Told { .. } | Entry::Called { .. } | Entry::Answered { .. } => true,
        });
    }

    /// Where an item is among the others.
    pub(crate) fn place(&self, wanted: &str) -> Option<usize> {
        self.entries.iter().position(|entry| matches!(entry, Entry::Agent(spoken) if spoken.item == wanted))
    }

    /// The items that tell a new session of all this. `id` names them; `owes_answer`: the caller waits for one.
    pub(crate) fn retell(&mut self, owes_answer: bool, mut id: impl FnMut() -> String) -> Vec<Value> {
        let from = self.word_for_word_from();
        let before = self.entries[..from].iter().filter_map(Entry::shortly).collect::<Vec<_>>();
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
        let missed = matches!(self.entries.last(), Some(Entry::Caller { text, .. }) if text.is_empty());
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
            Entry::Answered { call_id, .. } => self.call_at(call_id),
            Entry::Caller { .. } | Entry::Agent(_) | Entry::Told { .. } => None,
            Entry::Called { .. } | Entry::Hosted(_) => None,
        });
        outputs.chain([from]).min().unwrap_or(from)
    }

    fn call_at(&self, wanted: &str) -> Option<usize> {
        self.entries
            .iter()
            .position(|entry| matches!(entry, Entry::Called { call_id, .. } if call_id == wanted))
    }

    fn is_open_call(&self, at: usize) -> bool {
        let Entry::Called { call_id, .. } = &self.entries[at] else { return false };
        !self
            .entries
            .iter()
            .any(|entry| matches!(entry, Entry::Answered { call_id: answered, .. } if answered == call_id))
    }

    fn spoken(&mut self, item: &str) -> Option<&mut Spoken> {
        self.entries.iter_mut().rev().find_map(|entry| match entry {
            Entry::Agent(spoken) if spoken.item == item => Some(spoken),
            Entry::Agent(_) | Entry::Caller { .. } | Entry::Told { .. } => None,
            Entry::Called { .. } | Entry::Answered { .. } | Entry::Hosted(_) => None,
        })
    }
}

impl Entry {
    fn item(&mut self, id: impl FnOnce() -> String) -> Option<Value> {
        match self {
            Self::Caller { text, .. } if text.is_empty() => None,
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

    fn shortly(&self) -> Option<String> {
        let (who, text) = match self {
            Self::Caller { text, .. } => ("Caller", text.as_str()),
            Self::Agent(spoken) => ("You", spoken.heard_words()),
            Self::Told { text } => ("System", text.as_str()),
            Self::Answered { output, .. } => ("Tool", output.as_str()),
            Self::Hosted(Hosted { came: Came::Answered(output), .. }) => ("Tool", output.as_str()),
            Self::Hosted(_) | Self::Called { .. } => return None,
        };
        (!text.is_empty()).then(|| format!("{who}: {}", cut(text, SHORT)))
    }
}

impl Hosted {
    /// In words: a session takes no call of a server's tool that another one has made.
    fn item(&self) -> Option<Value> {
        let came = match &self.came {
            Came::NotYet => return None,
            Came::Answered(output) => format!("It answered: {}", cut(output, LONGEST_ANSWER)),
            Came::Failed(error) => format!("It failed. {}", cut(error, LONGEST_ANSWER)),
            Came::Unknown => "It is not known what came of it: do not simply call it again.".to_owned(),
        };
        let text = format!("You called the tool {} with {}. {came}", self.tool, self.arguments);
        Some(message("system", "input_text", &text))
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
        cut(&self.text, (self.received.as_secs_f64() * PACE) as usize)
    }
}

fn message(role: &str, kind: &str, text: &str) -> Value {
    json!({"type": "message", "role": role, "content": [{"type": kind, "text": text}]})
}

/// The words of a text that were heard, when so much of its sound was: in proportion, and whole ones only. The model tells
/// no shortened transcript.
pub fn heard_words(text: &str, heard: Duration, of: Duration) -> &str {
    if heard >= of {
        return text;
    }
    let all = text.chars().count();
    cut(text, (all as f64 * heard.div_duration_f64(of)) as usize)
}

/// At most so many characters, and whole words.
fn cut(text: &str, most: usize) -> &str {
    let Some((end, _)) = text.char_indices().nth(most) else { return text };
    let is_between_words = text[end..].starts_with(char::is_whitespace);
    let end = if is_between_words { end } else { text[..end].rfind(char::is_whitespace).unwrap_or(0) };
    text[..end].trim_end()
}

#[cfg(test)]
#[path = "mirror_tests.rs"]
mod tests;
