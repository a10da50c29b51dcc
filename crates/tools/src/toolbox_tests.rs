//! Tests a toolbox's definitions, and how tool calls are read.

use crate::{Callback, Message, ToolConfigError, ToolError, ToolOutcome, ToolOutcomeKind, ToolUse, Toolbox};
use agents::{HttpTool, McpServer, Method, Tools, Transfer};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

#[test]
fn the_definitions_match_openais_schema() {
    let session = json!({"type": "realtime", "tools": toolbox(&everything()).definitions()});
    let event = json!({"type": "session.update", "session": session});
    let schema = include_str!("../../../fixtures/realtime-schema/client/session.update.json");
    let schema = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();

    let mistakes: Vec<_> = schema.iter_errors(&event).map(|error| error.to_string()).collect();

    assert_eq!(mistakes, Vec::<String>::new());
}

#[test]
fn every_enabled_tool_is_defined() {
    let all = toolbox(&everything()).definitions();
    let some = toolbox(&Tools { send_whatsapp_message: false, ..Tools::default() }).definitions();

    let built_in = ["end_call", "send_whatsapp_message", "take_message", "request_callback"];
    assert_eq!(names(&all), [built_in.as_slice(), &["lookup_order", "stock"]].concat());
    assert_eq!(names(&some), ["end_call", "take_message", "request_callback"]);
}

#[test]
fn a_transfer_says_when_to_use_it_and_takes_no_number() {
    let target = "tel:+35621000000".parse().unwrap();
    let transfer = Transfer { target, when: "Use it for the workshop.".into(), a_day: 50 };
    let toolbox = toolbox(&Tools { transfer: Some(transfer), ..Tools::default() });

    let definitions = toolbox.definitions();
    let transfer = definitions.iter().find(|tool| tool["name"] == "transfer_call").unwrap();

    let told = transfer["description"].as_str().unwrap();
    assert!(told.contains("Use it for the workshop. Say first"), "{told}");
    assert_eq!(transfer["parameters"], json!({"type": "object", "properties": {}}));
    assert!(!json!(definitions).to_string().contains("+356"));
    assert!(matches!(toolbox.read("transfer_call", "{}"), Ok(ToolUse::TransferCall)));
}

#[test]
fn keywords_refused_at_the_top_level_move_to_the_description() {
    let mut tools = everything();
    let any_of = json!([{"required": ["order"]}, {"required": ["name"]}]);
    tools.http[0].parameters["anyOf"] = any_of.clone();
    tools.http[0].parameters["required"] = json!([]);
    let toolbox = toolbox(&tools);

    let definitions = toolbox.definitions();
    let told = &definitions.iter().find(|tool| tool["name"] == "lookup_order").unwrap()["parameters"];

    assert_eq!((&told["type"], told.get("anyOf")), (&json!("object"), None));
    assert!(told["description"].as_str().unwrap().contains(&any_of.to_string()), "{told}");
    assert_eq!(toolbox.read("lookup_order", "{}").unwrap_err().trouble, ToolError::Arguments);
}

#[test]
fn a_disabled_tool_is_unknown() {
    let toolbox = toolbox(&Tools { end_call: false, ..Tools::default() });

    let refused = toolbox.read("end_call", "{}").unwrap_err();

    assert_eq!(refused.trouble, ToolError::NoSuchTool);
    assert!(refused.for_the_model.contains("take_message"), "{}", refused.for_the_model);
    assert_eq!(ToolOutcome::from(refused).kind, ToolOutcomeKind::Refused);
}

#[test]
fn ending_the_call_needs_no_arguments() {
    for arguments in ["", "{}", " {\n} ", r#"{"reason": "The caller said goodbye."}"#] {
        assert!(matches!(read("end_call", arguments), ToolUse::EndCall), "{arguments}");
    }
}

#[test]
fn a_message_to_the_caller_is_no_longer_than_metas_limit() {
    let longest = "é".repeat(4096);

    let message = read("send_whatsapp_message", &json!({"text": longest}).to_string());

    assert!(matches!(message, ToolUse::SendMessage { text } if text == longest));
    assert_refused("send_whatsapp_message", &json!({"text": format!("{longest}!")}), "\"text\"");
    assert_refused("send_whatsapp_message", &json!({"text": " \n"}), "\"text\"");
}

#[test]
fn a_message_for_a_person_is_read() {
    let message = read("take_message", r#"{"message": "The bike squeaks.", "caller_name": null}"#);
    let expected = Message { message: "The bike squeaks.".into(), caller_name: None, urgent: false };
    assert!(matches!(message, ToolUse::TakeMessage(message) if message == expected));

    let message = read("take_message", r#"{"message": "Help", "caller_name": "Ada", "urgent": true}"#);
    let expected = Message { message: "Help".into(), caller_name: Some("Ada".into()), urgent: true };
    assert!(matches!(message, ToolUse::TakeMessage(message) if message == expected));

    assert_refused("take_message", &json!({"caller_name": "Ada"}), "\"message\"");
    assert_refused("take_message", &json!({"message": "Help", "urgent": "very"}), "\"urgent\"");
}

#[test]
fn a_callback_is_read() {
    let callback =
        read("request_callback", r#"{"about": "a price", "when": "after lunch", "number": "555 0100"}"#);

    let expected = Callback {
        about: "a price".into(),
        when: Some("after lunch".into()),
        number: Some("555 0100".into()),
    };
    assert!(matches!(callback, ToolUse::RequestCallback(callback) if callback == expected));
    assert_refused("request_callback", &json!({"when": "now"}), "\"about\"");
}

#[test]
fn a_stored_callback_reads_back() {
    let callback = Callback { about: "a price".into(), when: None, number: None };

    let stored = serde_json::to_value(&callback).unwrap();

    assert_eq!(stored, json!({"about": "a price"}));
    assert_eq!(serde_json::from_value::<Callback>(stored).unwrap(), callback);
}

#[test]
fn the_models_reply_depends_on_the_outcome() {
    for name in ["end_call", "send_whatsapp_message", "take_message", "request_callback"] {
        let tool_call = read(name, r#"{"text": "a", "message": "a", "about": "a"}"#);

        assert!(tool_call.reply(ToolOutcomeKind::Done).is_some(), "{name}");
        assert_ne!(
            tool_call.reply(ToolOutcomeKind::Done),
            tool_call.reply(ToolOutcomeKind::Failed),
            "{name}"
        );
    }
    assert_eq!(read("lookup_order", r#"{"order": "7"}"#).reply(ToolOutcomeKind::Done), None);
}

#[test]
fn a_message_with_an_unknown_result_is_not_to_be_sent_again() {
    let message = read("send_whatsapp_message", r#"{"text": "a"}"#);

    let told = message.reply(ToolOutcomeKind::TimedOut).unwrap();

    assert!(told.contains("not known whether the message was sent; do not send it again"), "{told}");
    assert!(!message.reply(ToolOutcomeKind::Failed).unwrap().contains("not known"));
}

#[test]
fn an_mcp_server_is_defined_without_approval() {
    let definitions = toolbox(&everything()).definitions();

    let expected = json!({
        "type": "mcp",
        "server_label": "stock",
        "server_url": "https://mcp.shop.example/sse",
        "server_description": "What is in stock.",
        "authorization": "planted-token",
        "allowed_tools": ["search"],
        "require_approval": "never",
    });
    assert_eq!(definitions.last(), Some(&expected));
}

#[test]
fn a_missing_secret_is_named() {
    let empty = BTreeMap::from([("shop".to_owned(), "".into()), ("stock".to_owned(), "token".into())]);
    let only_shop = BTreeMap::from([("shop".to_owned(), "key".into())]);

    let unsigned = Toolbox::new(&everything(), &empty).unwrap_err();
    let unauthorized = Toolbox::new(&everything(), &only_shop).unwrap_err();

    assert_eq!(unsigned, ToolConfigError::Secret { tool: "lookup_order".into(), secret: "shop".into() });
    assert_eq!(unauthorized, ToolConfigError::Secret { tool: "stock".into(), secret: "stock".into() });
}

#[test]
fn a_tool_that_can_never_work_is_refused_before_any_call() {
    let config_error = |change: fn(&mut HttpTool)| {
        let mut tools = everything();
        change(&mut tools.http[0]);
        Toolbox::new(&tools, &secrets()).unwrap_err()
    };
    let tool = || "lookup_order".to_owned();

    let other_placeholder = config_error(|tool| tool.url = "https://shop.example/{shop}".parse().unwrap());
    let no_schema = config_error(|tool| tool.parameters = json!({"type": "thing"}));
    let line_feed = config_error(|tool| tool.headers = BTreeMap::from([("x-shop".into(), "a\nb".into())]));
    let host = config_error(|tool| tool.headers = BTreeMap::from([("Host".into(), "inner".into())]));

    assert_eq!(other_placeholder, ToolConfigError::Url { tool: tool() });
    assert_eq!(no_schema, ToolConfigError::Parameters { tool: tool() });
    assert_eq!(line_feed, ToolConfigError::Header { tool: tool(), header: "x-shop".into() });
    assert_eq!(host, ToolConfigError::Header { tool: tool(), header: "Host".into() });
}

#[test]
fn debug_output_holds_neither_words_nor_secrets() {
    let toolbox = toolbox(&everything());
    let said = r#"{"text": "planted", "message": "planted", "about": "planted", "order": "planted"}"#;
    let uses = ["send_whatsapp_message", "take_message", "request_callback", "lookup_order"];
    let uses = uses.map(|name| toolbox.read(name, said).unwrap());
    let refused = toolbox.read("take_message", r#"{"message": 7, "planted": 8}"#).unwrap_err();

    let shown = format!("{toolbox:?} {uses:?} {refused:?} {:?}", ToolOutcome::from(refused.clone()));

    assert!(!shown.contains("planted"), "{shown}");
    assert!(shown.contains("lookup_order") && shown.contains("SendMessage"), "{shown}");
}

#[test]
fn the_examples_of_the_tools_page_work() {
    let page = include_str!("../../../docs/tools.md");
    let shown = page.split("```toml").skip(1).map(|rest| rest.split("```").next().expect("split gives one"));
    let shown: String = shown.collect();
    let agent = format!("name = 'shop'\ninstructions = 'Answer calls.'\n[greeting]\nsay = 'Hello.'\n{shown}");
    let agent = agents::Agent::read(&agent).unwrap();
    let secrets = ["shop", "stock"].map(|name| (name.to_owned(), SecretString::from("a secret")));

    let toolbox = Toolbox::new(&agent.tools, &secrets.into()).unwrap();

    assert!(matches!(toolbox.read("lookup_order", r#"{"order": "A-17"}"#), Ok(ToolUse::Http(_))));
    assert!(toolbox.read("lookup_order", r#"{"order": "17"}"#).is_err());
}

fn everything() -> Tools {
    let lookup = HttpTool {
        name: "lookup_order".into(),
        description: "Looks up an order.".into(),
        method: Method::Get,
        url: "https://shop.example/orders/{order}".parse().unwrap(),
        parameters: json!({
            "type": "object",
            "properties": {"order": {"type": "string"}},
            "required": ["order"],
        }),
        timeout: Duration::from_secs(8),
        headers: BTreeMap::new(),
        sign_with: Some("shop".into()),
        tells_caller: false,
        largest_reply: 16 * 1024,
    };
    let stock = McpServer {
        label: "stock".into(),
        url: "https://mcp.shop.example/sse".parse().unwrap(),
        description: Some("What is in stock.".into()),
        authorization_with: Some("stock".into()),
        allowed_tools: vec!["search".into()],
    };
    Tools {
        allowed_hosts: vec!["shop.example".into()],
        http: vec![lookup],
        mcp: vec![stock],
        ..Tools::default()
    }
}

fn secrets() -> BTreeMap<String, SecretString> {
    [("shop", "planted-key"), ("stock", "planted-token")]
        .map(|(name, secret)| (name.to_owned(), secret.into()))
        .into()
}

fn toolbox(tools: &Tools) -> Toolbox {
    Toolbox::new(tools, &secrets()).expect("the tools are valid")
}

fn read(name: &str, arguments: &str) -> ToolUse {
    toolbox(&everything()).read(name, arguments).expect("the arguments are valid")
}

#[track_caller]
fn assert_refused(name: &str, arguments: &Value, named: &str) {
    let refused = toolbox(&everything()).read(name, &arguments.to_string()).unwrap_err();

    assert_eq!(refused.trouble, ToolError::Arguments);
    assert!(refused.for_the_model.contains(named), "{}", refused.for_the_model);
}

fn names(definitions: &[Value]) -> Vec<&str> {
    let names = definitions.iter().filter_map(|tool| tool.get("name").or(tool.get("server_label")));
    names.filter_map(Value::as_str).collect()
}
