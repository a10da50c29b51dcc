//! Writes an HTTP request as the event a Function URL makes of it, payload format 2.0.
//!
//! Spec: "Creating and managing Lambda function URLs", "Request payload format".

use crate::clock;
use axum::http::header::{CONTENT_TYPE, COOKIE};
use axum::http::{HeaderMap, Method, Uri};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};
use std::net::IpAddr;
use std::time::SystemTime;

/// An HTTP request, with its source and time.
#[derive(Debug)]
pub(super) struct Incoming<'a> {
    pub(super) id: &'a str,
    pub(super) function: &'a str,
    pub(super) method: &'a Method,
    pub(super) uri: &'a Uri,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
    pub(super) source: IpAddr,
    pub(super) at: SystemTime,
}

/// The event. What a request lacks (cookies, query, body) the event lacks too.
pub(super) fn payload(incoming: &Incoming<'_>) -> Value {
    let query = incoming.uri.query().unwrap_or_default();
    let mut event = Map::from_iter([
        ("version".to_owned(), json!("2.0")),
        ("routeKey".to_owned(), json!("$default")),
        ("rawPath".to_owned(), json!(incoming.uri.path())),
        ("rawQueryString".to_owned(), json!(query)),
        ("headers".to_owned(), headers(incoming.headers)),
        ("requestContext".to_owned(), context(incoming)),
        ("isBase64Encoded".to_owned(), json!(false)),
    ]);
    if !query.is_empty() {
        event.insert("queryStringParameters".into(), parameters(query));
    }
    if incoming.headers.contains_key(COOKIE) {
        event.insert("cookies".into(), cookies(incoming.headers));
    }
    if !incoming.body.is_empty() {
        let (body, encoded) = body(incoming.headers, incoming.body);
        event.insert("body".into(), body.into());
        event.insert("isBase64Encoded".into(), encoded.into());
    }
    event.into()
}

/// Plain when the content type is text and the bytes are UTF-8, else base64.
fn body(headers: &HeaderMap, body: &[u8]) -> (String, bool) {
    match std::str::from_utf8(body) {
        Ok(text) if is_text(headers) => (text.to_owned(), false),
        Ok(_) | Err(_) => (BASE64_STANDARD.encode(body), true),
    }
}

fn is_text(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.starts_with("text/")
        || ["application/json", "application/xml", "application/javascript"].contains(&kind.as_str())
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
}

/// Lower-cased names; several headers of one name joined by a comma; cookies have their own place.
fn headers(headers: &HeaderMap) -> Value {
    let names = headers.keys().filter(|name| *name != COOKIE);
    names.map(|name| (name.to_string(), Value::from(all(headers, name.as_str()).join(",")))).collect()
}

fn cookies(headers: &HeaderMap) -> Value {
    let cookies = all(headers, COOKIE.as_str()).join(";");
    cookies.split(';').map(str::trim).filter(|cookie| !cookie.is_empty()).collect()
}

fn all(headers: &HeaderMap, name: &str) -> Vec<String> {
    headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
}

/// Decoded; several values of one name joined by a comma.
fn parameters(query: &str) -> Value {
    let mut parameters = Map::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let joined = match parameters.get(&*name).and_then(Value::as_str) {
            Some(before) => format!("{before},{value}"),
            None => value.into_owned(),
        };
        parameters.insert(name.into_owned(), joined.into());
    }
    parameters.into()
}

fn context(incoming: &Incoming<'_>) -> Value {
    let header = |name| incoming.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    json!({
        "accountId": "anonymous",
        "apiId": incoming.function,
        "domainName": header("host"),
        "domainPrefix": incoming.function,
        "http": {
            "method": incoming.method.as_str(),
            "path": incoming.uri.path(),
            "protocol": "HTTP/1.1",
            "sourceIp": incoming.source,
            "userAgent": header("user-agent"),
        },
        "requestId": incoming.id,
        "routeKey": "$default",
        "stage": "$default",
        "time": clock::access_log(incoming.at),
        "timeEpoch": clock::millis(incoming.at),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};
    use std::time::UNIX_EPOCH;

    #[test]
    fn a_json_body_comes_as_it_is_however_escaped() {
        let event =
            event("/webhook", &[("Content-Type", "application/json; charset=utf-8")], br#"{"n":"\u00e9"}"#);

        assert_eq!(event["body"], r#"{"n":"\u00e9"}"#);
        assert_eq!(event["isBase64Encoded"], false);
    }

    #[test]
    fn any_other_body_comes_in_base64() {
        for content_type in ["application/octet-stream", "application/x-www-form-urlencoded", "image/png"] {
            let event = event("/", &[("content-type", content_type)], b"a=b");

            assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("YT1i"), &json!(true)));
        }
    }

    #[test]
    fn a_text_that_is_no_utf8_comes_in_base64() {
        let event = event("/", &[("content-type", "text/plain")], &[0xff]);

        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("/w=="), &json!(true)));
    }

    #[test]
    fn headers_and_parameters_of_one_name_are_joined() {
        let event = event("/x/y?a=1&b=%20&a=2", &[("X-One", "1"), ("x-one", "2")], b"");

        assert_eq!(event["rawPath"], "/x/y");
        assert_eq!(event["rawQueryString"], "a=1&b=%20&a=2");
        assert_eq!(event["headers"], json!({"x-one": "1,2"}));
        assert_eq!(event["queryStringParameters"], json!({"a": "1,2", "b": " "}));
    }

    #[test]
    fn cookies_leave_the_headers() {
        let event = event("/", &[("cookie", "a=1; b=2"), ("host", "h")], b"");

        assert_eq!(event["cookies"], json!(["a=1", "b=2"]));
        assert_eq!(event["headers"], json!({"host": "h"}));
    }

    #[test]
    fn what_a_request_lacks_the_event_lacks() {
        let event = event("/", &[], b"");

        for absent in ["body", "cookies", "queryStringParameters"] {
            assert_eq!(event.get(absent), None, "{absent}");
        }
        assert_eq!(event["requestContext"]["http"]["method"], "POST");
        assert_eq!(event["requestContext"]["time"], "01/Jan/1970:00:00:00 +0000");
    }

    fn event(uri: &str, headers: &[(&str, &str)], body: &[u8]) -> Value {
        let headers = headers.iter().map(|(name, value)| {
            let name: HeaderName = name.parse().unwrap();
            (name, HeaderValue::from_str(value).unwrap())
        });
        let mut map = HeaderMap::new();
        headers.for_each(|(name, value)| _ = map.append(name, value));
        payload(&Incoming {
            id: "r1",
            function: "webhook",
            method: &Method::POST,
            uri: &uri.parse().unwrap(),
            headers: &map,
            body,
            source: [127, 0, 0, 1].into(),
            at: UNIX_EPOCH,
        })
    }
}
