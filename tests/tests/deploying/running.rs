//! From the stack until it is said to be deployed: what is shown, and what decides.

use crate::desk::Desk;

const STUCK: &str = "(service media-task) was unable to place a task because no vCPU is left.";

#[test]
fn the_services_events_are_shown_while_cloudformation_waits() {
    let done = Desk::new().run("deploy.sh", &[("EVENTS", STUCK)]);

    assert_eq!(done.code, 0, "{}", done.said);
    assert_eq!(done.said.matches(&format!("  ecs: {STUCK}\n")).count(), 1, "{}", done.said);
}

#[test]
fn a_stack_without_a_running_task_is_not_deployed() {
    for runs in ["0 1 FAILED", "0 1 IN_PROGRESS", "1 2 COMPLETED", "1 1 FAILED"] {
        let done = Desk::new().run("deploy.sh", &[("RUNS", runs)]);

        assert_ne!(done.code, 0, "{runs}: {}", done.said);
        assert!(!done.said.contains("Deployed."), "{runs}: {}", done.said);
        assert!(done.said.contains("CannotPullContainerError: no such image"), "{runs}: {}", done.said);
        assert!(done.said.contains("docs/deploy.md"), "{}", done.said);
    }
}

#[test]
fn what_the_doctor_finds_of_the_deployment_decides() {
    let cases = [
        ("webhook-challenge", 1, "webhook-challenge: it does not answer; look at it"),
        ("warm-tasks", 1, "warm-tasks: it does not answer; look at it"),
        ("meta-secret", 0, "once the keys named above are given: make secrets"),
        ("calling-enabled", 0, "Deployed. The webhook"),
    ];
    for (check, code, says) in cases {
        let desk = Desk::new();
        let found = format!(
            r#"{{"checks": [{{"name": "{check}", "finding": "wrong", "says": "it does not answer", "cure": "look at it"}}]}}"#
        );
        desk.write("account/doctor", &found);

        let done = desk.run("deploy.sh", &[]);

        assert_eq!(done.code, code, "{check}: {}", done.said);
        assert!(done.said.contains(says), "{check}: {}", done.said);
        assert_eq!(done.said.contains("Deployed."), check == "calling-enabled", "{check}: {}", done.said);
    }
}

#[test]
fn a_doctor_without_an_answer_is_no_deployment() {
    let desk = Desk::new();
    desk.write("account/doctor", "");

    let done = desk.run("deploy.sh", &[]);

    assert_ne!(done.code, 0);
    assert!(!done.said.contains("Deployed."), "{}", done.said);
}
