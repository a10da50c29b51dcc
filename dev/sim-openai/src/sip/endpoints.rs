//! The webhook endpoints of the project: which there are, whatever made them, and what is asked about them by API.
//!
//! Decides only: the time is an argument. Shapes are those of OpenAI's API reference, "Webhooks", as of autumn 2026.

use super::WebhookEndpoint;
use super::endpoint::is_on_loopback;
use super::endpoint_request::{self, Asked, EVENT_TYPES};
use crate::random;
use crate::refusal::Refusal;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::Url;
use serde_json::{Value, json};
use std::iter::repeat_with;
use std::time::{Duration, Instant};

/// How long a rotated secret signs, if it is kept.
const ROTATION_LASTS: Duration = Duration::from_secs(24 * 60 * 60);

/// A refused request: its status, and why.
pub(crate) type Refused = (u16, Refusal);

/// The time, twice.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now {
    pub at: Instant,
    pub unix: u64,
}

/// The endpoints of a project, oldest first.
#[derive(Debug)]
pub(crate) struct Endpoints {
    all: Vec<Registered>,
    /// How many there ever were.
    made: usize,
    seed: u64,
    /// Whether an address of this machine may do without TLS.
    takes_http: bool,
}

/// An endpoint of the project, for a test to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredEndpoint {
    /// The endpoint's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where its events go.
    pub url: String,
    /// The events that go there.
    pub event_types: Vec<String>,
    /// What signs them now, the newest last.
    pub secrets: Vec<String>,
}

#[derive(Debug, Clone)]
struct Registered {
    id: String,
    name: String,
    url: String,
    /// `None` for one made in the dashboard, for everything.
    event_types: Option<Vec<String>>,
    /// Each with the moment from which it signs no more.
    secrets: Vec<(String, Option<Instant>)>,
    created_at: u64,
    updated_at: u64,
}

impl Endpoints {
    pub(crate) fn new(seed: u64, takes_http: bool) -> Self {
        Self { all: vec![], made: 0, seed, takes_http }
    }

    /// Adds one as the dashboard makes it, for all events.
    pub(crate) fn add(&mut self, endpoint: WebhookEndpoint, now: Now) {
        let (id, _) = self.next();
        let secrets = endpoint.secrets.into_iter().map(|secret| (secret, None)).collect();
        let (name, url) = ("made in the dashboard".to_owned(), endpoint.url);
        let (created_at, updated_at) = (now.unix, now.unix);
        self.all.push(Registered { id, name, url, event_types: None, secrets, created_at, updated_at });
    }

    pub(crate) fn replace_all(&mut self, endpoints: Vec<WebhookEndpoint>, now: Now) {
        self.all.clear();
        endpoints.into_iter().for_each(|endpoint| self.add(endpoint, now));
    }

    /// The endpoints that an event of this type goes to, each with the secrets that sign it.
    pub(crate) fn of_event(&self, kind: &str, now: Now) -> Vec<WebhookEndpoint> {
        let wanting = self.all.iter().filter(|endpoint| {
            endpoint.event_types.as_ref().is_none_or(|types| types.iter().any(|it| it == kind))
        });
        let with = |endpoint: &Registered| {
            let mut secrets = endpoint.live_secrets(now).into_iter();
            let first = secrets.next().expect("the newest secret never ends");
            let mut sent = WebhookEndpoint::new(&endpoint.url, first);
            sent.secrets.extend(secrets);
            sent
        };
        wanting.map(with).collect()
    }

    pub(crate) fn report(&self, now: Now) -> Vec<RegisteredEndpoint> {
        let report = |endpoint: &Registered| RegisteredEndpoint {
            id: endpoint.id.clone(),
            name: endpoint.name.clone(),
            url: endpoint.url.clone(),
            event_types: endpoint.event_types(),
            secrets: endpoint.live_secrets(now),
        };
        self.all.iter().map(report).collect()
    }

    /// `GET /v1/webhook_endpoints`: the newest first.
    pub(crate) fn list(&self, query: Option<&str>) -> Result<Value, Refused> {
        let (after, limit) = endpoint_request::page(query)?;
        let mut from = self.all.iter().rev().peekable();
        if let Some(after) = after {
            if !self.all.iter().any(|endpoint| endpoint.id == after) {
                return Err((400, Refusal::value("after", "Invalid 'after': no such webhook endpoint.")));
            }
            let _before = from.by_ref().find(|endpoint| endpoint.id == after);
        }
        let page: Vec<_> = from.by_ref().take(limit).collect();
        let id = |endpoint: Option<&&Registered>| endpoint.map(|endpoint| endpoint.id.clone());
        Ok(json!({
            "object": "list", "data": page.iter().map(|endpoint| endpoint.shown()).collect::<Vec<_>>(),
            "first_id": id(page.first()), "last_id": id(page.last()), "has_more": from.peek().is_some(),
        }))
    }

    /// `POST /v1/webhook_endpoints`: shows the secret.
    pub(crate) fn make(&mut self, body: &[u8], now: Now) -> Result<Value, Refused> {
        let Asked { name, url, event_types } = endpoint_request::read(body)?;
        let name = name.ok_or_else(|| missing("name"))?;
        let url = url.ok_or_else(|| missing("url"))?;
        let event_types = event_types.ok_or_else(|| missing("event_types"))?;
        self.check(&url)?;
        let (id, secret) = self.next();
        let endpoint = Registered {
            id,
            name,
            url,
            event_types: Some(event_types),
            secrets: vec![(secret, None)],
            created_at: now.unix,
            updated_at: now.unix,
        };
        self.all.push(endpoint.clone());
        Ok(endpoint.shown_with_secret())
    }

    /// `GET /v1/webhook_endpoints/{id}`
    pub(crate) fn get(&self, id: &str) -> Result<Value, Refused> {
        self.all.iter().find(|endpoint| endpoint.id == id).map(Registered::shown).ok_or_else(|| unknown(id))
    }

    /// `POST /v1/webhook_endpoints/{id}`: what is not named stays.
    pub(crate) fn update(&mut self, id: &str, body: &[u8], now: Now) -> Result<Value, Refused> {
        let asked = endpoint_request::read(body)?;
        asked.url.as_deref().map_or(Ok(()), |url| self.check(url))?;
        let endpoint = self.find(id)?;
        let before = (endpoint.name.clone(), endpoint.url.clone(), endpoint.event_types.clone());
        endpoint.name = asked.name.unwrap_or_else(|| before.0.clone());
        endpoint.url = asked.url.unwrap_or_else(|| before.1.clone());
        endpoint.event_types = asked.event_types.or_else(|| before.2.clone());
        if before != (endpoint.name.clone(), endpoint.url.clone(), endpoint.event_types.clone()) {
            endpoint.updated_at = now.unix;
        }
        Ok(endpoint.shown())
    }

    /// `DELETE /v1/webhook_endpoints/{id}`
    pub(crate) fn delete(&mut self, id: &str) -> Result<Value, Refused> {
        self.find(id)?;
        self.all.retain(|endpoint| endpoint.id != id);
        Ok(json!({"id": id, "object": "webhook_endpoint.deleted", "deleted": true}))
    }

    /// `POST /v1/webhook_endpoints/{id}/rotate_secret`: shows the new secret. The old one signs no more, or for another day.
    pub(crate) fn rotate(&mut self, id: &str, body: &[u8], now: Now) -> Result<Value, Refused> {
        let is_kept = endpoint_request::keeps_old_secret(body)?;
        self.find(id)?;
        let (_, secret) = self.next();
        let endpoint = self.find(id)?;
        let mut newest: Vec<_> = endpoint.secrets.drain(..).filter(|(_, until)| until.is_none()).collect();
        newest.iter_mut().for_each(|(_, until)| *until = Some(now.at + ROTATION_LASTS));
        endpoint.secrets = if is_kept { newest } else { vec![] };
        endpoint.secrets.push((secret, None));
        endpoint.updated_at = now.unix;
        Ok(endpoint.shown_with_secret())
    }

    fn find(&mut self, id: &str) -> Result<&mut Registered, Refused> {
        self.all.iter_mut().find(|endpoint| endpoint.id == id).ok_or_else(|| unknown(id))
    }

    fn check(&self, url: &str) -> Result<(), Refused> {
        let parsed = Url::parse(url).ok().filter(Url::has_host);
        let is_allowed = parsed.is_some_and(|url| match url.scheme() {
            "https" => true,
            "http" => self.takes_http && is_on_loopback(&url),
            _ => false,
        });
        let refusal = || Refusal::value("url", "Invalid 'url': webhook endpoints must use https.");
        is_allowed.then_some(()).ok_or_else(|| (400, refusal()))
    }

    /// The next id, and the next secret.
    fn next(&mut self) -> (String, String) {
        let mut rng = random::of_call(self.seed.rotate_left(17), self.made);
        self.made += 1;
        let id = random::id(&mut rng, "whe");
        let key: Vec<u8> = repeat_with(|| rng.u8(..)).take(32).collect();
        (id, format!("whsec_{}", BASE64.encode(key)))
    }
}

impl Registered {
    fn live_secrets(&self, now: Now) -> Vec<String> {
        let live = self.secrets.iter().filter(|(_, until)| until.is_none_or(|until| now.at < until));
        live.map(|(secret, _)| secret.clone()).collect()
    }

    fn event_types(&self) -> Vec<String> {
        self.event_types.clone().unwrap_or_else(|| EVENT_TYPES.map(str::to_owned).into())
    }

    fn newest_secret(&self) -> &str {
        self.secrets.last().map(|(secret, _)| secret.as_str()).unwrap_or_default()
    }

    fn shown(&self) -> Value {
        let end = self.newest_secret().len().saturating_sub(4);
        json!({
            "id": self.id, "object": "webhook_endpoint", "name": self.name, "url": self.url,
            "event_types": self.event_types(), "created_at": self.created_at, "updated_at": self.updated_at,
            "signing_secret_hint": format!("whsec_…{}", &self.newest_secret()[end..]),
        })
    }

    fn shown_with_secret(&self) -> Value {
        let mut shown = self.shown();
        shown["signing_secret"] = json!(self.newest_secret());
        shown
    }
}

fn missing(parameter: &str) -> Refused {
    let message = format!("Missing required parameter: '{parameter}'.");
    (400, Refusal::new("missing_required_parameter", message).about(parameter))
}

fn unknown(id: &str) -> Refused {
    (404, Refusal::new("not_found", format!("No webhook endpoint found with id '{id}'.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "https://ahoy.example/openai";
    const CALLS: &str = "realtime.call.incoming";

    #[test]
    fn the_secret_is_shown_when_it_is_made_and_never_again() {
        let mut endpoints = Endpoints::new(1, false);

        let made = make(&mut endpoints, OURS, &[CALLS]);
        let id = made["id"].as_str().unwrap();
        let listed = endpoints.list(None).unwrap();

        assert!(made["signing_secret"].as_str().unwrap().starts_with("whsec_"), "{made}");
        assert_eq!(listed["data"][0], endpoints.get(id).unwrap());
        assert_eq!(listed["data"][0]["event_types"], json!([CALLS]));
        assert!(!listed.to_string().contains("signing_secret\""), "{listed}");
        assert!(!endpoints.update(id, b"{}", now()).unwrap().to_string().contains("signing_secret\""));
    }

    #[test]
    fn for_a_day_both_secrets_sign_if_the_old_one_is_kept() {
        let mut endpoints = Endpoints::new(1, false);
        let made = make(&mut endpoints, OURS, &[CALLS]);
        let (id, old, now) = (made["id"].as_str().unwrap(), made["signing_secret"].clone(), now());
        let later = |hours: u64| Now { at: now.at + Duration::from_secs(hours * 3_600), ..now };
        let secrets = |endpoints: &Endpoints, hours| endpoints.report(later(hours))[0].secrets.clone();

        let kept = endpoints.rotate(id, br#"{"keep_old_secret_active_for_24_hours": true}"#, now).unwrap();
        let new = kept["signing_secret"].clone();

        assert_eq!(json!(secrets(&endpoints, 23)), json!([old, new]));
        assert_eq!(json!(secrets(&endpoints, 24)), json!([new]));
        let newest = endpoints.rotate(id, b"", now).unwrap()["signing_secret"].clone();
        assert_eq!(json!(secrets(&endpoints, 0)), json!([newest]), "unless asked to, it keeps none");
    }

    #[test]
    fn an_event_goes_where_its_type_is_wanted() {
        let mut endpoints = Endpoints::new(1, false);
        endpoints.add(WebhookEndpoint::new("https://all.example/", "whsec_YQ=="), now());
        make(&mut endpoints, OURS, &[CALLS]);
        make(&mut endpoints, "https://batches.example/", &["batch.completed"]);
        let to = |kind: &str| {
            let to = endpoints.of_event(kind, now()).into_iter();
            to.map(|endpoint| endpoint.url).collect::<Vec<_>>()
        };

        assert_eq!(to(CALLS), ["https://all.example/", OURS]);
        assert_eq!(to("batch.completed"), ["https://all.example/", "https://batches.example/"]);
        assert_eq!(to("realtime.call.foretold"), ["https://all.example/"]);
    }

    #[test]
    fn pages_come_newest_first() {
        let mut endpoints = Endpoints::new(1, false);
        for n in 0..3 {
            make(&mut endpoints, &format!("https://{n}.example/"), &[CALLS]);
        }

        let first = endpoints.list(Some("limit=2")).unwrap();
        let after = format!("limit=2&after={}", first["last_id"].as_str().unwrap());
        let second = endpoints.list(Some(&after)).unwrap();

        let urls = |page: &Value| {
            page["data"].as_array().unwrap().iter().map(|it| it["url"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(urls(&first), ["https://2.example/", "https://1.example/"]);
        assert_eq!(
            (urls(&second).len(), &first["has_more"], &second["has_more"]),
            (1, &json!(true), &json!(false))
        );
        for wrong in ["limit=0", "limit=101", "limit=x", "after=whe_none"] {
            assert_eq!(endpoints.list(Some(wrong)).unwrap_err().0, 400, "{wrong}");
        }
    }

    #[test]
    fn an_odd_request_is_refused_with_its_parameter() {
        let mut endpoints = Endpoints::new(1, false);
        let right = json!({"name": "a", "url": OURS, "event_types": [CALLS]});
        for (parameter, value, code) in [
            ("name", Value::Null, "missing_required_parameter"),
            ("url", Value::Null, "missing_required_parameter"),
            ("event_types", Value::Null, "missing_required_parameter"),
            ("name", json!(""), "invalid_value"),
            ("name", json!(7), "invalid_type"),
            ("url", json!("http://127.0.0.1/openai"), "invalid_value"),
            ("url", json!("ahoy"), "invalid_value"),
            ("event_types", json!([]), "invalid_value"),
            ("event_types", json!("realtime.call.incoming"), "invalid_type"),
            ("event_types", json!(["live.call.incoming"]), "invalid_value"),
            ("enabled", json!(true), "unknown_parameter"),
        ] {
            let mut body = right.clone();
            body[parameter] = value;
            if body[parameter].is_null() {
                body.as_object_mut().unwrap().remove(parameter);
            }

            let (status, refusal) = endpoints.make(body.to_string().as_bytes(), now()).unwrap_err();

            assert_eq!((status, refusal.code), (400, Some(code)), "{body}");
        }
        for body in [&b"no JSON"[..], b"[]", b""] {
            assert_eq!(endpoints.make(body, now()).unwrap_err().0, 400);
        }
        assert_eq!(endpoints.report(now()), []);
    }

    #[test]
    fn what_does_not_exist_is_not_found() {
        let mut endpoints = Endpoints::new(1, false);
        let made = make(&mut endpoints, OURS, &[CALLS]);
        let id = made["id"].as_str().unwrap();

        let deleted = endpoints.delete(id).unwrap();

        assert_eq!(deleted, json!({"id": id, "object": "webhook_endpoint.deleted", "deleted": true}));
        assert_eq!(endpoints.get(id).unwrap_err().0, 404);
        assert_eq!(endpoints.delete(id).unwrap_err().0, 404);
        assert_eq!(endpoints.update(id, b"{}", now()).unwrap_err().0, 404);
        assert_eq!(endpoints.rotate(id, b"", now()).unwrap_err().0, 404);
    }

    fn make(endpoints: &mut Endpoints, url: &str, event_types: &[&str]) -> Value {
        let body = json!({"name": "ahoy", "url": url, "event_types": event_types});
        endpoints.make(body.to_string().as_bytes(), now()).unwrap()
    }

    fn now() -> Now {
        Now { at: Instant::now(), unix: 1_790_000_000 }
    }
}
