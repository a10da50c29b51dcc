//! Tests that metrics are valid EMF, as AWS specifies it, and no more series than intended.
//!
//! Counting is global to a process, so each test runs itself as another process and reads its output.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use journal::{EntryBuilder, JournalEvent};
use serde_json::{Value, json};
use service::env::Env;
use service::metrics::{self, Metric};
use std::process::Command;

const SCHEMA: &str = include_str!("../../../fixtures/emf/schema.json");

#[test]
fn counts_are_one_line_of_emf_per_flush() {
    let lines = written("a_process_that_counts");

    let [line] = &lines[..] else { panic!("{lines:?}") };
    let schema = jsonschema::validator_for(&serde_json::from_str(SCHEMA).unwrap()).unwrap();
    assert!(schema.is_valid(line), "{line}");
    let directive = &line["_aws"]["CloudWatchMetrics"][0];
    assert_eq!((&directive["Namespace"], &directive["Dimensions"]), (&json!("ahoy"), &json!([["stack"]])));
    assert_eq!(line["stack"], "shop");
    assert_eq!(
        (&line["Calls"], &line["AnswerMs"], &line["TurnMs"]),
        (&json!(2), &json!([412.0]), &json!([700.0, 900.0]))
    );
    assert_eq!((&line["SlotUtilization"], &line["FreeSlots"]), (&json!([60.0]), &json!([20.0])));
    let unit = |name| {
        directive["Metrics"].as_array().unwrap().iter().find(|metric| metric["Name"] == name).unwrap()["Unit"]
            .clone()
    };
    assert_eq!(
        [unit("Calls"), unit("SlotUtilization"), unit("TurnMs")],
        ["Count", "Percent", "Milliseconds"]
    );
}

#[test]
fn free_slots_are_not_repeated_by_a_task_that_takes_no_calls() {
    let lines = written("a_process_that_leaves");

    let [first, second] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!((&first["FreeSlots"], &second["Calls"]), (&json!([20.0]), &json!(1)));
    assert!(second.get("FreeSlots").is_none() && second.get("SlotUtilization").is_none(), "{second}");
}

#[test]
fn measurements_are_split_over_lines_without_loss() {
    let lines = written("a_process_that_measures_a_lot");

    let values: Vec<usize> = lines.iter().map(|line| line["TurnMs"].as_array().unwrap().len()).collect();
    assert_eq!(values.iter().sum::<usize>(), 250, "{values:?}");
    assert!(values.len() > 2 && values.iter().all(|n| *n <= 100), "{values:?}");
}

#[test]
fn there_are_at_most_sixteen_metrics_with_unique_names() {
    let mut names: Vec<_> = Metric::ALL.map(Metric::name).into();
    names.sort_unstable();
    names.dedup();

    assert_eq!(names.len(), Metric::ALL.len());
    assert!(names.len() <= 16);
}

#[test]
#[ignore = "run as a process by another test"]
fn a_process_that_counts() {
    metrics::init(&Env::of(&[("AHOY_STACK", "shop")]));
    let mut journal = EntryBuilder::new(&"ab12".into(), "call-control", 1_000, 3);
    let mut happens = |event| service::events::report(&journal.enter(event, 1_412));
    happens(JournalEvent::Connect { number: "220".into() });
    happens(JournalEvent::Connect { number: "220".into() });
    happens(JournalEvent::Accepted {});
    happens(JournalEvent::Turn { turn: 1, took_ms: 700, tool_ms: 0 });
    happens(JournalEvent::Turn { turn: 2, took_ms: 900, tool_ms: 0 });
    metrics::note_slots(30, 50);
    metrics::flush();
}

#[test]
#[ignore = "run as a process by another test"]
fn a_process_that_leaves() {
    metrics::init(&Env::of(&[]));
    metrics::note_slots(30, 50);
    metrics::flush();
    let entry = EntryBuilder::new(&"ab12".into(), "webhook", 0, 0)
        .enter(JournalEvent::Connect { number: "220".into() }, 0);
    service::events::report(&entry);
    metrics::flush();
}

#[test]
#[ignore = "run as a process by another test"]
fn a_process_that_measures_a_lot() {
    metrics::init(&Env::of(&[]));
    let mut journal = EntryBuilder::new(&"ab12".into(), "task-0a", 0, 3);
    for turn in 1..=250 {
        service::events::report(&journal.enter(JournalEvent::Turn { turn, took_ms: turn, tool_ms: 0 }, 0));
    }
    metrics::flush();
}

/// Returns the metric lines that such a process writes.
fn written(process: &str) -> Vec<Value> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let output = command.args([process, "--exact", "--ignored", "--nocapture"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line.get("_aws").is_some()).collect()
}
