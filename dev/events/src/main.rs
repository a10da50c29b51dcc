//! Looks through the logs that tests have left: `events FILE-OR-FOLDER…`. Exits with 1 when an event is not as the list says.

use anyhow::{Context, ensure};
use events::Tally;
use std::process::ExitCode;
use walkdir::WalkDir;

#[allow(clippy::print_stdout, reason = "the findings are what it is run for")]
fn main() -> anyhow::Result<ExitCode> {
    let (mut tally, mut files, mut faults) = (Tally::default(), vec![], 0);
    for argument in std::env::args_os().skip(1) {
        for entry in WalkDir::new(argument).follow_links(true).sort_by_file_name() {
            files.push(entry?.into_path());
        }
    }
    files.retain(|file| file.extension().is_some_and(|end| end == "log"));
    for file in &files {
        let log = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        for (line, fault) in tally.read(&String::from_utf8_lossy(&log)) {
            println!("{}, line {line}: {fault}", file.display());
            faults += 1;
        }
    }
    ensure!(tally.logged() > 0 || faults > 0, "no event was logged: no story has run?");
    println!("events: {} in {} logs, {faults} not as the list says", tally.logged(), files.len());
    if !tally.unseen().is_empty() {
        println!("events: not logged: {}", tally.unseen().join(", "));
    }
    Ok(if faults == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
