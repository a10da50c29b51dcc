//! Tests what is replayed to a new session.

use super::*;

#[test]
fn unheard_words_are_not_replayed() {
    let mut history = ConversationHistory::default();
    history.set_agent_transcript(&"a".into(), "We open at nine and close at six.");
    history.set_received(&"a".into(), Duration::from_secs(4), true);

    history.set_heard(&"a".into(), Duration::from_secs(2), Duration::from_secs(4));

    assert_eq!(texts(&mut history)[0], "We open at nine");
}

#[test]
fn an_unfinished_item_is_replayed_up_to_its_audio() {
    let mut history = ConversationHistory::default();
    history.append_agent_transcript(&"a".into(), "We open at nine and close at six, except on Sundays.");

    history.set_received(&"a".into(), Duration::from_secs(1), false);

    assert_eq!(texts(&mut history)[0], "We open at nine");
}

#[test]
fn the_last_twelve_messages_are_replayed_verbatim_and_earlier_ones_summarized() {
    let mut history = ConversationHistory::default();
    for turn in 0..20 {
        history.set_caller_transcript(&format!("u{turn}").into(), &format!("question {turn}"));
    }

    let replayed = texts(&mut history);

    assert!(replayed[0].starts_with("Earlier in this call:\nCaller: question 0\n"));
    assert_eq!(replayed[1..13], (8..20).map(|turn| format!("question {turn}")).collect::<Vec<_>>());
    assert_eq!(replayed.len(), 14);
}

#[test]
fn tool_outputs_and_open_calls_are_replayed_with_their_calls() {
    let mut history = ConversationHistory::default();
    history.add_tool_call(&"open".into(), "look", "{}");
    history.add_tool_call(&"done".into(), "look", "{}");
    for turn in 0..11 {
        history.add_note(&format!("{turn}"));
    }
    history.add_tool_output(&"done".into(), "yes");
    history.add_note("x");

    let items = history.replay(false, || "id".into());

    let calls: Vec<_> = items.iter().filter_map(|item| item["call_id"].as_str()).collect();
    assert_eq!(calls, ["open", "done", "done"]);
}

#[test]
fn a_half_heard_line_without_spaces_is_replayed_in_part() {
    let mut history = ConversationHistory::default();
    history.set_agent_transcript(
        &"a".into(),
        "お電話ありがとうございます。修理のご予約、在庫の確認、営業時間のご案内を承ります。",
    );
    history.set_received(&"a".into(), Duration::from_secs(8), true);

    history.set_heard(&"a".into(), Duration::from_secs(4), Duration::from_secs(8));

    let replayed = texts(&mut history).remove(0);
    assert!(
        replayed.starts_with("お電話ありがとうございます。") && !replayed.contains("営業時間"),
        "{replayed}"
    );
}

fn texts(history: &mut ConversationHistory) -> Vec<String> {
    let items = history.replay(false, || "id".into());
    items.iter().filter_map(|item| item["content"][0]["text"].as_str()).map(str::to_owned).collect()
}
