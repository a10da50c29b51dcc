//! A call whose item cannot be read is ended at Meta, told once, and ticked no more.

use aws_sdk_dynamodb::types::AttributeValue;
use call::CallRef;
use harness::Story;
use local::eventually;
use serde_json::Value;
use sim_meta::Ending as AtMeta;
use std::time::Duration;
use store::keys;

const LONG: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_item_ends_its_call_and_is_not_ticked_again() {
    let story = Story::begin().await;
    let caller = story.greeted_caller().await;
    let call_ref = caller.call_ref();
    make_unreadable(&story, &call_ref).await;

    let ended = caller.phone().ended(LONG).await.expect("the call ends at Meta");

    assert_eq!(ended, AtMeta::Terminated);
    let is_set_aside = |line: &Value| {
        line["event"] == "WA_CALL_GIVEN_UP" && line["what"] == "item" && line["call_ref"] == call_ref.as_str()
    };
    story.has_logged(|lines| lines.iter().any(is_set_aside)).await;
    // Meta's word of the end makes it due once more, after it was set aside.
    story.has_logged(|lines| lines.iter().any(|line| line["event"] == "WA_CALL_OVER")).await;
    let store = &story.stack.store;
    let left = eventually(LONG, || async { Ok(store.due(u64::MAX).await?.is_empty().then_some(())) }).await;
    left.expect("the index can be read").expect("it leaves the index");
    assert_eq!(story.logged().into_iter().filter(is_set_aside).count(), 1, "it is told once");
}

/// Gives the state of a call a phase that no release knows, and makes it due.
async fn make_unreadable(story: &Story, call_ref: &CallRef) {
    let client = aws_sdk_dynamodb::Client::new(&story.stack.cloud.sdk_config());
    let update = client.update_item().table_name(story.stack.store.table());
    update
        .key("pk", AttributeValue::S(keys::call(call_ref)))
        .key("sk", AttributeValue::S(keys::STATE.into()))
        .update_expression("SET #call.#phase = :phase, #when = :now ADD #version :one")
        .expression_attribute_names("#call", "call")
        .expression_attribute_names("#phase", "phase")
        .expression_attribute_names("#when", "gsi1sk")
        .expression_attribute_names("#version", "version")
        .expression_attribute_values(":one", AttributeValue::N("1".into()))
        .expression_attribute_values(":phase", AttributeValue::S("dreaming".into()))
        .expression_attribute_values(":now", AttributeValue::S(keys::sortable(0)))
        .send()
        .await
        .expect("the state is there");
}
