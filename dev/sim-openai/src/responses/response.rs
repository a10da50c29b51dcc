//! The object that comes back: reasoning first, then one message.

use super::ResponsesFault;
use super::extraction::extract;
use serde_json::{Value, json};

const REFUSED: &str = "I'm sorry, but I cannot help with that request.";

/// A letter is a quarter of a token, about.
const LETTERS_IN_A_TOKEN: usize = 4;

/// Tokens that the model spends on reasoning.
const REASONING: usize = 64;

/// The response to a request that was taken.
pub(super) fn respond(
    n: usize,
    unix_now: u64,
    body: &Value,
    said: &str,
    fault: Option<ResponsesFault>,
) -> Value {
    let (ending, content) = match fault {
        Some(ResponsesFault::Truncated) => {
            let half: String = said.chars().take(said.chars().count() / 2).collect();
            (Some("max_output_tokens"), Some(output_text(&half)))
        }
        Some(ResponsesFault::OnlyReasons) => (Some("max_output_tokens"), None),
        Some(ResponsesFault::Refuses) => (None, Some(json!({"type": "refusal", "refusal": REFUSED}))),
        _ => (None, Some(output_text(said))),
    };
    let status = if ending.is_some() { "incomplete" } else { "completed" };
    let reasoning = json!({"id": format!("rs_{n:032x}"), "type": "reasoning", "summary": []});
    let message = content.map(|content| {
        json!({
            "id": format!("msg_{n:032x}"), "type": "message", "status": status, "role": "assistant",
            "content": [content],
        })
    });
    let output: Vec<Value> = [reasoning].into_iter().chain(message).collect();
    let (read, written) =
        (tokens(&text_of(body)) + tokens(&body["text"].to_string()), tokens(said) + REASONING);
    let or_null = |key: &str| body.get(key).cloned().unwrap_or_default();
    json!({
        "id": format!("resp_{n:032x}"), "object": "response", "created_at": unix_now, "status": status,
        "background": false, "error": null, "incomplete_details": ending.map(|reason| json!({"reason": reason})),
        "instructions": or_null("instructions"), "max_output_tokens": or_null("max_output_tokens"),
        "max_tool_calls": null, "model": body["model"],
        "output": output,
        "parallel_tool_calls": true, "previous_response_id": null, "prompt_cache_key": null,
        "reasoning": {"effort": body["reasoning"]["effort"].as_str().unwrap_or("medium"), "summary": null},
        "safety_identifier": or_null("safety_identifier"), "service_tier": "default",
        "store": body["store"].as_bool().unwrap_or(true), "temperature": 1.0,
        "text": {"format": body["text"]["format"], "verbosity": "medium"}, "tool_choice": "auto", "tools": [],
        "top_logprobs": 0, "top_p": 1.0, "truncation": "disabled", "user": null, "metadata": {},
        "usage": {
            "input_tokens": read, "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": written, "output_tokens_details": {"reasoning_tokens": REASONING},
            "total_tokens": read + written,
        },
    })
}

/// What the model says to a request: JSON where that was asked for.
pub(super) fn say(body: &Value, answer: Option<&Value>) -> String {
    match (answer, &body["text"]["format"]["schema"]) {
        (Some(answer), _) => answer.to_string(),
        (None, Value::Null) => "Hello.".to_owned(),
        (None, schema) => extract(schema, &text_of(body)).to_string(),
    }
}

/// All text of the input; instructions are none.
fn text_of(body: &Value) -> String {
    let items = match &body["input"] {
        Value::String(text) => return text.clone(),
        items => items.as_array().cloned().unwrap_or_default(),
    };
    let texts = items.iter().filter(|item| item["role"] == "user").map(|item| match &item["content"] {
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect::<String>(),
        content => content.as_str().unwrap_or_default().to_owned(),
    });
    texts.collect::<Vec<_>>().join("\n")
}

fn output_text(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
}

fn tokens(text: &str) -> usize {
    text.len().div_ceil(LETTERS_IN_A_TOKEN)
}
