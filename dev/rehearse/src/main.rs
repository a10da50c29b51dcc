//! Rehearses a call on this machine, and looks at calls that were rehearsed.

// The futures of a whole call nest deeper than rustc's 128: call, product, SDK.
#![recursion_limit = "256"]

use clap::{Parser, Subcommand};
use harness::command_line::{parse, programs, show};
use harness::{InjectedFault, TelephoneCall, TestbedConfig, saved_calls};
use local::{Binaries, root};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, Parser)]
#[command(name = "rehearse", about = "Rehearse calls on this machine")]
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
        /// The line that the call comes in on: whatsapp or sip
        #[arg(long, value_name = "LINE", default_value = "whatsapp", value_parser = ["whatsapp", "sip"])]
        line: String,
        /// Has the agent transfer the call: with --line sip alone
        #[arg(long)]
        transfer: bool,
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
    /// The `ahoy` command on what `rehearse call` has left
    Ahoy {
        /// Where the call's recordings went
        #[arg(long, value_name = "FOLDER", default_value = "target/rehearsal")]
        out: PathBuf,
        /// Arguments of `ahoy`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    match parse::<Arguments>() {
        Ok(Arguments { command }) => service::run(command.name(), || Box::pin(command.run())).await,
        Err(code) => code,
    }
}

impl Command {
    fn name(&self) -> &'static str {
        match self {
            Self::Call { .. } => "rehearse",
            Self::Ahoy { .. } => "ahoy",
        }
    }

    async fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Call { json, line, transfer, fault, out, artefacts } => {
                call(telephone_call(&line, transfer)?, fault, out, json, artefacts).await
            }
            Self::Ahoy { out, arguments } => {
                saved_calls::ahoy(&out, &arguments, &Binaries::build().await?).await
            }
        }
    }
}

/// Returns what a telephone call is about; `None` for a WhatsApp call, which no agent transfers.
fn telephone_call(line: &str, transfer: bool) -> anyhow::Result<Option<TelephoneCall>> {
    match (line, transfer) {
        ("sip", true) => Ok(Some(TelephoneCall::Transfer)),
        ("sip", false) => Ok(Some(TelephoneCall::Conversation)),
        (_, true) => anyhow::bail!("--transfer needs --line sip: no agent transfers a WhatsApp call"),
        (_, false) => Ok(None),
    }
}

#[allow(clippy::print_stdout, reason = "this is what the command is for")]
async fn call(
    telephone: Option<TelephoneCall>,
    fault: Option<InjectedFault>,
    folder: Option<PathBuf>,
    json: bool,
    artefacts: Option<PathBuf>,
) -> anyhow::Result<ExitCode> {
    let is_where_ahoy_looks = folder.is_none();
    let folder = folder.unwrap_or_else(|| root().join("target/rehearsal"));
    let mut config = match telephone {
        Some(about) => TestbedConfig::telephone_rehearsal(folder, about),
        None => TestbedConfig::rehearsal(folder).knowing_callers().extracting(),
    };
    if let Some(fault) = fault {
        config.inject(fault);
    }
    let programs = programs(artefacts).await?;
    let outcome = match telephone {
        Some(about) => config.rehearse_telephone(about, &programs).await?,
        None => config.rehearse(&programs).await?,
    };
    if json {
        return Ok(show(&outcome.to_json(), outcome.is_right()));
    }
    let code = show(&outcome, outcome.is_right());
    if is_where_ahoy_looks {
        println!("Look at it: make ahoy ARGS=calls");
    }
    Ok(code)
}
