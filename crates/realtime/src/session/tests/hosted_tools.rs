//! Tests hosted MCP tools, which the service calls itself.

use super::reconnecting::talked;
use super::*;
use crate::HostedOutcome;

#[test]
fn an_answer_is_requested_once_call_and_response_are_over() {
    for is_over_first in [true, false] {
        for end in ["completed", "failed"] {
            let mut talk = talked();
            talk.begin_own("r");
            begins(&mut talk, "r", "m1");
            if is_over_first {
                talk.ends("r", "completed", None);
            } else {
                ended(&mut talk, "m1", end);
            }
            assert_eq!(talk.sent, [], "{end}, the response first: {is_over_first}");
            if is_over_first {
                ended(&mut talk, "m1", end);
            } else {
                talk.ends("r", "completed", None);
            }
            answers(&mut talk, "m1", "2 left");
            talk.begin("s");
            talk.done("s", "completed");
            talk.pass(90_000);

            assert_eq!(talk.kinds(), ["response.create"], "{end}, the response first: {is_over_first}");
            assert_eq!(
                outcomes(&talk),
                [if end == "failed" { HostedOutcome::Failed } else { HostedOutcome::Done }]
            );
        }
    }
}

#[test]
fn calls_of_one_response_are_one_batch_with_functions() {
    let mut talk = talked();
    talk.begin_own("r");
    begins(&mut talk, "r", "m1");
    begins(&mut talk, "r", "m2");
    talk.calls("r", "c1");
    talk.ends("r", "completed", None);
    ended(&mut talk, "m2", "completed");
    talk.act(|session, now| session.answer_tool(&"c1".into(), "{}", true, now));
    assert_eq!(talk.response_creates(), 0);

    ended(&mut talk, "m1", "failed");

    assert_eq!(talk.response_creates(), 1);
}

#[test]
fn a_call_known_only_by_its_progress_is_waited_for() {
    let mut talk = talked();
    talk.begin_own("r");
    talk.server_sends(json!({"type": "response.mcp_call.in_progress", "item_id": "m1", "output_index": 0}));
    talk.ends("r", "completed", None);
    assert_eq!(talk.sent, []);

    ended(&mut talk, "m1", "completed");

    assert_eq!(talk.kinds(), ["response.create"]);
}

#[test]
fn speech_before_a_hosted_call_changes_nothing() {
    let mut talk = talked();
    talk.begin_own("r");
    talk.speak("r", "one moment", "One moment.", 500);
    talk.finish("r", "one moment");
    begins(&mut talk, "r", "m1");
    talk.ends("r", "completed", None);
    ended(&mut talk, "m1", "completed");

    assert_eq!(talk.kinds(), ["response.create"]);
}

#[test]
fn the_answer_to_the_callers_turn_covers_a_hosted_call() {
    let mut talk = talked();
    talk.begin_own("r");
    begins(&mut talk, "r", "m1");
    talk.ends("r", "completed", None);
    talk.caller_starts("v");
    ended(&mut talk, "m1", "completed");
    talk.caller_stops("v");
    talk.begin_own("s");
    talk.done("s", "completed");
    talk.pass(20_000);

    assert_eq!(talk.response_creates(), 0);
}

#[test]
fn a_call_whose_arguments_were_cut_is_not_waited_for() {
    let mut talk = talked();
    talk.begin_own("r");
    talk.server_sends(
        json!({"type": "response.output_item.added", "response_id": "r", "item": call("m1", Value::Null)}),
    );
    talk.ends("r", "incomplete", Some("max_output_tokens"));

    assert_eq!(talk.kinds(), ["conversation.item.delete", "response.create"], "as if it had brought nothing");
    assert_eq!(outcomes(&talk), []);
}

#[test]
fn a_hosted_call_times_out_after_a_minute() {
    let mut talk = talked();
    talk.begin_own("r");
    begins(&mut talk, "r", "m1");
    talk.ends("r", "completed", None);

    talk.pass(59_999);
    assert_eq!(talk.sent, []);
    talk.pass(1);

    assert_eq!(talk.kinds(), ["response.create"]);
    assert_eq!(outcomes(&talk), [HostedOutcome::TimedOut]);
}

#[test]
fn every_late_hosted_call_reports_a_start_and_an_end() {
    for is_other_open in [true, false] {
        let mut talk = talked();
        talk.begin_own("r");
        talk.speak("r", "one moment", "One moment.", 500);
        talk.finish("r", "one moment");
        if is_other_open {
            begins(&mut talk, "r", "m1");
        }
        talk.ends("r", "completed", None);
        talk.server_sends(
            json!({"type": "response.output_item.added", "response_id": "r", "item": call("m2", Value::Null)}),
        );
        if is_other_open {
            ended(&mut talk, "m1", "completed");
        }
        talk.pass(60_000);

        let called = talk.events.iter().filter(|event| matches!(event, SessionEvent::HostedToolCalled));
        assert_eq!(called.count(), outcomes(&talk).len());
        assert_eq!(outcomes(&talk).last(), Some(&HostedOutcome::TimedOut));
        assert_eq!(talk.kinds(), ["response.create"], "another open: {is_other_open}");
    }
}

#[test]
fn a_call_first_seen_after_its_response_is_answered_once() {
    let is_added: fn(&mut Talk) = |talk| {
        talk.server_sends(json!({"type": "conversation.item.added", "item": call("m1", Value::Null)}));
        ended(talk, "m1", "completed");
    };
    let is_in_progress: fn(&mut Talk) = |talk| {
        talk.server_sends(
            json!({"type": "response.mcp_call.in_progress", "item_id": "m1", "output_index": 0}),
        );
        ended(talk, "m1", "completed");
    };
    let is_completed: fn(&mut Talk) = |talk| ended(talk, "m1", "completed");
    for (at, comes) in [is_added, is_in_progress, is_completed].into_iter().enumerate() {
        let mut talk = talked();
        talk.begin_own("r");
        talk.speak("r", "one moment", "One moment.", 500);
        talk.finish("r", "one moment");
        talk.ends("r", "completed", None);
        comes(&mut talk);
        answers(&mut talk, "m1", "2 left");
        talk.server_sends(
            json!({"type": "response.output_item.done", "response_id": "r", "item": call("m1", json!("2 left"))}),
        );
        talk.say("s", "said", "I see.", 300);
        talk.pass(90_000);

        assert_eq!(talk.kinds(), ["response.create"], "{at}");
        let called = talk.events.iter().filter(|event| matches!(event, SessionEvent::HostedToolCalled));
        assert_eq!((called.count(), outcomes(&talk)), (1, vec![HostedOutcome::Done]), "{at}");
    }
}

#[test]
fn the_outcomes_of_hosted_calls_are_replayed() {
    let mut talk = talked();
    for (response, item, end) in [("r1", "m1", "completed"), ("r2", "m2", "failed")] {
        talk.begin_own(response);
        begins(&mut talk, response, item);
        talk.ends(response, "completed", None);
        ended(&mut talk, item, end);
        if end == "completed" {
            answers(&mut talk, item, "2 left");
        }
        talk.say(&format!("after {response}"), &format!("said {response}"), "I see.", 300);
    }
    talk.forget();
    talk.down(ConnectionLoss::Failed("reset".into()));
    talk.accept();

    let replayed = talk.item_texts().join("\n");
    assert!(replayed.contains("stock.search with {\"q\":\"blue\"}. It answered: 2 left"), "{replayed}");
    assert!(replayed.contains("It failed."), "{replayed}");
}

#[test]
fn a_hosted_call_in_progress_is_replayed_as_unknown() {
    for is_over in [true, false] {
        let mut talk = talked();
        talk.begin_own("r");
        begins(&mut talk, "r", "m1");
        if is_over {
            talk.ends("r", "completed", None);
        }
        talk.down(ConnectionLoss::Failed("reset".into()));
        talk.accept();

        assert_eq!(talk.response_creates(), 1, "its response is over: {is_over}");
        assert!(
            talk.item_texts().iter().any(|replayed| replayed.contains("not known what came of it")),
            "{:?}",
            talk.item_texts()
        );
        assert_eq!(outcomes(&talk), [HostedOutcome::TimedOut]);
    }
}

#[test]
fn a_hosted_call_cut_off_by_a_loss_is_answered_next() {
    let mut talk = talked();
    talk.begin_own("r");
    talk.server_sends(
        json!({"type": "response.output_item.added", "response_id": "r", "item": call("m1", Value::Null)}),
    );
    talk.down(ConnectionLoss::Failed("reset".into()));
    talk.accept();

    assert_eq!(talk.response_creates(), 1);
}

#[test]
fn hosted_call_ids_of_different_sessions_are_distinct() {
    let mut talk = talked();
    talk.begin_own("r");
    begins(&mut talk, "r", "m1");
    talk.ends("r", "completed", None);
    ended(&mut talk, "m1", "completed");
    talk.say("s", "said", "I see.", 300);
    talk.down(ConnectionLoss::Failed("reset".into()));
    talk.accept();
    talk.forget();
    talk.begin_own("r");
    begins(&mut talk, "r", "m1");
    talk.ends("r", "completed", None);
    ended(&mut talk, "m1", "completed");

    assert_eq!(talk.response_creates(), 1);
}

#[test]
fn the_agent_learns_which_mcp_tools_are_unavailable() {
    for names_its_server in [true, false] {
        let mut talk = Talk::ready_with(with_servers(&["stock"]));
        talk.forget();
        if names_its_server {
            lists(&mut talk, "l1", "stock");
        }
        talk.server_sends(json!({"type": "mcp_list_tools.in_progress", "item_id": "l1"}));
        talk.server_sends(json!({"type": "mcp_list_tools.failed", "item_id": "l1"}));

        assert_eq!(talk.events, [SessionEvent::ToolsMissing { server: "stock".into() }]);
        let messages = talk.sent_of("conversation.item.create");
        assert_eq!(messages[0]["item"]["role"], "system");
        assert!(talk.item_texts()[0].contains("\"stock\" cannot be used"), "{:?}", talk.item_texts());
        assert_eq!(talk.response_creates(), 0, "the message requests no response");
    }
}

#[test]
fn of_several_mcp_servers_the_failed_one_is_named() {
    let mut talk = Talk::ready_with(with_servers(&["stock", "desk"]));
    talk.forget();
    lists(&mut talk, "l1", "stock");
    talk.server_sends(json!({"type": "mcp_list_tools.completed", "item_id": "l1"}));
    talk.server_sends(json!({"type": "mcp_list_tools.failed", "item_id": "unknown"}));

    assert_eq!(talk.events, [SessionEvent::ToolsMissing { server: "desk".into() }]);
}

#[test]
fn a_listing_failed_before_configuration_is_reported_afterwards() {
    let mut talk = Talk::with(with_servers(&["stock"]));
    talk.server_sends(json!({"type": "session.created", "session": {}}));
    talk.server_sends(json!({"type": "mcp_list_tools.failed", "item_id": "l1"}));
    assert_eq!(talk.item_texts(), [""; 0]);
    talk.server_sends(json!({"type": "session.updated", "session": {}}));
    assert_eq!(talk.item_texts().len(), 1);

    talk.down(ConnectionLoss::Failed("reset".into()));
    talk.pass(400);
    let link = talk.newest();
    talk.accept();
    talk.on(link, json!({"type": "mcp_list_tools.failed", "item_id": "l1"}));

    assert_eq!(talk.item_texts().len(), 2, "each session lists them again");
    let missing = |event: &&SessionEvent| matches!(event, SessionEvent::ToolsMissing { .. });
    assert_eq!(talk.events.iter().filter(missing).count(), 1, "once in a call");
}

/// Starts a hosted MCP call in a response.
fn begins(talk: &mut Talk, response: &str, item: &str) {
    talk.server_sends(json!({"type": "response.output_item.added", "response_id": response, "item": call(item, Value::Null)}));
    talk.server_sends(
        json!({"type": "response.mcp_call_arguments.done", "response_id": response, "item_id": item,
        "output_index": 0, "arguments": "{\"q\":\"blue\"}"}),
    );
    talk.server_sends(json!({"type": "response.mcp_call.in_progress", "item_id": item, "output_index": 0}));
}

fn ended(talk: &mut Talk, item: &str, how: &str) {
    talk.server_sends(
        json!({"type": format!("response.mcp_call.{how}"), "item_id": item, "output_index": 0}),
    );
}

/// Sends the output of a hosted MCP call, which arrives last.
fn answers(talk: &mut Talk, item: &str, output: &str) {
    talk.server_sends(json!({"type": "conversation.item.done", "item": call(item, json!(output))}));
}

fn call(item: &str, output: Value) -> Value {
    let arguments = if output.is_null() { "" } else { "{\"q\":\"blue\"}" };
    json!({"id": item, "type": "mcp_call", "server_label": "stock", "name": "search", "arguments": arguments,
        "output": output, "error": null, "approval_request_id": null})
}

fn lists(talk: &mut Talk, item: &str, server: &str) {
    let item = json!({"id": item, "type": "mcp_list_tools", "server_label": server, "tools": []});
    talk.server_sends(json!({"type": "conversation.item.added", "item": item}));
}

fn with_servers(labels: &[&str]) -> SessionConfig {
    let server =
        |label: &&str| json!({"type": "mcp", "server_label": label, "server_url": "https://mcp.example"});
    SessionConfig { tools: labels.iter().map(server).collect(), ..config() }
}

fn outcomes(talk: &Talk) -> Vec<HostedOutcome> {
    let ended = talk.events.iter().filter_map(|event| match event {
        SessionEvent::HostedToolEnded { outcome, .. } => Some(*outcome),
        _ => None,
    });
    ended.collect()
}
