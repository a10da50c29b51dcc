//! `ahoy calls` and `ahoy show`, run as the real program against an emulated DynamoDB.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "each test file uses a part of it")]
mod terminal;

use call::{CallRef, Ending, Line, Party};
use serde_json::Value;
use store::CallListing;
use terminal::Terminal;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

#[tokio::test]
async fn pages_continue_over_days_newest_first() {
    let terminal = Terminal::new().await;
    let now = service::time::now_ms();
    for n in 0..5 {
        list(&terminal, &call(n, "220", now - n * DAY_MS / 2)).await;
    }

    let (mut seen, mut after) = (vec![], None::<String>);
    for _ in 0..5 {
        let mut words = vec!["calls", "--json", "--limit", "2"];
        words.extend(after.as_deref().into_iter().flat_map(|cursor| ["--after", cursor]));
        let page = json(&terminal, &words).await;
        let refs = page["calls"]
            .as_array()
            .unwrap()
            .iter()
            .map(|call| CallRef::from(call["call_ref"].as_str().unwrap()));
        seen.push(refs.collect::<Vec<_>>());
        after = page["next"].as_str().map(str::to_owned);
        if after.is_none() {
            break;
        }
    }

    let names = |ns: &[u64]| ns.iter().map(|n| call(*n, "220", 0).call_ref).collect::<Vec<_>>();
    assert_eq!(seen, [names(&[0, 1]), names(&[2, 3]), names(&[4])]);
}

#[tokio::test]
async fn calls_are_filtered_by_number_day_and_ending() {
    let terminal = Terminal::new().await;
    let midnight = 1_795_305_600_000;
    list(&terminal, &call(1, "220", midnight - 1)).await;
    list(&terminal, &call(2, "220", midnight)).await;
    list(&terminal, &call(3, "330", midnight)).await;
    let lost = CallListing {
        ending: Some(Ending::Lost.into()),
        by: Some(Party::Us.into()),
        ..call(4, "330", midnight + 1)
    };
    list(&terminal, &lost).await;

    for (words, wanted) in [
        (vec!["--number", "220"], vec![2, 1]),
        (vec!["--day", "2026-11-21"], vec![1]),
        (vec!["--day", "2026-11-22"], vec![4, 3, 2]),
        (vec!["--day", "2026-11-22", "--number", "330", "--ending", "lost"], vec![4]),
        (vec!["--number", "440"], vec![]),
    ] {
        let found = json(&terminal, &[&["calls", "--json"], &words[..]].concat()).await;
        let found: Vec<_> =
            found["calls"].as_array().unwrap().iter().map(|it| it["call_ref"].clone()).collect();
        assert_eq!(
            found,
            wanted.into_iter().map(|n| call(n, "", 0).call_ref.to_string()).collect::<Vec<_>>(),
            "{words:?}"
        );
    }
}

#[tokio::test]
async fn an_unreadable_entry_is_named_and_the_rest_listed() {
    let terminal = Terminal::new().await;
    let now = service::time::now_ms();
    let calls = [1, 2, 3].map(|n| call(n, "220", now - n));
    for call in &calls {
        list(&terminal, call).await;
    }
    let day = jiff::Timestamp::from_millisecond(calls[1].rang_at_ms as i64)
        .unwrap()
        .strftime("%Y-%m-%d")
        .to_string();
    for mut item in calls[1].items(&[], &day, u64::MAX / 1_000) {
        if item.contains_key("gsi1pk") {
            item.insert("rang_at_ms".to_owned(), store::items::text("later"));
            terminal.store().put(item).await.unwrap();
        }
    }

    for words in [&["calls", "--number", "220"][..], &["calls"]] {
        let output = terminal.ahoy(words).await;
        assert_eq!((output.code, output.out.lines().count()), (Some(0), 3), "{output:?}");
        let not_listed =
            "Not listed, because their entries cannot be read: 000000000002. Try: ahoy show REF\n";
        assert!(output.err.starts_with(not_listed), "{output:?}");
    }
    let page = json(&terminal, &["calls", "--number", "220", "--limit", "1", "--json"]).await;
    let next = page["next"].as_str().unwrap();
    let page = json(&terminal, &["calls", "--number", "220", "--after", next, "--json"]).await;
    assert_eq!(page["calls"][0]["call_ref"], calls[2].call_ref.as_str());
    assert_eq!(page["unreadable"][0], calls[1].call_ref.as_str());
    let shown = terminal.ahoy(&["show", calls[1].call_ref.as_str()]).await;
    assert_eq!(shown.code, Some(0), "{shown:?}");
}

#[tokio::test]
async fn calls_are_filtered_by_line_and_show_it() {
    let terminal = Terminal::new().await;
    let now = service::time::now_ms();
    list(&terminal, &call(1, "220", now)).await;
    list(&terminal, &CallListing { line: Line::Sip.into(), ..call(2, "malta", now) }).await;

    for (line, wanted) in [("whatsapp", "220"), ("sip", "malta")] {
        let found = json(&terminal, &["calls", "--json", "--line", line]).await;
        let numbers: Vec<_> =
            found["calls"].as_array().unwrap().iter().map(|call| call["number"].clone()).collect();
        assert_eq!(numbers, [wanted], "{line}");
    }
    let both = terminal.ahoy(&["calls"]).await.out;
    assert!(both.lines().next().unwrap().contains("NUMBER  LINE      BEGAN"), "{both}");
    let whatsapp_alone = terminal.ahoy(&["calls", "--line", "whatsapp"]).await.out;
    assert!(!whatsapp_alone.contains("LINE") && !whatsapp_alone.contains("whatsapp"), "{whatsapp_alone}");
    assert_eq!(terminal.ahoy(&["calls", "--line", "fax"]).await.code, Some(64));
    let shown = terminal.ahoy(&["show", call(2, "", 0).call_ref.as_str()]).await.out;
    assert!(shown.contains("number malta") && shown.contains("line       sip"), "{shown}");
}

#[tokio::test]
async fn the_list_is_printed_without_colours_in_a_pipe() {
    let terminal = Terminal::new().await;
    list(&terminal, &call(1, "220", service::time::now_ms())).await;

    let output = terminal.ahoy(&["calls"]).await;

    let words: Vec<_> = output.out.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!((words[0], words[3], words[4]), ("000000000001", "220", "warm"), "{output:?}");
    assert_eq!(words[5..], ["caller", "hung", "up", "caller", "0:07", "-", "-", "-"]);
    assert!(!output.out.contains('\u{1b}'));
}

#[tokio::test]
async fn the_first_day_searched_is_printed_unless_all_was_searched() {
    let terminal = Terminal::new().await;
    let now = service::time::now_ms();
    list(&terminal, &call(1, "220", now - 40 * DAY_MS)).await;
    let first = jiff::Timestamp::from_millisecond((now - 30 * DAY_MS) as i64).unwrap();
    let first = first.strftime("%Y-%m-%d").to_string();
    let not_before = format!("Calls before {first} were not searched: use --day, --number or --user.\n");

    let nothing = terminal.ahoy(&["calls"]).await;
    assert_eq!((&nothing.out[..], nothing.err), ("No calls.\n", not_before.clone()));
    assert_eq!(json(&terminal, &["calls", "--json"]).await["since"], first);

    list(&terminal, &call(2, "220", now)).await;
    assert_eq!(terminal.ahoy(&["calls"]).await.err, not_before);
    for all in [&["--number", "220"][..], &["--day", "today"]] {
        let output = terminal.ahoy(&[&["calls"], all].concat()).await;
        assert_eq!((output.out.contains("220"), &output.err[..]), (true, ""), "{all:?}");
    }
    assert_eq!(json(&terminal, &["calls", "--number", "220", "--json"]).await["since"], Value::Null);

    list(&terminal, &call(3, "220", now - 1)).await;
    let more = terminal.ahoy(&["calls", "--limit", "1"]).await;
    assert!(more.err.starts_with("There are more: --after ") && more.err.lines().count() == 1, "{more:?}");
}

#[tokio::test]
async fn a_call_is_shown_by_a_unique_prefix_of_its_reference() {
    let terminal = Terminal::new().await;
    let now = service::time::now_ms();
    let other =
        CallListing { call_ref: format!("000000000001{}", "f".repeat(52)).into(), ..call(2, "220", now) };
    list(&terminal, &call(1, "220", now)).await;
    list(&terminal, &other).await;

    let shown = terminal.ahoy(&["show", &other.call_ref.as_str()[..16]]).await;
    assert_eq!(shown.code, Some(0), "{shown:?}");
    assert!(shown.out.starts_with(&format!("call {}", other.call_ref)), "{shown:?}");
    for (name, why) in [("000000000001", "more than one call"), ("ffffffff", "there is no call")] {
        let output = terminal.ahoy(&["show", name]).await;
        assert_eq!((output.code, output.err.contains(why)), (Some(1), true), "{output:?}");
    }
    assert_eq!(terminal.ahoy(&["show", "0000"]).await.code, Some(64));
}

async fn list(terminal: &Terminal, call: &CallListing) {
    let day =
        jiff::Timestamp::from_millisecond(call.rang_at_ms as i64).unwrap().strftime("%Y-%m-%d").to_string();
    for item in call.items(&[], &day, u64::MAX / 1_000) {
        terminal.store().put(item).await.unwrap();
    }
}

fn call(n: u64, number: &str, rang_at_ms: u64) -> CallListing {
    CallListing {
        call_ref: format!("{n:012x}{}", "e".repeat(52)).into(),
        line: Line::WhatsApp.into(),
        number: number.into(),
        rang_at_ms,
        start: Some("warm".into()),
        accepted_at_ms: Some(rang_at_ms + 500),
        ended_at_ms: Some(rang_at_ms + 7_500),
        ending: Some(Ending::CallerHungUp.into()),
        by: Some(Party::Caller.into()),
    }
}

async fn json(terminal: &Terminal, words: &[&str]) -> Value {
    let output = terminal.ahoy(words).await;
    assert_eq!(output.code, Some(0), "{output:?}");
    serde_json::from_str(&output.out).unwrap()
}
