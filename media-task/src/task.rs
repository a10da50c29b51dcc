//! The life of a media task: boot, hold calls, drain at SIGTERM, exit.

use crate::active_calls::{CallFactory, Calls, Slots};
use crate::agent_cache::AgentCache;
use crate::agent_side::Services;
use crate::call_agent::Agents;
use crate::control_api::{self, Certificate};
use crate::journal_writer::JournalWriter;
use crate::lateness_meter::LatenessMeter;
use crate::lifecycle::drain_policy::DrainPolicy;
use crate::lifecycle::ecs::Task;
use crate::lifecycle::health::{self, Liveness};
use crate::lifecycle::heartbeat::Heartbeat;
use crate::lifecycle::private_address;
use crate::lifecycle::public_address::public_ip;
use crate::lifecycle::task_protection::TaskProtection;
use crate::settings::{MediaSecret, Settings};
use anyhow::Context;
use aws_config::SdkConfig;
use call::TaskId;
use internal_api::client::{CallControl, Outbox};
use operator_http::OperatorHttp;
use service::env::Env;
use service::secrets::Secret;
use service::shutdown;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::Store;
use store::lease::HEARTBEAT;
use tokio::net::TcpListener;
use tokio::time::timeout_at;

/// How long before ECS kills this task the agents say goodbye and the remaining calls end: time for the sentence under way, the
/// goodbye, and call-control's request to Meta.
const GOODBYE_BEFORE_KILL: Duration = Duration::from_secs(20);

/// How long before the kill calls end without another word, so that their ends are reported and their summaries written.
const END_BEFORE_KILL: Duration = Duration::from_secs(4);

/// How long before the kill the process exits, whatever is left to write.
const EXIT_BEFORE_KILL: Duration = Duration::from_millis(500);

/// What a task has before it can take calls.
struct BootedTask {
    task: Task,
    public_ip: IpAddr,
    config: SdkConfig,
    secret: Secret<MediaSecret>,
}

/// Runs the media task until shutdown is requested or the drain policy ends it.
///
/// # Errors
/// When the task cannot start: a setting or the secret is missing, or the control API's port is taken. Later, when the heartbeat or
/// the control API panics.
pub async fn run(env: &Env) -> anyhow::Result<()> {
    let started_at = Instant::now();
    let _log_flusher = service::logs::write_in_background();
    let settings = Settings::from_env(env)?;
    let booted = boot(env, &settings).await?;
    let certificate = Certificate::make()?;
    let (listener, bound) =
        bind(settings.control_api_ip.unwrap_or(settings.bind_ip), settings.control_api_port).await?;
    let private = private_address::address(env).await?;
    let health = health::listen(env)?;
    let control_api_ip = private.or(settings.control_api_ip).unwrap_or(booted.public_ip);
    let address = SocketAddr::new(control_api_ip, bound.port());

    let store = Store::new(aws_sdk_dynamodb::Client::new(&booted.config), &settings.table);
    let journal_writer = JournalWriter::open(store.clone());
    let stop_timeout = settings.stop_timeout;
    let pin = certificate.pin.clone();
    let heartbeat =
        heartbeat(settings, &booted, store.clone(), journal_writer.clone(), address, pin, started_at);
    let (calls, task) = (heartbeat.calls.clone(), booted.task.id);
    let mut serving = tokio::spawn(control_api::serve(calls.clone(), booted.secret, listener, certificate));
    // Answered until the process exits, with heartbeats all the while: no health check may cut short what is still to be written.
    let liveness = heartbeat.liveness.clone();
    tokio::spawn(health::answer(health, liveness.clone()));
    let mut beating = tokio::spawn(heartbeat.run());

    let killed_at = tokio::select! {
        () = shutdown::requested() => drain(&calls, stop_timeout).await,
        ended = &mut beating => {
            ended.context("the heartbeat panicked")?;
            Instant::now() + stop_timeout
        }
        ended = &mut serving => anyhow::bail!("the control API stopped: {ended:?}"),
    };
    // No heartbeat may renew the lease that is given up now.
    for part in [serving.abort_handle(), beating.abort_handle()] {
        part.abort();
    }
    let leaving = liveness.keep_alive_during(deregister(&store, &task, &journal_writer), HEARTBEAT);
    if timeout_at((killed_at - EXIT_BEFORE_KILL).into(), leaving).await.is_err() {
        let unconcluded = journal_writer.calls_without_summary();
        tracing::error!(?unconcluded, "task exits before all writes are done: these calls have no summary");
    }
    service::events::flush().await;
    Ok(())
}

/// Fetches everything the task needs from elsewhere at once: its address, its identity and the secret.
async fn boot(env: &Env, settings: &Settings) -> anyhow::Result<BootedTask> {
    let fetching = async {
        let task = Task::fetch(env).await?;
        let config = service::cloud::config().await;
        let secret = Secret::fetch(&config, &settings.media_secret).await?;
        anyhow::Ok((task, config, secret))
    };
    let (public_ip, fetched) = tokio::join!(public_ip(settings), fetching);
    let (public_ip, (task, config, secret)) = (public_ip?, fetched?);
    Ok(BootedTask { task, public_ip, config, secret })
}

fn heartbeat(
    settings: Settings,
    booted: &BootedTask,
    store: Store,
    journal_writer: JournalWriter,
    control_api: SocketAddr,
    pin: String,
    started_at: Instant,
) -> Heartbeat {
    let task = booted.task.clone();
    let lambda = aws_sdk_lambda::Client::new(&service::cloud::for_invoking(&booted.config));
    let outbox = settings.outbox.as_ref().map(|function| Outbox::new(lambda.clone(), function));
    let call_control = CallControl::new(lambda, &settings.call_control);
    // A task that exits when idle belongs to no service: no deployment or scale-in stops it, and ECS would not protect it.
    let protection = settings.leave_after_idle.is_none().then(|| Arc::new(TaskProtection::new(task.clone())));
    let factory = CallFactory {
        bind_ip: settings.bind_ip,
        public_ip: booted.public_ip,
        agents: Arc::new(Agents {
            cache: AgentCache::new(settings.agent.clone(), booted.secret.clone()),
            model: settings.model.clone(),
            secret: booted.secret.clone(),
        }),
        task: task.id.clone(),
        services: Services {
            secret: booted.secret.clone(),
            journal: journal_writer,
            store: store.clone(),
            control: call_control.clone(),
            outbox,
            http: operator_http(),
            protection: protection.clone(),
        },
    };
    let slots = Slots { whatsapp: settings.slots(task.vcpus), sip: settings.sip_slots() };
    let lateness = LatenessMeter::new(Instant::now(), settings.overload_ms);
    Heartbeat {
        calls: Calls::new(slots, lateness, factory),
        drain_policy: DrainPolicy::new(
            task.id.clone(),
            task.revision.clone(),
            settings.leave_after_idle,
            Instant::now(),
        ),
        store,
        call_control,
        task,
        protection,
        control_api,
        pin,
        liveness: Liveness::new(Instant::now()),
        starting: Some(started_at),
    }
}

/// Returns the client of requests to businesses. Without one calls are answered all the same, and their lookups fail.
fn operator_http() -> Option<OperatorHttp> {
    OperatorHttp::new()
        .inspect_err(|error| tracing::error!("TLS cannot be configured for lookups: each fails: {error}"))
        .ok()
}

async fn bind(ip: IpAddr, port: u16) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let tcp = TcpListener::bind((ip, port)).await;
    let tcp = tcp.with_context(|| format!("cannot bind the control API to {ip}:{port} (AHOY_DOOR_PORT)"))?;
    let address = tcp.local_addr()?;
    Ok((tcp, address))
}

/// Drains: takes no more calls, and lets the others go on until shortly before ECS kills this task. Returns when that is.
async fn drain(calls: &Calls, stop_timeout: Duration) -> Instant {
    let killed_at = Instant::now() + stop_timeout;
    calls.drain();
    tracing::info!(calls = calls.used(), "shutdown requested: draining, no new calls");
    for before in [GOODBYE_BEFORE_KILL, END_BEFORE_KILL] {
        if timeout_at((killed_at - before).into(), calls.emptied()).await.is_ok() {
            return killed_at;
        }
        tracing::info!(calls = calls.used(), "ECS kills this task in {before:?}: ending its calls");
        calls.end_all();
    }
    let _ = timeout_at((killed_at - EXIT_BEFORE_KILL).into(), calls.emptied()).await;
    killed_at
}

/// Gives up the lease, and waits until everything is written.
async fn deregister(store: &Store, task: &TaskId, journal_writer: &JournalWriter) {
    if let Err(error) = store.delete_lease(task).await {
        tracing::warn!(%task, "giving up the lease failed; it expires by itself: {error:#}");
    }
    journal_writer.flush().await;
}
