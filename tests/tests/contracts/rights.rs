//! The policies allow what the programs do, and nothing that none of them does.
//!
//! That they allow it shows in every rehearsal and story: `dev/sim-aws` refuses what they do not. That no program has a right for
//! nothing shows here, on a day in which each program does each thing that it ever does.

use crate::source;
use crate::template::{self, PROGRAMS};
use harness::raw_webhook::RawWebhook;
use harness::{Story, StoryBuilder};
use sim_aws::{AccessRequest, Cloud, LastStatus, Refusal, Right, Rights};
use std::collections::BTreeSet;
use std::time::Duration;

/// What AWS does by itself in the name of a function: it writes its log, and what failed into the dead-letter queue.
const BY_AWS: [&str; 3] = ["logs:CreateLogStream", "logs:PutLogEvents", "sqs:SendMessage"];

/// The agent's files cap calls and money, so that both are counted.
const CAPS: &str = "[caps]\ndollars_a_day = 100\ncalls_an_hour = 100\n";

/// The business learns of calls, at an address where nothing listens.
const AFTER: &str = "[after]\nurl = \"http://127.0.0.1:9/calls\"\nsign_with = \"shop\"\n";

/// What is asked of the agent of a task by HTTP, and by no SDK. That it is asked shows on the day below.
const BY_THE_AGENT: &str = "ecs:UpdateTaskProtection";

#[tokio::test(flavor = "multi_thread")]
async fn a_day_with_every_case_uses_every_right() {
    let story =
        StoryBuilder::default().with_agent_also(CAPS).with_agent_also(AFTER).with_telephone().begin().await;

    a_call_is_heard_twice_of_and_talked_through(&story).await;
    the_task_leaves(&story.stack.cloud).await;
    an_end_comes_without_its_call_and_the_reaper_sees_to_it(&story).await;
    a_call_that_no_task_has_reaches_the_outbox(&story).await;
    a_call_has_a_task_launched(&story).await;

    let done = story.stack.cloud.rights().exercised();
    assert_eq!(idle(&story.stack.cloud.rights().unused(&done)), [""; 0]);

    // The same day under a template that allows more: each right too many is found.
    for (allowed, too_many) in [
        ("'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem']", "webhook: dynamodb:Scan"),
        ("'dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem']", "media-task: dynamodb:Scan"),
    ] {
        let more = allowed.replacen("'dynamodb:PutItem'", "'dynamodb:PutItem', 'dynamodb:Scan'", 1);
        let broken = Rights::of(&template::text().replacen(allowed, &more, 1)).expect("it is a template");
        assert_eq!(idle(&broken.unused(&done)), [too_many]);
    }
    let wider = template::text().replacen(
        "Resource: !Ref MetaSecret",
        "Resource: [!Ref MetaSecret, !Ref MediaSecret]",
        1,
    );
    let broken = Rights::of(&wider).expect("it is a template");
    assert_eq!(idle(&broken.unused(&done)), ["webhook: secretsmanager:GetSecretValue"]);

    // And under one that allows less, what is missing is refused.
    for right in
        story.stack.cloud.rights().granted().iter().filter(|right| !BY_AWS.contains(&right.action.as_str()))
    {
        let less = Rights::of(&template::text().replace(&format!("'{}'", right.action), "'none:None'"));
        let less = less.expect("it is a template");
        let needed =
            done.iter().find(|done| done.program == right.program && done.need.action == right.action);
        let needed = needed.expect("every right was made use of").need.clone();
        let refusal = less.exercise(&right.program, vec![needed]).expect_err("nothing allows it");
        assert_eq!(refusal.code, "AccessDeniedException");
        assert!(refusal.message.contains(&right.action), "{refusal}");
    }
}

#[test]
fn a_media_task_writes_its_calls_its_spending_and_leases_alone() {
    let rights = Rights::of(&template::text()).expect("it is a template");
    let table = "arn:aws:dynamodb:us-east-1:000000000000:table/ahoy";
    let writes = |program: &str, pk: &str| {
        let need = AccessRequest::new("dynamodb:PutItem", table).leading_to([pk.to_owned()]);
        rights.exercise(program, vec![need]).is_ok()
    };

    for pk in ["CALL#ab", "SPENT#7", "TASK#another"] {
        assert!(writes("media-task-1", pk), "{pk}");
    }
    for pk in ["AGENT#shop", "NUMBER#7", "USER#ab", "CALLS#7", "FORGOTTEN#ab", "LAUNCHES", "ACCOUNT#7"] {
        assert!(!writes("media-task-1", pk), "{pk}");
        assert!(writes("call-control-1", pk), "{pk}");
    }
}

#[test]
fn the_outbox_reads_and_writes_what_it_delivers_alone() {
    let rights = Rights::of(&template::text()).expect("it is a template");
    let table = "arn:aws:dynamodb:us-east-1:000000000000:table/ahoy";
    let may = |action: &str, pk: &str| {
        let need = AccessRequest::new(action, table).leading_to([pk.to_owned()]);
        rights.exercise("outbox-1", vec![need]).is_ok()
    };

    for (pk, reads, writes) in [
        ("CALL#ab", true, true),
        ("SPENT#7", false, true),
        ("OUTBOX#ab", false, true),
        ("AGENT#shop", true, false),
        ("NUMBER#7", true, false),
        ("TASK#0a", false, false),
        ("USER#ab", false, false),
        ("FORGOTTEN#ab", false, false),
    ] {
        assert_eq!((may("dynamodb:GetItem", pk), may("dynamodb:UpdateItem", pk)), (reads, writes), "{pk}");
    }
}

#[test]
fn a_missing_pseudonym_key_is_requested_by_its_name() {
    let missing = AccessRequest::new(
        "secretsmanager:GetSecretValue",
        "arn:aws:secretsmanager:us-east-1:000000000000:secret:marks",
    );
    let rights = Rights::of(&template::text()).expect("it is a template");

    for program in ["webhook-1", "call-control-1"] {
        assert_eq!(rights.exercise(program, vec![missing.clone()]), Ok(()), "{program}");
    }
}

#[test]
fn every_action_allowed_is_one_that_a_program_calls() {
    let granted = Rights::of(&template::text()).expect("it is a template").granted();
    assert!(!granted.is_empty());
    for (_, folder) in PROGRAMS {
        let program = folder.trim_start_matches("functions/");
        let begun = source::of_program(folder).begun;
        let own: Vec<_> = granted.iter().filter(|right| right.program == program).cloned().collect();
        assert_eq!(uncalled(&own, &begun), [""; 0], "{program}");

        // What `ahoy` alone asks of the table, by functions of the same crate.
        let of_ahoy = ["dynamodb:BatchWriteItem", "dynamodb:Scan"];
        let more = of_ahoy.map(|action| Right { action: action.into(), ..own[0].clone() });
        assert_eq!(uncalled(&[&own[..], &more].concat(), &begun), of_ahoy, "{program}");
    }
}

#[test]
fn a_reaper_that_could_write_would_have_a_right_too_many() {
    let begun = source::of_program("functions/reaper").begun;
    let right =
        |action: &str| Right { program: "reaper".into(), action: action.into(), resource: String::new() };
    let rights = ["dynamodb:Query", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"].map(right);

    assert_eq!(uncalled(&rights, &begun), ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]);
}

/// Actions for which there is no request in the sources.
fn uncalled(rights: &[Right], begun: &BTreeSet<String>) -> Vec<String> {
    let is_called = |action: &str| match action {
        "dynamodb:PutItem" | "dynamodb:UpdateItem" if begun.contains("transact_write_items") => true,
        "lambda:InvokeFunction" => begun.contains("invoke"),
        // Starting a task needs iam:PassRole for its roles.
        "iam:PassRole" => begun.contains("run_task"),
        BY_THE_AGENT => true,
        other => other.split_once(':').is_some_and(|(_, name)| begun.contains(&snake(name))),
    };
    let actions: BTreeSet<_> = rights.iter().map(|right| right.action.clone()).collect();
    actions.into_iter().filter(|action| !BY_AWS.contains(&action.as_str()) && !is_called(action)).collect()
}

/// `GetSecretValue` is asked for by `get_secret_value`.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// A right to the name of a secret that is there: it is asked for while the secret is missing, which it is on no such day.
fn is_to_a_missing_secret(right: &Right) -> bool {
    right.resource.ends_with(":secret:marks")
}

fn idle(unused: &[Right]) -> Vec<String> {
    let idle = unused.iter().filter(|right| !BY_AWS.contains(&right.action.as_str()));
    let idle = idle.filter(|right| !is_to_a_missing_secret(right));
    idle.map(|right| format!("{}: {}", right.program, right.action)).collect()
}

/// Meta tells twice of it, so the webhook looks whether another invocation has recorded it.
async fn a_call_is_heard_twice_of_and_talked_through(story: &Story) {
    let caller = story.ring().await;
    caller.hears_the_greeting().await;
    assert_eq!(RawWebhook::connect(caller.id(), "v=0\r\n").post(story).await, 200);
    caller.hangs_up().await;
    // Its task has the outbox deliver the outcome.
    story.stack.cloud.events_until("outbox", |events| events.handled > 0).await.expect("there is the outbox");
}

async fn the_task_leaves(cloud: &Cloud) {
    let before = cloud.events("call-control").expect("there is call-control").handled;
    cloud.scale("media-task", 0).expect("there is such a service");
    cloud.tasks_until(|tasks| tasks.iter().all(|task| task.last_status == LastStatus::Stopped)).await;
    cloud
        .events_until("call-control", |events| events.handled > before)
        .await
        .expect("there is call-control");
}

/// Call-control cannot be told at once, and no media task is there to look at what is due.
async fn an_end_comes_without_its_call_and_the_reaper_sees_to_it(story: &Story) {
    let cloud = &story.stack.cloud;
    cloud.refuse_next("lambda.Invoke", 3, Refusal::throttling());
    assert_eq!(RawWebhook::terminate("wacid.unknown").post(story).await, 500);
    cloud.run_schedule("reaper").await.expect("there is a schedule");
    story.nothing_is_due().await;
}

/// It is over before a task is there. The outbox is invoked for it, and looks by its schedule at what else is due.
async fn a_call_that_no_task_has_reaches_the_outbox(story: &Story) {
    let cloud = &story.stack.cloud;
    let before = cloud.events("outbox").expect("there is the outbox").handled;
    assert_eq!(RawWebhook::connect("wacid.brief", "v=0\r\n").post(story).await, 200);
    assert_eq!(RawWebhook::terminate("wacid.brief").post(story).await, 200);
    cloud.events_until("outbox", |events| events.handled > before).await.expect("there is the outbox");
    cloud.run_schedule("outbox").await.expect("there is a schedule");
}

async fn a_call_has_a_task_launched(story: &Story) {
    let caller = story.ring().await;
    tokio::time::timeout(Duration::from_secs(30), caller.is_greeted()).await.expect("a task is launched");
    caller.hangs_up().await;
}
