//! The code that docs/business.md gives to receivers of deliveries verifies the signature of Standard Webhooks.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

/// Returns the code of a language on the page.
fn code(language: &str) -> &'static str {
    let page = include_str!("../../../docs/business.md");
    let (_, rest) = page.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0
}

/// Runs a program with the page's code and checks of it, after the vector of the reference libraries.
fn run(program: &str, option: &str, language: &str, checks: &str) {
    let output = Command::new(program).args([option, &format!("{}\n{checks}", code(language))]).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_python_on_the_page_verifies_a_delivery() {
    let checks = r#"
headers = {"webhook-id": "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", "webhook-timestamp": "1649367553",
    "webhook-signature": "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="}
key, body = base64.b64decode("C2FVsBQIhrscChlQIMV+b5sSYspob7oD"), b'{"email":"test@example.com","username":"test_user"}'
time.time = lambda: 1649367563
assert is_delivery(key, headers, body)
assert not is_delivery(key, headers, body + b" ")
assert not is_delivery(b"another key", headers, body)
assert not is_delivery(key, headers | {"webhook-id": "msg_2"}, body)
time.time = lambda: 1649367553 + 300
assert not is_delivery(key, headers, body)
"#;
    run("python3", "-c", "python", checks);
}

#[test]
fn the_javascript_on_the_page_verifies_a_delivery() {
    // Python is needed for the tests anyway, Node only here.
    if Command::new("node").arg("--version").output().is_err() {
        return;
    }
    let checks = r#"
const assert = require("node:assert");
const headers = { "webhook-id": "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", "webhook-timestamp": "1649367553",
  "webhook-signature": "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=" };
const key = Buffer.from("C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "base64");
const body = Buffer.from('{"email":"test@example.com","username":"test_user"}');
Date.now = () => 1649367563000;
assert(isDelivery(key, headers, body));
assert(!isDelivery(key, headers, Buffer.concat([body, Buffer.from(" ")])));
assert(!isDelivery(Buffer.from("another key"), headers, body));
assert(!isDelivery(key, { ...headers, "webhook-signature": "v1," }, body));
Date.now = () => (1649367553 + 300) * 1000;
assert(!isDelivery(key, headers, body));
"#;
    run("node", "-e", "js", checks);
}
