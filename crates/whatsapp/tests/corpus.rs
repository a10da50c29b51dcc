//! Every webhook of `fixtures/whatsapp` parses to its expected reading, and none keeps a call beside it from being read.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use whatsapp::{Batch, NoticeKind, notice};

#[test]
fn every_webhook_parses_to_its_expected_reading() {
    let corpus = corpus();
    assert!(corpus.len() >= 60, "{}", corpus.len());
    for (name, body) in corpus {
        let expected =
            std::fs::read(folder().join(format!("{name}.expected.json"))).expect("it is in the folder");
        let expected: Value = serde_json::from_slice(&expected).expect("it is JSON");

        let reading = serde_json::to_value(read(&body)).expect("a reading is JSON");

        assert_eq!(reading, expected, "{name}");
    }
}

#[test]
fn sources_name_every_webhook_once() {
    let sources = std::fs::read_to_string(folder().join("SOURCES.md")).expect("it is in the folder");
    for (name, _) in corpus() {
        assert_eq!(sources.matches(&format!("- `{name}`\n")).count(), 1, "{name}");
    }
}

#[test]
fn no_entry_costs_a_connect_before_or_after_it() {
    let connect =
        format!("{{\"changes\":[{{\"field\":\"calls\",\"value\":{}}}]}}", value(json!([connect()])));
    let mut mixed = 0;
    for (name, body) in corpus() {
        // As text, because one of them is not strict JSON.
        let body = String::from_utf8(body).expect("a fixture is text");
        let Some((head, tail)) = body.split_once("\"entry\": [") else {
            continue;
        };
        let (items, end) = tail.rsplit_once(']').expect("the list ends");
        for list in [format!("{connect}, {items}"), format!("{items}, {connect}")] {
            assert_rings(&format!("{head}\"entry\": [{list}]{end}"), &name);
        }
        mixed += 1;
    }
    assert!(mixed >= 60, "{mixed}");
}

#[test]
fn no_change_and_no_call_costs_a_connect_beside_it() {
    let (mut changes, mut calls) = (0, 0);
    for (name, body) in corpus() {
        let Ok(body) = serde_json::from_slice::<Value>(&body) else {
            continue;
        };
        for at_end in [false, true] {
            let change = json!({"field": "calls", "value": value(json!([connect()]))});
            changes += mixed(&body, "/entry/0/changes", &change, at_end, &name);
            calls += mixed(&body, "/entry/0/changes/0/value/calls", &connect(), at_end, &name);
        }
    }
    assert!(changes >= 120 && calls >= 80, "{changes} {calls}");
}

/// Inserts an item into the list at the JSON pointer, if there is one.
fn mixed(body: &Value, pointer: &str, item: &Value, at_end: bool, name: &str) -> usize {
    let mut body = body.clone();
    // Calls do not come in other fields, chats among them.
    let is_for_calls = !pointer.ends_with("calls")
        || body.pointer("/entry/0/changes/0/field").is_none_or(|field| field.as_str().is_some_and(is_calls));
    let Some(list) = body.pointer_mut(pointer).and_then(Value::as_array_mut).filter(|_| is_for_calls) else {
        return 0;
    };
    list.insert(if at_end { list.len() } else { 0 }, item.clone());
    assert_rings(&body.to_string(), name);
    1
}

fn is_calls(field: &str) -> bool {
    field.eq_ignore_ascii_case("calls")
}

fn assert_rings(body: &str, name: &str) {
    let offer = NoticeKind::Offer("v=0\r\n".into());
    let batch = read(body.as_bytes());
    let rings =
        batch.notices.iter().any(|notice| notice.call_id() == Some("wacid.MIXED") && notice.what == offer);
    assert!(rings, "beside {name}: {batch:#?}");
}

fn read(body: &[u8]) -> Batch {
    notice::read(body).expect("it is JSON")
}

fn value(calls: Value) -> Value {
    json!({"metadata": {"phone_number_id": "220000000000002"}, "calls": calls})
}

fn connect() -> Value {
    json!({"id": "wacid.MIXED", "from": "919900000002", "event": "connect", "timestamp": "1795305600",
        "session": {"sdp_type": "offer", "sdp": "v=0\r\n"}})
}

/// Names and bodies.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let files = std::fs::read_dir(folder()).expect("the fixtures are there");
    let paths = files.map(|file| file.expect("it can be listed").path());
    let bodies =
        paths.filter(|path| path.extension().is_some_and(|kind| kind == "json")).filter_map(|path| {
            let name = path.file_stem()?.to_str()?.to_owned();
            let is_body = !name.ends_with(".expected");
            is_body.then(|| (name, std::fs::read(&path).expect("a fixture can be read")))
        });
    bodies.collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/whatsapp")
}
