//! The language, word by word: what it means, and what it does not know.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use insights::Query;

const LINES: [&str; 5] = [
    r#"{"at_ms":1000,"event":"TURN","took_ms":300,"who":"a"}"#,
    r#"{"at_ms":61000,"event":"TURN","took_ms":500,"who":"b"}"#,
    r#"{"at_ms":62000,"event":"TURN","took_ms":100,"who":"a"}"#,
    r#"{"at_ms":63000,"event":"KEYS","is_fast":true}"#,
    "not JSON at all",
];

#[test]
fn a_filter_keeps_matching_lines_and_never_matches_a_missing_field() {
    assert_eq!(rows("filter took_ms >= 300 | fields took_ms | sort took_ms desc"), [["500"], ["300"]]);
    assert_eq!(rows(r#"filter who != "a" | fields who"#), [["b"]]);
    let found = rows(r#"filter event = "KEYS" or (who = "a" and not took_ms > 100) | fields at_ms"#);
    assert_eq!(found, [["62000"], ["63000"]]);
    assert_eq!(rows(r#"filter event in ["KEYS", "NONE"] | fields at_ms, who"#), [["63000", ""]]);
    assert_eq!(rows("filter ispresent(who) and took_ms < 300 | fields who"), [["a"]]);
}

#[test]
fn stats_make_one_row_of_each_group() {
    let query = r#"filter event = "TURN" | stats count(*) as n, sum(took_ms) as sum, avg(took_ms) as mean, min(took_ms) as least, max(took_ms) as most by who | sort who asc"#;

    assert_eq!(rows(query), [["a", "2", "400", "200", "100", "300"], ["b", "1", "500", "500", "500", "500"]]);
    let counted = rows("stats count(who) as named, count_distinct(who) as names, count(*) as lines");
    assert_eq!(counted, [["3", "2", "5"]]);
}

#[test]
fn a_percentile_is_the_value_of_its_rank() {
    let lines: Vec<_> = (1..=100).rev().map(|n| format!(r#"{{"n":{n}}}"#)).collect();
    let query = Query::read("stats pct(n, 50) as p50, pct(n, 95) as p95, pct(n, 99.5) as most").unwrap();

    let table = query.run(lines.iter().map(String::as_str)).unwrap();

    assert_eq!(table.rows, [["50", "95", "100"]]);
}

#[test]
fn times_are_rounded_down_to_their_bin() {
    let query =
        "filter ispresent(who) | fields bin(1m) as minute | stats count(*) as n by minute | sort minute desc";

    assert_eq!(rows(query), [["1970-01-01 00:01:00.000", "2"], ["1970-01-01 00:00:00.000", "1"]]);
}

#[test]
fn arithmetic_binds_as_everywhere_and_of_the_missing_nothing_is_computed() {
    let query = "fields (took_ms + 100) / 2 - 1 * 10 as x, coalesce(who, event) as name | limit 4";

    assert_eq!(rows(query), [["190", "a"], ["290", "b"], ["90", "a"], ["", "KEYS"]]);
}

#[test]
fn what_is_not_known_is_wrong() {
    for wrong in [
        "parse @message \"*\" as x",
        "fields strlen(who) as n",
        "stats median(took_ms) as m",
        "stats count(*)",
        "fields took_ms + 1",
        "sort took_ms",
        "filter who like /a/",
        "limit many",
        "fields who |",
        "filter bin(5) = 1",
        "fields who fields at_ms",
        "",
    ] {
        assert!(Query::read(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn what_cannot_be_done_with_a_value_is_wrong() {
    for wrong in [
        "filter who > 3",
        "filter who",
        "fields is_fast",
        "stats sum(who) as sum",
        "stats count(*) as n by who | sort took_ms asc",
    ] {
        assert!(Query::read(wrong).unwrap().run(LINES).is_err(), "{wrong}");
    }
}

#[test]
fn the_fields_of_a_query_exclude_the_ones_it_defines() {
    let query = "fields bin(1d) as day, took_ms * 2 as twice, who | filter twice > 3 | stats sum(twice) as sum by day, number | sort sum desc";

    assert_eq!(Query::read(query).unwrap().fields(), ["at_ms", "took_ms", "who", "number"]);
}

fn rows(query: &str) -> Vec<Vec<String>> {
    Query::read(query).unwrap().run(LINES).unwrap().rows
}
