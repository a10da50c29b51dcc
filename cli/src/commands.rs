//! The commands, by name.

mod agents;
mod calls;
mod doctor;
mod forget;
mod number;
mod report;
mod setup;
mod show;
mod tail;

use crate::{Common, cloud};
use clap::Subcommand;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// The agents that take calls: check their files, push them, list them.
    #[command(subcommand)]
    Agents(agents::Agents),
    /// Look at everything between a user and a first call: what is wrong, and what cures it.
    Doctor(Box<doctor::DoctorCommand>),
    /// Have Meta tell our webhook of calls, and the number take them.
    Setup(Box<setup::Setup>),
    /// The business number, as Meta has it.
    #[command(subcommand)]
    Number(Box<number::Number>),
    /// Which calls there were, newest first.
    Calls(calls::Calls),
    /// Everything that is kept of a call.
    Show(show::Show),
    /// Calls and their events as they happen, until Ctrl-C.
    Tail(tail::Tail),
    /// A call as a page to look at: one file, which opens offline.
    Report(report::Report),
    /// Delete all that is stored of one person.
    Forget(forget::Forget),
}

impl Command {
    /// Does it.
    pub async fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        match self {
            Self::Agents(agents) => agents.run(common).await,
            Self::Doctor(doctor) => Ok(doctor.run(common).await),
            Self::Setup(setup) => setup.run(common).await,
            Self::Number(number) => number.run(common).await,
            Self::Calls(calls) => calls.run(common).await,
            Self::Show(show) => show.run(common).await,
            Self::Tail(tail) => tail.run(common).await,
            Self::Report(report) => report.run(common).await,
            Self::Forget(forget) => forget.run(common).await,
        }
        .map_err(|error| cloud::plainly(&error, common))
    }
}
