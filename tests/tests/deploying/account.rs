//! The checks of an account, and what is made there, before a deployment.

use crate::desk::{Desk, deployed, refused};
use local::root;
use std::collections::BTreeSet;

const BOTH: [&str; 2] = [
    "aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com",
    "aws iam create-service-linked-role --aws-service-name ecs.application-autoscaling.amazonaws.com",
];

#[test]
fn a_new_account_gets_both_service_linked_roles_before_the_stack() {
    let (desk, _) = deployed(&[("NEW_ACCOUNT", "1")]);

    let order = [BOTH[0], BOTH[1], "sleep 15", "sam deploy"];
    assert!(desk.positions(order).is_sorted());
}

#[test]
fn roles_that_are_there_are_neither_made_nor_waited_for() {
    let desk = Desk::new();
    assert_eq!(desk.run("deploy.sh", &[]).code, 0);
    assert_eq!((desk.position(BOTH[0]), desk.position("sleep 15")), (None, None));

    // They are there, and these credentials may not look at them.
    let (desk, _) = deployed(&[("NEW_ACCOUNT", "taken")]);
    assert!(desk.position(BOTH[1]).is_some() && desk.position("sleep 15").is_none());
}

#[test]
fn too_few_vcpus_for_one_task_stop_it_before_anything_is_built() {
    let (desk, done) = refused(&[("VCPUS", "0.0")]);

    done.says("--quota-code L-3032A538 --desired-value 2");
    assert_eq!(desk.position("make"), None);
}

#[test]
fn too_few_vcpus_for_all_tasks_are_said() {
    let (_, done) = deployed(&[("VCPUS", "3.0")]);

    done.says("4 tasks, MaxTasks, would need 4: aws service-quotas");
    assert!(!Desk::new().run("deploy.sh", &[]).said.contains("would need 4"));
}

#[test]
fn missing_rights_are_named_a_line_each_before_anything_is_built() {
    let lacking = [("LACKING", "ecs:CreateService\tiam:CreateRole")];
    let (desk, done) = refused(&lacking);

    for right in ["ecs:CreateService", "iam:CreateRole"] {
        done.says(&format!("ahoy: these credentials lack {right}\n"));
    }
    assert_eq!(desk.position("make"), None);
    let asked = desk.asked("aws iam simulate-principal-policy").expect("it was asked");
    assert!(asked.contains("user/deployer") && asked.contains(" lambda:CreateFunctionUrlConfig "), "{asked}");

    deployed(&[lacking[0], ("GO_ON", "1")]);
}

#[test]
fn rights_are_asked_of_the_role_behind_a_session() {
    let session = "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Deployers_0f3c/user@example.com";
    let (desk, _) = deployed(&[("CALLER", session)]);

    let asked = desk.asked("aws iam simulate-principal-policy").expect("it was asked");
    assert!(asked.contains("role/aws-reserved/AWSReservedSSO_Deployers_0f3c"), "{asked}");
}

#[test]
fn an_iam_that_tells_nothing_stops_nothing() {
    let (_, done) = deployed(&[("LACKING", "unknown")]);

    done.says("IAM does not tell");
}

#[test]
fn concurrency_is_reserved_for_call_control_where_the_quota_allows() {
    for (concurrency, reserved, wanted) in [
        ("1000 1000", "None", true),
        ("1000 900", "100", true),
        ("10 10", "None", false),
        ("299 299", "None", false),
        ("300 200", "100", true),
        ("300 250", "None", false),
    ] {
        let (desk, done) = deployed(&[("CONCURRENCY", concurrency), ("RESERVED", reserved)]);

        let stack = desk.asked("sam deploy").expect("it was asked");
        // What an earlier deployment reserved would stay without it.
        let given = if wanted { "CallControlConcurrency=100 " } else { "CallControlConcurrency=0 " };
        assert!(stack.contains(given), "{concurrency}: {stack}");
        assert_eq!(done.said.contains("L-B99A9384"), !wanted, "{}", done.said);
    }
}

#[test]
fn what_is_reserved_stays_as_it_is_where_the_quota_is_unread() {
    let (desk, _) = deployed(&[("FAIL_AT", "get-account-settings")]);

    assert!(!desk.asked("sam deploy").expect("it was asked").contains("CallControlConcurrency"));
}

#[test]
fn too_few_vcpus_to_replace_the_tasks_stop_an_update_only() {
    let desk = Desk::new();
    let first = desk.run("deploy.sh", &[("VCPUS", "1.0")]).went_well();
    first.says("--quota-code L-3032A538 --desired-value 2");

    let desk = Desk::new();
    let update = desk.run("deploy.sh", &[("VCPUS", "1.0"), ("LIVE", "1")]);
    assert_eq!((update.code, desk.position("make")), (1, None), "{}", update.said);
    update.says("--quota-code L-3032A538 --desired-value 2");

    deployed(&[("VCPUS", "1.0"), ("LIVE", "1"), ("GO_ON", "1")]);
}

#[test]
fn a_cost_that_cannot_be_computed_stops_nothing() {
    let desk = Desk::new();
    desk.write("docs/bench/load.csv", "calls,lateness_p99_ms,gaps_over_60_ms\n50,11.0,3\n");

    let done = desk.run("deploy.sh", &[]).went_well();

    done.says("  What it costs a month cannot be computed\n");
    assert!(!done.said.contains("Traceback"), "{}", done.said);
}

#[test]
fn what_it_will_cost_a_month_is_said_before_anything_is_built() {
    for environment in ["small", "production"] {
        let desk = Desk::new();
        desk.write(
            "samconfig.toml",
            &std::fs::read_to_string(root().join("samconfig.toml")).expect("it is there"),
        );

        let done = desk.run("deploy.sh", &[("ENVIRONMENT", environment), ("FAIL_AT", "make release")]);

        let line = done.said.lines().find(|line| line.contains(&format!("{environment}, ")));
        assert!(line.is_some_and(|line| line.contains(" a month without a call")), "{}", done.said);
    }
}

#[test]
fn every_command_of_the_scripts_is_among_the_rights_looked_for() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).expect("it is there");
    let listed = read("infra/deploy-rights.txt");
    let listed: BTreeSet<_> = listed.lines().collect();
    let scripts = ["account", "deploy", "prepare", "put-secrets", "stack"];
    let used: BTreeSet<String> =
        scripts.iter().flat_map(|name| rights_of(&read(&format!("scripts/{name}.sh")))).collect();

    assert!(used.contains("ecs:DescribeServices") && used.contains("cloudformation:DeleteStack"), "{used:?}");
    for right in used {
        assert!(listed.contains(right.as_str()), "{right} is used and not looked for");
    }
    assert!(rights_of("  aws iam delete-user --user-name x").contains("iam:DeleteUser"));
}

/// The rights that the commands of a script need: `aws iam get-role` needs `iam:GetRole`.
fn rights_of(script: &str) -> BTreeSet<String> {
    let words: Vec<_> = script.split_whitespace().collect();
    let commands = words.windows(3).filter(|words| words[0] == "aws" || words[0].ends_with("(aws"));
    let is_name =
        |word: &str| word.contains('-') && word.chars().all(|it| it.is_ascii_lowercase() || it == '-');
    // The password of a registry is its token; more of a quota is asked for by hand; who asks needs no right.
    let others = ["get-login-password", "request-service-quota-increase", "get-caller-identity"];
    commands
        .filter(|words| is_name(words[2]) && !words[2].starts_with('-') && !others.contains(&words[2]))
        .map(|words| {
            let camel = words[2].split('-').map(|part| part[..1].to_uppercase() + &part[1..]);
            format!("{}:{}", words[1].replace("service-quotas", "servicequotas"), camel.collect::<String>())
        })
        .collect()
}
