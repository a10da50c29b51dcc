//! Function processes stand still between invocations, as Lambda's do.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use serde_json::json;
use sim_aws::Function;
use support::{Strings, cloud_of, frozen, function, invoke, soon};

#[tokio::test]
async fn what_a_function_does_after_its_answer_waits_for_the_next_invocation() {
    let (cloud, strings) = (cloud_of(function("puppet")).await, Strings::new().await);
    invoke(&cloud, json!({"linger": strings.address()})).await;
    let mut puppet = strings.puppet().await;
    let pid = cloud.function_pids("puppet")[0];
    soon(frozen(pid)).await;

    puppet.order("hello").await;
    assert!(puppet.is_silent().await, "it is frozen");
    invoke(&cloud, json!({})).await;

    assert_eq!(puppet.says().await, "hello");
    assert_eq!(cloud.function_pids("puppet"), [pid], "it was thawed, not replaced");
}

#[tokio::test]
async fn a_function_that_does_not_freeze_runs_on() {
    let restless = Function { freezes: false, ..function("puppet") };
    let (cloud, strings) = (cloud_of(restless).await, Strings::new().await);

    invoke(&cloud, json!({"linger": strings.address()})).await;
    let mut puppet = strings.puppet().await;
    puppet.order("hello").await;

    assert_eq!(puppet.says().await, "hello");
}

#[tokio::test]
async fn a_frozen_function_can_be_killed_and_is_replaced() {
    let cloud = cloud_of(function("puppet")).await;
    invoke(&cloud, json!({})).await;
    let pids = cloud.function_pids("puppet");
    soon(frozen(pids[0])).await;

    soon(cloud.kill_function("puppet")).await.unwrap();
    invoke(&cloud, json!({})).await;

    assert_ne!(cloud.function_pids("puppet"), pids);
}

#[tokio::test]
async fn a_frozen_function_ends_with_its_cloud() {
    let (cloud, strings) = (cloud_of(function("puppet")).await, Strings::new().await);
    invoke(&cloud, json!({"linger": strings.address()})).await;
    let mut puppet = strings.puppet().await;
    soon(frozen(cloud.function_pids("puppet")[0])).await;

    soon(cloud.stop()).await;

    assert_eq!(puppet.says().await, "", "the process is gone");
}
