//! Reads a function's reply as the HTTP response a Function URL makes of it, payload format 2.0.
//!
//! Spec: "Creating and managing Lambda function URLs", "Response payload format".

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reply {
    status_code: u16,
    #[serde(default)]
    headers: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    cookies: Option<Vec<String>>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// The response. JSON without a `statusCode` is a 200 with that JSON as its body.
///
/// # Errors
/// When the reply cannot be made a response; its caller then sees a 502.
pub(super) fn response(reply: &[u8]) -> Result<Response, String> {
    let value: Value =
        serde_json::from_slice(reply).map_err(|error| format!("the reply is no JSON: {error}"))?;
    if value.get("statusCode").is_none() {
        return Ok(([(CONTENT_TYPE, "application/json")], reply.to_vec()).into_response());
    }
    let reply = serde_json::from_value(value).map_err(|error| format!("the reply is misshapen: {error}"))?;
    build(reply)
}

fn build(reply: Reply) -> Result<Response, String> {
    let status = StatusCode::from_u16(reply.status_code);
    let status = status.map_err(|_| format!("{} is no status code", reply.status_code))?;
    let mut response = Response::builder().status(status);
    for (name, value) in reply.headers.unwrap_or_default() {
        response = response.header(name, plain(&value));
    }
    for cookie in reply.cookies.unwrap_or_default() {
        response = response.header(SET_COOKIE, cookie);
    }
    let body = body(reply.body.unwrap_or_default(), reply.is_base64_encoded)?;
    let mut response = response.body(Body::from(body)).map_err(|error| error.to_string())?;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().entry(CONTENT_TYPE).or_insert(json);
    Ok(response)
}

fn body(text: String, is_base64_encoded: bool) -> Result<Vec<u8>, String> {
    match is_base64_encoded {
        true => BASE64_STANDARD.decode(text).map_err(|error| format!("the body is no base64: {error}")),
        false => Ok(text.into_bytes()),
    }
}

/// A header's value may be a number or a boolean.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::to_bytes;

    #[tokio::test]
    async fn a_shaped_reply_decides_everything() {
        let reply = br#"{"statusCode":401,"headers":{"X-Tries":3},"cookies":["a=1","b=2"],"body":"no"}"#;

        let response = response(reply).unwrap();

        assert_eq!(response.status(), 401);
        assert_eq!(response.headers()["x-tries"], "3");
        assert_eq!(response.headers().get_all("set-cookie").iter().count(), 2);
        assert_eq!(bytes(response).await, b"no");
    }

    #[tokio::test]
    async fn a_body_in_base64_is_decoded() {
        let response = response(br#"{"statusCode":200,"body":"/wA=","isBase64Encoded":true}"#).unwrap();

        assert_eq!(bytes(response).await, [0xff, 0]);
    }

    #[tokio::test]
    async fn bare_json_is_a_200() {
        let response = response(br#"{"ok": true}"#).unwrap();

        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "application/json");
        assert_eq!(bytes(response).await, br#"{"ok": true}"#);
    }

    #[test]
    fn a_misshapen_reply_is_an_error() {
        for reply in [
            &br#"{"statusCode":"ok"}"#[..],
            br#"{"statusCode":42}"#,
            br#"{"statusCode":200,"body":"?","isBase64Encoded":true}"#,
            b"not json",
        ] {
            assert!(response(reply).is_err(), "{}", String::from_utf8_lossy(reply));
        }
    }

    async fn bytes(response: Response) -> Vec<u8> {
        to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()
    }
}
