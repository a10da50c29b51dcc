//! The model's replies.

use super::*;
use crate::{Reply, ReplyItem, Script};

#[test]
fn a_response_before_any_turn_is_the_greeting() {
    let rig = Rig::greeted(config());

    let greeting = clips::agent_greeting();
    assert_eq!(rig.last("response.output_audio_transcript.done")["transcript"], greeting.text);
    assert_eq!(sound(&rig), greeting.samples);
    let spoken = &rig.session.report().spoken[0];
    assert_eq!(spoken.clip.as_str(), "agent-greeting");
    assert_eq!(spoken.sent_ms, greeting.duration().as_millis() as u64);
}

#[test]
fn a_response_is_what_was_asked_for() {
    let mut rig = Rig::configured(config());

    rig.respond(json!({
        "instructions": "Greet.", "metadata": {"client_event_id": "hello-1"},
        "audio": {"output": {"format": {"type": "audio/pcma"}, "voice": "cedar"}},
    }));

    for kind in ["response.created", "response.done"] {
        let response = &rig.last(kind)["response"];
        assert_eq!(response["metadata"]["client_event_id"], "hello-1");
        assert_eq!(response["audio"]["output"], json!({"format": {"type": "audio/pcma"}, "voice": "cedar"}));
    }
    let bytes: usize = rig.all("response.output_audio.delta").iter().map(|delta| bytes(delta).len()).sum();
    assert_eq!(bytes, clips::agent_greeting().samples.len() / 3);
}

#[test]
fn a_reply_may_be_written() {
    let mut rig = Rig::configured(config());

    rig.respond(json!({"output_modalities": ["text"]}));

    assert_eq!(rig.last("response.output_text.done")["text"], clips::agent_greeting().text);
    assert!(rig.all("response.output_audio.delta").is_empty());
    let output = &rig.last("response.done")["response"]["output"];
    assert_eq!(output[0]["content"][0]["type"], "output_text");
}

#[test]
fn a_second_response_is_refused_while_one_is_active() {
    let mut rig = Rig::configured(config());
    rig.ask("response.create");

    rig.ask("response.create");

    assert_eq!(rig.error().0, "conversation_already_has_active_response");
    assert_eq!(rig.all("response.created").len(), 1);
    rig.pass(ms(3_000));
    rig.ask("response.create");
    assert_eq!(rig.all("response.created").len(), 2);
}

#[test]
fn a_response_out_of_band_runs_beside_and_leaves_no_trace() {
    let mut rig = Rig::configured(config());
    rig.ask("response.create");

    rig.send(json!({"type": "response.create", "response": {"conversation": "none", "output_modalities": ["text"]}}));
    rig.pass(ms(3_000));

    assert_eq!(rig.all("response.done").len(), 2);
    assert_eq!(rig.all("conversation.item.added").len(), 1);
    assert_eq!(rig.last("error"), &Value::Null);
}

#[test]
fn several_messages_are_spoken_one_after_the_other() {
    let greeting = Reply::speech(clips::agent_greeting()).and(ReplyItem::Speech(clips::agent_answer()));
    let mut rig = Rig::configured(Config { script: Script::new(greeting, []), ..config() });

    rig.ask("response.create");
    rig.pass(ms(5_000));

    let order: Vec<u64> =
        rig.all("response.output_audio.delta").iter().filter_map(|d| d["output_index"].as_u64()).collect();
    assert!(order.is_sorted() && order.first() == Some(&0) && order.last() == Some(&1));
    assert_eq!(rig.last("response.done")["response"]["output"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_function_is_called_and_its_result_is_spoken_of() {
    let mut rig = Rig::configured(with_tool());
    rig.take_turn();
    rig.pass(ms(1_000));
    let call = rig.last("response.function_call_arguments.done").clone();
    assert_eq!((&call["name"], &call["arguments"]), (&json!("find_order"), &json!("{\"order\":\"1234\"}")));
    assert_eq!(rig.last("response.done")["response"]["output"][0]["call_id"], call["call_id"]);

    rig.send(output_of(&call["call_id"]));
    rig.respond(json!({}));

    assert_eq!(rig.last("response.output_audio_transcript.done")["transcript"], clips::agent_answer().text);
    assert_eq!(rig.violations(), ["the script calls find_order, which is none of the session's tools"]);
}

#[test]
fn the_result_of_an_unknown_function_call_is_refused() {
    let mut rig = Rig::configured(config());

    rig.send(output_of(&json!("call_unknown")));

    assert_eq!(rig.error().0, "invalid_value");
}

#[test]
fn every_response_bills_the_whole_conversation_again() {
    let mut rig = Rig::greeted(config());
    let greeting = rig.last("response.done")["response"]["usage"].clone();
    rig.exchange();

    let answer = &rig.last("response.done")["response"]["usage"];
    let audio = |usage: &Value, side: &str| usage[side]["audio_tokens"].as_u64().unwrap_or_default();
    assert_eq!(audio(&greeting, "input_token_details"), 0);
    let spoken = clips::agent_greeting().duration().as_millis().div_ceil(50) as u64;
    assert_eq!(audio(&greeting, "output_token_details"), spoken);
    // The greeting, and at least two and a half seconds of the caller.
    assert!(audio(answer, "input_token_details") > audio(&greeting, "output_token_details") + 25);
}

#[test]
fn what_no_response_may_have_is_refused() {
    let mut rig = Rig::configured(config());
    let long = "x".repeat(513);
    for asked in [
        json!({"output_modalities": ["audio", "text"]}),
        json!({"metadata": {"note": long}}),
        json!({"input": [{"type": "item_reference", "id": "item_unknown"}]}),
        json!({"temperature": 1}),
    ] {
        rig.send(json!({"type": "response.create", "response": asked}));
    }

    assert_eq!(rig.all("error").len(), 4);
    assert!(rig.all("response.created").is_empty());
}

fn with_tool() -> Config {
    let after = Reply::speech(clips::agent_answer());
    let answers = vec![Reply::call("find_order", "{\"order\":\"1234\"}", after)];
    Config { script: Script::new(Reply::speech(clips::agent_greeting()), answers), ..config() }
}

fn sound(rig: &Rig) -> Vec<i16> {
    let sent: Vec<u8> = rig.all("response.output_audio.delta").into_iter().flat_map(bytes).collect();
    sent.chunks_exact(2).map(|two| i16::from_le_bytes([two[0], two[1]])).collect()
}

fn bytes(delta: &Value) -> Vec<u8> {
    BASE64.decode(delta["delta"].as_str().unwrap_or_default()).expect("sound is base64")
}
