//! Responses that bring nothing to hear, or half a sentence.

use super::*;
use crate::{Cut, Reply, Script};

#[test]
fn a_reply_may_be_written_though_sound_was_asked_for() {
    let mut rig = Rig::greeted(with(InjectedFault::Writes { responses: 1 }));

    let response = &rig.last("response.done")["response"];
    assert_eq!(response["status"], "completed");
    assert_eq!(response["output"][0]["content"][0]["type"], "output_text");
    assert_eq!(response["output_modalities"], json!(["audio"]));
    assert_eq!(rig.spoken(), [""; 0]);
    rig.respond(json!({}));
    assert_eq!(rig.spoken().len(), 1, "once");
}

#[test]
fn a_response_may_be_completed_with_nothing_in_it() {
    for (fault, times) in [(InjectedFault::SaysNothing { responses: 2 }, 2), (InjectedFault::Mute, 3)] {
        let mut rig = Rig::configured(with(fault));
        for _ in 0..3 {
            rig.respond(json!({}));
        }

        let empty = |done: &&&Value| done["response"]["output"] == json!([]);
        assert_eq!(rig.all("response.done").iter().filter(empty).count(), times, "{fault}");
    }
}

#[test]
fn a_cut_sentence_continues_when_asked() {
    let mut rig = Rig::configured(with(InjectedFault::RunsOut { after_deltas: 3 }));

    rig.respond(json!({"instructions": "Greet."}));
    let response = rig.last("response.done")["response"].clone();
    assert_eq!(response["status"], "incomplete");
    assert_eq!(&response["status_details"], &json!({"type": "incomplete", "reason": "max_output_tokens"}));
    assert_eq!(response["output"][0]["status"], "incomplete");
    rig.respond(json!({"instructions": "Go on."}));

    assert_eq!(rig.spoken(), ["agent-greeting", "agent-greeting-rest"]);
    let sent: u64 = rig.session.report().spoken.iter().map(|spoken| spoken.sent_ms).sum();
    assert!(sent.abs_diff(clips::agent_greeting().duration().as_millis() as u64) <= 2, "{sent}");
}

#[test]
fn a_cut_sentence_is_forgotten_once_the_caller_speaks() {
    let cut = Reply::speech(clips::agent_greeting()).cut_short(Cut::ContentFilter);
    let script = Script::new(cut, [Reply::speech(clips::agent_answer())]);
    let mut rig = Rig::greeted(Config { script, ..config() });
    assert_eq!(rig.last("response.done")["response"]["status_details"]["reason"], "content_filter");

    rig.exchange();

    assert_eq!(rig.spoken(), ["agent-greeting", "agent-answer"]);
}

#[test]
fn a_filtered_response_has_nothing_in_it() {
    let rig = Rig::greeted(with(InjectedFault::Filters));

    let response = &rig.last("response.done")["response"];
    assert_eq!((&response["status"], &response["output"]), (&json!("incomplete"), &json!([])));
}

#[test]
fn a_call_ends_in_the_middle_of_its_arguments() {
    let lookup = Reply::call("find_order", "{\"order\":\"1234\"}", Reply::speech(clips::agent_order()));
    let script = Script::new(Reply::speech(clips::agent_greeting()), [lookup]);
    let mut rig = Rig::configured(Config { script, ..with(InjectedFault::CutsCalls) });
    rig.configure(
        json!({"tools": [{"type": "function", "name": "find_order", "parameters": {"type": "object"}}]}),
    );
    rig.take_turn();
    rig.pass(ms(1_000));

    let call = rig.last("response.done")["response"]["output"][0].clone();
    assert_eq!((&call["type"], &call["status"]), (&json!("function_call"), &json!("incomplete")));
    assert_eq!(rig.all("response.function_call_arguments.done").len(), 0);
    assert!(!rig.has_seen(|seen| matches!(seen, ObservationKind::FunctionCalled { .. })));

    rig.send(json!({"type": "conversation.item.delete", "item_id": call["id"]}));
    rig.respond(json!({}));

    assert!(rig.has_seen(|seen| matches!(seen, ObservationKind::FunctionCalled { .. })), "once");
    assert!(rig.violations().is_empty(), "{:?}", rig.violations());
}

#[test]
fn a_goodbye_may_be_written() {
    let script = Script::about_bikes().aside("Say goodbye", Reply::speech(clips::agent_goodbye()));
    let mut rig = Rig::greeted(Config { script, ..with(InjectedFault::MuteAsides) });

    rig.respond(json!({"instructions": "Say goodbye."}));
    rig.respond(json!({"instructions": "Say goodbye."}));

    assert_eq!(rig.spoken(), ["agent-greeting"]);
    assert_eq!(rig.last("response.output_text.done")["text"], clips::agent_goodbye().text);
}

#[test]
fn a_delta_is_obfuscated() {
    let rig = Rig::greeted(config());

    let lacks_it = |event: &&Value| {
        event["type"].as_str().is_some_and(|kind| kind.ends_with(".delta"))
            && !event["obfuscation"].is_string()
    };
    assert_eq!(rig.inbox.iter().find(lacks_it), None);
}

#[test]
fn an_update_takes_as_long_as_configured() {
    let mut rig = Rig::connected(Config { configuring: ms(260), ..config() });
    rig.inbox.clear();
    rig.configure(json!({"instructions": "Be brief."}));

    rig.pass(ms(259));
    assert_eq!(rig.received(), [""; 0]);
    rig.pass(ms(1));

    assert_eq!(rig.received(), ["session.updated"]);
}

#[test]
fn a_client_may_close_its_session() {
    let mut rig = Rig::configured(config());

    rig.ask("session.close");

    assert_eq!(rig.ending, Some(Output::Close { code: 1_000, reason: String::new() }));
    assert!(rig.violations().is_empty(), "{:?}", rig.violations());
}
