//! Tasks that are not started, start late or never, die at a request, or may not be protected.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod stage;

use aws::{Cut, LastStatus, Refusal, Step};
use serde_json::json;
use stage::ecs::{describe, put, run};
use stage::{Strings, cloud_of_tasks, service, soon};
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_failed_run_task_starts_nothing_and_may_be_tried_again_with_its_token() {
    let strings = Strings::new().await;
    let cloud = cloud_of_tasks(service(0, &strings)).await;
    cloud.mischief().fail_run_task(2, "RESOURCE:ENI");

    let refused = [run(&cloud, "token", "1").await.unwrap(), run(&cloud, "token", "1").await.unwrap()];
    let started = run(&cloud, "token", "1").await.unwrap();

    for refused in refused {
        assert_eq!(refused.failures()[0].reason(), Some("RESOURCE:ENI"));
        assert!(refused.tasks().is_empty());
    }
    assert_eq!((started.tasks().len(), cloud.tasks().len()), (1, 1));
}

#[tokio::test]
async fn run_task_finds_no_capacity() {
    let strings = Strings::new().await;
    let cloud = cloud_of_tasks(service(0, &strings)).await;
    cloud.refuse_next("ecs.RunTask", 1, Refusal::no_capacity());

    let refused = run(&cloud, "token", "1").await.unwrap_err().into_service_error();

    assert!(refused.is_client_exception(), "{refused:?}");
    assert_eq!(cloud.tasks(), []);
}

#[tokio::test]
async fn tasks_start_more_slowly_from_now_on() {
    let strings = Strings::new().await;
    let cloud = cloud_of_tasks(service(0, &strings)).await;
    let delay = Duration::from_millis(100);
    cloud.mischief().start_delay("media-task", delay).unwrap();

    let before = Instant::now();
    run(&cloud, "token", "1").await.unwrap();
    soon(cloud.tasks_until(|tasks| tasks[0].last_status == LastStatus::Running)).await;

    assert!(before.elapsed() >= delay);
}

#[tokio::test]
async fn a_task_without_network_stops_before_it_ran() {
    let strings = Strings::new().await;
    let cloud = cloud_of_tasks(service(0, &strings)).await;
    cloud.mischief().tasks_never_start("media-task", 1).unwrap();

    let arn = run(&cloud, "token", "1").await.unwrap().tasks()[0].task_arn().unwrap().to_owned();
    soon(cloud.tasks_until(|tasks| tasks[0].last_status == LastStatus::Stopped)).await;
    run(&cloud, "other token", "1").await.unwrap();
    soon(cloud.tasks_until(|tasks| tasks[1].last_status == LastStatus::Running)).await;

    let task = describe(&cloud, &arn).await;
    assert_eq!(task.stop_code().unwrap().as_str(), "TaskFailedToStart");
    assert_eq!((task.started_at(), cloud.tasks()[0].pid), (None, None));
}

#[tokio::test]
async fn a_task_dies_at_a_request_and_is_replaced() {
    let strings = Strings::new().await;
    let mut asking = service(0, &strings);
    asking.env.insert("ASK".into(), "1".into());
    let cloud = cloud_of_tasks(asking).await;
    let trap = cloud.kill_task_after("media-task", Step::Request(1), Cut::TookEffect).unwrap();

    cloud.scale("media-task", 1).unwrap();
    soon(trap.snapped()).await;
    strings.puppet().await.settings().await;

    assert_eq!(cloud.requests()["dynamodb.ListTables"], 2);
    let tasks = soon(cloud.tasks_until(|tasks| tasks[0].last_status == LastStatus::Stopped)).await;
    assert_eq!((tasks.len(), tasks[0].exit_code), (2, Some(137)));
}

#[tokio::test]
async fn protection_is_refused_while_a_deployment_blocks_it() {
    let strings = Strings::new().await;
    let cloud = cloud_of_tasks(service(1, &strings)).await;
    let settings = strings.puppet().await.settings().await;
    cloud.mischief().refuse_protection(1);

    let refused = put(&settings, json!({"ProtectionEnabled": true})).await;
    let unprotected = cloud.tasks()[0].protected;
    let protected = put(&settings, json!({"ProtectionEnabled": true})).await;

    assert_eq!(refused["failure"]["Reason"], "DEPLOYMENT_BLOCKED");
    assert_eq!((unprotected, &protected["protection"]["ProtectionEnabled"]), (false, &json!(true)));
}
