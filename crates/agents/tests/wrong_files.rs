//! Every invalid file gets one clear line, which contains nothing secret or personal.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use agents::Agent;
use std::fs;
use std::path::{Path, PathBuf};

/// What the invalid files contain that no error may repeat: passwords, keys, names, numbers, values at large.
const PLANTED: [&str; 4] = ["planted", "Planted Desk", "Uwase", "+250788"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrong")
}

fn wrong_files() -> Vec<(PathBuf, String)> {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|it| it == "toml"))
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn every_invalid_file_gets_its_expected_error() {
    let files = wrong_files();
    assert!(files.len() >= 25);
    let differing: Vec<String> = files
        .iter()
        .filter_map(|(path, text)| {
            let message = Agent::read(text).map_or_else(|wrong| wrong.to_string(), |_| "nothing".to_owned());
            let expected = fs::read_to_string(path.with_extension("expected")).unwrap_or_default();
            (message != expected.trim_end()).then(|| format!("{}: {message}", path.display()))
        })
        .collect();
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn an_error_is_one_short_line_with_line_and_field() {
    for (path, text) in wrong_files() {
        let wrong = Agent::read(&text).unwrap_err();
        let message = wrong.to_string();
        assert!(message.starts_with(&format!("line {}, {}: ", wrong.line, wrong.field)), "{message}");
        assert!((1..=text.lines().count()).contains(&wrong.line), "{}: {message}", path.display());
        assert!(!wrong.field.is_empty() && !message.contains('\n') && message.len() < 400, "{message}");
    }
}

#[test]
fn an_error_repeats_nothing_secret_or_personal() {
    let files = wrong_files();
    let holding = files.iter().filter(|(_, text)| PLANTED.iter().any(|planted| text.contains(planted)));
    assert!(holding.count() >= 25, "the files hold too little to give away");
    for (path, text) in files {
        let wrong = Agent::read(&text).unwrap_err();
        for told in [wrong.to_string(), format!("{wrong:?}")] {
            for planted in PLANTED {
                assert!(!told.contains(planted), "{}: {told}", path.display());
            }
        }
    }
}
