//! Runs a cloud by hand: prints what a shell needs to use it, and stays until interrupted.

use anyhow::{Context, bail};
use clap::Parser;
use sim_aws::{Cloud, CloudConfig, Function, Logs, Service};
use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// AWS on loopback, for rehearsal.
#[derive(Debug, Parser)]
struct Arguments {
    /// The CloudFormation template whose tables to create.
    #[arg(long, default_value = "template.yaml")]
    template: PathBuf,
    /// A Lambda function, `name=path/to/program`. May be repeated.
    #[arg(long)]
    function: Vec<Pair>,
    /// How many seconds an invocation may take.
    #[arg(long, default_value_t = 10)]
    timeout: u64,
    /// An ECS service of one task, `name=path/to/program`. May be repeated.
    #[arg(long)]
    service: Vec<Pair>,
    /// A secret, `id=value`. May be repeated.
    #[arg(long)]
    secret: Vec<Pair>,
    /// A setting of every function and task, `NAME=value`. May be repeated.
    #[arg(long)]
    env: Vec<Pair>,
    /// One more URL for a function, `name=127.0.0.1:8080`. May be repeated.
    #[arg(long)]
    listen: Vec<Pair>,
    /// The directory for the children's logs; without it they go to stderr.
    #[arg(long)]
    logs: Option<PathBuf>,
}

/// What a program exits with when it got wrong arguments (`EX_USAGE`).
const WRONGLY_USED: u8 = 64;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    match rehearse(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error:#}");
            ExitCode::from(WRONGLY_USED)
        }
    }
}

async fn rehearse(arguments: Arguments) -> anyhow::Result<()> {
    let cloud = Cloud::start(arguments.config()).await?;
    for Pair(function, address) in &arguments.listen {
        let address: SocketAddr = address.parse().with_context(|| format!("{address} is no address"))?;
        cloud.listen_at(function, address).await?;
    }
    describe(&cloud, &arguments).context("cannot print")?;
    interrupted().await?;
    cloud.stop().await;
    Ok(())
}

impl Arguments {
    fn config(&self) -> CloudConfig {
        let env: BTreeMap<_, _> = self.env.iter().cloned().map(Pair::into).collect();
        let timeout = Duration::from_secs(self.timeout);
        let function =
            |Pair(name, binary): &Pair| Function { timeout, env: env.clone(), ..Function::new(name, binary) };
        let service = |Pair(name, binary): &Pair| Service {
            desired: 1,
            env: env.clone(),
            ..Service::new(name, binary)
        };
        CloudConfig {
            functions: self.function.iter().map(function).collect(),
            services: self.service.iter().map(service).collect(),
            secrets: self.secret.iter().cloned().map(Pair::into).collect(),
            logs: self.logs.clone().map_or(Logs::Inherited, Logs::Files),
            ..CloudConfig::new(&self.template)
        }
    }
}

/// Lines that a shell can take in: settings to export, the rest as comments.
fn describe(cloud: &Cloud, arguments: &Arguments) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for (name, value) in cloud.environment() {
        writeln!(out, "export {name}={value}")?;
    }
    for Pair(name, _) in &arguments.function {
        writeln!(out, "# function {name}: {}", cloud.function_url(name))?;
    }
    for task in cloud.tasks() {
        writeln!(out, "# task {}: {}", task.family, task.arn)?;
    }
    Ok(())
}

async fn interrupted() -> std::io::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminated.recv() => Ok(()),
    }
}

/// `name=value`
#[derive(Debug, Clone)]
struct Pair(String, String);

impl FromStr for Pair {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((name, value)) => Ok(Self(name.to_owned(), value.to_owned())),
            None => bail!("{text} is not of the form name=value"),
        }
    }
}

impl From<Pair> for (String, String) {
    fn from(Pair(name, value): Pair) -> Self {
        (name, value)
    }
}
