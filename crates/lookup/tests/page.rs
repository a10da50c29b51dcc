//! What docs/business.md shows of a lookup is what is sent and read.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use agents::Agent;
use call::{CallRef, CallerDetails, Line};
use lookup::{LookupReply, LookupRequest};
use serde_json::Value;

fn blocks(language: &str) -> Vec<String> {
    let page = include_str!("../../../docs/business.md");
    let fence = format!("```{language}\n");
    page.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_request_on_the_page_is_the_one_that_is_sent() {
    let shown: Value = serde_json::from_str(&blocks("json")[0]).unwrap();
    let inbound = &shown["call_inbound"];
    let text = |key: &str| inbound[key].as_str().map(str::to_owned);
    let digits = |key: &str| text(key).map(|number| number.replace('+', ""));
    let details = CallerDetails {
        number: digits("from_number"),
        number_verified: true,
        user_id: text("user_id"),
        name: text("name"),
        username: text("username"),
        deeplink_payload: text("deeplink_payload"),
        cta_payload: text("cta_payload"),
        called_number: digits("to_number"),
    };
    let call_ref = CallRef::from(text("call").unwrap());
    let agent = text("agent_id").unwrap();

    let request =
        LookupRequest { agent: &agent, call_ref: &call_ref, line: Line::WhatsApp, details: &details };

    assert_eq!(serde_json::from_slice::<Value>(&request.body()).unwrap(), shown);
}

#[test]
fn the_reply_on_the_page_is_read_whole() {
    let reply = LookupReply::read(blocks("json")[1].as_bytes()).unwrap();

    assert_eq!(reply.variables.len(), 3);
    assert_eq!((reply.agent.as_deref(), reply.language.as_deref()), (Some("shop-fr"), Some("fr")));
    assert!(reply.reject.unwrap().message.is_some());
}

#[test]
fn the_tables_on_the_page_are_of_an_agent_file() {
    let [before, after]: [String; 2] = blocks("toml").try_into().unwrap();
    let file =
        format!("name = 'shop'\ninstructions = 'Answer calls.'\ngreeting.say = 'Hello.'\n{before}{after}");

    let agent = Agent::read_new(&file).unwrap();

    assert!(agent.lookup.is_some() && agent.after.is_some_and(|after| after.on.len() == 2));
}
