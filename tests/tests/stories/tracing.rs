//! A call is one trace, over functions and task; a slow trace receiver cannot delay it.

use call::CallRef;
use harness::trace_receiver::{Collector, HEADERS, Reception, Span};
use harness::{Story, StoryBuilder, privacy_scan};
use journal::{JournalEntry, JournalEvent};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

const PROGRAMS: [&str; 3] = ["webhook", "call-control", "media-task"];

/// Longer than any pause of ours for a trace receiver, and shorter than one attempt to send them.
const NOT_HELD_UP_MS: u64 = 5_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_one_trace_that_says_what_its_journal_says() {
    let (collector, story) = traced(Reception::Taken).await;
    let caller = story.ring().await;
    caller.talks().await;
    let call_ref = caller.call_ref();
    caller.hangs_up().await;
    story.calls.summary(&call_ref).await.expect("the table can be read").expect("the call is summed up");
    // What it has not sent by now it sends as it leaves.
    story.stack.cloud.stop_task(&story.stack.cloud.tasks()[0].id).expect("the task lives");

    let journal = story.calls.journal(&call_ref).await.expect("the journal can be read");
    // Its end is the call, and its talk.
    story.comes_to(|| collector.spans().len() > journal.len()).await;

    let spans = collector.spans();
    assert_eq!(collector.faults(), [""; 0]);
    assert_eq!(spans.len(), journal.len() + 1);
    is_one_tree(&spans, &call_ref);
    assert_eq!(programs(&spans), PROGRAMS.into());
    journal.iter().for_each(|entry| agrees(entry, &spans));
    assert!(journal.iter().any(|entry| matches!(entry.event, JournalEvent::Turn { .. })), "{journal:?}");
    assert_eq!(spans.iter().filter(|span| span.failure.is_some()).count(), 0, "{spans:?}");
    assert_eq!(privacy_scan::leaks_in(&collector.as_lines()), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hangs_or_refuses_traces_holds_no_call_up() {
    for reception in [Reception::Hanging, Reception::Refused] {
        let (collector, story) = traced(reception).await;
        let caller = story.ring().await;
        caller.talks().await;
        let call_ref = caller.call_ref();
        caller.hangs_up().await;

        let journal = story.calls.journal(&call_ref).await.expect("the journal can be read");
        assert!(collector.times_asked() > 0, "{reception:?}");
        let waits = journal.iter().filter_map(|entry| match entry.event {
            JournalEvent::Accepted {} => entry.since_ring_ms,
            JournalEvent::FirstWord { after_open_ms } => Some(after_open_ms),
            JournalEvent::Turn { took_ms, .. } => Some(took_ms),
            _ => None,
        });
        let waits: Vec<_> = waits.collect();
        assert!(waits.len() >= 3 && waits.iter().all(|ms| *ms < NOT_HELD_UP_MS), "{reception:?}: {waits:?}");
        story.has_logged(|lines| lines.iter().any(says_what_is_lost)).await;
    }
}

/// A testbed whose programs are told where traces go, and where a receiver listens.
async fn traced(reception: Reception) -> (Collector, Story) {
    let collector = Collector::open(reception).await;
    let builder = PROGRAMS.into_iter().fold(
        StoryBuilder::default().beside(&format!("{reception:?}")),
        |builder, program| {
            let builder =
                builder.with_setting_of(program, "OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint);
            builder.with_setting_of(program, "OTEL_EXPORTER_OTLP_HEADERS", HEADERS)
        },
    );
    (collector, builder.begin().await)
}

fn programs(spans: &[Span]) -> BTreeSet<&str> {
    spans.iter().map(|span| span.program.as_str()).collect()
}

/// One trace, of the call's name; one root, which is the call; every other span under one that is there.
fn is_one_tree(spans: &[Span], call_ref: &CallRef) {
    let ids: BTreeSet<_> = spans.iter().map(|span| span.id.as_str()).collect();
    assert_eq!(ids.len(), spans.len(), "each has an id of its own: {spans:?}");
    assert!(spans.iter().all(|span| span.trace == call_ref.as_str()[..32]), "{spans:?}");
    let roots: Vec<_> = spans.iter().filter(|span| span.parent.is_empty()).collect();
    let [call] = roots[..] else { panic!("{roots:?}") };
    assert_eq!((call.name.as_str(), call.id.as_str()), ("call", &call_ref.as_str()[32..48]));
    let orphans = spans.iter().filter(|span| !span.parent.is_empty() && !ids.contains(span.parent.as_str()));
    assert_eq!(orphans.count(), 0, "{spans:?}");
    let named: BTreeMap<_, _> = spans.iter().map(|span| (span.name.as_str(), span)).collect();
    assert_eq!(named["talk"].parent, call.id);
    assert_eq!(named["turn"].parent, named["talk"].id);
    assert_eq!(named["answered"].parent, call.id);
}

/// The span of an entry says all that its line in the log says, and took as long as the event says.
fn agrees(entry: &JournalEntry, spans: &[Span]) {
    let line = without_nothing(serde_json::from_str(&entry.to_line()).expect("a line is JSON"));
    let is_of_it = |span: &&Span| span.fields == line && span.name != "talk";
    let of_it: Vec<_> = spans.iter().filter(is_of_it).collect();
    let [span] = of_it[..] else { panic!("{entry:?} is {of_it:?}") };
    let took_ms = match &entry.event {
        JournalEvent::Ended { .. } | JournalEvent::Accepted {} => {
            entry.since_ring_ms.expect("call-control knows of the ring")
        }
        JournalEvent::FirstWord { after_open_ms } => *after_open_ms,
        _ => line.get("took_ms").and_then(Value::as_u64).unwrap_or_default(),
    };
    assert_eq!((span.to_ns, span.to_ns - span.from_ns), (entry.at_ms * 1_000_000, took_ms * 1_000_000));
}

fn without_nothing(line: Map<String, Value>) -> Map<String, Value> {
    line.into_iter().filter(|(_, value)| !value.is_null()).collect()
}

fn says_what_is_lost(line: &Value) -> bool {
    line["message"].as_str().is_some_and(|message| message.contains("span export failed"))
}
