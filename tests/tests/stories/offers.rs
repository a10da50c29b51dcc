//! Offers that differ from every one Meta has made so far, and relays that are stricter than any seen.

use call::Ending;
use harness::{Story, StoryBuilder, looks_up};
use local::root;
use sim_audio::clips;
use sim_meta::{CallerConfig, InjectedFault, OfferVariant, ProtocolViolation};
use sim_openai::Script;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn offers_that_are_not_metas_yet_are_answered_and_heard() {
    use OfferVariant::{
        BundleOnly, Data, NoBundle, NoMid, Red, Savp, SetupActive, TwoFingerprints, Video, VideoFirst,
    };
    let story = Story::begin().await;
    let offers: [&[OfferVariant]; 8] = [
        &[Video],
        &[VideoFirst, Red, TwoFingerprints],
        &[Data, Red],
        &[Savp],
        &[NoMid, Video],
        &[NoBundle],
        &[BundleOnly],
        &[SetupActive],
    ];
    for offer in offers {
        let phone = CallerConfig { offer: offer.to_vec(), ..CallerConfig::default() };
        let caller = story.ring_as(phone).await;
        caller.is_greeted().await;

        assert_eq!(caller.hangs_up().await.ending, Ending::CallerHungUp, "{offer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn offers_of_the_field_get_an_answer_that_meta_takes() {
    let story = Story::begin().await;
    let files = std::fs::read_dir(root().join("fixtures/sdp-variants")).expect("the offers are there");
    for file in files {
        let path = file.expect("the folder can be read").path();
        let offer = std::fs::read_to_string(&path).expect("an offer is text");
        let sections = |sdp: &str| sdp.lines().filter(|line| line.starts_with("m=")).count();

        let call = story.meta.ring_with_offer(CallerConfig::default(), offer.clone()).expect("it can ring");
        let answer = call.answer(SOON).await.expect("Meta takes the answer");

        assert_eq!(sections(&answer), sections(&offer), "{}", path.display());
        call.call().hang_up().await;
        call.call().business_knows_of_the_end(SOON).await.expect("the business takes the end");
    }
    story.is_at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_at_48_khz_are_agreed_on_and_read() {
    let script = Script::about_bikes().on_message("427", looks_up("427", clips::agent_order()));
    let story = StoryBuilder::default().scripted(script).begin().await;
    let phone = CallerConfig { offer: vec![OfferVariant::Keys48k], ..CallerConfig::default() };
    let caller = story.ring_as(phone).await;
    caller.hears_the_greeting().await;

    caller.phone().press("427#").await.expect("the phone has keys");
    caller.hears(&clips::agent_order()).await;

    assert_eq!(caller.hangs_up().await.keys(), [3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_takes_only_nominating_checks_is_satisfied() {
    let story = Story::begin().await;
    let caller = story.ring_with_faults(&[InjectedFault::StrictRelay]).await;

    // Checks of the nominated pair leave every two seconds.
    caller.talks().await;

    assert!(!caller.phone().report().violations.contains(&ProtocolViolation::CheckWithoutNomination));
    assert_eq!(caller.hangs_up().await.verdicts(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_answers_no_checks_but_sends_sound_keeps_its_call() {
    let story = Story::begin().await;
    let caller = story.ring_with_faults(&[InjectedFault::ChecksUnanswered]).await;
    caller.hears_the_greeting().await;

    // Longer than the ten seconds after which the stack takes the other side for disconnected.
    caller.phone().ended(Duration::from_secs(15)).await.expect_err("the call goes on");

    caller.asks(&clips::caller_question(), &clips::agent_answer()).await;
    assert_eq!(caller.hangs_up().await.ending, Ending::CallerHungUp);
}
