//! The tools every agent can have without anybody's server: ending the call, messages, callbacks.

use crate::toolbox::ToolUse;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::fmt;

/// A built-in tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BuiltIn {
    EndCall,
    SendMessage,
    TakeMessage,
    RequestCallback,
}

/// What a caller wants the people of the business to know.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// What they want to say, 1 to 4,000 characters.
    pub message: String,
    /// Their name, if they gave it, up to 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_name: Option<String>,
    /// Whether it cannot wait.
    #[serde(default)]
    pub urgent: bool,
}

/// What a caller wants to be called back for.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    /// What it is about, 1 to 2,000 characters.
    pub about: String,
    /// When it suits them, in their words, up to 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Another number than the one they call from, as they said it, up to 50 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
}

/// What is sent to the caller, 1 to 4,096 characters: Meta's limit for a text.
#[derive(Deserialize)]
struct Text {
    text: String,
}

impl BuiltIn {
    pub fn name(self) -> &'static str {
        match self {
            Self::EndCall => "end_call",
            Self::SendMessage => "send_whatsapp_message",
            Self::TakeMessage => "take_message",
            Self::RequestCallback => "request_callback",
        }
    }

    /// What it does, for the model.
    pub fn description(self) -> &'static str {
        match self {
            Self::EndCall => {
                "Hangs up. Use it once the caller has said goodbye or needs nothing more. Say your own goodbye first, in the \
                 same turn: the caller hears it to its end before the line closes. Never use it while the caller still \
                 wants something."
            }
            Self::SendMessage => {
                "Sends the caller a WhatsApp text in the chat with this business, while you talk. Good for what is hard to \
                 note by ear: addresses, links, numbers, times, prices. Ask the caller first, and say that it was sent only \
                 after this tool has said so."
            }
            Self::TakeMessage => {
                "Notes a message for the people of the business, who read it after the call. Use it when the caller wants a \
                 person, or when you cannot help. Read back to the caller what you noted."
            }
            Self::RequestCallback => {
                "Asks the people of the business to call the caller back. Use it when the caller would rather speak with a \
                 person. Ask what it is about and when it suits them; promise no time yourself."
            }
        }
    }

    /// The JSON Schema of its arguments.
    pub fn parameters(self) -> Value {
        match self {
            Self::EndCall => json!({"type": "object", "properties": {}}),
            Self::SendMessage => json!({
                "type": "object",
                "properties": {
                    "text": text(4096, "The whole text, in the language of the talk."),
                },
                "required": ["text"],
            }),
            Self::TakeMessage => json!({
                "type": "object",
                "properties": {
                    "message": text(4000, "What the caller wants to say, complete, with every name and number."),
                    "caller_name": perhaps(200, "The caller's name, if they gave it."),
                    "urgent": {"type": "boolean", "description": "Whether the caller says that it cannot wait."},
                },
                "required": ["message"],
            }),
            Self::RequestCallback => json!({
                "type": "object",
                "properties": {
                    "about": text(2000, "What the caller wants to talk about."),
                    "when": perhaps(200, "When it suits the caller, in their own words."),
                    "number": perhaps(50, "Only if it is not the number this call comes from."),
                },
                "required": ["about"],
            }),
        }
    }

    /// What the model wants done, from arguments that fit [`BuiltIn::parameters`].
    pub fn read(self, arguments: Map<String, Value>) -> ToolUse {
        match self {
            Self::EndCall => ToolUse::EndCall,
            Self::SendMessage => ToolUse::SendMessage { text: typed::<Text>(arguments).text },
            Self::TakeMessage => ToolUse::TakeMessage(typed(arguments)),
            Self::RequestCallback => ToolUse::RequestCallback(typed(arguments)),
        }
    }

    /// What the model is told once it is done.
    pub fn done(self) -> &'static str {
        match self {
            Self::EndCall => {
                "The call ends as soon as the caller has heard your goodbye. Say nothing more. If the caller says something \
                 meanwhile, answer it; if it needs no answer, use this tool again without a word."
            }
            Self::SendMessage => "The message was sent to the caller's WhatsApp.",
            Self::TakeMessage => "The message is stored; the people of the business will see it.",
            Self::RequestCallback => {
                "The request is stored; the people of the business will see it. No time is promised."
            }
        }
    }

    /// What the model is told when nobody knows whether it was done. What is stored twice does no harm; a caller would wonder
    /// about two messages.
    pub fn in_doubt(self) -> &'static str {
        match self {
            Self::SendMessage => {
                "It is not known whether the message was sent; do not send it again. Tell the caller that it may or may \
                 not arrive, and say the important part slowly instead."
            }
            Self::EndCall | Self::TakeMessage | Self::RequestCallback => self.failed(),
        }
    }

    /// What the model is told when it could not be done.
    pub fn failed(self) -> &'static str {
        match self {
            Self::EndCall => "The call could not be ended from here. Ask the caller to hang up.",
            Self::SendMessage => {
                "The message could not be sent. Tell the caller so, and say the important part slowly instead."
            }
            Self::TakeMessage | Self::RequestCallback => {
                "This could not be stored. Tell the caller so, and ask them to write to this number on WhatsApp."
            }
        }
    }
}

/// A text that must be there and say something.
fn text(longest: u32, description: &str) -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": longest, "pattern": "\\S", "description": description})
}

/// A text that may be missing.
fn perhaps(longest: u32, description: &str) -> Value {
    json!({"type": ["string", "null"], "maxLength": longest, "description": description})
}

fn typed<T: for<'a> Deserialize<'a>>(arguments: Map<String, Value>) -> T {
    serde_json::from_value(arguments.into()).expect("the arguments fit the schema, which asks for all of it")
}

/// Without what was said.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("urgent", &self.urgent).finish_non_exhaustive()
    }
}

/// Without what was said.
impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback").finish_non_exhaustive()
    }
}
