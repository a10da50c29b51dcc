//! Placeholders in an agent's texts: `{{name}}` or `{{name|fallback}}`, filled in one pass.

use crate::Variables;
use crate::error::Fault;
use crate::variables::MAX_VALUE;

const OPENING: &str = "{{";
const CLOSING: &str = "}}";

/// A placeholder as it is written in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placeholder<'a> {
    pub(crate) name: &'a str,
    /// What stands there if the name has no value.
    pub(crate) fallback: Option<&'a str>,
}

/// What a text consists of.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Literal(&'a str),
    Placeholder(Placeholder<'a>, &'a str),
    /// Two braces that begin no placeholder.
    Stray,
}

/// Returns the placeholders of a text, in their order.
pub(crate) fn placeholders(text: &str) -> impl Iterator<Item = Placeholder<'_>> {
    pieces(text).filter_map(|piece| match piece {
        Piece::Placeholder(placeholder, _) => Some(placeholder),
        Piece::Literal(_) | Piece::Stray => None,
    })
}

/// Fills the placeholders that have a value, a fallback or a known name; others stay as they are written. Values are never read again.
pub(crate) fn fill(text: &str, is_known: impl Fn(&str) -> bool, variables: &Variables) -> String {
    pieces(text)
        .map(|piece| match piece {
            Piece::Placeholder(Placeholder { name, fallback }, written) => {
                let unknown = if is_known(name) { "" } else { written };
                variables.get(name).or(fallback).unwrap_or(unknown)
            }
            Piece::Literal(written) => written,
            Piece::Stray => OPENING,
        })
        .collect()
}

/// Checks the placeholders of a text. Words that are said or sent as they are need a fallback.
pub(crate) fn check(
    field: &str,
    text: &str,
    is_exact: bool,
    is_known: impl Fn(&str) -> bool,
) -> Result<(), Fault> {
    for piece in pieces(text) {
        let reason = match piece {
            Piece::Stray => {
                "has {{ without a placeholder: write {{name}} or {{name|fallback}}, on one line".to_owned()
            }
            Piece::Placeholder(Placeholder { name, fallback: None }, _) if !is_known(name) => format!(
                "has {{{{{name}}}}}, which only a [lookup] can fill: write {{{{{name}|fallback}}}}, or caller_name or caller_number"
            ),
            Piece::Placeholder(Placeholder { name, fallback: None | Some("") }, _) if is_exact => {
                format!(
                    "has {{{{{name}}}}} without a fallback, which exact words need: write {{{{{name}|fallback}}}}"
                )
            }
            Piece::Placeholder(..) | Piece::Literal(_) => continue,
        };
        return Err(Fault::new(field, reason));
    }
    Ok(())
}

fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (piece, length) = next_piece(rest)?;
        rest = &rest[length..];
        Some(piece)
    })
}

/// Returns the first piece of a text, with its length.
fn next_piece(text: &str) -> Option<(Piece<'_>, usize)> {
    match text.find(OPENING) {
        _ if text.is_empty() => None,
        None => Some((Piece::Literal(text), text.len())),
        Some(0) => Some(placeholder(text).unwrap_or((Piece::Stray, OPENING.len()))),
        Some(start) => Some((Piece::Literal(&text[..start]), start)),
    }
}

/// Reads the placeholder that a text begins with.
fn placeholder(text: &str) -> Option<(Piece<'_>, usize)> {
    let inner = &text[OPENING.len()..];
    let inner = &inner[..inner.find(CLOSING)?];
    let (name, fallback) = match inner.split_once('|') {
        Some((name, fallback)) => (name.trim(), Some(fallback.trim())),
        None => (inner.trim(), None),
    };
    let is_line = |text: &str| {
        text.chars().count() <= MAX_VALUE && !text.contains(|c: char| c.is_control() || c == '{' || c == '}')
    };
    let length = OPENING.len() + inner.len() + CLOSING.len();
    let placeholder = Placeholder { name, fallback };
    (is_name(name) && fallback.is_none_or(is_line))
        .then(|| (Piece::Placeholder(placeholder, &text[..length]), length))
}

/// Whether it is a letter, then letters, digits or `_`, 64 at most.
fn is_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    fn variables(returned: Value) -> Variables {
        let returned: Map<String, Value> = serde_json::from_value(returned).expect("an object");
        Variables::default().with_lookup(returned)
    }

    fn filled(text: &str) -> String {
        fill(text, |name| name != "unknown", &variables(json!({"a": "A", "b": "{{a}}", "c": "c\nc"})))
    }

    #[test]
    fn a_placeholder_is_its_value_or_its_fallback() {
        for (text, expected) in [
            ("no placeholder", "no placeholder"),
            ("x {{a}} y {{ a | there }} z", "x A y A z"),
            ("Hello {{none| dear caller }}!", "Hello dear caller!"),
            ("Hello {{none}}!", "Hello !"),
            ("{{none|a|b}}", "a|b"),
            ("{{unknown|x}}", "x"),
            ("{{c}}", "c c"),
        ] {
            assert_eq!(filled(text), expected);
        }
    }

    #[test]
    fn a_value_is_never_read_again() {
        assert_eq!(filled("{{b}} {{b}}"), "a a");
        assert_eq!(filled("{{{{b}}}}"), "{{a}}");
    }

    #[test]
    fn what_is_no_placeholder_stays_as_it_is() {
        for text in
            ["{{", "}}", "{{a", "{{}}", "{{1a}}", "{{a b}}", "{{a\n|b\nc}}", "{a}", "{{unknown}}", "{{a-b}}"]
        {
            assert_eq!(filled(text), text);
        }
    }

    #[test]
    fn strays_unknown_names_and_missing_fallbacks_are_refused() {
        let told =
            |text, is_exact| check("f", text, is_exact, |name| name == "a").map_err(|fault| fault.reason);
        assert_eq!(
            [told("{{a}}", false), told("{{b|c}}", true), told("{ {a} }", true)],
            [Ok(()), Ok(()), Ok(())]
        );
        for (text, is_exact, wrong) in [
            ("x {{a y", false, "has {{ without a placeholder"),
            ("{{b}}", true, "has {{b}}, which only a [lookup] can fill"),
            ("{{a}}", true, "has {{a}} without a fallback"),
            ("{{a|}}", true, "has {{a}} without a fallback"),
        ] {
            let reason = told(text, is_exact).unwrap_err();
            assert!(reason.starts_with(wrong), "{reason}");
        }
    }

    const LINE_ENDS: [char; 3] = ['\n', '\r', '\u{2028}'];

    proptest! {
        #[test]
        fn any_text_is_filled_without_new_lines_or_placeholders(
            text in "([a-z {}|]|\\{\\{[ab]\\}\\}|\\{\\{[a-c] ?\\|[a-z]{0,3}\\}\\}|\\PC){0,20}",
            value in "[a-c{}|\n\r\u{2028}]{0,12}",
        ) {
            let variables = variables(json!({"a": value, "b": "{{a}}"}));
            let filled = fill(&text, |_| true, &variables);
            prop_assert!(!filled.contains(LINE_ENDS) || text.contains(LINE_ENDS));
            let written = pieces(&text).map(|piece| match piece {
                Piece::Literal(text) | Piece::Placeholder(_, text) => text,
                Piece::Stray => OPENING,
            });
            prop_assert_eq!(written.collect::<String>(), text);
            let without_text = fill("{{a}}{{b}}", |_| true, &variables);
            prop_assert_eq!(placeholders(&without_text).count(), 0);
        }
    }
}
