//! Reads the webhook: every item of every array, each on its own.
//!
//! Meta batches, adds fields without notice and leaves out any that can be personal. So nothing here is
//! required but a call id and a number, and an item that cannot be read never costs another one.

use serde_json::Value;

/// One thing that Meta tells us about one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Meta's call id. It holds phone numbers: never log it.
    pub call_id: String,
    /// The id of the business number it is about.
    pub number: String,
    /// Meta's name of the event, in lower case.
    pub event: String,
    /// Meta's name of the status, in lower case; empty when there is none.
    pub status: String,
    /// When Meta says it happened, seconds since 1970.
    pub stamped_at: Option<u64>,
    /// Who calls.
    pub caller: Caller,
    /// What it means.
    pub what: What,
}

/// The person on WhatsApp. Either may be missing: people can hide their number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller {
    /// Phone number, digits only.
    pub number: Option<String>,
    /// Business-scoped user id.
    pub user_id: Option<String>,
}

/// What a notice means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Somebody calls, with this SDP offer.
    Offer(String),
    /// The call is over. Codes of Meta's errors, if it ended with any.
    Over {
        /// Such as 138021.
        errors: Vec<u64>,
    },
    /// Anything else; recorded, not acted on.
    Other,
}

/// Every notice about a call in a webhook's body.
///
/// # Errors
/// When the body is not JSON.
pub fn read(body: &[u8]) -> Result<Vec<Notice>, serde_json::Error> {
    let body: Value = serde_json::from_slice(body)?;
    let changes = list(&body, "entry").flat_map(|entry| list(entry, "changes"));
    let calls = changes.filter(|change| text(change, "field").as_deref() == Some("calls"));
    Ok(calls.filter_map(|change| change.get("value")).flat_map(read_value).collect())
}

fn read_value(value: &Value) -> Vec<Notice> {
    let Some(number) = value.get("metadata").and_then(|metadata| text(metadata, "phone_number_id")) else {
        return vec![];
    };
    let contact = list(value, "contacts").next();
    let calls = list(value, "calls").filter_map(|call| read_call(call, &number, contact, value));
    let statuses = list(value, "statuses").filter_map(|status| read_status(status, &number));
    calls.chain(statuses).collect()
}

fn read_call(call: &Value, number: &str, contact: Option<&Value>, value: &Value) -> Option<Notice> {
    let event = lower(call, "event");
    Some(Notice {
        call_id: text(call, "id")?,
        number: number.to_owned(),
        what: meaning(&event, call, value),
        event,
        status: lower(call, "status"),
        stamped_at: text(call, "timestamp").and_then(|seconds| seconds.parse().ok()),
        caller: Caller {
            number: text(call, "from").or_else(|| contact.and_then(|contact| text(contact, "wa_id"))),
            user_id: text(call, "from_user_id")
                .or_else(|| contact.and_then(|contact| text(contact, "user_id"))),
        },
    })
}

fn meaning(event: &str, call: &Value, value: &Value) -> What {
    match event {
        "connect" => match call.get("session") {
            // A missing direction with an offer is a caller of ours; an answer belongs to a call that we made.
            Some(session) if lower(session, "sdp_type") == "offer" => {
                text(session, "sdp").map_or(What::Other, What::Offer)
            }
            Some(_) | None => What::Other,
        },
        "terminate" => What::Over { errors: error_codes(call).chain(error_codes(value)).collect() },
        _ => What::Other,
    }
}

fn read_status(status: &Value, number: &str) -> Option<Notice> {
    if lower(status, "type") != "call" {
        return None;
    }
    Some(Notice {
        call_id: text(status, "id")?,
        number: number.to_owned(),
        event: "status".to_owned(),
        status: lower(status, "status"),
        stamped_at: text(status, "timestamp").and_then(|seconds| seconds.parse().ok()),
        caller: Caller { number: text(status, "recipient_id"), user_id: text(status, "recipient_user_id") },
        what: What::Other,
    })
}

fn error_codes(holder: &Value) -> impl Iterator<Item = u64> {
    list(holder, "errors").filter_map(|error| text(error, "code")?.parse().ok())
}

fn list<'a>(holder: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    holder.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// A text, or a number as text: Meta writes ids and times as either.
fn text(holder: &Value, name: &str) -> Option<String> {
    match holder.get(name)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn lower(holder: &Value, name: &str) -> String {
    text(holder, name).unwrap_or_default().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_connect_is_an_offer_from_a_caller() {
        let notices = read_calls(json!([connect()]), json!([]));

        assert_eq!(notices[0].what, What::Offer("v=0\r\n".into()));
        assert_eq!(notices[0].number, "220000000000002");
        assert_eq!(notices[0].caller.number.as_deref(), Some("919900000001"));
        assert_eq!(notices[0].stamped_at, Some(1_795_305_600));
    }

    #[test]
    fn a_caller_without_a_number_a_direction_or_contacts_is_a_caller_all_the_same() {
        let mut call = connect();
        for field in ["from", "direction"] {
            call.as_object_mut().expect("it is an object").remove(field);
        }

        let notices = read_calls(json!([call]), json!([]));

        assert_eq!(notices[0].caller, Caller { number: None, user_id: Some("IN.555".into()) });
        assert_eq!(notices[0].what, What::Offer("v=0\r\n".into()));
    }

    #[test]
    fn an_item_that_cannot_be_read_costs_no_other() {
        let odd = json!([{"event": "connect"}, 7, {"id": "wacid.X", "event": "juggle"}, connect()]);

        let notices = read_calls(odd, json!("no list"));

        assert_eq!(notices.len(), 2);
        assert_eq!((&notices[0].what, notices[0].event.as_str()), (&What::Other, "juggle"));
    }

    #[test]
    fn a_terminate_carries_the_errors_of_both_places() {
        let call =
            json!({"id": "wacid.A", "event": "Terminate", "status": "Failed", "errors": [{"code": 138021}]});

        let notices = read_calls(json!([call]), json!([{"code": "138023"}]));

        assert_eq!(notices[0].what, What::Over { errors: vec![138_021, 138_023] });
        assert_eq!(notices[0].status, "failed");
    }

    #[test]
    fn the_answer_to_a_call_of_ours_is_no_offer() {
        let mut call = connect();
        call["session"]["sdp_type"] = json!("answer");

        assert_eq!(read_calls(json!([call]), json!([]))[0].what, What::Other);
    }

    #[test]
    fn other_fields_and_other_objects_hold_no_calls() {
        let chat =
            br#"{"entry":[{"changes":[{"field":"messages","value":{"messages":[{"id":"wamid.A"}]}}]}]}"#;

        assert_eq!(read(chat).expect("it is JSON"), []);
        assert_eq!(read(b"[]").expect("it is JSON"), []);
        assert!(read(b"{").is_err());
    }

    fn connect() -> Value {
        json!({"id": "wacid.A", "from": "919900000001", "from_user_id": "IN.555", "event": "connect",
            "timestamp": "1795305600", "direction": "USER_INITIATED",
            "session": {"sdp_type": "offer", "sdp": "v=0\r\n"}})
    }

    fn read_calls(calls: Value, errors: Value) -> Vec<Notice> {
        let body = json!({"entry": [{"changes": [{"field": "calls", "value": {
            "metadata": {"phone_number_id": 220_000_000_000_002_u64}, "calls": calls, "errors": errors}}]}]});
        read(body.to_string().as_bytes()).expect("it is JSON")
    }
}
