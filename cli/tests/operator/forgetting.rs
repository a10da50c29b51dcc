//! `ahoy forget` finds what no list leads to, deletes nothing of strangers, and says what it cannot know.

use crate::business::{Business, NUMBER};
use internal_api::{keys, pseudonym};
use serde_json::{Value, json};
use service::time::now_ms;
use std::collections::BTreeSet;
use store::CallListing;
use store::items::{Item, number, text};

const THEM: &str = "919900000001";
const THEIR_ID: &str = "IN.99990000000000000001";
const STRANGER: &str = "91990000000199";

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_no_list_is_found_and_strangers_stay() {
    let business = Business::healthy().await;
    let before = business.stored().await;
    // Marked with a key that was changed twice since: only the call's state tells who called.
    business.called("aa", &[THEM, THEIR_ID], b"a lost key", json!([THEM, THEIR_ID])).await;
    // Found by the other name, which only the state above tells; its own state is gone.
    business.called("bb", &[THEIR_ID], b"the key before", Value::Null).await;
    let odd = json!({"from": THEM, "text": "Held."}).to_string();
    business.keep(&keys::account("7"), "NOTICE#account_update#0", "item", &odd).await;
    business.keep(&keys::call("cc"), "EV#00000000#webhook-held#00000000", "item", &odd).await;
    business.keep(&keys::number("no-agent"), "NOTICE#odd#0", "item", "+919900000001 is away").await;
    business.keep(&keys::unfit("dd"), keys::UNFIT, "head", &odd).await;
    let theirs = business.stored().await;
    business.called("ee", &[STRANGER], b"the door key", json!([STRANGER, null])).await;
    business
        .keep(&keys::account("7"), "NOTICE#account_update#1", "item", &json!({"from": STRANGER}).to_string())
        .await;
    let all = business.stored().await;

    let said = business.ahoy(&["forget", THEM, "--yes", "--json"]).await;

    let told: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((said.code, &told["calls"], &told["unknown"]), (Some(0), &json!(2), &json!([])), "{said:?}");
    let left = business.stored().await;
    let wanted = before.union(&all.difference(&theirs).cloned().collect()).cloned().collect();
    let is_ours =
        |key: &&(String, String)| !key.0.starts_with("FORGOTTEN#") && !key.1.starts_with("FORGOTTEN#");
    assert_eq!(left.iter().filter(is_ours).cloned().collect::<BTreeSet<_>>(), wanted);
    assert!(left.contains(&tombstone()), "{left:?}");
    assert!(left.contains(&(keys::forgotten_call(&"aa".repeat(32)), keys::OF_CALL.to_owned())), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_cannot_be_read_and_was_set_aside_is_forgotten() {
    let business = Business::healthy().await;
    let before = business.stored().await;
    let mut state = item(&keys::call(&"aa".repeat(32)), keys::STATE);
    let texts = [("caller_number", THEM), ("number", NUMBER), ("call", "of a newer release")];
    state.extend(texts.map(|(name, value)| (name.to_owned(), text(value))));
    state.insert("is_set_aside".to_owned(), aws_sdk_dynamodb::types::AttributeValue::Bool(true));
    business.ledger.put(state).await.unwrap();
    let mut unnumbered = item(&keys::call(&"bb".repeat(32)), keys::STATE);
    unnumbered.insert("caller_number".to_owned(), text(THEM));
    unnumbered.insert("is_set_aside".to_owned(), aws_sdk_dynamodb::types::AttributeValue::Bool(true));
    business.ledger.put(unnumbered).await.unwrap();

    let said = business.ahoy(&["forget", THEM, "--yes"]).await;

    assert_eq!(said.code, Some(0), "{said:?}");
    let left = business.stored().await;
    let is_tombstone =
        |(pk, sk): &(String, String)| pk.starts_with("FORGOTTEN#") || sk.starts_with("FORGOTTEN#");
    assert!(left.difference(&before).all(is_tombstone), "{left:?}");
    assert!(!left.iter().any(|(pk, _)| *pk == keys::number("")), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_of_whom_nothing_is_stored_has_a_tombstone() {
    let business = Business::healthy().await;
    let before = business.stored().await;

    let said = business.ahoy(&["forget", THEM, "--dry-run"]).await;
    assert_eq!((said.code, business.stored().await), (Some(0), before), "{said:?}");
    let said = business.ahoy(&["forget", THEM]).await;

    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(business.stored().await.contains(&tombstone()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrives_beside_the_tombstones_is_deleted_too() {
    let business = Business::healthy().await;
    business.called("aa", &[THEM], b"the key of marks", json!([THEM, null])).await;
    let late = (keys::account("7"), "NOTICE#account_update#0");
    // A webhook that looked for tombstones just before they were written.
    let arrives = async {
        while business.ledger.item(&tombstone().0, &tombstone().1).await.unwrap().is_none() {
            tokio::task::yield_now().await;
        }
        business.keep(&late.0, late.1, "item", &json!({"from": THEM}).to_string()).await;
    };

    let (said, ()) = tokio::join!(business.ahoy(&["forget", THEM, "--yes"]), arrives);

    assert_eq!(said.code, Some(0), "{said:?}");
    let left = business.stored().await;
    assert!(!left.contains(&(late.0, late.1.to_owned())), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_that_names_only_a_linked_name_is_found() {
    let business = Business::healthy().await;
    let linked = [THEM, THEIR_ID].map(|name| pseudonym::of(b"the key of marks", name));
    business.ledger.link_pseudonyms(&linked, now_ms() + 3_600_000).await.unwrap();
    let notice = (keys::account("7"), "NOTICE#account_update#0");
    business.keep(&notice.0, notice.1, "item", &json!({"from": THEIR_ID}).to_string()).await;

    let said = business.ahoy(&["forget", THEM, "--yes"]).await;

    assert_eq!(said.code, Some(0), "{said:?}");
    let left = business.stored().await;
    assert!(!left.contains(&(notice.0, notice.1.to_owned())), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_known_is_said_and_is_exit_2() {
    let business = Business::healthy().await;
    business.called("aa", &[THEM], b"a lost key", Value::Null).await;

    let said = business.ahoy(&["forget", THEM, "--yes"]).await;

    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("Whose 1 call were is not known"), "{said:?}");

    let odd = business.ahoy(&["forget", "connect", "--dry-run"]).await;
    assert!(odd.code == Some(2) && odd.err.contains("names like this one"), "{odd:?}");
    let short = business.ahoy(&["forget", "12345"]).await;
    assert!(short.err.contains("seven digits"), "{short:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_without_a_key_of_marks_is_searched_by_the_door_keys() {
    let business = Business::healthy().await;
    business.called("aa", &[THEM], b"the door key", json!([THEM, null])).await;
    business.called("bb", &[THEM], b"the key before", json!([THEM, null])).await;

    let said = business.ahoy_with(&[("MARK_SECRET", "gone")], &["calls", "--json", "--user", THEM]).await;
    let found: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(found["calls"].as_array().map(Vec::len), Some(2), "{said:?}");
    let said = business.ahoy_with(&[("MARK_SECRET", "gone")], &["forget", THEM, "--yes"]).await;

    assert!(said.code == Some(0) && said.out.contains("Forgotten: 2 calls"), "{said:?}");
    assert!(said.err.contains("There is no secret gone"), "{said:?}");
}

impl Business {
    /// A call of an hour ago by a person of these names, marked with `key`; `state`: the caller's number and user id there.
    async fn called(&self, name: &str, names: &[&str], key: &[u8], state: Value) {
        let (call_ref, rang_at_ms) = (name.repeat(32), now_ms() - 3_600_000);
        let call = CallListing {
            call_ref: call_ref.clone(),
            number: NUMBER.to_owned(),
            rang_at_ms,
            start: None,
            accepted_at_ms: None,
            ended_at_ms: Some(rang_at_ms + 7_500),
            ending: None,
            by: None,
        };
        let marks: Vec<_> = names.iter().map(|name| pseudonym::of(key, name)).collect();
        for item in call.items(&marks, "2026-11-22", u64::MAX / 1_000) {
            self.ledger.put(item).await.unwrap();
        }
        self.keep(&keys::call(&call_ref), &keys::line(1), "text", "Hello.").await;
        if let Some(caller) = state.as_array() {
            let told = json!({"rang_at": rang_at_ms, "ended_at": rang_at_ms + 7_500});
            let told = told.as_object().unwrap().iter();
            let told = told.map(|(name, at)| (name.clone(), number(at.as_u64().unwrap()))).collect();
            let mut item = item(&keys::call(&call_ref), keys::STATE);
            item.insert("number".to_owned(), text(NUMBER));
            item.insert("call".to_owned(), aws_sdk_dynamodb::types::AttributeValue::M(told));
            let names = ["caller_number", "caller_user_id"].into_iter().zip(caller);
            item.extend(names.filter_map(|(name, value)| Some((name.to_owned(), text(value.as_str()?)))));
            self.ledger.put(item).await.unwrap();
        }
    }

    async fn keep(&self, pk: &str, sk: &str, name: &str, value: &str) {
        let mut item = item(pk, sk);
        item.insert(name.to_owned(), text(value));
        self.ledger.put(item).await.unwrap();
    }

    /// The keys of everything in the table.
    async fn stored(&self) -> BTreeSet<(String, String)> {
        let mut pages = self.ledger.client.scan().table_name("ahoy").into_paginator().items().send();
        let mut stored = BTreeSet::new();
        while let Some(item) = pages.next().await {
            let item = item.unwrap();
            stored.insert((item["pk"].as_s().unwrap().clone(), item["sk"].as_s().unwrap().clone()));
        }
        stored
    }
}

fn tombstone() -> (String, String) {
    (keys::forgotten_person(&pseudonym::of(b"the key of marks", THEM)), keys::PERSON.to_owned())
}

fn item(pk: &str, sk: &str) -> Item {
    [("pk", pk), ("sk", sk)].map(|(name, value)| (name.to_owned(), text(value))).into()
}
