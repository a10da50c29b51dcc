//! Pitfalls of webhook parsing; the corpus in `fixtures/whatsapp` has the ordinary shapes.

use super::*;
use serde_json::json;

#[test]
fn a_connect_is_an_offer_from_a_caller() {
    let notice = one(read_calls(json!([connect()]), json!([])));

    assert_eq!(notice.what, NoticeKind::Offer("v=0\r\n".into()));
    assert_eq!(notice.number(), Some("220000000000002"));
    assert_eq!(notice.caller.number.as_deref(), Some("919900000001"));
    assert_eq!(notice.stamped_at, Some(1_795_305_600));
}

#[test]
fn a_caller_needs_no_number_direction_or_contact() {
    let mut call = connect();
    for field in ["from", "direction"] {
        call.as_object_mut().expect("it is an object").remove(field);
    }

    let notice = one(read_calls(json!([call]), json!([])));

    assert_eq!(notice.caller, Caller { number: None, user_id: Some("IN.555".into()) });
    assert_eq!(notice.what, NoticeKind::Offer("v=0\r\n".into()));
}

#[test]
fn an_unreadable_item_is_reported_and_costs_no_other() {
    let odd = json!([{"event": "connect"}, 7, {"id": "wacid.X", "event": "juggle"}, connect()]);

    let notices = read_calls(odd, json!("no list"));

    let what: Vec<_> = notices.iter().map(|notice| &notice.what).collect();
    let offer = NoticeKind::Offer("v=0\r\n".into());
    assert_eq!(what, [&NoticeKind::Unreadable, &NoticeKind::Unreadable, &NoticeKind::Unknown, &offer]);
    assert_eq!(notices[2].event, "juggle");
}

#[test]
fn a_terminate_has_each_error_of_both_places_once() {
    let call =
        json!({"id": "wacid.A", "event": "Terminate", "status": "Failed", "errors": [{"code": 138021}]});

    let notice = one(read_calls(json!([call]), json!([{"code": "138023"}, {"code": 138_021}])));

    assert_eq!(notice.what, NoticeKind::Over { errors: vec![138_021, 138_023], talked_s: None });
    assert_eq!(notice.status, "failed");
}

#[test]
fn errors_beside_two_calls_belong_to_neither() {
    let call = |id: &str| json!({"id": id, "event": "terminate"});

    let notices = read_calls(json!([call("wacid.A"), call("wacid.B")]), json!([{"code": 138_021}]));

    assert_eq!(notices[0].what, NoticeKind::Over { errors: vec![], talked_s: None });
    assert_eq!(notices[1].what, NoticeKind::Over { errors: vec![], talked_s: None });
    assert_eq!(notices[2].what, NoticeKind::Trouble { errors: vec![138_021] });
    assert_eq!(notices[2].about, NoticeSubject::Number("220000000000002".into()));
}

#[test]
fn each_call_of_a_value_has_its_own_contact() {
    let hidden = |id: &str, user: &str| json!({"id": id, "from_user_id": user, "event": "connect"});
    let value = json!({"metadata": {"phone_number_id": "2"},
        "contacts": [{"wa_id": "91", "user_id": "IN.1"}, {"wa_id": "92", "user_id": "IN.2"}],
        "calls": [hidden("wacid.B", "IN.2"), hidden("wacid.A", "IN.1"), hidden("wacid.C", "IN.3")]});

    let notices = read_value(value);

    let numbers: Vec<_> = notices.iter().map(|notice| notice.caller.number.as_deref()).collect();
    assert_eq!(numbers, [Some("92"), Some("91"), None]);
}

#[test]
fn the_answer_to_a_call_we_made_is_no_offer() {
    let mut call = connect();
    call["session"]["sdp_type"] = json!("ANSWER");

    assert_eq!(one(read_calls(json!([call]), json!([]))).what, NoticeKind::Answer);
}

#[test]
fn counts_other_peoples_chats_and_keeps_nothing() {
    let value = json!({"messages": [{"id": "wamid.A", "text": {"body": "secret"}}, {"id": "wamid.B"}],
        "statuses": [{"id": "wamid.C", "status": "read"}]});
    let body = json!({"entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]});

    let batch = read(body.to_string().as_bytes()).expect("it is JSON");

    assert_eq!(batch, Batch { notices: vec![], chats: 3 });
}

#[test]
fn keeps_no_content_of_an_unknown_field() {
    let change = json!({"field": "history", "value": {"chats": ["secret"]}});
    let body = json!({"entry": [{"id": "1", "changes": [change]}]});

    let notice = one(read(body.to_string().as_bytes()).expect("it is JSON").notices);

    assert_eq!(notice.what, NoticeKind::UnknownField { bytes: 20 });
    assert!(!format!("{notice:?}").contains("secret"));
}

#[test]
fn the_digest_does_not_depend_on_the_order_of_keys() {
    let digest = |change: &str| {
        let body = format!(r#"{{"entry":[{{"id":"1","changes":[{{"field":"x","value":{change}}}]}}]}}"#);
        one(read(body.as_bytes()).expect("it is JSON").notices).digest
    };

    assert_eq!(digest(r#"{"a":1,"b":{"c":2,"d":3}}"#), digest(r#"{"b":{"d":3,"c":2},"a":1}"#));
    assert_ne!(digest(r#"{"a":1}"#), digest(r#"{"a":2}"#));
}

#[test]
fn a_body_without_entries_is_unreadable_and_non_json_an_error() {
    assert_eq!(one(read(b"[]").expect("it is JSON").notices).what, NoticeKind::Unreadable);
    assert!(read(b"{").is_err());
}

#[test]
fn finds_the_old_user_id_in_the_only_contact_or_nested() {
    let contact = json!({"wa_id": "919900000001", "user_id": "IN.11110000"});
    let plain = json!({"type": "user_changed_user_id", "user_id": "IN.22220000"});
    let nested = json!({"type": "user_changed_user_id",
        "user_id": {"previous": "IN.11110000", "current": "IN.22220000"}, "change": [{"wa_id": "919900000001"}]});
    let all = ["919900000001", "IN.11110000", "IN.22220000"];

    assert_eq!(changed_names(json!([]), &plain, &json!([contact])), all);
    assert_eq!(changed_names(json!([]), &nested, &json!([])), all);
    let stranger = json!({"from": "44", "type": "text"});
    assert_eq!(changed_names(json!([stranger]), &plain, &json!([contact])), [""; 0], "it may be another's");
}

#[test]
fn ignores_values_that_only_look_like_names() {
    let system = json!({"type": "user_changed_number", "wa_id": "919900000002", "code": "919900000003",
        "previous": "919900000004", "meta": {"request": 1234567}, "body": "919900000005"});
    let contact = json!({"wa_id": "919900000001"});

    assert_eq!(changed_names(json!([]), &system, &json!([contact])), ["919900000001", "919900000002"]);
}

fn changed_names(others: Value, system: &Value, contacts: &Value) -> Vec<String> {
    let mut messages = others.as_array().expect("it is a list").clone();
    messages.push(json!({"id": "wamid.S1", "type": "system", "system": system}));
    let value = json!({"metadata": {"phone_number_id": "2"}, "contacts": contacts, "messages": messages});
    let body = json!({"entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]});
    let batch = read(body.to_string().as_bytes()).expect("it is JSON");
    let names = batch.notices.into_iter().flat_map(|notice| match notice.what {
        NoticeKind::UserChanged { names } => names,
        other => panic!("{other:?}"),
    });
    names.collect()
}

fn connect() -> Value {
    json!({"id": "wacid.A", "from": "919900000001", "from_user_id": "IN.555", "event": "connect",
        "timestamp": "1795305600", "direction": "USER_INITIATED",
        "session": {"sdp_type": "offer", "sdp": "v=0\r\n"}})
}

fn read_calls(calls: Value, errors: Value) -> Vec<Notice> {
    let metadata = json!({"phone_number_id": 220_000_000_000_002_u64});
    read_value(json!({"metadata": metadata, "calls": calls, "errors": errors}))
}

fn read_value(value: Value) -> Vec<Notice> {
    let body = json!({"entry": [{"changes": [{"field": "calls", "value": value}]}]});
    read(body.to_string().as_bytes()).expect("it is JSON").notices
}

fn one(notices: Vec<Notice>) -> Notice {
    assert_eq!(notices.len(), 1, "{notices:#?}");
    notices.into_iter().next().expect("there is one")
}
