//! The built-in tools, which need no server of the operator's: ending or transferring the call, messages, callbacks.

use crate::outcome::ToolOutcomeKind;
use crate::tool_use::ToolUse;
use agents::TRANSFER_CALL;
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BuiltIn {
    EndCall,
    SendMessage,
    TakeMessage,
    RequestCallback,
    TransferCall,
}

/// The arguments of `send_whatsapp_message`: a text of 1 to 4,096 characters, Meta's limit.
#[derive(Deserialize)]
struct Text {
    text: String,
}

impl BuiltIn {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::EndCall => "end_call",
            Self::SendMessage => "send_whatsapp_message",
            Self::TakeMessage => "take_message",
            Self::RequestCallback => "request_callback",
            Self::TransferCall => TRANSFER_CALL,
        }
    }

    /// Returns the description for the model; of a transfer, what comes after the operator's own words.
    pub(crate) fn description(self) -> &'static str {
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
            Self::TransferCall => {
                "Say first, in one short sentence, that you connect the caller, and use this in the same turn: they hear you to \
                 the end, and are connected then. It works once in a call, and it may fail: you learn it then, and go on."
            }
        }
    }

    /// Returns the JSON Schema of the arguments.
    pub(crate) fn parameters(self) -> Value {
        match self {
            Self::EndCall | Self::TransferCall => json!({"type": "object", "properties": {}}),
            Self::SendMessage => json!({
                "type": "object",
                "properties": {
                    "text": required_text(4096, "The whole text, in the language of the talk."),
                },
                "required": ["text"],
            }),
            Self::TakeMessage => json!({
                "type": "object",
                "properties": {
                    "message": required_text(4000, "What the caller wants to say, complete, with every name and number."),
                    "caller_name": optional_text(200, "The caller's name, if they gave it."),
                    "urgent": {"type": "boolean", "description": "Whether the caller says that it cannot wait."},
                },
                "required": ["message"],
            }),
            Self::RequestCallback => json!({
                "type": "object",
                "properties": {
                    "about": required_text(2000, "What the caller wants to talk about."),
                    "when": optional_text(200, "When it suits the caller, in their own words."),
                    "number": optional_text(50, "Only if it is not the number this call comes from."),
                },
                "required": ["about"],
            }),
        }
    }

    /// Reads arguments that match [`BuiltIn::parameters`].
    pub(crate) fn read(self, arguments: Map<String, Value>) -> ToolUse {
        match self {
            Self::EndCall => ToolUse::EndCall,
            Self::SendMessage => ToolUse::SendMessage { text: deserialize::<Text>(arguments).text },
            Self::TakeMessage => ToolUse::TakeMessage(deserialize(arguments)),
            Self::RequestCallback => ToolUse::RequestCallback(deserialize(arguments)),
            Self::TransferCall => ToolUse::TransferCall,
        }
    }

    /// Returns what the model gets when the tool succeeded.
    fn done(self) -> &'static str {
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
            Self::TransferCall => "The caller was connected.",
        }
    }

    /// Returns what the model gets when the result is unknown. Storing a request twice does no harm; two messages would puzzle
    /// the caller.
    fn unknown(self) -> &'static str {
        match self {
            Self::SendMessage => {
                "It is not known whether the message was sent; do not send it again. Tell the caller that it may or may \
                 not arrive, and say the important part slowly instead."
            }
            Self::EndCall | Self::TakeMessage | Self::RequestCallback | Self::TransferCall => self.failed(),
        }
    }

    /// Returns what the model gets when the tool failed.
    fn failed(self) -> &'static str {
        match self {
            Self::EndCall => "The call could not be ended from here. Ask the caller to hang up.",
            Self::SendMessage => {
                "The message could not be sent. Tell the caller so, and say the important part slowly instead."
            }
            Self::TakeMessage | Self::RequestCallback => {
                "This could not be stored. Tell the caller so, and ask them to write to this number on WhatsApp."
            }
            Self::TransferCall => {
                "The caller could not be connected, and is still on the line with you. Tell them so now, and offer another \
                 way, such as taking a message."
            }
        }
    }
}

impl ToolUse {
    /// Returns what the model gets as the tool's output: for [`ToolOutcomeKind::TimedOut`], that the result is unknown. `None`
    /// for an HTTP tool, whose [`ToolOutcome`](crate::ToolOutcome) has it.
    pub fn reply(&self, kind: ToolOutcomeKind) -> Option<&'static str> {
        let built_in = match self {
            Self::EndCall => BuiltIn::EndCall,
            Self::SendMessage { .. } => BuiltIn::SendMessage,
            Self::TakeMessage(_) => BuiltIn::TakeMessage,
            Self::RequestCallback(_) => BuiltIn::RequestCallback,
            Self::TransferCall => BuiltIn::TransferCall,
            Self::Http(_) => return None,
        };
        Some(match kind {
            ToolOutcomeKind::Done => built_in.done(),
            ToolOutcomeKind::TimedOut => built_in.unknown(),
            ToolOutcomeKind::Failed | ToolOutcomeKind::Refused => built_in.failed(),
        })
    }
}

/// Returns the schema of a text that must be there and not blank.
fn required_text(longest: u32, description: &str) -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": longest, "pattern": "\\S", "description": description})
}

/// Returns the schema of a text that may be missing.
fn optional_text(longest: u32, description: &str) -> Value {
    json!({"type": ["string", "null"], "maxLength": longest, "description": description})
}

fn deserialize<T: for<'a> Deserialize<'a>>(arguments: Map<String, Value>) -> T {
    serde_json::from_value(arguments.into())
        .expect("the arguments match the schema, which requires every field")
}
