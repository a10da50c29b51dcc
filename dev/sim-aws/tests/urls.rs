//! Function URLs: what a function sees of a request, and what a client sees of its reply.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use sim_aws::Cloud;
use support::{cloud_of, function};

#[tokio::test]
async fn a_json_body_reaches_the_function_byte_for_byte() {
    let cloud = cloud_of(function("puppet")).await;
    let body = r#"{"name": "Jos\u00e9"}"#;

    let event = event(post(&cloud, "webhook?hub.mode=subscribe", "application/json", body).await).await;

    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!(body), &json!(false)));
    assert_eq!(event["rawPath"], "/webhook");
    assert_eq!(event["queryStringParameters"], json!({"hub.mode": "subscribe"}));
    assert_eq!(event["requestContext"]["http"]["method"], "POST");
    assert_eq!(event["headers"]["x-hub-signature-256"], "sha256=00");
}

#[tokio::test]
async fn other_bodies_reach_the_function_in_base64() {
    let cloud = cloud_of(function("puppet")).await;

    let event = event(post(&cloud, "", "application/octet-stream", "abc").await).await;

    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("YWJj"), &json!(true)));
}

#[tokio::test]
async fn a_reply_in_base64_reaches_the_client_as_bytes() {
    let cloud = cloud_of(function("puppet")).await;

    let reply = post(&cloud, "binary", "text/plain", "").await;

    assert_eq!(reply.status(), StatusCode::CREATED);
    assert_eq!(reply.headers()["content-type"], "application/octet-stream");
    assert_eq!(reply.bytes().await.unwrap().as_ref(), [0xff, 0]);
}

#[tokio::test]
async fn an_error_inside_is_a_502_that_tells_nothing() {
    let cloud = cloud_of(function("puppet")).await;

    let reply = post(&cloud, "fail", "text/plain", "").await;

    assert_eq!(reply.status(), StatusCode::BAD_GATEWAY);
    assert_eq!(reply.text().await.unwrap(), "Internal Server Error");
}

#[tokio::test]
async fn a_body_beyond_six_megabytes_is_refused() {
    let cloud = cloud_of(function("puppet")).await;
    let body = "x".repeat(6 * 1024 * 1024);

    let reply = post(&cloud, "", "text/plain", &body).await;

    assert_eq!(reply.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_function_can_listen_at_one_more_address() {
    let cloud = cloud_of(function("puppet")).await;

    let address = cloud.listen_at("puppet", ([127, 0, 0, 1], 0).into()).await.unwrap();
    let busy = cloud.listen_at("puppet", address).await.unwrap_err();

    let reply = Client::new().get(format!("http://{address}/x")).send().await.unwrap();
    assert_eq!(event(reply).await["rawPath"], "/x");
    assert_eq!(busy.to_string(), format!("cannot listen at {address}: another process already does"));
}

async fn post(cloud: &Cloud, path: &str, content_type: &str, body: &str) -> Response {
    let url = format!("{}{path}", cloud.function_url("puppet"));
    let request = Client::new().post(url).header("content-type", content_type);
    request.header("X-Hub-Signature-256", "sha256=00").body(body.to_owned()).send().await.unwrap()
}

/// The function sends its event back as it is: bare JSON, hence a 200.
async fn event(reply: Response) -> Value {
    assert_eq!(reply.status(), StatusCode::OK);
    reply.json().await.unwrap()
}
