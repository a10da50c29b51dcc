//! Every invalid file gets one clear line, which contains nothing secret or personal.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use agents::Agent;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What the invalid files contain that no error may repeat: passwords, keys, names, numbers, values at large.
const PLANTED: [&str; 4] = ["planted", "Planted Desk", "Uwase", "+250788"];

/// The start of a case that gives only the rest of its file.
const START: &str = r#"name = "front-desk"
instructions = "Help planted-person Uwase, +250788000111."

[greeting]
say = "Hello!"

"#;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    file: Option<String>,
    rest: Option<String>,
    error: String,
}

impl Case {
    fn text(&self) -> String {
        match (&self.file, &self.rest) {
            (Some(file), None) => file.clone(),
            (None, Some(rest)) => format!("{START}{rest}"),
            _ => panic!("a case has either `file` or `rest`"),
        }
    }
}

fn cases() -> BTreeMap<String, Case> {
    toml::from_str(include_str!("wrong_files.toml")).unwrap()
}

#[test]
fn every_invalid_file_gets_its_expected_error() {
    let cases = cases();
    assert_eq!(cases.len(), 118);
    let differing: Vec<String> = cases
        .iter()
        .filter_map(|(name, case)| {
            let message =
                Agent::read(&case.text()).map_or_else(|wrong| wrong.to_string(), |_| "nothing".to_owned());
            (message != case.error).then(|| format!("{name}: {message}"))
        })
        .collect();
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn an_error_is_one_short_line_with_line_and_field() {
    for (name, case) in cases() {
        let text = case.text();
        let wrong = Agent::read(&text).unwrap_err();
        let message = wrong.to_string();
        assert!(message.starts_with(&format!("line {}, {}: ", wrong.line, wrong.field)), "{message}");
        assert!((1..=text.lines().count()).contains(&wrong.line), "{name}: {message}");
        assert!(!wrong.field.is_empty() && !message.contains('\n') && message.len() < 400, "{message}");
    }
}

#[test]
fn an_error_repeats_nothing_secret_or_personal() {
    let cases = cases();
    let holding = cases.values().filter(|case| PLANTED.iter().any(|planted| case.text().contains(planted)));
    assert!(holding.count() >= 25, "the files hold too little to give away");
    for (name, case) in cases {
        let wrong = Agent::read(&case.text()).unwrap_err();
        for told in [wrong.to_string(), format!("{wrong:?}")] {
            for planted in PLANTED {
                assert!(!told.contains(planted), "{name}: {told}");
            }
        }
    }
}
