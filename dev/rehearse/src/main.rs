//! Rehearses calls, or serves real ones, on this machine.

use clap::{Parser, Subcommand};
use rehearse::bench::{Floor, ReadyBench, TurnsBench, WebhookBench};
use rehearse::binaries::Binaries;
use rehearse::call::InjectedFault;
use rehearse::chaos::Chaos;
use rehearse::interop::Interop;
use rehearse::load::{self, LoadBench, Soak};
use rehearse::quality::QualitySuite;
use rehearse::saved_calls;
use rehearse::{Rehearsal, serve};
use service::env::Env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
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
    /// Callers of other make, each with its own offer: a table, also in docs/bench
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
        /// What `ahoy` is told
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
    match arguments.command {
        Command::Call { json, fault, out, artefacts } => {
            let rehearsal = Rehearsal { fault, folder: out, ..Rehearsal::default() };
            service::run("rehearse", || call(rehearsal, json, artefacts)).await
        }
        Command::BenchReady { artefacts } => service::run("bench", || bench_ready(artefacts)).await,
        Command::Chaos { seed, calls } => service::run("chaos", || chaos(Chaos { seed, calls })).await,
        Command::Interop { only } => service::run("interop", || interop(only)).await,
        Command::BenchWebhook { artefacts } => service::run("bench", || bench_webhook(artefacts)).await,
        Command::BenchTurns { calls } => service::run("bench", || bench_turns(calls.into())).await,
        Command::Floor => service::run("floor", || async { floor() }).await,
        Command::Bench { calls, windows, seconds, out } => {
            let bench = LoadBench { calls, windows, length: Duration::from_secs(seconds) };
            service::run("bench", || bench_load(bench, out)).await
        }
        Command::Soak { calls } => service::run("soak", || soak(Soak { calls })).await,
        Command::Network { seed } => service::run("network", || network(seed)).await,
        Command::Ahoy { out, arguments } => {
            service::run("ahoy", || async move {
                saved_calls::ahoy(&out, &arguments, &Binaries::build().await?).await
            })
            .await
        }
        Command::Serve => service::run("serve", || async { serve::serve(&Env::of_process()).await }).await,
    }
}

#[allow(clippy::print_stdout, reason = "this is what the command is for")]
async fn call(rehearsal: Rehearsal, json: bool, artefacts: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let is_where_ahoy_looks = rehearsal.folder.is_none();
    let outcome = rehearsal.run(&programs(artefacts).await?).await?;
    if json {
        println!("{}", outcome.to_json());
    } else {
        println!("{outcome}");
        if is_where_ahoy_looks {
            println!("Look at it: make ahoy ARGS=calls");
        }
    }
    Ok(if outcome.is_right() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[allow(clippy::print_stdout, reason = "this is what the command is for")]
async fn bench_ready(artefacts: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let bench = ReadyBench::run(&programs(artefacts).await?).await?;
    println!("{bench}");
    Ok(if bench.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Those in a folder, or this build's.
async fn programs(artefacts: Option<PathBuf>) -> anyhow::Result<Binaries> {
    match artefacts {
        Some(folder) => Binaries::in_folder(std::path::absolute(folder)?),
        None => Binaries::build().await,
    }
}

#[allow(clippy::print_stdout, reason = "this is what the command is for")]
async fn interop(only: Option<String>) -> anyhow::Result<ExitCode> {
    let interop = Interop::run(&Binaries::build().await?, only.as_deref().unwrap_or_default()).await?;
    println!("{interop}");
    if only.is_none() {
        interop.write()?;
    }
    Ok(if interop.is_right() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[allow(clippy::print_stdout, reason = "this is what the command is for")]
async fn bench_webhook(artefacts: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let bench = WebhookBench::run(&programs(artefacts).await?).await?;
    println!("{bench}");
    Ok(judged(bench.holds()))
}

#[allow(clippy::print_stdout, reason = "this is what the command is for")]
async fn bench_turns(calls: usize) -> anyhow::Result<ExitCode> {
    let bench = TurnsBench::run(&Binaries::build().await?, calls).await?;
    println!("{bench}");
    Ok(judged(bench.holds()))
}

/// The exit code of a bench. An unoptimised build keeps no limit, and is there to try the bench.
#[allow(clippy::print_stdout, reason = "a line under the bench's table")]
fn judged(holds: bool) -> ExitCode {
    if cfg!(debug_assertions) {
        println!("An unoptimised build: the limits are shown, not judged.");
    }
    if holds || cfg!(debug_assertions) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[allow(clippy::print_stdout, reason = "this is what the command is for")]
fn floor() -> anyhow::Result<ExitCode> {
    println!("{}", Floor::measure()?);
    Ok(ExitCode::SUCCESS)
}

#[allow(clippy::print_stdout, reason = "this is what the command is for")]
async fn bench_load(bench: LoadBench, out: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let binaries = Binaries::build().await?;
    load::leave_a_core_to_the_task()?;
    let table = bench.run(&binaries).await?;
    println!("{table}");
    if let Some(folder) = out {
        table.write(&folder)?;
    }
    Ok(judged(table.missed().is_empty()))
}

#[allow(clippy::print_stdout, reason = "this is what the command is for")]
async fn soak(soak: Soak) -> anyhow::Result<ExitCode> {
    let binaries = Binaries::build().await?;
    load::leave_a_core_to_the_task()?;
    let soaked = soak.run(&binaries).await?;
    println!("{soaked}");
    // What is left behind is no limit of speed: it is judged in any build.
    Ok(if soaked.left_behind().is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[allow(clippy::print_stdout, reason = "this is what the command is for")]
async fn network(seed: u64) -> anyhow::Result<ExitCode> {
    let suite = QualitySuite::run(&Binaries::build().await?, seed).await?;
    println!("{suite}");
    Ok(if suite.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[allow(clippy::print_stdout, reason = "this is what the command is for")]
async fn chaos(chaos: Chaos) -> anyhow::Result<ExitCode> {
    let accounts = chaos.run(&Binaries::build().await?).await?;
    println!("  seed {}\n{accounts}", chaos.seed);
    Ok(if accounts.are_settled() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
