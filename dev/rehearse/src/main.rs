//! Rehearses calls, or serves real ones, on this machine.

use clap::{Parser, Subcommand};
use rehearse::bench::{TurnsBench, WebhookBench};
use rehearse::binaries::Binaries;
use rehearse::call::Mischief;
use rehearse::chaos::Chaos;
use rehearse::quality::QualitySuite;
use rehearse::{Rehearsal, serve};
use service::env::Env;
use std::path::PathBuf;
use std::process::ExitCode;
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
        /// What goes wrong on purpose
        #[arg(long, value_name = "NAME")]
        mischief: Option<Mischief>,
        /// Where recordings and logs go
        #[arg(long, value_name = "FOLDER")]
        out: Option<PathBuf>,
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
    /// How fast the webhook is: a table
    BenchWebhook,
    /// How fast the conversation is: a table
    BenchTurns,
    /// How speech sounds, and whether calls go on, through real networks: a table and a picture
    Network {
        /// Decides what befalls the calls
        #[arg(long, default_value_t = 1)]
        seed: u64,
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
        Command::Call { json, mischief, out } => {
            let rehearsal = Rehearsal { mischief, folder: out, ..Rehearsal::default() };
            service::run("rehearse", || call(rehearsal, json)).await
        }
        Command::Chaos { seed, calls } => service::run("chaos", || chaos(Chaos { seed, calls })).await,
        Command::BenchWebhook => service::run("bench", bench_webhook).await,
        Command::BenchTurns => service::run("bench", bench_turns).await,
        Command::Network { seed } => service::run("network", || network(seed)).await,
        Command::Serve => service::run("serve", || async { serve::serve(&Env::of_process()).await }).await,
    }
}

#[allow(clippy::print_stdout, reason = "this is what the command is for")]
async fn call(rehearsal: Rehearsal, json: bool) -> anyhow::Result<ExitCode> {
    let outcome = rehearsal.run(&Binaries::build().await?).await?;
    if json {
        println!("{}", outcome.to_json());
    } else {
        println!("{outcome}");
    }
    Ok(if outcome.is_right() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[allow(clippy::print_stdout, reason = "this is what the command is for")]
async fn bench_webhook() -> anyhow::Result<ExitCode> {
    let bench = WebhookBench::run(&Binaries::build().await?).await?;
    println!("{bench}");
    Ok(if bench.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[allow(clippy::print_stdout, reason = "this is what the command is for")]
async fn bench_turns() -> anyhow::Result<ExitCode> {
    let bench = TurnsBench::run(&Binaries::build().await?).await?;
    println!("{bench}");
    Ok(if bench.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
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
