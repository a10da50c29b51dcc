//! The example files in `agents/` are valid, and with the list of keys beside them name every key.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use agents::{AfterEvent, Agent, Caps, Method, Words};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

const MINIMAL: &str = "name = \"a\"\ninstructions = \"b\"\n[greeting]\nsay = \"c\"\n";

/// Every table, to which an unknown key is added: the error lists the known ones.
const TABLES: [&str; 19] = [
    "",
    "[greeting]",
    "[model]",
    "[model.turn_detection]\ntype = \"server_vad\"",
    "[model.transcription]",
    "[interruption]",
    "[keypad]",
    "[limits]",
    "[tools]",
    "[[tools.http]]",
    "[[tools.mcp]]",
    "[transfer]",
    "[lookup]",
    "[after]",
    "[after.extract]",
    "[hours]",
    "[messages]",
    "[caps]",
    "[keeping]",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../agents")
}

fn example(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap()
}

/// Returns the keys of a table, as the error lists them.
fn keys(table: &str) -> Vec<String> {
    let reason = Agent::read(&format!("{table}\nzzzzzzzzzzzz = 1\n")).unwrap_err().reason;
    assert!(reason.contains("unknown key; expected"), "{table}: {reason}");
    reason.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_example_parses() {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|it| it == "toml")).collect();
    assert!(files.len() >= 5);
    for path in files {
        let agent = Agent::read_new(&fs::read_to_string(&path).unwrap());
        let agent = agent.unwrap_or_else(|wrong| panic!("{}: {wrong}", path.display()));
        assert_eq!(Some(agent.name.as_str()), path.file_stem().and_then(|stem| stem.to_str()));
    }
}

#[test]
fn readme_and_bike_shop_name_every_key() {
    let (list, shop) = (example("README.md"), example("bike-shop.toml"));
    let all: Vec<String> = TABLES.iter().flat_map(|table| keys(table)).collect();
    assert!(all.len() > 60, "{}", all.len());
    for key in all {
        assert!(list.contains(&format!("`{key}`")) || list.contains(&format!("[{key}]")), "README.md: {key}");
        let written = [format!("{key} = "), format!("[{key}]"), format!(".{key}]")];
        assert!(written.iter().any(|written| shop.contains(written)), "bike-shop.toml: {key}");
    }
}

#[test]
fn the_files_in_the_readme_parse() {
    let list = example("README.md");
    let files = list.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let names: Vec<String> = files.map(|file| Agent::read_new(file).unwrap().name).collect();
    assert_eq!(names, ["front-desk", "greeter", "umucyo"]);
}

#[test]
fn a_minimal_file_has_every_default() {
    let agent = Agent::read(MINIMAL).unwrap();
    assert_eq!(agent.disclosure.as_deref(), Some("You are talking to an AI assistant."));
    assert!(agent.greeting.interruptible && agent.tools.take_message && agent.keeping.transcripts);
    assert_eq!((agent.limits.longest, agent.limits.nudges), (Duration::from_secs(1800), 6));
    assert_eq!(agent.model.transcription.unwrap().language.as_deref(), Some("en"));
    assert_eq!((agent.hours, agent.caps), (None, Caps::default()));
    assert_eq!((agent.caps.dollars_a_day, agent.caps.calls_an_hour), (None, None));
}

#[test]
fn the_bike_shop_matches_its_file() {
    let shop = Agent::read(&example("bike-shop.toml")).unwrap();
    let tool = &shop.tools.http[0];
    assert_eq!((tool.name.as_str(), tool.method), ("lookup_order", Method::Post));
    assert_eq!(tool.url.as_str(), "https://shop.example/ahoy/orders");
    assert_eq!(tool.parameters["required"][0], "order");
    assert_eq!(shop.interruption.after, Duration::from_millis(250));
    assert_eq!(shop.messages.busy, Agent::read(MINIMAL).unwrap().messages.busy);
    assert_ne!(shop.messages.closed, Agent::read(MINIMAL).unwrap().messages.closed);
}

#[test]
fn the_clinic_defaults_to_french_phrases() {
    let clinic = Agent::read(&example("clinique-kigali.toml")).unwrap();
    assert!(clinic.messages.lost.starts_with("Désolé"));
    assert!(matches!(clinic.limits.goodbye, Words::Prompt(_)));
    assert_eq!(clinic.model.transcription.unwrap().language.as_deref(), Some("fr"));
}

#[test]
fn the_shop_waits_for_its_lookup_and_tells_who_calls() {
    let shop = Agent::read(&example("shop.toml")).unwrap();
    assert!(shop.waits_for_lookup() && shop.needs_caller_details() && shop.tools.http[0].tells_caller);
    assert_eq!(shop.lookup.as_ref().unwrap().timeout, Duration::from_millis(800));

    let clinic = Agent::read(&example("clinic-bookings.toml")).unwrap();
    assert!(!clinic.waits_for_lookup() && clinic.needs_caller_details());
}

#[test]
fn the_quality_scorer_asks_for_every_field() {
    let after = Agent::read(&example("quality.toml")).unwrap().after.unwrap();
    let schema = after.extract.unwrap().schema();
    assert_eq!(schema["properties"]["extracted"]["required"].as_array().unwrap().len(), 9);
    assert_eq!(after.on, [AfterEvent::CallEnded]);
}

#[test]
fn noise_reduction_and_transcription_can_be_off() {
    let off = format!("{MINIMAL}[model]\nnoise_reduction = \"none\"\ntranscription = false\n");
    let model = Agent::read(&off).unwrap().model;
    assert_eq!((model.noise_reduction, model.transcription), (None, None));
}

#[test]
fn debug_output_contains_no_texts() {
    let printed = format!("{:?}", Agent::read(&example("bike-shop.toml")).unwrap());
    assert!(printed.contains("bike-shop") && printed.len() < 80, "{printed}");
}
