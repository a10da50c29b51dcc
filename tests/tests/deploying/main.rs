//! Deploying, as the account sees it: `scripts/deploy.sh` in a folder of its own, with an AWS that records what it is asked.

mod account;
mod again;
mod cost;
mod desk;
mod running;

use desk::{Desk, deployed, refused};

/// What must never be seen: not in an argument, not on the screen.
const APP_SECRET: &str = "app-secret-0f3c";
const ACCESS_TOKEN: &str = "access-token-77aa";
const OPENAI_KEY: &str = "openai-key-5d1e";

#[test]
fn a_deploy_builds_pushes_deploys_and_puts_secrets_in_this_order() {
    let (desk, done) = deployed(&[]);

    let order = [
        "aws sts get-caller-identity",
        "make infra-tools",
        "make release",
        "cargo build --locked --bin ahoy",
        "make image",
        "make check-infra",
        "aws cloudformation deploy --stack-name ahoy-images",
        "buildah login",
        "buildah push",
        "sam deploy",
        "aws secretsmanager put-secret-value --secret-id ahoy/meta",
        "aws secretsmanager put-secret-value --secret-id ahoy/media",
        "aws ecs describe-services --cluster ahoy --services media-task --output text --query services[0].[runningCount",
        "ahoy doctor --json",
    ];
    assert!(desk.positions(order).is_sorted());
    done.says("Deployed. The webhook: https://hook.example/webhook");
}

#[test]
fn the_stack_is_told_its_image_beside_what_samconfig_says() {
    let desk = Desk::new();

    desk.run("deploy.sh", &[]);

    let deploy = desk.asked("sam deploy").expect("the stack was deployed");
    assert!(deploy.contains(
        "WarmTasks=1 MaxTasks=4 CallControlConcurrency=100 TableName=ahoy ImageUri=123456789012.dkr.ecr.eu-central-1.amazonaws.com/"
    ));
    let template = desk.file("target/deploy/template.yaml");
    assert!(template.contains("CodeUri: ../ship/arm64/webhook.zip"), "{template}");
    assert!(!template.contains("CodeUri: functions/"), "{template}");
}

#[test]
fn the_index_of_a_live_table_is_left_as_it_is() {
    let projection = |index: &str| {
        let (desk, _) = deployed(&[("INDEX", index)]);
        let template = desk.file("target/deploy/template.yaml");
        let line = template.lines().find(|line| line.contains("ProjectionType")).expect("there is an index");
        line.trim().to_owned()
    };

    assert_eq!(projection("ALL"), "Projection: {ProjectionType: ALL}");
    assert!(projection("INCLUDE").starts_with("Projection: {ProjectionType: INCLUDE, "));
    assert!(projection("").starts_with("Projection: {ProjectionType: INCLUDE, "), "a new table");
}

#[test]
fn no_secret_is_ever_an_argument_or_on_the_screen() {
    let desk = Desk::new();

    let done = desk.run("deploy.sh", &[]);

    assert_eq!(desk.stored("meta")["app_secret"], APP_SECRET, "it did arrive");
    assert_eq!(desk.stored("media")["openai_api_key"], OPENAI_KEY);
    for secret in [APP_SECRET, ACCESS_TOKEN, OPENAI_KEY, desk::STORED_VERIFY_TOKEN, desk::PASSWORD] {
        assert!(!desk.journal().contains(secret), "{secret} was an argument");
        assert!(!done.said.contains(secret), "{secret} was on the screen");
    }
}

#[test]
fn secrets_are_merged_and_never_cleared() {
    let desk = Desk::new();

    desk.run("put-secrets.sh", &[("META_ACCESS_TOKEN", ""), ("AHOY_TOOL_SECRET_SHOP", "shop-key")]);

    let (meta, media) = (desk.stored("meta"), desk.stored("media"));
    assert_eq!(meta["app_secret"], APP_SECRET);
    assert_eq!(meta["previous_app_secret"], desk::STORED_APP_SECRET, "Meta may still sign with it");
    assert_eq!(meta["verify_token"], desk::STORED_VERIFY_TOKEN);
    assert_eq!(meta["access_token"], "stored-token", "an empty variable is none");
    assert_eq!(media["door_key"], "stored-door-key");
    assert_eq!(media["tool_secrets"]["crm"], "stored-crm-key");
    assert_eq!(media["tool_secrets"]["shop"], "shop-key");
}

#[test]
fn secrets_go_to_the_stack_of_the_environment_unless_one_is_named() {
    let desk = Desk::new();
    desk.write(
        "samconfig.toml",
        "[second.deploy.parameters]\nstack_name = \"Shop\"\nparameter_overrides = []\n",
    );

    desk.run("put-secrets.sh", &[("ENVIRONMENT", "second")]);

    assert!(desk.asked("aws secretsmanager get-secret-value --secret-id Shop/meta").is_some());
    assert!(!desk.journal().contains("ahoy/meta"), "{}", desk.journal());
}

#[test]
fn a_secret_that_cannot_be_read_is_not_written() {
    let desk = Desk::new();

    desk.run("put-secrets.sh", &[("FAIL_AT", "get-secret-value")]).failed();

    assert_eq!(desk.position("aws secretsmanager put-secret-value"), None);
}

#[test]
fn a_new_door_key_leaves_the_old_one_valid() {
    let desk = Desk::new();

    desk.run("put-secrets.sh", &[("NEW_DOOR_KEY", "1")]);

    let media = desk.stored("media");
    assert_eq!(media["previous_door_key"], "stored-door-key");
    assert!(media["door_key"].as_str().is_some_and(|key| key.len() >= 48 && key != "stored-door-key"));
}

#[test]
fn the_pseudonym_key_is_made_once_from_the_previous_signing_key() {
    let desk = Desk::new();

    let first = desk.run("put-secrets.sh", &[("NEW_DOOR_KEY", "1")]);
    let made = desk.stored("marks");
    desk.run("put-secrets.sh", &[("NEW_DOOR_KEY", "1")]);

    assert_eq!((&made["mark_key"], &made["earlier"]), (&"stored-door-key".into(), &serde_json::json!([])));
    assert!(made["made_at_ms"].as_u64() > Some(1_700_000_000_000), "{made}");
    assert_eq!(desk.stored("marks"), made, "it is never changed");
    assert_ne!(desk.stored("media")["previous_door_key"], "stored-door-key", "the doors' key was, twice");
    first.says("ahoy/marks: made");
    assert!(!first.said.contains("stored-door-key"), "{}", first.said);
}

#[test]
fn what_is_given_arrives_though_the_key_of_marks_cannot_be_made() {
    let marks = "describe-secret --secret-id ahoy/marks";
    for (trouble, says) in [
        (("FAIL_AT", marks), "cannot tell whether there is a secret ahoy/marks"),
        (("MARKS_DELETED", "2026-12-06T10:00:00+00:00"), "restore-secret --secret-id ahoy/marks"),
    ] {
        let desk = Desk::new();
        desk.write("account/marks", "{}");

        let done = desk.run("put-secrets.sh", &[trouble]);

        assert!(done.code != 0 && done.said.contains(says), "{}", done.said);
        assert_eq!(desk.position("aws secretsmanager create-secret"), None, "{says}");
        assert_eq!(desk.stored("media")["openai_api_key"], OPENAI_KEY, "{says}");

        desk.run("put-secrets.sh", &[trouble, ("NEW_DOOR_KEY", "1")]).failed();

        assert_eq!(desk.stored("media")["door_key"], "stored-door-key", "it marks people: {says}");
    }
}

#[test]
fn an_upgrade_has_its_key_of_marks_before_the_functions_change() {
    let (desk, done) = deployed(&[("STATUS", "UPDATE_COMPLETE")]);

    let made = desk.position("aws secretsmanager create-secret --name ahoy/marks");
    assert!(made.is_some() && made < desk.position("sam deploy"), "{}", done.said);
    assert_eq!(desk.stored("marks")["mark_key"], "stored-door-key");
}

#[test]
fn what_was_replaced_can_be_forgotten() {
    let desk = Desk::new();
    desk.run("put-secrets.sh", &[]);
    assert_eq!(desk.stored("meta")["previous_app_secret"], desk::STORED_APP_SECRET);

    let done = desk.run("put-secrets.sh", &[("FORGET_PREVIOUS", "1")]);

    assert!(desk.stored("meta").get("previous_app_secret").is_none(), "{}", done.said);
    assert_eq!(desk.stored("meta")["app_secret"], APP_SECRET);
}

#[test]
fn a_failure_in_the_middle_stops_and_says_how_to_go_on() {
    for (failing, could_not, never) in [
        ("check-infra", "could not check the template", "aws cloudformation deploy"),
        ("push", "could not push the image", "sam deploy"),
        ("sam", "could not deploy the stack ahoy", "put-secret-value"),
    ] {
        let (desk, done) = refused(&[("FAIL_AT", failing)]);

        done.says(could_not);
        done.says("the same command goes on from here");
        assert_eq!(done.said.matches("ahoy: stopped").count(), 1, "{}", done.said);
        assert_eq!(desk.position(never), None, "{failing}");
    }
}

#[test]
fn an_image_that_is_there_is_not_pushed_again() {
    let (desk, _) = deployed(&[("IMAGE_IS_THERE", "1")]);

    assert_eq!(desk.position("buildah push"), None);
    assert!(desk.position("sam deploy").is_some());
}

#[test]
fn a_dry_run_builds_and_checks_but_does_not_touch_the_account() {
    let (desk, done) = deployed(&[("DRY_RUN", "1")]);

    assert!(desk.position("make release").is_some() && desk.position("make check-infra").is_some());
    for word in ["aws ", "sam ", "buildah "] {
        assert!(!desk.journal().lines().any(|line| line.starts_with(word)), "{}", desk.journal());
    }
    for shown in
        ["$ aws cloudformation deploy", "buildah.sh push", "$ sam deploy", "$ aws secretsmanager put"]
    {
        done.says(shown);
    }
}

#[test]
fn without_a_login_one_line_is_printed_and_nothing_is_done() {
    let (desk, done) = refused(&[("FAIL_AT", "get-caller-identity")]);

    assert_eq!(done.said.lines().count(), 1, "{}", done.said);
    assert_eq!(desk.position("make release"), None);
}

#[test]
fn a_profile_in_the_environment_does_not_prevent_the_template_check() {
    for profile in ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"] {
        let desk = Desk::new();
        desk.with_infra_tools();

        desk.run("check-infra.sh", &[(profile, "shop")]).went_well();

        assert!(
            desk.asked("sam validate").is_some() && desk.asked("python scripts/infra/create.py").is_some()
        );
    }
}

#[test]
fn a_missing_tool_is_named_before_anything_is_done() {
    let desk = Desk::new();
    desk.without("aws");

    let done = desk.run("deploy.sh", &[]).failed();

    done.says("the AWS command line is not installed: https://");
    assert_eq!(desk.journal(), "");
}

#[test]
fn a_fresh_clone_without_sam_installs_it() {
    for (settings, code) in [(&[][..], 0), (&[("WITHOUT_SAM", "1")], 1)] {
        let desk = Desk::new();
        desk.without("sam");

        let done = desk.run("deploy.sh", settings);

        assert_eq!(done.code, code, "{}", done.said);
        assert!(desk.position("make infra-tools").is_some());
        assert_eq!(desk.position("sam deploy").is_some(), code == 0);
    }
}

#[test]
fn macos_is_told_so_in_one_line() {
    for script in ["deploy.sh", "undeploy.sh", "build-tools.sh"] {
        let desk = Desk::new();

        let done = desk.run(script, &[("SYSTEM", "Darwin")]);

        assert_eq!((done.code, done.said.lines().count()), (1, 1), "{script}: {}", done.said);
        done.says("on Linux only, and here is Darwin");
        assert_eq!(desk.journal(), "", "{script}");
    }
}

#[test]
fn undeploying_says_what_stays_and_asks_first() {
    let desk = Desk::new();

    desk.run("undeploy.sh", &[]).failed();
    assert_eq!(desk.position("aws cloudformation delete-stack"), None);

    let meant = desk.run("undeploy.sh", &[("YES", "1")]).went_well();
    assert!(desk.position("aws cloudformation delete-stack --stack-name ahoy").is_some());
    for left in ["the table", "the secrets", "the log group", "the image repository"] {
        assert!(meant.said.contains(left), "{left}");
    }
}

#[test]
fn an_unknown_environment_is_refused_with_the_known_ones_listed() {
    let (_, done) = refused(&[("ENVIRONMENT", "moon")]);

    done.says("no environment moon; there are: small");
}
