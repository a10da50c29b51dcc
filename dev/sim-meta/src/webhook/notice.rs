//! The bodies of the `connect` and `terminate` webhooks.
//!
//! Shapes are those of Meta's reference and, where it contradicts itself, of a logged call: times are strings of
//! Unix seconds, `duration` is a number, errors sit in the call and beside it.

use crate::call_faults::CallFaults;
use crate::clock::Clock;
use crate::signalling::{Ended, Ending};
use crate::{CallerConfig, InjectedFault, MetaConfig};
use serde_json::{Map, Value, json};
use std::time::Instant;

/// The account our number belongs to.
pub(crate) const BUSINESS_ACCOUNT: &str = "110000000000001";
/// Another number of that account, whose webhooks come to us too.
pub(crate) const ANOTHER_NUMBER: &str = "220000000000099";
pub(crate) const ANOTHER_DISPLAY_NUMBER: &str = "15550009999";

/// The code of a message that cannot be delivered.
const UNDELIVERABLE: u32 = 131_026;

/// What the webhooks of one call have in common.
#[derive(Debug)]
pub(crate) struct Notices {
    display_phone_number: String,
    phone_number_id: String,
    call: String,
    number: Option<String>,
    user_id: String,
    name: String,
    username: Option<String>,
    payloads: Vec<(&'static str, String)>,
    has_contacts: bool,
    has_direction: bool,
}

impl Notices {
    /// The notices about `call` of this caller.
    pub(crate) fn about(
        call: &str,
        caller: &CallerConfig,
        meta: &MetaConfig,
        faults: &CallFaults,
    ) -> Notices {
        let hidden = faults.has(InjectedFault::NoFrom);
        Notices {
            display_phone_number: meta.display_phone_number.clone(),
            phone_number_id: meta.phone_number_id.clone(),
            call: call.to_owned(),
            number: caller.number.clone().filter(|_| !hidden),
            user_id: caller.user_id.clone(),
            name: caller.name.clone(),
            username: caller.username.clone(),
            payloads: payloads(caller),
            has_contacts: !faults.has(InjectedFault::NoContacts),
            has_direction: !faults.has(InjectedFault::NoDirection),
        }
    }

    pub(crate) fn of_another_number(call: &str) -> Notices {
        let (caller, meta) = (CallerConfig::of_many(99_000_001), MetaConfig::default());
        let notices = Notices::about(call, &caller, &meta, &CallFaults::default());
        Notices {
            display_phone_number: ANOTHER_DISPLAY_NUMBER.to_owned(),
            phone_number_id: ANOTHER_NUMBER.to_owned(),
            ..notices
        }
    }

    pub(crate) fn connect(&self, offer: &str, timestamp: String) -> Value {
        let mut call = self.call("connect", timestamp);
        call.extend(
            self.payloads.iter().map(|(name, payload)| ((*name).to_owned(), payload.as_str().into())),
        );
        call.insert("session".to_owned(), json!({ "sdp_type": "offer", "sdp": offer }));
        self.envelope(call, None)
    }

    /// The call is over. `opaque` is what the business gave to `accept`.
    pub(crate) fn terminate(&self, ended: &Ended, opaque: Option<&str>, clock: &Clock) -> Value {
        let mut call = self.call("terminate", clock.unix_seconds(Instant::now()).to_string());
        call.insert("status".to_owned(), status(ended.ending).into());
        if let Some(since) = ended.live_since {
            let (start, end) = (clock.unix_seconds(since), clock.unix_seconds(ended.at));
            call.insert("start_time".to_owned(), start.to_string().into());
            call.insert("end_time".to_owned(), end.to_string().into());
            call.insert("duration".to_owned(), (end - start).into());
        }
        if let Some(opaque) = opaque {
            call.insert("biz_opaque_callback_data".to_owned(), opaque.into());
        }
        self.envelope(call, errors(ended.ending))
    }

    /// A message of the business failed after it was taken. Beside what is documented, nothing says which call it was sent in.
    pub(crate) fn message_failed(
        message: &str,
        recipient: Option<&str>,
        user_id: &str,
        meta: &MetaConfig,
        timestamp: String,
    ) -> Value {
        let error = json!({
            "code": UNDELIVERABLE,
            "title": "Message undeliverable",
            "message": "Message undeliverable",
            "error_data": { "details": "Message Undeliverable." },
        });
        let mut status = object(json!({
            "id": message,
            "status": "failed",
            "timestamp": timestamp,
            "recipient_user_id": user_id,
            "errors": [error],
        }));
        status.extend(recipient.map(|number| ("recipient_id".to_owned(), number.into())));
        let value = json!({
            "messaging_product": "whatsapp",
            "metadata": {
                "display_phone_number": meta.display_phone_number,
                "phone_number_id": meta.phone_number_id,
            },
            "statuses": [status],
        });
        json!({
            "object": "whatsapp_business_account",
            "entry": [{ "id": BUSINESS_ACCOUNT, "changes": [{ "field": "messages", "value": value }] }],
        })
    }

    fn call(&self, event: &str, timestamp: String) -> Map<String, Value> {
        let mut call = object(json!({
            "id": self.call,
            "from_user_id": self.user_id,
            "to": self.display_phone_number,
            "event": event,
            "timestamp": timestamp,
        }));
        if self.has_direction {
            call.insert("direction".to_owned(), "USER_INITIATED".into());
        }
        call.extend(self.number.iter().map(|number| ("from".to_owned(), number.as_str().into())));
        call
    }

    fn envelope(&self, mut call: Map<String, Value>, errors: Option<Value>) -> Value {
        let mut value = object(json!({
            "messaging_product": "whatsapp",
            "metadata": {
                "display_phone_number": self.display_phone_number,
                "phone_number_id": self.phone_number_id,
            },
        }));
        if self.has_contacts {
            value.insert("contacts".to_owned(), json!([self.contact()]));
        }
        if let Some(errors) = errors {
            call.insert("errors".to_owned(), errors.clone());
            value.insert("errors".to_owned(), errors);
        }
        value.insert("calls".to_owned(), json!([call]));
        json!({
            "object": "whatsapp_business_account",
            "entry": [{ "id": BUSINESS_ACCOUNT, "changes": [{ "field": "calls", "value": value }] }],
        })
    }

    fn contact(&self) -> Value {
        let mut profile = object(json!({ "name": self.name }));
        profile.extend(self.username.iter().map(|name| ("username".to_owned(), name.as_str().into())));
        let mut contact = object(json!({ "profile": profile, "user_id": self.user_id }));
        contact.extend(self.number.iter().map(|number| ("wa_id".to_owned(), number.as_str().into())));
        contact.into()
    }
}

fn payloads(caller: &CallerConfig) -> Vec<(&'static str, String)> {
    let payloads = [("deeplink_payload", &caller.deeplink_payload), ("cta_payload", &caller.cta_payload)];
    payloads.into_iter().filter_map(|(name, payload)| Some((name, payload.clone()?))).collect()
}

/// "Even unanswered calls are COMPLETED."
pub(crate) fn status(ending: Ending) -> &'static str {
    match ending {
        Ending::CallerHungUp | Ending::Unanswered | Ending::Rejected | Ending::Terminated => "COMPLETED",
        Ending::NoMedia | Ending::TimedOut => "FAILED",
    }
}

/// The code a failed call carries.
pub(crate) fn code(ending: Ending) -> Option<u32> {
    match ending {
        Ending::CallerHungUp | Ending::Unanswered | Ending::Rejected | Ending::Terminated => None,
        Ending::NoMedia => Some(138_021),
        Ending::TimedOut => Some(138_007),
    }
}

fn errors(ending: Ending) -> Option<Value> {
    let code = code(ending)?;
    let (title, message, details) = match ending {
        Ending::TimedOut => ("Connection Error", "Connection Error", "Call accepted too late"),
        Ending::NoMedia
        | Ending::CallerHungUp
        | Ending::Unanswered
        | Ending::Rejected
        | Ending::Terminated => (
            "Call ended by the WhatsApp client",
            "The WhatsApp client received no media for a long time and ended the call",
            "No media was received from the business",
        ),
    };
    let data = json!({ "details": details });
    Some(json!([{ "code": code, "title": title, "message": message, "error_data": data }]))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => unreachable!("only called with object literals"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_connect_names_the_caller_twice_and_carries_the_offer() {
        let notice = notices(None).connect("v=0\r\n", "1795305600".to_owned());

        let value = &notice["entry"][0]["changes"][0]["value"];
        assert_eq!(value["contacts"][0]["wa_id"], "919900000001");
        assert_eq!(value["calls"][0]["from"], "919900000001");
        assert_eq!(value["calls"][0]["timestamp"], "1795305600");
        assert_eq!(value["calls"][0]["session"], json!({ "sdp_type": "offer", "sdp": "v=0\r\n" }));
        assert_eq!(value["contacts"][0]["profile"]["username"], "zoe.planted");
        assert_eq!(value["calls"][0]["deeplink_payload"], "planted-campaign-42");
        assert_eq!(value["calls"][0]["cta_payload"], "planted-button-7");
    }

    #[test]
    fn a_hidden_number_is_nowhere() {
        let notice = notices(Some(InjectedFault::NoFrom)).connect("v=0\r\n", "1".to_owned()).to_string();

        assert!(!notice.contains("919900000001"), "{notice}");
        assert!(notice.contains("IN.55501234567890123456"));
    }

    #[test]
    fn contacts_or_direction_may_be_missing_and_nothing_else_is() {
        let connect = |fault| notices(fault).connect("v=0\r\n", "1".to_owned());
        let whole = connect(None);

        let mut bare = connect(Some(InjectedFault::NoContacts));
        assert_eq!(bare["entry"][0]["changes"][0]["value"].get("contacts"), None);
        bare["entry"][0]["changes"][0]["value"]["contacts"] = json!([notices(None).contact()]);
        assert_eq!(bare, whole);

        let mut bare = connect(Some(InjectedFault::NoDirection));
        let call = &mut bare["entry"][0]["changes"][0]["value"]["calls"][0];
        assert_eq!(call.get("direction"), None);
        call["direction"] = "USER_INITIATED".into();
        assert_eq!(bare, whole);
    }

    #[test]
    fn an_answered_call_ends_with_times_that_fit_its_duration() {
        let call = terminate(Ending::CallerHungUp, Some(Duration::from_millis(12_900)));

        let seconds = |key: &str| call[key].as_str().unwrap().parse::<u64>().unwrap();
        assert_eq!(call["status"], "COMPLETED");
        assert_eq!(call["duration"].as_u64(), Some(seconds("end_time") - seconds("start_time")));
        assert_eq!(call["biz_opaque_callback_data"], "sess-1");
    }

    #[test]
    fn an_unanswered_call_has_no_times() {
        let call = terminate(Ending::Unanswered, None);

        assert_eq!(call["status"], "COMPLETED");
        assert_eq!((call.get("start_time"), call.get("end_time"), call.get("duration")), (None, None, None));
    }

    #[test]
    fn a_failed_call_carries_its_error_in_both_places() {
        let ended = ended(Ending::NoMedia, Some(Duration::from_secs(20)));
        let notice = notices(None).terminate(&ended, None, &Clock::starting_now());

        let value = &notice["entry"][0]["changes"][0]["value"];
        assert_eq!(value["calls"][0]["status"], "FAILED");
        assert_eq!(value["calls"][0]["errors"][0]["code"], 138_021);
        assert_eq!(value["errors"], value["calls"][0]["errors"]);
    }

    fn terminate(ending: Ending, live: Option<Duration>) -> Value {
        let notice = notices(None).terminate(&ended(ending, live), Some("sess-1"), &Clock::starting_now());
        notice["entry"][0]["changes"][0]["value"]["calls"][0].clone()
    }

    fn ended(ending: Ending, live: Option<Duration>) -> Ended {
        let start = Instant::now();
        Ended { ending, at: start + live.unwrap_or_default(), live_since: live.map(|_| start) }
    }

    fn notices(fault: Option<InjectedFault>) -> Notices {
        Notices::about("wacid.A", &CallerConfig::default(), &MetaConfig::default(), &CallFaults::of(fault))
    }
}
