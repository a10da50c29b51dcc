//! Scans the logs of a testbed's programs for what must not be written: secrets, who called, and what they said.

use crate::telephone::{CALLER, COUNTRY, DIALLED, TRUNK_KEY, WEBHOOK_SECRET};
use crate::testbed::{CUSTOMER, MODEL_KEY, Testbed};
use ::privacy::{Leak, Watch};
use serde_json::Value;
use sim_meta::{CallerConfig, MetaConfig};

/// The host that the simulated trunk names in each SIP header: no header of a call is ever written.
const SIP_HOST: &str = "sip.example.net";

/// The key of an agent file with the address that calls are transferred to.
const TRANSFER_TARGET: &str = "target";

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

/// Returns what the programs of a testbed have written so far and must not have, each with its place.
pub(crate) fn leaks(testbed: &Testbed) -> Vec<String> {
    let watch = watch_of(testbed);
    let logs = testbed.stack.cloud.log_files();
    let found = logs.iter().flat_map(|log| {
        let text = std::fs::read(&log.path).expect("the log is there");
        let described = |leak: Leak| format!("{}-{}, {leak}", log.program, log.number);
        watch.look_at(&String::from_utf8_lossy(&text)).into_iter().map(described)
    });
    found.collect()
}

/// Returns what must not be in this testbed's logs: also the keys of its line, those of a rotation included, and the address that its agent
/// transfers calls to.
fn watch_of(testbed: &Testbed) -> Watch {
    let lines = testbed.stack.cloud.secret_values("line");
    let lines = lines.iter().filter_map(|secret| serde_json::from_str::<Value>(secret).ok());
    let keys = lines.flat_map(|secret| secret.as_object().cloned().unwrap_or_default());
    let watch = keys.fold(watch(), |watch, (name, key)| {
        key.as_str().map_or(watch.clone(), |key| watch.and_for_key(&format!("the line's {name}"), key))
    });
    let agent = std::fs::read_to_string(testbed.folder.join("agent.toml")).unwrap_or_default();
    transfer_targets(&agent).iter().fold(watch, |watch, target| and_for_target(watch, target))
}

/// Returns the addresses in an agent file that calls are transferred to.
fn transfer_targets(agent: &str) -> Vec<&str> {
    let settings = agent.lines().filter_map(|line| line.split_once('='));
    let targets = settings.filter(|(key, _)| key.trim().rsplit('.').next() == Some(TRANSFER_TARGET));
    targets.map(|(_, target)| target.trim().trim_matches('"')).collect()
}

fn and_for_target(watch: Watch, target: &str) -> Watch {
    let name = "the address that calls are transferred to";
    let address = target.split_once(':').map_or(target, |(_, address)| address);
    let watch = watch.and_for(name, address);
    let digits: String = address.chars().filter(char::is_ascii_digit).collect();
    if digits.len() < 7 { watch } else { watch.and_for_number(name, "", &digits) }
}

/// Returns the secrets and personal data of any testbed, besides what is known by its shape.
fn watch() -> Watch {
    let (meta, caller) = (MetaConfig::default(), CallerConfig::default());
    let watch = Watch::default()
        .and_for("the app secret", &meta.app_secret)
        .and_for("the verify token", &meta.verify_token)
        .and_for("Meta's access token", &meta.access_token)
        .and_for("the model's key", MODEL_KEY)
        .and_for("the shop's key", sim_business::KEY)
        .and_for("the business's telephone number", &meta.display_phone_number)
        .and_for_key("the secret of OpenAI's webhook", WEBHOOK_SECRET)
        .and_for_key("the trunk's key", TRUNK_KEY)
        .and_for_number("the number of the telephone's caller", COUNTRY, national(CALLER))
        .and_for_number("the dialled number", COUNTRY, national(DIALLED))
        .and_for("a header of a SIP call", SIP_HOST)
        .and_for_personal("the caller's name", &caller.name)
        .and_for_personal("the business's name for the caller", CUSTOMER)
        .and_for_personal("a name that a hostile lookup returns", "Mallory")
        .and_for("the caller's id", &caller.user_id);
    let sent = [
        ("the caller's user name", &caller.username),
        ("the payload of a call link", &caller.deeplink_payload),
        ("the payload of a call button", &caller.cta_payload),
    ];
    let watch = sent.into_iter().fold(watch, |watch, (name, text)| match text {
        Some(text) => watch.and_for_personal(name, text),
        None => watch,
    });
    match &caller.number {
        Some(number) => watch.and_for("the caller's telephone number", number),
        None => watch,
    }
}

/// Returns a number without its country.
fn national(number: &'static str) -> &'static str {
    number.strip_prefix(COUNTRY).expect("the number is of this country")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_canary_of_the_telephone_line_is_found_when_it_leaks() {
        let decoded = "61686f792d746573742d7365637265742d30313233343536373839616263646566";
        for (leaked, name) in [
            (WEBHOOK_SECRET, "the secret of OpenAI's webhook"),
            (WEBHOOK_SECRET.trim_start_matches("whsec_"), "the secret of OpenAI's webhook"),
            ("ahoy-test-secret-0123456789abcdef", "the secret of OpenAI's webhook"),
            (decoded, "the secret of OpenAI's webhook"),
            (TRUNK_KEY, "the trunk's key"),
            ("+35699000001", "the number of the telephone's caller"),
            ("sip:99000001@carrier", "the number of the telephone's caller"),
            ("tel:+35621000000", "the dialled number"),
            ("%2B35621000000", "the dialled number"),
            ("21000000", "the dialled number"),
            ("rtc_u1_0123456789abcdef", "OpenAI's id of a call"),
            ("7f3c2a@sip.example.net", "a header of a SIP call"),
            ("<sip:+35621000000@sip.example.net>;reason=unconditional", "a header of a SIP call"),
        ] {
            for line in [format!("WARN refused: {leaked}"), serde_json::json!({"said": leaked}).to_string()] {
                assert!(leaks_in(&line).iter().any(|leak| leak.ends_with(name)), "{name}: {line}");
            }
        }
        assert_eq!(leaks_in(r#"{"event":"WA_CALL_CONNECT","line":"sip","number":"malta"}"#), [""; 0]);
    }

    #[test]
    fn what_a_caller_has_sent_is_found_when_it_leaks() {
        for (leaked, name) in [
            ("zoe.planted", "the caller's user name"),
            ("7A6F652E706C616E746564", "the caller's user name"),
            ("planted-campaign-42", "the payload of a call link"),
            ("706c616e7465642d63616d706169676e2d3432", "the payload of a call link"),
            ("cGxhbnRlZC1idXR0b24tNw==", "the payload of a call button"),
        ] {
            let line = format!("WARN cannot look up: {leaked}");
            assert!(leaks_in(&line).iter().any(|leak| leak.ends_with(name)), "{name}: {line}");
        }
    }

    #[test]
    fn the_address_that_calls_are_transferred_to_is_found() {
        let agent = "[transfer]\nwhen = \"asked\"\ntarget = \"tel:+35621000009\"\n";
        let [tel] = &transfer_targets(agent)[..] else { panic!("there is one") };
        let watch = and_for_target(Watch::default(), tel);
        let pbx = and_for_target(Watch::default(), "sip:desk@pbx.example.com");

        for leaked in ["to 35621000009", "tel:+356-2100-0009", "0035621000009"] {
            assert!(!watch.look_at(leaked).is_empty(), "{leaked}");
        }
        assert_eq!(pbx.look_at("REFER to desk@pbx.example.com").len(), 1);
        assert_eq!(watch.look_at(r#"{"target_kind":"tel"}"#), []);
    }
}
