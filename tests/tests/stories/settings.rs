//! A program with a wrong setting says which, in one line, and does not start.

use harness::program::{Program, free_address};

const WEBHOOK: [(&str, &str); 3] =
    [("TABLE", "Table"), ("META_SECRET", "meta"), ("CALL_CONTROL", "call-control")];
const CALL_CONTROL: [(&str, &str); 5] = [
    ("TABLE", "Table"),
    ("META_SECRET", "meta"),
    ("MEDIA_SECRET", "media"),
    ("CLUSTER", "ahoy"),
    ("TASK_FAMILY", "media"),
];
const REAPER: [(&str, &str); 2] = [("TABLE", "Table"), ("CALL_CONTROL", "call-control")];
const OUTBOX: [(&str, &str); 2] = [("TABLE", "Table"), ("MEDIA_SECRET", "media")];
const MEDIA_TASK: [(&str, &str); 4] = [
    ("TABLE", "Table"),
    ("MEDIA_SECRET", "media"),
    ("CALL_CONTROL", "call-control"),
    ("AHOY_BIND_IP", "127.0.0.1"),
];
const SERVE: [(&str, &str); 6] = [
    ("META_APP_SECRET", "a"),
    ("META_VERIFY_TOKEN", "b"),
    ("META_ACCESS_TOKEN", "c"),
    ("OPENAI_API_KEY", "d"),
    ("AHOY_NUMBERS", "220000000000002"),
    ("AHOY_BIND_IP", "127.0.0.1"),
];

#[tokio::test]
async fn every_required_setting_of_a_function_is_asked_for_by_name() {
    for (name, required) in
        [("webhook", &WEBHOOK[..]), ("call-control", &CALL_CONTROL), ("reaper", &REAPER), ("outbox", &OUTBOX)]
    {
        asks_for_each(|| Program::named(name), required).await;
    }
}

#[tokio::test]
async fn every_required_setting_of_the_media_task_is_asked_for_by_name() {
    asks_for_each(|| Program::named("media-task"), &MEDIA_TASK[..3]).await;

    let unreachable = Program::named("media-task").with_all(&MEDIA_TASK[..3]);
    let unreachable_address = format!("http://{}", free_address());
    let complaint = format!("AHOY_PUBLIC_IP is not set, and {unreachable_address} did not return it");
    refuses(unreachable.with("AHOY_CHECKIP_URL", &unreachable_address), &complaint).await;
}

#[tokio::test]
async fn every_required_setting_of_serve_is_asked_for_by_name() {
    asks_for_each(|| Program::serve().with("AHOY_BIND_IP", "127.0.0.1"), &SERVE[..5]).await;

    refuses(Program::serve().with_all(&SERVE[..5]), "AHOY_PUBLIC_IP is not set").await;
}

#[tokio::test]
async fn a_malformed_setting_is_named_with_its_value() {
    let webhook = || Program::named("webhook").with_all(&WEBHOOK);
    let task = || Program::named("media-task").with_all(&MEDIA_TASK);
    let serve = || Program::serve().with_all(&SERVE);

    refuses(webhook().with("AHOY_RING_SECONDS", "long"), r#"AHOY_RING_SECONDS is "long""#).await;
    refuses(task().with("AHOY_SLOTS", "many"), r#"AHOY_SLOTS is "many""#).await;
    refuses(task().with("AHOY_BIND_IP", "x"), r#"AHOY_BIND_IP is "x""#).await;
    refuses(task().with("AHOY_AGENT", "/nowhere"), r#"AHOY_AGENT is "/nowhere""#).await;
    for program in [webhook(), task()] {
        let nowhere = program.with("OTEL_EXPORTER_OTLP_ENDPOINT", "collector");
        refuses(nowhere, r#"OTEL_EXPORTER_OTLP_ENDPOINT is "collector""#).await;
    }
    refuses(serve().with("AHOY_BIND_IP", "x"), r#"AHOY_BIND_IP is "x""#).await;
    refuses(serve().with("AHOY_AGENT", "/nowhere"), r#"AHOY_AGENT is "/nowhere""#).await;
    refuses(serve().with("AHOY_LISTEN", "8080"), r#"AHOY_LISTEN is "8080""#).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_port_is_said_plainly() {
    let address = free_address();
    let _busy = tokio::net::TcpListener::bind(address).await.expect("it is free");

    let ended = Program::serve().with_all(&SERVE).with("AHOY_LISTEN", &address.to_string()).run().await;

    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let plainly = format!("serve: cannot listen at {address}: another process already does");
    assert!(ended.stderr.lines().any(|line| line == plainly), "{}", ended.stderr);
}

/// Without each one of them, the program asks for that one.
async fn asks_for_each(program: impl Fn() -> Program, required: &[(&str, &str)]) {
    for (missing, _) in required {
        let others: Vec<_> = required.iter().filter(|(name, _)| name != missing).copied().collect();
        refuses(program().with_all(&others), &format!("{missing} is not set")).await;
    }
}

async fn refuses(program: Program, complaint: &str) {
    let ended = program.run().await;

    assert_eq!(ended.code, Some(64), "{}", ended.stderr);
    let lines: Vec<&str> = ended.stderr.lines().collect();
    assert!(matches!(lines[..], [line] if line.contains(complaint)), "{complaint}: {lines:?}");
}
