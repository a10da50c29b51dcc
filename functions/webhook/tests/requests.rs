//! Only Meta's signed requests are accepted; nothing is stored for any other.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod stage;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use lambda_http::Body;
use serde_json::{Value, json};
use stage::{APP_SECRET, NUMBER, Stage, batch, change, connect, event, signature};

#[tokio::test]
async fn echoes_metas_challenge_for_the_right_verify_token() {
    let stage = Stage::new().await;
    let ask = |token: &str| {
        let mut event = event("GET", "/webhook", "", "", "");
        event["rawQueryString"] =
            json!(format!("hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={token}"));
        event["queryStringParameters"] =
            json!({"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": token});
        event
    };

    let (known, guessed) = (stage.send(ask("token")).await, stage.send(ask("guess")).await);

    assert_eq!((known.status().as_u16(), known.body()), (200, &Body::from("1158201444")));
    assert_eq!(guessed.status().as_u16(), 403);
    assert_eq!(stage.send(event("GET", "/", "", "", "")).await.status().as_u16(), 403);
}

#[tokio::test]
async fn refuses_requests_that_are_not_metas_and_stores_nothing() {
    let stage = Stage::new().await;
    let body = body().to_string();
    let signed = |body: &str| signature(APP_SECRET, body.as_bytes());
    let (json, large) = ("application/json", " ".repeat(3 * 1024 * 1024 + 1));
    let cases = [
        (404, event("POST", "/admin", json, &signed(&body), &body)),
        (404, event("GET", "/webhook/x", "", "", "")),
        (405, event("PUT", "/webhook", json, &signed(&body), &body)),
        (415, event("POST", "/webhook", "text/plain", &signed(&body), &body)),
        (415, event("POST", "/webhook", "", &signed(&body), &body)),
        (413, event("POST", "/webhook", json, &signed(&large), &large)),
        (401, event("POST", "/webhook", json, &signature("guess", body.as_bytes()), &body)),
        (401, event("POST", "/webhook", json, &signature("", body.as_bytes()), &body)),
        (401, event("POST", "/webhook", json, "", &body)),
        (401, event("POST", "/webhook", json, &signed(&body), &body.replace("connect", "CONNECT"))),
        (401, event("POST", "/webhook", json, "sha256=00", "{")),
        (400, event("POST", "/webhook", json, &signed("{"), "{")),
    ];

    for (status, event) in cases {
        let reply = stage.send(event).await;

        assert_eq!(reply.status().as_u16(), status);
        assert_eq!(reply.headers()["content-type"], "text/plain");
    }
    assert_eq!(stage.cloud.requests(), ["GetSecretValue"], "once, since the secret could have been changed");
}

#[tokio::test]
async fn accepts_both_app_secrets_at_both_paths_and_in_base64() {
    let stage = Stage::new().await;
    for (secret, path, kind) in
        [(APP_SECRET, "/", "application/json"), ("older", "/webhook", "Application/JSON; charset=utf-8")]
    {
        for in_base64 in [false, true] {
            // An escape, and a slash that parsing and writing again would not give back.
            let text = body().to_string().replace("campaign", "\\u00e9\\/");
            let mut event = event("POST", path, kind, &signature(secret, text.as_bytes()), &text);
            if in_base64 {
                event["body"] = json!(BASE64_STANDARD.encode(&text));
                event["isBase64Encoded"] = json!(true);
            }

            assert_eq!(stage.send(event).await.status().as_u16(), 200, "{secret} {path} {in_base64}");
        }
    }
}

fn body() -> Value {
    let mut call = connect("wacid.A");
    call["deeplink_payload"] = json!("campaign");
    batch(json!([change(NUMBER, json!([call]))]))
}

/// Sends `fixtures/field-cases/aws/function-url-non-utf8-header.json` as it is, and with the header's byte in Latin-1.
#[tokio::test]
async fn a_non_utf_8_user_agent_does_not_cost_a_webhook() {
    let stage = Stage::new().await;
    let case = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/field-cases/aws/function-url-non-utf8-header.json");
    let mut case: Value = serde_json::from_slice(&std::fs::read(case).unwrap()).unwrap();
    let body = body().to_string();
    case["body"] = json!(body);
    case["headers"]["x-hub-signature-256"] = json!(signature(APP_SECRET, body.as_bytes()));
    let utf_8 = case.to_string().into_bytes();
    let latin_1: Vec<u8> = case.to_string().chars().map(|letter| u8::try_from(letter).unwrap()).collect();
    assert!(std::str::from_utf8(&latin_1).is_err());

    for event in [utf_8, latin_1] {
        assert_eq!(stage.send_text(&event).await.status().as_u16(), 200);
    }
}
