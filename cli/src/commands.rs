//! The commands, by name.

mod agents;

use crate::Common;
use clap::Subcommand;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// The agents that take calls: check their files, push them, list them.
    #[command(subcommand)]
    Agents(agents::Agents),
}

impl Command {
    /// Does it.
    pub async fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        match self {
            Self::Agents(agents) => agents.run(common).await,
        }
    }
}
