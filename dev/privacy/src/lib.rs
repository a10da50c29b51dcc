//! Finds in what programs write what must never be written: who called, what they said, and secrets.
//!
//! Stories hold their processes' logs to it as they end, with the secrets of their own stage; `privacy` (the program) holds
//! everything to it that any test has written. A leak is reported by its kind and its place, never by itself.

mod shape;
mod spoken;

pub use shape::SHAPES;

use regex::{Captures, Regex};
use serde_json::Value;
use std::fmt;
use std::sync::LazyLock;

/// What must not be written: what is of a known shape, and what is known to be secret here.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    secrets: Vec<Secret>,
}

#[derive(Clone)]
struct Secret {
    name: String,
    text: String,
}

/// Something that was written and must not be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leak {
    /// What kind of thing it is.
    pub kind: String,
    /// In which line, from 1.
    pub line: usize,
}

impl Watch {
    /// Watches for this as well, wherever it stands. Less than four letters are too few to find.
    #[must_use]
    pub fn and_for(mut self, name: &str, text: &str) -> Self {
        if text.len() >= 4 {
            self.secrets.push(Secret { name: name.to_owned(), text: text.to_owned() });
        }
        self
    }

    /// Everything that must not be in this text, by line.
    pub fn look_at(&self, text: &str) -> Vec<Leak> {
        let lines = text.lines().enumerate();
        lines
            .flat_map(|(n, line)| self.look_at_line(line).map(move |kind| Leak { kind, line: n + 1 }))
            .collect()
    }

    fn look_at_line<'a>(&'a self, line: &'a str) -> impl Iterator<Item = String> + 'a {
        // What JSON has escaped is read as it was meant.
        let plain = readable(line);
        let secrets =
            self.secrets.iter().filter(|secret| line.contains(&secret.text) || plain.contains(&secret.text));
        let secrets: Vec<_> = secrets.map(|secret| secret.name.clone()).collect();
        let shapes = shape::kinds_in(&plain).into_iter().map(str::to_owned);
        let spoken = spoken::has_digits(&plain).then(|| "digits spoken as words".to_owned());
        secrets.into_iter().chain(shapes).chain(spoken)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.kind)
    }
}

/// What a line says: of JSON each text and name on a line of its own, without what may be a long number by right.
fn readable(line: &str) -> String {
    match serde_json::from_str::<Value>(line) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => {
            let mut said = String::new();
            collect("", &value, &mut said);
            said
        }
        Ok(_) | Err(_) => debugged(line),
    }
}

/// A field, or the one inside of a type, as Rust's `Debug` writes it.
static FIELD: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"\b(\w+)(?:: (?:Some\()?"?|\()\d+"?"#).expect("it is a regex"));

/// What a line says that is no JSON, such as a failed assertion's: without what may be a long number by right.
fn debugged(line: &str) -> String {
    let said = FIELD.replace_all(line, |field: &Captures<'_>| {
        if is_long_by_right(&field[1]) { field[1].to_owned() } else { field[0].to_owned() }
    });
    said.into_owned()
}

/// The ids of business numbers, times, and hashes are long numbers by right.
fn is_long_by_right(name: &str) -> bool {
    matches!(name, "number" | "call_ref" | "Timestamp" | "writer" | "sha256" | "stamped_at")
        || name.ends_with("_ms")
        || name.ends_with("_s")
}

fn collect(name: &str, value: &Value, said: &mut String) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            *said += &format!("{name}\n");
            collect(name, value, said);
        }),
        Value::Array(values) => values.iter().for_each(|value| collect(name, value, said)),
        Value::String(text)
            if is_long_by_right(name) && text.chars().all(|letter| letter.is_ascii_digit()) => {}
        Value::String(text) => *said += &format!("{text}\n"),
        Value::Number(_) if is_long_by_right(name) => {}
        Value::Number(number) => *said += &format!("{number}\n"),
        Value::Null | Value::Bool(_) => {}
    }
}
