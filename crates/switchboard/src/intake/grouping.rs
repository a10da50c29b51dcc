//! Sorts a batch: what belongs to one call comes together, calls that ring come first, and what came twice goes once.

use super::{IntakeSettings, SentMessages, UnknownNumbers};
use crate::stored_call::call_ref;
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use whatsapp::{Notice, NoticeKind};

/// A `connect` with an older stamp is not answered: nobody waits any more. Stamps may be off by two minutes, and
/// the longest ring is one.
const STALE_AFTER: Duration = Duration::from_secs(180);

/// A `connect` with a stamp further ahead is not answered either: no clock of Meta's is that far off.
const AHEAD_BY: Duration = Duration::from_secs(60 * 60);

/// So many notices of one call go into one transaction. DynamoDB takes a hundred items.
const AT_ONCE: usize = 40;

/// What is recorded together.
#[derive(Debug, Clone, PartialEq)]
pub enum NoticeGroup {
    /// Notices about one call.
    Call {
        /// The call.
        call_ref: String,
        /// What Meta tells of it, what decides its state first.
        told: Vec<ReportedCall>,
    },
    /// A notice about a number or an account.
    Apart(Box<Notice>),
}

/// A notice about a call, and what we have to do with it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportedCall {
    /// The notice.
    pub notice: Notice,
    /// Whether we act on it.
    pub standing: Standing,
}

/// Whether we act on a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// We do.
    Ours,
    /// Its number is not ours: recorded, not answered.
    NotOurs,
    /// It comes too late, or its stamp is far ahead: recorded, not answered.
    Stale {
        /// How old its stamp is, ms.
        late_ms: u64,
        /// How far ahead it is, ms.
        ahead_ms: u64,
    },
}

/// Sorts the notices of a batch, in which `strangers` are not our numbers, and `sent` the messages that are ours. Failed messages
/// of others are chats: nothing of them is kept, nor of people who write to numbers that are not ours.
pub fn groups(
    notices: Vec<Notice>,
    house: &IntakeSettings,
    strangers: &UnknownNumbers,
    sent: &SentMessages,
    now_ms: u64,
) -> Vec<NoticeGroup> {
    let mut apart = vec![];
    let mut seen = HashSet::new();
    let mut calls: HashMap<String, Vec<ReportedCall>> = HashMap::new();
    for notice in notices {
        if let NoticeKind::MessageFailed { message, .. } = &notice.what {
            if let Some(call_ref) = sent.call_of(message).filter(|_| seen.insert(once(message, &notice))) {
                let told = ReportedCall { notice: notice.clone(), standing: Standing::Ours };
                calls.entry(call_ref.to_owned()).or_default().push(told);
            }
            continue;
        }
        if let NoticeKind::UserChanged { .. } = &notice.what
            && !is_ours(&notice, house, strangers)
        {
            continue;
        }
        let Some(id) = notice.call_id() else {
            apart.push(NoticeGroup::Apart(Box::new(notice)));
            continue;
        };
        let call_ref = call_ref(id);
        if seen.insert(once(&call_ref, &notice)) {
            let standing = standing(&notice, house, strangers, now_ms);
            calls.entry(call_ref).or_default().push(ReportedCall { notice, standing });
        }
    }
    let mut groups: Vec<_> = calls.into_iter().flat_map(|(call_ref, told)| chunks(call_ref, told)).collect();
    groups.sort_by_key(NoticeGroup::urgency);
    groups.append(&mut apart);
    groups
}

/// By which a repeat within a batch is known.
fn once(about: &str, notice: &Notice) -> [String; 4] {
    [about.to_owned(), notice.event.clone(), notice.status.clone(), notice.digest.clone()]
}

fn chunks(call_ref: String, mut told: Vec<ReportedCall>) -> impl Iterator<Item = NoticeGroup> {
    told.sort_by_key(|told| urgency(&told.notice));
    let chunks: Vec<_> = told.chunks(AT_ONCE).map(<[ReportedCall]>::to_vec).collect();
    chunks.into_iter().map(move |told| NoticeGroup::Call { call_ref: call_ref.clone(), told })
}

/// Whether it is about a number of ours.
pub(super) fn is_ours(notice: &Notice, house: &IntakeSettings, strangers: &UnknownNumbers) -> bool {
    notice.number().is_some_and(|number| house.has(number, strangers))
}

fn standing(notice: &Notice, house: &IntakeSettings, strangers: &UnknownNumbers, now_ms: u64) -> Standing {
    if !is_ours(notice, house, strangers) {
        return Standing::NotOurs;
    }
    let stamped_ms = notice.stamped_at.map_or(now_ms, |seconds| seconds.saturating_mul(1_000));
    let (late_ms, ahead_ms) = (now_ms.saturating_sub(stamped_ms), stamped_ms.saturating_sub(now_ms));
    let is_stale = late_ms > STALE_AFTER.as_millis() as u64 || ahead_ms > AHEAD_BY.as_millis() as u64;
    match notice.what {
        NoticeKind::Offer(_) if is_stale => Standing::Stale { late_ms, ahead_ms },
        _ => Standing::Ours,
    }
}

fn urgency(notice: &Notice) -> u8 {
    match notice.what {
        NoticeKind::Offer(_) => 0,
        NoticeKind::Over { .. } => 1,
        _ => 2,
    }
}

impl NoticeGroup {
    fn urgency(&self) -> u8 {
        match self {
            Self::Call { told, .. } => told.first().map_or(2, |told| urgency(&told.notice)),
            Self::Apart(_) => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::KnownNumbers;
    use serde_json::{Value, json};

    const NOW_MS: u64 = 1_795_305_600_000;

    #[test]
    fn what_belongs_to_a_call_comes_together_and_calls_that_ring_come_first() {
        let over = json!({"id": "wacid.A", "event": "terminate"});
        let other = json!({"id": "wacid.B", "event": "terminate"});

        let groups = sorted(json!([other, over, connect(0), connect(0)]));

        let events: Vec<Vec<_>> =
            groups.iter().map(|group| told(group).map(|told| &told.notice.event[..]).collect()).collect();
        assert_eq!(events, [vec!["connect", "terminate"], vec!["terminate"]]);
    }

    #[test]
    fn a_connect_is_stale_after_three_minutes_and_an_hour_ahead() {
        let standing = |late_s| told(&sorted(json!([connect(late_s)]))[0]).next().map(|told| told.standing);

        assert_eq!(standing(180), Some(Standing::Ours));
        assert_eq!(standing(181), Some(Standing::Stale { late_ms: 181_000, ahead_ms: 0 }));
        assert_eq!(standing(-120), Some(Standing::Ours));
        assert_eq!(standing(-3_600), Some(Standing::Ours));
        assert_eq!(standing(-3_601), Some(Standing::Stale { late_ms: 0, ahead_ms: 3_601_000 }));
    }

    #[test]
    fn a_call_of_another_number_or_of_none_is_not_ours() {
        for metadata in [json!({"phone_number_id": "9"}), json!({})] {
            let groups = sorted_as(&metadata, json!([connect(0)]));

            assert_eq!(told(&groups[0]).next().map(|told| told.standing), Some(Standing::NotOurs));
        }
    }

    #[test]
    fn no_transaction_grows_beyond_what_dynamodb_takes() {
        let many = (0..100).map(|n| json!({"id": "wacid.A", "event": format!("odd{n}")}));

        let groups = sorted(many.chain([connect(0)]).collect());

        assert_eq!(groups.iter().map(|group| told(group).count()).collect::<Vec<_>>(), [40, 40, 21]);
        assert_eq!(told(&groups[0]).next().map(|told| &told.notice.event[..]), Some("connect"));
    }

    #[test]
    fn nothing_is_kept_of_people_who_write_to_other_numbers() {
        let system = json!({"type": "user_changed_number", "wa_id": "919900000002"});
        let message = json!({"id": "wamid.S", "from": "919900000001", "type": "system", "system": system});
        let sorted = |number: &str| {
            let value = json!({"metadata": {"phone_number_id": number}, "messages": [message]});
            let body = json!({"entry": [{"changes": [{"field": "messages", "value": value}]}]});
            let notices = whatsapp::notice::read(body.to_string().as_bytes()).expect("it is JSON").notices;
            groups(notices, &house(), &UnknownNumbers::default(), &SentMessages::default(), NOW_MS).len()
        };

        assert_eq!((sorted("1"), sorted("9")), (1, 0));
    }

    fn told(group: &NoticeGroup) -> impl Iterator<Item = &ReportedCall> {
        match group {
            NoticeGroup::Call { told, .. } => told.iter(),
            NoticeGroup::Apart(notice) => panic!("this is about no call: {notice:?}"),
        }
    }

    fn sorted(calls: Value) -> Vec<NoticeGroup> {
        sorted_as(&json!({"phone_number_id": "1"}), calls)
    }

    fn sorted_as(metadata: &Value, calls: Value) -> Vec<NoticeGroup> {
        groups(read(metadata, calls), &house(), &UnknownNumbers::default(), &SentMessages::default(), NOW_MS)
    }

    fn read(metadata: &Value, calls: Value) -> Vec<Notice> {
        let value = json!({"metadata": metadata, "calls": calls});
        let body = json!({"entry": [{"changes": [{"field": "calls", "value": value}]}]});
        whatsapp::notice::read(body.to_string().as_bytes()).expect("it is JSON").notices
    }

    fn house() -> IntakeSettings {
        IntakeSettings {
            numbers: KnownNumbers::Listed(vec!["1".into()]),
            ring_budget: Duration::from_secs(25),
        }
    }

    fn connect(late_s: i64) -> Value {
        let stamp = (NOW_MS as i64 / 1_000 - late_s).to_string();
        json!({"id": "wacid.A", "event": "connect", "timestamp": stamp,
            "session": {"sdp_type": "offer", "sdp": "v=0\r\n"}})
    }
}
