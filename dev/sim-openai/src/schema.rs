//! Holds both sides to the letter: the strict JSON Schemas of OpenAI's own types, from `fixtures/realtime-schema`.

mod audio_events;

use crate::refusal::Refusal;
use include_dir::{Dir, include_dir};
use jsonschema::{ValidationError, Validator, error::ValidationErrorKind};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// Real servers show these although OpenAI's types lack them.
const EXTRA_IN_SESSION: [&str; 3] = ["id", "object", "expires_at"];

/// An event that the service names among those it takes, and that OpenAI's types do not have.
pub(crate) const CLOSE: &str = "session.close";

/// Refuses a client event that the real service would not understand, in its words.
pub(crate) fn check_client(event: &Value) -> Result<(), Refusal> {
    if audio_events::is_plain_append(event) {
        return Ok(());
    }
    let Some(name) = event["type"].as_str() else {
        return Err(Refusal::new("invalid_event", "The 'type' field is missing.").about("type"));
    };
    if name == CLOSE {
        return Ok(());
    }
    let schema = schema(&CLIENT, name).ok_or_else(|| unknown_event(name))?;
    let event = without_null_instructions(event);
    schema.iter_errors(&event).next().map_or(Ok(()), |error| Err(refusal(&error)))
}

/// A response may say by `null` that it has no instructions of its own: LiveKit's agents do, after each tool, and are answered.
fn without_null_instructions(event: &Value) -> Cow<'_, Value> {
    if event["response"].get("instructions").is_none_or(|it| !it.is_null()) {
        return Cow::Borrowed(event);
    }
    let mut event = event.clone();
    event["response"].as_object_mut().expect("it has a key").remove("instructions");
    Cow::Owned(event)
}

/// Refuses the configuration that a call is accepted with, in the service's words.
pub(crate) fn check_accept(session: &Value) -> Result<(), Refusal> {
    check_body("calls.accept", "session", &without_null_parts(session))
}

/// Parts of the input that are off may be null, as in an update: OpenAI's Agents SDK says so of `noise_reduction`.
fn without_null_parts(session: &Value) -> Value {
    let mut session = session.clone();
    if let Some(input) = session.pointer_mut("/audio/input").and_then(Value::as_object_mut) {
        input.retain(|_, part| !part.is_null());
    }
    session
}

/// Refuses the body of a reject that the service would not understand.
pub(crate) fn check_reject(body: &Value) -> Result<(), Refusal> {
    check_body("calls.reject", "", body)
}

/// Refuses the body of a refer that the service would not understand.
pub(crate) fn check_refer(body: &Value) -> Result<(), Refusal> {
    check_body("calls.refer", "", body)
}

fn check_body(request: &str, root: &str, body: &Value) -> Result<(), Refusal> {
    let schema = schema(&REST, request).expect("the committed schemas have it");
    schema.iter_errors(body).next().map_or(Ok(()), |error| Err(refusal_under(root, &error)))
}

/// What is wrong with an event of our own: a bug of the simulator.
pub(crate) fn check_server(event: &Value) -> Result<(), String> {
    let mut promised = event.clone();
    if let Some(session) = promised.get_mut("session").and_then(Value::as_object_mut) {
        session.retain(|key, _| !EXTRA_IN_SESSION.contains(&key.as_str()));
    }
    let name = event["type"].as_str().unwrap_or_default();
    if let Some(fields) = promised.as_object_mut().filter(|_| name.ends_with(".delta")) {
        fields.remove("obfuscation");
        if audio_events::is_plain_delta(fields) {
            return Ok(());
        }
    }
    // Servers may number it, though the types do not.
    if let Some(fields) =
        promised.as_object_mut().filter(|_| name == "input_audio_buffer.dtmf_event_received")
    {
        fields.remove("event_id");
    }
    let schema = schema(&SERVER, name).filter(|_| !NEVER_SENT.contains(&name));
    let schema = schema.ok_or(format!("no schema for {name:?}"))?;
    let faults = schema.iter_errors(&promised).map(|error| refusal(&error).to_string());
    let faults: Vec<String> = faults.collect();
    if faults.is_empty() { Ok(()) } else { Err(format!("{}: {event}", faults.join("; "))) }
}

fn unknown_event(name: &str) -> Refusal {
    let known = CLIENT.files().filter_map(|file| file.path().file_stem()?.to_str()).chain([CLOSE]);
    let known = known.map(|event| format!("'{event}'")).collect::<Vec<_>>().join(", ");
    Refusal::value("type", format!("Invalid value: '{name}'. Supported values are: {known}."))
}

/// Says in the service's words what a schema found.
fn refusal(error: &ValidationError<'_>) -> Refusal {
    refusal_under("", error)
}

/// The same for a value that the service knows by a name.
fn refusal_under(root: &str, error: &ValidationError<'_>) -> Refusal {
    let at = dotted(root, error.instance_path().as_str());
    match error.kind() {
        ValidationErrorKind::AnyOf { context } => match nearest(context, error) {
            Some(fault) => refusal_under(root, fault),
            None => invalid(&at, error),
        },
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let name = inside(&at, unexpected.first().map_or("", String::as_str));
            Refusal::new("unknown_parameter", format!("Unknown parameter: '{name}'.")).about(&name)
        }
        ValidationErrorKind::Required { property } => {
            let name = inside(&at, property.as_str().unwrap_or_default());
            let message = format!("Missing required parameter: '{name}'.");
            Refusal::new("missing_required_parameter", message).about(&name)
        }
        ValidationErrorKind::Type { .. } => {
            let message = format!("Invalid type for '{at}': {error}.");
            Refusal::new("invalid_type", message).about(&at)
        }
        _ => invalid(&at, error),
    }
}

fn invalid(at: &str, error: &ValidationError<'_>) -> Refusal {
    Refusal::value(at, format!("Invalid value for '{at}': {error}."))
}

/// The fault to name when no alternative fits: the first one of the alternative that was most likely meant.
fn nearest<'a>(
    alternatives: &'a [Vec<ValidationError<'static>>],
    error: &ValidationError<'_>,
) -> Option<&'a ValidationError<'static>> {
    let place = error.instance_path().as_str();
    let distance = |faults: &&Vec<ValidationError<'static>>| {
        let mismatch = faults.iter().map(|fault| mismatch(fault, place)).max();
        (mismatch, faults.len())
    };
    alternatives.iter().min_by_key(distance)?.first()
}

/// How foreign the value at `place` is to an alternative: only faulty, tagged otherwise, or another JSON type.
fn mismatch(fault: &ValidationError<'_>, place: &str) -> u8 {
    let inner = fault.instance_path().as_str().strip_prefix(place).unwrap_or_default();
    match fault.kind() {
        ValidationErrorKind::Type { .. } if inner.is_empty() => 2,
        _ if inner == "/type" || inner == "/role" => 1,
        _ => 0,
    }
}

/// `/session/tools/0/name` as the service writes it: `session.tools[0].name`.
fn dotted(root: &str, pointer: &str) -> String {
    pointer.split('/').skip(1).fold(root.to_owned(), |path, step| match step.parse::<usize>() {
        Ok(index) => format!("{path}[{index}]"),
        Err(_) => inside(&path, step),
    })
}

fn inside(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

static CLIENT: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../fixtures/realtime-schema/client");
static SERVER: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../fixtures/realtime-schema/server");

/// The bodies of requests.
static REST: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../fixtures/realtime-schema/rest");

/// What it never sends: these belong to other transcription models.
const NEVER_SENT: [&str; 2] =
    ["conversation.item.created", "conversation.item.input_audio_transcription.segment"];

/// The schema of this event, compiled when it is first needed.
fn schema(side: &'static Dir<'_>, event: &str) -> Option<Arc<Validator>> {
    static COMPILED: Mutex<BTreeMap<&Path, Arc<Validator>>> = Mutex::new(BTreeMap::new());
    let file = side.get_file(format!("{event}.json"))?;
    let mut compiled = COMPILED.lock().expect("no schema fails to compile");
    let compile = || {
        let schema = serde_json::from_slice(file.contents()).expect("the committed schemas are JSON");
        Arc::new(jsonschema::validator_for(&schema).expect("the committed schemas are valid"))
    };
    Some(compiled.entry(file.path()).or_insert_with(compile).clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_right_event_passes() {
        let update =
            json!({"type": "session.update", "session": {"type": "realtime", "instructions": "Be brief."}});

        assert_eq!(check_client(&update), Ok(()));
    }

    #[test]
    fn a_response_without_instructions_may_say_so_by_null() {
        let create = |response: Value| json!({"type": "response.create", "response": response});

        assert_eq!(check_client(&create(json!({"instructions": null}))), Ok(()));
        refused(&create(json!({"instructions": 3})), "invalid_type");
    }

    #[test]
    fn refuses_each_fault_by_its_code_and_place() {
        let session = |fields: Value| json!({"type": "session.update", "session": fields});
        let input = |input: Value| session(json!({"type": "realtime", "audio": {"input": input}}));
        let vad = |kind: &str| input(json!({"turn_detection": {"type": kind, "x": 1}}));

        refused(&json!({"event_id": "e"}), "invalid_event");
        refused(&json!({"type": "session.upgrade"}), "invalid_value");
        refused(
            &session(json!({"type": "realtime", "temperature": 0.8})),
            "unknown_parameter: Unknown parameter: 'session.temperature'.",
        );
        refused(
            &session(json!({"instructions": "x"})),
            "missing_required_parameter: Missing required parameter: 'session.type'.",
        );
        refused(
            &session(json!({"type": "realtime", "instructions": 3})),
            "invalid_type: Invalid type for 'session.instructions'",
        );
        refused(
            &vad("server_vad"),
            "unknown_parameter: Unknown parameter: 'session.audio.input.turn_detection.x'.",
        );
        refused(
            &vad("psychic_vad"),
            "invalid_value: Invalid value for 'session.audio.input.turn_detection.type'",
        );
    }

    #[test]
    fn names_the_rate_when_pcm_has_another_one() {
        let format = json!({"type": "audio/pcm", "rate": 8000});
        let session = json!({"type": "realtime", "audio": {"input": {"format": format}}});
        let update = json!({"type": "session.update", "session": session});

        refused(&update, "invalid_value: Invalid value for 'session.audio.input.format.rate'");
    }

    #[test]
    fn a_server_event_with_a_stray_field_is_a_bug() {
        let stray = json!({"type": "input_audio_buffer.cleared", "event_id": "e", "why": "no"});

        assert!(check_server(&stray).is_err());
    }

    fn refused(event: &Value, words: &str) {
        let refusal = check_client(event).expect_err("the event is wrong").to_string();
        assert!(refusal.starts_with(words), "{refusal}");
    }
}
