//! `ahoy forget` finds items outside of every list, deletes nothing about other people, and reports what it could not search.

use crate::business::{Business, NUMBER};
use call::CallRef;
use serde_json::{Value, json};
use service::time::now_ms;
use std::collections::BTreeSet;
use store::items::{Item, number, text};
use store::{CallListing, key_of};
use store::{keys, pseudonym};

const THEM: &str = "919900000001";
const THEIR_ID: &str = "IN.99990000000000000001";
const STRANGER: &str = "91990000000199";

#[tokio::test(flavor = "multi_thread")]
async fn items_outside_of_lists_are_deleted_and_strangers_kept() {
    let business = Business::healthy().await;
    let before = business.stored().await;
    // Its pseudonym is under a key that was rotated twice since: only the call's state names the caller.
    business.called("aa", &[THEM, THEIR_ID], b"a lost key", json!([THEM, THEIR_ID])).await;
    // Found by the other name, which only the state above links; its own state has expired.
    business.called("bb", &[THEIR_ID], b"the key before", Value::Null).await;
    for sk in [keys::after("call.ended"), keys::EXTRACT.to_owned()] {
        business.keep(&keys::call(&"aa".repeat(32).into()), &sk, "state", "waiting").await;
    }
    let odd = json!({"from": THEM, "text": "Held."}).to_string();
    business.keep(&keys::account("7"), "NOTICE#account_update#0", "item", &odd).await;
    business.keep(&keys::call(&"cc".into()), "EV#00000000#webhook-held#00000000", "item", &odd).await;
    business.keep(&keys::number(&"no-agent".into()), "NOTICE#odd#0", "item", "+919900000001 is away").await;
    business.keep(&keys::unfit("dd"), keys::UNFIT, "head", &odd).await;
    let theirs = business.stored().await;
    business.called("ee", &[STRANGER], b"the door key", json!([STRANGER, null])).await;
    business
        .keep(&keys::account("7"), "NOTICE#account_update#1", "item", &json!({"from": STRANGER}).to_string())
        .await;
    let all = business.stored().await;

    let output = business.ahoy(&["forget", THEM, "--yes", "--json"]).await;

    let report: Value = serde_json::from_str(&output.out).unwrap();
    assert_eq!(
        (output.code, &report["calls"], &report["unknown"]),
        (Some(0), &json!(2), &json!([])),
        "{output:?}"
    );
    let left = business.stored().await;
    let wanted = before.union(&all.difference(&theirs).cloned().collect()).cloned().collect();
    let is_ours =
        |key: &&(String, String)| !key.0.starts_with("FORGOTTEN#") && !key.1.starts_with("FORGOTTEN#");
    assert_eq!(left.iter().filter(is_ours).cloned().collect::<BTreeSet<_>>(), wanted);
    assert!(left.contains(&tombstone()), "{left:?}");
    assert!(
        left.contains(&(keys::forgotten_call(&"aa".repeat(32).into()), keys::OF_CALL.to_owned())),
        "{left:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_event_is_being_delivered_is_left() {
    let business = Business::healthy().await;
    business.called("aa", &[THEM, THEIR_ID], b"the door key", json!([THEM, THEIR_ID])).await;
    let mut event = item(&keys::call(&"aa".repeat(32).into()), &keys::after("call.ended"));
    event.insert("claimed_until_ms".to_owned(), number(now_ms() + 60_000));
    business.store.put(event.clone()).await.unwrap();
    let before = business.stored().await;

    let output = business.ahoy(&["forget", THEM, "--yes"]).await;

    assert_eq!((output.code, business.stored().await), (Some(1), before), "{output:?}");
    event.insert("claimed_until_ms".to_owned(), number(now_ms() - 1));
    business.store.put(event).await.unwrap();
    assert_eq!(business.ahoy(&["forget", THEM, "--yes"]).await.code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_call_that_was_set_aside_is_deleted() {
    let business = Business::healthy().await;
    let before = business.stored().await;
    let mut state = item(&keys::call(&"aa".repeat(32).into()), keys::STATE);
    let texts = [("caller_number", THEM), ("number", NUMBER), ("call", "of a newer release")];
    state.extend(texts.map(|(name, value)| (name.to_owned(), text(value))));
    state.insert("is_set_aside".to_owned(), aws_sdk_dynamodb::types::AttributeValue::Bool(true));
    business.store.put(state).await.unwrap();
    let mut unnumbered = item(&keys::call(&"bb".repeat(32).into()), keys::STATE);
    unnumbered.insert("caller_number".to_owned(), text(THEM));
    unnumbered.insert("is_set_aside".to_owned(), aws_sdk_dynamodb::types::AttributeValue::Bool(true));
    business.store.put(unnumbered).await.unwrap();

    let output = business.ahoy(&["forget", THEM, "--yes"]).await;

    assert_eq!(output.code, Some(0), "{output:?}");
    let left = business.stored().await;
    let is_tombstone =
        |(pk, sk): &(String, String)| pk.starts_with("FORGOTTEN#") || sk.starts_with("FORGOTTEN#");
    assert!(left.difference(&before).all(is_tombstone), "{left:?}");
    assert!(!left.iter().any(|(pk, _)| *pk == keys::number(&"".into())), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tombstone_is_written_even_if_nothing_is_stored() {
    let business = Business::healthy().await;
    let before = business.stored().await;

    let output = business.ahoy(&["forget", THEM, "--dry-run"]).await;
    assert_eq!((output.code, business.stored().await), (Some(0), before), "{output:?}");
    let output = business.ahoy(&["forget", THEM]).await;

    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(business.stored().await.contains(&tombstone()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_that_arrives_during_the_run_is_deleted() {
    let business = Business::healthy().await;
    business.called("aa", &[THEM], b"the pseudonym key", json!([THEM, null])).await;
    let late = (keys::account("7"), "NOTICE#account_update#0");
    // A webhook that read the table just before the tombstones were written.
    let arrives = async {
        while business.store.item(&tombstone().0, &tombstone().1).await.unwrap().is_none() {
            tokio::task::yield_now().await;
        }
        business.keep(&late.0, late.1, "item", &json!({"from": THEM}).to_string()).await;
    };

    let (output, ()) = tokio::join!(business.ahoy(&["forget", THEM, "--yes"]), arrives);

    assert_eq!(output.code, Some(0), "{output:?}");
    let left = business.stored().await;
    assert!(!left.contains(&(late.0, late.1.to_owned())), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_with_a_linked_name_is_deleted() {
    let business = Business::healthy().await;
    let linked = [THEM, THEIR_ID].map(|name| pseudonym::of(b"the pseudonym key", name));
    business.store.link_pseudonyms(&linked, now_ms() + 3_600_000).await.unwrap();
    let notice = (keys::account("7"), "NOTICE#account_update#0");
    business.keep(&notice.0, notice.1, "item", &json!({"from": THEIR_ID}).to_string()).await;

    let output = business.ahoy(&["forget", THEM, "--yes"]).await;

    assert_eq!(output.code, Some(0), "{output:?}");
    let left = business.stored().await;
    assert!(!left.contains(&(notice.0, notice.1.to_owned())), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incomplete_search_is_reported_with_exit_code_2() {
    let business = Business::healthy().await;
    business.called("aa", &[THEM], b"a lost key", Value::Null).await;

    let output = business.ahoy(&["forget", THEM, "--yes"]).await;

    assert_eq!(output.code, Some(2), "{output:?}");
    assert!(output.err.contains("The callers of 1 call are unknown"), "{output:?}");

    let odd = business.ahoy(&["forget", "connect", "--dry-run"]).await;
    assert!(odd.code == Some(2) && odd.err.contains("names like this one"), "{odd:?}");
    let short = business.ahoy(&["forget", "1234"]).await;
    assert!(short.err.contains("five digits"), "{short:?}");
    let extension = business.ahoy(&["forget", "12345", "--dry-run"]).await;
    assert!(!extension.err.contains("names like this one"), "no notice of Meta's names one: {extension:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_pseudonym_key_the_control_api_keys_are_used() {
    let business = Business::healthy().await;
    business.called("aa", &[THEM], b"the door key", json!([THEM, null])).await;
    business.called("bb", &[THEM], b"the key before", json!([THEM, null])).await;

    let output = business.ahoy_with(&[("MARK_SECRET", "gone")], &["calls", "--json", "--user", THEM]).await;
    let found: Value = serde_json::from_str(&output.out).unwrap();
    assert_eq!(found["calls"].as_array().map(Vec::len), Some(2), "{output:?}");
    let output = business.ahoy_with(&[("MARK_SECRET", "gone")], &["forget", THEM, "--yes"]).await;

    assert!(output.code == Some(0) && output.out.contains("Forgotten: 2 calls"), "{output:?}");
    assert!(output.err.contains("There is no secret gone"), "{output:?}");

    business.called("cc", &[THEM], b"a lost key", Value::Null).await;
    let output = business.ahoy_with(&[("MARK_SECRET", "gone")], &["forget", THEM, "--yes"]).await;
    assert!(output.code == Some(2) && output.err.contains("The callers of 1 call are unknown"), "{output:?}");
}

impl Business {
    /// Stores a call of an hour ago under the pseudonyms of `names` with `key`; `state` holds the caller's number and user id.
    async fn called(&self, name: &str, names: &[&str], key: &[u8], state: Value) {
        let (call_ref, rang_at_ms) = (CallRef::from(name.repeat(32)), now_ms() - 3_600_000);
        let call = CallListing {
            call_ref: call_ref.clone(),
            line: call::Line::WhatsApp.into(),
            number: NUMBER.into(),
            rang_at_ms,
            start: None,
            accepted_at_ms: None,
            ended_at_ms: Some(rang_at_ms + 7_500),
            ending: None,
            by: None,
        };
        let pseudonyms: Vec<_> = names.iter().map(|name| pseudonym::of(key, name)).collect();
        for item in call.items(&pseudonyms, "2026-11-22", u64::MAX / 1_000) {
            self.store.put(item).await.unwrap();
        }
        self.keep(&keys::call(&call_ref), &keys::line(1), "text", "Hello.").await;
        if let Some(caller) = state.as_array() {
            let times = json!({"rang_at": rang_at_ms, "ended_at": rang_at_ms + 7_500});
            let times = times.as_object().unwrap().iter();
            let times = times.map(|(name, at)| (name.clone(), number(at.as_u64().unwrap()))).collect();
            let mut item = item(&keys::call(&call_ref), keys::STATE);
            item.insert("number".to_owned(), text(NUMBER));
            item.insert("call".to_owned(), aws_sdk_dynamodb::types::AttributeValue::M(times));
            let names = ["caller_number", "caller_user_id"].into_iter().zip(caller);
            item.extend(names.filter_map(|(name, value)| Some((name.to_owned(), text(value.as_str()?)))));
            self.store.put(item).await.unwrap();
        }
    }

    async fn keep(&self, pk: &str, sk: &str, name: &str, value: &str) {
        let mut item = item(pk, sk);
        item.insert(name.to_owned(), text(value));
        self.store.put(item).await.unwrap();
    }

    /// Returns the keys of all items in the table.
    async fn stored(&self) -> BTreeSet<(String, String)> {
        let mut stored = BTreeSet::new();
        self.store.scan(|item| stored.extend(key_of(&item))).await.unwrap();
        stored
    }
}

fn tombstone() -> (String, String) {
    (keys::forgotten_person(&pseudonym::of(b"the pseudonym key", THEM)), keys::PERSON.to_owned())
}

fn item(pk: &str, sk: &str) -> Item {
    [("pk", pk), ("sk", sk)].map(|(name, value)| (name.to_owned(), text(value))).into()
}
