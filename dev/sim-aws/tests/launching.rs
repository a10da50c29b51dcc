//! Tasks that are not started, start late or never, die at a request, or may not be protected.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use serde_json::{Value, json};
use sim_aws::{AgentFault, KillMoment, LastStatus, ProtectionRule, Refusal, Step};
use std::time::{Duration, Instant};
use support::ecs::{describe, put, run, send};
use support::{Strings, cloud_of_tasks, one_task, service, soon, tasks};

#[tokio::test]
async fn a_failed_run_task_fails_under_its_token_ever_after() {
    let (cloud, _strings) = tasks(0).await;
    cloud.faults().fail_run_task(1, "RESOURCE:ENI");

    let refused = [run(&cloud, "token", "1").await.unwrap(), run(&cloud, "token", "1").await.unwrap()];
    let started = run(&cloud, "another", "1").await.unwrap();

    for refused in refused {
        assert_eq!(refused.failures()[0].reason(), Some("RESOURCE:ENI"));
        assert!(refused.tasks().is_empty());
    }
    assert_eq!((started.tasks().len(), cloud.tasks().len()), (1, 1));
}

#[tokio::test]
async fn run_task_finds_no_capacity() {
    let (cloud, _strings) = tasks(0).await;
    cloud.refuse_next("ecs.RunTask", 1, Refusal::no_capacity());

    let refused = run(&cloud, "token", "1").await.unwrap_err().into_service_error();

    assert!(refused.is_client_exception(), "{refused:?}");
    assert_eq!(cloud.tasks(), []);
}

#[tokio::test]
async fn tasks_start_more_slowly_from_now_on() {
    let (cloud, _strings) = tasks(0).await;
    let delay = Duration::from_millis(100);
    cloud.faults().start_delay("media-task", delay).unwrap();

    let before = Instant::now();
    run(&cloud, "token", "1").await.unwrap();
    soon(cloud.tasks_until(|tasks| tasks[0].last_status == LastStatus::Running)).await;

    assert!(before.elapsed() >= delay);
}

#[tokio::test]
async fn a_task_without_network_stops_before_it_ran() {
    let (cloud, _strings) = tasks(0).await;
    cloud.faults().tasks_never_start("media-task", 1).unwrap();

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
    let kill_point = cloud.kill_task_after("media-task", Step::Request(1), KillMoment::TookEffect).unwrap();

    cloud.scale("media-task", 1).unwrap();
    soon(kill_point.hit()).await;
    strings.puppet().await.settings().await;

    assert_eq!(cloud.requests()["dynamodb.ListTables"], 2);
    let tasks = soon(cloud.tasks_until(|tasks| tasks[0].last_status == LastStatus::Stopped)).await;
    assert_eq!((tasks.len(), tasks[0].exit_code), (2, Some(137)));
}

#[tokio::test]
async fn protection_is_refused_while_a_deployment_blocks_it() {
    let (cloud, settings) = one_task().await;
    cloud.faults().refuse_protection(1);

    let refused = put(&settings, json!({"ProtectionEnabled": true})).await;
    let unprotected = cloud.tasks()[0].protected;
    let protected = put(&settings, json!({"ProtectionEnabled": true})).await;

    assert_eq!(refused["failure"]["Reason"], "DEPLOYMENT_BLOCKED");
    assert_eq!((unprotected, &protected["protection"]["ProtectionEnabled"]), (false, &json!(true)));
}

#[tokio::test]
async fn more_protected_tasks_than_desired_block_protection_by_either_rule() {
    for (rule, second, renewal) in
        [(ProtectionRule::Before, true, false), (ProtectionRule::After, false, true)]
    {
        let strings = Strings::new().await;
        let cloud = cloud_of_tasks(service(1, &strings)).await;
        cloud.faults().block_protection(rule);
        let mut old = strings.puppet().await;
        let old = old.settings().await;
        assert!(is_protected(&protect(&old).await), "{rule:?}");
        cloud.deploy("media-task", |_| ()).unwrap();
        let mut new = strings.puppet().await;
        let new = new.settings().await;

        let answer = protect(&new).await;

        assert_eq!(is_protected(&answer), second, "{rule:?}: {answer}");
        let renewed = protect(&old).await;
        assert_eq!(is_protected(&renewed), renewal, "{rule:?}: {renewed}");
        let blocked = if second { renewed } else { answer };
        assert_eq!(blocked["failure"]["Reason"], "DEPLOYMENT_BLOCKED");
    }
}

#[tokio::test]
async fn an_agent_is_slow_throttled_timed_out_failing_or_garbled() {
    let (cloud, settings) = one_task().await;
    let short = Duration::from_millis(50);
    let on = || json!({"ProtectionEnabled": true});

    cloud.faults().fail_agents(1, AgentFault::Slow(short));
    let before = Instant::now();
    assert!(is_protected(&put(&settings, on()).await) && before.elapsed() >= short);

    for (fault, status, code) in [
        (AgentFault::Throttled, 400, "ThrottlingException"),
        (AgentFault::TimesOut(short), 504, "RequestCanceled"),
        (AgentFault::Fails, 500, "ServerException"),
    ] {
        cloud.faults().fail_agents(1, fault);
        let answer = send(&settings, on()).await;
        assert_eq!(answer.status(), status, "{fault:?}");
        assert_eq!(answer.json::<Value>().await.unwrap()["error"]["Code"], code, "{fault:?}");
    }

    cloud.faults().fail_agents(1, AgentFault::Garbles);
    assert!(send(&settings, on()).await.json::<Value>().await.is_err());
    assert!(is_protected(&put(&settings, on()).await), "it is over");
}

#[tokio::test]
async fn metadata_fails_as_often_as_it_is_told_to() {
    let (cloud, settings) = one_task().await;
    let url = format!("{}/task", settings["ECS_CONTAINER_METADATA_URI_V4"].as_str().unwrap());
    cloud.faults().fail_metadata(1);

    assert_eq!(reqwest::get(&url).await.unwrap().status(), 500);
    assert_eq!(reqwest::get(&url).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_dead_task_is_replaced_by_its_revision_while_the_next_starts() {
    let (cloud, strings) = tasks(1).await;
    strings.puppet().await.settings().await;
    cloud.faults().start_delay("media-task", Duration::from_millis(300)).unwrap();
    cloud.deploy("media-task", |_| ()).unwrap();

    cloud.kill_task(&cloud.tasks()[0].id).await.unwrap();

    let revisions =
        |tasks: &[sim_aws::TaskStatus]| tasks.iter().map(|task| task.revision).collect::<Vec<_>>();
    let tasks = soon(cloud.tasks_until(|tasks| tasks.len() == 3)).await;
    assert_eq!(revisions(&tasks), [1, 2, 1]);
    let replaced = |tasks: &[sim_aws::TaskStatus]| {
        let running: Vec<_> = tasks.iter().filter(|task| task.last_status == LastStatus::Running).collect();
        running.len() == 1 && running[0].revision == 2
    };
    soon(cloud.tasks_until(replaced)).await;
}

async fn protect(settings: &Value) -> Value {
    put(settings, json!({"ProtectionEnabled": true})).await
}

fn is_protected(answer: &Value) -> bool {
    answer["protection"]["ProtectionEnabled"] == true
}
