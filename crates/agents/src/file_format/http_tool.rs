//! The `[[tools.http]]` tables.

use crate::Method;
use crate::error::{Fault, quoted};
use crate::rules::{at_most, ms, name, text, within};
use jsonschema::error::ValidationErrorKind;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use url::{Host, Url};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HttpToolToml {
    pub(super) name: String,
    description: String,
    #[serde(default)]
    method: Method,
    url: String,
    #[serde(default = "empty_schema")]
    parameters: Value,
    #[serde(default = "eight_seconds")]
    timeout_ms: u64,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    sign_with: Option<String>,
    #[serde(default)]
    tells_caller: bool,
    #[serde(default = "sixteen_kib")]
    largest_reply_bytes: usize,
}

fn empty_schema() -> Value {
    json!({ "type": "object", "properties": {}, "additionalProperties": false })
}

fn eight_seconds() -> u64 {
    8_000
}

fn sixteen_kib() -> usize {
    16 * 1024
}

impl HttpToolToml {
    pub(super) fn resolve(self, at: &str, allowed_hosts: &[String]) -> Result<crate::HttpTool, Fault> {
        name(&format!("{at}.name"), &self.name)?;
        text(&format!("{at}.description"), &self.description, 1024)?;
        let url = address(&format!("{at}.url"), &self.url)?;
        allowed(&format!("{at}.url"), &url, allowed_hosts)?;
        schema(&format!("{at}.parameters"), &self.parameters)?;
        placeholders(&format!("{at}.url"), &url, &self.parameters)?;
        headers(&format!("{at}.headers"), &self.headers)?;
        secret_name(&format!("{at}.sign_with"), self.sign_with.as_deref())?;
        self.check_tells_caller(&format!("{at}.tells_caller"))?;
        Ok(crate::HttpTool {
            timeout: ms(&format!("{at}.timeout_ms"), self.timeout_ms, 100..=30_000)?,
            largest_reply: within(
                &format!("{at}.largest_reply_bytes"),
                self.largest_reply_bytes,
                1..=65_536,
                " bytes",
            )?,
            name: self.name,
            description: self.description,
            method: self.method,
            url,
            parameters: self.parameters,
            headers: self.headers,
            sign_with: self.sign_with,
            tells_caller: self.tells_caller,
        })
    }

    /// Checks that the caller's details go into a signed body only: URLs are logged on the way.
    fn check_tells_caller(&self, field: &str) -> Result<(), Fault> {
        let has_body = match self.method {
            Method::Post | Method::Put | Method::Patch => true,
            Method::Get | Method::Delete => false,
        };
        match (self.tells_caller, has_body, &self.sign_with) {
            (true, false, _) => Err(Fault::new(field, "needs method POST, PUT or PATCH, which has a body")),
            (true, true, None) => {
                Err(Fault::new(field, "needs sign_with: only a signed request names the caller"))
            }
            (true, true, Some(_)) | (false, ..) => Ok(()),
        }
    }
}

/// Parses a URL: https, or http to a loopback host, to no private address, without user, password and fragment.
pub(super) fn address(field: &str, written: &str) -> Result<Url, Fault> {
    let url = Url::parse(written)
        .map_err(|_| Fault::new(field, "is not a URL such as \"https://shop.example/ahoy/orders\""))?;
    let (is_loopback, is_private_network) = match url.host() {
        Some(Host::Ipv4(address)) => (address.is_loopback(), is_private_network(address)),
        Some(Host::Ipv6(address)) => {
            let inner =
                address.is_unique_local() || address.is_unicast_link_local() || address.is_unspecified();
            (address.is_loopback(), inner || address.to_ipv4_mapped().is_some())
        }
        Some(Host::Domain(name)) => (name == "localhost", false),
        None => (false, false),
    };
    if is_private_network {
        return Err(Fault::new(field, "points to a private address; tools only reach public ones"));
    }
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback) {
        return Err(Fault::new(field, "must begin with https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Fault::new(field, "must not hold a user or password"));
    }
    if url.fragment().is_some() {
        return Err(Fault::new(field, "must not hold a #fragment"));
    }
    Ok(url)
}

fn is_private_network(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    // RFC 6598: shared address space of carriers and clouds.
    let is_shared = first == 100 && (64..128).contains(&second);
    address.is_private() || address.is_link_local() || address.is_unspecified() || is_shared
}

/// Checks that a URL's host is in `tools.allowed_hosts`.
pub(super) fn allowed(field: &str, url: &Url, allowed_hosts: &[String]) -> Result<(), Fault> {
    let host = url.host_str().unwrap_or_default();
    if allowed_hosts.iter().any(|allowed| allowed == host) {
        return Ok(());
    }
    Err(Fault::new(field, format!("points to {}, which is not in tools.allowed_hosts", quoted(host))))
}

/// Checks that a JSON Schema is valid, has type `object`, and refers to no other document.
fn schema(field: &str, schema: &Value) -> Result<(), Fault> {
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        return Err(Fault::new(field, "must be a JSON Schema with type = \"object\""));
    }
    jsonschema::validator_for(schema).map(|_| ()).map_err(|error| {
        if matches!(error.kind(), ValidationErrorKind::Referencing(_)) {
            return Fault::new(field, "has a $ref to another document: only its own $defs can be referenced");
        }
        let at = error.instance_path().to_string();
        let place = if at.is_empty() { String::new() } else { format!(", at {}", quoted(&at)) };
        Fault::new(field, format!("is not a valid JSON Schema{place}"))
    })
}

/// Checks that placeholders are whole path segments and name required parameters.
fn placeholders(field: &str, url: &Url, schema: &Value) -> Result<(), Fault> {
    let segments = url.path_segments().into_iter().flatten();
    let is_required = |name: &str| {
        let required = schema.get("required").and_then(Value::as_array);
        required.is_some_and(|required| required.iter().any(|it| it.as_str() == Some(name)))
            && schema.pointer("/properties").is_some_and(|properties| properties.get(name).is_some())
    };
    for segment in segments {
        match segment.strip_prefix("%7B").and_then(|rest| rest.strip_suffix("%7D")) {
            Some(name) if is_required(name) => {}
            Some(name) => {
                let reason = format!("has a placeholder {}, which is not a required parameter", quoted(name));
                return Err(Fault::new(field, reason));
            }
            None if segment.contains("%7B") || segment.contains("%7D") => {
                return Err(Fault::new(field, "has a placeholder that is not a whole segment of the path"));
            }
            None => {}
        }
    }
    if url.query().is_some_and(|query| query.contains(['{', '}'])) {
        return Err(Fault::new(
            field,
            "has a placeholder in its query; placeholders are only allowed in the path",
        ));
    }
    Ok(())
}

/// Checks that headers are valid, not set by ahoy itself, and hold no secret.
fn headers(field: &str, headers: &BTreeMap<String, String>) -> Result<(), Fault> {
    at_most(field, headers.len(), 16)?;
    for (name, value) in headers {
        let field = crate::key_positions::join(field, name);
        if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err(Fault::new(field, "is not a valid header name"));
        }
        let name = name.to_ascii_lowercase();
        if names_a_secret(&name) {
            let reason = "must not hold a secret: use sign_with";
            return Err(Fault::new(field, reason));
        }
        if RESERVED_HEADERS.contains(&name.as_str()) || name.starts_with("x-ahoy-") {
            return Err(Fault::new(field, "is set by ahoy itself"));
        }
        if value.len() > 1024 || http::HeaderValue::from_str(value).is_err() {
            return Err(Fault::new(field, "must be at most 1024 visible characters on one line"));
        }
    }
    Ok(())
}

const RESERVED_HEADERS: [&str; 7] =
    ["host", "content-length", "content-type", "connection", "transfer-encoding", "upgrade", "te"];

fn names_a_secret(header: &str) -> bool {
    const WORDS: [&str; 7] = ["authorization", "cookie", "token", "secret", "password", "api-key", "apikey"];
    WORDS.iter().any(|word| header.contains(word))
}

/// Checks the name of a secret: `^[a-z][a-z0-9_]{0,63}$`, which has one upper-case spelling as an environment
/// variable.
pub(super) fn secret_name(field: &str, name: Option<&str>) -> Result<(), Fault> {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let begins = |name: &str| name.starts_with(|first: char| first.is_ascii_lowercase());
    match name {
        Some(name) if name.len() > 64 || !begins(name) || !name.bytes().all(is_allowed) => Err(Fault::new(
            field,
            "must be the name of a secret: a lower-case letter, then at most 63 lower-case letters, digits or _",
        )),
        Some(_) | None => Ok(()),
    }
}
