//! What is known about a caller, as placeholders and instructions may show it.
//!
//! All of it is chosen by others: a caller chooses their own profile name, and a business's system may pass on what
//! callers typed. Values are therefore cleaned here, once.

use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;
use unicode_general_category::{GeneralCategory, get_general_category};

/// The placeholders that are filled without a lookup.
pub(crate) const CALLER_NAME: &str = "caller_name";
pub(crate) const CALLER_NUMBER: &str = "caller_number";

/// The maximum length of a value that fills a placeholder, in characters.
pub(crate) const MAX_VALUE: usize = 80;
/// The maximum length of a text within the data block, in characters.
const MAX_TEXT: usize = 500;
/// The maximum size of the data block's JSON, in bytes.
const MAX_DATA: usize = 4 * 1024;
/// The maximum number of marks on a letter.
const MAX_MARKS: usize = 3;
/// Characters without a width that join letters or keep them apart, in Persian and Indian words for instance.
const JOINERS: [char; 2] = ['\u{200c}', '\u{200d}'];

/// What is known about a caller: their name and number, and what the business's system returned.
#[derive(Clone, Default, PartialEq)]
pub struct Variables {
    /// One line each, cleaned.
    scalars: BTreeMap<String, String>,
    /// What a lookup returned, cleaned.
    returned: Map<String, Value>,
}

impl Variables {
    /// Creates the variables of a caller, of whom name and number (digits) may be unknown.
    pub fn of_caller(name: Option<&str>, number: Option<&str>) -> Self {
        let mut variables = Self::default();
        variables.set(CALLER_NAME, name.and_then(one_line));
        variables.set(CALLER_NUMBER, number.and_then(one_line).map(|digits| format!("+{digits}")));
        variables
    }

    /// Adds what a lookup returned. It may know a better `caller_name`, but not another `caller_number`.
    #[must_use]
    pub fn with_lookup(mut self, returned: Map<String, Value>) -> Self {
        let mut returned = cleaned_map(returned);
        returned.remove(CALLER_NUMBER);
        for (name, value) in &returned {
            self.set(name, scalar(value));
        }
        self.returned = returned;
        self
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.scalars.get(name).map(String::as_str)
    }

    /// Returns what a lookup returned as one line of JSON, but for values that a placeholder shows whole, as `is_shown`
    /// says of their names; `None` if that is nothing. Values that do not fit are left out. It has no `<`, `>` or
    /// backtick, so that it cannot end a fence.
    pub(crate) fn data(&self, is_shown: impl Fn(&str) -> bool) -> Option<String> {
        let mut fitting = Map::new();
        let mut size = "{}".len();
        let is_shown = |name: &str, value: &Value| is_shown(name) && self.is_whole(name, value);
        let returned = self.returned.iter();
        for (name, value) in returned.filter(|(name, value)| !is_shown(name, value) && !value.is_null()) {
            let entry = fenced(&format!("{}:{value},", Value::from(name.as_str())));
            if size + entry.len() <= MAX_DATA {
                size += entry.len();
                fitting.insert(name.clone(), value.clone());
            }
        }
        (!fitting.is_empty()).then(|| fenced(&Value::Object(fitting).to_string()))
    }

    /// Whether a placeholder shows all of a value that a lookup returned.
    fn is_whole(&self, name: &str, value: &Value) -> bool {
        let is_uncut = match value {
            Value::String(text) => text.chars().count() <= MAX_VALUE,
            Value::Number(_) | Value::Bool(_) => true,
            Value::Null | Value::Array(_) | Value::Object(_) => false,
        };
        is_uncut && self.scalars.contains_key(name)
    }

    fn set(&mut self, name: &str, value: Option<String>) {
        if let Some(value) = value {
            self.scalars.insert(name.to_owned(), value);
        }
    }
}

impl fmt::Debug for Variables {
    /// Shows how many there are: names and values are personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variables").field("count", &self.scalars.len()).finish_non_exhaustive()
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => one_line(text),
        Value::Number(number) => one_line(&number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Returns a text as one line of at most [`MAX_VALUE`] characters that can neither be a placeholder nor end a quotation;
/// `None` if nothing is left of it.
fn one_line(text: &str) -> Option<String> {
    let shown = visible(text).replace(['{', '}'], "");
    let shown: String = shown.chars().map(|c| if matches!(c, '"' | '`') { '\'' } else { c }).collect();
    let line = spaced(&shown);
    let line = cut(&line, MAX_VALUE).trim_end();
    (!line.is_empty()).then(|| line.to_owned())
}

fn cleaned(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(cut(&spaced(&visible(&text)), MAX_TEXT).to_owned()),
        Value::Array(values) => Value::Array(values.into_iter().map(cleaned).collect()),
        Value::Object(map) => Value::Object(cleaned_map(map)),
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

fn cleaned_map(map: Map<String, Value>) -> Map<String, Value> {
    map.into_iter().map(|(name, value)| (spaced(&visible(&name)), cleaned(value))).collect()
}

/// Joins the words of a text with single spaces. Control characters separate words.
fn spaced(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

fn cut(text: &str, longest: usize) -> &str {
    text.char_indices().nth(longest).map_or(text, |(end, _)| &text[..end])
}

/// Returns a text without what a model reads and no person sees: hidden characters, joiners that join nothing, and more
/// marks on a letter than any script has.
fn visible(text: &str) -> String {
    let mut marks = 0;
    let mut last = None;
    let is_seen = |c: &char| {
        marks = if is_mark(*c) || JOINERS.contains(c) { marks + 1 } else { 0 };
        let joins_nothing = JOINERS.contains(c) && last.is_none_or(|last| JOINERS.contains(&last));
        last = Some(*c);
        marks <= MAX_MARKS && !joins_nothing
    };
    text.chars().filter(|c| !is_hidden(*c)).filter(is_seen).collect()
}

fn is_mark(c: char) -> bool {
    use GeneralCategory::{EnclosingMark, NonspacingMark, SpacingMark};
    matches!(get_general_category(c), EnclosingMark | NonspacingMark | SpacingMark)
}

/// Whether a character is invisible or turns the direction of text, but for joiners. Selectors of a variant are invisible,
/// too: there are enough of them to write a text.
fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Escapes, within JSON, the characters that fences are made of.
fn fenced(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('`', "\\u0060")
}

#[cfg(test)]
#[path = "variables_tests.rs"]
mod tests;
