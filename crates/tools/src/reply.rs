//! Reads what an operator's system answers, as far as a model can be told of it.

use crate::outcome::ToolError;
use reqwest::{Response, header::CONTENT_TYPE};
use serde::de::IgnoredAny;

/// How much of an answer that says no is told: it may explain, but is often a page for developers.
const LONGEST_REASON: usize = 200;

/// What the model is told after a reply that was cut.
const CUT: &str = "\n(The reply was longer; the rest was cut off here.)";

/// An answer.
pub(crate) enum Reply {
    /// It says yes: its body, for the model.
    Yes(String),
    /// It says no: with which status, and the beginning of its reason.
    No(u16, String),
}

/// Reads an answer, up to `largest` bytes of its body.
pub(crate) async fn read(mut response: Response, largest: usize) -> Result<Reply, ToolError> {
    let status = response.status();
    let content = content(&response);
    if !status.is_success() {
        let (body, _) = match content {
            Content::Text => body(&mut response, LONGEST_REASON * 4).await.unwrap_or_default(),
            Content::Page | Content::Binary => Default::default(),
        };
        let reason = String::from_utf8_lossy(&body).trim().chars().take(LONGEST_REASON).collect();
        return Ok(Reply::No(status.as_u16(), reason));
    }
    if content == Content::Binary {
        return Err(ToolError::NotText);
    }
    let (body, is_cut) = body(&mut response, largest).await?;
    let text = text(body, is_cut).ok_or(ToolError::NotText)?;
    Ok(Reply::Yes(match (is_cut, text.trim()) {
        (true, text) => format!("{text}{CUT}"),
        (false, "") => "Done. The reply was empty.".to_owned(),
        (false, text) => compact(text).unwrap_or_else(|| text.to_owned()),
    }))
}

/// What a body is, by its header.
#[derive(PartialEq, Eq)]
enum Content {
    Text,
    /// A page for people to look at: no explanation for a model.
    Page,
    Binary,
}

/// Whether an answer is a page for people to look at.
pub(crate) fn is_page(response: &Response) -> bool {
    content(response) == Content::Page
}

/// Whether text is such a page all the same, whatever its header says.
pub(crate) fn reads_as_page(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let begins = |word: &str| text.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word));
    ["<!doctype html", "<html", "<head", "<body"].into_iter().any(begins)
}

fn content(response: &Response) -> Content {
    let header = response.headers().get(CONTENT_TYPE).and_then(|header| header.to_str().ok());
    let Some(header) = header else { return Content::Text };
    let kind = header.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        "text/html" | "application/xhtml+xml" => Content::Page,
        "application/json" | "application/xml" | "application/yaml" => Content::Text,
        kind if kind.starts_with("text/") || kind.ends_with("+json") || kind.ends_with("+xml") => {
            Content::Text
        }
        _ => Content::Binary,
    }
}

/// The body up to `largest` bytes, and whether there was more.
async fn body(response: &mut Response, largest: usize) -> Result<(Vec<u8>, bool), ToolError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| ToolError::Broken)? {
        let room = largest - body.len();
        if chunk.len() > room {
            body.extend_from_slice(&chunk[..room]);
            return Ok((body, true));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((body, false))
}

/// The body as text, if it is. A letter that was cut in two is left out.
fn text(mut body: Vec<u8>, is_cut: bool) -> Option<String> {
    if let Err(error) = std::str::from_utf8(&body)
        && is_cut
        && error.error_len().is_none()
    {
        body.truncate(error.valid_up_to());
    }
    String::from_utf8(body).ok().filter(|text| !text.contains('\0'))
}

/// JSON without the white space between its parts, and otherwise untouched: parsing and writing it again would lose
/// the digits of long numbers. `None` if it is not JSON.
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
    fn json_is_compacted_and_keeps_its_digits_and_order() {
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
    fn a_page_is_known_by_how_it_begins() {
        for page in ["<!DOCTYPE html><html>", "\u{feff}\n <HTML lang=\"en\">", "<head>", "<body class=x>"] {
            assert!(reads_as_page(page), "{page}");
        }
        for answer in ["", "<order id=\"7\"/>", "<?xml version=\"1.0\"?><order/>", "HTML is <html>", "é"] {
            assert!(!reads_as_page(answer), "{answer}");
        }
    }

    #[test]
    fn other_text_is_left_alone() {
        assert_eq!(compact("It is ready. \"Green\" bike"), None);
    }

    #[test]
    fn a_letter_cut_in_two_is_left_out() {
        let body = "caf\u{e9}".as_bytes();

        assert_eq!(text(body[..4].to_vec(), true).as_deref(), Some("caf"));
        assert_eq!(text(body[..4].to_vec(), false), None);
        assert_eq!(text(b"\xff\xfe".to_vec(), true), None);
        assert_eq!(text(b"a\0b".to_vec(), false), None);
    }
}
