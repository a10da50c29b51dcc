//! Rejects requests that can be neither Meta's nor OpenAI's by path, method, content type and size, before the body is parsed.

use lambda_http::http::Method;
use lambda_http::{Body, Request, RequestExt};

/// The paths at which the webhook answers Meta.
const PATHS: [&str; 2] = ["/", "/webhook"];

/// The largest body that Meta sends, bytes.
const LARGEST_BODY: usize = 3 * 1024 * 1024;

/// The path at which the webhook answers OpenAI, with the SIP line.
const OPENAI_PATH: &str = "/openai";

/// The largest body that OpenAI sends, bytes.
const LARGEST_EVENT: usize = 64 * 1024;

/// The kinds of request that the webhook takes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum WebhookRequest<'a> {
    /// Meta's challenge, which proves that the address is ours.
    Verify,
    /// The raw body of Meta's webhook.
    Record(&'a [u8]),
    /// The raw body of OpenAI's webhook.
    OpenAi(&'a [u8]),
}

/// Classifies a request; an error is the status and text of the refusal.
pub(crate) fn parse(request: &Request, has_sip: bool) -> Result<WebhookRequest<'_>, (u16, &'static str)> {
    if has_sip && request.raw_http_path() == OPENAI_PATH {
        return parse_event(request);
    }
    if !PATHS.contains(&request.raw_http_path()) {
        return Err((404, "not here"));
    }
    match *request.method() {
        Method::GET => Ok(WebhookRequest::Verify),
        Method::POST if !is_json(request) => Err((415, "only application/json")),
        Method::POST if body(request).len() > LARGEST_BODY => Err((413, "too large")),
        Method::POST => Ok(WebhookRequest::Record(body(request))),
        _ => Err((405, "only GET and POST")),
    }
}

fn parse_event(request: &Request) -> Result<WebhookRequest<'_>, (u16, &'static str)> {
    match *request.method() {
        Method::POST if body(request).len() > LARGEST_EVENT => Err((413, "too large")),
        Method::POST => Ok(WebhookRequest::OpenAi(body(request))),
        _ => Err((405, "only POST")),
    }
}

fn is_json(request: &Request) -> bool {
    let content_type = request.headers().get("content-type").and_then(|value| value.to_str().ok());
    let kind = content_type.and_then(|content_type| content_type.split(';').next()).unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/json")
}

fn body(request: &Request) -> &[u8] {
    match request.body() {
        Body::Text(text) => text.as_bytes(),
        Body::Binary(bytes) => bytes,
        _ => &[],
    }
}
