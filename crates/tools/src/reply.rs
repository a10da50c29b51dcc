//! Reads the reply of an operator's system as text for the model.

use crate::outcome::ToolError;
use operator_http::read_body;
use reqwest::{Response, header::CONTENT_TYPE};
use serde::de::IgnoredAny;

/// How many characters of a failure's body the model gets: it may explain, but is often a page for developers.
const MAX_REASON_CHARS: usize = 200;

/// The note to the model after a truncated reply.
const TRUNCATED: &str = "\n(The reply was longer; the rest was cut off here.)";

/// A reply to a tool's request.
pub(crate) enum Reply {
    /// A success: the body, for the model.
    Success(String),
    /// A failure: the status, and the beginning of the body.
    Failure(u16, String),
}

/// Reads a reply, up to `largest` bytes of its body.
///
/// # Errors
/// When the connection breaks, or a successful reply is not text.
pub(crate) async fn read(mut response: Response, largest: usize) -> Result<Reply, ToolError> {
    let status = response.status();
    let content_kind = content_kind(&response);
    if !status.is_success() {
        let (body, _) = match content_kind {
            ContentKind::Text => read_body(&mut response, MAX_REASON_CHARS * 4).await.unwrap_or_default(),
            ContentKind::Page | ContentKind::Binary => Default::default(),
        };
        let reason = String::from_utf8_lossy(&body).trim().chars().take(MAX_REASON_CHARS).collect();
        return Ok(Reply::Failure(status.as_u16(), reason));
    }
    if content_kind == ContentKind::Binary {
        return Err(ToolError::NotText);
    }
    let (body, is_truncated) = read_body(&mut response, largest).await?;
    let text = text(body, is_truncated).ok_or(ToolError::NotText)?;
    Ok(Reply::Success(match (is_truncated, text.trim()) {
        (true, text) => format!("{text}{TRUNCATED}"),
        (false, "") => "Done. The reply was empty.".to_owned(),
        (false, text) => compact(text).unwrap_or_else(|| text.to_owned()),
    }))
}

/// What a body is, by its `Content-Type`.
#[derive(PartialEq, Eq)]
enum ContentKind {
    Text,
    /// An HTML page for people, which explains nothing to a model.
    Page,
    Binary,
}

/// Whether a reply is a page for people, by its `Content-Type`.
pub(crate) fn is_page(response: &Response) -> bool {
    content_kind(response) == ContentKind::Page
}

/// Whether text is a page for people, whatever its `Content-Type` says.
pub(crate) fn looks_like_page(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let begins = |word: &str| text.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word));
    ["<!doctype html", "<html", "<head", "<body"].into_iter().any(begins)
}

fn content_kind(response: &Response) -> ContentKind {
    let header = response.headers().get(CONTENT_TYPE).and_then(|header| header.to_str().ok());
    let Some(header) = header else { return ContentKind::Text };
    let kind = header.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        "text/html" | "application/xhtml+xml" => ContentKind::Page,
        "application/json" | "application/xml" | "application/yaml" => ContentKind::Text,
        kind if kind.starts_with("text/") || kind.ends_with("+json") || kind.ends_with("+xml") => {
            ContentKind::Text
        }
        _ => ContentKind::Binary,
    }
}

/// Returns the body as text, if it is UTF-8 without NUL. A character that was cut in two is left out.
fn text(mut body: Vec<u8>, is_truncated: bool) -> Option<String> {
    if let Err(error) = std::str::from_utf8(&body)
        && is_truncated
        && error.error_len().is_none()
    {
        body.truncate(error.valid_up_to());
    }
    String::from_utf8(body).ok().filter(|text| !text.contains('\0'))
}

/// Returns JSON without the white space between its parts, and otherwise unchanged: parsing and writing it again would lose the
/// digits of long numbers. `None` if it is not JSON.
fn compact(text: &str) -> Option<String> {
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    let (mut in_string, mut is_escaped) = (false, false);
    let kept = |letter: &char| {
        let is_kept = in_string || !letter.is_ascii_whitespace();
        in_string ^= *letter == '"' && !is_escaped;
        is_escaped = in_string && *letter == '\\' && !is_escaped;
        is_kept
    };
    Some(text.chars().filter(kept).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn compacted_json_keeps_its_digits_and_order() {
        let text = "{ \"b\" :\n 12345678901234567890.10,\t\"a\": \" \\\" x \\\\\" , \"c\": [ 1, 2 ] }";

        let compacted = compact(text);

        assert_eq!(compacted.as_deref(), Some(r#"{"b":12345678901234567890.10,"a":" \" x \\","c":[1,2]}"#));
    }

    proptest! {
        #[test]
        fn compacted_json_says_the_same(names: Vec<String>, numbers: Vec<i64>) {
            let value = json!({"names": names, "numbers": numbers});

            let compacted = compact(&serde_json::to_string_pretty(&value).unwrap());

            prop_assert_eq!(compacted, Some(value.to_string()));
        }
    }

    #[test]
    fn a_page_is_recognized_by_its_beginning() {
        for page in ["<!DOCTYPE html><html>", "\u{feff}\n <HTML lang=\"en\">", "<head>", "<body class=x>"] {
            assert!(looks_like_page(page), "{page}");
        }
        for answer in ["", "<order id=\"7\"/>", "<?xml version=\"1.0\"?><order/>", "HTML is <html>", "é"] {
            assert!(!looks_like_page(answer), "{answer}");
        }
    }

    #[test]
    fn text_that_is_no_json_is_unchanged() {
        assert_eq!(compact("It is ready. \"Green\" bike"), None);
    }

    #[test]
    fn a_character_cut_in_two_is_left_out() {
        let body = "caf\u{e9}".as_bytes();

        assert_eq!(text(body[..4].to_vec(), true).as_deref(), Some("caf"));
        assert_eq!(text(body[..4].to_vec(), false), None);
        assert_eq!(text(b"\xff\xfe".to_vec(), true), None);
        assert_eq!(text(b"a\0b".to_vec(), false), None);
    }
}
