//! Tools of remote servers.

use super::*;
use crate::{McpCall, Reply, Script};

#[test]
fn the_tools_of_a_server_are_listed_once() {
    let mut rig = Rig::connected(config());
    rig.inbox.clear();

    rig.configure(json!({"tools": [server("never")]}));
    rig.configure(json!({"tools": [server("never")]}));

    assert_eq!(
        rig.received(),
        [
            "session.updated",
            "conversation.item.added",
            "mcp_list_tools.in_progress",
            "mcp_list_tools.completed",
            "conversation.item.done",
            "session.updated",
        ]
    );
    let list = &rig.last("conversation.item.done")["item"];
    assert_eq!((&list["type"], &list["tools"][0]["name"]), (&json!("mcp_list_tools"), &json!("find_order")));
    // OpenAI's Agents SDK passes over a list whose tools have no description.
    assert!(list["tools"][0]["description"].is_string(), "{list}");
    assert_eq!(rig.last("mcp_list_tools.completed")["item_id"], list["id"]);
}

#[test]
fn unlisted_tools_are_known_by_their_item() {
    let script = Script::new(Reply::speech(clips::agent_greeting()), []).without_tools_of("shop");
    let mut rig = Rig::connected(Config { script, ..config() });
    rig.inbox.clear();

    rig.configure(json!({"tools": [server("never")]}));

    assert_eq!(rig.received()[2..], ["mcp_list_tools.in_progress", "mcp_list_tools.failed"]);
    let item = &rig.last("conversation.item.added")["item"];
    assert_eq!(item["server_label"], "shop");
    assert_eq!(&item["id"], &rig.last("mcp_list_tools.failed")["item_id"]);
}

#[test]
fn the_response_ends_with_the_call_and_nothing_follows_by_itself() {
    let mut rig = Rig::connected(with_call(answered(), ms(700)));
    rig.configure(json!({"tools": [server("never")]}));
    rig.inbox.clear();

    rig.ask("response.create");
    rig.pass(ms(30_000));

    assert_eq!(
        rig.received(),
        [
            "response.created",
            "response.output_item.added",
            "conversation.item.added",
            "response.mcp_call_arguments.delta",
            "response.mcp_call_arguments.delta",
            "response.mcp_call_arguments.done",
            "response.mcp_call.in_progress",
            "response.output_item.done",
            "response.done",
            "rate_limits.updated",
            "response.mcp_call.completed",
            "conversation.item.done",
        ]
    );
    let of_response = &rig.last("response.done")["response"]["output"][0];
    assert_eq!((&of_response["type"], &of_response["output"]), (&json!("mcp_call"), &Value::Null));
    let call = &rig.last("conversation.item.done")["item"];
    assert_eq!((&call["output"], &call["arguments"]), (&json!("ready"), &json!("{\"order\":\"427\"}")));
    assert_eq!(rig.spoken(), [""; 0]);

    rig.respond(json!({}));

    assert_eq!(rig.spoken(), ["agent-order"]);
    assert_eq!(rig.session.report().mcp_calls, ["shop.find_order"]);
    assert!(rig.violations().is_empty(), "{:?}", rig.violations());
}

#[test]
fn a_call_without_delay_answers_before_its_response_is_done() {
    let mut rig = Rig::connected(with_call(Err("It is out of order.".into()), ms(0)));
    rig.configure(json!({"tools": [server("never")]}));
    rig.respond(json!({}));

    let order = rig.received();
    let at = |kind: &str| order.iter().position(|name| *name == kind);
    assert!(at("response.mcp_call.failed") < at("response.done"), "{order:?}");
    let call = &rig.last("response.done")["response"]["output"][0];
    assert_eq!(call["error"], json!({"type": "tool_execution_error", "message": "It is out of order."}));
}

#[test]
fn asking_before_the_call_has_answered_is_a_fault() {
    let mut rig = Rig::connected(with_call(answered(), ms(9_000)));
    rig.configure(json!({"tools": [server("never")]}));
    rig.respond(json!({}));

    rig.respond(json!({}));

    assert_eq!(rig.violations(), ["a response is asked for while the tool of a remote server works"]);
}

#[test]
fn a_tool_call_that_needs_approval_is_a_fault() {
    for (tools, complaint) in [
        (json!([server("always")]), "asks for approval"),
        (json!([]), "none of the session's servers"),
        (
            json!([{"type": "mcp", "server_label": "shop", "server_url": "https://mcp.example", "require_approval": "never",
                 "allowed_tools": ["find_shop"]}]),
            "may not be asked for",
        ),
    ] {
        let mut rig = Rig::connected(with_call(answered(), ms(0)));
        rig.configure(json!({"tools": tools}));

        rig.respond(json!({}));

        assert_eq!(rig.violations().len(), 1);
        assert!(rig.violations()[0].contains(complaint), "{:?}", rig.violations());
    }
}

fn server(approval: &str) -> Value {
    json!({"type": "mcp", "server_label": "shop", "server_url": "https://mcp.example", "require_approval": approval,
           "allowed_tools": ["find_order"]})
}

fn with_call(answer: Result<String, String>, takes: Duration) -> Config {
    let call = McpCall {
        label: "shop".into(),
        name: "find_order".into(),
        arguments: "{\"order\":\"427\"}".into(),
        answer,
        takes,
    };
    let greeting = Reply::mcp(call, Reply::speech(clips::agent_order()));
    Config { script: Script::new(greeting, []), ..config() }
}

fn answered() -> Result<String, String> {
    Ok("ready".into())
}
