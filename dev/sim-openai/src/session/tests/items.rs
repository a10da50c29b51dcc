//! Changes of the conversation by the client.

use super::*;

#[test]
fn an_item_of_the_client_is_added_and_done() {
    let mut rig = Rig::configured(config());

    rig.send(message("mine", "user", "input_text"));

    assert_eq!(rig.received(), ["conversation.item.added", "conversation.item.done"]);
    assert_eq!(rig.inbox[1]["item"]["id"], "mine");
    assert_eq!(rig.inbox[1]["item"]["status"], "completed");
}

#[test]
fn replayed_turns_count_as_turns() {
    let mut rig = Rig::configured(config());
    rig.send(message("a", "user", "input_text"));
    rig.send(message("b", "assistant", "output_text"));
    rig.send(message("c", "user", "input_text"));

    rig.ask("response.create");
    rig.pass(ms(1_000));

    assert_eq!(rig.session.report().spoken[0].clip, "agent-long");
}

#[test]
fn the_same_id_cannot_be_used_twice() {
    let mut rig = Rig::configured(config());
    rig.send(message("mine", "user", "input_text"));

    rig.send(message("mine", "user", "input_text"));

    assert_eq!(rig.error().0, "item_create_duplicate_item_id");
}

#[test]
fn assistant_sound_cannot_be_created() {
    let mut rig = Rig::configured(config());

    rig.send(message("mine", "assistant", "output_audio"));
    assert_eq!(rig.error().0, "invalid_value");
    rig.send(message("mine", "assistant", "text"));
    assert_eq!(rig.error().0, "invalid_value");
}

#[test]
fn an_item_goes_where_it_is_put() {
    let mut rig = Rig::configured(config());
    rig.send(message("a", "user", "input_text"));
    let mut first = message("b", "user", "input_text");
    first["previous_item_id"] = json!("root");

    rig.send(first);

    assert_eq!(rig.last("conversation.item.added")["previous_item_id"], Value::Null);
    assert_eq!(rig.session.conversation.last_id(), Some("a"));
}

#[test]
fn an_item_can_be_retrieved_until_it_is_deleted() {
    let mut rig = Rig::configured(config());
    rig.send(message("mine", "system", "input_text"));

    rig.send(json!({"type": "conversation.item.retrieve", "item_id": "mine"}));
    assert_eq!(rig.last("conversation.item.retrieved")["item"]["role"], "system");
    rig.send(json!({"type": "conversation.item.delete", "item_id": "mine"}));
    assert_eq!(rig.last("conversation.item.deleted")["item_id"], "mine");

    rig.send(json!({"type": "conversation.item.retrieve", "item_id": "mine"}));
    assert_eq!(rig.error().0, "item_retrieve_invalid_item_id");
    rig.send(json!({"type": "conversation.item.delete", "item_id": "mine"}));
    assert_eq!(rig.error().0, "item_delete_invalid_item_id");
}

fn message(id: &str, role: &str, part: &str) -> Value {
    let item =
        json!({"id": id, "type": "message", "role": role, "content": [{"type": part, "text": "Hello."}]});
    json!({"type": "conversation.item.create", "item": item})
}
