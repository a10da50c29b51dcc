//! Barge-in: the caller speaks over the agent.

use super::*;

#[test]
fn a_caller_who_speaks_cuts_the_answer_short() {
    let (rig, _) = interrupted();

    let is_before = |name: &&str| *name != "input_audio_buffer.speech_started";
    assert_eq!(
        rig.received().into_iter().skip_while(is_before).collect::<Vec<_>>(),
        [
            "input_audio_buffer.speech_started",
            "response.output_audio.done",
            "response.output_audio_transcript.done",
            "response.content_part.done",
            "conversation.item.done",
            "response.output_item.done",
            "response.done",
            "rate_limits.updated",
        ]
    );
    let response = &rig.last("response.done")["response"];
    assert_eq!(response["status_details"], json!({"type": "cancelled", "reason": "turn_detected"}));
    assert_eq!(response["output"][0]["status"], "incomplete");
    let sent = u128::from(rig.session.report().spoken[0].sent_ms);
    assert!(sent < clips::agent_greeting().duration().as_millis(), "the whole greeting was sent: {sent} ms");
}

#[test]
fn nothing_more_is_sent_of_what_was_cut_short() {
    let (mut rig, _) = interrupted();
    rig.inbox.clear();

    rig.pass(ms(5_000));

    assert!(rig.inbox.is_empty(), "{:?}", rig.received());
}

#[test]
fn a_caller_is_let_talk_when_interrupting_is_off() {
    let mut rig = Rig::connected(config());
    rig.detect(json!({"interrupt_response": false}));
    rig.ask("response.create");
    rig.pass(ms(400));

    rig.speak(&voice());
    rig.pass(ms(3_000));

    assert_eq!(rig.last("response.done")["response"]["status"], "completed");
}

#[test]
fn a_turn_that_ends_during_a_response_gets_an_error() {
    let mut rig = Rig::connected(Config { pace: 1.0, ..config() });
    rig.detect(json!({"interrupt_response": false}));
    rig.ask("response.create");

    rig.take_turn();

    assert_eq!(rig.error().0, "conversation_already_has_active_response");
}

#[test]
fn the_client_may_cancel() {
    let mut rig = Rig::configured(config());
    rig.ask("response.create");
    rig.pass(ms(100));

    rig.ask("response.cancel");

    let response = &rig.last("response.done")["response"];
    assert_eq!(response["status_details"]["reason"], "client_cancelled");
    assert_eq!(response["output"], json!([]));
    rig.ask("response.cancel");
    assert_eq!(rig.error(), ("response_cancel_not_active", "Cancellation failed: no active response found"));
}

#[test]
fn a_truncated_item_keeps_what_was_heard_and_no_words() {
    let (mut rig, item) = interrupted();

    rig.send(truncate(&item, 120));

    assert_eq!(rig.last("conversation.item.truncated")["audio_end_ms"], 120);
    let kept = rig.session.conversation.get(&item).expect("it is in the conversation");
    assert_eq!((kept.audio_ms, &kept.json["content"][0]["transcript"]), (120, &Value::Null));
    assert_eq!(rig.session.report().spoken[0].truncated_at_ms, Some(120));
    assert!(rig.violations().is_empty());
}

#[test]
fn no_more_can_be_heard_than_was_sent() {
    let (mut rig, item) = interrupted();
    let sent = rig.session.report().spoken[0].sent_ms;

    rig.send(truncate(&item, sent + 1));

    let message = format!("Audio content of {sent}ms is already shorter than {}ms", sent + 1);
    assert_eq!(rig.error(), ("", message.as_str()));
    assert_eq!(rig.last("conversation.item.truncated"), &Value::Null);
    assert_eq!(rig.session.report().spoken[0].truncated_at_ms, None);
}

#[test]
fn an_item_cut_once_is_as_short_as_that() {
    let (mut rig, item) = interrupted();
    rig.send(truncate(&item, 100));

    rig.send(truncate(&item, 120));

    assert_eq!(rig.error().1, "Audio content of 100ms is already shorter than 120ms");
}

#[test]
fn only_the_first_part_of_the_models_speech_can_be_truncated() {
    let (mut rig, item) = interrupted();
    let mut second_part = truncate(&item, 100);
    second_part["content_index"] = json!(1);

    rig.send(truncate("item_unknown", 100));
    assert_eq!(rig.error().0, "item_truncate_invalid_item_id");
    rig.send(second_part);
    assert_eq!(rig.error().0, "invalid_value");
    rig.session.conversation.push(Item::user_speech("item_user", 900));
    rig.send(truncate("item_user", 100));
    assert_eq!(rig.error().1, "Only model output audio messages can be truncated.");
}

#[test]
fn truncating_what_was_heard_to_the_end_is_unwise() {
    let mut rig = Rig::greeted(config());
    let spoken = rig.session.report().spoken[0].clone();

    rig.send(truncate(&spoken.item_id, spoken.sent_ms));

    assert_eq!(rig.violations().len(), 1);
    assert!(rig.violations()[0].contains("only erases the transcript"));
}

#[test]
fn an_unheard_item_can_be_truncated_to_nothing_or_deleted() {
    let (mut rig, item) = interrupted();
    rig.send(written("user", "Later."));

    rig.send(truncate(&item, 0));
    assert_eq!(rig.last("conversation.item.truncated")["audio_end_ms"], 0);
    assert_eq!(rig.session.report().spoken[0].truncated_at_ms, Some(0));
    rig.send(json!({"type": "conversation.item.delete", "item_id": item}));

    assert_eq!(rig.last("conversation.item.deleted")["item_id"], item);
    assert!(rig.session.conversation.get(&item).is_none());
    assert_eq!(rig.session.conversation.users().count(), 1);
    assert!(rig.violations().is_empty(), "{:?}", rig.violations());
}

#[test]
fn a_response_is_cancelled_by_its_id_and_by_no_other() {
    let mut rig = Rig::configured(config());
    rig.ask("response.create");
    let id = rig.last("response.created")["response"]["id"].clone();

    rig.send(json!({"type": "response.cancel", "response_id": "resp_unknown"}));
    assert_eq!(rig.error().0, "response_cancel_not_active");
    assert!(rig.all("response.done").is_empty());
    rig.send(json!({"type": "response.cancel", "response_id": id}));

    assert_eq!(rig.last("response.done")["response"]["id"], id);
}

/// A greeting of which some was sent when the caller broke in.
fn interrupted() -> (Rig, String) {
    let mut rig = Rig::configured(config());
    rig.ask("response.create");
    rig.pass(ms(400));
    rig.speak(&voice());
    let item = rig.session.report().spoken[0].item_id.clone();
    (rig, item)
}

fn truncate(item: &str, audio_end_ms: u64) -> Value {
    json!({"type": "conversation.item.truncate", "item_id": item, "content_index": 0, "audio_end_ms": audio_end_ms})
}
