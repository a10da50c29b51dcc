//! Tasks that are real processes: run, described, protected, stopped and replaced.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::LaunchType;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use sim_aws::{Cloud, CloudConfig, LastStatus, Logs, Service, TaskStatus};
use std::time::Duration;
use support::ecs::{describe, put, run};
use support::{Strings, cloud_of_tasks, one_task, service, soon, tasks, template};

#[tokio::test]
async fn a_task_is_run_once_for_one_token() {
    let (cloud, strings) = tasks(0).await;

    let first = run(&cloud, "token", "1").await.unwrap();
    let again = run(&cloud, "token", "1").await.unwrap();
    let other = run(&cloud, "token", "2").await.unwrap_err().into_service_error();
    let settings = strings.puppet().await.settings().await;

    assert_eq!(first.tasks()[0].task_arn(), again.tasks()[0].task_arn());
    assert!(other.is_conflict_exception(), "{other:?}");
    assert_eq!(cloud.tasks().len(), 1);
    assert_eq!(settings["CALL"], "1", "overrides reach the process");
    assert_eq!(cloud.tasks()[0].started_by.as_deref(), Some("call-control"));
}

#[tokio::test]
async fn a_task_takes_its_time_to_start_and_says_so() {
    let strings = Strings::new().await;
    let slow = Service { start_delay: Duration::from_millis(200), ..service(0, &strings) };
    let cloud = cloud_of_tasks(slow).await;

    let arn = run(&cloud, "token", "1").await.unwrap().tasks()[0].task_arn().unwrap().to_owned();
    let before = describe(&cloud, &arn).await;
    strings.puppet().await;
    soon(cloud.tasks_until(|tasks| tasks[0].last_status == LastStatus::Running)).await;
    let after = describe(&cloud, &arn).await;

    assert_eq!(before.last_status(), Some("PROVISIONING"));
    assert_eq!((after.last_status(), after.desired_status()), (Some("RUNNING"), Some("RUNNING")));
    let details = after.attachments()[0].details();
    assert!(details.iter().any(|detail| detail.value() == Some("127.0.0.1")), "{details:?}");
}

#[tokio::test]
async fn a_stopped_task_ends_by_itself_when_it_listens() {
    let (cloud, strings) = tasks(0).await;
    let arn = run(&cloud, "token", "1").await.unwrap().tasks()[0].task_arn().unwrap().to_owned();
    let mut puppet = strings.puppet().await;
    puppet.settings().await;

    let stop = Client::new(&cloud.sdk_config()).stop_task().cluster("ahoy").task(&arn).reason("enough");
    let stopping = stop.send().await.unwrap().task.unwrap();
    let stopped = soon(cloud.tasks_until(all(LastStatus::Stopped))).await;

    assert_eq!(stopping.desired_status(), Some("STOPPED"));
    assert_eq!(puppet.says().await, "SIGTERM");
    assert_eq!(stopped[0].exit_code, Some(0));
    let task = describe(&cloud, &arn).await;
    assert_eq!((task.last_status(), task.stopped_reason()), (Some("STOPPED"), Some("enough")));
    assert_eq!(task.containers()[0].exit_code(), Some(0));
}

#[tokio::test]
async fn a_stopped_task_is_killed_when_it_does_not_listen() {
    let strings = Strings::new().await;
    let mut stubborn = Service { stop_timeout: Duration::from_millis(100), ..service(1, &strings) };
    stubborn.env.insert("STUBBORN".into(), "1".into());
    let cloud = cloud_of_tasks(stubborn).await;
    let mut puppet = strings.puppet().await;
    puppet.settings().await;
    let id = cloud.tasks()[0].id.clone();

    cloud.stop_task(&id).unwrap();
    let tasks = soon(cloud.tasks_until(|tasks| tasks[0].last_status == LastStatus::Stopped)).await;

    assert_eq!(puppet.says().await, "SIGTERM", "it was asked first");
    assert_eq!(puppet.says().await, "", "then it was gone");
    assert_eq!(tasks[0].exit_code, Some(137));
}

#[tokio::test]
async fn a_service_replaces_a_task_that_dies() {
    let (cloud, _strings) = tasks(1).await;
    let first = cloud.tasks()[0].clone();

    cloud.kill_task(&first.arn).await.unwrap();
    let tasks = soon(cloud.tasks_until(|tasks| running(tasks).len() == 1)).await;

    assert_eq!((tasks[0].last_status, tasks[0].exit_code), (LastStatus::Stopped, Some(137)));
    assert_eq!(tasks[0].stopped_reason.as_deref(), Some("Essential container in task exited"));
    assert_ne!(tasks[1].pid, first.pid);
}

#[tokio::test]
async fn scale_in_spares_protected_tasks() {
    let (cloud, strings) = tasks(2).await;
    let mut busy = strings.puppet().await;
    let settings = busy.settings().await;
    let protected = put(&settings, json!({"ProtectionEnabled": true, "ExpiresInMinutes": 60})).await;

    let update = Client::new(&cloud.sdk_config()).update_service().cluster("ahoy").service("media-task");
    update.desired_count(0).send().await.unwrap();
    let tasks = soon(cloud.tasks_until(|tasks| running(tasks).len() == 1)).await;

    let survivor = running(&tasks)[0].clone();
    assert_eq!(protected["protection"]["TaskArn"], json!(survivor.arn));
    assert_eq!(protected["protection"]["ProtectionEnabled"], true);
    assert!(protected["protection"]["ExpirationDate"].as_str().unwrap().ends_with('Z'));
    assert!(survivor.protected);

    let given_up = put(&settings, json!({"ProtectionEnabled": false})).await;
    assert_eq!(given_up["protection"]["ExpirationDate"], Value::Null);
    soon(cloud.tasks_until(all(LastStatus::Stopped))).await;
    assert_eq!(busy.says().await, "SIGTERM");
}

#[tokio::test]
async fn a_deployment_stops_a_task_after_its_successor_runs_and_protection_ends() {
    let (cloud, strings) = tasks(1).await;
    let mut old = strings.puppet().await;
    let settings = old.settings().await;
    put(&settings, json!({"ProtectionEnabled": true, "ExpiresInMinutes": 60})).await;

    let later = |definition: &mut Service| drop(definition.env.insert("RELEASE".into(), "2".into()));
    cloud.deploy("media-task", later).unwrap();
    let tasks = soon(cloud.tasks_until(|tasks| running(tasks).len() == 2)).await;
    let new = strings.puppet().await.settings().await;
    let metadata = new["ECS_CONTAINER_METADATA_URI_V4"].as_str().unwrap();
    assert_eq!((&new["RELEASE"], settings.get("RELEASE")), (&json!("2"), None));
    assert_eq!(get(&format!("{metadata}/task")).await["Revision"], "2");
    assert_eq!((tasks[0].revision, tasks[0].protected, tasks[1].revision), (1, true, 2));

    put(&settings, json!({"ProtectionEnabled": false})).await;
    assert_eq!(old.says().await, "SIGTERM");
    let tasks = soon(cloud.tasks_until(|tasks| tasks[0].last_status == LastStatus::Stopped)).await;
    let reason = "Scaling activity initiated by (deployment ecs-svc/2)";
    assert_eq!(tasks[0].stopped_reason.as_deref(), Some(reason));
    assert_eq!(running(&tasks).len(), 1);
}

#[tokio::test]
async fn a_deployment_that_is_rolled_back_takes_the_newer_task() {
    let (cloud, strings) = tasks(1).await;
    let settings = strings.puppet().await.settings().await;
    put(&settings, json!({"ProtectionEnabled": true})).await;
    cloud.deploy("media-task", |_| ()).unwrap();
    soon(cloud.tasks_until(|tasks| running(tasks).len() == 2)).await;

    cloud.roll_back("media-task", 1).unwrap();

    let tasks = soon(cloud.tasks_until(|tasks| tasks[1].last_status == LastStatus::Stopped)).await;
    assert_eq!((tasks[0].last_status, tasks.len()), (LastStatus::Running, 2));
    assert!(cloud.roll_back("media-task", 3).is_err(), "there is no such revision");
}

#[tokio::test]
async fn spot_takes_a_task_that_is_protected() {
    let (cloud, strings) = tasks(1).await;
    let mut puppet = strings.puppet().await;
    put(&puppet.settings().await, json!({"ProtectionEnabled": true})).await;
    let arn = cloud.tasks()[0].arn.clone();

    cloud.interrupt_spot(&arn).unwrap();

    assert_eq!(puppet.says().await, "SIGTERM");
    let code = describe(&cloud, &arn).await.stop_code;
    assert_eq!(code.map(|code| code.as_str().to_owned()), Some("SpotInterruption".into()));
}

#[tokio::test]
async fn a_standalone_task_cannot_be_protected() {
    let (cloud, strings) = tasks(0).await;
    let arn = run(&cloud, "token", "1").await.unwrap().tasks()[0].task_arn().unwrap().to_owned();
    let settings = strings.puppet().await.settings().await;

    let answer = put(&settings, json!({"ProtectionEnabled": true})).await;

    assert_eq!(answer["failure"]["Reason"], "TASK_NOT_VALID");
    assert_eq!(answer["failure"]["Arn"], arn);
}

#[tokio::test]
async fn a_protection_that_makes_no_sense_is_refused() {
    let (_cloud, settings) = one_task().await;

    for request in [
        json!({}),
        json!({"protectionEnabled": true}),
        json!({"ProtectionEnabled": true, "ExpiresInMinutes": 2881}),
    ] {
        let answer = put(&settings, request.clone()).await;

        assert_eq!(answer["error"]["Code"], "InvalidParameterException", "{request}");
    }
}

#[tokio::test]
async fn a_task_can_ask_who_it_is() {
    let (cloud, settings) = one_task().await;
    let metadata = settings["ECS_CONTAINER_METADATA_URI_V4"].as_str().unwrap();

    let task = get(&format!("{metadata}/task")).await;
    let container = get(metadata).await;

    assert_eq!(task["TaskARN"], json!(cloud.tasks()[0].arn));
    assert_eq!(task["Cluster"], "arn:aws:ecs:us-east-1:000000000000:cluster/ahoy");
    assert_eq!((&task["Family"], &task["Revision"]), (&json!("media-task"), &json!("1")));
    assert_eq!((&task["DesiredStatus"], &task["LaunchType"]), (&json!("RUNNING"), &json!("FARGATE")));
    assert_eq!(task["Containers"][0]["Networks"][0]["IPv4Addresses"], json!(["127.0.0.1"]));
    assert_eq!(container["Name"], "media");
}

#[tokio::test]
async fn a_child_sees_nothing_of_our_own_environment() {
    let (_cloud, strings) = tasks(1).await;

    let settings = strings.puppet().await.settings().await;

    assert_eq!(settings["AWS_EC2_METADATA_DISABLED"], "true");
    let names = settings.as_object().unwrap().keys();
    let known = ["AWS_", "ECS_", "PATH", "HOME", "RUST_LOG", "RUST_BACKTRACE", "REPORT_TO"];
    let strangers: Vec<_> = names.filter(|name| !known.iter().any(|known| name.starts_with(known))).collect();
    assert_eq!(strangers, Vec::<&String>::new());
}

#[tokio::test]
async fn a_request_aws_would_refuse_is_refused() {
    let (cloud, _strings) = tasks(0).await;
    let client = Client::new(&cloud.sdk_config());

    let cluster = client.list_tasks().cluster("other").send().await.unwrap_err().into_service_error();
    let network = client.run_task().cluster("ahoy").task_definition("media-task");
    let network = network.launch_type(LaunchType::Fargate).send().await.unwrap_err().into_service_error();
    let unknown = client.stop_task().cluster("ahoy").task("none").send().await.unwrap_err();
    let missing = client.describe_tasks().cluster("ahoy").tasks("none").send().await.unwrap();

    assert!(cluster.is_cluster_not_found_exception(), "{cluster:?}");
    assert!(network.is_invalid_parameter_exception(), "{network:?}");
    assert!(unknown.into_service_error().is_invalid_parameter_exception());
    assert_eq!(missing.failures()[0].reason(), Some("MISSING"));
    assert_eq!(cloud.tasks(), []);
}

#[tokio::test]
async fn a_service_shows_its_tasks() {
    let (cloud, _strings) = tasks(2).await;
    let client = Client::new(&cloud.sdk_config());

    let services = client.describe_services().cluster("ahoy").services("media-task").send().await.unwrap();
    let listed = client.list_tasks().cluster("ahoy").service_name("media-task").send().await.unwrap();

    let service = &services.services()[0];
    assert_eq!((service.desired_count(), service.running_count()), (2, 2));
    assert_eq!(listed.task_arns(), cloud.tasks().iter().map(|task| task.arn.clone()).collect::<Vec<_>>());
}

#[tokio::test]
async fn every_process_has_a_log_of_its_own() {
    let directory = std::env::temp_dir().join(format!("aws-rehearsal-{}", std::process::id()));
    let mut talkative =
        Service { args: vec!["-c".into(), "echo out; echo err >&2".into()], ..Service::new("sh", "/bin/sh") };
    talkative.desired = 1;
    let logs = Logs::Files(directory.clone());
    let config = CloudConfig { services: vec![talkative], logs, ..CloudConfig::new(template()) };
    let cloud = Cloud::start(config).await.unwrap();

    soon(cloud.tasks_until(|tasks| tasks[0].last_status == LastStatus::Stopped)).await;

    let log = cloud.log_files()[0].clone();
    assert_eq!((log.program.as_str(), log.number), ("sh", 1));
    assert_eq!(std::fs::read_to_string(&log.path).unwrap(), "out\nerr\n");
    cloud.stop().await;
    std::fs::remove_dir_all(directory).unwrap();
}

#[tokio::test]
async fn a_cloud_that_stops_asks_its_children_first() {
    let (cloud, strings) = tasks(1).await;
    let mut puppet = strings.puppet().await;
    puppet.settings().await;

    cloud.stop().await;

    assert_eq!(puppet.says().await, "SIGTERM");
    assert_eq!(puppet.says().await, "", "it ended");
}

#[tokio::test]
async fn a_frozen_child_is_woken_to_end() {
    let (cloud, strings) = tasks(1).await;
    let mut puppet = strings.puppet().await;
    puppet.settings().await;
    let pid = i32::try_from(cloud.tasks()[0].pid.unwrap()).unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::STOP).unwrap();

    cloud.stop().await;

    assert_eq!(puppet.says().await, "SIGTERM");
}

async fn get(url: &str) -> Value {
    reqwest::get(url).await.unwrap().json().await.unwrap()
}

fn running(tasks: &[TaskStatus]) -> Vec<&TaskStatus> {
    tasks.iter().filter(|task| task.last_status == LastStatus::Running).collect()
}

fn all(status: LastStatus) -> impl Fn(&[TaskStatus]) -> bool {
    move |tasks| tasks.iter().all(|task| task.last_status == status)
}
