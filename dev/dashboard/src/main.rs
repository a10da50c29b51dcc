//! Draws the dashboard from the logs that rehearsals have left: `dashboard -o PICTURE FILE-OR-FOLDER…`.

use anyhow::Context;
use clap::Parser;
use dashboard::{Board, Recording, svg};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What is filled into the template, as rehearsals have it.
const NAMES: [(&str, &str); 3] =
    [("AWS::Region", "eu-central-1"), ("StackName", "ahoy"), ("LogGroupName", "/ahoy/ahoy")];

#[derive(Debug, Parser)]
#[command(name = "dashboard", about = "Draw the dashboard from recorded logs")]
struct Arguments {
    /// The template with the dashboard
    #[arg(long, default_value = "infra/dashboard.yaml")]
    template: PathBuf,
    /// Where the picture goes, as SVG
    #[arg(short, value_name = "FILE")]
    out: PathBuf,
    /// Logs, or folders with logs
    #[arg(required = true)]
    logs: Vec<PathBuf>,
}

#[allow(clippy::print_stdout, reason = "it says what it has drawn")]
fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let template = std::fs::read_to_string(&arguments.template)
        .with_context(|| format!("cannot read {}", arguments.template.display()))?;
    let board = Board::of_template(&template, &NAMES)
        .with_context(|| format!("cannot understand {}", arguments.template.display()))?;
    let mut recording = Recording::default();
    for path in &arguments.logs {
        gather(path, &mut recording).with_context(|| format!("cannot read {}", path.display()))?;
    }
    std::fs::write(&arguments.out, svg(&board, &recording)?)
        .with_context(|| format!("cannot write {}", arguments.out.display()))?;
    println!("{}: {} values of metrics", arguments.out.display(), recording.samples.len());
    Ok(ExitCode::SUCCESS)
}

/// Reads the logs there are, in their order.
fn gather(path: &Path, recording: &mut Recording) -> anyhow::Result<()> {
    if path.is_dir() {
        let mut inside: Vec<_> = std::fs::read_dir(path)?.collect::<Result<_, _>>()?;
        inside.sort_by_key(std::fs::DirEntry::path);
        return inside.iter().try_for_each(|entry| gather(&entry.path(), recording));
    }
    if path.extension().is_some_and(|end| end == "log") {
        let log = std::fs::read(path)?;
        recording.add(&String::from_utf8_lossy(&log)).with_context(|| path.display().to_string())?;
    }
    Ok(())
}
