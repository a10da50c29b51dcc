//! `ahoy report CALL -o call.html`: writes a call's report as one HTML page.

use crate::call_details::CallDetails;
use crate::commands::show::call_ref;
use crate::output;
use crate::page;
use crate::{Common, cloud};
use anyhow::Context;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(crate) struct Report {
    /// The call's reference, or its beginning as `ahoy calls` prints it.
    #[arg(value_name = "CALL", value_parser = call_ref)]
    call: String,
    /// The HTML file to write.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

impl Report {
    pub(crate) async fn run(&self, common: &Common) -> anyhow::Result<ExitCode> {
        let store = cloud::store(common).await?;
        let call = CallDetails::find(&store, &self.call).await?;
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
