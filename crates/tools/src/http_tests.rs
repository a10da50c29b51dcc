//! Tests HTTP tools against a real server on this machine.

mod address_checks;
mod callers;
mod redirects;
mod shop;

use crate::{AT_ONCE, ToolError, ToolOutcomeKind};
use address_checks::is_quiet;
use agents::{HttpTool, Method};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use shop::{KEY, Shop, ask_in, context};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use tokio::net::TcpListener;

#[tokio::test]
async fn a_request_brings_its_reply() {
    let mut shop = Shop::open().await;

    let outcome = shop.ask(shop.tool(Method::Post, "/orders"), &json!({"order": "A-17"})).await;

    assert_eq!(outcome.kind, ToolOutcomeKind::Done);
    assert_eq!(outcome.for_the_model, r#"{"state":"ready","price":12.50}"#);
    let asked = shop.asked();
    assert_eq!((asked.method.as_str(), asked.uri.path()), ("POST", "/orders"));
    let body = json!({"arguments": {"order": "A-17"}, "call": "c0ffee", "use": "call_1", "number": "15550100",
        "agent": "Mirsk"});
    assert_eq!(serde_json::from_slice::<Value>(&asked.body).unwrap(), body);
    assert_eq!(asked.headers["content-type"], "application/json");
    assert_eq!(asked.headers["x-ahoy-call"], "c0ffee");
    assert_eq!(asked.headers["x-ahoy-use"], "call_1");
    assert_eq!(asked.headers["x-shop"], "2");
}

#[tokio::test]
async fn every_method_is_sent() {
    let mut shop = Shop::open().await;
    for (method, name) in [
        (Method::Get, "GET"),
        (Method::Post, "POST"),
        (Method::Put, "PUT"),
        (Method::Patch, "PATCH"),
        (Method::Delete, "DELETE"),
    ] {
        let outcome = shop.ask(shop.tool(method, "/orders"), &json!({"order": "A-17"})).await;

        assert_eq!((outcome.kind, shop.asked().method.as_str()), (ToolOutcomeKind::Done, name));
    }
}

#[tokio::test]
async fn a_get_has_its_arguments_in_path_and_query() {
    let mut shop = Shop::open().await;

    let arguments = json!({"order": "A 17?x=1", "note": "a&b=c"});
    let outcome = shop.ask(shop.tool(Method::Get, "/orders/{order}/state"), &arguments).await;

    assert_eq!(outcome.kind, ToolOutcomeKind::Done);
    let asked = shop.asked();
    assert_eq!(asked.uri.to_string(), "/orders/A%2017%3Fx%3D1/state?note=a%26b%3Dc");
    assert_eq!(asked.body, "");
    assert_eq!(asked.headers["x-ahoy-use"], "call_1");
    assert!(!asked.headers.contains_key("content-type"));
}

#[tokio::test]
async fn the_signatures_cover_the_received_bytes() {
    let mut shop = Shop::open().await;
    let before = now_s();

    for (method, path) in [(Method::Post, "/orders/{order}?v=1"), (Method::Get, "/orders/{order}")] {
        let tool = HttpTool { sign_with: Some("shop".into()), ..shop.tool(method, path) };
        shop.ask(tool, &json!({"order": "né 7", "note": "x y"})).await;

        let asked = shop.asked();
        let time = asked.headers["x-ahoy-time"].to_str().unwrap();
        let (method, target) = (&asked.method, asked.uri.to_string());
        let host = asked.headers["host"].to_str().unwrap();
        assert_eq!(host, shop.address.to_string());
        for (name, head) in [
            ("x-ahoy-signature", format!("{time}\n{method}\n{target}\n")),
            ("x-ahoy-signature-v2", format!("{time}\n{method}\n{host}\n{target}\n")),
        ] {
            let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
            mac.update(head.as_bytes());
            mac.update(&asked.body);
            let expected = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
            assert_eq!(asked.headers[name].to_str().unwrap(), expected, "{name}");
        }
        assert!((before..=now_s()).contains(&time.parse().unwrap()));
    }
}

#[tokio::test]
async fn a_tool_without_a_key_is_not_signed() {
    let mut shop = Shop::open().await;

    shop.ask(shop.tool(Method::Post, "/orders"), &json!({"order": "7"})).await;

    let asked = shop.asked();
    assert!(!asked.headers.keys().any(|name| name.as_str().starts_with("x-ahoy-signature")));
}

#[tokio::test]
async fn a_slow_reply_times_out() {
    let shop = Shop::open().await;
    let timeout = Duration::from_millis(300);
    for path in ["/slow", "/slow-body"] {
        let started = Instant::now();

        let outcome =
            shop.ask(HttpTool { timeout, ..shop.tool(Method::Post, path) }, &json!({"order": "7"})).await;

        assert_eq!(
            (outcome.kind, outcome.trouble),
            (ToolOutcomeKind::TimedOut, Some(ToolError::Timeout(timeout)))
        );
        assert!((timeout..timeout * 20).contains(&started.elapsed()), "{:?}", started.elapsed());
        assert!(outcome.for_the_model.contains("within 0.3 seconds"), "{}", outcome.for_the_model);
        assert!(outcome.for_the_model.contains("not known whether it was done"), "{}", outcome.for_the_model);
    }
}

#[tokio::test]
async fn a_long_reply_is_truncated_and_says_so() {
    let shop = Shop::open().await;

    let outcome = shop
        .ask(HttpTool { largest_reply: 1000, ..shop.tool(Method::Get, "/long") }, &json!({"order": "7"}))
        .await;

    assert_eq!(outcome.kind, ToolOutcomeKind::Done);
    let (kept, note) = outcome.for_the_model.split_once('\n').unwrap();
    assert_eq!(kept, "é".repeat(500));
    assert!(note.contains("cut off"), "{note}");
}

#[tokio::test]
async fn an_endless_reply_is_truncated() {
    let shop = Shop::open().await;

    let outcome = shop.ask(shop.tool(Method::Get, "/endless"), &json!({"order": "7"})).await;

    assert_eq!(outcome.kind, ToolOutcomeKind::Done);
    assert!(outcome.for_the_model.len() < 17 * 1024, "{}", outcome.for_the_model.len());
}

#[tokio::test]
async fn an_error_reaches_the_model_with_its_reason() {
    let shop = Shop::open().await;

    let outcome = shop.ask(shop.tool(Method::Post, "/missing"), &json!({"order": "7"})).await;

    assert_eq!((outcome.kind, outcome.trouble), (ToolOutcomeKind::Failed, Some(ToolError::Status(404))));
    assert!(outcome.for_the_model.contains("answered 404 (\"No such order."), "{}", outcome.for_the_model);
    assert!(outcome.for_the_model.contains("take a message"), "{}", outcome.for_the_model);
    assert!(outcome.for_the_model.len() < 500, "{}", outcome.for_the_model);
    assert!(!format!("{outcome:?}").contains("No such order"));
}

#[tokio::test]
async fn an_html_error_page_does_not_reach_the_model() {
    let shop = Shop::open().await;

    let outcome = shop.ask(shop.tool(Method::Post, "/broken"), &json!({"order": "7"})).await;

    assert_eq!(outcome.trouble, Some(ToolError::Status(500)));
    assert!(outcome.for_the_model.contains("answered 500."), "{}", outcome.for_the_model);
    assert!(outcome.for_the_model.contains("not known whether it was done"), "{}", outcome.for_the_model);
    assert!(!outcome.for_the_model.contains("Traceback"), "{}", outcome.for_the_model);
}

#[tokio::test]
async fn text_and_empty_replies_are_accepted_and_binary_ones_are_not() {
    let shop = Shop::open().await;

    let plain = shop.ask(shop.tool(Method::Get, "/plain"), &json!({"order": "7"})).await;
    let nothing = shop.ask(shop.tool(Method::Delete, "/nothing"), &json!({"order": "7"})).await;
    let picture = shop.ask(shop.tool(Method::Get, "/picture"), &json!({"order": "7"})).await;
    let noise = shop.ask(shop.tool(Method::Get, "/noise"), &json!({"order": "7"})).await;

    assert_eq!(
        (plain.kind, plain.for_the_model.as_str()),
        (ToolOutcomeKind::Done, "It is ready.\n\"Green\" door.")
    );
    assert_eq!(
        (nothing.kind, nothing.for_the_model.as_str()),
        (ToolOutcomeKind::Done, "Done. The reply was empty.")
    );
    assert_eq!((picture.kind, picture.trouble), (ToolOutcomeKind::Failed, Some(ToolError::NotText)));
    assert_eq!((noise.kind, noise.trouble), (ToolOutcomeKind::Failed, Some(ToolError::NotText)));
}

#[tokio::test]
async fn a_refused_connection_is_a_failure() {
    let shop = Shop::open().await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let tool = HttpTool { url: format!("http://{closed}/").parse().unwrap(), ..shop.tool(Method::Post, "/") };

    let outcome = shop.ask(tool, &json!({"order": "7"})).await;

    assert_eq!((outcome.kind, outcome.trouble), (ToolOutcomeKind::Failed, Some(ToolError::Connection)));
    assert!(!outcome.for_the_model.contains("not known whether"), "{}", outcome.for_the_model);
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_request_is_not_retried() {
    for method in [Method::Get, Method::Post] {
        let shop = Shop::open().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let tool = HttpTool { url: url.parse().unwrap(), ..shop.tool(method, "/") };
        let server = tokio::spawn(async move {
            let (socket, _) = listener.accept().await.unwrap();
            socket.readable().await.unwrap();
            drop(socket);
            listener
        });

        let outcome = shop.ask(tool, &json!({"order": "7"})).await;

        assert_eq!((outcome.kind, outcome.trouble), (ToolOutcomeKind::Failed, Some(ToolError::Broken)));
        assert_eq!(outcome.for_the_model.contains("not known whether"), method == Method::Post);
        assert!(is_quiet(server.await.unwrap()));
    }
}

#[tokio::test]
async fn wrong_arguments_are_never_sent() {
    let mut shop = Shop::open().await;
    let toolbox = shop.toolbox(shop.tool(Method::Get, "/orders/{order}"));

    for arguments in [
        "{}",
        r#"{"order": 7}"#,
        r#"{"order": "../admin"}"#,
        r#"{"order": "a/b"}"#,
        r#"{"order": ".."}"#,
        "[",
        "7",
    ] {
        let refused = toolbox.read("lookup", arguments).unwrap_err();

        assert_eq!(refused.trouble, ToolError::Arguments, "{arguments}");
    }
    assert!(shop.is_unasked());
}

#[tokio::test]
async fn a_call_runs_eight_tools_at_once() {
    let mut shop = Shop::open().await;
    let toolbox = Arc::new(
        shop.toolbox(HttpTool { timeout: Duration::from_secs(5), ..shop.tool(Method::Get, "/slow") }),
    );
    let call = Arc::new(context());
    let running: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (toolbox, call) = (toolbox.clone(), call.clone());
            tokio::spawn(async move { ask_in(&toolbox, &json!({"order": "7"}), &call).await })
        })
        .collect();
    for _ in 0..AT_ONCE {
        shop.asked.recv().await.expect("the shop is open");
    }

    let ninth = ask_in(&toolbox, &json!({"order": "7"}), &call).await;

    assert_eq!((ninth.kind, ninth.trouble), (ToolOutcomeKind::Refused, Some(ToolError::TooMany)));
    running.iter().for_each(tokio::task::JoinHandle::abort);
    for task in running {
        assert!(task.await.unwrap_err().is_cancelled());
    }
    let tenth = ask_in(&shop.toolbox(shop.tool(Method::Get, "/orders")), &json!({"order": "7"}), &call).await;
    assert_eq!(tenth.kind, ToolOutcomeKind::Done);
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}
