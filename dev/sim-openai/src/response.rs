//! One response while it is being sent: what the client has of it so far, and its events.

use crate::conversation::Item;
use crate::format::Format;
use crate::plan::{Opening, Step};
use crate::reply::{Cut, McpCall, Reply};
use crate::usage::Tokens;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::time::Instant;

#[derive(Debug, Clone)]
pub(crate) struct Terms {
    /// `None` for a response out of band, which leaves the conversation as it is.
    pub conversation_id: Option<String>,
    pub format: Format,
    pub voice: Value,
    pub modalities: Value,
    pub max_output_tokens: Value,
    /// Whether its instructions are not the session's: then it begins with others, and nothing it reads is in the cache.
    pub has_own_instructions: bool,
    /// The client's, echoed.
    pub metadata: Value,
}

#[derive(Debug)]
pub(crate) struct Response {
    pub id: String,
    pub terms: Terms,
    /// What is still to come, and when.
    pub steps: VecDeque<(Instant, Step)>,
    /// How it ends once every step is taken.
    pub end: End,
    /// What it reads: the instructions, the tools, the conversation.
    pub input: Tokens,
    /// What it says, and what follows.
    pub reply: Reply,
    output: Vec<OutputItem>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    Completed,
    TurnDetected,
    ClientCancelled,
    Incomplete(Cut),
    Failed { kind: &'static str, code: &'static str, message: &'static str },
}

/// An output item: a message or a function call.
#[derive(Debug, Clone)]
pub(crate) struct OutputItem {
    pub id: String,
    pub content: Content,
    /// What was said, written, or called with, so far.
    pub words: String,
    pub sound_bytes: usize,
    status: &'static str,
    /// Whether the remote tool that it calls has answered.
    is_answered: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Content {
    Speech { clip: String },
    Text,
    Call { name: String, call_id: String },
    Mcp(McpCall),
}

impl Response {
    pub(crate) fn new(
        id: String,
        terms: Terms,
        input: Tokens,
        reply: Reply,
        steps: VecDeque<(Instant, Step)>,
    ) -> Self {
        Self { id, terms, steps, end: End::Completed, input, reply, output: Vec::new() }
    }

    /// Whether it writes to the conversation.
    pub(crate) fn is_default(&self) -> bool {
        self.terms.conversation_id.is_some()
    }

    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.steps.front().map(|(due, _)| *due)
    }

    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Step> {
        self.next_due().filter(|due| *due <= now)?;
        self.steps.pop_front().map(|(_, step)| step)
    }

    pub(crate) fn open_item(&self) -> Option<&OutputItem> {
        self.last_item().filter(|item| item.status == "in_progress")
    }

    pub(crate) fn last_item(&self) -> Option<&OutputItem> {
        self.output.last()
    }

    /// How much sound all of it holds.
    pub(crate) fn sound_ms(&self) -> u64 {
        self.output.iter().map(|item| self.terms.format.milliseconds(item.sound_bytes)).sum()
    }

    pub(crate) fn tokens(&self) -> Tokens {
        let audio = Tokens::assistant_audio(self.sound_ms());
        self.output.iter().map(|item| Tokens::text(&item.words)).sum::<Tokens>() + audio
    }

    /// Begins an item. `previous` is the item before it in the conversation.
    pub(crate) fn open(
        &mut self,
        id: String,
        call_id: String,
        opening: Opening,
        previous: Option<&str>,
    ) -> Vec<Value> {
        let content = match opening {
            Opening::Speech(clip) => Content::Speech { clip },
            Opening::Text => Content::Text,
            Opening::Call(name) => Content::Call { name, call_id },
            Opening::Mcp(call) => Content::Mcp(call),
        };
        let (words, status) = (String::new(), "in_progress");
        let item = OutputItem { id, content, words, sound_bytes: 0, status, is_answered: false };
        let json = item.json();
        let part = item.part();
        self.output.push(item);

        let mut events = vec![self.about_item("response.output_item.added", json!({"item": json}))];
        if self.is_default() {
            let added =
                json!({"type": "conversation.item.added", "previous_item_id": previous, "item": json});
            events.push(added);
        }
        events.extend(
            part.map(|part| self.about_content("response.content_part.added", json!({"part": part}))),
        );
        events
    }

    pub(crate) fn words(&mut self, words: &str) -> Value {
        let item = self.sending();
        item.words.push_str(words);
        let kind = match &item.content {
            Content::Speech { .. } => "response.output_audio_transcript.delta",
            Content::Text | Content::Call { .. } | Content::Mcp(_) => "response.output_text.delta",
        };
        self.about_content(kind, json!({"delta": words}))
    }

    pub(crate) fn sound(&mut self, sound: &[u8]) -> Value {
        self.sending().sound_bytes += sound.len();
        self.about_content("response.output_audio.delta", json!({"delta": BASE64.encode(sound)}))
    }

    pub(crate) fn arguments(&mut self, part: &str) -> Value {
        let item = self.sending();
        item.words.push_str(part);
        match item.call_id() {
            Some(call_id) => {
                let delta = json!({"delta": part, "call_id": call_id});
                self.about(json!({"type": "response.function_call_arguments.delta"}), delta)
            }
            None => self.about(json!({"type": "response.mcp_call_arguments.delta"}), json!({"delta": part})),
        }
    }

    /// Ends the item being sent, completed or cut short, with every `done` that the API sends in either case.
    pub(crate) fn close(&mut self, completed: bool) -> Vec<Value> {
        let item = self.sending();
        item.status = if completed { "completed" } else { "incomplete" };
        let (json, part, words) = (item.json(), item.part(), item.words.clone());
        let mut events = match item.content.clone() {
            Content::Speech { .. } => vec![
                self.about_content("response.output_audio.done", json!({})),
                self.about_content("response.output_audio_transcript.done", json!({"transcript": words})),
            ],
            Content::Text => vec![self.about_content("response.output_text.done", json!({"text": words}))],
            // Half of the arguments are never done.
            Content::Call { .. } if !completed && serde_json::from_str::<Value>(&words).is_err() => vec![],
            Content::Call { name, call_id } => {
                let call = json!({"call_id": call_id, "name": name, "arguments": words});
                vec![self.about(json!({"type": "response.function_call_arguments.done"}), call)]
            }
            Content::Mcp(_) if completed => self.begin_mcp(&words),
            Content::Mcp(_) => vec![],
        };
        events
            .extend(part.map(|part| self.about_content("response.content_part.done", json!({"part": part}))));
        // A remote tool is done once it has answered.
        if self.is_default() && !matches!(self.sending().content, Content::Mcp(_)) {
            events.push(json!({"type": "conversation.item.done", "item": json}));
        }
        events.push(self.about_item("response.output_item.done", json!({"item": json})));
        events
    }

    /// The service makes the call itself.
    fn begin_mcp(&self, arguments: &str) -> Vec<Value> {
        let done = json!({"type": "response.mcp_call_arguments.done"});
        let begins = json!({"type": "response.mcp_call.in_progress", "item_id": self.last_item().map(|item| &item.id),
            "output_index": self.output.len().saturating_sub(1)});
        vec![self.about(done, json!({"arguments": arguments})), begins]
    }

    /// The remote tool that was called last answers. The item, and its place in the output.
    pub(crate) fn answer_mcp(&self) -> (Value, usize) {
        let answered = self.last_item().map(|item| OutputItem { is_answered: true, ..item.clone() });
        (answered.map(|item| item.json()).unwrap_or_default(), self.output.len().saturating_sub(1))
    }

    /// It has answered before the response is done.
    pub(crate) fn note_answered(&mut self) {
        self.sending().is_answered = true;
    }

    /// What is left of its reply, should it end now.
    pub(crate) fn rest(&self) -> Option<Reply> {
        let item = self.output.len().checked_sub(1)?;
        self.reply.rest(item, self.terms.format.milliseconds(self.output[item].sound_bytes))
    }

    pub(crate) fn created(&self) -> Value {
        json!({"type": "response.created", "response": self.json("in_progress", Value::Null, Value::Null)})
    }

    pub(crate) fn done(&self, end: &End, usage: Value) -> Value {
        json!({"type": "response.done", "response": self.json(end.status(), end.details(), usage)})
    }

    fn json(&self, status: &str, details: Value, usage: Value) -> Value {
        json!({
            "object": "realtime.response", "id": self.id, "status": status, "status_details": details,
            "output": self.output.iter().map(OutputItem::json).collect::<Vec<_>>(),
            "conversation_id": self.terms.conversation_id,
            "output_modalities": self.terms.modalities,
            "max_output_tokens": self.terms.max_output_tokens,
            "audio": {"output": {"format": self.terms.format.json(), "voice": self.terms.voice}},
            "usage": usage, "metadata": self.terms.metadata,
        })
    }

    fn sending(&mut self) -> &mut OutputItem {
        self.output.last_mut().expect("a plan opens an item before it fills or closes one")
    }

    fn about_content(&self, kind: &str, fields: Value) -> Value {
        self.about(json!({"type": kind, "content_index": 0}), fields)
    }

    fn about(&self, event: Value, fields: Value) -> Value {
        let item = self.output.last().map(|item| item.id.as_str());
        let mut event = self.placed(event, fields);
        event["item_id"] = json!(item);
        event
    }

    fn about_item(&self, kind: &str, fields: Value) -> Value {
        self.placed(json!({"type": kind}), fields)
    }

    fn placed(&self, mut event: Value, mut fields: Value) -> Value {
        event["response_id"] = json!(self.id);
        event["output_index"] = json!(self.output.len().saturating_sub(1));
        if let (Some(event), Some(fields)) = (event.as_object_mut(), fields.as_object_mut()) {
            event.append(fields);
        }
        event
    }
}

impl OutputItem {
    pub(crate) fn item(&self, format: Format) -> Item {
        Item { audio_ms: format.milliseconds(self.sound_bytes), ..Item::new(self.json()) }
    }

    fn json(&self) -> Value {
        let object = "realtime.item";
        let message = |content: Value| {
            json!({"id": self.id, "object": object, "type": "message", "status": self.status,
                   "role": "assistant", "content": content})
        };
        match &self.content {
            Content::Call { name, call_id } => {
                json!({"id": self.id, "object": object, "type": "function_call", "status": self.status,
                       "name": name, "call_id": call_id, "arguments": self.words})
            }
            Content::Mcp(McpCall { label, name, answer, .. }) => {
                let answer = self.is_answered.then_some(answer);
                let output = answer.and_then(|answer| answer.as_ref().ok());
                let error = answer.and_then(|answer| answer.as_ref().err());
                let error = error.map(|message| json!({"type": "tool_execution_error", "message": message}));
                json!({"id": self.id, "type": "mcp_call", "server_label": label, "name": name,
                       "arguments": self.words, "output": output, "error": error, "approval_request_id": null})
            }
            _ if self.words.is_empty() && self.sound_bytes == 0 => message(json!([])),
            Content::Speech { .. } => message(json!([{"type": "output_audio", "transcript": self.words}])),
            Content::Text => message(json!([{"type": "output_text", "text": self.words}])),
        }
    }

    fn part(&self) -> Option<Value> {
        match self.content {
            Content::Speech { .. } => Some(json!({"type": "audio", "transcript": self.words})),
            Content::Text => Some(json!({"type": "text", "text": self.words})),
            Content::Call { .. } | Content::Mcp(_) => None,
        }
    }

    fn call_id(&self) -> Option<&str> {
        match &self.content {
            Content::Call { call_id, .. } => Some(call_id),
            Content::Speech { .. } | Content::Text | Content::Mcp(_) => None,
        }
    }
}

impl End {
    pub(crate) fn status(&self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::TurnDetected | Self::ClientCancelled => "cancelled",
            Self::Incomplete(_) => "incomplete",
            Self::Failed { .. } => "failed",
        }
    }

    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::TurnDetected => "turn_detected",
            Self::ClientCancelled => "client_cancelled",
            Self::Incomplete(Cut::MaxOutputTokens) => "max_output_tokens",
            Self::Incomplete(Cut::ContentFilter) => "content_filter",
            Self::Failed { code, .. } => code,
        }
    }

    fn details(&self) -> Value {
        match self {
            Self::Completed => Value::Null,
            Self::TurnDetected | Self::ClientCancelled => {
                json!({"type": "cancelled", "reason": self.reason()})
            }
            Self::Incomplete(_) => json!({"type": "incomplete", "reason": self.reason()}),
            Self::Failed { kind, code, message } => {
                json!({"type": "failed", "error": {"type": kind, "code": code, "message": message}})
            }
        }
    }
}
