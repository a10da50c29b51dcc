//! Functions that are invoked when tasks change their state, late or twice or never, and when a schedule is due.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use serde_json::json;
use sim_aws::{Cloud, CloudConfig, Delivery, Events, Function, LastStatus, Rule, Schedule};
use std::time::{Duration, Instant};
use support::{Puppet, Strings, function, service, soon, template};

#[tokio::test]
async fn a_function_learns_of_every_change_of_a_task() {
    let (cloud, notified, _strings) = cloud(Rule { function: "puppet".into(), last_status: None }).await;
    let task = cloud.tasks()[0].clone();
    let mut seen = Vec::new();
    for _ in 0..2 {
        seen.push(learns(&mut notified.puppet().await).await);
    }

    cloud.kill_task(&task.id).await.unwrap();
    let stopped = learns(&mut notified.puppet().await).await;

    // Nothing says which of the first two comes first.
    seen.sort_by_key(|event| event["detail"]["version"].as_u64());
    assert_eq!(seen[0]["detail"]["lastStatus"], "PROVISIONING");
    assert_eq!(seen[1]["detail"]["lastStatus"], "RUNNING");
    assert_eq!(stopped["source"], "aws.ecs");
    assert_eq!(stopped["detail-type"], "ECS Task State Change");
    let detail = &stopped["detail"];
    assert_eq!((&detail["lastStatus"], &detail["desiredStatus"]), (&json!("STOPPED"), &json!("STOPPED")));
    assert_eq!((&detail["taskArn"], &detail["group"]), (&json!(task.arn), &json!("service:media-task")));
    assert_eq!(detail["stoppedReason"], "Essential container in task exited");
    assert_eq!(detail["containers"][0]["exitCode"], 137);
}

#[tokio::test]
async fn a_rule_for_stopped_tasks_tells_of_nothing_else() {
    let (cloud, notified, _strings) = cloud(Rule::when_a_task_stops("puppet")).await;

    cloud.stop_task(&cloud.tasks()[0].id).unwrap();

    assert_eq!(learns(&mut notified.puppet().await).await["detail"]["stopCode"], "UserInitiated");
    let events = soon(cloud.events_until("puppet", |events| events.waiting == 0)).await.unwrap();
    assert_eq!(events, Events { waiting: 0, handled: 1, lost: 0 });
}

#[tokio::test]
async fn a_state_change_comes_late() {
    let (cloud, notified, _strings) = cloud(Rule::when_a_task_stops("puppet")).await;
    let delay = Duration::from_millis(100);
    cloud.faults().deliver_state_changes(Delivery::Late(delay));

    let before = Instant::now();
    cloud.stop_task(&cloud.tasks()[0].id).unwrap();
    learns(&mut notified.puppet().await).await;

    assert!(before.elapsed() >= delay);
}

#[tokio::test]
async fn a_state_change_comes_twice() {
    let (cloud, notified, _strings) = cloud(Rule::when_a_task_stops("puppet")).await;
    cloud.faults().deliver_state_changes(Delivery::Twice);

    cloud.stop_task(&cloud.tasks()[0].id).unwrap();
    let (first, second) =
        (learns(&mut notified.puppet().await).await, learns(&mut notified.puppet().await).await);

    assert_eq!(first["id"], second["id"], "it is the same event");
}

#[tokio::test]
async fn a_state_change_never_comes() {
    let (cloud, notified, _strings) = cloud(Rule::when_a_task_stops("puppet")).await;
    let first = cloud.tasks()[0].clone();
    cloud.faults().deliver_state_changes(Delivery::Never);
    cloud.kill_task(&first.id).await.unwrap();
    let another =
        |tasks: &[sim_aws::TaskStatus]| tasks.iter().any(|task| task.last_status == LastStatus::Running);
    let second = soon(cloud.tasks_until(another)).await.pop().unwrap();

    cloud.faults().deliver_state_changes(Delivery::Prompt);
    cloud.kill_task(&second.id).await.unwrap();

    assert_eq!(learns(&mut notified.puppet().await).await["detail"]["taskArn"], json!(second.arn));
}

#[tokio::test]
async fn a_schedule_invokes_its_function_again_and_again() {
    let notified = Strings::new().await;
    let _cloud = scheduled(Duration::from_millis(20), true, &notified).await;

    let (first, second) =
        (learns(&mut notified.puppet().await).await, learns(&mut notified.puppet().await).await);

    assert_eq!((&first["source"], &first["detail-type"]), (&json!("aws.events"), &json!("Scheduled Event")));
    assert_ne!(first["id"], second["id"]);
}

#[tokio::test]
async fn a_schedule_that_is_off_runs_when_told() {
    let notified = Strings::new().await;
    let cloud = scheduled(Duration::from_millis(1), false, &notified).await;

    let (run, event) = tokio::join!(soon(cloud.run_schedule("puppet")), async {
        learns(&mut notified.puppet().await).await
    });

    run.unwrap();
    assert_eq!(event["detail"], json!({}));
    assert_eq!(cloud.events("puppet").unwrap(), Events { waiting: 0, handled: 1, lost: 0 });
}

#[tokio::test]
async fn a_schedule_can_be_turned_on() {
    let notified = Strings::new().await;
    let cloud = scheduled(Duration::from_millis(1), false, &notified).await;

    cloud.faults().enable_schedule("puppet", true).unwrap();

    learns(&mut notified.puppet().await).await;
}

#[tokio::test]
async fn a_rule_for_a_function_that_does_not_exist_is_refused() {
    let rules = vec![Rule::when_a_task_stops("reaper")];

    let error = Cloud::start(CloudConfig { rules, ..CloudConfig::new(template()) }).await.unwrap_err();

    assert_eq!(error.to_string(), "EventBridge is to invoke reaper, but there is no function reaper");
}

/// A cloud of one task, with a function that sends the test each event it gets; where the function calls, and where the task does.
async fn cloud(rule: Rule) -> (Cloud, Strings, Strings) {
    let (strings, notified) = (Strings::new().await, Strings::new().await);
    let (functions, services) = (vec![notifying_function(&notified)], vec![service(1, &strings)]);
    let config = CloudConfig { functions, services, rules: vec![rule], ..CloudConfig::new(template()) };
    (Cloud::start(config).await.unwrap(), notified, strings)
}

async fn scheduled(every: Duration, enabled: bool, notified: &Strings) -> Cloud {
    let schedules = vec![Schedule { function: "puppet".into(), every, enabled }];
    let config = CloudConfig {
        functions: vec![notifying_function(notified)],
        schedules,
        ..CloudConfig::new(template())
    };
    Cloud::start(config).await.unwrap()
}

fn notifying_function(notified: &Strings) -> Function {
    let mut function = function("puppet");
    function.env.insert("TELL".into(), notified.address());
    function
}

/// The event a function was invoked with.
async fn learns(puppet: &mut Puppet) -> serde_json::Value {
    puppet.settings().await
}
