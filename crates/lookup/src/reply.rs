//! The reply: what the business's system knows, and what it decides.

use serde_json::{Map, Value};
use std::fmt;

/// The number of bytes of a reply that are read: a longer one is wrong.
pub const LARGEST_REPLY: usize = 8 * 1024;

/// The maximum depth of a reply's lists and objects. `serde_json` refuses a depth of 128 by itself, while it parses.
const MAX_DEPTH: usize = 16;

/// The maximum length of a rejection's message, in characters.
const MAX_MESSAGE: usize = 1000;

/// What a business's system knows about a caller, and what it decides.
#[derive(Clone, Default, PartialEq)]
pub struct LookupReply {
    /// Its `dynamic_variables`, or dograh's `initial_context`; as sent, so they may be anything.
    pub variables: Map<String, Value>,
    /// The agent that shall take the call. Whether it may is not decided here.
    pub agent: Option<String>,
    /// The language that the agent shall speak.
    pub language: Option<String>,
    /// That the call shall be turned away.
    pub reject: Option<Rejection>,
}

/// That a call shall be turned away.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Rejection {
    /// The message for the caller.
    pub message: Option<String>,
}

/// Why a reply cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WrongReply {
    /// It has more than [`LARGEST_REPLY`] bytes.
    #[error("is larger than 8 KiB")]
    TooLarge,
    /// It is neither JSON nor empty.
    #[error("is not JSON")]
    NotJson,
    /// It is nested too deeply.
    #[error("is nested more than 16 levels deep")]
    TooDeep,
    /// A key has a value of another type.
    #[error("{0} has the wrong type")]
    Type(&'static str),
}

impl LookupReply {
    /// Reads the body of a reply. Keys that are not known are ignored; an empty body and `{}` mean that nothing is known.
    ///
    /// # Errors
    /// When it is too large or too deep, is not JSON, or has a value of the wrong type: then nothing of it is used.
    pub fn read(body: &[u8]) -> Result<Self, WrongReply> {
        if body.len() > LARGEST_REPLY {
            return Err(WrongReply::TooLarge);
        }
        if body.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        let reply: Value = serde_json::from_slice(body).map_err(|_| WrongReply::NotJson)?;
        if depth(&reply) > MAX_DEPTH {
            return Err(WrongReply::TooDeep);
        }
        let reply = object(Some(reply), "the reply")?;
        let mut inbound = object(reply.get("call_inbound").cloned(), "call_inbound")?;
        let mut variables = object(reply.get("initial_context").cloned(), "initial_context")?;
        variables.extend(object(inbound.remove("initial_context"), "initial_context")?);
        variables.extend(object(inbound.remove("dynamic_variables"), "dynamic_variables")?);
        Ok(Self {
            variables,
            agent: word(inbound.remove("override_agent_id"), "override_agent_id")?,
            language: word(inbound.remove("language"), "language")?,
            reject: rejection(inbound.remove("reject"))?,
        })
    }

    /// Whether it changes which agent talks, in which language, or that one talks at all.
    pub fn decides(&self) -> bool {
        self.agent.is_some() || self.language.is_some() || self.reject.is_some()
    }
}

impl fmt::Debug for LookupReply {
    /// Shows what is there, and no value: all of it may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LookupReply")
            .field("variables", &self.variables.len())
            .field("agent", &self.agent.is_some())
            .field("language", &self.language.is_some())
            .field("reject", &self.reject.is_some())
            .finish()
    }
}

impl fmt::Debug for Rejection {
    /// Leaves out the message.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejection").field("message", &self.message.is_some()).finish()
    }
}

/// Returns an object; one that is absent or null is empty.
fn object(value: Option<Value>, key: &'static str) -> Result<Map<String, Value>, WrongReply> {
    match value {
        Some(Value::Object(map)) => Ok(map),
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            Err(WrongReply::Type(key))
        }
    }
}

/// Returns the name of an agent or a language, which has letters, digits, `-` and `_`; an empty one is none.
fn word(value: Option<Value>, key: &'static str) -> Result<Option<String>, WrongReply> {
    let is_word = |text: &str| {
        text.len() <= 64
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    Ok(text(value, key)?.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())).and_then(
        |text| if text.as_deref().is_none_or(is_word) { Ok(text) } else { Err(WrongReply::Type(key)) },
    )
}

fn text(value: Option<Value>, key: &'static str) -> Result<Option<String>, WrongReply> {
    match value {
        Some(Value::String(text)) => Ok(Some(text)),
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(_) | Value::Number(_) | Value::Object(_) | Value::Array(_)) => {
            Err(WrongReply::Type(key))
        }
    }
}

fn rejection(value: Option<Value>) -> Result<Option<Rejection>, WrongReply> {
    match value {
        None | Some(Value::Null | Value::Bool(false)) => Ok(None),
        Some(Value::Bool(true)) => Ok(Some(Rejection::default())),
        Some(Value::Object(mut reject)) => {
            let message = text(reject.remove("message"), "reject")?.map(|text| shown(&text));
            Ok(Some(Rejection { message: message.filter(|text| !text.is_empty()) }))
        }
        Some(Value::Number(_) | Value::String(_) | Value::Array(_)) => Err(WrongReply::Type("reject")),
    }
}

/// Returns a message without control characters, cut to its longest.
fn shown(message: &str) -> String {
    let shown = message.trim().chars().filter(|c| !c.is_control() || *c == '\n');
    shown.take(MAX_MESSAGE).collect::<String>().trim_end().to_owned()
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(values) => 1 + values.iter().map(depth).max().unwrap_or_default(),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or_default(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

#[cfg(test)]
#[path = "reply_tests.rs"]
mod tests;
