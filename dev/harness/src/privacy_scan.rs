//! Scans the logs of a testbed's programs for what must not be written: secrets, who called, and what they said.

use crate::testbed::{MODEL_KEY, Testbed};
use crate::tool_server;
use ::privacy::{Leak, Watch};
use sim_meta::{CallerConfig, MetaConfig};

/// Checks everything that the programs of a testbed have written so far.
///
/// # Panics
/// When a secret or personal data was written; the message names kind and place.
pub fn keeps(testbed: &Testbed) {
    let leaks = leaks(testbed);
    assert!(leaks.is_empty(), "programs wrote what they must not: {}", leaks.join("; "));
}

/// Returns what must not be in this text, each with its place.
pub fn leaks_in(text: &str) -> Vec<String> {
    watch().look_at(text).iter().map(Leak::to_string).collect()
}

fn leaks(testbed: &Testbed) -> Vec<String> {
    let watch = watch();
    let logs = testbed.stack.cloud.log_files();
    let found = logs.iter().flat_map(|log| {
        let text = std::fs::read(&log.path).expect("the log is there");
        let described = |leak: Leak| format!("{}-{}, {leak}", log.program, log.number);
        watch.look_at(&String::from_utf8_lossy(&text)).into_iter().map(described)
    });
    found.collect()
}

/// Returns the secrets and personal data of any testbed, besides what is known by its shape.
fn watch() -> Watch {
    let (meta, caller) = (MetaConfig::default(), CallerConfig::default());
    let watch = Watch::default()
        .and_for("the app secret", &meta.app_secret)
        .and_for("the verify token", &meta.verify_token)
        .and_for("Meta's access token", &meta.access_token)
        .and_for("the model's key", MODEL_KEY)
        .and_for("the shop's key", tool_server::KEY)
        .and_for("the business's telephone number", &meta.display_phone_number)
        .and_for("the caller's name", &caller.name)
        .and_for("the caller's id", &caller.user_id);
    match &caller.number {
        Some(number) => watch.and_for("the caller's telephone number", number),
        None => watch,
    }
}
