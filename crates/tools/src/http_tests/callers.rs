//! Who calls is named in signed bodies only, and only where the file says so.

use super::shop::{Shop, ask_in, context};
use crate::{CallContext, ToolOutcomeKind};
use agents::{HttpTool, Method};
use call::{CallerDetails, Line};
use serde_json::{Value, json};

fn called_by_amina() -> CallContext {
    let text = |text: &str| Some(text.to_owned());
    context().with_caller(
        Line::WhatsApp,
        CallerDetails {
            number: text("250788000111"),
            number_verified: true,
            user_id: text("RW.1"),
            name: text("Amina"),
            username: text("planted"),
            deeplink_payload: text("planted"),
            ..CallerDetails::default()
        },
    )
}

/// Returns the request line, headers and body of a tool's request.
async fn sent(method: Method, sign: bool, tells_caller: bool, context: &CallContext) -> (String, Value) {
    let mut shop = Shop::open().await;
    let sign_with = sign.then(|| "shop".to_owned());
    let tool = HttpTool { sign_with, tells_caller, ..shop.tool(method, "/orders") };
    let outcome = ask_in(&shop.toolbox(tool), &json!({"order": "7"}), context).await;
    assert_eq!(outcome.kind, ToolOutcomeKind::Done);
    let asked = shop.asked();
    let body = serde_json::from_slice(&asked.body).unwrap_or_default();
    (format!("{} {:?}", asked.uri, asked.headers), body)
}

#[tokio::test]
async fn a_tool_that_tells_the_caller_names_them_in_its_body() {
    for method in [Method::Post, Method::Put, Method::Patch] {
        let (head, body) = sent(method, true, true, &called_by_amina()).await;

        let caller =
            json!({"number": "250788000111", "number_verified": true, "user_id": "RW.1", "name": "Amina"});
        assert_eq!((&body["line"], &body["caller"]), (&json!("whatsapp"), &caller));
        assert!(!head.contains("250788") && !head.contains("Amina"), "{head}");
        assert!(!body.to_string().contains("planted"), "{body}");
    }
}

#[tokio::test]
async fn who_calls_is_null_where_it_is_not_known() {
    let hidden = context().with_caller(Line::Sip, CallerDetails::default());

    let (_, body) = sent(Method::Post, true, true, &hidden).await;

    let caller = json!({"number": null, "number_verified": false, "user_id": null, "name": null});
    assert_eq!((&body["line"], &body["caller"]), (&json!("sip"), &caller));
}

#[tokio::test]
async fn no_other_request_names_the_caller() {
    for (method, sign, tells_caller) in [
        (Method::Post, true, false),
        (Method::Post, false, true),
        (Method::Get, true, true),
        (Method::Delete, true, true),
    ] {
        let (head, body) = sent(method, sign, tells_caller, &called_by_amina()).await;

        let whole = format!("{head} {body}");
        assert!(
            !whole.contains("250788") && !whole.contains("Amina") && body.get("line").is_none(),
            "{whole}"
        );
    }
}

#[tokio::test]
async fn only_a_try_says_that_it_is_one() {
    let (of_try, _) = sent(Method::Post, true, false, &context().of_try()).await;
    let (of_call, _) = sent(Method::Post, true, false, &context()).await;

    assert!(of_try.contains(r#""x-ahoy-try": "1""#), "{of_try}");
    assert!(!of_call.contains("x-ahoy-try"), "{of_call}");
}

#[test]
fn debug_output_of_a_context_shows_no_caller() {
    let shown = format!("{:?}", called_by_amina());
    assert!(!shown.contains("250788") && !shown.contains("Amina") && !shown.contains("planted"), "{shown}");
}
