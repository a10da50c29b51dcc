//! Graph's refusals, over HTTP and in Meta's shape.

use crate::business::{Business, SOON, call_action, hurried};
use serde_json::{Value, json};
use sim_meta::{BoxFuture, Ending, ObservationKind};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

#[tokio::test]
async fn refuses_an_accept_that_differs_by_a_byte() {
    let mut business = Business::open(hurried()).await;
    let (call, agent) = business.ring().await;
    business.pre_accept(&call, &agent).await;

    let other = agent.sdp.replace("cname:agent-1", "cname:agent-2");
    let reply = business.act(&call_action(&call, "accept", Some(&other))).await;

    assert_refused(&reply, 400, 138_008, "differs");
    business.accept(&call, &agent).await;
}

#[tokio::test]
async fn refuses_a_flawed_answer_and_takes_a_better_one() {
    let mut business = Business::open(hurried()).await;
    let (call, agent) = business.ring().await;

    let lines = agent.sdp.replace("\r\n", "\n");
    let reply = business.act(&call_action(&call, "pre_accept", Some(&lines))).await;

    assert_refused(&reply, 400, 138_008, "CRLF");
    business.pre_accept(&call, &agent).await;
}

#[tokio::test]
async fn refuses_a_second_accept_as_already_in_progress() {
    let mut business = Business::open(hurried()).await;
    let (call, agent) = business.take_call().await;

    let again = business.act(&call_action(&call, "accept", Some(&agent.sdp))).await;
    let reject = business.act(&call_action(&call, "reject", None)).await;

    assert_refused(&again, 400, 100, "call already in progress");
    assert_refused(&reject, 400, 100, "call already in progress");
}

#[tokio::test]
async fn refuses_everything_after_the_end() {
    let mut business = Business::open(hurried()).await;
    let (call, agent) = business.ring().await;
    assert_eq!(business.act(&call_action(&call, "reject", None)).await.0, 200);
    assert_eq!(call.ended(SOON).await, Ok(Ending::Rejected));

    let (terminate, _) = business.notice().await;
    assert_eq!((&terminate["event"], terminate.get("duration")), (&"terminate".into(), None));

    for (action, sdp) in [("pre_accept", Some(&agent.sdp)), ("accept", Some(&agent.sdp)), ("terminate", None)]
    {
        let reply = business.act(&call_action(&call, action, sdp.map(String::as_str))).await;
        assert_refused(&reply, 400, 100, "call has already ended");
    }
}

#[tokio::test]
async fn refuses_strangers_unknown_calls_and_unknown_keys() {
    let mut business = Business::open(hurried()).await;
    let (call, agent) = business.ring().await;
    let good = call_action(&call, "accept", Some(&agent.sdp));
    let with = |key: &str, value: Value| {
        let mut body = good.clone();
        body[key] = value;
        body
    };

    let stranger = business.post("calls", "another token", &good).await.unwrap();

    assert_refused(&stranger, 401, 190, "");
    assert_refused(&business.act(&with("call_id", json!("wacid.A"))).await, 400, 100, "unknown");
    assert_refused(&business.act(&with("via", json!("919900000001"))).await, 400, 100, "unknown field `via`");
    assert_eq!(call.report().accepted, None, "none of them took effect");
}

#[tokio::test]
async fn takes_text_messages_and_remembers_them() {
    let mut business = Business::open(hurried()).await;
    let (call, _agent) = business.ring().await;
    let mut observations = business.meta.observations();
    let message = json!({
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": "919900000001",
        "type": "text", "text": { "body": "Sorry, we could not take your call." },
    });

    let (status, reply) = business.post("messages", &business.config.access_token, &message).await.unwrap();

    assert_eq!(status, 200);
    assert_eq!(reply["contacts"][0]["wa_id"], "919900000001");
    assert!(reply["messages"][0]["id"].as_str().unwrap().starts_with("wamid."));
    assert_eq!(business.meta.messages(), [message]);
    while let Some(seen) = observations.recv().await {
        if seen.kind == ObservationKind::MessageSent {
            assert_eq!(seen.call, call.id());
            return;
        }
    }
}

#[tokio::test]
async fn a_hook_runs_between_the_effect_and_the_reply() {
    let mut business = Business::open(hurried()).await;
    let release = Arc::new(Notify::new());
    let held = release.clone();
    business.meta.on_action(move |_| {
        let held = held.clone();
        Box::pin(async move { held.notified().await }) as BoxFuture<()>
    });
    let (call, mut agent) = business.ring().await;
    let pre_accept = call_action(&call, "pre_accept", Some(&agent.sdp));

    let reply = async { business.act(&pre_accept).await };
    let effect = async {
        agent.connected().await;
        let replied = call.report().pre_accepted;
        release.notify_one();
        replied
    };
    let (reply, replied_before) = tokio::join!(reply, effect);

    assert_eq!((reply.0, replied_before), (200, None));
}

#[tokio::test]
async fn an_accept_stands_though_its_client_dies() {
    let mut business = Business::open(hurried()).await;
    let (reached, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let hook = (reached.clone(), release.clone());
    business.meta.on_action(move |_| {
        let (reached, release) = hook.clone();
        Box::pin(async move {
            reached.notify_one();
            release.notified().await;
        }) as BoxFuture<()>
    });
    let (call, agent) = business.ring().await;
    let accept = call_action(&call, "accept", Some(&agent.sdp));

    tokio::select! {
        _ = business.try_act(&accept) => panic!("the hook holds the reply back"),
        () = reached.notified() => {}
    }
    let answered = call.answered(Duration::from_millis(300)).await;
    assert!(answered.is_err(), "the hook still holds it, though the client is gone");
    release.notify_one();

    call.answered(SOON).await.unwrap();
    let again = tokio::join!(business.act(&accept)).0;
    assert_refused(&again, 400, 100, "call already in progress");
}

fn assert_refused((status, body): &(u16, Value), wanted: u16, code: u32, details: &str) {
    let error = &body["error"];
    assert_eq!((*status, &error["code"]), (wanted, &code.into()), "{body}");
    assert!(error["error_data"]["details"].as_str().unwrap().contains(details), "{body}");
    assert!(error["message"].is_string() && error["fbtrace_id"].is_string(), "{body}");
}
