//! Many calls on one Meta, each with its own trouble, and the records Meta keeps of them.

use crate::agent::Agent;
use crate::business::{Business, SOON, action_on, hurried};
use serde_json::json;
use sim_audio::hearing::{HEARD, find};
use sim_meta::{ActionName, Call, CallerConfig, Ending, InjectedFault, MetaConfig};
use std::collections::HashMap;
use std::time::Duration;

const CALLS: u32 = 40;
/// All of them share two cores with whatever else is being tested.
const PATIENCE: Duration = Duration::from_secs(40);

#[tokio::test]
async fn forty_calls_at_once_are_forty_conversations() {
    let timers = sim_meta::Timers { first_media: PATIENCE, mid_call_media: PATIENCE, ..hurried().timers };
    let mut business = Business::open(MetaConfig { timers, ring: PATIENCE, ..hurried() }).await;
    let calls = ring_many(&business).await;
    let mut agents = answer_all(&mut business, &calls).await;
    assert_eq!(business.meta.open_calls().len(), CALLS as usize);

    for agent in agents.values() {
        agent.play(&sim_audio::tone(440.0, Duration::from_millis(500)));
    }
    let mut speaking = tokio::task::JoinSet::new();
    for call in calls.clone() {
        speaking.spawn(async move {
            call.agent_speaks(PATIENCE).await.unwrap();
            call.say(&sim_audio::clips::caller_interrupts()).await.unwrap();
        });
    }
    speaking.join_all().await;
    for agent in agents.values_mut() {
        // What has left has not arrived yet.
        assert!(agent.until(|state| state.heard > 150, PATIENCE).await, "the phone goes on sending");
        let heard = agent.heard();
        let clip = sim_audio::clips::caller_interrupts();
        assert!(find(&clip.samples, &heard).is_some_and(|found| found.correlation > HEARD));
    }
    for call in &calls {
        call.hang_up().await;
        call.terminated(SOON).await.unwrap();
    }

    assert!(calls.iter().all(|call| call.recording().is_empty()), "no recording was asked for");
    assert!(business.meta.open_calls().is_empty());
    for record in business.meta.calls() {
        assert_eq!((record.taken(ActionName::PreAccept), record.taken(ActionName::Accept)), (1, 1));
        assert_eq!((record.ending, record.terminate_sent), (Some(Ending::CallerHungUp), true));
        assert!(
            record.accepted().is_some_and(|at| at > record.rang) && record.settled() == record.accepted()
        );
    }
}

#[tokio::test]
async fn one_callers_trouble_is_not_the_next_ones() {
    let mut business = Business::open(hurried()).await;
    let trouble = CallerConfig { faults: vec![InjectedFault::PaymentMissing], ..CallerConfig::of_many(1) };
    let (unlucky, agent) = business.ring_as(trouble).await;
    let (lucky, other) = business.ring_as(CallerConfig::of_many(2)).await;

    let refused = business.act(&action_on(unlucky.id(), "pre_accept", Some(&agent.sdp))).await.0;
    let taken = business.act(&action_on(lucky.id(), "pre_accept", Some(&other.sdp))).await.0;

    assert_eq!((refused, taken), (400, 200));
    let faults: Vec<_> = business.meta.calls().into_iter().map(|record| record.faults).collect();
    assert_eq!(faults, [vec![InjectedFault::PaymentMissing], vec![]]);
}

#[tokio::test]
async fn the_books_tell_the_calls_in_order_with_all_that_was_tried() {
    let mut business = Business::open(hurried()).await;
    let (first, agent) = business.ring_as(CallerConfig::of_many(1)).await;
    let (second, _other) = business.ring_as(CallerConfig::of_many(2)).await;

    assert_eq!(business.act(&action_on(first.id(), "terminate", None)).await.0, 400);
    business.pre_accept(&first, &agent).await;
    assert_eq!(business.act(&action_on(first.id(), "reject", None)).await.0, 200);
    let message = json!({
        "messaging_product": "whatsapp", "to": "919900000001", "type": "text", "text": { "body": "Sorry" },
    });
    assert_eq!(business.post("messages", &business.config.access_token, &message).await.unwrap().0, 200);

    let [one, two] = &business.meta.calls()[..] else { panic!("two calls") };
    let tried: Vec<_> = one.actions.iter().map(|action| (action.name, action.status)).collect();
    let expected = [(ActionName::Terminate, 400), (ActionName::PreAccept, 200), (ActionName::Reject, 200)];
    assert_eq!(tried, expected);
    assert_eq!(one.ending, Some(Ending::Rejected));
    assert_eq!(one.messages, 1);
    assert_eq!(one.settled(), Some(one.actions[2].at));
    assert_eq!((two.id.as_str(), two.is_open(), two.messages), (second.id(), true, 0));
    assert!(one.rang <= two.rang && one.connect_answered.is_some());
}

async fn ring_many(business: &Business) -> Vec<Call> {
    let mut calls = Vec::new();
    for n in 0..CALLS {
        calls.push(business.meta.ring(CallerConfig::of_many(n)).await.unwrap());
    }
    calls
}

/// Pre-accepts and accepts each call as its webhook comes.
async fn answer_all(business: &mut Business, calls: &[Call]) -> HashMap<String, Agent> {
    let mut agents = HashMap::new();
    for _ in calls {
        let (connect, _) = business.notice().await;
        let id = connect["id"].as_str().unwrap().to_owned();
        let mut agent = Agent::answer(connect["session"]["sdp"].as_str().unwrap()).await;
        assert_eq!(business.act(&action_on(&id, "pre_accept", Some(&agent.sdp))).await.0, 200);
        agent.connected().await;
        assert_eq!(business.act(&action_on(&id, "accept", Some(&agent.sdp))).await.0, 200);
        agents.insert(id, agent);
    }
    agents
}
