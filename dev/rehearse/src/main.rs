//! Rehearses calls, or serves real ones, on this machine.

// The futures of a whole suite nest deeper than rustc's 128: suite, call, product, SDK.
#![recursion_limit = "256"]

use bench::load::{self, LoadBench, Soak};
use bench::{Floor, ReadyBench, TurnsBench, WebhookBench};
use clap::{Parser, Subcommand};
use harness::{InjectedFault, TestbedConfig, saved_calls};
use local::{Binaries, root, serve};
use service::env::Env;
use std::ffi::OsString;
use std::fmt::Display;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use suites::chaos::Chaos;
use suites::interop::Interop;
use suites::network::QualitySuite;
use tracing_subscriber::EnvFilter;

#[derive(Debug, Parser)]
#[command(name = "rehearse", about = "Rehearse calls, or serve real ones, on this machine")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// One simulated call through the whole product: no accounts, no keys, no network
    Call {
        /// End with one JSON line instead of a summary
        #[arg(long)]
        json: bool,
        /// A fault to inject
        #[arg(long = "fault", alias = "mischief", value_name = "NAME")]
        fault: Option<InjectedFault>,
        /// Where recordings and logs go
        #[arg(long, value_name = "FOLDER")]
        out: Option<PathBuf>,
        /// Programs to rehearse with instead of this build's, by their names: those that are shipped, say
        #[arg(long, value_name = "FOLDER")]
        artefacts: Option<PathBuf>,
    },
    /// How soon a media task is ready for calls: a table
    BenchReady {
        /// Programs to measure instead of this build's, by their names
        #[arg(long, value_name = "FOLDER")]
        artefacts: Option<PathBuf>,
    },
    /// Many calls at once while everything goes wrong that can
    Chaos {
        /// Decides what goes wrong
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How many calls
        #[arg(long, default_value_t = 200)]
        calls: u32,
    },
    /// Third-party callers, each with its own offer: a table, also in docs/bench
    Interop {
        /// Only the callers whose name contains this, such as `aiortc, own, IPv4`; then nothing is written
        #[arg(long)]
        only: Option<String>,
    },
    /// How fast the webhook is: a table
    BenchWebhook {
        /// Programs to measure instead of this build's, by their names
        #[arg(long, value_name = "FOLDER")]
        artefacts: Option<PathBuf>,
    },
    /// How fast the conversation is: a table
    BenchTurns {
        /// A figure is the median of so many calls; 1 tries the bench with its first call alone
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..))]
        calls: u8,
    },
    /// What the traffic of a call costs by itself: a table
    Floor,
    /// What the media task costs, from one call to many: a table, and files in docs/bench
    Bench {
        /// Numbers of calls at once
        #[arg(long, value_delimiter = ',', default_value = "1,10,50,100,150")]
        calls: Vec<usize>,
        /// A figure is the median of so many windows
        #[arg(long, default_value_t = 5)]
        windows: usize,
        /// How long a window is
        #[arg(long, default_value_t = 10)]
        seconds: u64,
        /// Where the files go; without it nothing is written
        #[arg(long, value_name = "FOLDER")]
        out: Option<PathBuf>,
    },
    /// Thousands of calls in a row, and what they leave behind
    Soak {
        /// How many calls
        #[arg(long, default_value_t = 2_000)]
        calls: usize,
    },
    /// How speech sounds, and whether calls go on, through real networks: a table and a picture
    Network {
        /// Decides what befalls the calls
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// The `ahoy` command on what `rehearse call` has left
    Ahoy {
        /// Where the call's recordings went
        #[arg(long, value_name = "FOLDER", default_value = "target/rehearsal")]
        out: PathBuf,
        /// Arguments of `ahoy`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// The product alone, for your own callers: settings come from the environment
    Serve,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { service::WRONG_SETTINGS } else { 0 });
        }
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,dynoxide=error"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    service::run(arguments.command.name(), || Box::pin(arguments.command.run())).await
}

impl Command {
    /// The name in messages about a failure.
    fn name(&self) -> &'static str {
        match self {
            Self::Call { .. } => "rehearse",
            Self::BenchReady { .. }
            | Self::BenchWebhook { .. }
            | Self::BenchTurns { .. }
            | Self::Bench { .. } => "bench",
            Self::Chaos { .. } => "chaos",
            Self::Interop { .. } => "interop",
            Self::Floor => "floor",
            Self::Soak { .. } => "soak",
            Self::Network { .. } => "network",
            Self::Ahoy { .. } => "ahoy",
            Self::Serve => "serve",
        }
    }

    async fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Call { json, fault, out, artefacts } => call(fault, out, json, artefacts).await,
            Self::BenchReady { artefacts } => {
                let bench = ReadyBench::run(&programs(artefacts).await?).await?;
                Ok(show(&bench, bench.holds()))
            }
            Self::Chaos { seed, calls } => {
                let accounts = Chaos { seed, calls }.run(&Binaries::build().await?).await?;
                Ok(show(&format!("  seed {seed}\n{accounts}"), accounts.are_settled()))
            }
            Self::Interop { only } => {
                let interop =
                    Interop::run(&Binaries::build().await?, only.as_deref().unwrap_or_default()).await?;
                let code = show(&interop, interop.is_right());
                if only.is_none() {
                    interop.write()?;
                }
                Ok(code)
            }
            Self::BenchWebhook { artefacts } => {
                let bench = WebhookBench::run(&programs(artefacts).await?).await?;
                Ok(judge(&bench, bench.holds()))
            }
            Self::BenchTurns { calls } => {
                let bench = TurnsBench::run(&Binaries::build().await?, calls.into()).await?;
                Ok(judge(&bench, bench.holds()))
            }
            Self::Floor => Ok(show(&Floor::measure()?, true)),
            Self::Bench { calls, windows, seconds, out } => {
                let binaries = Binaries::build().await?;
                load::leave_a_core_to_the_task()?;
                let bench = LoadBench { calls, windows, length: Duration::from_secs(seconds) };
                let table = bench.run(&binaries).await?;
                let code = judge(&table, table.missed().is_empty());
                if let Some(folder) = out {
                    table.write(&folder)?;
                }
                Ok(code)
            }
            Self::Soak { calls } => {
                let binaries = Binaries::build().await?;
                load::leave_a_core_to_the_task()?;
                let soaked = Soak { calls }.run(&binaries).await?;
                // What is left behind is no limit of speed: it is judged in any build.
                Ok(show(&soaked, soaked.left_behind().is_empty()))
            }
            Self::Network { seed } => {
                let suite = QualitySuite::run(&Binaries::build().await?, seed).await?;
                Ok(show(&suite, suite.holds()))
            }
            Self::Ahoy { out, arguments } => {
                saved_calls::ahoy(&out, &arguments, &Binaries::build().await?).await
            }
            Self::Serve => {
                serve::serve(&Env::of_process()).await?;
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

#[allow(clippy::print_stdout, reason = "this is what the command is for")]
async fn call(
    fault: Option<InjectedFault>,
    folder: Option<PathBuf>,
    json: bool,
    artefacts: Option<PathBuf>,
) -> anyhow::Result<ExitCode> {
    let is_where_ahoy_looks = folder.is_none();
    let mut config = TestbedConfig::rehearsal(folder.unwrap_or_else(|| root().join("target/rehearsal")));
    if let Some(fault) = fault {
        config.inject(fault);
    }
    let outcome = config.rehearse(&programs(artefacts).await?).await?;
    if json {
        return Ok(show(&outcome.to_json(), outcome.is_right()));
    }
    let code = show(&outcome, outcome.is_right());
    if is_where_ahoy_looks {
        println!("Look at it: make ahoy ARGS=calls");
    }
    Ok(code)
}

/// The programs in a folder, or this build's.
async fn programs(artefacts: Option<PathBuf>) -> anyhow::Result<Binaries> {
    match artefacts {
        Some(folder) => Binaries::in_folder(std::path::absolute(folder)?),
        None => Binaries::build().await,
    }
}

/// Prints a result; the exit code says whether it is right.
#[allow(clippy::print_stdout, reason = "this is what the command is for")]
fn show(result: &impl Display, is_right: bool) -> ExitCode {
    println!("{result}");
    if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints the result of a bench. An unoptimised build keeps no limit, and is there to try the bench.
#[allow(clippy::print_stdout, reason = "a line under the bench's table")]
fn judge(result: &impl Display, holds: bool) -> ExitCode {
    let code = show(result, holds || cfg!(debug_assertions));
    if cfg!(debug_assertions) {
        println!("An unoptimised build: the limits are shown, not judged.");
    }
    code
}
