//! The command itself, as a person at a keyboard runs it.

use crate::agent::Agent;
use crate::business::{SOON, action_on, open_webhook};
use serde_json::{Value, json};
use sim_audio::clips;
use sim_audio::hearing::{HEARD, find};
use std::process::{Output, Stdio};
use tokio::process::{Child, Command};

const SECRET: &str = "an app secret";
const TOKEN: &str = "an access token";

#[tokio::test]
async fn the_command_hears_the_agent_asks_and_keeps_what_it_heard() {
    let (webhook, mut inbox, _moods) = open_webhook(SECRET).await;
    let port = free_port();
    let record = std::env::temp_dir().join(format!("phone-by-hand-{}.wav", std::process::id()));
    let command = run(&webhook, port, record.to_str().unwrap());

    let connect = next_call(&mut inbox).await;
    let mut agent = Agent::answer(connect["session"]["sdp"].as_str().unwrap()).await;
    act(port, &connect, "pre_accept", &agent.sdp).await;
    agent.connected().await;
    act(port, &connect, "accept", &agent.sdp).await;
    agent.play(&clips::agent_closing().samples);
    let question = clips::caller_question();
    while find(&question.samples, &agent.heard()).is_none_or(|found| found.correlation < HEARD) {
        agent.hears_more(SOON).await;
    }
    agent.play(&clips::agent_answer().samples);
    let terminate = next_call(&mut inbox).await;

    let Output { status, stderr, .. } = command.wait_with_output().await.unwrap();
    let heard = sim_audio::wav::parse(&std::fs::read(&record).unwrap()).unwrap();
    std::fs::remove_file(record).unwrap();
    let journal = String::from_utf8(stderr).unwrap();
    assert!(status.success(), "{journal}");
    assert!(journal.contains("the agent speaks") && !journal.contains("wacid."), "{journal}");
    assert!(find(&clips::agent_answer().samples, &heard).unwrap().correlation > HEARD);
    assert_eq!((&terminate["event"], &terminate["status"]), (&json!("terminate"), &json!("COMPLETED")));
}

fn run(webhook: &str, port: u16, record: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_sim-meta"))
        .args(["--webhook", webhook, "--graph-port", &port.to_string(), "--record", record])
        .env("META_APP_SECRET", SECRET)
        .env("META_VERIFY_TOKEN", "a verify token")
        .env("META_ACCESS_TOKEN", TOKEN)
        .env_remove("RUST_LOG")
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

async fn next_call(inbox: &mut tokio::sync::mpsc::UnboundedReceiver<String>) -> Value {
    let body = tokio::time::timeout(SOON, inbox.recv()).await.expect("a webhook").unwrap();
    let notice: Value = serde_json::from_str(&body).unwrap();
    notice["entry"][0]["changes"][0]["value"]["calls"][0].clone()
}

async fn act(port: u16, connect: &Value, action: &str, sdp: &str) {
    let url = format!("http://127.0.0.1:{port}/v26.0/220000000000002/calls");
    let body = action_on(connect["id"].as_str().unwrap(), action, Some(sdp));
    let reply = reqwest::Client::new().post(url).bearer_auth(TOKEN).json(&body).send().await.unwrap();
    assert_eq!(reply.status(), 200);
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
