//! Reads requests about webhook endpoints as strictly as OpenAI's types are written.

use super::endpoints::Refused;
use crate::refusal::Refusal;
use serde_json::{Map, Value};

/// The events that an endpoint can be made for.
pub(crate) const EVENT_TYPES: [&str; 27] = [
    "batch.completed",
    "batch.failed",
    "batch.expired",
    "batch.cancelled",
    "response.completed",
    "response.failed",
    "response.cancelled",
    "response.incomplete",
    "eval.run.succeeded",
    "eval.run.failed",
    "eval.run.canceled",
    "fine_tuning.job.succeeded",
    "fine_tuning.job.failed",
    "fine_tuning.job.cancelled",
    "realtime.call.incoming",
    "video.completed",
    "video.failed",
    "agent.environment.ready",
    "agent.environment.failed",
    "agent.environment.suspended",
    "agent.environment.expired",
    "agent.session.created",
    "agent.session.action_required",
    "agent.session.in_progress",
    "agent.session.idle",
    "agent.session.failed",
    "safety.alert.created",
];

const KEEPS_OLD: &str = "keep_old_secret_active_for_24_hours";

/// How many endpoints a page has unless asked otherwise, and at most.
const PAGE: usize = 20;
const LONGEST_PAGE: usize = 100;

/// What a request wants an endpoint to be.
#[derive(Debug)]
pub(crate) struct Asked {
    pub name: Option<String>,
    pub url: Option<String>,
    pub event_types: Option<Vec<String>>,
}

/// Reads the body of a request that makes or changes an endpoint.
pub(crate) fn read(body: &[u8]) -> Result<Asked, Refused> {
    let body = object(body, &["name", "url", "event_types"])?;
    let name = text(&body, "name")?;
    if name.as_deref() == Some("") {
        return Err(wrong("name", "it must not be empty"));
    }
    Ok(Asked { name, url: text(&body, "url")?, event_types: event_types(&body)? })
}

/// Reads the body of a rotation: whether the old secret is kept. There need not be a body.
pub(crate) fn keeps_old_secret(body: &[u8]) -> Result<bool, Refused> {
    if body.is_empty() {
        return Ok(false);
    }
    match object(body, &[KEEPS_OLD])?.get(KEEPS_OLD) {
        None => Ok(false),
        Some(Value::Bool(is_kept)) => Ok(*is_kept),
        Some(_) => Err(mistyped(KEEPS_OLD, "a boolean")),
    }
}

/// Reads the query of a list: the endpoint before the page, and the page's length.
pub(crate) fn page(query: Option<&str>) -> Result<(Option<String>, usize), Refused> {
    let (mut after, mut limit) = (None, PAGE);
    for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=').unwrap_or((pair, "")) {
            ("after", id) => after = Some(id.to_owned()),
            ("limit", number) => {
                let number = number.parse().ok().filter(|number| (1..=LONGEST_PAGE).contains(number));
                limit = number.ok_or_else(|| wrong("limit", "it must be 1 to 100"))?;
            }
            (other, _) => return Err(unknown(other)),
        }
    }
    Ok((after, limit))
}

fn object(body: &[u8], known: &[&str]) -> Result<Map<String, Value>, Refused> {
    let Ok(Value::Object(body)) = serde_json::from_slice(body) else {
        return Err((400, Refusal::without_code("We could not parse the JSON body of your request.")));
    };
    match body.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(unknown(key)),
        None => Ok(body),
    }
}

fn text(body: &Map<String, Value>, parameter: &str) -> Result<Option<String>, Refused> {
    match body.get(parameter) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(mistyped(parameter, "a string")),
    }
}

fn event_types(body: &Map<String, Value>) -> Result<Option<Vec<String>>, Refused> {
    const NAME: &str = "event_types";
    let Some(given) = body.get(NAME) else { return Ok(None) };
    let Value::Array(given) = given else { return Err(mistyped(NAME, "an array of strings")) };
    if given.is_empty() {
        return Err(wrong(NAME, "it must not be empty"));
    }
    let known = |kind: &Value| {
        let kind = kind.as_str().ok_or_else(|| mistyped(NAME, "an array of strings"))?;
        let is_known = EVENT_TYPES.contains(&kind);
        is_known.then(|| kind.to_owned()).ok_or_else(|| wrong(NAME, &format!("no event is called '{kind}'")))
    };
    given.iter().map(known).collect::<Result<_, _>>().map(Some)
}

fn unknown(parameter: &str) -> Refused {
    let message = format!("Unknown parameter: '{parameter}'.");
    (400, Refusal::new("unknown_parameter", message).about(parameter))
}

fn wrong(parameter: &str, why: &str) -> Refused {
    (400, Refusal::value(parameter, format!("Invalid '{parameter}': {why}.")))
}

fn mistyped(parameter: &str, wanted: &str) -> Refused {
    let message = format!("Invalid type for '{parameter}': expected {wanted}.");
    (400, Refusal::new("invalid_type", message).about(parameter))
}
