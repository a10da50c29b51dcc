//! What a new session is told.

use super::*;

#[test]
fn what_the_caller_did_not_hear_is_not_told() {
    let mut mirror = ConversationHistory::default();
    mirror.agent_said("a", "We open at nine and close at six.");
    mirror.received("a", Duration::from_secs(4), true);

    mirror.heard("a", Duration::from_secs(2), Duration::from_secs(4));

    assert_eq!(texts(&mut mirror)[0], "We open at nine");
}

#[test]
fn of_an_item_that_never_ended_as_many_words_are_told_as_there_was_sound() {
    let mut mirror = ConversationHistory::default();
    mirror.agent_adds("a", "We open at nine and close at six, except on Sundays.");

    mirror.received("a", Duration::from_secs(1), false);

    assert_eq!(texts(&mut mirror)[0], "We open at nine");
}

#[test]
fn the_last_twelve_messages_are_told_word_for_word_and_those_before_shortly() {
    let mut mirror = ConversationHistory::default();
    for turn in 0..20 {
        mirror.caller_said(&format!("u{turn}"), &format!("question {turn}"));
    }

    let told = texts(&mut mirror);

    assert!(told[0].starts_with("Earlier in this call:\nCaller: question 0\n"));
    assert_eq!(told[1..13], (8..20).map(|turn| format!("question {turn}")).collect::<Vec<_>>());
    assert_eq!(told.len(), 14);
}

#[test]
fn a_tools_output_is_never_told_without_its_call_and_an_open_call_always_is() {
    let mut mirror = ConversationHistory::default();
    mirror.called("open", "look", "{}");
    mirror.called("done", "look", "{}");
    for turn in 0..11 {
        mirror.told(&format!("{turn}"));
    }
    mirror.answered("done", "yes");
    mirror.told("x");

    let items = mirror.retell(false, || "id".to_owned());

    let calls: Vec<_> = items.iter().filter_map(|item| item["call_id"].as_str()).collect();
    assert_eq!(calls, ["open", "done", "done"]);
}

#[test]
fn half_of_a_line_without_spaces_is_told() {
    let mut mirror = ConversationHistory::default();
    mirror.agent_said(
        "a",
        "お電話ありがとうございます。修理のご予約、在庫の確認、営業時間のご案内を承ります。",
    );
    mirror.received("a", Duration::from_secs(8), true);

    mirror.heard("a", Duration::from_secs(4), Duration::from_secs(8));

    let told = texts(&mut mirror).remove(0);
    assert!(told.starts_with("お電話ありがとうございます。") && !told.contains("営業時間"), "{told}");
}

fn texts(mirror: &mut ConversationHistory) -> Vec<String> {
    let items = mirror.retell(false, || "id".to_owned());
    items.iter().filter_map(|item| item["content"][0]["text"].as_str()).map(str::to_owned).collect()
}
