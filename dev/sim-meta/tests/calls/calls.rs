//! Calls that go as they should, and agents that do not.

use crate::agent::Agent;
use crate::business::{Business, SOON, call_action, hurried};
use sim_audio::hearing::{HEARD, find};
use sim_audio::{Clip, clips};
use sim_meta::{CallerConfig, Ending, MetaConfig, ObservationKind, ProtocolViolation, Timers, WaitError};
use std::time::Duration;

#[tokio::test]
async fn both_sides_hear_each_other_until_the_caller_hangs_up() {
    let mut business = Business::open(hurried()).await;
    let (call, mut agent) = business.take_call().await;
    let (question, answer) = (clips::caller_question(), clips::agent_answer());

    agent.play(&answer.samples);
    call.say(&question).await.unwrap();
    call.agent_falls_silent(SOON).await.unwrap();
    call.hang_up().await;

    let recording = call.recording();
    assert!(find(&answer.samples, &recording).unwrap().correlation > HEARD);
    assert!(find(&question.samples, &agent.heard()).unwrap().correlation > HEARD);
    assert_eq!(call.said()[0].1, question.text);
    let (terminate, _) = business.notice().await;
    assert_eq!((&terminate["event"], &terminate["status"]), (&"terminate".into(), &"COMPLETED".into()));
    assert!(terminate["duration"].as_u64().is_some_and(|seconds| (3..=6).contains(&seconds)));
    assert!(agent.until(|state| state.closed, SOON).await, "the relay says goodbye");
}

#[tokio::test]
async fn the_report_tells_the_call_in_its_order() {
    let mut business = Business::open(hurried()).await;
    let mut observations = business.meta.observations();
    let (call, agent) = business.take_call().await;
    agent.play(&tone(440.0));
    call.say(&clip("tone", &tone(660.0))).await.unwrap();
    call.agent_speaks(SOON).await.unwrap();
    call.hang_up().await;
    call.terminated(SOON).await.unwrap();

    let report = call.report();
    let times = [
        report.posted,
        report.webhook_answered,
        report.pre_accepted,
        report.dtls_connected,
        report.accepted,
        report.first_packet,
        report.first_voice,
        report.ended,
    ];
    assert!(times.is_sorted_by(|a, b| a.is_some() && a <= b), "{report:#?}");
    assert!(report.ice_connected.is_some() && report.ice_connected < report.dtls_connected);
    // str0m, which plays the agent, sets the extension bit on every packet. How punctual it is, the machine decides.
    let of_pace =
        |fault: &&ProtocolViolation| matches!(fault, ProtocolViolation::Gap(_) | ProtocolViolation::Burst(_));
    let faults: Vec<&ProtocolViolation> = report.violations.iter().filter(|fault| !of_pace(fault)).collect();
    assert_eq!(faults, [&ProtocolViolation::HeaderExtension]);
    assert_eq!(report.traffic.early_packets, 0);
    assert!(report.traffic.packets >= 40 && report.traffic.sent >= 45, "{:?}", report.traffic);
    assert!(sim_audio::tone::strength(&call.recording()[4_800..19_200], 440.0) > 0.9);
    let seen: Vec<ObservationKind> =
        std::iter::from_fn(|| observations.try_recv().ok()).map(|seen| seen.kind).collect();
    assert!(seen.contains(&ObservationKind::Ended(Ending::CallerHungUp)), "{seen:?}");
    assert!(seen.contains(&ObservationKind::AgentVoice), "{seen:?}");
}

#[tokio::test]
async fn sound_before_accepts_200_is_lost() {
    let mut business = Business::open(hurried()).await;
    let (call, mut agent) = business.ring().await;
    business.pre_accept(&call, &agent).await;
    agent.connected().await;

    agent.play(&tone(440.0));
    let early = |report: &sim_meta::CallReport| {
        report.violations.contains(&ProtocolViolation::EarlyMedia).then_some(())
    };
    call.wait_until("early media", SOON, early).await.unwrap();

    assert_eq!((call.recording(), call.report().first_packet), (Vec::new(), None));
    business.accept(&call, &agent).await;
    call.agent_speaks(SOON).await.unwrap();
    assert!(call.report().traffic.early_packets > 0);
}

#[tokio::test]
async fn the_phone_sends_first_only_when_it_is_told_to() {
    let mut business = Business::open(hurried()).await;
    let (waiting, _agent) = business.take_call().await;
    let caller = CallerConfig { waits_for_media: false, ..CallerConfig::default() };
    let (eager, mut agent) = business.ring_as(caller).await;
    business.pre_accept(&eager, &agent).await;
    agent.connected().await;
    business.accept(&eager, &agent).await;

    eager.say(&clip("tone", &tone(440.0))).await.unwrap();

    assert!(sim_audio::tone::strength(&agent.heard(), 440.0) > 0.8);
    assert_eq!(waiting.report().traffic.sent, 0);
}

#[tokio::test]
async fn an_answer_to_the_older_offer_connects_too() {
    let mut business = Business::open(hurried()).await;
    let caller = CallerConfig { old_offer_form: true, ..CallerConfig::default() };
    let (call, mut agent) = business.ring_as(caller).await;

    business.accept(&call, &agent).await;

    agent.connected().await;
    assert!(call.report().accepted.is_some());
}

#[tokio::test]
async fn a_controlled_agent_is_told_its_role_conflict() {
    let mut business = Business::open(hurried()).await;
    let call = business.meta.ring(CallerConfig::default()).await.unwrap();
    let (connect, _) = business.notice().await;
    let agent = Agent::in_role(connect["session"]["sdp"].as_str().unwrap(), false).await;
    business.pre_accept(&call, &agent).await;

    let flagged = |report: &sim_meta::CallReport| {
        report.violations.contains(&ProtocolViolation::ControlledAgent).then_some(())
    };
    call.wait_until("the flag", SOON, flagged).await.unwrap();
}

#[tokio::test]
async fn an_agent_with_another_certificate_never_connects() {
    let mut business = Business::open(hurried()).await;
    let (call, mut agent) = business.ring().await;
    let fingerprint = agent.sdp.find("sha-256 ").unwrap() + "sha-256 ".len();
    let other = if agent.sdp[fingerprint..].starts_with("00") { "11" } else { "00" };
    agent.sdp.replace_range(fingerprint..fingerprint + 2, other);

    business.pre_accept(&call, &agent).await;

    call.wait_until("a path", SOON, |report| report.ice_connected).await.unwrap();
    let connected = call.wait_until("keys", Duration::from_millis(500), |report| report.dtls_connected).await;
    assert!(matches!(connected, Err(WaitError::TimedOut { .. })), "{connected:?}");
}

#[tokio::test]
async fn an_unanswered_call_ends_without_times() {
    let config = MetaConfig { ring: Duration::from_millis(200), ..hurried() };
    let mut business = Business::open(config).await;
    let (call, _agent) = business.ring().await;

    assert_eq!(call.ended(SOON).await, Ok(Ending::Unanswered));

    let (terminate, _) = business.notice().await;
    assert_eq!(terminate["status"], "COMPLETED");
    assert_eq!((terminate.get("start_time"), terminate.get("duration")), (None, None));
}

#[tokio::test]
async fn an_agent_that_sends_nothing_loses_the_call_with_138021() {
    let timers = Timers { first_media: Duration::from_millis(300), ..hurried().timers };
    let mut business = Business::open(MetaConfig { timers, ..hurried() }).await;
    let (call, _agent) = business.take_call().await;

    assert_eq!(call.ended(SOON).await, Ok(Ending::NoMedia));

    let (terminate, notice) = business.notice().await;
    assert_eq!(terminate["status"], "FAILED");
    assert_eq!(terminate["errors"][0]["code"], 138_021);
    assert_eq!(notice["entry"][0]["changes"][0]["value"]["errors"][0]["code"], 138_021);
    assert!(terminate["start_time"].is_string() && terminate["duration"].is_u64());
}

#[tokio::test]
async fn an_agent_that_stops_sending_loses_the_call_too() {
    // Longer than a busy machine keeps the agent from sending.
    let timers = Timers { mid_call_media: Duration::from_secs(2), ..hurried().timers };
    let mut business = Business::open(MetaConfig { timers, ..hurried() }).await;
    let (call, agent) = business.take_call().await;
    agent.play(&tone(440.0));
    call.agent_speaks(SOON).await.unwrap();
    assert_eq!(call.report().ending, None);

    agent.stop_sending();

    assert_eq!(call.ended(SOON).await, Ok(Ending::NoMedia));
}

#[tokio::test]
async fn the_business_hangs_up_and_gets_its_callback_data_back() {
    let mut business = Business::open(hurried()).await;
    let (call, agent) = business.ring().await;
    let mut accept = call_action(&call, "accept", Some(&agent.sdp));
    accept["biz_opaque_callback_data"] = "sess-1".into();
    assert_eq!(business.act(&accept).await.0, 200);

    assert_eq!(business.act(&call_action(&call, "terminate", None)).await.0, 200);

    assert_eq!(call.ended(SOON).await, Ok(Ending::Terminated));
    let (terminate, _) = business.notice().await;
    assert_eq!(terminate["biz_opaque_callback_data"], "sess-1");
}

#[tokio::test]
async fn waiting_in_vain_says_for_what() {
    let mut business = Business::open(hurried()).await;
    let (call, _agent) = business.ring().await;

    let in_vain = call.answered(Duration::from_millis(50)).await.unwrap_err();
    call.hang_up().await;
    let over = call.say(&clips::caller_question()).await.unwrap_err();

    assert_eq!(in_vain.to_string(), "waited 50ms in vain for accept's 200");
    assert!(matches!(over, WaitError::Ended { ending: Ending::CallerHungUp, .. }), "{over}");
}

#[tokio::test]
async fn the_caller_can_talk_over_the_agent() {
    let mut business = Business::open(hurried()).await;
    let (call, agent) = business.take_call().await;
    let (long, question) = (clips::agent_long(), clips::caller_interrupts());
    agent.play(&long.samples);
    call.agent_speaks(SOON).await.unwrap();

    call.say(&question).await.unwrap();

    assert!(call.report().agent_is_speaking());
    assert!(find(&question.samples, &agent.heard()).unwrap().correlation > HEARD);
}

#[tokio::test]
async fn a_muted_phone_is_still_there() {
    let mut business = Business::open(hurried()).await;
    let (call, mut agent) = business.take_call().await;
    agent.play(&tone(440.0));
    agent.hears_more(SOON).await;
    call.mute();
    call.press("1").await.unwrap();
    let muted = agent.arrived().iter().filter(|packet| packet.event.is_none()).count();

    call.say(&clip("tone", &tone(660.0))).await.unwrap();
    assert_eq!(agent.arrived().iter().filter(|packet| packet.event.is_none()).count(), muted);
    call.unmute();
    agent.hears_more(SOON).await;

    let arrived = agent.arrived();
    let gaps = arrived.windows(2).map(|two| two[1].timestamp.wrapping_sub(two[0].timestamp));
    assert!(gaps.max() > Some(48_000), "a second was not sent");
    let mut steps = arrived.windows(2).map(|two| two[1].sequence.wrapping_sub(two[0].sequence));
    assert!(steps.all(|step| step == 1), "and nothing was lost");
    assert!(sim_audio::tone::strength(&agent.heard(), 660.0) < 0.01);
}

#[tokio::test]
async fn stop_ends_everything() {
    let mut business = Business::open(hurried()).await;
    let (call, _agent) = business.take_call().await;
    let graph = business.meta.graph_url();

    business.meta.stop().await;

    assert!(reqwest::get(graph).await.is_err());
    assert_eq!(call.report().terminated, None);
}

fn tone(hertz: f64) -> Vec<i16> {
    sim_audio::tone(hertz, Duration::from_secs(1))
}

fn clip(name: &str, samples: &[i16]) -> Clip {
    Clip { name: name.to_owned(), text: name.to_owned(), samples: samples.to_vec() }
}
