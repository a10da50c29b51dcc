//! Runs one bench.

// The futures of a whole bench nest deeper than rustc's 128: bench, call, product, SDK.
#![recursion_limit = "256"]

use bench::load::{self, LoadBench, Soak};
use bench::{Floor, ReadyBench, TurnsBench, WebhookBench};
use clap::Parser;
use harness::command_line::{judge, parse, programs, show};
use local::Binaries;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

#[derive(Debug, Parser)]
#[command(name = "bench", about = "Benches of the product on this machine")]
enum Bench {
    /// What the media task costs, from one call to many: a table, and files in docs/bench
    Load {
        /// Numbers of calls at once
        #[arg(long, value_delimiter = ',', default_value = "1,10,50,100,150")]
        calls: Vec<usize>,
        /// The number of windows whose median is a figure
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
    /// What the traffic of a call costs by itself: a table
    Floor,
    /// How fast the webhook is, and decisions on the SIP line: a table, and a file in docs/bench
    Webhook {
        /// Programs to measure instead of this build's, by their names
        #[arg(long, value_name = "FOLDER")]
        artefacts: Option<PathBuf>,
        /// Where the file goes; without it nothing is written
        #[arg(long, value_name = "FOLDER")]
        out: Option<PathBuf>,
    },
    /// How fast the conversation is: a table
    Turns {
        /// The number of calls whose median is a figure; 1 tries the bench with its first call alone
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..))]
        calls: u8,
    },
    /// How soon a media task is ready for calls: a table
    Ready {
        /// Programs to measure instead of this build's, by their names
        #[arg(long, value_name = "FOLDER")]
        artefacts: Option<PathBuf>,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    match parse::<Bench>() {
        Ok(bench) => service::run("bench", || Box::pin(bench.run())).await,
        Err(code) => code,
    }
}

impl Bench {
    async fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Load { calls, windows, seconds, out } => {
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
            Self::Floor => Ok(show(&Floor::measure()?, true)),
            Self::Webhook { artefacts, out } => {
                let bench = WebhookBench::run(&programs(artefacts).await?).await?;
                let code = judge(&bench, bench.holds());
                if let Some(folder) = out {
                    bench.write(&folder)?;
                }
                Ok(code)
            }
            Self::Turns { calls } => {
                let bench = TurnsBench::run(&Binaries::build().await?, calls.into()).await?;
                Ok(judge(&bench, bench.holds()))
            }
            Self::Ready { artefacts } => {
                let bench = ReadyBench::run(&programs(artefacts).await?).await?;
                Ok(show(&bench, bench.holds()))
            }
        }
    }
}
