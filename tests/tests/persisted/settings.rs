//! The registry of media tasks, agents and numbers, the list of calls, and the fields of secrets.

use crate::held::{hold, lines};
use call::{Ending, Line, Party, Recorded};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use service::pseudonym_keys::PseudonymKeys;
use store::lease::Lease;
use store::{Assigned, CallListing, NumberSettings, StoredAgent};

const NOW: u64 = 1_795_305_600_000;

#[test]
fn leases_keep_their_form() {
    let whole = Lease {
        pk: "TASK#0a".into(),
        sk: "LEASE".into(),
        gsi1pk: Some("READY".into()),
        gsi1sk: Some("00000000000000000003".into()),
        task: "0a".into(),
        door: "127.0.0.1:8443".into(),
        pin: "ff00".into(),
        revision: "12".into(),
        slots: 50,
        used: 3,
        returns_tokens: true,
        lines: vec![],
        until_ms: NOW + 15_000,
        ttl: 1_797_897_600,
    };
    assert_eq!(Lease::new(&"0a".into(), "127.0.0.1:8443", "ff00", "12", 50, NOW).using(3), whole);
    let older = Lease { gsi1pk: None, gsi1sk: None, returns_tokens: false, ..whole.clone() };
    hold(
        "leases.tsv",
        &[
            ("ready", whole.clone()),
            ("sip", Lease { lines: vec![Line::Sip.into()], ..whole.clone() }),
            ("closed", whole.closed()),
            ("of_an_older_release", older),
        ],
    );
}

#[test]
fn settings_of_numbers_and_agents_keep_their_form() {
    let whole =
        NumberSettings { agent: Some("a".into()), sorry: Some("Sorry.".into()), lost: Some("Lost.".into()) };
    hold("number-settings.tsv", &[("whole", whole), ("least", NumberSettings::default())]);
    hold("assigned.tsv", &[("assigned", Assigned { number: "220".into(), agent: "a".into() })]);
    hold("stored-agents.tsv", &[("agent", StoredAgent::new("a", "name = \"a\"\n", NOW))]);
}

#[test]
fn the_list_of_calls_keeps_its_form() {
    let whole = CallListing {
        call_ref: "ab12".into(),
        line: Line::WhatsApp.into(),
        number: "220".into(),
        rang_at_ms: NOW,
        start: Some("warm".into()),
        accepted_at_ms: Some(NOW + 2_000),
        ended_at_ms: Some(NOW + 90_000),
        ending: Some(Ending::CallerHungUp.into()),
        by: Some(Party::Caller.into()),
    };
    let least = CallListing {
        start: None,
        accepted_at_ms: None,
        ended_at_ms: None,
        ending: None,
        by: None,
        ..whole.clone()
    };
    let ending = Some(Recorded::Other("handed_over".into()));
    let later = CallListing { ending, by: Some(Recorded::Other("desk".into())), ..whole.clone() };
    let by_telephone = CallListing { line: Line::Sip.into(), number: "malta".into(), ..whole.clone() };
    let by_a_later_line = CallListing { line: Recorded::Other("twilio".into()), ..by_telephone.clone() };
    hold(
        "listed-calls.tsv",
        &[
            ("whole", whole),
            ("least", least),
            ("ending_of_a_later_release", later),
            ("by_telephone", by_telephone),
            ("by_a_later_line", by_a_later_line),
        ],
    );
}

#[test]
fn secrets_keep_their_fields() {
    let meta: switchboard::GraphSecret = secret("meta");
    assert_eq!(meta.access_token.expose_secret(), "token");
    let meta: webhook::WebhookSecret = secret("meta");
    assert_eq!(meta.app_secrets(), ["app", "app before"]);
    assert_eq!(meta.verify_token.expose_secret(), "verify");
    let door: switchboard::ControlApiSecret = secret("media");
    assert_eq!(exposed(door.keys()), ["door", "door before"]);
    let media_task::MediaSecret { door_key, previous_door_key, openai_api_key, tool_secrets } =
        secret("media");
    let keys = [Some(&door_key), previous_door_key.as_ref(), Some(&openai_api_key), tool_secrets.get("shop")];
    assert_eq!(exposed(keys.into_iter().flatten()), ["door", "door before", "openai", "tool"]);
    let marks: PseudonymKeys = secret("marks");
    assert_eq!((exposed(marks.all()), marks.made_at_ms), (vec!["mark", "mark before"], NOW));
}

fn secret<T: DeserializeOwned>(name: &str) -> T {
    let held = lines("secrets.tsv");
    let (_, text) = held.iter().find(|(held, _)| held == name).unwrap();
    serde_json::from_str(text).unwrap()
}

fn exposed<'a>(secrets: impl Iterator<Item = &'a SecretString>) -> Vec<&'a str> {
    secrets.map(ExposeSecret::expose_secret).collect()
}
