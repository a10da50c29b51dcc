//! Replays answers that ECS agents gave to requests for task protection: `fixtures/field-cases/aws`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use media_task::lifecycle::ecs::{ProtectionError, Task};
use media_task::lifecycle::task_protection::{ProtectionStatus, TaskProtection};
use serde_json::{Value, json};
use service::env::Env;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::test]
async fn a_late_answer_counts_though_the_accept_does_not_wait() {
    let (task, agent) = task(case("task-protection-slow")).await;
    let protection = Arc::new(TaskProtection::new(task));

    protection.acquire().await;

    assert_eq!(agent.counts(), (1, 0), "asked and answered");
    // The request under way is awaited, and no other is made.
    protection.update(|| true).await;
    assert_eq!(agent.counts(), (1, 1), "asked and answered");
    assert_eq!(protection.status(), ProtectionStatus::NotRefused);
}

#[tokio::test]
async fn a_throttled_agent_has_not_refused_protection() {
    let (task, _) = task(case("task-protection-throttled")).await;

    let answer = task.set_protection(true).await.unwrap_err();

    assert!(matches!(&answer, ProtectionError::Unknown(_)), "{answer}");
    assert!(answer.to_string().contains("ThrottlingException"), "{answer}");
    let protection = Arc::new(TaskProtection::new(task));
    protection.acquire().await;
    assert_eq!(protection.status(), ProtectionStatus::NotRefused);
}

#[tokio::test]
async fn metadata_that_fails_at_boot_is_requested_again() {
    let ecs = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}/v4/a", ecs.local_addr().unwrap());
    tokio::spawn(async move {
        for case in [json!({"status": 500, "body": "failed to get task metadata"}), metadata()] {
            reply(&mut ecs.accept().await.unwrap().0, &case).await;
        }
    });

    let task = Task::fetch(&Env::of(&[("ECS_CONTAINER_METADATA_URI_V4", &uri)])).await.unwrap();

    assert_eq!((task.id.as_str(), &*task.revision), ("0123", "7"));
}

/// Counts the requests and answers of an ECS agent.
#[derive(Debug, Default)]
struct Agent {
    asked: AtomicUsize,
    answered: AtomicUsize,
}

impl Agent {
    fn counts(&self) -> (usize, usize) {
        (self.asked.load(Ordering::SeqCst), self.answered.load(Ordering::SeqCst))
    }
}

/// Returns a task and its ECS agent, which always answers as in the case.
async fn task(case: Value) -> (Task, Arc<Agent>) {
    let agent = Arc::new(Agent::default());
    let counting = agent.clone();
    let ecs = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", ecs.local_addr().unwrap());
    tokio::spawn(async move {
        reply(&mut ecs.accept().await.unwrap().0, &metadata()).await;
        loop {
            let mut asking = ecs.accept().await.unwrap().0;
            counting.asked.fetch_add(1, Ordering::SeqCst);
            prepare(&mut asking, &case).await;
            counting.answered.fetch_add(1, Ordering::SeqCst);
            answer(&mut asking, &case).await;
        }
    });
    let env = [("ECS_CONTAINER_METADATA_URI_V4", &*base), ("ECS_AGENT_URI", &*base)];
    (Task::fetch(&Env::of(&env)).await.unwrap(), agent)
}

fn metadata() -> Value {
    json!({"status": 200, "body": {"TaskARN": "arn:aws:ecs:eu-west-1:000000000000:task/ahoy/0123", "Revision": "7"}})
}

async fn reply(asked: &mut TcpStream, case: &Value) {
    prepare(asked, case).await;
    answer(asked, case).await;
}

/// Reads a request, and waits as long as in the case.
async fn prepare(asked: &mut TcpStream, case: &Value) {
    let _ = asked.read(&mut [0; 4_096]).await;
    tokio::time::sleep(Duration::from_millis(case["delay_ms"].as_u64().unwrap_or_default())).await;
}

async fn answer(asked: &mut TcpStream, case: &Value) {
    let (status, body) = (&case["status"], case["body"].to_string());
    let head = format!("HTTP/1.1 {status} Said\r\ncontent-type: application/json\r\nconnection: close\r\n");
    let reply = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    let _ = asked.write_all(reply.as_bytes()).await;
}

fn case(name: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/field-cases/aws").join(name);
    serde_json::from_slice(&std::fs::read(path.with_extension("json")).unwrap()).unwrap()
}
