//! DTMF: digits that the caller types on the keypad.

use harness::{StoryBuilder, entries, looks_up};
use journal::JournalEvent;
use local::root;
use serde_json::Value;
use sim_audio::clips;
use sim_meta::{CallerConfig, OfferVariant, RecordedKey};
use sim_openai::{Reply, Script};
use std::collections::BTreeMap;
use std::fs::DirEntry;
use std::time::{Duration, Instant};

fn by_keys() -> Script {
    Script::about_bikes().on_message("427", looks_up("427", clips::agent_order()))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_number_that_is_typed_is_looked_up() {
    let story = StoryBuilder::default().scripted(by_keys()).begin().await;
    let caller = story.caller_after_greeting().await;

    caller.phone().press("427#").await.expect("the phone has keys");
    caller.hears(&clips::agent_order()).await;

    let lines = story.lines_of(&caller).await;
    let after = caller.hangs_up().await;
    assert_eq!((after.tools(), after.keys()), (vec!["lookup_order: done".to_owned()], vec![3]));
    assert_eq!(story.business.asked(), ["427"]);
    assert!(lines.iter().any(|line| line.contains("427")), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_private_reach_the_model_and_nothing_else() {
    let script = Script::about_bikes().on_message("90317", Reply::speech(clips::agent_keys()));
    let builder = StoryBuilder::default().scripted(script).with_agent_also("\n[keypad]\nsensitive = true\n");
    let story = builder.begin().await;
    let caller = story.caller_after_greeting().await;

    // Without the hash: a pause says that this was all.
    caller.phone().press("90317").await.expect("the phone has keys");
    caller.hears(&clips::agent_keys()).await;

    let after = caller.hangs_up().await;
    assert_eq!(after.keys(), [5]);
    assert_eq!(story.logs_with("90317"), [""; 0]);
    assert!(!story.everything_stored().await.contains("90317"));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_as_phones_and_gateways_send_them_reach_the_model_once() {
    let script = Script::about_bikes().on_message("keypad", Reply::speech(clips::agent_keys()));
    let quick = "\n[keypad]\npause_ms = 500\n";
    let story = StoryBuilder::default().scripted(script).with_agent_also(quick).begin().await;
    let both_clocks = CallerConfig { offer: vec![OfferVariant::Keys48k], ..CallerConfig::default() };
    let caller = story.ring_as(both_clocks).await;
    caller.hears_the_greeting().await;
    let mut wanted = vec![];
    for (name, case) in cases() {
        caller.phone().play_keys(&packets(&case)).await.expect("the phone sends them");
        wanted.push(case["want_keys"].as_str().expect("the case says").to_owned());
        story.comes_to(|| story.keys_to_the_model().len() >= wanted.len()).await;
        assert_eq!(story.keys_to_the_model(), wanted, "{name}");
    }

    let after = caller.hangs_up().await;
    assert_eq!(after.keys().len(), wanted.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_press_stops_the_agent_within_200_ms() {
    let script = Script::new(Reply::speech(clips::agent_monologue()), [])
        .on_message("keypad", Reply::speech(clips::agent_answer()));
    let story = StoryBuilder::default().scripted(script).begin().await;
    let caller = story.greeted_caller().await;
    let packets = packets(&cases()["dtmf-while-agent-speaks"]);
    let after_the_first = packets[packets.len() - 1].at - packets[0].at;

    caller.phone().play_keys(&packets).await.expect("the phone sends them");

    let pressed = Instant::now() - after_the_first;
    let fell_silent =
        caller.phone().agent_falls_silent(Duration::from_secs(5)).await.expect("the agent stops");
    let took = fell_silent.saturating_duration_since(pressed);
    assert!(took <= Duration::from_millis(200), "{took:?}");
    caller.hears(&clips::agent_answer()).await;
    let after = caller.hangs_up().await;
    assert_eq!(after.keys(), [1]);
    assert_eq!(after.event_names().iter().filter(|event| *event == "WA_CALL_INTERRUPTED").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_keys_is_dropped_and_leaves_few_records() {
    let script = Script::about_bikes().on_message("keypad", Reply::speech(clips::agent_keys()));
    let story = StoryBuilder::default().scripted(script).begin().await;
    let caller = story.caller_after_greeting().await;
    // Without a limit these would be five hundred lines, items and messages.
    let flood: Vec<RecordedKey> = (0..1_000)
        .map(|n| {
            RecordedKey::at_ms(u64::from(n / 5) * 20, n, 960 * (n / 5), [[11, 5][n as usize % 2], 10, 0, 160])
        })
        .collect();

    caller.phone().play_keys(&flood).await.expect("the phone sends them");
    story.comes_to(|| caller.has_heard(&clips::agent_keys())).await;

    let after = caller.hangs_up().await;
    // Every second of some eighty presses that count is a hash, which ends what is keyed.
    assert!((30..=60).contains(&after.keys().len()), "{} records", after.keys().len());
    assert_eq!(after.journal.iter().filter(|event| **event == JournalEvent::KeysDropped {}).count(), 1);
    let dropped = entries!(after.journal, JournalEvent::Media { keys_dropped, .. } => *keys_dropped);
    assert!(dropped[0] > 800, "{dropped:?}");
}

/// The cases of `fixtures/rtp`, by name.
fn cases() -> BTreeMap<String, Value> {
    let files = std::fs::read_dir(root().join("fixtures/rtp")).expect("the cases are there");
    let read = |file: std::io::Result<DirEntry>| {
        let path = file.expect("the folder can be read").path();
        let name = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("a case is text");
        (name, serde_json::from_str(&text).expect("a case is JSON"))
    };
    files.map(read).collect()
}

fn packets(case: &Value) -> Vec<RecordedKey> {
    let packets = case["packets"].as_array().expect("a case has packets");
    let payload_type = case["payload_type"].as_u64().expect("a number") as u8;
    let read = |packet: &Value| {
        let number = |n: usize| packet[n].as_u64().expect("a number");
        let payload = u32::from_str_radix(packet[3].as_str().expect("hex"), 16).expect("hex").to_be_bytes();
        let marker = packet[4].as_bool().expect("a marker");
        let key = RecordedKey::at_ms(number(0), number(1) as u32, number(2) as u32, payload);
        RecordedKey { payload_type, marker, ..key }
    };
    packets.iter().map(read).collect()
}
