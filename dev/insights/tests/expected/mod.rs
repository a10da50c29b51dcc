//! The expected result of each query over the recorded lines, worked out by hand: eleven stories, twelve calls.
//!
//! Five callers hung up: one muted, one was never heard, one waited for a new task, two needed a tool that failed them;
//! one call was lost with its task, one found no task, one came when it was closed. Two webhooks were not Meta's.
//!
//! By telephone, one caller asked and hung up, and called too often afterwards; one call came without the trunk's key, one for a number that is not ours.

/// A query's columns and rows.
pub(crate) type Expected = (&'static str, &'static str, &'static [&'static str]);

/// The call that came when it was closed.
pub(crate) const ONE_CALL: &str = "5604630a2c0dbc3e08d5f17e3b996c5d7ac3503b57a37b4b07db8549dddb898d";

/// By the names of the queries' files.
pub(crate) const EXPECTED: [Expected; 11] = [
    (
        "cost",
        "day on_line number agent calls priced dollars audio_in_tokens audio_out_tokens",
        &[
            "2026-11-22 00:00:00.000|whatsapp|220000000000002|mirsk-bikes|5|5|0.0865|813|729",
            "2026-11-30 00:00:00.000|sip|malta|mirsk-bikes|1|1|0.0225|139|169",
        ],
    ),
    (
        "endings",
        "ending on_line calls mean_s longest_s",
        &[
            "caller_hung_up|whatsapp|5|12.3198|19.049",
            "called_too_often|sip|1|0|0",
            "caller_hung_up|sip|1|12.589|12.589",
            "closed|whatsapp|1|0|0",
            "lost|whatsapp|1|0.496|0.496",
            "no_capacity|whatsapp|1|0|0",
            "untrusted|sip|1|0|0",
        ],
    ),
    (
        "failing-tools",
        "tool outcome times longest_ms",
        &["lookup_order|failed|1|21", "lookup_order|timed_out|1|2002"],
    ),
    (
        "missed",
        "event cause on_line calls",
        &[
            "WA_CALL_LOST||whatsapp|1",
            "WA_CALL_NOT_OURS||sip|1",
            "WA_CALL_REFUSED|no_capacity|whatsapp|1",
            "WA_CALL_TURNED_AWAY|called_too_often|sip|1",
            "WA_CALL_TURNED_AWAY|closed|whatsapp|1",
            "WA_CALL_TURNED_AWAY|untrusted|sip|1",
        ],
    ),
    (
        "one-call",
        "at_ms since_ring_ms phase line level event task took_ms after_open_ms outcome verdict reason ending",
        &[
            "1795373470886|0|ringing||INFO|WA_CALL_CONNECT|||||||",
            "1795373471884|998|over||WARN|WA_CALL_TURNED_AWAY|||||||",
            "1795373471884|998|over||INFO|WA_CALL_ENDED|||||||closed",
            "1795373472146|1260|over||WARN|WA_CALL_CALLER_TOLD|||||||",
            "1795373472195||over||INFO|WA_CALL_OVER|||||||",
        ],
    ),
    ("signatures", "hour why refused", &["2026-11-22 18:00:00.000|signature|2"]),
    (
        "slow-turns",
        "at_ms on_line call_ref turn took_ms tool_ms without_tools_ms",
        &[
            "1796042660271|sip|83dd201167646bfe0ed9a2af0cfb1a5859076c8938f7bd784d1597cd87c3b136|1|298|0|298",
            "1795373481358|whatsapp|ca2c0883a4d7d1c718a49a0513db6886a46cce538e98f0b1999a66ed7081d2fc|1|294|0|294",
            "1795373481448|whatsapp|13237ac777f0a5e91b8b80f2ab0d73bf0e535afed92b38d896a4c482fd893a58|1|293|0|293",
            "1795373457216|whatsapp|ebf9f60c388bc0965c82427b1700fbb881ee004b6349f5ac269cadf6d8f57f1a|1|183|0|183",
        ],
    ),
    (
        "telephone",
        "event number what error times calls",
        &["WA_CALL_NOT_OURS|…77|||1|1", "WA_CALL_TURNED_AWAY|malta|untrusted||1|1"],
    ),
    ("verdicts", "verdict times calls", &["caller_muted|1|1", "no_rtp_in|1|1"]),
    (
        "waiting",
        "event on_line times p50_ms p95_ms",
        &[
            "WA_CALL_ACCEPTED|sip|1|314|314",
            "WA_CALL_ACCEPTED|whatsapp|6|2892|12460",
            "WA_CALL_FIRST_WORD|sip|1|717|717",
            "WA_CALL_FIRST_WORD|whatsapp|6|0|7",
            "WA_CALL_TURN|sip|1|298|298",
            "WA_CALL_TURN|whatsapp|3|293|294",
        ],
    ),
    (
        "warm-and-cold",
        "start on_line calls p50_ms p95_ms longest_ms",
        &["warm|sip|1|210|210|210", "warm|whatsapp|5|2113|2822|2822", "cold|whatsapp|1|11894|11894|11894"],
    ),
];
