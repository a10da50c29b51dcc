//! From the stack until it is said to be deployed: what is shown, and what decides.

use crate::desk::{Desk, deployed, refused};

const STUCK: &str = "(service media-task) was unable to place a task because no vCPU is left.";

#[test]
fn the_services_events_are_shown_while_cloudformation_waits() {
    let (_, done) = deployed(&[("EVENTS", STUCK)]);

    assert_eq!(done.said.matches(&format!("  ecs: {STUCK}\n")).count(), 1, "{}", done.said);
}

#[test]
fn a_stack_without_a_running_task_is_not_deployed() {
    for runs in ["0 1 FAILED", "0 1 IN_PROGRESS", "1 2 COMPLETED", "1 1 FAILED"] {
        let (_, done) = refused(&[("RUNS", runs)]);

        assert!(!done.said.contains("Deployed."), "{runs}: {}", done.said);
        done.says("CannotPullContainerError: no such image");
        done.says("docs/deploy.md");
    }
}

#[test]
fn what_the_doctor_finds_of_the_deployment_decides() {
    let not_verified = "warm-tasks: not verified: it does not answer";
    let cases = [
        (&[("webhook-challenge", "wrong")][..], 1, "webhook-challenge: it does not answer; look at it"),
        (&[("warm-tasks", "wrong")], 1, "warm-tasks: it does not answer; look at it"),
        (&[("warm-tasks", "unknown")], 1, not_verified),
        (&[("meta-secret", "wrong"), ("warm-tasks", "unknown")], 1, not_verified),
        (&[("webhook-signed", "unknown")], 1, "webhook-signed: not verified"),
        (&[("media-secret", "unknown")], 1, "media-secret: not verified"),
        (
            &[("meta-secret", "wrong")],
            2,
            "once the keys named above are given (make secrets STACK=ahoy). The webhook",
        ),
        // Without Meta's keys the doctor cannot ask.
        (
            &[("meta-secret", "wrong"), ("webhook-challenge", "unknown"), ("webhook-signed", "unknown")],
            2,
            "once the keys named above are given",
        ),
        (&[("calling-enabled", "wrong")], 0, "Deployed. The webhook"),
        (&[], 0, "Deployed. The webhook"),
    ];
    for (found, outcome, says) in cases {
        let desk = Desk::new();
        desk.doctor_finds(found);

        let done = desk.run("deploy.sh", &[]);

        assert_eq!(done.code, i32::from(outcome == 1), "{found:?}: {}", done.said);
        done.says(says);
        assert_eq!(done.said.contains("Deployed."), outcome == 0, "{found:?}: {}", done.said);
    }
}

#[test]
fn a_doctor_that_leaves_a_check_out_has_not_verified_it() {
    let desk = Desk::new();
    desk.write("account/doctor", r#"{"checks": []}"#);

    let done = desk.run("deploy.sh", &[]);

    assert_eq!(done.code, 1, "{}", done.said);
    done.says("webhook-forged: not verified: the doctor says nothing of it");
}

#[test]
fn a_change_set_that_was_refused_is_no_deployment() {
    let desk = Desk::new();

    let done = desk.run("deploy.sh", &[("REFUSED", "1"), ("STATUS", "UPDATE_COMPLETE")]);

    assert_eq!(done.code, 1, "{}", done.said);
    done.says("the change set samcli-deploy1 was not executed");
    assert!(!done.said.contains("Deployed."), "{}", done.said);
    assert_eq!(desk.position("ahoy doctor"), None);
}

#[test]
fn a_doctor_without_an_answer_is_no_deployment() {
    let desk = Desk::new();
    desk.write("account/doctor", "");

    let done = desk.run("deploy.sh", &[]).failed();

    assert!(!done.said.contains("Deployed."), "{}", done.said);
}
