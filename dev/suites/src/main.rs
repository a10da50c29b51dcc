//! Runs one suite of calls.

// The futures of a whole suite nest deeper than rustc's 128: suite, call, product, SDK.
#![recursion_limit = "256"]

use clap::Parser;
use harness::command_line::{parse, show};
use local::Binaries;
use std::process::ExitCode;
use suites::chaos::Chaos;
use suites::interop::Interop;
use suites::network::QualitySuite;

#[derive(Debug, Parser)]
#[command(name = "suites", about = "Suites of calls on this machine")]
enum Suite {
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
    /// How speech sounds, and whether calls go on, through real networks: a table and a picture
    Network {
        /// Decides what happens to the calls
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    match parse::<Suite>() {
        Ok(suite) => service::run(suite.name(), || Box::pin(suite.run())).await,
        Err(code) => code,
    }
}

impl Suite {
    /// The name in messages about a failure.
    fn name(&self) -> &'static str {
        match self {
            Self::Chaos { .. } => "chaos",
            Self::Interop { .. } => "interop",
            Self::Network { .. } => "network",
        }
    }

    async fn run(self) -> anyhow::Result<ExitCode> {
        let binaries = Binaries::build().await?;
        match self {
            Self::Chaos { seed, calls } => {
                let accounts = Chaos { seed, calls }.run(&binaries).await?;
                Ok(show(&format!("  seed {seed}\n{accounts}"), accounts.are_settled()))
            }
            Self::Interop { only } => {
                let interop = Interop::run(&binaries, only.as_deref().unwrap_or_default()).await?;
                let code = show(&interop, interop.is_right());
                if only.is_none() {
                    interop.write()?;
                }
                Ok(code)
            }
            Self::Network { seed } => {
                let suite = QualitySuite::run(&binaries, seed).await?;
                Ok(show(&suite, suite.holds()))
            }
        }
    }
}
