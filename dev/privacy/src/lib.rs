//! Finds in what programs write what must never be written: who called, what they said, and secrets.
//!
//! Stories hold their processes' logs to it as they end, with the secrets of their own stage; `privacy` (the program) holds
//! everything to it that any test has written. A leak is reported by its kind and its place, never by itself.

mod canary;
mod number;
mod shape;
mod spoken;

pub use shape::SHAPES;

use canary::Canary;
use regex::{Captures, Regex};
use serde_json::Value;
use std::fmt;
use std::sync::LazyLock;

/// What must not be written: what is of a known shape, and what is known to be secret here.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    canaries: Vec<Canary>,
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
        self.canaries.extend(Canary::text(name, text));
        self
    }

    /// Watches for a key as it is written and in hexadecimal, and for the bytes that it stands for, where it is base64, after `whsec_` or not.
    #[must_use]
    pub fn and_for_key(mut self, name: &str, key: &str) -> Self {
        self.canaries.extend(Canary::key(name, key));
        self
    }

    /// Watches for what a person is called or has sent, as it is written, in hexadecimal and in base64.
    #[must_use]
    pub fn and_for_personal(mut self, name: &str, text: &str) -> Self {
        self.canaries.extend(Canary::personal(name, text));
        self
    }

    /// Watches for a telephone number as people and programs write it: `+356…`, `00356…`, without a country code, as an address
    /// (`tel:`, `sip:`), percent-encoded, and with separators. `country` may be empty.
    #[must_use]
    pub fn and_for_number(mut self, name: &str, country: &str, national: &str) -> Self {
        self.canaries.push(Canary::number(name, country, national));
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
        let found = self.canaries.iter().filter(|canary| canary.is_in(line) || canary.is_in(&plain));
        let mut canaries: Vec<_> = found.map(|canary| canary.name.clone()).collect();
        canaries.dedup();
        let shapes = shape::kinds_in(&plain).into_iter().map(str::to_owned);
        let spoken = spoken::has_digits(&plain).then(|| "digits spoken as words".to_owned());
        canaries.into_iter().chain(shapes).chain(spoken)
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
