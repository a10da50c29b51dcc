//! `ahoy agents check FILE…`: checks every agent file and prints its error or warnings.

use crate::Common;
use crate::agent_file::{AgentFile, AgentFileError};
use crate::output::{self, GOOD, styled};
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The agent files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl Check {
    /// Runs the command; the exit code is 1 if a file is invalid.
    pub(crate) fn run(&self, common: &Common) -> ExitCode {
        let checked: Vec<_> = self.files.iter().map(|path| (path, AgentFile::read(path))).collect();
        if common.json {
            output::json(
                &json!({"files": checked.iter().map(|(path, read)| in_json(path, read)).collect::<Vec<_>>()}),
            );
        }
        for (path, read) in &checked {
            for warning in read.iter().flat_map(AgentFile::warnings) {
                output::error_line(format!("{}: warning: {warning}", path.display()));
            }
            match read {
                Ok(_) if common.json => {}
                Ok(file) => {
                    let ok = styled(GOOD, "ok");
                    output::line(format!("{}: {ok}, agent {}", path.display(), file.agent.name));
                    for note in file.notes() {
                        output::line(format!("{}: note: {} {note}", path.display(), file.agent.name));
                    }
                }
                Err(wrong) => output::error_line(wrong),
            }
        }
        if checked.iter().all(|(_, read)| read.is_ok()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

fn in_json(path: &Path, read: &Result<AgentFile, AgentFileError>) -> Value {
    match read {
        Ok(file) => {
            let (agent, warnings, notes) = (&file.agent.name, file.warnings(), file.notes());
            let file = path.display().to_string();
            json!({"file": file, "ok": true, "agent": agent, "warnings": warnings, "notes": notes})
        }
        Err(wrong) => {
            let (line, field) = wrong.place.clone().unzip();
            let file = path.display().to_string();
            json!({"file": file, "ok": false, "line": line, "field": field, "reason": wrong.reason})
        }
    }
}
