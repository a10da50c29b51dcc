//! Calls that their agent does not take: closed, too much spent today, called too often.

use call::{Ending, Fence, NumberId};
use harness::{Afterwards, Story, entries};
use journal::JournalEvent;
use service::time::now_ms;
use sim_meta::{ActionName, Ending as AtMeta, MetaConfig};
use store::{CallOwner, StoredAgent};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_call_on_a_closed_day_is_turned_away() {
    let now = now_ms();
    let days: Vec<_> = [now - DAY_MS, now, now + DAY_MS].into_iter().map(day).collect();
    let week = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let hours = week.map(|day| format!("{day} = [\"00:00-24:00\"]\n")).concat();
    let story = with(&format!("[hours]\nzone = \"UTC\"\n{hours}closed_on = {days:?}")).await;

    let after = story.ring().await.afterwards().await;

    was_turned_away(&after, Ending::Closed, "closed");
    was_told(&story, "We are closed. Write to us.");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_past_the_days_budget_is_turned_away() {
    let story = with("[caps]\ndollars_a_day = 0.5").await;
    let (number, store) = (NumberId::from(MetaConfig::default().phone_number_id), &story.stack.store);
    for day in [day(now_ms()), day(now_ms() + DAY_MS)] {
        let by = CallOwner {
            call_ref: day.clone().into(),
            number: number.clone(),
            fence: Fence(1),
            forget_at: u64::MAX >> 20,
        };
        store.count_spent(&by, &day, 0, 500_000).await.expect("the table can be written to");
    }

    let after = story.ring().await.afterwards().await;

    was_turned_away(&after, Ending::OverBudget, "over_budget");
    let near = entries!(after.journal, JournalEvent::CapNear { cap_micro_dollars, .. } => *cap_micro_dollars);
    assert_eq!(near, [500_000], "{after:?}");
    was_told(&story, "No more today.");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_third_call_within_an_hour_exceeds_a_limit_of_two() {
    let story = with("[caps]\ncalls_an_hour = 2").await;
    for _ in 0..2 {
        let caller = story.ring().await;
        caller.is_picked_up().await;
        let after = caller.hangs_up().await;
        assert_eq!((after.ending, after.messages), (Ending::CallerHungUp, 0), "{after:?}");
    }

    let after = story.ring().await.afterwards().await;

    was_turned_away(&after, Ending::CalledTooOften, "called_too_often");
    was_told(&story, "Later, please.");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_is_turned_away_again_is_told_no_more() {
    let story = with("[caps]\ncalls_an_hour = 1\nnotices_an_hour = 1").await;
    let first = story.ring().await;
    first.is_picked_up().await;
    first.hangs_up().await;
    let told = story.ring().await.afterwards().await;
    assert_eq!((told.ending, told.messages), (Ending::CalledTooOften, 1), "{told:?}");

    let after = story.ring().await.afterwards().await;

    was_turned_away(&after, Ending::CalledTooOften, "called_too_often");
    was_told(&story, "Later, please.");
    let refused = JournalEvent::ActionRefused { action: "notice".into(), budget: "hour".into() };
    assert!(after.journal.contains(&refused), "{after:?}");
}

fn was_turned_away(after: &Afterwards, ending: Ending, why: &str) {
    assert_eq!((after.ending, after.at_meta), (ending, AtMeta::Rejected), "{after:?}");
    assert_eq!((&after.actions[..], after.assignments), (&[ActionName::Reject][..], 0), "{after:?}");
    let whys = entries!(after.journal, JournalEvent::TurnedAway { why } => why.to_string());
    assert_eq!(whys, [why], "{after:?}");
}

/// There was one message, and it said this.
fn was_told(story: &Story, words: &str) {
    let messages = story.meta.messages();
    let said: Vec<_> = messages.iter().map(|message| message["text"]["body"].as_str()).collect();
    assert_eq!(said, [Some(words)]);
}

/// The number has an agent, with this in its file.
async fn with(more: &str) -> Story {
    let story = Story::begin().await;
    let agent = format!(
        "name = \"shop\"\ninstructions = \"You answer the telephone.\"\n[greeting]\nsay = \"Hello.\"\n[messages]\n\
         closed = \"We are closed. Write to us.\"\nspent = \"No more today.\"\ntoo_many_calls = \"Later, please.\"\n{more}\n"
    );
    let store = &story.stack.store;
    let agent = StoredAgent::new("shop", &agent, now_ms());
    store.put_agent(&agent).await.expect("the table can be written to");
    let number = MetaConfig::default().phone_number_id.into();
    store.assign(&number, "shop").await.expect("the table can be written to");
    story
}

/// The date of a moment in UTC.
fn day(at_ms: u64) -> String {
    agents::Agent::built_in().day(at_ms)
}
