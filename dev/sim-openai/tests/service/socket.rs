//! The simulator over a real socket, met by a client that shares nothing with it.

use crate::client::{Client, config};
use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use sim_openai::{Config, InjectedFault, ObservationKind, Realtime, Side};
use std::time::Duration;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn a_caller_is_greeted_answered_and_understood() -> Result<()> {
    let realtime = Realtime::start(Config { pace: f64::INFINITY, ..config() }).await?;
    let mut watching = realtime.subscribe();
    let mut client = Client::configured(&realtime).await?;

    client.send(json!({"type": "response.create"})).await?;
    client.until("response.done").await?;
    client.say(&sim_audio::clips::caller_question().samples).await?;
    let written = client.until("conversation.item.input_audio_transcription.completed").await?;
    client.socket.close(None).await?;

    while !matches!(watching.recv().await?.kind, ObservationKind::Closed { .. }) {}
    let report = realtime.sessions().pop().context("there was a session")?;
    assert_eq!(written["transcript"], sim_audio::clips::caller_question().text);
    assert_eq!(spoken(&report), ["agent-greeting", "agent-answer"]);
    let found = sim_audio::hearing::find(&sim_audio::clips::caller_question().samples, &report.heard);
    assert!(found.is_some_and(|found| found.correlation > 0.99), "{found:?}");
    assert_eq!(report.violations, [] as [&str; 0]);
    assert!(report.closed);
    Ok(())
}

#[tokio::test]
async fn a_clients_close_frame_is_answered() -> Result<()> {
    let realtime = Realtime::start(config()).await?;
    let mut client = Client::configured(&realtime).await?;

    client.socket.close(None).await?;

    while let Some(message) = client.socket.next().await {
        if let Message::Close(_) = message? {
            return Ok(());
        }
    }
    bail!("the connection ended without a close frame")
}

#[tokio::test]
async fn thinking_takes_as_long_as_it_is_told() -> Result<()> {
    let thinking = Duration::from_millis(250);
    let realtime = Realtime::start(Config { thinking, ..config() }).await?;
    let mut client = Client::configured(&realtime).await?;

    let asked = Instant::now();
    client.send(json!({"type": "response.create"})).await?;
    client.until("response.output_audio.delta").await?;

    assert!(asked.elapsed() >= thinking, "{:?}", asked.elapsed());
    Ok(())
}

#[tokio::test]
async fn a_wrong_key_is_let_in_refused_and_closed() -> Result<()> {
    let realtime = Realtime::start(config()).await?;
    let mut client = Client::connect(&realtime, "sk-wrong").await?;

    assert_eq!(client.is_refused().await?, ("invalid_api_key".to_owned(), 3_000));

    realtime.set_key("sk-wrong");
    Client::connect(&realtime, "sk-wrong").await?.configure().await
}

#[tokio::test]
async fn an_unknown_model_is_refused_by_the_first_event_and_closed() -> Result<()> {
    let config = Config { model: Some("gpt-realtime-9".into()), ..config() };
    let realtime = Realtime::start(config).await?;
    let mut client = Client::connect(&realtime, "sk-test").await?;

    assert_eq!(client.is_refused().await?, ("invalid_model".to_owned(), 4_000));
    Ok(())
}

#[tokio::test]
async fn a_dropped_session_ends_without_farewell_and_the_next_one_lives() -> Result<()> {
    let (realtime, mut client) = asked(InjectedFault::DropsSession { after_deltas: 2 }).await?;
    while client.next().await.is_ok() {}

    let mut again = Client::configured(&realtime).await?;
    again.send(json!({"type": "response.create"})).await?;
    again.until("response.done").await?;

    let first = &realtime.sessions()[0];
    assert_eq!(first.events_of(Side::Server, "response.output_audio.delta").count(), 2);
    assert_eq!(realtime.sessions().len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_session_that_drops_may_find_its_key_refused() -> Result<()> {
    let (realtime, mut client) = asked(InjectedFault::DropsThenRefuses { after_deltas: 2 }).await?;
    while client.next().await.is_ok() {}

    for _ in 0..2 {
        let mut refused = Client::connect(&realtime, "sk-test").await?;
        assert_eq!(refused.is_refused().await?, ("invalid_api_key".to_owned(), 3_000));
    }
    Ok(())
}

#[tokio::test]
async fn an_account_that_runs_dry_stays_dry() -> Result<()> {
    let (realtime, mut client) = asked(InjectedFault::QuotaMidCall { after_deltas: 2 }).await?;
    let done = client.until("response.done").await?;
    assert_eq!(done["response"]["status_details"]["error"]["code"], "insufficient_quota");
    let Some(Ok(Message::Close(Some(frame)))) = client.socket.next().await else { bail!("no close frame") };
    assert_eq!(u16::from(frame.code), 4_000);

    let mut again = Client::connect(&realtime, "sk-test").await?;

    assert_eq!(again.next().await?["error"]["code"], "insufficient_quota");
    Ok(())
}

#[tokio::test]
async fn a_session_that_has_gone_silent_still_answers_pings() -> Result<()> {
    let (_realtime, mut client) = asked(InjectedFault::GoesSilent { after_deltas: 2 }).await?;
    for _ in 0..2 {
        client.until("response.output_audio.delta").await?;
    }

    client.send(json!({"type": "response.cancel"})).await?;
    client.socket.send(Message::Ping("there?".into())).await?;

    let Some(Ok(Message::Pong(_))) = client.socket.next().await else { bail!("something else came") };
    Ok(())
}

#[tokio::test]
async fn a_caller_must_not_be_greeted_in_each_session() -> Result<()> {
    let realtime = Realtime::start(Config { pace: 0.0, ..config() }).await?;
    let greet = json!({"type": "response.create", "response": {"instructions": "Greet the caller."}});
    let said = json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello,"}]});
    let mut first = Client::configured(&realtime).await?;
    first.send(greet.clone()).await?;
    first.until("response.done").await?;

    let mut second = Client::configured(&realtime).await?;
    second.send(json!({"type": "conversation.item.create", "item": said})).await?;
    second.send(greet).await?;
    second.until("response.done").await?;

    let reports = realtime.sessions();
    assert_eq!(
        (reports[0].violations.len(), reports[1].violations.len()),
        (0, 1),
        "{:?}",
        reports[1].violations
    );
    assert_eq!(reports[1].replayed[0].text, "Hello,");
    assert_eq!(spoken(&reports[1]), ["agent-nudge"]);
    Ok(())
}

#[tokio::test]
async fn an_upgrade_may_stay_unanswered() -> Result<()> {
    let fault = Some(InjectedFault::NeverAnswers);
    let realtime = Realtime::start(Config { fault, ..config() }).await?;

    let waited = timeout(Duration::from_millis(200), Client::connect(&realtime, "sk-test")).await;

    assert!(waited.is_err(), "a connection was answered");
    assert_eq!(realtime.connections(), 1);
    Ok(())
}

#[tokio::test]
async fn stopping_breaks_every_connection() -> Result<()> {
    let realtime = Realtime::start(config()).await?;
    let mut client = Client::connect(&realtime, "sk-test").await?;
    client.until("session.created").await?;
    let url = realtime.url();

    realtime.stop().await;

    while client.next().await.is_ok() {}
    assert!(connect_async(url).await.is_err());
    Ok(())
}

/// A service with an injected fault, and a client of it that has asked for a response.
async fn asked(fault: InjectedFault) -> Result<(Realtime, Client)> {
    let realtime = Realtime::start(Config { fault: Some(fault), ..config() }).await?;
    let mut client = Client::configured(&realtime).await?;
    client.send(json!({"type": "response.create"})).await?;
    Ok((realtime, client))
}

fn spoken(report: &sim_openai::SessionReport) -> Vec<&str> {
    report.spoken.iter().map(|spoken| spoken.clip.as_str()).collect()
}
