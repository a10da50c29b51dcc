//! Checks limits that the docs set and the types do not: ranges, lengths, and settings that only some models have.

use crate::refusal::Refusal;
use serde_json::Value;

const REASONING_MODELS: [&str; 3] = ["gpt-realtime-2", "gpt-realtime-2.1", "gpt-realtime-2.1-mini"];
const KEYWORD_MODELS: [&str; 2] = ["gpt-transcribe", "gpt-live-transcribe"];
/// A guess: the guide says that there is a limit.
const LONGEST_PROMPT: usize = 4_096;
const NOT_AT_THE_TOP: [&str; 5] = ["oneOf", "anyOf", "allOf", "enum", "not"];
const DELAY_MODEL: &str = "gpt-realtime-whisper";

const MOST_METADATA: usize = 16;
const LONGEST_METADATA_KEY: usize = 64;
const LONGEST_METADATA_VALUE: usize = 512;

/// Limits the docs name and the types do not carry: where, least, most.
const RANGES: [(&str, f64, f64); 7] = [
    ("audio.input.turn_detection.threshold", 0.0, 1.0),
    ("audio.input.turn_detection.prefix_padding_ms", 0.0, f64::INFINITY),
    ("audio.input.turn_detection.silence_duration_ms", 0.0, f64::INFINITY),
    ("audio.input.turn_detection.idle_timeout_ms", 5_000.0, 30_000.0),
    ("audio.output.speed", 0.25, 1.5),
    ("max_output_tokens", 1.0, 4_096.0),
    ("truncation.retention_ratio", 0.0, 1.0),
];

/// Numbers of a session update.
pub(crate) fn check_ranges(update: &Value) -> Result<(), Refusal> {
    for (path, least, most) in RANGES {
        let value = path.split('.').fold(update, |value, key| &value[key]);
        if value.as_f64().is_some_and(|number| !(least..=most).contains(&number)) {
            let message = format!("Invalid 'session.{path}': {value} is not between {least} and {most}.");
            return Err(Refusal::value(&format!("session.{path}"), message));
        }
    }
    Ok(())
}

/// A session answers in sound or in text, never in both.
pub(crate) fn check_modalities(modalities: &Value, param: &str) -> Result<(), Refusal> {
    match modalities.as_array().map(Vec::len) {
        None | Some(1) => Ok(()),
        Some(_) => {
            Err(Refusal::value(param, format!("Invalid modalities: {modalities}. Either 'audio' or 'text'.")))
        }
    }
}

/// Models that do not reason refuse what only reasoning models have.
pub(crate) fn check_reasoning(model: &str, asked: &Value, place: &str) -> Result<(), Refusal> {
    let offending = ["reasoning", "parallel_tool_calls"].into_iter().find(|key| !asked[*key].is_null());
    match offending {
        Some(key) if !reasons(model) => {
            let message =
                format!("Unsupported parameter: '{place}.{key}' is not supported with the '{model}' model.");
            Err(Refusal::value(&format!("{place}.{key}"), message))
        }
        _ => Ok(()),
    }
}

/// A function's parameters are an object, whatever else they are.
pub(crate) fn check_tools(tools: &Value, place: &str) -> Result<(), Refusal> {
    for (at, tool) in tools.as_array().into_iter().flatten().enumerate() {
        let schema = &tool["parameters"];
        let is_object = schema.is_null() || schema["type"] == "object";
        if tool["type"] == "function"
            && (!is_object || NOT_AT_THE_TOP.iter().any(|key| !schema[*key].is_null()))
        {
            let name = tool["name"].as_str().unwrap_or_default();
            let message = format!(
                "Invalid schema for function '{name}': schema must have type 'object' and not have \
                 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level."
            );
            let refusal = Refusal::new("invalid_function_parameters", message);
            return Err(refusal.about(&format!("{place}.tools[{at}].parameters")));
        }
    }
    Ok(())
}

/// Some hints are for some transcription models only, which want them in their own way.
pub(crate) fn check_transcription(transcription: &Value) -> Result<(), Refusal> {
    let model = transcription["model"].as_str().unwrap_or_default();
    let refused = |key: &str, message: String| {
        Refusal::value(&format!("session.audio.input.transcription.{key}"), message)
    };
    if !transcription["language"].is_null() && KEYWORD_MODELS.contains(&model) {
        let message = format!("'language' is not supported with the '{model}' model. Use 'languages'.");
        return Err(refused("language", message));
    }
    for (at, keyword) in transcription["keywords"].as_array().into_iter().flatten().enumerate() {
        if keyword.as_str().is_some_and(|keyword| keyword.contains(['<', '>', '\r', '\n'])) {
            let message = "Keywords must be single lines without '<' and '>'.".to_owned();
            return Err(refused(&format!("keywords[{at}]"), message));
        }
    }
    if transcription["prompt"].as_str().is_some_and(|prompt| prompt.chars().count() > LONGEST_PROMPT) {
        return Err(refused("prompt", format!("The prompt is too long for the '{model}' model.")));
    }
    for (key, models) in
        [("languages", &KEYWORD_MODELS[..]), ("keywords", &KEYWORD_MODELS), ("delay", &[DELAY_MODEL])]
    {
        if !transcription[key].is_null() && !models.contains(&model) {
            let param = format!("session.audio.input.transcription.{key}");
            return Err(Refusal::value(
                &param,
                format!("'{key}' is not supported with the '{model}' model."),
            ));
        }
    }
    Ok(())
}

/// Notes of the client on a response.
pub(crate) fn check_metadata(metadata: &Value) -> Result<(), Refusal> {
    let Some(pairs) = metadata.as_object() else { return Ok(()) };
    let too_long = |(key, value): (&String, &Value)| {
        key.len() > LONGEST_METADATA_KEY
            || value.as_str().is_some_and(|text| text.len() > LONGEST_METADATA_VALUE)
    };
    if pairs.len() > MOST_METADATA || pairs.iter().any(too_long) {
        return Err(Refusal::value(
            "response.metadata",
            "Metadata holds 16 pairs, keys of 64 and values of 512 characters.",
        ));
    }
    Ok(())
}

pub(crate) fn reasons(model: &str) -> bool {
    REASONING_MODELS.contains(&model)
}
