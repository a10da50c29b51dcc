//! Each injected fault does what its name says, and nothing else.

use crate::business::{Business, SOON, call_action, hurried};
use sim_meta::{Ending, InjectedFault, MetaConfig, Timers};
use std::time::{Duration, Instant};

/// Long enough for what takes milliseconds when it happens at all.
const A_WHILE: Duration = Duration::from_millis(500);

#[tokio::test]
async fn sdp_refused_refuses_both_with_138008() {
    let mut business = up_to(InjectedFault::SdpRefused).await;
    let (call, agent) = business.ring().await;

    for action in ["pre_accept", "accept"] {
        let (status, body) = business.act(&call_action(&call, action, Some(&agent.sdp))).await;
        assert_eq!((status, &body["error"]["code"]), (400, &138_008.into()));
    }
}

#[tokio::test]
async fn ice_never_leaves_every_check_unanswered() {
    let mut business = up_to(InjectedFault::IceNever).await;
    let (call, mut agent) = business.ring().await;
    business.pre_accept(&call, &agent).await;

    assert!(!agent.until(|state| state.connected, A_WHILE).await);
    assert_eq!(call.report().ice_connected, None);
}

#[tokio::test]
async fn dtls_never_stops_after_ice() {
    let mut business = up_to(InjectedFault::DtlsNever).await;
    let (call, mut agent) = business.ring().await;
    business.pre_accept(&call, &agent).await;

    assert!(!agent.until(|state| state.connected, A_WHILE).await);
    let report = call.report();
    assert!(report.ice_connected.is_some() && report.dtls_connected.is_none());
}

#[tokio::test]
async fn a_relay_that_conflicts_or_is_closed_connects_no_call() {
    for fault in [InjectedFault::RoleConflict, InjectedFault::RelayClosed] {
        let mut business = up_to(fault).await;
        let (call, mut agent) = business.ring().await;
        business.pre_accept(&call, &agent).await;

        assert!(!agent.until(|state| state.connected, A_WHILE).await, "{fault}");
        assert_eq!(call.report().ice_connected, None, "{fault}");
    }
}

#[tokio::test]
async fn agent_unheard_ends_the_call_for_want_of_sound() {
    let timers = Timers { first_media: Duration::from_secs(1), ..hurried().timers };
    let config = MetaConfig { fault: Some(InjectedFault::AgentUnheard), timers, ..hurried() };
    let mut business = Business::open(config).await;
    let (call, mut agent) = business.take_call().await;
    agent.play(&sim_audio::tone(440.0, Duration::from_millis(300)));
    agent.hears_more(SOON).await;

    assert_eq!(call.ended(SOON).await, Ok(Ending::NoMedia));
    assert_eq!(call.report().traffic.packets, 0);
}

#[tokio::test]
async fn graph_500_once_has_no_effect_and_is_over() {
    let mut business = up_to(InjectedFault::Graph500Once).await;
    let (call, agent) = business.ring().await;

    let (status, body) = business.act(&call_action(&call, "pre_accept", Some(&agent.sdp))).await;

    assert_eq!((status, &body["error"]["code"]), (500, &138_004.into()));
    business.pre_accept(&call, &agent).await;
}

#[tokio::test]
async fn graph_slow_takes_its_time() {
    let mut business = up_to(InjectedFault::GraphSlow).await;
    let (call, agent) = business.ring().await;
    let start = Instant::now();

    business.pre_accept(&call, &agent).await;

    assert!(start.elapsed() >= business.config.timers.slow_graph);
}

#[tokio::test]
async fn duplicate_connect_comes_twice() {
    let mut business = up_to(InjectedFault::DuplicateConnect).await;
    let (call, _agent) = business.ring().await;

    let (again, _) = business.notice().await;

    assert_eq!((&again["id"], &again["event"]), (&call.id().into(), &"connect".into()));
}

#[tokio::test]
async fn cut_accept_takes_effect_without_a_reply() {
    let mut business = up_to(InjectedFault::CutAccept).await;
    let (call, agent) = business.ring().await;
    let accept = call_action(&call, "accept", Some(&agent.sdp));

    assert!(business.try_act(&accept).await.is_err(), "the connection is cut");
    let (status, body) = business.act(&accept).await;

    assert_eq!((status, &body["error"]["code"]), (400, &100.into()));
    assert_eq!(body["error"]["error_data"]["details"], "call already in progress");
    agent.play(&sim_audio::tone(440.0, Duration::from_millis(500)));
    call.agent_speaks(SOON).await.expect("the call is open");
}

#[tokio::test]
async fn caller_gives_up_before_accept() {
    let mut business = up_to(InjectedFault::CallerGivesUp).await;
    let (call, agent) = business.ring().await;
    business.pre_accept(&call, &agent).await;

    assert_eq!(business.act(&call_action(&call, "accept", Some(&agent.sdp))).await.0, 400);

    assert_eq!(call.ended(SOON).await, Ok(Ending::CallerHungUp));
    let (terminate, _) = business.notice().await;
    assert_eq!((&terminate["status"], terminate.get("duration")), (&"COMPLETED".into(), None));
}

#[tokio::test]
async fn no_from_shows_the_user_id_only() {
    let mut business = up_to(InjectedFault::NoFrom).await;
    business.meta.ring(sim_meta::CallerConfig::default()).await.unwrap();

    let (connect, notice) = business.notice().await;

    assert_eq!(connect.get("from"), None);
    assert_eq!(connect["from_user_id"], "IN.55501234567890123456");
    assert_eq!(notice["entry"][0]["changes"][0]["value"]["contacts"][0].get("wa_id"), None);
}

#[tokio::test]
async fn a_silent_caller_sends_not_one_packet() {
    let mut business = up_to(InjectedFault::SilentCaller).await;
    let (call, agent) = business.take_call().await;
    agent.play(&sim_audio::tone(440.0, Duration::from_millis(300)));

    call.say(&sim_audio::clips::agent_closing()).await.unwrap();

    assert!(agent.heard().is_empty());
    assert_eq!(call.report().traffic.sent, 0);
}

async fn up_to(fault: InjectedFault) -> Business {
    Business::open(MetaConfig { fault: Some(fault), ..hurried() }).await
}
