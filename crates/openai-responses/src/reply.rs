//! The model's reply: the answer, or why there is none, and what it cost in tokens.

use crate::ResponsesError;
use crate::error::word_of;
use serde::Deserialize;
use serde_json::Value;
use std::fmt;

/// A reply of the model, which costs tokens whether it is an answer or not.
#[derive(Clone, PartialEq)]
pub struct Reply {
    /// The answer, which fits the schema.
    pub answer: Result<Value, NoAnswer>,
    /// The tokens that were used.
    pub tokens: TokensUsed,
}

/// Tokens of a request and its reply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TokensUsed {
    /// Input tokens that were not cached.
    pub input: u64,
    /// Input tokens that were cached.
    pub cached: u64,
    /// Output tokens.
    pub output: u64,
}

/// Why a reply is no answer. The same request would probably have no better one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// The answer was longer than is allowed, so it ends in the middle.
    #[error("the answer was cut off")]
    Truncated,
    /// OpenAI's content filter stopped it.
    #[error("the content filter stopped the answer")]
    Filtered,
    /// The model declined to answer.
    #[error("the model declined to answer")]
    Declined,
    /// The answer is not JSON, or does not fit the schema.
    #[error("the answer does not fit the schema")]
    Misfit,
}

impl NoAnswer {
    /// Returns a word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::Filtered => "filtered",
            Self::Declined => "declined",
            Self::Misfit => "misfit",
        }
    }
}

/// OpenAI's `Response`, as far as it is read.
#[derive(Deserialize)]
struct Response {
    status: String,
    #[serde(default)]
    error: Option<Failure>,
    #[serde(default)]
    incomplete_details: Option<Incomplete>,
    #[serde(default)]
    output: Vec<OutputItem>,
    #[serde(default)]
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Failure {
    #[serde(default)]
    code: String,
}

#[derive(Deserialize)]
struct Incomplete {
    #[serde(default)]
    reason: Option<String>,
}

/// An item of the output; only messages have content.
#[derive(Deserialize)]
struct OutputItem {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    content: Value,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Usage {
    input_tokens: u64,
    output_tokens: u64,
    input_tokens_details: InputDetails,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct InputDetails {
    cached_tokens: u64,
}

impl Reply {
    /// Reads the body of a successful reply to a question with this schema.
    ///
    /// # Errors
    /// When the model failed, or the body is not of the API.
    pub(crate) fn read(body: &[u8], schema: &Value) -> Result<Self, ResponsesError> {
        let response: Response = serde_json::from_slice(body)
            .map_err(|_| ResponsesError::Unanswered { reason: "the reply is not of the API".to_owned() })?;
        let tokens = tokens(response.usage.unwrap_or_default());
        let answer = match response.status.as_str() {
            "completed" => answer(&response.output, schema),
            "incomplete" => match response.incomplete_details.and_then(|details| details.reason).as_deref() {
                Some("content_filter") => Err(NoAnswer::Filtered),
                _ => Err(NoAnswer::Truncated),
            },
            status => {
                let code = response.error.map(|error| error.code).unwrap_or_default();
                let code = word_of([&code, status]);
                return Err(match code.as_str() {
                    "invalid_prompt" => ResponsesError::Refused { status: 200, code },
                    "rate_limit_exceeded" => ResponsesError::Busy { code, retry_after: None },
                    _ => ResponsesError::Unanswered { reason: format!("the model failed ({code})") },
                });
            }
        };
        Ok(Self { answer, tokens })
    }
}

fn tokens(usage: Usage) -> TokensUsed {
    let Usage { input_tokens, output_tokens, input_tokens_details: InputDetails { cached_tokens } } = usage;
    TokensUsed {
        input: input_tokens.saturating_sub(cached_tokens),
        cached: cached_tokens,
        output: output_tokens,
    }
}

fn answer(output: &[OutputItem], schema: &Value) -> Result<Value, NoAnswer> {
    let messages = output.iter().filter(|item| item.kind == "message");
    let parts: Vec<&Value> = messages.filter_map(|item| item.content.as_array()).flatten().collect();
    if parts.iter().any(|part| part["type"] == "refusal") {
        return Err(NoAnswer::Declined);
    }
    let texts = parts.iter().filter(|part| part["type"] == "output_text");
    let text: String = texts.filter_map(|part| part["text"].as_str()).collect();
    let answer = serde_json::from_str(&text).map_err(|_| NoAnswer::Misfit)?;
    if jsonschema::is_valid(schema, &answer) { Ok(answer) } else { Err(NoAnswer::Misfit) }
}

impl fmt::Debug for Reply {
    /// Leaves out the answer.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let answer = self.answer.as_ref().map(|_| "…");
        f.debug_struct("Reply").field("answer", &answer).field("tokens", &self.tokens).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_answer_comes_with_its_tokens() {
        let reply = read(&completed(&[
            json!({"type": "output_text", "text": r#"{"order":"#}),
            json!({"type": "output_text", "text": r#""A-17"}"#}),
        ]))
        .unwrap();

        assert_eq!(reply.answer, Ok(json!({"order": "A-17"})));
        assert_eq!(reply.tokens, TokensUsed { input: 900, cached: 1_100, output: 30 });
        assert!(!format!("{reply:?}").contains("A-17"));
    }

    #[test]
    fn a_reply_that_is_no_answer_says_why() {
        let refusal = completed(&[json!({"type": "refusal", "refusal": "I cannot."})]);
        let incomplete =
            |reason| json!({"status": "incomplete", "incomplete_details": {"reason": reason}, "output": []});
        for (body, why) in [
            (refusal, NoAnswer::Declined),
            (incomplete("max_output_tokens"), NoAnswer::Truncated),
            (incomplete("content_filter"), NoAnswer::Filtered),
            (completed(&[json!({"type": "output_text", "text": r#"{"order":"#})]), NoAnswer::Misfit),
            (completed(&[json!({"type": "output_text", "text": r#"{"order":7}"#})]), NoAnswer::Misfit),
            (completed(&[]), NoAnswer::Misfit),
        ] {
            assert_eq!(read(&body).unwrap().answer, Err(why), "{body}");
        }
    }

    #[test]
    fn a_model_that_failed_is_asked_again_later() {
        let failed = |code| json!({"status": "failed", "error": {"code": code, "message": "Planted."}});

        assert!(read(&failed("server_error")).unwrap_err().is_worth_another_try());
        assert!(read(&failed("rate_limit_exceeded")).unwrap_err().is_worth_another_try());
        assert!(!read(&failed("invalid_prompt")).unwrap_err().is_worth_another_try());
        assert!(Reply::read(b"<html>", &Value::Null).unwrap_err().is_worth_another_try());
    }

    fn completed(content: &[Value]) -> Value {
        let reasoning = json!({"type": "reasoning", "id": "rs_1", "summary": []});
        let message = json!({"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content});
        let usage = json!({"input_tokens": 2_000, "input_tokens_details": {"cached_tokens": 1_100}, "output_tokens": 30,
            "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 2_030});
        json!({"id": "resp_1", "object": "response", "status": "completed", "error": null, "incomplete_details": null,
            "output": [reasoning, message], "usage": usage})
    }

    fn read(body: &Value) -> Result<Reply, ResponsesError> {
        let schema = json!({"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"],
            "additionalProperties": false});
        Reply::read(body.to_string().as_bytes(), &schema)
    }
}
