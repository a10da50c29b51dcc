//! Functions that are real processes: invoked, timed out, killed, and asked again.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use serde_json::json;
use sim_aws::{Cloud, CloudConfig, Function};
use std::time::Duration;
use support::{Strings, cloud_of, function, invoke, payload, template};

#[tokio::test]
async fn an_event_is_answered_by_a_process_that_is_kept() {
    let cloud = cloud_of(function("puppet")).await;
    assert_eq!(cloud.function_pids("puppet").len(), 0);

    let first = invoke(&cloud, json!({"n": 1})).await;
    let pids = cloud.function_pids("puppet");
    let second = invoke(&cloud, json!({"n": 2})).await;

    assert_eq!((payload(&first), payload(&second)), (json!({"n": 1}), json!({"n": 2})));
    assert_eq!(first.function_error(), None);
    assert_eq!((pids.len(), cloud.function_pids("puppet")), (1, pids));
}

#[tokio::test]
async fn a_busy_process_gets_company() {
    let (cloud, strings) = (cloud_of(function("puppet")).await, Strings::new().await);
    let ask = || invoke(&cloud, json!({"ask": strings.address()}));

    let both = async {
        let (mut one, mut other) = (strings.puppet().await, strings.puppet().await);
        assert_ne!(pid(&one.says().await), pid(&other.says().await));
        one.order("ok").await;
        other.order("ok").await;
    };
    tokio::join!(ask(), ask(), both);

    assert_eq!(cloud.function_pids("puppet").len(), 2);
}

#[tokio::test]
async fn a_function_error_is_a_200_with_a_header() {
    let (cloud, strings) = (cloud_of(function("puppet")).await, Strings::new().await);

    let (output, ()) = tokio::join!(invoke(&cloud, json!({"ask": strings.address()})), async {
        strings.puppet().await.order("fail").await;
    });

    assert_eq!((output.status_code(), output.function_error()), (200, Some("Unhandled")));
    assert!(payload(&output)["errorMessage"].as_str().unwrap().contains("told to fail"));
    assert_eq!(cloud.function_pids("puppet").len(), 1, "an error is not the process's end");
}

#[tokio::test]
async fn a_process_that_exits_is_an_error_and_is_replaced() {
    let (cloud, strings) = (cloud_of(function("puppet")).await, Strings::new().await);

    let (output, ()) = tokio::join!(invoke(&cloud, json!({"ask": strings.address()})), async {
        strings.puppet().await.order("exit").await;
    });
    let after = invoke(&cloud, json!({"n": 1})).await;

    assert_eq!(payload(&output)["errorType"], "Runtime.ExitError");
    assert!(payload(&output)["errorMessage"].as_str().unwrap().contains("exit status 3"));
    assert_eq!(payload(&after), json!({"n": 1}));
}

#[tokio::test]
async fn a_killed_process_fails_its_invocation_and_is_replaced() {
    let (cloud, strings) = (cloud_of(function("puppet")).await, Strings::new().await);

    let (output, ()) = tokio::join!(invoke(&cloud, json!({"ask": strings.address()})), async {
        let mut puppet = strings.puppet().await;
        puppet.says().await;
        cloud.kill_function("puppet").await.unwrap();
        assert_eq!(cloud.function_pids("puppet").len(), 0);
    });
    let after = invoke(&cloud, json!({"n": 1})).await;

    assert_eq!(output.function_error(), Some("Unhandled"));
    assert!(payload(&output)["errorMessage"].as_str().unwrap().contains("signal: killed"));
    assert_eq!(payload(&after), json!({"n": 1}));
}

#[tokio::test]
async fn an_invocation_that_takes_too_long_costs_the_process_its_life() {
    let slow = Function { timeout: Duration::from_millis(300), ..function("puppet") };
    let (cloud, strings) = (cloud_of(slow).await, Strings::new().await);

    let (output, mut puppet) =
        tokio::join!(invoke(&cloud, json!({"ask": strings.address()})), strings.puppet());

    assert_eq!(output.function_error(), Some("Unhandled"));
    assert!(payload(&output)["errorMessage"].as_str().unwrap().contains("Task timed out after 0.30 seconds"));
    puppet.says().await;
    assert_eq!(puppet.says().await, "", "the process is gone");
    assert_eq!(cloud.function_pids("puppet").len(), 0);
}

#[tokio::test]
async fn a_process_that_cannot_start_fails_the_invocation() {
    let mut broken = function("puppet");
    broken.env.insert("EXIT_AT_START".into(), "1".into());
    let cloud = cloud_of(broken).await;

    let output = invoke(&cloud, json!({})).await;

    assert!(payload(&output)["errorMessage"].as_str().unwrap().contains("exit status 4"));
}

#[tokio::test]
async fn an_event_returns_at_once_and_is_tried_three_times_whatever_happens() {
    let (cloud, strings) = (cloud_of(function("puppet")).await, Strings::new().await);
    let client = aws_sdk_lambda::Client::new(&cloud.sdk_config());
    let event = Blob::new(json!({"ask": strings.address()}).to_string());
    let send = client.invoke().function_name("puppet").invocation_type(InvocationType::Event).payload(event);

    let output = send.send().await.unwrap();
    let mut requests = Vec::new();
    for order in ["fail", "exit", "ok"] {
        let mut puppet = strings.puppet().await;
        requests.push(request_id(&puppet.says().await));
        puppet.order(order).await;
    }

    assert_eq!(output.status_code(), 202);
    assert_eq!(requests, [requests[0].clone(), requests[0].clone(), requests[0].clone()]);
}

#[tokio::test]
async fn what_lambda_refuses_is_refused() {
    let cloud = cloud_of(function("puppet")).await;
    let client = aws_sdk_lambda::Client::new(&cloud.sdk_config());
    let ask =
        |name: &str, payload: Vec<u8>| client.invoke().function_name(name).payload(Blob::new(payload)).send();

    let unknown = ask("other", b"{}".to_vec()).await.unwrap_err().into_service_error();
    let no_json = ask("puppet", b"{".to_vec()).await.unwrap_err().into_service_error();
    let too_large = vec![b' '; 6 * 1024 * 1024 + 1];
    let too_large = ask("puppet", too_large).await.unwrap_err().into_service_error();

    assert!(unknown.is_resource_not_found_exception(), "{unknown:?}");
    assert!(no_json.is_invalid_request_content_exception(), "{no_json:?}");
    assert!(too_large.is_request_too_large_exception(), "{too_large:?}");
    assert_eq!(cloud.function_pids("puppet").len(), 0, "nothing was started for it");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let functions = vec![Function::new("webhook", "/nowhere/webhook")];

    let error = Cloud::start(CloudConfig { functions, ..CloudConfig::new(template()) }).await.unwrap_err();

    assert_eq!(error.to_string(), "cannot start function webhook: /nowhere/webhook does not exist");
}

#[tokio::test]
async fn children_end_with_their_cloud() {
    let (cloud, strings) = (cloud_of(function("puppet")).await, Strings::new().await);
    let client = aws_sdk_lambda::Client::new(&cloud.sdk_config());
    let event = Blob::new(json!({"ask": strings.address()}).to_string());
    let send = client.invoke().function_name("puppet").invocation_type(InvocationType::Event).payload(event);
    send.send().await.unwrap();
    let mut puppet = strings.puppet().await;
    puppet.says().await;

    drop(cloud);

    assert_eq!(puppet.says().await, "", "the process is gone");
}

fn request_id(words: &str) -> String {
    words.split_once(' ').unwrap().0.to_owned()
}

fn pid(words: &str) -> u32 {
    words.split_once(' ').unwrap().1.parse().unwrap()
}
