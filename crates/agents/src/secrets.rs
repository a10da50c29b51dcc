//! Secret scanning: refuses an agent file that contains what looks like a secret, comments included, without
//! repeating it.

use crate::AgentFileError;
use crate::error::WHOLE;
use crate::key_positions::KeyPositions;
use std::ops::Range;

/// Prefixes of secrets, each with the least number of characters that follow. Prefixes that end with a space match in
/// any case.
const SHAPES: &[(&str, usize)] = &[
    ("sk-", 12),         // OpenAI
    ("ek_", 16),         // OpenAI, short-lived
    ("EAA", 20),         // Meta
    ("Bearer ", 12),     // HTTP
    ("Basic ", 16),      // HTTP
    ("AKIA", 16),        // AWS
    ("ASIA", 16),        // AWS, short-lived
    ("ghp_", 20),        // GitHub
    ("github_pat_", 20), // GitHub
    ("xoxb-", 12),       // Slack
    ("whsec_", 12),      // webhooks
    ("sk_live_", 12),    // Stripe
    ("eyJ", 30),         // a JSON web token
    ("-----BEGIN ", 3),  // a key file
];

/// Refuses the file if it contains a secret.
pub(crate) fn refuse(text: &str, positions: &KeyPositions<'_>) -> Result<(), AgentFileError> {
    let Some(found) = find(text) else { return Ok(()) };
    let field = positions.field_or_file(&found);
    let field = if find(&field).is_some() { WHOLE.to_owned() } else { field };
    let reason = "looks like a secret: store it in the media secret and name it with \
                  sign_with or authorization_with";
    Err(AgentFileError { line: positions.line(found.start), field, reason: reason.to_owned() })
}

/// Returns the range of the first prefix of a secret.
fn find(text: &str) -> Option<Range<usize>> {
    SHAPES.iter().filter_map(|(start, more)| find_shape(text, start, *more)).min_by_key(|found| found.start)
}

fn find_shape(text: &str, start: &str, more: usize) -> Option<Range<usize>> {
    let is_word = start.ends_with(' ');
    // "sk-warehouse" is a name; OpenAI's keys contain digits or capitals.
    let may_be_words = is_word || start == "sk-";
    let lower = text.to_ascii_lowercase();
    let (searched, wanted) =
        if is_word { (lower.as_str(), start.to_ascii_lowercase()) } else { (text, start.to_owned()) };
    searched.match_indices(&wanted).map(|(at, _)| at).find_map(|at| {
        let begins = !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
        let rest = &text[at + start.len()..];
        let rest = &rest[..rest.bytes().take_while(|byte| is_part(*byte)).count()];
        (begins && rest.len() >= more && (!may_be_words || is_random(rest))).then_some(at..at + start.len())
    })
}

/// Whether a text contains a digit or a capital: ordinary words may follow "basic", "bearer" and "sk-".
fn is_random(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
        || text.bytes().skip(1).any(|byte| byte.is_ascii_uppercase())
}

fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'+' | b'/' | b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_by_prefix() {
        for text in [
            "sk-proj-0123456789ab",
            "authorization: bearer abcdefghijkl9nop",
            "x EAAGm0PX4ZCpsBAKZCxyz012345",
        ] {
            assert!(find(text).is_some(), "{text}");
        }
    }

    #[test]
    fn ordinary_words_are_not_secrets() {
        for text in [
            "task-oriented-people",
            "Bearer of good news",
            "basic responsibilities",
            "risk-assessments",
            "sk-12",
            "https://sk-warehouse.example",
        ] {
            assert_eq!(find(text), None, "{text}");
        }
    }
}
