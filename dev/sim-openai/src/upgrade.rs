//! Decides who is let in: by path, key, model or call, and headers of the upgrade request.

use crate::refusal::Refusal;
use crate::session::beta_disabled;
use crate::sip::Exchange;
use crate::{Config, InjectedFault};
use serde_json::{Value, json};
use std::time::Instant;
use tokio_tungstenite::tungstenite::handshake::server::{Callback, ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::StatusCode;

const PATH: &str = "/v1/realtime";

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum UpgradeDecision {
    LetIn {
        model: String,
    },
    /// Let in to watch a telephone call, if there is one.
    Sideband {
        call_id: String,
    },
    /// Let in, to be refused by the first event.
    ToBeRefused {
        model: String,
        refusal: Refusal,
    },
    TurnedAway {
        status: StatusCode,
        body: Value,
    },
}

pub(crate) fn admit(
    request: &Request,
    its_key: &str,
    config: &Config,
    fault: Option<InjectedFault>,
) -> UpgradeDecision {
    if request.uri().path() != PATH {
        let message = format!("Invalid URL (GET {})", request.uri().path());
        return turn_away(StatusCode::NOT_FOUND, &message, Value::Null);
    }
    let model = parameter(request, "model").unwrap_or_default().to_owned();
    let shown = key(request).unwrap_or_default();
    let key = (fault == Some(InjectedFault::RefusesKey) || shown != its_key).then(|| Refusal::key(shown));
    let call_id = parameter(request, "call_id");
    let refusal = key.or_else(|| beta(request)).or_else(|| match call_id {
        // The model of a call is settled.
        Some(_) => None,
        None => refusal(&model, config),
    });
    match (refusal, call_id) {
        (Some(refusal), _) => UpgradeDecision::ToBeRefused { model, refusal },
        (None, Some(call_id)) => UpgradeDecision::Sideband { call_id: call_id.to_owned() },
        (None, None) => UpgradeDecision::LetIn { model },
    }
}

/// A sideband is let in only while its call goes on.
fn find_call(exchange: &Exchange, call_id: &str) -> Option<UpgradeDecision> {
    let now = Instant::now();
    let call = exchange.find(call_id);
    if call.as_ref().is_some_and(|call| call.look(|call| call.has_sideband(now))) {
        return None;
    }
    if let Some(call) = call {
        call.step(|call| call.note_sideband_not_found(now));
    }
    let message = "No session found for the provided call_id";
    Some(turn_away(StatusCode::NOT_FOUND, message, json!("call_id_not_found")))
}

/// Answers the upgrade, and stores its decision.
pub(crate) struct UpgradeHandler<'a> {
    pub key: &'a str,
    pub config: &'a Config,
    pub fault: Option<InjectedFault>,
    pub exchange: &'a Exchange,
    pub decided: &'a mut Option<UpgradeDecision>,
}

impl Callback for UpgradeHandler<'_> {
    fn on_request(self, request: &Request, response: Response) -> Result<Response, ErrorResponse> {
        let mut decision = admit(request, self.key, self.config, self.fault);
        if let UpgradeDecision::Sideband { call_id } = &decision {
            decision = find_call(self.exchange, call_id).unwrap_or(decision);
        }
        let decision = self.decided.insert(decision);
        let UpgradeDecision::TurnedAway { status, body } = decision else { return Ok(response) };
        let mut refused = ErrorResponse::new(Some(body.to_string()));
        *refused.status_mut() = *status;
        Err(refused)
    }
}

/// As `Authorization: Bearer …`, or as `api-key: …`, which is Azure's way.
fn key(request: &Request) -> Option<&str> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    header("authorization").and_then(|value| value.strip_prefix("Bearer ")).or_else(|| header("api-key"))
}

fn parameter<'a>(request: &'a Request, wanted: &str) -> Option<&'a str> {
    let pairs = request.uri().query()?.split('&').filter_map(|pair| pair.split_once('='));
    pairs.into_iter().find(|(name, _)| *name == wanted).map(|(_, value)| value)
}

fn beta(request: &Request) -> Option<Refusal> {
    request.headers().contains_key("openai-beta").then(beta_disabled)
}

fn refusal(model: &str, config: &Config) -> Option<Refusal> {
    if model.is_empty() {
        return Some(Refusal::new("missing_model", "You must provide a model parameter.").about("model"));
    }
    if config.model.as_deref().is_some_and(|only| only != model) {
        return Some(Refusal::model(model));
    }
    None
}

fn turn_away(status: StatusCode, message: &str, code: Value) -> UpgradeDecision {
    let error = json!({"message": message, "type": "invalid_request_error", "param": null, "code": code});
    UpgradeDecision::TurnedAway { status, body: json!({"error": error}) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "/v1/realtime?model=gpt-realtime-2.1";

    #[test]
    fn the_key_opens_the_door_in_either_header() {
        let let_in = UpgradeDecision::LetIn { model: "gpt-realtime-2.1".into() };

        assert_eq!(asked(GOOD, &[("authorization", "Bearer sk-test")]), let_in);
        assert_eq!(asked(GOOD, &[("api-key", "sk-test")]), let_in);
    }

    #[test]
    fn a_wrong_key_or_none_is_let_in_to_be_refused() {
        for headers in [&[("authorization", "Bearer sk-other")][..], &[("authorization", "sk-test")], &[]] {
            assert_eq!(code(&asked(GOOD, headers)), Some("invalid_api_key"));
        }
    }

    #[test]
    fn a_call_needs_the_key_and_no_model() {
        let url = "/v1/realtime?call_id=rtc_u1_abc";

        let watched = asked(url, &[("authorization", "Bearer sk-test")]);
        let refused = asked(url, &[("authorization", "Bearer sk-other")]);

        assert_eq!(watched, UpgradeDecision::Sideband { call_id: "rtc_u1_abc".into() });
        assert_eq!(code(&refused), Some("invalid_api_key"));
    }

    #[test]
    fn another_path_is_not_found() {
        assert_eq!(status(&asked("/v1/live/sessions", &[("api-key", "sk-test")])), Some(404));
    }

    #[test]
    fn a_wrong_model_or_the_beta_is_let_in_to_be_refused() {
        assert_eq!(code(&asked("/v1/realtime", &[("api-key", "sk-test")])), Some("missing_model"));
        let of_no_speech = "/v1/realtime?model=gpt-5";
        assert_eq!(code(&asked(of_no_speech, &[("api-key", "sk-test")])), Some("invalid_model"));
        let of_the_preview = "/v1/realtime?model=gpt-4o-realtime-preview";
        assert_eq!(code(&asked(of_the_preview, &[("api-key", "sk-test")])), Some("model_not_found"));
        let beta = [("api-key", "sk-test"), ("openai-beta", "realtime=v1")];
        assert_eq!(code(&asked(GOOD, &beta)), Some("beta_api_shape_disabled"));
    }

    fn asked(uri: &str, headers: &[(&str, &str)]) -> UpgradeDecision {
        let config = Config { model: Some("gpt-realtime-2.1".into()), ..Config::new("sk-test") };
        let request = headers
            .iter()
            .fold(Request::builder().uri(uri), |request, (name, value)| request.header(*name, *value));
        admit(&request.body(()).expect("the request is well formed"), "sk-test", &config, None)
    }

    fn status(decision: &UpgradeDecision) -> Option<u16> {
        if let UpgradeDecision::TurnedAway { status, .. } = decision { Some(status.as_u16()) } else { None }
    }

    fn code(decision: &UpgradeDecision) -> Option<&str> {
        if let UpgradeDecision::ToBeRefused { refusal, .. } = decision { refusal.code } else { None }
    }
}
