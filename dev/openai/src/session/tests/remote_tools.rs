//! Tools of remote servers.

use super::*;
use crate::{Reply, ReplyItem, Script};

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
fn the_service_calls_and_speaks_of_it_in_the_same_response() {
    let mut rig = Rig::connected(with_call());
    rig.configure(json!({"tools": [server("never")]}));
    rig.inbox.clear();

    rig.ask("response.create");
    rig.pass(ms(3_000));

    assert_eq!(
        rig.received()[2..11],
        [
            "response.output_item.added",
            "conversation.item.added",
            "response.mcp_call_arguments.delta",
            "response.mcp_call_arguments.delta",
            "response.mcp_call_arguments.done",
            "response.mcp_call.in_progress",
            "response.mcp_call.completed",
            "response.output_item.done",
            "conversation.item.done",
        ]
    );
    let call = rig.last("response.done")["response"]["output"][0].clone();
    assert_eq!((&call["type"], &call["output"]), (&json!("mcp_call"), &json!("ready")));
    assert_eq!(call["arguments"], "{\"order\":\"427\"}");
    assert_eq!(rig.spoken(), ["agent-order"]);
    assert_eq!(rig.session.report().mcp_calls, ["shop.find_order"]);
    assert!(rig.faults().is_empty(), "{:?}", rig.faults());
}

#[test]
fn a_call_that_nobody_can_approve_of_is_a_fault() {
    for (tools, complaint) in [
        (json!([server("always")]), "asks for approval"),
        (json!([]), "none of the session's servers"),
        (
            json!([{"type": "mcp", "server_label": "shop", "server_url": "https://mcp.example", "require_approval": "never",
                 "allowed_tools": ["find_shop"]}]),
            "may not be asked for",
        ),
    ] {
        let mut rig = Rig::connected(with_call());
        rig.configure(json!({"tools": tools}));

        rig.ask("response.create");
        rig.pass(ms(3_000));

        assert_eq!(rig.faults().len(), 1);
        assert!(rig.faults()[0].contains(complaint), "{:?}", rig.faults());
    }
}

fn server(approval: &str) -> Value {
    json!({"type": "mcp", "server_label": "shop", "server_url": "https://mcp.example", "require_approval": approval,
           "allowed_tools": ["find_order"]})
}

fn with_call() -> Config {
    let call = ReplyItem::McpCall {
        label: "shop".into(),
        name: "find_order".into(),
        arguments: "{\"order\":\"427\"}".into(),
        output: "ready".into(),
    };
    let greeting = Reply::default().and(call).and(ReplyItem::Speech(clips::agent_order()));
    Config { script: Script::new(greeting, []), ..config() }
}
