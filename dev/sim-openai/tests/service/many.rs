//! Many sessions on one simulator, each with its own fate.

use crate::client::{Client, config};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use sim_openai::{Config, FaultPlan, InjectedFault, ObservationKind, Realtime};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;

const SESSIONS: usize = 50;
/// All of them share the machine with whatever else is being tested.
const PATIENCE: Duration = Duration::from_secs(40);

#[tokio::test]
async fn fifty_sessions_talk_at_once_and_leave_no_sound_behind() -> Result<()> {
    let realtime = Arc::new(Realtime::start(config().for_many()).await?);
    let mut clients = JoinSet::new();
    for _ in 0..SESSIONS {
        clients.spawn(timeout(PATIENCE, converse(realtime.clone())));
    }
    for done in clients.join_all().await {
        done.context("a session took too long")??;
    }

    let reports = realtime.sessions();
    assert_eq!(reports.len(), SESSIONS);
    for report in reports {
        assert!(report.heard.is_empty() && report.events.is_empty(), "nothing that grows is kept");
        assert_eq!(report.spoken.first().map(|spoken| spoken.clip.as_str()), Some("agent-greeting"));
        let was_heard =
            report.observations.iter().any(|seen| matches!(seen.kind, ObservationKind::Committed { .. }));
        assert!(was_heard, "the caller's turn was taken");
    }
    Ok(())
}

#[tokio::test]
async fn each_connection_has_its_own_fate() -> Result<()> {
    let fate = FaultPlan::new(|connection| match connection {
        0 => Some(InjectedFault::RefusesKey),
        1 => Some(InjectedFault::QuotaExhausted),
        2 => None,
        _ => Some(InjectedFault::DropsSession { after_deltas: 1 }),
    });
    let realtime = Realtime::start(Config { fault_plan: Some(fate), ..config() }).await?;

    for code in ["invalid_api_key", "insufficient_quota"] {
        assert_eq!(Client::connect(&realtime, "sk-test").await?.next().await?["error"]["code"], code);
    }
    greet(&mut Client::configured(&realtime).await?).await?;
    for _ in 0..2 {
        let mut dropped = Client::configured(&realtime).await?;
        ensure!(greet(&mut dropped).await.is_err(), "it drops, though it is not the first");
    }
    Ok(())
}

/// Is greeted, says something, and waits until that was taken for a turn.
async fn converse(realtime: Arc<Realtime>) -> Result<()> {
    let mut client = Client::configured(&realtime).await?;
    greet(&mut client).await?;
    client.say(&sim_audio::clips::caller_interrupts().samples).await?;
    client.until("input_audio_buffer.committed").await?;
    Ok(client.socket.close(None).await?)
}

async fn greet(client: &mut Client) -> Result<()> {
    client.send(json!({"type": "response.create"})).await?;
    client.until("response.done").await.map(drop)
}
