//! Faults injected into webhooks: each does what its name says, and nothing else.

use crate::agent::Agent;
use crate::business::{Business, SOON, call_action, hurried};
use serde_json::Value;
use sim_meta::{ActionName, CallerConfig, Ending, InjectedFault, MetaConfig, ProtocolViolation, Timers};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Long enough for what takes milliseconds when it happens at all.
const A_WHILE: Duration = Duration::from_millis(500);

#[tokio::test]
async fn late_connect_comes_late_and_says_when_it_rang() {
    let late_connect = Duration::from_millis(1_200);
    let timers = Timers { late_connect, ..hurried().timers };
    let mut business = Business::open(MetaConfig { timers, ..hurried() }).await;
    let rang = (Instant::now(), unix_now());

    let call = business.meta.ring(caller([InjectedFault::LateConnect])).await.unwrap();
    let rung = unix_now();
    let (connect, _) = business.notice().await;

    assert!(rang.0.elapsed() >= late_connect);
    assert_eq!(connect["id"], call.id());
    assert!((rang.1..=rung).contains(&stamp(&connect)), "{connect}");
}

#[tokio::test]
async fn stale_connect_is_four_minutes_old_and_rings_on() {
    let mut business = Business::open(hurried()).await;

    let (call, agent) = business.ring_as(caller([InjectedFault::StaleConnect])).await;
    business.pre_accept(&call, &agent).await;
    call.hang_up().await;
    let (terminate, _) = business.notice().await;

    let taken = business.meta.calls()[0].taken(ActionName::PreAccept);
    assert_eq!(taken, 1, "a business that answers is found out");
    assert!(stamp(&terminate).abs_diff(unix_now()) <= 2, "only connect is stale");
}

#[tokio::test]
async fn stale_connect_bears_its_age() {
    let mut business = Business::open(hurried()).await;

    business.meta.ring(caller([InjectedFault::StaleConnect])).await.unwrap();

    let (connect, _) = business.notice().await;
    assert!((stamp(&connect) + 240).abs_diff(unix_now()) <= 2, "{connect}");
}

#[tokio::test]
async fn stamps_are_two_minutes_off_from_connect_to_terminate() {
    for (fault, seconds) in [(InjectedFault::StampsBehind, -120), (InjectedFault::StampsAhead, 120)] {
        let mut business = Business::open(hurried()).await;
        let call = business.meta.ring(caller([fault])).await.unwrap();
        let (connect, _) = business.notice().await;
        call.hang_up().await;
        let (terminate, _) = business.notice().await;

        for notice in [connect, terminate] {
            let expected = unix_now().checked_add_signed(seconds).unwrap();
            assert!(stamp(&notice).abs_diff(expected) <= 2, "{fault}: {notice}");
        }
    }
}

#[tokio::test]
async fn out_of_order_tells_the_end_before_the_beginning() {
    let mut business = Business::open(hurried()).await;
    let call = business.meta.ring(caller([InjectedFault::OutOfOrder])).await.unwrap();

    let (first, _) = business.notice().await;
    let (second, _) = business.notice().await;

    assert_eq!((&first["event"], &second["event"]), (&"terminate".into(), &"connect".into()));
    let agent = Agent::answer(second["session"]["sdp"].as_str().unwrap()).await;
    let (status, _) = business.act(&call_action(&call, "pre_accept", Some(&agent.sdp))).await;
    assert_eq!((status, call.ended(SOON).await), (400, Ok(Ending::CallerHungUp)));
}

#[tokio::test]
async fn missing_terminate_never_comes() {
    let mut business = Business::open(hurried()).await;
    let (call, _agent) = business.ring_as(caller([InjectedFault::MissingTerminate])).await;

    call.hang_up().await;

    assert!(tokio::time::timeout(A_WHILE, business.inbox.recv()).await.is_err());
    let record = &business.meta.calls()[0];
    assert_eq!((record.ending, record.terminate_sent), (Some(Ending::CallerHungUp), false));
}

#[tokio::test]
async fn duplicate_terminate_comes_twice() {
    let mut business = Business::open(hurried()).await;
    let (call, _agent) = business.ring_as(caller([InjectedFault::DuplicateTerminate])).await;

    call.hang_up().await;

    let (first, second) = (business.notice().await, business.notice().await);
    assert_eq!(first, second);
    assert_eq!(first.0["event"], "terminate");
}

#[tokio::test]
async fn foreign_calls_come_and_go_beside_ours() {
    let mut business = Business::open(hurried()).await;
    let call = business.meta.ring(caller([InjectedFault::Foreign])).await.unwrap();
    let mut notices = vec![business.notice().await, business.notice().await];
    call.hang_up().await;
    notices.extend([business.notice().await, business.notice().await]);

    let (ours, foreign): (Vec<_>, Vec<_>) =
        notices.into_iter().partition(|(item, _)| item["id"] == call.id());

    let events =
        |told: &[(Value, Value)]| told.iter().map(|(item, _)| item["event"].clone()).collect::<Vec<_>>();
    assert_eq!(events(&ours), events(&foreign));
    assert_eq!(events(&foreign), ["connect", "terminate"]);
    for (_, notice) in &foreign {
        let number = &notice["entry"][0]["changes"][0]["value"]["metadata"]["phone_number_id"];
        assert_ne!(*number, business.config.phone_number_id);
    }
}

#[tokio::test]
async fn an_action_on_a_foreign_call_is_refused_and_recorded() {
    let mut business = Business::open(hurried()).await;
    let call = business.meta.ring(caller([InjectedFault::Foreign])).await.unwrap();
    let told = [business.notice().await.0, business.notice().await.0];
    let foreign = told.iter().find(|item| item["id"] != call.id()).unwrap()["id"].as_str().unwrap();
    assert!(business.meta.strays().is_empty());

    let (status, _) = business.act(&crate::business::action_on(foreign, "reject", None)).await;

    assert_eq!((status, business.meta.strays()), (400, vec![foreign.to_owned()]));
}

#[tokio::test]
async fn batched_hides_the_call_among_other_things() {
    let mut business = Business::open(hurried()).await;
    let call = business.meta.ring(caller([InjectedFault::Batched])).await.unwrap();

    let (_, batch) = business.notice().await;

    let place = &batch["entry"][1]["changes"][2]["value"];
    assert_eq!(place["calls"][2]["id"], call.id());
    assert!(batch["entry"].as_array().unwrap().len() > 3);
    assert_eq!(place["metadata"]["phone_number_id"], business.config.phone_number_id.as_str());
}

#[tokio::test]
async fn bad_signature_once_comes_again_with_the_right_one() {
    let mut business = Business::open(hurried()).await;
    let mut observations = business.meta.observations();
    let (call, _agent) = business.ring_as(caller([InjectedFault::BadSignatureOnce])).await;

    let mut statuses = Vec::new();
    while statuses.len() < 2 {
        let seen = tokio::time::timeout(SOON, observations.recv()).await.unwrap().unwrap().kind;
        if let sim_meta::ObservationKind::WebhookAnswered { status, .. } = seen {
            statuses.push(status);
        }
    }

    assert_eq!(statuses, [Some(401), Some(200)]);
    assert_eq!(call.report().violations, []);
}

#[tokio::test]
async fn a_business_that_takes_a_forgery_is_at_fault() {
    let gullible = axum::Router::new().route("/webhook", axum::routing::post(|| async {}));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/webhook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, gullible).await });
    let meta = sim_meta::Meta::start(hurried()).await.unwrap();
    meta.set_webhook_url(url);

    let call = meta.ring(caller([InjectedFault::BadSignatureOnce])).await.unwrap();

    let fault = |report: &sim_meta::CallReport| report.violations.first().copied();
    assert_eq!(call.wait_until("the fault", SOON, fault).await, Ok(ProtocolViolation::ForgeryTaken));
}

#[tokio::test]
async fn contacts_and_direction_may_both_be_missing() {
    let mut business = Business::open(hurried()).await;
    business.meta.ring(caller([InjectedFault::NoContacts, InjectedFault::NoDirection])).await.unwrap();

    let (connect, notice) = business.notice().await;

    assert_eq!(connect.get("direction"), None);
    assert_eq!(notice["entry"][0]["changes"][0]["value"].get("contacts"), None);
    assert_eq!(connect["from"], "919900000001");
}

fn caller<const N: usize>(faults: [InjectedFault; N]) -> CallerConfig {
    CallerConfig { faults: faults.into(), ..CallerConfig::default() }
}

fn stamp(item: &Value) -> u64 {
    item["timestamp"].as_str().unwrap().parse().unwrap()
}

fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
