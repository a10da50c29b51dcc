//! The life of a media task: boot, be ready, hold calls, drain, leave.

use crate::active_calls::{CallFactory, Calls};
use crate::agent_cache::AgentCache;
use crate::control_api::{Certificate, ControlApi};
use crate::drain_policy::DrainPolicy;
use crate::ecs::Task;
use crate::health::{self, Liveness};
use crate::heartbeat::Heartbeat;
use crate::journal_writer::JournalWriter;
use crate::lateness_meter::LatenessMeter;
use crate::private_address;
use crate::public_address::public_ip;
use crate::settings::{MediaSecret, Settings};
use crate::task_protection::TaskProtection;
use anyhow::Context;
use aws_config::SdkConfig;
use internal_api::lease::HEARTBEAT;
use service::env::Env;
use service::secrets::Secret;
use service::shutdown;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{CallControl, Store};
use tokio::net::TcpListener;
use tokio::time::timeout_at;

/// So long before ECS kills this task the callers who are still there are told, and their calls end: a sentence under way,
/// the goodbye, and call-control's word to Meta.
const TOLD_BEFORE: Duration = Duration::from_secs(20);

/// So long before it calls end without another word, to be reported and written down.
const ENDED_BEFORE: Duration = Duration::from_secs(4);

/// So long before it nothing is waited for any more.
const GONE_BEFORE: Duration = Duration::from_millis(500);

/// What a task has before it can take calls.
struct BootedTask {
    task: Task,
    public_ip: IpAddr,
    config: SdkConfig,
    secret: Secret<MediaSecret>,
}

/// Holds calls until told to stop.
///
/// # Errors
/// What kept it from starting.
pub async fn run(env: &Env) -> anyhow::Result<()> {
    let started_at = Instant::now();
    let _writing_on = service::logs::write_aside();
    let settings = Settings::from_env(env)?;
    let booted = boot(env, &settings).await?;
    let certificate = Certificate::make()?;
    let (listener, bound) = listen(settings.door_ip.unwrap_or(settings.bind_ip), settings.door_port).await?;
    let private = private_address::address(env).await?;
    let health = health::listen(env)?;
    let door_ip = private.or(settings.door_ip).unwrap_or(booted.public_ip);
    let door = SocketAddr::new(door_ip, bound.port());

    let ledger = Store::new(aws_sdk_dynamodb::Client::new(&booted.config), &settings.table);
    let diary = JournalWriter::open(ledger.clone());
    let stop_timeout = settings.stop_timeout;
    let pin = certificate.pin.clone();
    let heart = heart(settings, &booted, ledger.clone(), diary.clone(), door, pin, started_at);
    let (calls, task) = (heart.calls.clone(), booted.task.id);
    let mut serving =
        tokio::spawn(ControlApi::new(calls.clone(), booted.secret).serve(listener, certificate));
    // To the end, and the pulse goes on as long: no health check cuts short what is still to be written.
    let pulse = heart.pulse.clone();
    tokio::spawn(health::answer(health, pulse.clone()));
    let mut beating = tokio::spawn(heart.beat());

    let until = tokio::select! {
        () = shutdown::requested() => stay_for(&calls, stop_timeout).await,
        ended = &mut beating => {
            ended.context("the heart stopped")?;
            Instant::now() + stop_timeout
        }
        ended = &mut serving => anyhow::bail!("the door closed by itself: {ended:?}"),
    };
    // No beat may renew the lease that is given up now.
    for part in [serving.abort_handle(), beating.abort_handle()] {
        part.abort();
    }
    let leaving = pulse.beat_during(take_leave(&ledger, &task, &diary), HEARTBEAT);
    if timeout_at((until - GONE_BEFORE).into(), leaving).await.is_err() {
        let unconcluded = diary.unconcluded();
        tracing::error!(?unconcluded, "This task leaves before all is written: these calls have no summary");
    }
    service::events::flush().await;
    Ok(())
}

/// Everything that must be asked for, at once: the address, who this task is, and the secret.
async fn boot(env: &Env, settings: &Settings) -> anyhow::Result<BootedTask> {
    let asking = async {
        let task = Task::of_process(env).await?;
        let config = service::cloud::config().await;
        let secret = Secret::fetch(&config, &settings.media_secret).await?;
        anyhow::Ok((task, config, secret))
    };
    let (public_ip, asked) = tokio::join!(public_ip(settings), asking);
    let (public_ip, (task, config, secret)) = (public_ip?, asked?);
    Ok(BootedTask { task, public_ip, config, secret })
}

fn heart(
    settings: Settings,
    booted: &BootedTask,
    ledger: Store,
    diary: JournalWriter,
    door: SocketAddr,
    pin: String,
    started_at: Instant,
) -> Heartbeat {
    let task = booted.task.clone();
    let control = CallControl::new(
        aws_sdk_lambda::Client::new(&service::cloud::for_invoking(&booted.config)),
        &settings.call_control,
    );
    // Who leaves by itself belongs to no service: nobody deploys over it or scales it in, and ECS would not protect it.
    let protection = settings.leave_after_idle.is_none().then(|| Arc::new(TaskProtection::of(task.clone())));
    let equipment = CallFactory {
        bind_ip: settings.bind_ip,
        public_ip: booted.public_ip,
        agents: AgentCache::new(settings.agent.clone(), booted.secret.clone()),
        secret: booted.secret.clone(),
        journal: diary,
        store: ledger.clone(),
        control: control.clone(),
        task: task.id.clone(),
        protection: protection.clone(),
        model: settings.model.clone(),
    };
    let load = LatenessMeter::new(Instant::now(), settings.latest_ms);
    Heartbeat {
        calls: Calls::new(settings.slots(task.vcpus), load, equipment),
        tenure: DrainPolicy::new(
            task.id.clone(),
            task.revision.clone(),
            settings.leave_after_idle,
            Instant::now(),
        ),
        ledger,
        control,
        task,
        protection,
        door,
        pin,
        pulse: Liveness::begin(Instant::now()),
        starting: Some(started_at),
    }
}

async fn listen(ip: IpAddr, port: u16) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let tcp = TcpListener::bind((ip, port)).await;
    let tcp = tcp.with_context(|| format!("cannot open the door at {ip}:{port} (AHOY_DOOR_PORT)"))?;
    let address = tcp.local_addr()?;
    Ok((tcp, address))
}

/// Told to leave, takes no more calls, and lets those that are here go on for as long as may be. When ECS kills this task.
async fn stay_for(calls: &Calls, stop_timeout: Duration) -> Instant {
    let until = Instant::now() + stop_timeout;
    calls.drain();
    tracing::info!(calls = calls.used(), "Told to leave: no new calls");
    for before in [TOLD_BEFORE, ENDED_BEFORE] {
        if timeout_at((until - before).into(), calls.emptied()).await.is_ok() {
            return until;
        }
        tracing::info!(calls = calls.used(), "ECS stops this task in {before:?}: its calls end");
        calls.end_all();
    }
    let _ = timeout_at((until - GONE_BEFORE).into(), calls.emptied()).await;
    until
}

/// Takes leave of the registry, and waits until everything is written.
async fn take_leave(ledger: &Store, task: &str, diary: &JournalWriter) {
    if let Err(error) = ledger.give_up_lease(task).await {
        tracing::warn!("The lease will lapse by itself: {error:#}");
    }
    diary.written().await;
}
