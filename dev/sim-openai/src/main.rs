//! Runs the simulated Realtime API by hand: `sim-openai --listen 127.0.0.1:9000 --key sk-test`.

use anyhow::Context;
use clap::Parser;
use sim_openai::sip::WebhookEndpoint;
use sim_openai::{
    Config, ForbiddenParameter, InjectedFault, Observation, ObservationKind, Realtime, Reply, Script, Summary,
};
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tracing::info;
use tracing_subscriber::EnvFilter;

/// OpenAI's Realtime API, simulated on this machine. It answers with recorded sentences, whatever it is asked.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:9000")]
    listen: SocketAddr,
    /// The only API key let in.
    #[arg(long, default_value = "sk-test")]
    key: String,
    /// The only model there is; without it, any.
    #[arg(long)]
    model: Option<String>,
    /// From the end of the caller's speech to the first sound, in milliseconds.
    #[arg(long, default_value_t = 300)]
    thinking: u64,
    /// From a `session.update` to its `session.updated`, in milliseconds.
    #[arg(long, default_value_t = 260)]
    configuring: u64,
    /// How many times faster than speech the sound comes; 0 is at once.
    #[arg(long, default_value_t = 6.0)]
    pace: f64,
    /// What it answers to the caller's turns, one after the other: `agent-answer`; `find_order {"order":"427"} -> agent-order`;
    /// `shop.opening_hours {} = 9 to 6 -> agent-closing`. May be repeated.
    #[arg(long)]
    answer: Vec<Reply>,
    /// A fault to inject, such as `quota-exhausted` or `drops-session:5`.
    #[arg(long = "fault", alias = "mischief", value_name = "NAME")]
    fault: Option<InjectedFault>,
    /// A parameter that the project may not use, such as `audio.input.transcription`. May be given several times.
    #[arg(long, value_name = "PATH")]
    forbids: Vec<ForbiddenParameter>,
    /// The number of first sessions in which the service fails while it is configured.
    #[arg(long, default_value_t = 0)]
    failing_setups: usize,
    /// How long a session lasts, in seconds.
    #[arg(long, default_value_t = 3_600)]
    longest: u64,
    /// Where webhooks of telephone calls go, which `POST /sim/sip/calls` places.
    #[arg(long, value_name = "URL", requires = "webhook_secret")]
    webhook: Option<String>,
    /// What signs them: `whsec_` and base64.
    #[arg(long, value_name = "SECRET")]
    webhook_secret: Option<String>,
    /// Decides whatever is left to chance.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A folder to write each session's events to when it is stopped, as `scripts/conformance.py` reads them.
    #[arg(long)]
    record: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false).init();
    let arguments = Arguments::parse();
    let (address, folder) = (arguments.listen, arguments.record.clone());
    let endpoint = arguments.endpoint();
    let realtime = Realtime::start_at(arguments.into(), address).await?;
    if let Some(endpoint) = endpoint {
        realtime.trunk().add_endpoint(endpoint)?;
    }
    let seen = realtime.subscribe();
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.context("cannot wait for ctrl-c")?,
        printed = print_each(&realtime, seen) => printed.context("cannot print a summary")?,
    }
    if let Some(folder) = folder {
        record(&realtime, &folder)?;
    }
    realtime.stop().await;
    Ok(())
}

/// Prints a summary of each session when it is over.
async fn print_each(realtime: &Realtime, mut seen: Receiver<Observation>) -> std::io::Result<()> {
    loop {
        let session = match seen.recv().await {
            Ok(Observation { kind: ObservationKind::Closed { .. }, session, .. }) => session,
            Ok(_) | Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return std::future::pending().await,
        };
        let report = &realtime.sessions()[session];
        writeln!(std::io::stdout(), "session {session}: {}", Summary(report))?;
    }
}

fn record(realtime: &Realtime, folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (number, session) in realtime.sessions().iter().enumerate() {
        let file = folder.join(format!("realtime-{number}.jsonl"));
        std::fs::write(&file, session.recording_jsonl())
            .with_context(|| format!("cannot write {}", file.display()))?;
        info!(file = %file.display(), "Recorded session {number}, with {} faults", session.violations.len());
    }
    Ok(())
}

fn script(answers: Vec<Reply>) -> Script {
    let usual = Script::about_bikes();
    if answers.is_empty() { usual } else { Script { answers, ..usual } }
}

impl Arguments {
    /// Where webhooks go: on this machine without TLS, elsewhere only with it.
    fn endpoint(&self) -> Option<WebhookEndpoint> {
        let (url, secret) = (self.webhook.as_ref()?, self.webhook_secret.as_ref()?);
        let is_loopback =
            ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"].iter().any(|it| url.starts_with(it));
        let new = if is_loopback { WebhookEndpoint::on_loopback } else { WebhookEndpoint::new };
        Some(new(url, secret))
    }
}

impl From<Arguments> for Config {
    fn from(arguments: Arguments) -> Self {
        Self {
            model: arguments.model,
            thinking: Duration::from_millis(arguments.thinking),
            configuring: Duration::from_millis(arguments.configuring),
            pace: arguments.pace,
            longest: Duration::from_secs(arguments.longest),
            fault: arguments.fault,
            script: script(arguments.answer),
            forbids: arguments.forbids,
            failing_setups: arguments.failing_setups,
            seed: arguments.seed,
            // Run by hand it may stay up for days.
            keeps_everything: arguments.record.is_some(),
            ..Self::new(arguments.key)
        }
    }
}
