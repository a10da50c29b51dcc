//! Functions that are asked more often than they may run, and events that wait for them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use serde_json::{Value, json};
use sim_aws::{Cloud, Events, Function};
use std::time::Duration;
use support::{Strings, cloud_of, function, invoke, soon};

#[tokio::test]
async fn a_function_at_its_limit_is_too_busy_for_more() {
    let (cloud, strings) = (cloud_of(single()).await, Strings::new().await);

    let (_, (refused, url)) = tokio::join!(invoke(&cloud, json!({"ask": strings.address()})), async {
        let mut puppet = strings.puppet().await;
        let refused = once(&cloud).invoke().function_name("puppet").send().await.unwrap_err();
        let url = reqwest::get(cloud.function_url("puppet")).await.unwrap();
        puppet.order("ok").await;
        (refused.into_service_error(), url)
    });
    let after = invoke(&cloud, json!({"n": 1})).await;

    assert!(refused.is_too_many_requests_exception(), "{refused:?}");
    assert_eq!(url.status(), 429);
    assert_eq!(after.function_error(), None);
    assert_eq!(cloud.function_pids("puppet").len(), 1);
}

#[tokio::test]
async fn an_event_waits_until_a_busy_function_has_room() {
    let (cloud, strings) = (cloud_of(single()).await, Strings::new().await);
    send(&cloud, json!({"ask": strings.address()})).await;
    let mut first = strings.puppet().await;

    send(&cloud, json!({"ask": strings.address()})).await;
    assert_eq!(cloud.events("puppet").unwrap().waiting, 2);
    first.order("ok").await;
    strings.puppet().await.order("ok").await;

    let events = soon(cloud.events_until("puppet", |events| events.waiting == 0)).await.unwrap();
    assert_eq!(events, Events { waiting: 0, handled: 2, lost: 0 });
}

#[tokio::test]
async fn an_event_too_old_or_failed_at_every_attempt_is_lost() {
    let hasty = Function { max_event_age: Duration::ZERO, ..function("puppet") };
    let once = Function { retry_after: Vec::new(), ..function("puppet") };
    for function in [hasty, once] {
        let (cloud, strings) = (cloud_of(function).await, Strings::new().await);

        send(&cloud, json!({"ask": strings.address()})).await;
        strings.puppet().await.order("fail").await;

        let events = soon(cloud.events_until("puppet", |events| events.waiting == 0)).await.unwrap();
        assert_eq!(events, Events { waiting: 0, handled: 0, lost: 1 });
    }
}

#[tokio::test]
async fn a_throttled_function_is_too_busy_so_many_times() {
    let cloud = cloud_of(single()).await;
    cloud.faults().throttle_invocations("puppet", 1).unwrap();

    let refused = once(&cloud).invoke().function_name("puppet").send().await.unwrap_err();
    let next = invoke(&cloud, json!({})).await;

    assert!(refused.into_service_error().is_too_many_requests_exception());
    assert_eq!(next.function_error(), None);
}

#[tokio::test]
async fn a_throttled_event_is_no_attempt() {
    let cloud = cloud_of(Function { retry_after: Vec::new(), ..single() }).await;
    cloud.faults().throttle_invocations("puppet", 3).unwrap();

    send(&cloud, json!({})).await;

    let events = soon(cloud.events_until("puppet", |events| events.waiting == 0)).await.unwrap();
    assert_eq!(events, Events { waiting: 0, handled: 1, lost: 0 });
}

/// One invocation at a time, and an event that is throttled comes again soon.
fn single() -> Function {
    let throttled_pause = Duration::from_millis(2);
    Function { reserved_concurrency: Some(1), throttled_pause, ..function("puppet") }
}

/// A client that takes the first no for an answer.
fn once(cloud: &Cloud) -> aws_sdk_lambda::Client {
    let config = aws_sdk_lambda::config::Builder::from(&cloud.sdk_config());
    aws_sdk_lambda::Client::from_conf(config.retry_config(RetryConfig::disabled()).build())
}

/// Returns once Lambda has accepted the event and counts it.
async fn send(cloud: &Cloud, event: Value) {
    let client = aws_sdk_lambda::Client::new(&cloud.sdk_config());
    let before = total(&cloud.events("puppet").unwrap());
    let event = Blob::new(event.to_string());
    let send = client.invoke().function_name("puppet").invocation_type(InvocationType::Event).payload(event);
    send.send().await.unwrap();
    soon(cloud.events_until("puppet", |events| total(events) > before)).await.unwrap();
}

fn total(events: &Events) -> usize {
    events.waiting + events.handled + events.lost
}
