//! Deploying where something is: a stack that failed, what an earlier one has left, another stack.

use crate::desk::{Desk, deployed, refused};

const TAKE_BACK: &str = "aws cloudformation create-change-set --stack-name ahoy";

#[test]
fn resources_of_an_earlier_stack_are_imported_before_deployment() {
    let (desk, _) = deployed(&[("LEFT", "1"), ("STATUS", "none")]);

    let order = [
        TAKE_BACK,
        "aws cloudformation execute-change-set",
        "aws cloudformation wait stack-import",
        "sam deploy",
    ];
    assert!(desk.positions(order).is_sorted());
    let asked = desk.asked(TAKE_BACK).expect("it was asked");
    assert!(asked.contains("--change-set-type IMPORT") && asked.contains("TableName,ParameterValue=ahoy"));
}

#[test]
fn the_import_covers_exactly_the_resources_the_template_retains() {
    let desk = Desk::new();

    desk.run("deploy.sh", &[("LEFT", "1")]);

    let (template, kept) = (desk.file("template.yaml"), desk.file("target/deploy/kept.yaml"));
    assert_eq!(kept.matches("    Type: ").count(), 4);
    let retained = |text: &str| text.matches("DeletionPolicy: RetainExceptOnCreate").count();
    assert_eq!(retained(&kept), retained(&template), "the stack keeps something else as well");
    let resources = kept.split("Resources:\n").nth(1).expect("there are some");
    for line in resources.lines() {
        assert!(template.lines().any(|other| other == line), "{line}");
    }
    let identifiers: serde_json::Value =
        serde_json::from_str(&desk.file("target/deploy/kept.json")).expect("it is JSON");
    let of =
        |index: usize| (&identifiers[index]["LogicalResourceId"], &identifiers[index]["ResourceIdentifier"]);
    assert_eq!(of(0), (&"Table".into(), &serde_json::json!({"TableName": "ahoy"})));
    assert_eq!(of(1).1["Id"], "arn:aws:secretsmanager:eu-central-1:123456789012:secret:ahoy/meta-AbCdEf");
    assert_eq!(of(3), (&"LogGroup".into(), &serde_json::json!({"LogGroupName": "/ahoy/ahoy"})));
}

#[test]
fn nothing_is_imported_into_an_existing_stack_or_after_a_clean_removal() {
    for settings in [[("LEFT", "1"), ("STATUS", "UPDATE_COMPLETE")], [("LEFT", ""), ("STATUS", "none")]] {
        let (desk, _) = deployed(&settings);

        assert_eq!(desk.position(TAKE_BACK), None, "{settings:?}");
    }
}

#[test]
fn a_stack_that_failed_to_create_is_deleted_before_the_next_try() {
    let failed = [
        "ROLLBACK_COMPLETE",
        "ROLLBACK_FAILED",
        "CREATE_FAILED",
        "DELETE_FAILED",
        "IMPORT_ROLLBACK_COMPLETE",
    ];
    for status in failed.into_iter().chain(["IMPORT_ROLLBACK_FAILED"]) {
        let (desk, _) = deployed(&[("STATUS", status), ("STATUS_OF_IMAGES", status)]);

        let order = [
            "aws cloudformation delete-stack --stack-name ahoy-images",
            "aws cloudformation deploy --stack-name ahoy-images",
            "aws cloudformation wait stack-delete-complete --stack-name ahoy",
            "sam deploy",
        ];
        let order = order.map(|step| desk.position(step).unwrap_or_else(|| panic!("{status}: no {step}")));
        assert!(order[0] < order[1] && order[2] < order[3], "{order:?}");
    }
}

#[test]
fn a_failed_import_or_deletion_of_a_stack_with_tasks_deletes_nothing() {
    for (status, code) in
        [("IMPORT_ROLLBACK_COMPLETE", 0), ("IMPORT_ROLLBACK_FAILED", 1), ("DELETE_FAILED", 1)]
    {
        let desk = Desk::new();

        let done = desk.run("deploy.sh", &[("STATUS", status), ("LIVE", "1")]);

        assert_eq!(done.code, code, "{}", done.said);
        assert_eq!(desk.position("aws cloudformation delete-stack"), None, "{status}");
        assert_eq!(desk.position("sam deploy").is_some(), code == 0, "{status}");
    }
}

#[test]
fn a_rollback_that_got_stuck_is_continued_first() {
    let (desk, _) = deployed(&[("STATUS", "UPDATE_ROLLBACK_FAILED")]);

    let order = ["continue-update-rollback", "wait stack-rollback-complete"].map(|step| {
        desk.position(&format!("aws cloudformation {step} --stack-name ahoy")).expect("it was done")
    });
    assert!(order[0] < order[1] && Some(order[1]) < desk.position("sam deploy"), "{order:?}");
}

#[test]
fn a_stack_at_work_is_left_alone() {
    for status in ["CREATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "IMPORT_IN_PROGRESS"] {
        let (desk, done) = refused(&[("STATUS", status)]);

        assert!(done.said.contains(&format!("at work on the stack ahoy ({status})")), "{}", done.said);
        assert_eq!(desk.position("sam deploy"), None, "{status}");
    }
}

#[test]
fn a_stack_that_is_there_is_never_deleted_by_a_deploy() {
    for status in ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_FAILED"]
    {
        let desk = Desk::new();

        desk.run("deploy.sh", &[("STATUS", status), ("STATUS_OF_IMAGES", status)]);

        assert_eq!(desk.position("aws cloudformation delete-stack"), None, "{status}");
    }
}

#[test]
fn a_second_stack_has_a_table_and_images_of_its_own() {
    let desk = Desk::new();
    let second =
        "[second.deploy.parameters]\nstack_name = \"Shop\"\nparameter_overrides = [\"WarmTasks=1\"]\n";
    desk.write("samconfig.toml", second);

    let done = desk.run("deploy.sh", &[("ENVIRONMENT", "second")]);

    let images = desk.asked("aws cloudformation deploy --stack-name Shop-images").expect("it was asked");
    assert!(images.contains("RepositoryName=shop/media-task"), "{images}");
    let stack = desk.asked("sam deploy").expect("it was asked");
    assert!(stack.contains("WarmTasks=1 CallControlConcurrency=100 TableName=Shop "), "{stack}");
    done.says("MEDIA_SECRET=Shop/media CALL_CONTROL=Shop-call-control WEBHOOK_URL=");
}

#[test]
fn what_samconfig_says_is_passed_on_whole_and_once() {
    let desk = Desk::new();
    let named = "[small.deploy.parameters]\nstack_name = \"ahoy\"\nparameter_overrides = [\"TableName=calls\", \"ScheduleUp=cron(0 7 ? * * *)\"]\n";
    desk.write("samconfig.toml", named);

    let done = desk.run("deploy.sh", &[]);
    desk.run("undeploy.sh", &[("YES", "1")]);

    assert_eq!(done.code, 0, "{}", done.said);
    let stack = desk.asked("sam deploy").expect("it was asked");
    assert_eq!(stack.matches("TableName=").count(), 1, "{stack}");
    assert!(stack.contains("TableName=calls"), "{stack}");
    let quoted = r#"ScheduleUp="cron(0 7 ? * * *)""#;
    assert!(stack.contains(quoted), "SAM would end it at its first space: {stack}");
}

#[test]
fn undeploying_first_stops_the_tasks_that_belong_to_no_service() {
    let desk = Desk::new();

    desk.run("undeploy.sh", &[("YES", "1")]).went_well();

    let stopped = desk.asked("aws ecs stop-task").expect("it was asked");
    assert!(stopped.ends_with("task/ahoy/alone"), "{stopped}");
    let order = ["aws ecs stop-task", "aws ecs wait tasks-stopped", "aws cloudformation delete-stack"];
    assert!(order.map(|step| desk.position(step).expect("it was done")).is_sorted());
    assert_eq!(desk.journal().matches("stop-task").count(), 1);
}
