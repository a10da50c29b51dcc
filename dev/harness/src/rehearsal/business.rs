//! What the business saw of a rehearsed call: who it was asked about, and the outcome that it was sent.

use super::checks::{Check, check};
use super::timeline::Timeline;
use super::{Evidence, SETTLED_WITHIN};
use crate::Testbed;
use sim_audio::clips;
use sim_business::{Delivery, Lookup};
use sim_meta::CallReport;
use sim_openai::Side;
use store::call_ref;

/// What the business saw of one call.
pub(super) struct BusinessRecord {
    lookups: Vec<Lookup>,
    deliveries: Vec<Delivery>,
    /// What was wrong with its requests, of whatever call.
    complaints: Vec<String>,
}

impl Testbed {
    /// Gathers what the business saw of a call, once it has the outcome or should have had it.
    pub(super) async fn business_record(&self, id: &str) -> BusinessRecord {
        let call = call_ref(id);
        let is_taken = |it: &Delivery| it.body["call"] == call.as_str() && it.answered == Some(200);
        let _ = self.business.delivered(SETTLED_WITHIN, |all| all.iter().any(is_taken).then_some(())).await;
        let of_it = |call_said: &serde_json::Value| *call_said == call.as_str();
        let forged = self.business.forged();
        let unsigned = (forged > 0).then(|| format!("{forged} requests had a wrong signature or none"));
        BusinessRecord {
            lookups: self.business.lookups().into_iter().filter(|it| of_it(&it.call["call"])).collect(),
            deliveries: self.business.deliveries().into_iter().filter(|it| of_it(&it.body["call"])).collect(),
            complaints: self.business.complaints().into_iter().chain(unsigned).collect(),
        }
    }
}

impl BusinessRecord {
    /// Adds what the business did to a timeline.
    pub(super) fn add_to(&self, timeline: &mut Timeline) {
        for lookup in &self.lookups {
            timeline.add_at(lookup.at, "business", "is asked who is calling".into());
        }
        for (n, delivery) in self.deliveries.iter().enumerate() {
            let came = match delivery.answered {
                Some(200) => "outcome delivered".to_owned(),
                Some(status) => format!("refuses the outcome: {status}"),
                None => "does not answer the outcome".to_owned(),
            };
            timeline.add_at(delivery.at, "outbox → business", format!("{came} (attempt {})", n + 1));
        }
    }

    /// Judges what the business saw.
    pub(super) fn checks(&self, evidence: &Evidence<CallReport>) -> Vec<Check> {
        vec![asked(&self.lookups), greeted_by_name(evidence), self.told(evidence), self.content()]
    }

    fn told(&self, evidence: &Evidence<CallReport>) -> Check {
        let told = self.deliveries.iter().filter(|it| it.event == "call.ended").count();
        let has_ended = evidence.record.as_ref().is_some_and(|record| record.call.has_ended());
        let wrong = match (told, self.complaints.is_empty()) {
            (1, true) if has_ended => None,
            (1, true) => Some("the call had not ended".to_owned()),
            (told, true) => Some(format!("it was told {told} times")),
            (_, false) => Some(self.complaints.join("; ")),
        };
        check("the business was told the outcome once, signed", wrong)
    }

    /// The outcome says how the call ended, what was said, and what the business wants to know of it.
    fn content(&self) -> Check {
        let what = "the outcome has the summary, the order's number and the transcript";
        let Some(Delivery { body, .. }) = self.deliveries.last() else {
            return check(what, Some("there is none".to_owned()));
        };
        let wrong = [
            ("complete", body["complete"] == true),
            ("ending", body["ending"] == "agent_said_goodbye"),
            ("turns", body["turns"].as_u64().is_some_and(|turns| turns > 0)),
            ("summary", body["summary"].as_str().is_some_and(|words| !words.is_empty())),
            ("extracted", body["extracted"]["order"] == "427"),
            ("transcript", body["transcript"].as_array().is_some_and(|lines| !lines.is_empty())),
        ];
        let wrong: Vec<&str> =
            wrong.into_iter().filter(|(_, is_right)| !is_right).map(|(key, _)| key).collect();
        check(what, (!wrong.is_empty()).then(|| format!("wrong: {}", wrong.join(", "))))
    }
}

fn asked(lookups: &[Lookup]) -> Check {
    let wrong = (lookups.len() != 1).then(|| format!("it was asked {} times", lookups.len()));
    check("the business was asked who is calling, once", wrong)
}

/// The model was asked for exactly the greeting with the customer's name. That it was heard is another check.
fn greeted_by_name(evidence: &Evidence<CallReport>) -> Check {
    let text = clips::agent_greeting_amina().text;
    let requests =
        evidence.sessions.iter().flat_map(|session| session.events_of(Side::Client, "response.create"));
    let asked =
        requests.map(|event| event["response"]["instructions"].as_str().unwrap_or_default().to_owned());
    let wrong = match asked.into_iter().next() {
        Some(words) if words.contains(&text) => None,
        Some(words) => Some(format!("the model was asked: {words}")),
        None => Some("the model was not asked to greet".to_owned()),
    };
    check("the caller was greeted by name", wrong)
}
