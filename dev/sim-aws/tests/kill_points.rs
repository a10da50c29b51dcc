//! Programs that die between any two of their requests.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use serde_json::{Value, json};
use sim_aws::{Cloud, KillMoment, Step};
use support::{cloud_of, function, invoke, keys, payload, soon};

#[tokio::test]
async fn a_function_can_die_before_or_after_each_request() {
    for (nth, moment, stored) in [
        (1, KillMoment::Arrived, vec![]),
        (1, KillMoment::TookEffect, vec!["a"]),
        (2, KillMoment::Arrived, vec!["a"]),
        (2, KillMoment::TookEffect, vec!["a", "b"]),
    ] {
        let cloud = cloud_of(function("puppet")).await;
        let kill_point = cloud.kill_function_after("puppet", Step::Request(nth), moment).unwrap();

        let reply = put(&cloud, ["a", "b"]).await;

        soon(kill_point.hit()).await;
        assert_eq!(reply["errorType"], "Runtime.ExitError", "{nth} {moment:?}");
        assert_eq!(keys(&cloud).await, stored, "{nth} {moment:?}");
    }
}

#[tokio::test]
async fn requests_count_anew_with_every_invocation() {
    let cloud = cloud_of(function("puppet")).await;
    let kill_point = cloud.kill_function_after("puppet", Step::Request(2), KillMoment::Arrived).unwrap();

    let (first, second) = (put(&cloud, ["a"]).await, put(&cloud, ["b"]).await);
    assert_eq!((first, second), (json!({"put": ["a"]}), json!({"put": ["b"]})));
    assert!(!kill_point.was_hit());
    put(&cloud, ["c", "d"]).await;

    assert!(kill_point.was_hit());
    assert_eq!(keys(&cloud).await, ["a", "b", "c"]);
}

#[tokio::test]
async fn a_function_dies_at_an_action_by_name_once() {
    let cloud = cloud_of(function("puppet")).await;
    let other =
        cloud.kill_function_after("puppet", Step::Action("dynamodb.Query".into()), KillMoment::Arrived);
    let kill_point =
        cloud.kill_function_after("puppet", Step::Action("dynamodb.PutItem".into()), KillMoment::Arrived);

    let (first, second) = (put(&cloud, ["a"]).await, put(&cloud, ["a"]).await);

    assert_eq!(first["errorType"], "Runtime.ExitError");
    assert_eq!(second, json!({"put": ["a"]}));
    assert_eq!((other.unwrap().was_hit(), kill_point.unwrap().was_hit()), (false, true));
}

#[tokio::test]
async fn a_function_dies_with_its_reply_before_or_after_lambda_has_it() {
    let cloud = cloud_of(function("puppet")).await;

    let before = cloud.kill_function_after("puppet", Step::Reply, KillMoment::Arrived).unwrap();
    let lost = put(&cloud, ["a"]).await;
    soon(before.hit()).await;
    let after = cloud.kill_function_after("puppet", Step::Reply, KillMoment::TookEffect).unwrap();
    let reply = put(&cloud, ["b"]).await;
    soon(after.hit()).await;

    assert_eq!(lost["errorType"], "Runtime.ExitError");
    assert_eq!(reply, json!({"put": ["b"]}));
    assert_eq!(cloud.function_pids("puppet").len(), 0);
    assert_eq!(keys(&cloud).await, ["a", "b"]);
}

#[tokio::test]
async fn a_kill_point_for_an_unknown_program_is_refused() {
    let cloud = cloud_of(function("puppet")).await;

    let error = cloud.kill_function_after("other", Step::Reply, KillMoment::Arrived).unwrap_err();

    assert_eq!(error.to_string(), "there is no function other");
}

async fn put<const N: usize>(cloud: &Cloud, keys: [&str; N]) -> Value {
    payload(&invoke(cloud, json!({"put": keys.to_vec()})).await)
}
