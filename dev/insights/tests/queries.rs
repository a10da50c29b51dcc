//! Every saved query, over lines that real calls have written: the rows were worked out by hand from `fixtures/journal/calls.jsonl`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod expected;

use expected::EXPECTED;
use insights::Query;
use journal::schema::{COMMON, events};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

const LINES: &str = include_str!("../../../fixtures/journal/calls.jsonl");

/// In the query for one call, the operator writes the call's name in place of this.
const PLACE_OF_A_CALL: &str = "\"CALL_REF\"";

#[test]
fn every_query_gives_the_rows_that_the_recorded_calls_make() {
    let queries = queries();
    let expected: BTreeSet<_> = EXPECTED.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(queries.keys().cloned().collect::<BTreeSet<_>>(), expected);

    for (name, columns, rows) in EXPECTED {
        let text = queries[name].replace(PLACE_OF_A_CALL, &format!("{:?}", expected::ONE_CALL));

        let table = Query::read(&text).unwrap().run(LINES.lines()).unwrap();

        assert_eq!(table.columns.join(" "), columns, "{name}");
        let got: Vec<String> = table.rows.iter().map(|row| row.join("|")).collect();
        assert_eq!(got, rows, "{name}");
    }
}

#[test]
fn the_dashboards_queries_run_over_recorded_calls() {
    let dashboard = include_str!("../../../infra/dashboard.yaml");
    let queries = dashboard.lines().filter_map(|line| line.trim().strip_prefix("\"query\": "));
    let queries = queries.map(|line| serde_json::from_str(&line[..=line.rfind('"').unwrap()]).unwrap());
    let queries: Vec<String> = queries.collect();
    assert_eq!(queries.len(), dashboard.matches("\"type\": \"log\"").count());

    for query in queries {
        let (source, query) = query.split_once(" | ").unwrap();
        assert_eq!(source, "SOURCE '${LogGroupName}'");
        assert!(!Query::read(query).unwrap().run(LINES.lines()).unwrap().rows.is_empty(), "{query}");
    }
}

#[test]
fn every_query_says_what_it_is_called_and_what_it_answers() {
    for (name, text) in queries() {
        let query = Query::read(&text).unwrap();

        assert!(query.comments.len() >= 2, "{name}: {:?}", query.comments);
        assert!(query.comments[1].ends_with('.') && !query.comments[0].ends_with('.'), "{name}");
    }
}

#[test]
fn every_field_and_event_of_a_query_is_in_the_list() {
    let events = events();
    let common = COMMON.iter().map(|(name, ..)| (*name).to_owned()).chain(["event".to_owned()]);
    let own = events.iter().flat_map(|event| &event.fields).map(|field| field.name.clone());
    let fields: BTreeSet<String> = common.chain(own).collect();
    for (name, text) in queries() {
        for field in Query::read(&text).unwrap().fields() {
            assert!(fields.contains(&field), "{name} asks for {field}");
        }
        for quoted in text.split('"').filter(|text| text.starts_with("WA_CALL_")) {
            assert!(events.iter().any(|event| event.name == quoted), "{name} asks for {quoted}");
        }
    }
}

#[test]
fn a_query_for_a_field_that_no_event_has_is_noticed() {
    let asked = Query::read("filter tok_ms > 3 | fields event").unwrap().fields();

    assert_eq!(asked, ["tok_ms", "event"]);
    assert!(events().iter().all(|event| event.fields.iter().all(|field| field.name != "tok_ms")));
}

#[test]
fn every_recorded_line_is_one_that_this_release_reads() {
    let lines: Vec<serde_json::Value> =
        LINES.lines().map(|line| serde_json::from_str(line).unwrap()).collect();

    for line in lines.iter().filter(|line| line.get("call_ref").is_some()) {
        let entry: journal::JournalEntry = serde_json::from_value(line.clone()).unwrap();
        assert_eq!(&serde_json::from_str::<serde_json::Value>(&entry.to_line()).unwrap(), line);
    }
}

/// The queries by the names of their files.
fn queries() -> BTreeMap<String, String> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/queries"));
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let queries = files.filter(|path| path.extension().is_some_and(|end| end == "cwl"));
    queries
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect()
}
