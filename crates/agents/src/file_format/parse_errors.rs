//! Converts errors of the TOML parser and serde to [`AgentFileError`] without repeating values.

use crate::AgentFileError;
use crate::error::{Fault, WHOLE, quoted};
use crate::key_positions::{KeyPositions, join};
use toml::de::{DeTable, Error};

/// Converts a parse error to an error with line and field.
pub(super) fn agent_file_error(error: &Error, text: &str, positions: &KeyPositions<'_>) -> AgentFileError {
    let span = error.span().unwrap_or(0..0);
    let line = positions.line(span.start);
    if DeTable::parse(text).is_err() {
        let reason = format!("is not TOML: {}", one_line(error.message()));
        let field = positions.field(&span).map(str::to_owned).or_else(|| key_at(text, span.start));
        return AgentFileError { line, field: field.unwrap_or_else(|| WHOLE.to_owned()), reason };
    }
    let is_whole = span.is_empty();
    let around = positions.field(&span).filter(|_| !is_whole).unwrap_or_default();
    let message = error.message();
    match between(message, "`", "`") {
        Some(key) if message.starts_with("missing field") => missing(positions, around, key),
        Some(key) if message.starts_with("unknown field") => {
            let (line, field) = match positions.line_of(&join(around, key)) {
                Some(line) => (line, join(around, key)),
                None => (line, or_file(around)),
            };
            AgentFileError { line, field, reason: unknown(key, message) }
        }
        Some(_) if message.starts_with("unknown variant") => {
            let reason = format!("must be {}", listed(&choices(message)));
            AgentFileError { line, field: or_file(around), reason }
        }
        Some(_) | None => AgentFileError { line, field: or_file(around), reason: kind(message) },
    }
}

fn missing(positions: &KeyPositions<'_>, around: &str, key: &str) -> AgentFileError {
    positions.locate(Fault::new(join(around, key), "is missing"))
}

/// Describes an unknown key, with the key that may have been meant.
fn unknown(key: &str, message: &str) -> String {
    let known = choices(message);
    let nearest = known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(known, key), known))
        .filter(|(distance, known)| *distance <= 1 + known.len() / 4)
        .min();
    match nearest {
        Some((_, known)) => format!("unknown key; did you mean {known}?"),
        None if known.is_empty() => "unknown key".to_owned(),
        None => format!("unknown key; expected {}", listed(&known)),
    }
}

/// Describes a value of the wrong type. Serde's text may quote the value; what comes after `expected` does not.
fn kind(message: &str) -> String {
    let expected = message.rsplit_once("expected ").map(|(_, expected)| expected.trim());
    match expected {
        Some("u8" | "u16" | "u32" | "u64" | "usize") => "must be a whole number, 0 or more".to_owned(),
        Some("f32" | "f64") => "must be a number".to_owned(),
        Some("a boolean") => "must be true or false".to_owned(),
        Some("a string") => "must be text in quotes".to_owned(),
        Some("a sequence") => "must be a list in [ ]".to_owned(),
        Some(kind) if kind.starts_with("struct ") || kind == "a map" => "must be a table".to_owned(),
        Some(kind) if kind.starts_with("internally tagged enum") => "must be a table with a type".to_owned(),
        Some(kind) if kind.len() <= 60 => format!("must be {}", one_line(kind)),
        Some(_) | None => "has the wrong type".to_owned(),
    }
}

/// Returns the names that serde offers: those in backticks after `expected`.
fn choices(message: &str) -> Vec<&str> {
    let Some((_, expected)) = message.rsplit_once("expected ") else { return vec![] };
    expected.split('`').skip(1).step_by(2).collect()
}

fn listed(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => "another value".to_owned(),
    }
}

/// Returns the key on the line of a byte, under the table header before it, for a file that is not TOML.
fn key_at(text: &str, at: usize) -> Option<String> {
    let before = text.get(..at)?;
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let (key, _) = text[start..].lines().next()?.split_once('=')?;
    let header = before[..start].lines().rev().find_map(|line| line.trim().strip_prefix('['));
    let header = header.map(|header| header.trim_matches(['[', ']', ' ']));
    let mut parts = header.into_iter().flat_map(|header| header.split('.')).chain(key.split('.'));
    parts.try_fold(String::new(), |prefix, part| {
        let joined = join(&prefix, part.trim());
        (!joined.contains('"')).then_some(joined)
    })
}

fn or_file(field: &str) -> String {
    if field.is_empty() { WHOLE.to_owned() } else { field.to_owned() }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split_once(after).map(|(inner, _)| inner)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
