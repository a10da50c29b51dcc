//! Each event of a call is written once: in the table, in the log, and in metrics.

use harness::Story;
use journal::JournalEntry;
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[tokio::test(flavor = "multi_thread")]
async fn each_event_of_a_call_is_once_in_table_and_log() {
    let story = Story::begin().await;
    let caller = story.ring().await;
    caller.talks().await;
    let call_ref = caller.call_ref();
    caller.hangs_up().await;
    story.calls.summary(&call_ref).await.expect("the table can be read").expect("the call is summed up");

    let stored = story.calls.journal(&call_ref).await.expect("the journal can be read");
    story.has_logged(|_| story.logged_of(&call_ref).len() >= stored.len()).await;

    let lines: Vec<String> =
        story.logged_of(&call_ref).iter().map(read).map(|entry| entry.to_line()).collect();
    let told: BTreeSet<_> = lines.iter().cloned().collect();
    assert_eq!(told.len(), lines.len(), "nothing is told twice");
    assert_eq!(told, stored.iter().map(JournalEntry::to_line).collect());
    let known = |entry: &&JournalEntry| entry.context.number.is_some() && entry.context.phase.is_some();
    assert_eq!(stored.iter().filter(known).count(), stored.len(), "{stored:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_counted_by_functions_and_task() {
    let story = Story::begin().await;
    let caller = story.greeted_caller().await;
    caller.hangs_up().await;

    for (metric, times) in [("Calls", 1), ("Answered", 1)] {
        story.has_logged(|lines| counted(lines, metric) == times).await;
    }
    for metric in ["AnswerMs", "FirstWordMs", "LateFramesMs"] {
        story.has_logged(|lines| lines.iter().filter(|line| is_measured(line, metric)).count() == 1).await;
    }
    story.has_logged(|lines| lines.iter().any(|line| line["SlotUtilization"] == json!([0.0]))).await;
}

fn read(line: &Value) -> JournalEntry {
    serde_json::from_value(line.clone()).expect("a line is an entry")
}

fn counted(lines: &[Value], metric: &str) -> u64 {
    lines.iter().filter_map(|line| line[metric].as_u64()).sum()
}

fn is_measured(line: &Value, metric: &str) -> bool {
    line["stack"] == "ahoy" && line[metric].as_array().is_some_and(|values| values.len() == 1)
}
