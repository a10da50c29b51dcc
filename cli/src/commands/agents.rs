//! `ahoy agents`: checks, pushes and lists agent files, and tries their tools.

mod check;
mod list;
mod push;
mod try_tool;

use crate::Common;
use clap::Subcommand;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub(crate) enum Agents {
    /// Check agent files and print each one's error in one line; needs no AWS.
    Check(check::Check),
    /// Check an agent file and store it; it takes effect with the next call.
    Push(push::Push),
    /// List the stored agents with their numbers.
    List(list::List),
    /// Send one request of an HTTP tool as a call would, and print what the model would get.
    Try(Box<try_tool::Try>),
}

impl Agents {
    pub(crate) async fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        match self {
            Self::Check(check) => Ok(check.run(common)),
            Self::Push(push) => push.run(common).await,
            Self::List(list) => list.run(common).await,
            Self::Try(tool) => tool.run(common).await,
        }
    }
}
