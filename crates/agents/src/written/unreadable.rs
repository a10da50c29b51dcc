//! Tells in our words what the TOML reader and serde could not take, without repeating values.

use crate::Wrong;
use crate::places::{Places, join};
use crate::wrong::{WHOLE, quoted};
use toml::de::{DeTable, Error};

/// What is wrong, and where.
pub(super) fn wrong(error: &Error, text: &str, places: &Places<'_>) -> Wrong {
    let span = error.span().unwrap_or(0..0);
    let line = places.line(span.start);
    if DeTable::parse(text).is_err() {
        let reason = format!("is not TOML: {}", one_line(error.message()));
        return Wrong { line, field: places.field_or_file(&span), reason };
    }
    let around = places.field(&span).unwrap_or_default();
    let message = error.message();
    match between(message, "`", "`") {
        Some(key) if message.starts_with("missing field") => missing(places, around, key),
        Some(key) if message.starts_with("unknown field") => unknown(places, around, key, message),
        Some(_) if message.starts_with("unknown variant") => {
            let reason = format!("must be {}", listed(&choices(message)));
            Wrong { line, field: or_file(around), reason }
        }
        Some(_) | None => Wrong { line, field: or_file(around), reason: kind(message) },
    }
}

fn missing(places: &Places<'_>, around: &str, key: &str) -> Wrong {
    places.wrong(crate::wrong::Fault::new(join(around, key), "is missing"))
}

/// A key nobody knows. Inside a tagged table serde only tells of the table, so the key is looked up there.
fn unknown(places: &Places<'_>, around: &str, key: &str, message: &str) -> Wrong {
    let inside = join(around, key);
    let field = if places.has(&inside) { inside } else { or_file(around) };
    let known = choices(message);
    let nearest = known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(known, key), known))
        .filter(|(distance, known)| *distance <= 1 + known.len() / 4)
        .min();
    let reason = match nearest {
        Some((_, known)) => format!("is no key of an agent file; did you mean {known}?"),
        None if known.is_empty() => "is no key of an agent file".to_owned(),
        None => format!("is no key of an agent file; here there may be {}", listed(&known)),
    };
    places.wrong(crate::wrong::Fault::new(field, reason))
}

/// A value of another kind than it should be. Serde's text may quote it; what comes after `expected` is ours.
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
        Some(_) | None => "is of the wrong kind".to_owned(),
    }
}

/// The words serde offers: those in backticks after `expected`.
fn choices(message: &str) -> Vec<&str> {
    let Some((_, expected)) = message.rsplit_once("expected ") else { return vec![] };
    expected.split('`').skip(1).step_by(2).collect()
}

fn listed(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => "something else".to_owned(),
    }
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
