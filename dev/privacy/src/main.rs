//! Looks through what tests have written: `privacy FILE-OR-FOLDER…`. Exits with 1 when there is anything that must not be.

use anyhow::Context;
use privacy::Watch;
use quick_xml::escape::unescape;
use std::path::Path;
use std::process::ExitCode;
use walkdir::WalkDir;

/// What programs write ends like this; recordings of the model and of sound are the caller's own words, on purpose.
const WRITTEN: [&str; 3] = ["log", "xml", "txt"];

#[allow(clippy::print_stdout, reason = "the findings are what it is run for")]
fn main() -> anyhow::Result<ExitCode> {
    let (watch, mut files, mut leaks) = (Watch::default(), vec![], 0);
    for argument in std::env::args_os().skip(1) {
        for entry in WalkDir::new(argument).follow_links(true).sort_by_file_name() {
            let entry = entry?;
            if entry.file_type().is_file() && (entry.depth() == 0 || is_written(entry.path())) {
                files.push(entry.into_path());
            }
        }
    }
    anyhow::ensure!(!files.is_empty(), "there is nothing to look at: no test has run?");
    for file in &files {
        let text = read(file).with_context(|| format!("cannot read {}", file.display()))?;
        for leak in watch.look_at(&text) {
            println!("{}, {leak}", file.display());
            leaks += 1;
        }
    }
    println!("privacy: {} files, {leaks} leaks", files.len());
    Ok(if leaks == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What a file says: a test's report, which is XML, as the test wrote it.
fn read(file: &Path) -> anyhow::Result<String> {
    let text = String::from_utf8_lossy(&std::fs::read(file)?).into_owned();
    let is_report = file.extension().is_some_and(|end| end == "xml");
    Ok(if is_report { unescape(&text)?.into_owned() } else { text })
}

fn is_written(path: &Path) -> bool {
    path.extension().is_some_and(|end| WRITTEN.iter().any(|written| end == *written))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_as_the_test_wrote_it() {
        let report = std::env::temp_dir().join(format!("privacy-{}.xml", std::process::id()));
        let leaks = |said: &str| {
            let escaped = quick_xml::escape::escape(said);
            std::fs::write(&report, format!("<system-out>\n{escaped}\n</system-out>")).unwrap();
            Watch::default().look_at(&read(&report).unwrap()).len()
        };

        assert_eq!(leaks(r#"{"event":"WA_CALL_OPENED","at_ms":1795377433655}"#), 0);
        assert_eq!(leaks(r#"{"event":"WA_CALL_OPENED","to":"15550783881"}"#), 1);
        std::fs::remove_file(report).unwrap();
    }
}
