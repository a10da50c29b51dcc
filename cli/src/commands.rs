//! The commands, by name.

mod agents;
mod doctor;
mod number;
mod setup;

use crate::Common;
use clap::Subcommand;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// The agents that take calls: check their files, push them, list them.
    #[command(subcommand)]
    Agents(agents::Agents),
    /// Look at everything between a user and a first call: what is wrong, and what cures it.
    Doctor(Box<doctor::Doctor>),
    /// Have Meta tell our webhook of calls, and the number take them.
    Setup(Box<setup::Setup>),
    /// The business number, as Meta has it.
    #[command(subcommand)]
    Number(Box<number::Number>),
}

impl Command {
    /// Does it.
    pub async fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        match self {
            Self::Agents(agents) => agents.run(common).await,
            Self::Doctor(doctor) => Ok(doctor.run(common).await),
            Self::Setup(setup) => setup.run(common).await,
            Self::Number(number) => number.run(common).await,
        }
    }
}
