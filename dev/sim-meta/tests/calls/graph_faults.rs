//! Faults injected at Graph, call by call: each does what its name says, and nothing else.

use crate::agent::Agent;
use crate::business::{Business, SOON, call_action, hurried};
use serde_json::json;
use sim_meta::{ActionName, Call, CallerConfig, Ending, InjectedFault, MetaConfig, Timers};
use std::time::{Duration, Instant};

#[tokio::test]
async fn graph_500_twice_and_429_once_have_no_effect_and_are_over() {
    let (business, call, agent) = ringing([InjectedFault::Graph500Twice, InjectedFault::Graph429Once]).await;
    let pre_accept = call_action(&call, "pre_accept", Some(&agent.sdp));

    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(business.act(&pre_accept).await.0);
    }

    assert_eq!(statuses, [500, 500, 429, 200]);
}

#[tokio::test]
async fn graph_429_always_ends_with_the_ring() {
    let config = sim_meta::MetaConfig { ring: std::time::Duration::from_secs(1), ..hurried() };
    let mut business = Business::open(config).await;
    let caller = CallerConfig { faults: vec![InjectedFault::Graph429Always], ..CallerConfig::default() };
    let (call, agent) = business.ring_as(caller).await;

    for (action, sdp) in [("pre_accept", Some(&agent.sdp)), ("reject", None), ("terminate", None)] {
        let (status, body) = business.act(&call_action(&call, action, sdp.map(String::as_str))).await;
        assert_eq!((status, &body["error"]["code"]), (429, &138_005.into()));
    }

    assert_eq!(call.ended(SOON).await, Ok(Ending::Unanswered));
}

#[tokio::test]
async fn what_is_misconfigured_refuses_every_action_with_its_code() {
    for (fault, refusal) in [
        (InjectedFault::TokenInvalid, (401, 190)),
        (InjectedFault::PaymentMissing, (400, 131_044)),
        (InjectedFault::CallingNotEnabled, (401, 138_000)),
        (InjectedFault::SipEnabled, (400, 131_055)),
    ] {
        let (business, call, agent) = ringing([fault]).await;
        for (action, sdp) in
            [("pre_accept", Some(&agent.sdp)), ("accept", Some(&agent.sdp)), ("reject", None)]
        {
            let (status, body) = business.act(&call_action(&call, action, sdp.map(String::as_str))).await;
            assert_eq!((status, body["error"]["code"].as_u64()), (refusal.0, Some(refusal.1)), "{fault}");
        }
        assert_eq!(business.meta.open_calls().len(), 1, "nothing took effect");
    }
}

#[tokio::test]
async fn a_token_that_is_invalid_sends_no_messages_either() {
    let (business, _call, _agent) = ringing([InjectedFault::TokenInvalid]).await;
    let message = json!({
        "messaging_product": "whatsapp", "to": "919900000001", "type": "text", "text": { "body": "Sorry" },
    });

    let (status, body) = business.post("messages", &business.config.access_token, &message).await.unwrap();

    assert_eq!((status, &body["error"]["code"]), (401, &190.into()));
    assert!(business.meta.messages().is_empty());
}

#[tokio::test]
async fn slow_pre_accept_takes_effect_at_once_and_replies_late() {
    // Longer than a busy machine takes for an accept.
    let slow = Duration::from_secs(2);
    let timers = Timers { slow_graph: slow, ..hurried().timers };
    let mut business = Business::open(MetaConfig { timers, ..hurried() }).await;
    let caller = CallerConfig { faults: vec![InjectedFault::SlowPreAccept], ..CallerConfig::default() };
    let (call, mut agent) = business.ring_as(caller).await;
    let start = Instant::now();

    business.pre_accept(&call, &agent).await;
    let replied = start.elapsed();
    agent.connected().await;
    let start = Instant::now();
    business.accept(&call, &agent).await;

    assert!(replied >= slow, "{replied:?}");
    assert!(start.elapsed() < slow, "only pre_accept is slow");
    let effect = business.meta.calls()[0].actions[0].at;
    assert!(call.report().pre_accepted.unwrap() - effect >= slow);
}

#[tokio::test]
async fn each_cut_takes_effect_without_a_reply_once() {
    let (business, call, agent) =
        ringing([InjectedFault::CutPreAccept, InjectedFault::CutAccept, InjectedFault::CutTerminate]).await;

    for (action, sdp) in [("pre_accept", Some(&agent.sdp)), ("accept", Some(&agent.sdp)), ("terminate", None)]
    {
        let body = call_action(&call, action, sdp.map(String::as_str));
        assert!(business.try_act(&body).await.is_err(), "{action} is cut");
        assert_eq!(business.act(&body).await.0, 400, "{action} took effect already");
    }

    assert_eq!(call.ended(SOON).await, Ok(Ending::Terminated));
    let record = &business.meta.calls()[0];
    let counts = |name| (record.tried(name), record.taken(name));
    assert_eq!([ActionName::PreAccept, ActionName::Accept, ActionName::Terminate].map(counts), [(2, 1); 3]);
}

#[tokio::test]
async fn a_caller_who_hangs_up_at_accept_was_there_until_then() {
    let (mut business, call, mut agent) = ringing([InjectedFault::HangsUpAtAccept]).await;
    business.pre_accept(&call, &agent).await;
    agent.connected().await;
    assert_eq!(business.meta.open_calls().len(), 1);

    let (status, body) = business.act(&call_action(&call, "accept", Some(&agent.sdp))).await;

    assert_eq!((status, &body["error"]["error_data"]["details"]), (400, &"call has already ended".into()));
    assert_eq!(call.ended(SOON).await, Ok(Ending::CallerHungUp));
    assert_eq!(business.notice().await.0["event"], "terminate");
}

async fn ringing<const N: usize>(faults: [InjectedFault; N]) -> (Business, Call, Agent) {
    let mut business = Business::open(hurried()).await;
    let caller = CallerConfig { faults: faults.into(), ..CallerConfig::default() };
    let (call, agent) = business.ring_as(caller).await;
    (business, call, agent)
}
