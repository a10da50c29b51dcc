//! `ahoy agents …`

mod check;
mod list;
mod push;

use crate::Common;
use clap::Subcommand;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub enum Agents {
    /// Say what is wrong with agent files, each in one line, without AWS.
    Check(check::Check),
    /// Check an agent file and have its agent take calls from now on.
    Push(push::Push),
    /// Show the agents that were pushed, and which numbers have which.
    List(list::List),
}

impl Agents {
    /// Does it.
    pub async fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        match self {
            Self::Check(check) => Ok(check.run(common)),
            Self::Push(push) => push.run(common).await,
            Self::List(list) => list.run(common).await,
        }
    }
}
