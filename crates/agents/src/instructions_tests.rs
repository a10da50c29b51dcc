//! The session instructions: operator first, then duties, tools and disclosure.

use crate::{Agent, Words};

fn agent(more: &str) -> Agent {
    let file = format!("name = \"a\"\ninstructions = \"You mend bikes.\"\n{more}");
    Agent::read(&file).unwrap()
}

#[test]
fn instructions_come_first_and_the_disclosure_is_requested() {
    let whole = agent("[greeting]\nprompt = \"Greet.\"").whole_instructions();
    assert!(whole.starts_with("You mend bikes.\n\n"));
    assert!(whole.contains("You are talking to an AI assistant."));
}

#[test]
fn only_enabled_tools_are_mentioned() {
    let none = "[greeting]\nprompt = \"Greet.\"\n[tools]\nend_call = false\nsend_whatsapp_message = false\n\
                take_message = false\nrequest_callback = false";
    let whole = agent(none).whole_instructions();
    for tool in ["end_call", "send_whatsapp_message", "take_message", "request_callback"] {
        assert!(!whole.contains(tool), "{tool}");
        assert!(agent("[greeting]\nprompt = \"Greet.\"").whole_instructions().contains(tool), "{tool}");
    }
}

#[test]
fn a_transfer_is_mentioned_where_the_file_has_one() {
    let greeting = "[greeting]\nprompt = \"Greet.\"\n";
    let target = "[transfer]\ntarget = \"tel:+35621000000\"";

    let whole = agent(&format!("{greeting}{target}")).whole_instructions();

    assert!(whole.contains("`transfer_call`") && !whole.contains("+356"), "{whole}");
    assert!(!agent(greeting).whole_instructions().contains("transfer_call"));
}

#[test]
fn an_exact_greeting_begins_with_the_disclosure_unless_it_contains_it() {
    let line = "You are talking to an AI assistant.";
    let opening = |greeting: &str| agent(&format!("[greeting]\n{greeting}")).opening();
    assert_eq!(opening("say = \"Hello!\""), Words::Exact(format!("{line} Hello!")));
    let own = format!("Hello! {line} What is it?");
    assert_eq!(opening(&format!("say = \"{own}\"")), Words::Exact(own));
    assert_eq!(
        opening("prompt = \"Greet.\""),
        Words::Prompt(format!("Greet.\nSay this line in it: \"{line}\""))
    );
}

#[test]
fn without_disclosure_the_agent_still_never_claims_to_be_human() {
    let silent = agent("disclosure = false\n[greeting]\nsay = \"Hello!\"");
    assert_eq!(silent.opening(), Words::Exact("Hello!".to_owned()));
    let whole = silent.whole_instructions();
    assert!(!whole.contains("AI assistant") && whole.contains("Never claim to be a human being."));
}
