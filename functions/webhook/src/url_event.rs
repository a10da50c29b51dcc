//! Parses the event of a Lambda Function URL (payload format 2.0) as far as the webhook needs it, and builds the reply.
//!
//! `lambda_http` rejects an event whose headers, host or context it cannot parse, and panics at an odd path, so that a stranger's user
//! agent becomes a function error (aws-lambda-rust-runtime#509). Here anything unparsable is left out, such as bytes that are not UTF-8,
//! and the webhook judges what is left.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use lambda_http::aws_lambda_events::query_map::QueryMap;
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue, Method};
use lambda_http::{Body, Request, RequestExt, Response};
use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An event of a Function URL.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct UrlEvent {
    raw_path: Option<Text>,
    raw_query_string: Option<Text>,
    headers: BTreeMap<Text, Option<Text>>,
    request_context: Context,
    body: Option<Text>,
    is_base64_encoded: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Context {
    http: Http,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Http {
    method: Option<Text>,
}

/// A JSON string as bytes, which need not be UTF-8.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Text(Vec<u8>);

/// The reply in the form that a Function URL takes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UrlReply {
    status_code: u16,
    headers: BTreeMap<String, String>,
    body: String,
    is_base64_encoded: bool,
}

impl From<UrlEvent> for Request {
    fn from(event: UrlEvent) -> Self {
        let query: QueryMap = lossy(event.raw_query_string.as_ref()).parse().unwrap_or_default();
        let method = event.request_context.http.method.as_ref();
        let method = method.and_then(|method| Method::from_bytes(&method.0).ok());
        let mut request = Request::new(event.body());
        // A method that cannot be parsed becomes one that the webhook refuses.
        *request.method_mut() = method.unwrap_or(Method::TRACE);
        *request.headers_mut() = event.headers();
        request.with_raw_http_path(lossy(event.raw_path.as_ref())).with_query_string_parameters(query)
    }
}

impl UrlEvent {
    fn headers(&self) -> HeaderMap {
        let headers = self.headers.iter().filter_map(|(name, value)| {
            Some((HeaderName::from_bytes(&name.0).ok()?, HeaderValue::from_bytes(&value.as_ref()?.0).ok()?))
        });
        headers.collect()
    }

    /// Returns the body's bytes as the client sent them; none if its base64 is invalid.
    fn body(&self) -> Body {
        let body = self.body.as_ref().map(|body| body.0.as_slice()).unwrap_or_default();
        if self.is_base64_encoded {
            return Body::Binary(BASE64_STANDARD.decode(body).unwrap_or_default());
        }
        Body::Binary(body.to_vec())
    }
}

impl From<Response<Body>> for UrlReply {
    fn from(response: Response<Body>) -> Self {
        let headers = response
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
        Self {
            status_code: response.status().as_u16(),
            headers: headers.collect(),
            body: String::from_utf8_lossy(response.body()).into_owned(),
            is_base64_encoded: false,
        }
    }
}

fn lossy(text: Option<&Text>) -> String {
    text.map(|text| String::from_utf8_lossy(&text.0).into_owned()).unwrap_or_default()
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_byte_buf(Bytes)
    }
}

struct Bytes;

impl<'de> Visitor<'de> for Bytes {
    type Value = Text;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Text, E> {
        Ok(Text(bytes.to_vec()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Text, E> {
        Ok(Text(text.as_bytes().to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_headers_do_not_cost_the_valid_ones() {
        let event = b"{\"rawPath\": \"/\", \"headers\": {\"user-agent\": \"Beno\xeet\", \"x-utf-8\": \"Beno\xc3\xaet\", \
            \"x-none\": null, \"x-cut\": \"\\ud83d\", \"no name\": \"a\", \"x-line\": \"a\\nb\", \"x-kept\": \"kept\"}}";

        let request = Request::from(serde_json::from_slice::<UrlEvent>(event).expect("it is an event"));

        assert_eq!(request.headers()["x-kept"], "kept");
        assert_eq!(request.headers()["user-agent"].as_bytes(), b"Beno\xeet");
        assert!(!request.headers().contains_key("x-line"));
    }

    #[test]
    fn an_odd_event_still_becomes_a_request() {
        for event in [
            r#"{}"#,
            r#"{"rawPath": "no path ü|", "headers": {"host": "no host /"}, "requestContext": {"http": {"method": "ÄH"}}}"#,
            r#"{"rawPath": "/", "rawQueryString": "%ff&&=%", "cookies": ["ü"], "requestContext": {}}"#,
            r#"{"body": "no base64!", "isBase64Encoded": true, "requestContext": {"http": {"method": "POST"}}}"#,
        ] {
            let request = Request::from(serde_json::from_str::<UrlEvent>(event).expect(event));
            assert!(request.body().is_empty(), "{event}");
        }
    }

    #[test]
    fn keeps_the_bodys_bytes_as_sent() {
        let event = |body: &str, is_base64_encoded| UrlEvent {
            body: Some(Text(body.as_bytes().to_vec())),
            is_base64_encoded,
            ..UrlEvent::default()
        };

        assert_eq!(&**Request::from(event(r#"{"n": "\u00e9"}"#, false)).body(), br#"{"n": "\u00e9"}"#);
        assert_eq!(&**Request::from(event("/w==", true)).body(), [0xff]);
    }
}
