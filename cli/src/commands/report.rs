//! `ahoy report CALL -o call.html`: a call as a page that a person would rather look at than read.

use crate::commands::show::name;
use crate::output;
use crate::page;
use crate::whole_call::WholeCall;
use crate::{Common, cloud};
use anyhow::Context;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub struct Report {
    /// The call: its name as `ahoy calls` shows it, or all of it.
    #[arg(value_name = "CALL", value_parser = name)]
    call: String,
    /// Where the page goes.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

impl Report {
    /// Does it.
    pub async fn run(&self, common: &Common) -> anyhow::Result<ExitCode> {
        let ledger = cloud::ledger(common).await?;
        let call = WholeCall::find(&ledger, &self.call).await?;
        let page = page::page(&call);
        std::fs::write(&self.output, &page)
            .with_context(|| format!("cannot write {}", self.output.display()))?;
        if common.json {
            let file = self.output.display().to_string();
            output::json(
                &serde_json::json!({"call": call.listed.call_ref, "file": file, "bytes": page.len()}),
            );
        } else {
            output::line(self.output.display());
        }
        Ok(ExitCode::SUCCESS)
    }
}
