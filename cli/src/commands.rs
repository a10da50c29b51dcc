//! The subcommands of `ahoy`, by name.

mod agents;
mod calls;
mod doctor;
mod forget;
mod messages;
mod number;
mod outbox;
mod report;
mod setup;
mod show;
mod tail;

use crate::{Common, cloud};
use clap::Subcommand;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check, push and list the agents that take calls, and try their tools.
    #[command(subcommand)]
    Agents(agents::Agents),
    /// Check everything that a first call needs at Meta, AWS and OpenAI: what is wrong, and how to fix it.
    Doctor(Box<doctor::DoctorCommand>),
    /// Subscribe the webhook to calls at Meta, and enable calling on the number.
    Setup(Box<setup::Setup>),
    /// Show the business number's settings at Meta.
    #[command(subcommand)]
    Number(Box<number::Number>),
    /// List calls, newest first.
    Calls(calls::Calls),
    /// Show everything that is stored about a call.
    Show(show::Show),
    /// List what callers left for people: messages, and requests to be called back.
    Messages(messages::Messages),
    /// List the events that businesses are to be told, or deliver some again.
    Outbox(outbox::Outbox),
    /// Follow live calls and their events, until Ctrl-C.
    Tail(tail::Tail),
    /// Write a call's report as one HTML file, which opens offline.
    Report(report::Report),
    /// Delete everything that is stored about one person.
    Forget(forget::Forget),
}

impl Command {
    pub(crate) async fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        match self {
            Self::Agents(agents) => agents.run(common).await,
            Self::Doctor(doctor) => Ok(doctor.run(common).await),
            Self::Setup(setup) => setup.run(common).await,
            Self::Number(number) => number.run(common).await,
            Self::Calls(calls) => calls.run(common).await,
            Self::Show(show) => show.run(common).await,
            Self::Messages(messages) => messages.run(common).await,
            Self::Outbox(outbox) => outbox.run(common).await,
            Self::Tail(tail) => tail.run(common).await,
            Self::Report(report) => report.run(common).await,
            Self::Forget(forget) => forget.run(common).await,
        }
        .map_err(|error| cloud::explain(&error, common))
    }
}
