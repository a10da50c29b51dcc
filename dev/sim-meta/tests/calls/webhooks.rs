//! Webhooks: signed, in any form, and delivered again.

use crate::business::{Business, SOON, hurried};
use sim_meta::{CallerConfig, Event, Meta, MetaConfig, ObservationKind};

#[tokio::test]
async fn a_refused_webhook_comes_again_with_the_same_bytes() {
    let mut business = Business::open(hurried()).await;
    let mut observations = business.meta.observations();
    business.answer_next_with(500);

    let _call = business.meta.ring(CallerConfig::default()).await.unwrap();

    let (first, second) = (business.inbox.recv().await.unwrap(), business.inbox.recv().await.unwrap());
    assert_eq!(first, second);
    let mut seen = Vec::new();
    while seen.len() < 4 {
        seen.push(tokio::time::timeout(SOON, observations.recv()).await.unwrap().unwrap().kind);
    }
    let event = Event::Connect;
    let posted = |attempt| ObservationKind::WebhookPosted { event, attempt };
    let answered = |status| ObservationKind::WebhookAnswered { event, status: Some(status) };
    assert_eq!(seen, [posted(1), answered(500), posted(2), answered(200)]);
}

#[tokio::test]
async fn a_name_beyond_ascii_arrives_whole() {
    let mut business = Business::open(hurried()).await;
    business.meta.ring(CallerConfig::default()).await.unwrap();

    let (_, notice) = business.notice().await;

    assert_eq!(notice["entry"][0]["changes"][0]["value"]["contacts"][0]["profile"]["name"], "Zoë");
}

#[tokio::test]
async fn verification_wants_the_challenge_back() {
    let business = Business::open(hurried()).await;
    business.meta.verify_webhook().await.unwrap();

    let stranger = Business::open(MetaConfig { verify_token: "another".to_owned(), ..hurried() }).await;
    let refusal = stranger.meta.verify_webhook().await.unwrap_err();

    assert!(refusal.to_string().contains("403"), "{refusal}");
}

#[tokio::test]
async fn a_failed_verification_keeps_the_token_to_itself() {
    let meta = Meta::start(MetaConfig { verify_token: "hush".to_owned(), ..hurried() }).await.unwrap();
    meta.set_webhook_url("http://127.0.0.1:1/webhook");

    let refusal = format!("{:#}", meta.verify_webhook().await.unwrap_err());

    assert!(refusal.contains("does not answer") && !refusal.contains("hush"), "{refusal}");
}

#[tokio::test]
async fn a_business_without_a_webhook_cannot_be_called() {
    let meta = Meta::start(hurried()).await.unwrap();

    let refusal = meta.ring(CallerConfig::default()).await.err().expect("a refusal");

    assert!(refusal.to_string().contains("set_webhook_url"), "{refusal}");
}
