//! Turns away what cannot be Meta's, before anything is read of it.

use lambda_http::http::Method;
use lambda_http::{Body, Request, RequestExt};

/// Where Meta finds us.
const PATHS: [&str; 2] = ["/", "/webhook"];

/// The largest body Meta sends, bytes.
const LARGEST_BODY: usize = 3 * 1024 * 1024;

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum WebhookRequest<'a> {
    /// That we prove to be the webhook's owner.
    Verify,
    /// That we take in this body, the bytes as they came.
    TakeIn(&'a [u8]),
}

/// What a request asks for; or the status and the reason why we do not listen.
pub(crate) fn asked(request: &Request) -> Result<WebhookRequest<'_>, (u16, &'static str)> {
    if !PATHS.contains(&request.raw_http_path()) {
        return Err((404, "not here"));
    }
    match *request.method() {
        Method::GET => Ok(WebhookRequest::Verify),
        Method::POST if !is_json(request) => Err((415, "only application/json")),
        Method::POST if body(request).len() > LARGEST_BODY => Err((413, "too large")),
        Method::POST => Ok(WebhookRequest::TakeIn(body(request))),
        _ => Err((405, "only GET and POST")),
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
