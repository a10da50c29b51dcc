//! `ahoy agents try`, run as the real program against a shop on this machine.

use crate::terminal::{Terminal, agent, file};
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// A shop that says yes to everything but order 404.
async fn shop() -> (String, UnboundedReceiver<(HeaderMap, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/orders", listener.local_addr().unwrap());
    let (record, asked) = unbounded_channel();
    let answer = move |headers: HeaderMap, body: Bytes| async move {
        let body: Value = serde_json::from_slice(&body).unwrap();
        let status = if body["arguments"]["order"] == "404" { StatusCode::NOT_FOUND } else { StatusCode::OK };
        record.send((headers, body)).unwrap();
        (status, r#"{"state": "ready"}"#)
    };
    let routes = Router::new().fallback(answer);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (url, asked)
}

fn file_with_tool(name: &str, url: &str) -> String {
    let tool = format!(
        "[tools]\nallowed_hosts = ['127.0.0.1']\n[[tools.http]]\nname = 'lookup'\ndescription = 'd'\nurl = '{url}'\n\
         sign_with = 'shop'\ntells_caller = true\n[tools.http.parameters]\ntype = 'object'\nrequired = ['order']\n\
         properties = {{ order = {{ type = 'string' }} }}\n"
    );
    file(name, &agent("shop", &tool))
}

fn terminal_with_key() -> Terminal {
    Terminal::without_aws().with("AHOY_TOOL_SECRET_SHOP", "a secret of the shop")
}

#[tokio::test]
async fn a_try_is_sent_as_in_a_call_and_says_so() {
    let (url, mut asked) = shop().await;
    let shop = file_with_tool("try.toml", &url);

    let words =
        ["agents", "try", &shop, "lookup", r#"{"order": "7"}"#, "--yes", "--caller", "+250 788 000111"];
    let output = terminal_with_key().ahoy(&words).await;

    assert_eq!((output.code, output.out.as_str()), (Some(0), "{\"state\":\"ready\"}\n"), "{output:?}");
    assert!(output.err.starts_with("lookup: done after "), "{output:?}");
    let (headers, body) = asked.try_recv().unwrap();
    assert_eq!((&headers["x-ahoy-try"], &body["agent"]), (&"1".parse().unwrap(), &json!("shop")));
    assert!(headers["x-ahoy-signature-v2"].to_str().unwrap().starts_with("sha256="));
    assert_eq!(
        (&body["arguments"], &body["caller"]["number"]),
        (&json!({"order": "7"}), &json!("250788000111"))
    );
}

#[tokio::test]
async fn a_failed_try_prints_what_the_model_would_get() {
    let (url, _asked) = shop().await;
    let shop = file_with_tool("try-failed.toml", &url);

    let words = ["agents", "try", &shop, "lookup", r#"{"order": "404"}"#, "--yes", "--json"];
    let output = terminal_with_key().ahoy(&words).await;

    let tried: Value = serde_json::from_str(&output.out).unwrap();
    assert_eq!(
        (output.code, &tried["tool"], &tried["outcome"]),
        (Some(1), &json!("lookup"), &json!("failed"))
    );
    assert!(tried["for_the_model"].as_str().unwrap().contains("404"), "{tried}");
}

#[tokio::test]
async fn nothing_is_sent_without_a_yes_a_key_or_valid_arguments() {
    let (url, mut asked) = shop().await;
    let shop = file_with_tool("try-refused.toml", &url);
    let order = r#"{"order": "7"}"#;

    for (terminal, words, code, told) in [
        (terminal_with_key(), vec!["lookup", order], 1, "there is no terminal to ask on: use --yes"),
        (Terminal::without_aws(), vec!["lookup", order, "--yes"], 1, "set AHOY_TOOL_SECRET_SHOP"),
        (terminal_with_key(), vec!["lookup", r#"{"order": 7}"#, "--yes"], 1, "lookup: refused"),
        (terminal_with_key(), vec!["order", order, "--yes"], 64, "the file's HTTP tools are lookup"),
        (
            terminal_with_key(),
            vec!["lookup", order, "--yes", "--caller", "planted"],
            64,
            "this is no telephone number",
        ),
    ] {
        let output = terminal.ahoy(&[&["agents", "try", &shop], words.as_slice()].concat()).await;

        assert_eq!(output.code, Some(code), "{output:?}");
        assert!(output.err.contains(told), "{output:?}");
        assert!(asked.try_recv().is_err(), "{words:?}");
    }
}

#[tokio::test]
async fn the_key_comes_from_the_deployment_if_the_environment_has_none() {
    let (url, mut asked) = shop().await;
    let shop = file_with_tool("try-deployed.toml", &url);
    let aws = secrets(
        r#"{"door_key": "d", "openai_api_key": "k", "tool_secrets": {"shop": "a secret of the shop"}}"#,
    )
    .await;
    let terminal = Terminal::without_aws().with("AWS_ENDPOINT_URL", &aws);

    let output = terminal.ahoy(&["agents", "try", &shop, "lookup", r#"{"order": "7"}"#, "--yes"]).await;

    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(asked.try_recv().unwrap().0.contains_key("x-ahoy-signature-v2"));
}

/// A Secrets Manager that holds one secret.
async fn secrets(text: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let routes = Router::new().fallback(move || async move {
        let secret = json!({"ARN": "a", "Name": "ahoy/media", "VersionId": "v", "SecretString": text, "CreatedDate": 1});
        ([("content-type", "application/x-amz-json-1.1")], secret.to_string())
    });
    tokio::spawn(async move { axum::serve(listener, routes).await });
    url
}
