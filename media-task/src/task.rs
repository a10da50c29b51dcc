//! The life of a media task: boot, be ready, hold calls, drain, leave.

use crate::calls::{Calls, Equipment};
use crate::diary::Diary;
use crate::door::{Certificate, Door, TlsListener};
use crate::ecs::Task;
use crate::heartbeat::Heart;
use crate::load::Load;
use crate::private_door;
use crate::roster::Roster;
use crate::settings::{MediaSecret, Settings};
use anyhow::Context;
use ledger::{CallControl, Ledger};
use service::env::Env;
use service::secrets::Secret;
use service::shutdown;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

/// So long calls may go on after this task was told to leave. ECS kills it after 120 s.
const LAST_CALLS: Duration = Duration::from_secs(90);

/// So long ending calls may take to be reported.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// Holds calls until told to stop.
///
/// # Errors
/// What kept it from starting.
pub async fn run(env: &Env) -> anyhow::Result<()> {
    let _writing_on = service::logs::write_aside();
    let settings = Settings::from_env(env)?;
    let task = Task::of_process(env).await?;
    let config = service::cloud::config().await;
    let secret: Secret<MediaSecret> = Secret::fetch(&config, &settings.media_secret).await?;
    let ledger = Ledger::new(aws_sdk_dynamodb::Client::new(&config), &settings.table);
    let control = CallControl::new(
        aws_sdk_lambda::Client::new(&service::cloud::for_invoking(&config)),
        &settings.call_control,
    );
    let (diary, writing) = Diary::open(ledger.clone());
    let calls = Calls::new(
        settings.slots,
        Load::new(Instant::now(), settings.latest_ms),
        Equipment {
            bind_ip: settings.bind_ip,
            public_ip: settings.public_ip,
            model: settings.model,
            roster: Roster::new(settings.agent, secret.value().tool_secrets),
            model_key: secret.value().openai_api_key,
            diary,
            control: control.clone(),
            task: task.clone(),
        },
    );

    let certificate = Certificate::make()?;
    let (listener, door) =
        listen(settings.door_ip.unwrap_or(settings.bind_ip), settings.door_port, &certificate).await?;
    let private = private_door::address(env).await?;
    let address = SocketAddr::new(private.or(settings.door_ip).unwrap_or(settings.public_ip), door.port());
    let heart = Heart {
        calls: calls.clone(),
        ledger: ledger.clone(),
        control,
        task: task.clone(),
        door: address,
        pin: certificate.pin,
    };
    let mut serving = tokio::spawn(Door::new(calls.clone(), secret).serve(listener));
    let beating = tokio::spawn(heart.beat());
    tracing::info!(task = task.id, door = %address, "Ready for calls");

    tokio::select! {
        () = shutdown::requested() => {}
        ended = &mut serving => anyhow::bail!("the door closed by itself: {ended:?}"),
    }
    leave(calls).await;
    // With the door and the heart goes the last who could note anything: the diary ends once all is written.
    for task in [serving.abort_handle(), beating.abort_handle()] {
        task.abort();
    }
    let _ = tokio::join!(serving, beating);
    if let Err(error) = ledger.give_up_lease(&task.id).await {
        tracing::warn!("The lease will lapse by itself: {error:#}");
    }
    let _ = tokio::time::timeout(LAST_WORDS, writing).await;
    Ok(())
}

async fn listen(
    ip: std::net::IpAddr,
    port: u16,
    certificate: &Certificate,
) -> anyhow::Result<(TlsListener, SocketAddr)> {
    let tcp = TcpListener::bind((ip, port)).await;
    let tcp = tcp.with_context(|| format!("cannot open the door at {ip}:{port} (AHOY_DOOR_PORT)"))?;
    let address = tcp.local_addr()?;
    Ok((TlsListener::new(tcp, certificate)?, address))
}

/// Takes no more calls, lets those that are here go on for a while, and ends what is left.
async fn leave(calls: Arc<Calls>) {
    calls.drain();
    tracing::info!(calls = calls.used(), "Told to leave: no new calls");
    if tokio::time::timeout(LAST_CALLS, calls.emptied()).await.is_err() {
        calls.end_all();
        let _ = tokio::time::timeout(LAST_WORDS, calls.emptied()).await;
    }
}
