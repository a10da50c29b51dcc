//! What may be asked: parameters and their types, as the API says them back.

use super::strict_schema;
use crate::refusal::Refusal;
use serde_json::Value;

const PARAMETERS: [&str; 28] = [
    "background",
    "conversation",
    "include",
    "input",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "model",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
];

const EFFORTS: [&str; 6] = ["none", "minimal", "low", "medium", "high", "xhigh"];

/// The fewest tokens that a response may be limited to.
const FEWEST_TOKENS: u64 = 16;

/// The longest name of a format.
const LONGEST_NAME: usize = 64;

/// Checks a request; `models` are those there are.
pub(super) fn check(body: &Value, models: &[String]) -> Result<(), (u16, Refusal)> {
    check_shape(body).map_err(|refusal| (400, refusal))?;
    let model = body["model"].as_str().unwrap_or_default();
    if !models.iter().any(|known| known == model) {
        return Err((404, no_model(model)));
    }
    check_for_model(model, body).map_err(|refusal| (400, refusal))
}

pub(super) fn no_model(model: &str) -> Refusal {
    let message = format!("The model `{model}` does not exist or you do not have access to it.");
    Refusal::new("model_not_found", message)
}

fn check_shape(body: &Value) -> Result<(), Refusal> {
    let Some(fields) = body.as_object() else {
        return Err(Refusal::without_code("We could not parse the JSON body of your request."));
    };
    if let Some(unknown) = fields.keys().find(|key| !PARAMETERS.contains(&key.as_str())) {
        return Err(
            Refusal::new("unknown_parameter", format!("Unknown parameter: '{unknown}'.")).about(unknown)
        );
    }
    is_text(body, "model")?.ok_or_else(|| missing("model"))?;
    check_input(&body["input"])?;
    is_text(body, "instructions")?;
    for flag in ["store", "background", "stream", "parallel_tool_calls"] {
        if !(body[flag].is_null() || body[flag].is_boolean()) {
            return Err(of_type(flag, "a boolean"));
        }
    }
    check_tokens(&body["max_output_tokens"])?;
    check_effort(&body["reasoning"])?;
    check_format(&body["text"]["format"])
}

/// Models that reason take no sampling parameters.
fn check_for_model(model: &str, body: &Value) -> Result<(), Refusal> {
    let reasons = ["gpt-5", "gpt-6", "o1", "o3", "o4"].iter().any(|family| model.starts_with(family));
    let sampling = ["temperature", "top_p"].into_iter().find(|key| reasons && !body[*key].is_null());
    match sampling {
        Some(key) => {
            let message = format!("Unsupported parameter: '{key}' is not supported with this model.");
            Err(Refusal::new("unsupported_parameter", message).about(key))
        }
        None => Ok(()),
    }
}

/// A text, or a list of messages, each of a role and of text.
fn check_input(input: &Value) -> Result<(), Refusal> {
    let items = match input {
        Value::Null => return Err(missing("input")),
        Value::String(_) => return Ok(()),
        Value::Array(items) => items,
        _ => return Err(of_type("input", "one of a string or array of input items")),
    };
    for (n, item) in items.iter().enumerate() {
        let at = format!("input[{n}]");
        let role = item["role"].as_str().unwrap_or_default();
        if !["user", "assistant", "system", "developer"].contains(&role) {
            return Err(one_of(
                &format!("{at}.role"),
                role,
                "'assistant', 'system', 'developer', and 'user'",
            ));
        }
        check_content(&item["content"], &format!("{at}.content"), role)?;
    }
    Ok(())
}

fn check_content(content: &Value, at: &str, role: &str) -> Result<(), Refusal> {
    let parts = match content {
        Value::String(_) => return Ok(()),
        Value::Array(parts) => parts,
        Value::Null => return Err(missing(at)),
        _ => return Err(of_type(at, "one of an array of objects or string")),
    };
    let wanted = if role == "assistant" { "output_text" } else { "input_text" };
    for (n, part) in parts.iter().enumerate() {
        let kind = part["type"].as_str().unwrap_or_default();
        if kind != wanted {
            return Err(one_of(&format!("{at}[{n}].type"), kind, &format!("'{wanted}'")));
        }
        is_text(part, "text")?.ok_or_else(|| missing(&format!("{at}[{n}].text")))?;
    }
    Ok(())
}

fn check_tokens(limit: &Value) -> Result<(), Refusal> {
    let at = "max_output_tokens";
    match limit.as_u64() {
        None if limit.is_null() => Ok(()),
        None => Err(of_type(at, "an integer")),
        Some(limit) if limit < FEWEST_TOKENS => {
            let message = format!(
                "Invalid '{at}': integer below minimum value. Expected a value >= {FEWEST_TOKENS}, but got {limit} instead."
            );
            Err(Refusal::new("integer_below_min_value", message).about(at))
        }
        Some(_) => Ok(()),
    }
}

fn check_effort(reasoning: &Value) -> Result<(), Refusal> {
    let effort = &reasoning["effort"];
    let is_known = effort.is_null() || effort.as_str().is_some_and(|effort| EFFORTS.contains(&effort));
    let shown = effort.as_str().unwrap_or_default();
    if is_known { Ok(()) } else { Err(one_of("reasoning.effort", shown, &format!("{EFFORTS:?}"))) }
}

fn check_format(format: &Value) -> Result<(), Refusal> {
    match format["type"].as_str() {
        None if format.is_null() => Ok(()),
        None => Err(missing("text.format.type")),
        Some("text" | "json_object") => Ok(()),
        Some("json_schema") => check_schema_format(format),
        Some(other) => Err(one_of("text.format.type", other, "'json_object', 'json_schema', and 'text'")),
    }
}

fn check_schema_format(format: &Value) -> Result<(), Refusal> {
    let at = "text.format";
    if let Some(unknown) = format
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, _)| key)
        .find(|key| !["type", "name", "description", "schema", "strict"].contains(&key.as_str()))
    {
        let path = format!("{at}.{unknown}");
        return Err(Refusal::new("unknown_parameter", format!("Unknown parameter: '{path}'.")).about(&path));
    }
    let name = format["name"].as_str().ok_or_else(|| missing("text.format.name"))?;
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(is_plain) {
        let message = "Invalid 'text.format.name': string does not match pattern. Expected a string that \
                       matches the pattern '^[a-zA-Z0-9_-]+$'.";
        return Err(Refusal::value("text.format.name", message));
    }
    if format["schema"].is_null() {
        return Err(missing("text.format.schema"));
    }
    match &format["strict"] {
        Value::Bool(true) => strict_schema::check(&format["schema"]).map_err(|why| {
            let message = format!("Invalid schema for response_format '{name}': {why}");
            Refusal::new("invalid_json_schema", message).about("text.format.schema")
        }),
        Value::Bool(false) | Value::Null => Ok(()),
        _ => Err(of_type("text.format.strict", "a boolean")),
    }
}

/// A text at this key, if there is anything.
fn is_text<'a>(body: &'a Value, key: &str) -> Result<Option<&'a str>, Refusal> {
    match &body[key] {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        _ => Err(of_type(key, "a string")),
    }
}

fn missing(at: &str) -> Refusal {
    Refusal::new("missing_required_parameter", format!("Missing required parameter: '{at}'.")).about(at)
}

fn of_type(at: &str, wanted: &str) -> Refusal {
    Refusal::new("invalid_type", format!("Invalid type for '{at}': expected {wanted}.")).about(at)
}

fn one_of(at: &str, shown: &str, wanted: &str) -> Refusal {
    let message = format!("Invalid value: '{shown}'. Supported values are: {wanted}.");
    Refusal::value(at, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_whole_request_is_taken() {
        assert_eq!(refused(|_| {}), None);
        assert_eq!(refused(|body| body["input"] = json!("caller: hello")), None);
    }

    #[test]
    fn refuses_what_the_api_does_not_take_with_its_code() {
        for (change, status, code, param) in [
            (("maxTokens", json!(1)), 400, "unknown_parameter", "maxTokens"),
            (("model", json!("gpt-5-gone")), 404, "model_not_found", ""),
            (("input", json!(null)), 400, "missing_required_parameter", "input"),
            (("input", json!([{"role": "caller", "content": "x"}])), 400, "invalid_value", "input[0].role"),
            (("store", json!("no")), 400, "invalid_type", "store"),
            (("max_output_tokens", json!(4)), 400, "integer_below_min_value", "max_output_tokens"),
            (("temperature", json!(0)), 400, "unsupported_parameter", "temperature"),
            (("text", json!({"format": {"type": "xml"}})), 400, "invalid_value", "text.format.type"),
        ] {
            let (key, value) = change.clone();
            let refusal = refused(|body| body[key] = value);
            assert_eq!(refusal, Some((status, code.to_owned(), param.to_owned())), "{change:?}");
        }
    }

    #[test]
    fn a_format_has_a_name_and_a_strict_schema() {
        let code = |change: fn(&mut Value)| {
            refused(|body| change(&mut body["text"]["format"])).map(|(_, code, param)| (code, param))
        };

        let at = |code: &str, param: &str| Some((code.to_owned(), param.to_owned()));
        let without_name = |format: &mut Value| format["name"] = Value::Null;
        assert_eq!(code(without_name), at("missing_required_parameter", "text.format.name"));
        assert_eq!(code(|format| format["name"] = json!("a b")), at("invalid_value", "text.format.name"));
        let lax = |format: &mut Value| format["schema"]["required"] = json!([]);
        assert_eq!(code(lax), at("invalid_json_schema", "text.format.schema"));
    }

    fn refused(change: impl FnOnce(&mut Value)) -> Option<(u16, String, String)> {
        let mut body = json!({
            "model": "gpt-6-luna", "store": false, "instructions": "Fill in the form.", "max_output_tokens": 300,
            "input": [{"role": "user", "content": [{"type": "input_text", "text": "caller: hello"}]}],
            "text": {"format": {"type": "json_schema", "name": "outcome", "strict": true, "schema": {
                "type": "object", "properties": {"solved": {"type": "boolean"}}, "required": ["solved"],
                "additionalProperties": false,
            }}},
        });
        change(&mut body);
        let (status, refusal) = check(&body, &["gpt-6-luna".to_owned()]).err()?;
        let error = refusal.event(None)["error"].clone();
        let text = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
        Some((status, text("code"), text("param")))
    }
}
