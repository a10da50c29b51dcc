//! The `ahoy` command: what an operator does with a deployment, from a terminal.
//!
//! One file a command, under `commands/`. A command says what it did with `say`, as text or as JSON, and gives back an exit code.

mod ask;
mod cloud;
mod commands;
mod figures;
mod file;
mod known;
mod meta;
mod page;
mod person;
mod say;
mod search;
mod seen;
mod site;
mod sweep;
mod traces;
mod whole;

use clap::{Args, Parser};
use commands::Command;
use std::ffi::OsString;
use std::process::ExitCode;

/// Answers WhatsApp calls with an AI voice agent, on your own AWS account.
#[derive(Debug, Parser)]
#[command(name = "ahoy", version, about)]
struct Ahoy {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What every command can be told.
#[derive(Debug, Args)]
struct Common {
    /// The deployment's stack, `ahoy` without it. What belongs to it is named after it, unless another name is given.
    #[arg(long, global = true, env = "AHOY_STACK", value_name = "STACK")]
    stack: Option<String>,
    /// The deployment's DynamoDB table. Without it, the one that is named after the stack.
    #[arg(long, global = true, env = "TABLE")]
    table: Option<String>,
    /// Say it in JSON.
    #[arg(long, global = true)]
    json: bool,
}

impl Common {
    /// The stack, if one is named: an empty variable names none.
    fn stack(&self) -> Option<&str> {
        given(self.stack.as_ref())
    }

    /// The table.
    fn table(&self) -> String {
        self.named(self.table.as_ref(), "")
    }

    /// What is given, else the stack's name and this.
    fn named(&self, name: Option<&String>, after_stack: &str) -> String {
        let of_stack = || format!("{}{after_stack}", self.stack().unwrap_or("ahoy"));
        given(name).map_or_else(of_stack, str::to_owned)
    }
}

/// An empty name is none.
fn given(name: Option<&String>) -> Option<&str> {
    name.map(String::as_str).filter(|name| !name.is_empty())
}

/// Does what a command line asks. Its exit code: 0 when it is done, 1 when it failed, 64 when it was not understood.
pub async fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let ahoy = match Ahoy::try_parse_from(arguments) {
        Ok(ahoy) => ahoy,
        Err(answer) => {
            // Help that was asked for comes this way as well.
            let _ = answer.print();
            return if answer.use_stderr() {
                ExitCode::from(service::WRONG_SETTINGS)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    match ahoy.command.run(&ahoy.common).await {
        Ok(code) => code,
        Err(error) => {
            say::wrong(format!("ahoy: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
