//! Tombstones: removes forgotten people from notices that arrive after `ahoy forget`: the notice is recorded, without the person.

use super::Intake;
use super::other_notices::keeps_content;
use call::CallRef;
use futures_util::{StreamExt, TryStreamExt};
use secrecy::{ExposeSecret, SecretString};
use std::collections::{BTreeSet, HashSet};
use std::hash::Hash;
use store::{Key, call_ref, pseudonym, tombstone_of_call, tombstone_of_person};
use whatsapp::{Caller, ConnectDetails, Notice, NoticeKind, personal_names};

/// How many tombstones are looked up concurrently.
const AT_ONCE: usize = 16;

/// The most people looked up for one notice; a notice that names more is recorded without any.
const PEOPLE: usize = 1_000;

/// A `connect` with a younger stamp cannot be a repeat of a forgotten call, ms.
const NEW_MS: u64 = 5_000;

/// The calls and people of a batch that were forgotten.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tombstones {
    calls: HashSet<CallRef>,
    people: HashSet<String>,
}

impl Intake {
    /// Looks up the tombstones of a batch's calls and people. People are found by pseudonyms under `pseudonym_keys`; without a key, only
    /// calls are.
    ///
    /// # Errors
    /// When DynamoDB fails: Meta must send the batch again.
    pub async fn tombstones(
        &self,
        notices: &[Notice],
        pseudonym_keys: &[SecretString],
        now_ms: u64,
    ) -> anyhow::Result<Tombstones> {
        let may_be_repeats = notices.iter().filter(|notice| !is_new(notice, now_ms));
        let calls: BTreeSet<_> = may_be_repeats.filter_map(kept_of_call).collect();
        let people = notices.iter().map(people).filter(|people| people.len() <= PEOPLE);
        let people: BTreeSet<_> = people.flatten().collect();
        let pseudonyms = people.iter().flat_map(|name| {
            let pseudonym = |key: &SecretString| pseudonym::of(key.expose_secret().as_bytes(), name);
            pseudonym_keys.iter().map(move |key| (name.clone(), tombstone_of_person(&pseudonym(key))))
        });
        let calls = calls.into_iter().map(|call| (call.clone(), tombstone_of_call(&call)));
        let (calls, people) = tokio::try_join!(
            self.with_tombstones(calls.collect()),
            self.with_tombstones(pseudonyms.collect())
        )?;
        Ok(Tombstones { calls, people })
    }

    async fn with_tombstones<T: Eq + Hash>(&self, wanted: Vec<(T, Key)>) -> anyhow::Result<HashSet<T>> {
        let asked = futures_util::stream::iter(wanted).map(|(name, tombstone)| async move {
            anyhow::Ok(self.store.has_tombstone(&tombstone).await?.then_some(name))
        });
        let found: Vec<_> = asked.buffer_unordered(AT_ONCE).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }
}

impl Tombstones {
    /// Returns the notices without the forgotten people; a repeated `connect` of a forgotten call is not answered.
    ///
    /// A changed name stays in its notice: call-control keeps only pseudonyms of it, and only where one of the names is known.
    pub fn redact(&self, notices: Vec<Notice>) -> Vec<Notice> {
        notices.into_iter().map(|notice| self.redact_notice(notice)).collect()
    }

    fn redact_notice(&self, notice: Notice) -> Notice {
        let is_of_call = kept_of_call(&notice).is_some_and(|call_ref| self.calls.contains(&call_ref));
        let people = people(&notice);
        let names_them = people.len() > PEOPLE || !self.people.is_disjoint(&people);
        if !is_of_call && !names_them {
            return notice;
        }
        match notice.what {
            NoticeKind::Offer(_) => without_person(Notice { what: NoticeKind::Unknown, ..notice }),
            _ => without_person(notice),
        }
    }
}

fn without_person(notice: Notice) -> Notice {
    let (caller, details) = (Caller::default(), ConnectDetails::default());
    Notice { caller, details, item: String::new(), ..notice }
}

/// Returns the call of a notice that would store its person.
fn kept_of_call(notice: &Notice) -> Option<CallRef> {
    let keeps = matches!(notice.what, NoticeKind::Offer(_)) || keeps_content(&notice.what);
    notice.call_id().filter(|_| keeps).map(call_ref)
}

/// Whether a call has only just begun to ring: none such was forgotten, and it must not wait for a lookup.
fn is_new(notice: &Notice, now_ms: u64) -> bool {
    let stamped_ms = notice.stamped_at.map(|seconds| seconds.saturating_mul(1_000));
    matches!(notice.what, NoticeKind::Offer(_))
        && stamped_ms.is_some_and(|at| now_ms.saturating_sub(at) < NEW_MS)
}

/// Returns the people a notice would store. Not the caller of a new call, who is answered even if forgotten earlier.
fn people(notice: &Notice) -> HashSet<String> {
    let is_of_chats =
        matches!(notice.what, NoticeKind::MessageFailed { .. } | NoticeKind::UserChanged { .. });
    let keeps_caller = notice.call_id().is_none() && !is_of_chats;
    let Caller { number, user_id } = &notice.caller;
    let caller = [number, user_id].into_iter().flatten().filter(move |_| keeps_caller).cloned();
    let content = keeps_content(&notice.what).then(|| personal_names::in_text(&notice.item));
    caller.chain(content.into_iter().flatten()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const THEIRS: &str = "919900000001";

    #[test]
    fn records_a_notice_without_the_forgotten_person() {
        let tombstones = Tombstones { people: [THEIRS.to_owned()].into(), ..Tombstones::default() };
        let odd = |from: &str| json!({"id": "wacid.A", "event": "held", "from": from});

        let read = tombstones.redact(notices(&json!([odd(THEIRS), odd("919900000002")])));

        assert_eq!(read.len(), 2);
        assert_eq!(
            (read[0].item.as_str(), &read[0].caller, &read[0].event[..]),
            ("", &Caller::default(), "held")
        );
        assert!(read[1].item.contains("919900000002"));
    }

    #[test]
    fn a_repeated_connect_of_a_forgotten_call_is_not_answered() {
        let tombstones = Tombstones { calls: [call_ref("wacid.A")].into(), ..Tombstones::default() };
        let connect = |id: &str| json!({"id": id, "event": "connect", "from": THEIRS, "deeplink_payload": "campaign-42", "session": {"sdp_type": "offer", "sdp": "v=0"}});

        let read = tombstones.redact(notices(&json!([connect("wacid.A"), connect("wacid.B")])));

        assert_eq!(
            (&read[0].what, &read[0].caller, read[0].item.as_str()),
            (&NoticeKind::Unknown, &Caller::default(), "")
        );
        assert_eq!(read[0].details, ConnectDetails::default());
        assert!(matches!(read[1].what, NoticeKind::Offer(_)), "a new call of theirs is answered");
    }

    #[test]
    fn records_a_notice_of_too_many_people_without_any() {
        let crowd = |size: usize| {
            let people: Vec<_> = (1..=size).map(|n| format!("9199000{n:05}")).collect();
            json!({"id": "wacid.A", "event": "held", "with": people})
        };

        let read = Tombstones::default().redact(notices(&json!([crowd(PEOPLE + 1), crowd(PEOPLE)])));

        assert_eq!(read[0].item, "");
        assert!(read[1].item.contains("919900000001"), "no one was forgotten");
    }

    fn notices(calls: &serde_json::Value) -> Vec<Notice> {
        let value = json!({"metadata": {"phone_number_id": "1"}, "calls": calls});
        let body = json!({"entry": [{"changes": [{"field": "calls", "value": value}]}]});
        whatsapp::notice::read(body.to_string().as_bytes()).expect("it is JSON").notices
    }
}
