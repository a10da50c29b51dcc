//! The bodies of webhooks: a call that rings, the dashboard's test, and what a project's other work sends.

use super::{CallSpec, SipFault, headers};
use serde_json::{Value, json};

/// The event of a call that rings.
pub(crate) fn incoming(
    spec: &CallSpec,
    project: &str,
    call: &str,
    created_at: u64,
    fault: Option<SipFault>,
) -> Value {
    let mut data = json!({"call_id": call, "sip_headers": headers::of(spec, project, call, fault)});
    let security = match fault {
        Some(SipFault::PlainRtp) => Some("rtp"),
        Some(SipFault::NewFields) => Some("zrtp"),
        _ => spec.media_security.as_deref(),
    };
    if let Some(security) = security {
        data["sip_media_security"] = json!(security);
    }
    let mut event = event("realtime.call.incoming", call, created_at, data);
    if fault == Some(SipFault::NewFields) {
        event["api_version"] = json!("2027-01-01");
        event["data"]["sip_transport"] = json!({"protocol": "tls"});
    }
    event
}

/// The dashboard's "send test event": signed, and about no call.
pub(crate) fn test(created_at: u64) -> Value {
    event("realtime.call.incoming", "test", created_at, json!({}))
}

/// What else a project receives at the same endpoint, one of a kind that is not known yet among it.
pub(crate) fn others(created_at: u64) -> [Value; 3] {
    [
        event("batch.completed", "batch", created_at, json!({"id": "batch_abc123"})),
        event("live.transport.incoming", "live", created_at, json!({"transport": {"type": "sip"}})),
        event(
            "realtime.call.foretold",
            "foretold",
            created_at,
            json!({"call_id": "rtc_foretold", "odds": [0.5]}),
        ),
    ]
}

fn event(kind: &str, about: &str, created_at: u64, data: Value) -> Value {
    json!({"object": "event", "id": format!("evt_{about}"), "type": kind, "created_at": created_at, "data": data})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_event_is_what_openais_types_promise() {
        let schema =
            include_str!("../../../../fixtures/realtime-schema/webhooks/realtime.call.incoming.json");
        let schema = serde_json::from_str(schema).expect("the committed schema is JSON");
        let schema = jsonschema::validator_for(&schema).expect("the committed schema is one");
        let spec = CallSpec::new("+35699000001", "+35621000000");

        for fault in [None, Some(SipFault::OddHeaders), Some(SipFault::PlainRtp), Some(SipFault::Withheld)] {
            let event = incoming(&spec, "proj_test", "rtc_u1_abc", 1_750_287_018, fault);
            assert!(schema.is_valid(&event), "{event}");
        }
        let new = incoming(&spec, "proj_test", "rtc_u1_abc", 1_750_287_018, Some(SipFault::NewFields));
        assert!(!schema.is_valid(&new), "fields that no one has heard of are no news");
    }
}
