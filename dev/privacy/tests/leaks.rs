//! Leaks that the scan finds, and text that it accepts.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use privacy::{SHAPES, Watch};
use std::process::{Command, Output};

const LEAKS: [(&str, &str); 23] = [
    ("a telephone number", r#"{"level":"INFO","message":"Calls from +919900000001"}"#),
    ("a telephone number", "Calls from +1 (555) 000-1111 today"),
    ("a telephone number", "GET /calls?from=%2B35699000001"),
    ("a telephone's address", "Diversion: <sip:35621000000@carrier.example>;reason=unconditional"),
    ("a telephone's address", r#"{"target":"tel:21000000"}"#),
    ("OpenAI's id of a call", "POST /v1/realtime/calls/rtc_u1_0123456789abcdef/accept"),
    ("a secret of a webhook", "signed with whsec_YWhveS10ZXN0"),
    ("a long number, as a telephone number is", r#"{"level":"INFO","caller":"919900000001"}"#),
    ("a long number, as a telephone number is", r#"{"level":"INFO","caller":919900000001}"#),
    ("a long number, as a telephone number is", "to=919900000001 was refused, 919900000001 again"),
    (
        "a long number, as a telephone number is",
        r#"Connect { number: "220000000000002", caller: Some("919900000001") }"#,
    ),
    ("Meta's id of a call or a message", "Cannot end wacid.HBgLMTU1NTAwMDExMTEVAgASGCA="),
    ("Meta's id of a call or a message", r#"{"id":"wamid.HBgLMTU1NTAwMDExMTEVAgAS"}"#),
    ("a user's id at Meta", "IN.55501234567890123456 calls"),
    ("a token of Meta's", "Graph took EAAGm0PX4ZCpsBAKZBx0"),
    ("a key of OpenAI's", "with sk-rehearsal"),
    ("a bearer token", "authorization: Bearer abcdef123456"),
    ("an SDP", r#"{"offer":"v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\n"}"#),
    ("an SDP", r"offer is v=0\r\no=- 1 2"),
    ("an SDP", "m=audio 3480 UDP/TLS/RTP/SAVPF 111"),
    ("a secret part of an SDP", "a=ice-pwd:abcdefghijklmnopqrstuvwx"),
    ("a secret part of an SDP", r#"{"message":"answer\na=fingerprint:sha-256 00:11"}"#),
    ("digits spoken as words", r#"{"text":"My number is nine, nine, oh, one."}"#),
];

const FINE: [&str; 13] = [
    r#"{"level":"INFO","call_ref":"1234567890123456789012345678901234567890123456789012345678901234","at_ms":1795305600000,"number":"220000000000002"}"#,
    r#"{"_aws":{"Timestamp":1795305600000},"AnswerMs":[412.0]}"#,
    r#"{"timestamp":"2026-11-22T18:04:35.123456Z","level":"INFO","message":"Ready for calls","door":"127.0.0.1:50123"}"#,
    r#"{"evidence":"Of 12 checks 3 came back within 20000 ms from 203.0.113.10:3478.","cure":"Look at the security group."}"#,
    "test one_or_two_or_three_calls_at_once ... ok",
    "one, two, three frames were late",
    r#"left: [Connect { number: "220000000000002" }, Granted { until_ms: Some(1795305600000), at: Timestamp(1795305600000) }]"#,
    "arn:aws:ecs:eu-west-1:000000000000:task/ahoy/0123456789abcdef0123456789abcdef",
    r#"<testcase name="an_sdp_without_audio" timestamp="2026-11-22T18:04:35.123+00:00" time="0.012">"#,
    r#"{"call_ref":"ab12","line":"sip","number":"malta","event":"WA_CALL_CONNECT"}"#,
    "listens on sip:127.0.0.1:5061",
    "asks for rtc_ahoy_probe, which is no call",
    r#"{"writer":"webhook-connect-1795305735","status":"COMPLETED","version":0}"#,
];

#[test]
fn numbers_tokens_and_sdp_are_found_with_kind_and_line() {
    for (kind, line) in LEAKS {
        let text = format!("a line that is fine\n{line}\n");

        let leaks = Watch::default().look_at(&text);

        assert!(leaks.iter().any(|leak| leak.kind == kind && leak.line == 2), "{kind}: {leaks:?} in {line}");
    }
}

#[test]
fn every_shape_has_an_example_that_it_finds() {
    for (kind, _) in SHAPES {
        assert!(LEAKS.iter().any(|(example, _)| *example == kind), "{kind}");
    }
}

#[test]
fn what_names_no_person_is_fine() {
    for line in FINE {
        assert_eq!(Watch::default().look_at(line), [], "{line}");
    }
}

#[test]
fn known_secrets_are_found_escaped_or_not_and_never_shown() {
    let watch = Watch::default().and_for("the app secret", "an \"app\" secret").and_for("nothing", "");

    for line in [r#"an "app" secret"#, r#"{"said":"it was an \"app\" secret"}"#] {
        let leaks = watch.look_at(line);
        assert_eq!(leaks.len(), 1, "{line}");
        assert_eq!(leaks[0].to_string(), "line 1: the app secret");
    }
    assert!(!format!("{watch:?}").contains("\"app\""));
}

#[test]
fn what_a_person_sent_is_found_in_every_encoding() {
    let watch = Watch::default()
        .and_for_personal("the payload", "planted-campaign?")
        .and_for_personal("the name", "Zoë");

    for leaked in [
        "planted-campaign?",
        "706c616e7465642d63616d706169676e3f",
        "706C616E7465642D63616D706169676E3F",
        "cGxhbnRlZC1jYW1wYWlnbj8=",
        "cGxhbnRlZC1jYW1wYWlnbj8",
    ] {
        for line in [format!("refused: {leaked}"), format!(r#"{{"reason":"{leaked}"}}"#)] {
            assert_eq!(watch.look_at(&line)[0].kind, "the payload", "{line}");
        }
    }
    assert_eq!(watch.look_at(r#"{"reason":"Zo\u00eb is refused"}"#)[0].kind, "the name");
    assert_eq!(watch.look_at("5a6fc3ab"), [], "a short text is told from no hash");
}

#[test]
fn a_key_is_found_in_each_of_its_forms() {
    let watch = Watch::default().and_for_key("the signing secret", "whsec_YWhveS10ZXN0LXNlY3JldA==");

    for leaked in [
        "whsec_YWhveS10ZXN0LXNlY3JldA==",
        "key YWhveS10ZXN0LXNlY3JldA==.",
        "ahoy-test-secret",
        "61686f792d746573742d736563726574",
        "61686F792D746573742D736563726574",
    ] {
        let leaks = watch.look_at(leaked);
        assert!(leaks.iter().any(|leak| leak.kind == "the signing secret"), "{leaked}: {leaks:?}");
    }
    assert_eq!(watch.look_at("a test of the webhook's secret"), []);
}

#[test]
fn a_number_is_found_where_a_long_number_is_right() {
    let watch = Watch::default().and_for_number("the dialled number", "+356", "21000000");

    for leaked in [r#"{"number":"35621000000"}"#, r#"{"number":"21000000"}"#, "number 2100 0000"] {
        let leaks = watch.look_at(leaked);
        assert!(leaks.iter().any(|leak| leak.kind == "the dialled number"), "{leaked}: {leaks:?}");
    }
    assert_eq!(watch.look_at(r#"{"number":"malta","at_ms":1795321000000}"#), []);
}

#[test]
fn the_program_fails_for_a_leak_and_shows_only_its_place() {
    let folder = std::env::temp_dir().join(format!("ahoy-privacy-{}", std::process::id()));
    let logs = folder.join("a_story/logs");
    std::fs::create_dir_all(&logs).unwrap();
    std::fs::write(logs.join("webhook-1.log"), "{\"level\":\"INFO\"}\n").unwrap();
    let fine = run(&folder);

    std::fs::write(logs.join("media-task-1.log"), "fine\ncalls from +919900000001\n").unwrap();
    let leaky = run(&folder);
    std::fs::remove_dir_all(&folder).unwrap();

    assert!(fine.status.success(), "{fine:?}");
    assert_eq!(leaky.status.code(), Some(1));
    let said = String::from_utf8(leaky.stdout).unwrap();
    assert!(said.contains("media-task-1.log, line 2: a telephone number"), "{said}");
    assert!(!said.contains("99000"), "{said}");
}

fn run(folder: &std::path::Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_privacy")).arg(folder).output().unwrap()
}
