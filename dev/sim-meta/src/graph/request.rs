//! Reads the body of a call action, taking the documented keys and no others, but for `to` beside an answer: Meta's own
//! cURL sends it and so does Pipecat, and Graph takes it from both.

use super::error::{GraphError, require};
use crate::ActionName;
use serde::Deserialize;

const LONGEST_OPAQUE: usize = 512;
const LONGEST_PURPOSE: usize = 250;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) call: String,
    pub(super) ask: Ask,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ask {
    PreAccept { sdp: String },
    Accept { sdp: String, opaque: Option<String> },
    Reject,
    Terminate,
}

impl Ask {
    pub(super) fn name(&self) -> ActionName {
        match self {
            Ask::PreAccept { .. } => ActionName::PreAccept,
            Ask::Accept { .. } => ActionName::Accept,
            Ask::Reject => ActionName::Reject,
            Ask::Terminate => ActionName::Terminate,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    messaging_product: String,
    call_id: String,
    action: String,
    to: Option<String>,
    session: Option<Session>,
    biz_opaque_callback_data: Option<String>,
    recording: Option<Consent>,
    transcription: Option<Consent>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Session {
    sdp_type: String,
    sdp: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Consent {
    status: String,
    purpose: String,
    #[serde(rename = "announcement_language")]
    _announcement_language: Option<String>,
}

pub(super) fn parse(body: &[u8]) -> Result<Request, GraphError> {
    let body: Body = serde_json::from_slice(body)?;
    require(body.messaging_product == "whatsapp", "messaging_product must be whatsapp")?;
    let call = body.call_id.clone();
    let ask = match body.action.as_str() {
        "pre_accept" => body.bare()?.pre_accept(),
        "accept" => body.accept(),
        "reject" => body.bare()?.without_session(Ask::Reject),
        "terminate" => body.bare()?.without_session(Ask::Terminate),
        other => Err(GraphError::invalid(format!("action `{other}` is not one for a call of a user"))),
    }?;
    Ok(Request { call, ask })
}

impl Body {
    /// Only `accept` takes the optional keys.
    fn bare(self) -> Result<Body, GraphError> {
        let is_bare = self.biz_opaque_callback_data.is_none()
            && self.recording.is_none()
            && self.transcription.is_none();
        require(is_bare, format!("`{}` takes no such key", self.action))?;
        Ok(self)
    }

    fn pre_accept(self) -> Result<Ask, GraphError> {
        Ok(Ask::PreAccept { sdp: self.answer()? })
    }

    fn accept(self) -> Result<Ask, GraphError> {
        [&self.recording, &self.transcription].into_iter().flatten().try_for_each(Consent::check)?;
        let opaque = self.biz_opaque_callback_data.clone();
        let fits = opaque.as_ref().is_none_or(|opaque| opaque.chars().count() <= LONGEST_OPAQUE);
        require(fits, "biz_opaque_callback_data is longer than 512 characters")?;
        Ok(Ask::Accept { sdp: self.answer()?, opaque })
    }

    fn answer(self) -> Result<String, GraphError> {
        let session = self.session.ok_or_else(|| GraphError::invalid("session is required"))?;
        require(session.sdp_type == "answer", "session.sdp_type must be answer")?;
        Ok(session.sdp)
    }

    fn without_session(self, ask: Ask) -> Result<Ask, GraphError> {
        require(self.session.is_none(), "session does not belong here")?;
        require(self.to.is_none(), "to does not belong here")?;
        Ok(ask)
    }
}

impl Consent {
    fn check(&self) -> Result<(), GraphError> {
        let is_status = ["ENABLED", "DISABLED"].contains(&self.status.as_str());
        require(is_status, "status must be ENABLED or DISABLED")?;
        require(self.purpose.chars().count() <= LONGEST_PURPOSE, "purpose is longer than 250 characters")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn reads_the_four_documented_actions() {
        let sdp = || "v=0\r\n".to_owned();
        let mut accept = action("accept");
        accept["biz_opaque_callback_data"] = "sess-1".into();
        accept["recording"] =
            json!({ "status": "ENABLED", "purpose": "quality", "announcement_language": "en" });

        assert_eq!(ask(&action("pre_accept")), Ok(Ask::PreAccept { sdp: sdp() }));
        assert_eq!(ask(&accept), Ok(Ask::Accept { sdp: sdp(), opaque: Some("sess-1".to_owned()) }));
        assert_eq!(ask(&bare("reject")), Ok(Ask::Reject));
        assert_eq!(ask(&bare("terminate")), Ok(Ask::Terminate));
    }

    #[test]
    fn takes_the_callers_number_with_an_answer() {
        for name in ["pre_accept", "accept"] {
            let mut body = action(name);
            body["to"] = "919900000001".into();
            assert!(ask(&body).is_ok(), "{name}");
        }
    }

    #[test]
    fn refuses_unknown_keys_wherever_they_are() {
        refuses("extra", |body| body["extra"] = 1.into());
        refuses("extra", |body| body["session"]["extra"] = 1.into());
    }

    #[test]
    fn refuses_what_is_missing_or_another_product() {
        refuses("call_id", |body| drop(body.as_object_mut().unwrap().remove("call_id")));
        refuses("session", |body| drop(body.as_object_mut().unwrap().remove("session")));
        refuses("messaging_product", |body| body["messaging_product"] = "telegram".into());
        refuses("dial", |body| body["action"] = "dial".into());
    }

    #[test]
    fn refuses_an_offer_and_shouting() {
        refuses("sdp_type", |body| body["session"]["sdp_type"] = "offer".into());
        refuses("sdp_type", |body| body["session"]["sdp_type"] = "ANSWER".into());
    }

    #[test]
    fn refuses_callback_data_over_512_characters() {
        let with = |length: usize| {
            let mut body = action("accept");
            body["biz_opaque_callback_data"] = "é".repeat(length).into();
            ask(&body)
        };

        assert!(with(512).is_ok());
        assert!(with(513).is_err());
    }

    #[test]
    fn refuses_what_belongs_to_accept_anywhere_else() {
        refuses("pre_accept", |body| body["biz_opaque_callback_data"] = "x".into());
        refuses("session", |body| body["action"] = "reject".into());
        let mut terminate = bare("terminate");
        terminate["to"] = "919900000001".into();
        assert!(ask(&terminate).is_err_and(|refusal| refusal.code == 100));
    }

    /// A good `pre_accept` is refused after this change, and the details name the cause.
    fn refuses(cause: &str, change: impl FnOnce(&mut Value)) {
        let mut body = action("pre_accept");
        change(&mut body);
        let refusal = ask(&body).expect_err(cause);
        assert_eq!((refusal.status.as_u16(), refusal.code), (400, 100));
        assert!(refusal.details.contains(cause), "{}", refusal.details);
    }

    fn ask(body: &Value) -> Result<Ask, GraphError> {
        parse(body.to_string().as_bytes()).map(|request| request.ask)
    }

    fn action(name: &str) -> Value {
        let mut body = bare(name);
        body["session"] = json!({ "sdp_type": "answer", "sdp": "v=0\r\n" });
        body
    }

    fn bare(name: &str) -> Value {
        json!({ "messaging_product": "whatsapp", "call_id": "wacid.A", "action": name })
    }
}
