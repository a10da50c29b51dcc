//! Reads any bytes as a webhook, alone and in a batch with a connect, which must ring all the same.

use serde_json::{Value, json};
use whatsapp::{NoticeKind, notice};

pub(crate) fn run(data: &[u8]) {
    let Ok(batch) = notice::read(data) else {
        return;
    };
    for notice in &batch.notices {
        assert!(notice.call_id().is_none_or(|id| !id.is_empty()));
        assert!(serde_json::to_value(notice).is_ok());
    }
    let Ok(body) = serde_json::from_slice::<Value>(data) else {
        return;
    };
    let (value, entry) = (body.pointer("/entry/0/changes/0/value"), body.pointer("/entry/0"));
    let calls = value.and_then(|value| value.pointer("/calls/0")).unwrap_or(&body);
    assert_rings(&json!({"entry": [entry, connecting(json!([connect()]))]}));
    assert_rings(&json!({"entry": [body, connecting(json!([connect()]))]}));
    assert_rings(&json!({"entry": [connecting(json!([calls, connect(), body]))]}));
}

fn assert_rings(body: &Value) {
    let batch = notice::read(body.to_string().as_bytes()).expect("what was JSON is JSON among other things");
    let rings = |notice: &whatsapp::Notice| notice.what == NoticeKind::Offer("v=0\r\n".into());
    assert!(batch.notices.iter().any(|notice| rings(notice) && notice.call_id() == Some("wacid.MIXED")));
}

fn connecting(calls: Value) -> Value {
    let value = json!({"metadata": {"phone_number_id": "1"}, "calls": calls});
    json!({"changes": [{"field": "calls", "value": value}]})
}

fn connect() -> Value {
    json!({"id": "wacid.MIXED", "event": "connect", "session": {"sdp_type": "offer", "sdp": "v=0\r\n"}})
}
