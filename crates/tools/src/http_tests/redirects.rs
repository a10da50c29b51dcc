//! Tests redirects to an answer: followed once by a bare GET, or the result stays unknown.

use super::shop::Shop;
use crate::{ToolError, ToolOutcomeKind};
use agents::{HttpTool, Method};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_redirect_is_followed_by_a_bare_get() {
    let mut shop = Shop::open().await;
    for method in [Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete] {
        for status in [302, 303] {
            let path = format!("/see/{status}?to=/orders%3Fk=1");
            let tool = HttpTool { sign_with: Some("shop".into()), ..shop.tool(method, &path) };

            let outcome = shop.ask(tool, &json!({"order": "7"})).await;

            assert_eq!((outcome.kind, outcome.trouble), (ToolOutcomeKind::Done, None), "{status}");
            assert_eq!(outcome.for_the_model, r#"{"state":"ready","price":12.50}"#);
            let fetched = shop.asked();
            assert_eq!((fetched.method.as_str(), fetched.uri.to_string()), ("GET", "/orders?k=1".to_owned()));
            assert_eq!(fetched.body, "");
            let ours = |name: &str| name.starts_with("x-") || name.starts_with("content-");
            assert!(!fetched.headers.keys().any(|name| ours(name.as_str())), "{:?}", fetched.headers);
            assert!(shop.is_unasked());
        }
    }
}

#[tokio::test]
async fn a_redirect_that_cannot_be_followed_leaves_the_result_unknown() {
    let mut shop = Shop::open().await;
    let here = shop.address;
    let with_a_name = format!("http://me:secret@{here}/orders");
    for to in [
        "https://evil.example/",
        "//evil.example/orders",
        "http://shop.example/orders",
        "https://169.254.169.254/",
        "ftp://127.0.0.1/orders",
        with_a_name.as_str(),
        "http://127.0.0.1:1/",
        "/see/303?to=/orders",
        "/missing",
        "/broken",
        "/login",
        "/login-as-text",
        "/picture",
        "",
    ] {
        let to = utf8_percent_encode(to, NON_ALPHANUMERIC);
        let tool = shop.tool(Method::Post, &format!("/see/302?to={to}"));

        let outcome = shop.ask(tool, &json!({"order": "7"})).await;

        assert_eq!(
            (outcome.kind, outcome.trouble),
            (ToolOutcomeKind::Failed, Some(ToolError::RedirectFailed)),
            "{to}"
        );
        assert!(outcome.for_the_model.contains("not known whether it was done"), "{}", outcome.for_the_model);
        assert!(!outcome.for_the_model.contains("did not work"), "{}", outcome.for_the_model);
        assert!(shop.is_unasked(), "{to}");
    }
}

#[tokio::test]
async fn a_late_reply_after_a_redirect_leaves_the_result_unknown() {
    let shop = Shop::open().await;
    for (method, to) in [(Method::Get, "/slow"), (Method::Get, "/slow-body"), (Method::Post, "/slow")] {
        let tool = shop.tool(method, &format!("/see/303?to={to}"));
        let tool = HttpTool { timeout: Duration::from_millis(300), ..tool };

        let outcome = shop.ask(tool, &json!({"order": "7"})).await;

        assert_eq!(outcome.trouble, Some(ToolError::RedirectFailed), "{to}");
        assert!(outcome.for_the_model.contains("not known whether it was done"), "{}", outcome.for_the_model);
    }
}

#[tokio::test]
async fn other_redirects_are_not_followed() {
    let mut shop = Shop::open().await;
    for (status, is_result_unknown) in [(301, true), (304, true), (307, false), (308, false)] {
        let tool = shop.tool(Method::Post, &format!("/see/{status}?to=/orders"));

        let outcome = shop.ask(tool, &json!({"order": "7"})).await;

        assert_eq!(outcome.trouble, Some(ToolError::Status(status)));
        let says = |words: &str| outcome.for_the_model.contains(words);
        assert_eq!(
            (says("not known whether"), says("did not work")),
            (is_result_unknown, !is_result_unknown),
            "{status}"
        );
        assert!(shop.is_unasked(), "{status}");
    }
}
