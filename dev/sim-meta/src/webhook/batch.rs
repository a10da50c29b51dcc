//! Puts a webhook into a batch: other news of the account, unknown things and broken ones, before it and after it.
//!
//! Meta documents batches of up to 1,000 updates. The broken items are worse than anything Meta is known to send.

use super::notice::{ANOTHER_DISPLAY_NUMBER, ANOTHER_NUMBER, BUSINESS_ACCOUNT};
use serde_json::{Value, json};

/// The notice, in the middle of everything. `stamp` is the batch's own.
pub(crate) fn around(mut notice: Value, stamp: &str) -> Value {
    let Some(change) = notice.pointer_mut("/entry/0/changes/0").map(Value::take) else {
        unreachable!("every notice of ours has one entry with one change")
    };
    json!({
        "object": "whatsapp_business_account",
        "future_key": { "nested": [null, -1.5e300, ""] },
        "entry": [
            { "id": "110000000000009", "time": stamp, "changes": [message_statuses(stamp), unknown_field()] },
            { "id": BUSINESS_ACCOUNT, "changes": [
                message_statuses(stamp),
                broken_calls(),
                among_broken_calls(change, stamp),
                json!({ "field": "calls", "value": null }),
                json!({ "field": "calls" }),
                chat(stamp),
            ] },
            { "id": BUSINESS_ACCOUNT, "changes": "none" },
            { "changes": [unknown_field(), 7, null] },
            "an entry that is none",
        ],
    })
}

/// The call keeps its place in `calls`, with unreadable items beside it.
fn among_broken_calls(mut change: Value, stamp: &str) -> Value {
    let Some(calls) = change.pointer_mut("/value/calls").and_then(Value::as_array_mut) else {
        unreachable!("every notice of ours has its call")
    };
    calls.insert(0, json!({ "event": "connect", "timestamp": stamp }));
    calls.insert(1, json!({ "id": 12, "event": ["connect"], "from": { "number": 1 } }));
    calls.push(json!({ "id": "wacid.QnJva2Vu", "event": "call_shrugged", "timestamp": "soon" }));
    calls.extend([Value::Null, json!(17), json!("connect")]);
    change
}

fn broken_calls() -> Value {
    json!({
        "field": "calls",
        "value": { "messaging_product": 1, "metadata": [], "contacts": {}, "calls": { "id": "wacid.A" } },
    })
}

/// Message statuses use the same array as those of calls.
fn message_statuses(stamp: &str) -> Value {
    let status = |status: &str| json!({ "id": "wamid.QUJD", "status": status, "timestamp": stamp, "recipient_id": "919922222222" });
    json!({
        "field": "messages",
        "value": {
            "messaging_product": "whatsapp",
            "metadata": {
                "display_phone_number": ANOTHER_DISPLAY_NUMBER,
                "phone_number_id": ANOTHER_NUMBER,
            },
            "statuses": [status("sent"), status("delivered"), status("read")],
        },
    })
}

fn chat(stamp: &str) -> Value {
    json!({
        "field": "messages",
        "value": {
            "messaging_product": "whatsapp",
            "messages": [{ "from": "919922222222", "id": "wamid.REVG", "timestamp": stamp, "type": "text",
                "text": { "body": "Are you open today?" } }],
        },
    })
}

fn unknown_field() -> Value {
    json!({ "field": "hologram_settings", "value": { "depth": 3 }, "future": true })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_call_is_in_the_middle_unchanged_and_once() {
        let call = json!({ "id": "wacid.Z", "event": "connect", "timestamp": "1" });
        let notice = json!({
            "object": "whatsapp_business_account",
            "entry": [{ "id": "1", "changes": [{ "field": "calls", "value": { "calls": [call] } }] }],
        });

        let batch = around(notice, "2");

        assert_eq!(batch["entry"][1]["changes"][2]["value"]["calls"][2], call);
        assert_eq!(batch.to_string().matches("wacid.Z").count(), 1);
    }
}
