//! `ahoy agents check FILE…`: says what is wrong or doubtful with each file. Every file is looked at.

use crate::Common;
use crate::file::{AgentFile, WrongFile};
use crate::output::{self, GOOD, styled};
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, Args)]
pub struct Check {
    /// Agent files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl Check {
    /// Does it. 1 when a file is wrong.
    pub fn run(&self, common: &Common) -> ExitCode {
        let checked: Vec<_> = self.files.iter().map(|path| (path, AgentFile::read(path))).collect();
        if common.json {
            output::json(
                &json!({"files": checked.iter().map(|(path, read)| in_json(path, read)).collect::<Vec<_>>()}),
            );
        }
        for (path, read) in &checked {
            for doubt in read.iter().flat_map(AgentFile::doubts) {
                output::wrong(format!("{}: warning: {doubt}", path.display()));
            }
            match read {
                Ok(_) if common.json => {}
                Ok(file) => {
                    let ok = styled(GOOD, "ok");
                    output::line(format!("{}: {ok}, agent {}", path.display(), file.agent.name));
                }
                Err(wrong) => output::wrong(wrong),
            }
        }
        if checked.iter().all(|(_, read)| read.is_ok()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

fn in_json(path: &Path, read: &Result<AgentFile, WrongFile>) -> Value {
    match read {
        Ok(file) => {
            let (agent, warnings) = (&file.agent.name, file.doubts());
            json!({"file": path.display().to_string(), "ok": true, "agent": agent, "warnings": warnings})
        }
        Err(wrong) => {
            let (line, field) = wrong.place.clone().unzip();
            let file = path.display().to_string();
            json!({"file": file, "ok": false, "line": line, "field": field, "reason": wrong.reason})
        }
    }
}
