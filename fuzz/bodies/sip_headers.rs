//! Takes any text for a call's SIP headers, a line each: what is read is a number or nothing, alone and beside the trunk's own.

use openai_calls::{CallParties, SipHeader, digits, trunk_key};

/// Runs one input.
pub(crate) fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut headers: Vec<_> = text.lines().map(header).collect();
    let parties = CallParties::read(&headers);
    for number in [&parties.caller, &parties.dialled].into_iter().flatten() {
        assert_eq!(digits(number).as_ref(), Some(number), "a number is one");
    }
    assert!(!trunk_key::is_right(&parties, ["the key of the trunk", ""]), "no one knows the key");
    headers.push(header("X-Ahoy-Dialled: +35621000000"));
    headers.push(header("X-Ahoy-Key: the key of the trunk"));
    let parties = CallParties::read(&headers);
    assert_eq!(parties.dialled.as_deref(), Some("35621000000"), "the edge adds its own last");
    assert!(trunk_key::is_right(&parties, ["the key of the trunk"]));
    headers.push(header("Privacy: id"));
    assert_eq!(CallParties::read(&headers).caller, None, "whatever else names the caller");
}

/// Returns a header; a tab stands for a line that is folded.
fn header(line: &str) -> SipHeader {
    let (name, value) = line.split_once(':').unwrap_or((line, ""));
    SipHeader { name: name.to_owned(), value: value.replace('\t', "\r\n ") }
}
