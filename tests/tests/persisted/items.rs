//! Stored types as DynamoDB's items: attributes with their types.

use crate::held::{hold_texts, hold_written, lines};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use journal::{CallSummary, JournalEntry, TranscriptLine};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use store::items::{Item, from_item, to_item};
use store::lease::Lease;
use store::{Assigned, CallListing, NumberSettings, StoredAgent, StoredCall, entry_item};
use tools::{Callback, Message};
use whatsapp::notice::{Media, Restriction};
use whatsapp::{Caller, NoticeKind, NoticeSubject};

#[test]
fn items_keep_their_attributes() {
    hold_items::<StoredCall>("state-items.tsv");
    hold_items::<Lease>("leases.tsv");
    hold_items::<NumberSettings>("number-settings.tsv");
    hold_items::<Assigned>("assigned.tsv");
    hold_items::<StoredAgent>("stored-agents.tsv");
    hold_items::<CallListing>("listed-calls.tsv");
    hold_items::<TranscriptLine>("lines.tsv");
    hold_items::<CallSummary>("summaries.tsv");
    hold_items::<Message>("messages-left.tsv");
    hold_items::<Callback>("callbacks.tsv");
    hold_items::<JournalEntry>("journal-entries.tsv");
    let entries = lines("journal-entries.tsv").into_iter();
    let keyed = entries.map(|(name, line)| {
        let entry: JournalEntry = serde_json::from_str(&line).unwrap();
        (format!("keyed-journal-entries.{name}"), shape(&entry_item(&entry)))
    });
    hold_texts("items.tsv", keyed);
}

#[test]
fn notices_keep_their_form() {
    let (codes, media) = (vec![131_044], || Media { id: "m1".into(), mime_type: "audio/ogg".into() });
    let notices = every!(NoticeKind;
        "offer": Offer("v=0\r\n".into()),
        "over": Over { errors: vec![138_021], talked_s: Some(9) },
        "created": Created,
        "answer": Answer,
        "ringing": Ringing,
        "accepted": Accepted,
        "rejected": Rejected,
        "recording": Recording(media()),
        "transcript": Transcript(media()),
        "message_failed": MessageFailed { message: "cd34".into(), errors: vec![131_026] },
        "user_changed": UserChanged { names: vec!["US.1".into(), "US.2".into()] },
        "voicemail": Voicemail(media()),
        "permission_reply": PermissionReply { is_granted: true, is_permanent: false, until: Some(7), is_automatic: true },
        "settings": Settings {
            calling: "enabled".into(),
            call_icon: "default".into(),
            callback: "disabled".into(),
            sip: "disabled".into(),
            key_exchange: "dtls".into(),
        },
        "violation": Violation { kind: "low_pickup_rate".into() },
        "restricted": Restricted(vec![Restriction { kind: "calling".into(), until: "7".into() }]),
        "account_changed": AccountChanged,
        "trouble": Trouble { errors: codes },
        "unknown": Unknown,
        "unknown_field": UnknownField { bytes: 12 },
        "unreadable": Unreadable,
    );
    hold_written("notices.tsv", &notices);
    let about = every!(NoticeSubject;
        "call": Call { id: "wacid.1".into(), number: Some("220".into()) },
        "number": Number("220".into()),
        "account": Account("330".into()),
    );
    hold_written("notices-about.tsv", &about);
    let caller = Caller { number: Some("15550001111".into()), user_id: Some("US.1".into()) };
    hold_written("callers.tsv", &[("whole", caller), ("least", Caller::default())]);
}

/// Each value of another file is this item, and the item is that value.
fn hold_items<T: Serialize + DeserializeOwned>(file: &str) {
    let kind = file.trim_end_matches(".tsv");
    let items = lines(file).into_iter().map(|(name, line)| {
        let value: T = serde_json::from_str(&line).unwrap();
        (format!("{kind}.{name}"), shape(&to_item(&value)))
    });
    hold_texts("items.tsv", items);
    let of_kind = |name: &str| name.strip_prefix(kind).is_some_and(|rest| rest.starts_with('.'));
    for (name, line) in lines("items.tsv").into_iter().filter(|(name, _)| of_kind(name)) {
        let value: T = from_item(item(&line)).unwrap_or_else(|error| panic!("{name}: {error:#}"));
        assert_eq!(shape(&to_item(&value)), line, "{name}");
    }
}

/// An item in DynamoDB's JSON, its attributes by name.
pub(crate) fn shape(item: &Item) -> String {
    let attributes: BTreeMap<_, _> = item.iter().map(|(name, value)| (name, shape_of(value))).collect();
    serde_json::to_string(&attributes).unwrap()
}

fn shape_of(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({"S": text}),
        AttributeValue::N(number) => json!({"N": number}),
        AttributeValue::Bool(flag) => json!({"BOOL": flag}),
        AttributeValue::Null(_) => json!({"NULL": true}),
        AttributeValue::B(bytes) => json!({"B": STANDARD.encode(bytes)}),
        AttributeValue::L(list) => json!({"L": list.iter().map(shape_of).collect::<Vec<_>>()}),
        AttributeValue::M(map) => {
            let map: BTreeMap<_, _> = map.iter().map(|(name, value)| (name, shape_of(value))).collect();
            json!({"M": map})
        }
        other => panic!("no item of ours has {other:?}"),
    }
}

fn item(line: &str) -> Item {
    let attributes: BTreeMap<String, Value> = serde_json::from_str(line).unwrap();
    attributes.iter().map(|(name, value)| (name.clone(), attribute(value))).collect()
}

fn attribute(shape: &Value) -> AttributeValue {
    let (kind, value) = shape.as_object().and_then(|shape| shape.iter().next()).unwrap();
    let text = || value.as_str().unwrap().to_owned();
    match kind.as_str() {
        "S" => AttributeValue::S(text()),
        "N" => AttributeValue::N(text()),
        "BOOL" => AttributeValue::Bool(value.as_bool().unwrap()),
        "NULL" => AttributeValue::Null(true),
        "B" => AttributeValue::B(Blob::new(STANDARD.decode(text()).unwrap())),
        "L" => AttributeValue::L(value.as_array().unwrap().iter().map(attribute).collect()),
        "M" => {
            let map = value.as_object().unwrap().iter();
            AttributeValue::M(map.map(|(name, value)| (name.clone(), attribute(value))).collect())
        }
        other => panic!("no item of ours has {other}"),
    }
}
