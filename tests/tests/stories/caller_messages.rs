//! Messages that an agent has sent to its caller while they talk.

use aws_sdk_lambda::Client;
use call::Ending;
use harness::Story;
use internal_api::client::CallControl;
use internal_api::order::{LONGEST_MESSAGE, Order, Reply};

#[tokio::test(flavor = "multi_thread")]
async fn only_the_calls_own_task_can_have_a_message_sent() {
    let story = Story::begin().await;
    let control = CallControl::new(Client::new(&story.stack.cloud.sdk_config()), "call-control");
    let caller = story.greeted_caller().await;
    let call_ref = caller.call_ref();
    let record = story.calls.call(&call_ref).await.expect("the table can be read").expect("it is known");
    let fence = record.call.fence;
    let token = record.token(fence).expect("its task returns tokens").to_owned();
    let ask_with = async |token: Option<&str>, fence, text: &str| {
        let (call_ref, text, token) = (call_ref.clone(), text.to_owned(), token.map(str::to_owned));
        let order = Order::SendMessage { call_ref, fence, token, id: format!("call_{}", text.len()), text };
        control.ask(&order).await.expect("call-control replies")
    };
    let ask = async |fence, text: &str| ask_with(Some(&token), fence, text).await;
    for forged in [None, Some("a guess")] {
        assert!(is_refused(&ask_with(forged, fence, "From another task.").await), "{forged:?}");
        let (call_ref, token) = (call_ref.clone(), forged.map(str::to_owned));
        let order =
            Order::TaskEnded { call_ref, fence, token, ending: Ending::AgentSaidGoodbye.into(), newer: None };
        assert_eq!(control.ask(&order).await.expect("call-control replies"), Reply::Over);
    }

    assert_eq!(ask(fence, "Order 427 is ready.").await, Reply::Sent);
    assert_eq!(ask(fence, "Order 427 is ready.").await, Reply::Sent, "the same order again sends nothing");
    assert!(is_refused(&ask(fence.next(), "From another task.").await));
    assert!(is_refused(&ask(fence, &"x".repeat(LONGEST_MESSAGE + 1)).await));
    let after = caller.hangs_up().await;
    assert!(is_refused(&ask(fence, "Too late.").await));

    assert_eq!((after.ending, after.messages), (Ending::CallerHungUp, 1), "{after:?}");
    let messages = story.meta.messages();
    let said: Vec<_> = messages.iter().map(|message| message["text"]["body"].as_str()).collect();
    assert_eq!(said, [Some("Order 427 is ready.")]);
}

fn is_refused(reply: &Reply) -> bool {
    matches!(reply, Reply::NotSent { reason, in_doubt: false } if !reason.is_empty())
}
