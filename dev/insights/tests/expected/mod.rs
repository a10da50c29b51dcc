//! The expected result of each query over the recorded lines, worked out by hand: nine stories, eight calls.
//!
//! Five callers hung up: one muted, one was never heard, one waited for a new task, two needed a tool that failed them;
//! one call was lost with its task, one found no task, one came when it was closed. Two webhooks were not Meta's.

/// A query's columns and rows.
pub(crate) type Expected = (&'static str, &'static str, &'static [&'static str]);

/// The call that came when it was closed.
pub(crate) const ONE_CALL: &str = "5604630a2c0dbc3e08d5f17e3b996c5d7ac3503b57a37b4b07db8549dddb898d";

/// By the names of the queries' files.
pub(crate) const EXPECTED: [Expected; 10] = [
    (
        "cost",
        "day number agent calls priced dollars audio_in_tokens audio_out_tokens",
        &["2026-11-22 00:00:00.000|220000000000002|mirsk-bikes|5|5|0.0865|813|729"],
    ),
    (
        "endings",
        "ending calls mean_s longest_s",
        &["caller_hung_up|5|12.3198|19.049", "closed|1|0|0", "lost|1|0.496|0.496", "no_capacity|1|0|0"],
    ),
    (
        "failing-tools",
        "tool outcome times longest_ms",
        &["lookup_order|failed|1|21", "lookup_order|timed_out|1|2002"],
    ),
    (
        "missed",
        "event cause calls",
        &["WA_CALL_LOST||1", "WA_CALL_REFUSED|no_capacity|1", "WA_CALL_TURNED_AWAY|closed|1"],
    ),
    (
        "one-call",
        "at_ms since_ring_ms phase level event task took_ms after_open_ms outcome verdict reason ending",
        &[
            "1795373470886|0|ringing|INFO|WA_CALL_CONNECT|||||||",
            "1795373471884|998|over|WARN|WA_CALL_TURNED_AWAY|||||||",
            "1795373471884|998|over|INFO|WA_CALL_ENDED|||||||closed",
            "1795373472146|1260|over|WARN|WA_CALL_CALLER_TOLD|||||||",
            "1795373472195||over|INFO|WA_CALL_OVER|||||||",
        ],
    ),
    ("signatures", "hour refused", &["2026-11-22 18:00:00.000|2"]),
    (
        "slow-turns",
        "at_ms call_ref turn took_ms tool_ms without_tools_ms",
        &[
            "1795373481358|ca2c0883a4d7d1c718a49a0513db6886a46cce538e98f0b1999a66ed7081d2fc|1|294|0|294",
            "1795373481448|13237ac777f0a5e91b8b80f2ab0d73bf0e535afed92b38d896a4c482fd893a58|1|293|0|293",
            "1795373457216|ebf9f60c388bc0965c82427b1700fbb881ee004b6349f5ac269cadf6d8f57f1a|1|183|0|183",
        ],
    ),
    ("verdicts", "verdict times calls", &["caller_muted|1|1", "no_rtp_in|1|1"]),
    (
        "waiting",
        "event times p50_ms p95_ms",
        &["WA_CALL_ACCEPTED|6|2892|12460", "WA_CALL_FIRST_WORD|6|0|7", "WA_CALL_TURN|3|293|294"],
    ),
    (
        "warm-and-cold",
        "start calls p50_ms p95_ms longest_ms",
        &["warm|5|2113|2822|2822", "cold|1|11894|11894|11894"],
    ),
];
