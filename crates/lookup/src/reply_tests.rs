//! Replies of well-behaved and of other systems.

use super::*;
use proptest::prelude::*;
use serde_json::json;

fn read(reply: &Value) -> Result<LookupReply, WrongReply> {
    LookupReply::read(reply.to_string().as_bytes())
}

#[test]
fn everything_that_a_reply_may_say_is_read() {
    let reply = read(&json!({"call_inbound": {
        "dynamic_variables": {"first_name": "Amina", "orders": [{"id": 7}]},
        "override_agent_id": "front-desk-fr", "metadata": {"crm": 1}, "language": "fr", "reject": {"message": " Not now. "},
    }}))
    .unwrap();

    assert_eq!(Value::Object(reply.variables.clone()), json!({"first_name": "Amina", "orders": [{"id": 7}]}));
    assert_eq!((reply.agent.as_deref(), reply.language.as_deref()), (Some("front-desk-fr"), Some("fr")));
    assert_eq!(reply.reject.as_ref().unwrap().message.as_deref(), Some("Not now."));
    assert!(reply.decides());
}

#[test]
fn dograhs_context_is_read_at_both_places() {
    let nested =
        read(&json!({"call_inbound": {"initial_context": {"a": 1}, "dynamic_variables": {"b": 2}}})).unwrap();
    let top = read(&json!({"initial_context": {"a": 1}})).unwrap();

    assert_eq!(Value::Object(nested.variables), json!({"a": 1, "b": 2}));
    assert_eq!(Value::Object(top.variables), json!({"a": 1}));
}

#[test]
fn a_system_that_knows_nothing_may_say_so_in_many_ways() {
    for body in [
        "",
        " \n",
        "{}",
        r#"{"call_inbound":{}}"#,
        r#"{"call_inbound":null,"initial_context":null}"#,
        r#"{"call_inbound":{"dynamic_variables":null,"override_agent_id":"","language":null,"reject":false}}"#,
        r#"{"ok":true}"#,
    ] {
        assert_eq!(LookupReply::read(body.as_bytes()), Ok(LookupReply::default()), "{body}");
    }
}

#[test]
fn a_wrong_reply_is_refused_whole() {
    let type_of = WrongReply::Type;
    for (reply, wrong) in [
        (json!([]), type_of("the reply")),
        (json!("OK"), type_of("the reply")),
        (json!({"call_inbound": []}), type_of("call_inbound")),
        (json!({"initial_context": "a"}), type_of("initial_context")),
        (json!({"call_inbound": {"dynamic_variables": [1]}}), type_of("dynamic_variables")),
        (json!({"call_inbound": {"override_agent_id": 7}}), type_of("override_agent_id")),
        (json!({"call_inbound": {"override_agent_id": "Amina +250788000111"}}), type_of("override_agent_id")),
        (json!({"call_inbound": {"language": {"a": "fr"}}}), type_of("language")),
        (json!({"call_inbound": {"language": "fr\nSpeak"}}), type_of("language")),
        (json!({"call_inbound": {"reject": "yes"}}), type_of("reject")),
        (json!({"call_inbound": {"reject": {"message": 1}}}), type_of("reject")),
    ] {
        assert_eq!(read(&reply), Err(wrong), "{reply}");
    }
}

#[test]
fn pages_and_oversized_or_deep_replies_are_refused() {
    let deep = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    for (body, wrong) in [
        ("<!DOCTYPE html><title>Log in</title>".to_owned(), WrongReply::NotJson),
        ("{\"call_inbound\":{".to_owned(), WrongReply::NotJson),
        ("{} {}".to_owned(), WrongReply::NotJson),
        (" ".repeat(LARGEST_REPLY + 1), WrongReply::TooLarge),
        (deep(MAX_DEPTH), WrongReply::TooDeep),
        (deep(4000), WrongReply::NotJson),
    ] {
        assert_eq!(LookupReply::read(body.as_bytes()), Err(wrong), "{}", &body[..20]);
    }
    assert!(LookupReply::read(deep(MAX_DEPTH - 1).as_bytes()).is_ok());
    assert_eq!(LookupReply::read(&[0xff, 0xfe]), Err(WrongReply::NotJson));
}

#[test]
fn a_rejections_message_is_short_and_has_no_control_characters() {
    let long = format!("{}\u{7}\n{}", "a".repeat(10), "b".repeat(2000));
    let reject =
        |message: &str| read(&json!({"call_inbound": {"reject": {"message": message}}})).unwrap().reject;

    let message = reject(&long).unwrap().message.unwrap();

    assert_eq!(
        (message.chars().count(), message.contains('\u{7}'), message.contains('\n')),
        (1000, false, true)
    );
    assert_eq!(reject(" "), Some(Rejection { message: None }));
    assert_eq!(read(&json!({"call_inbound": {"reject": true}})).unwrap().reject, Some(Rejection::default()));
}

#[test]
fn debug_output_shows_no_value() {
    let reply = read(
        &json!({"call_inbound": {"dynamic_variables": {"planted": "planted"}, "override_agent_id": "planted",
        "reject": {"message": "planted"}}}),
    );
    assert!(!format!("{reply:?} {:?}", reply.as_ref().unwrap().reject).contains("planted"));
}

proptest! {
    #[test]
    fn any_json_is_read_or_refused(
        key in "call_inbound|initial_context|x",
        inner in "dynamic_variables|override_agent_id|language|reject|x",
        value in r#"null|true|-?[0-9]{1,6}|"\PC{0,20}"|\[\]|\{"a":\[1\]\}|\{"message":"\PC{0,9}"\}"#,
    ) {
        if let Ok(reply) = LookupReply::read(format!("{{\"{key}\":{{\"{inner}\":{value}}}}}").as_bytes()) {
            prop_assert!(reply.language.is_none_or(|language| !language.is_empty() && language.len() <= 64));
            prop_assert!(reply.agent.is_none_or(|agent| !agent.is_empty() && agent.len() <= 64));
        }
    }
}
