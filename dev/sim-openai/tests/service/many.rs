//! Many sessions on one simulator, each with its own fate.

use anyhow::{Context, Result, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use sim_openai::{Config, FaultPlan, InjectedFault, Realtime, Seen};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

const SESSIONS: usize = 50;
/// All of them share the machine with whatever else is being tested.
const PATIENCE: Duration = Duration::from_secs(40);

#[tokio::test]
async fn fifty_sessions_talk_at_once_and_leave_no_sound_behind() -> Result<()> {
    let realtime = Realtime::start(Config::new("sk-test").for_many()).await?;
    let mut clients = JoinSet::new();
    for _ in 0..SESSIONS {
        let url = realtime.url();
        clients.spawn(timeout(PATIENCE, converse(url)));
    }
    for done in clients.join_all().await {
        done.context("a session took too long")??;
    }

    let reports = realtime.sessions();
    assert_eq!(reports.len(), SESSIONS);
    for report in reports {
        assert!(report.heard.is_empty() && report.events.is_empty(), "nothing that grows is kept");
        assert_eq!(report.spoken.first().map(|spoken| spoken.clip.as_str()), Some("agent-greeting"));
        let was_heard = report.observations.iter().any(|seen| matches!(seen.what, Seen::Committed { .. }));
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
    let realtime = Realtime::start(Config { fault_plan: Some(fate), ..Config::new("sk-test") }).await?;

    let mut refused = connect(&realtime.url()).await?;
    let mut broke = connect(&realtime.url()).await?;
    let mut spared = connect(&realtime.url()).await?;
    let mut dropped = [connect(&realtime.url()).await?, connect(&realtime.url()).await?];

    assert_eq!(next(&mut refused).await?["error"]["code"], "invalid_api_key");
    assert_eq!(next(&mut broke).await?["error"]["code"], "insufficient_quota");
    greet(&mut spared).await?;
    for socket in &mut dropped {
        ensure!(greet(socket).await.is_err(), "it drops, though it is not the first");
    }
    Ok(())
}

/// Is greeted, says something, and waits until that was taken for a turn.
async fn converse(url: String) -> Result<()> {
    let mut socket = connect(&url).await?;
    greet(&mut socket).await?;
    let sound = [sim_audio::clips::caller_interrupts().samples, vec![0; 24_000]].concat();
    let mut clock = interval(Duration::from_millis(40));
    for frame in sound.chunks(2 * sim_audio::FRAME) {
        clock.tick().await;
        let bytes: Vec<u8> = frame.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        send(&mut socket, json!({"type": "input_audio_buffer.append", "audio": BASE64.encode(bytes)}))
            .await?;
    }
    until(&mut socket, "input_audio_buffer.committed").await?;
    Ok(socket.close(None).await?)
}

async fn greet(socket: &mut Socket) -> Result<()> {
    let turns = json!({"type": "server_vad", "silence_duration_ms": 500});
    let session = json!({"type": "realtime", "audio": {"input": {"turn_detection": turns}}});
    until(socket, "session.created").await?;
    send(socket, json!({"type": "session.update", "session": session})).await?;
    until(socket, "session.updated").await?;
    send(socket, json!({"type": "response.create"})).await?;
    until(socket, "response.done").await
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn connect(url: &str) -> Result<Socket> {
    let mut request = format!("{url}?model=gpt-realtime-2.1").into_client_request()?;
    request.headers_mut().insert("authorization", "Bearer sk-test".parse()?);
    Ok(connect_async(request).await?.0)
}

async fn send(socket: &mut Socket, event: Value) -> Result<()> {
    Ok(socket.send(Message::text(event.to_string())).await?)
}

async fn until(socket: &mut Socket, kind: &str) -> Result<()> {
    while next(socket).await?["type"] != kind {}
    Ok(())
}

async fn next(socket: &mut Socket) -> Result<Value> {
    match socket.next().await.context("the connection is over")?? {
        Message::Text(text) => Ok(serde_json::from_str(&text)?),
        other => bail!("no event: {other:?}"),
    }
}
