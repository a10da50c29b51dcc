//! Groups a batch's notices by call, puts ringing calls first, and drops repeats within the batch.

use super::{IntakeSettings, SentMessages, UnknownNumbers};
use call::CallRef;
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use store::call_ref;
use whatsapp::{Notice, NoticeKind};

/// A `connect` with an older stamp is not answered, because the caller no longer waits: stamps may be off by two minutes, and the longest
/// ring is one.
const STALE_AFTER: Duration = Duration::from_secs(180);

/// A `connect` stamped further in the future is not answered either: Meta's clocks are not that far off.
const AHEAD_BY: Duration = Duration::from_secs(60 * 60);

/// How many notices of one call go into one transaction; DynamoDB takes a hundred items.
const AT_ONCE: usize = 40;

/// Notices that are recorded together.
#[derive(Debug, Clone, PartialEq)]
pub enum NoticeGroup {
    /// Notices about one call.
    Call {
        /// The call's reference.
        call_ref: CallRef,
        /// The notices, those that change the call's state first.
        reports: Vec<ReportedCall>,
    },
    /// A notice about a number or an account.
    Other(Box<Notice>),
}

/// A notice about a call, and whether we act on it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportedCall {
    /// What Meta reports of the call.
    pub notice: Notice,
    /// Whether we act on it.
    pub standing: Standing,
}

/// Whether a notice is acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Recorded and acted on.
    Ours,
    /// About a number that is not ours: recorded, not answered.
    NotOurs,
    /// Stamped too long ago or too far ahead: recorded, not answered.
    Stale {
        /// How old its stamp is, ms.
        late_ms: u64,
        /// How far ahead its stamp is, ms.
        ahead_ms: u64,
    },
}

/// Groups the notices of a batch, given which of its numbers are unknown and which messages we sent.
///
/// Other apps' failed messages, and people who write to numbers that are not ours, are chats: nothing of them is kept.
pub fn groups(
    notices: Vec<Notice>,
    settings: &IntakeSettings,
    unknown_numbers: &UnknownNumbers,
    sent: &SentMessages,
    now_ms: u64,
) -> Vec<NoticeGroup> {
    let mut others = vec![];
    let mut seen = HashSet::new();
    let mut calls: HashMap<CallRef, Vec<ReportedCall>> = HashMap::new();
    for notice in notices {
        if let NoticeKind::MessageFailed { message, .. } = &notice.what {
            if let Some(call_ref) =
                sent.call_of(message).filter(|_| seen.insert(repeat_key(message, &notice)))
            {
                let report = ReportedCall { notice: notice.clone(), standing: Standing::Ours };
                calls.entry(call_ref.clone()).or_default().push(report);
            }
            continue;
        }
        if let NoticeKind::UserChanged { .. } = &notice.what
            && !is_ours(&notice, settings, unknown_numbers)
        {
            continue;
        }
        let Some(id) = notice.call_id() else {
            others.push(NoticeGroup::Other(Box::new(notice)));
            continue;
        };
        let call_ref = call_ref(id);
        if seen.insert(repeat_key(call_ref.as_str(), &notice)) {
            let standing = standing(&notice, settings, unknown_numbers, now_ms);
            calls.entry(call_ref).or_default().push(ReportedCall { notice, standing });
        }
    }
    let mut groups: Vec<_> =
        calls.into_iter().flat_map(|(call_ref, reports)| chunks(call_ref, reports)).collect();
    groups.sort_by_key(NoticeGroup::urgency);
    groups.append(&mut others);
    groups
}

/// Returns the key by which a repeat within a batch is recognized.
fn repeat_key(about: &str, notice: &Notice) -> [String; 4] {
    [about.to_owned(), notice.event.clone(), notice.status.clone(), notice.digest.clone()]
}

fn chunks(call_ref: CallRef, mut reports: Vec<ReportedCall>) -> impl Iterator<Item = NoticeGroup> {
    reports.sort_by_key(|report| urgency(&report.notice));
    let chunks: Vec<_> = reports.chunks(AT_ONCE).map(<[ReportedCall]>::to_vec).collect();
    chunks.into_iter().map(move |reports| NoticeGroup::Call { call_ref: call_ref.clone(), reports })
}

/// Whether a notice is about a number of ours.
pub(super) fn is_ours(notice: &Notice, settings: &IntakeSettings, unknown_numbers: &UnknownNumbers) -> bool {
    notice.number().is_some_and(|number| settings.includes(&number.into(), unknown_numbers))
}

fn standing(
    notice: &Notice,
    settings: &IntakeSettings,
    unknown_numbers: &UnknownNumbers,
    now_ms: u64,
) -> Standing {
    if !is_ours(notice, settings, unknown_numbers) {
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
            Self::Call { reports, .. } => reports.first().map_or(2, |report| urgency(&report.notice)),
            Self::Other(_) => 2,
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
    fn groups_notices_by_call_with_ringing_calls_first() {
        let over = json!({"id": "wacid.A", "event": "terminate"});
        let other = json!({"id": "wacid.B", "event": "terminate"});

        let groups = grouped(json!([other, over, connect(0), connect(0)]));

        let events: Vec<Vec<_>> = groups
            .iter()
            .map(|group| reports(group).map(|report| &report.notice.event[..]).collect())
            .collect();
        assert_eq!(events, [vec!["connect", "terminate"], vec!["terminate"]]);
    }

    #[test]
    fn a_connect_is_stale_after_three_minutes_and_an_hour_ahead() {
        let standing =
            |late_s| reports(&grouped(json!([connect(late_s)]))[0]).next().map(|report| report.standing);

        assert_eq!(standing(180), Some(Standing::Ours));
        assert_eq!(standing(181), Some(Standing::Stale { late_ms: 181_000, ahead_ms: 0 }));
        assert_eq!(standing(-120), Some(Standing::Ours));
        assert_eq!(standing(-3_600), Some(Standing::Ours));
        assert_eq!(standing(-3_601), Some(Standing::Stale { late_ms: 0, ahead_ms: 3_601_000 }));
    }

    #[test]
    fn a_call_of_another_number_or_of_none_is_not_ours() {
        for metadata in [json!({"phone_number_id": "9"}), json!({})] {
            let groups = grouped_with(&metadata, json!([connect(0)]));

            assert_eq!(reports(&groups[0]).next().map(|report| report.standing), Some(Standing::NotOurs));
        }
    }

    #[test]
    fn splits_groups_too_large_for_one_transaction() {
        let many = (0..100).map(|n| json!({"id": "wacid.A", "event": format!("odd{n}")}));

        let groups = grouped(many.chain([connect(0)]).collect());

        assert_eq!(groups.iter().map(|group| reports(group).count()).collect::<Vec<_>>(), [40, 40, 21]);
        assert_eq!(reports(&groups[0]).next().map(|report| &report.notice.event[..]), Some("connect"));
    }

    #[test]
    fn nothing_is_kept_of_people_who_write_to_other_numbers() {
        let system = json!({"type": "user_changed_number", "wa_id": "919900000002"});
        let message = json!({"id": "wamid.S", "from": "919900000001", "type": "system", "system": system});
        let group_count = |number: &str| {
            let value = json!({"metadata": {"phone_number_id": number}, "messages": [message]});
            let body = json!({"entry": [{"changes": [{"field": "messages", "value": value}]}]});
            let notices = whatsapp::notice::read(body.to_string().as_bytes()).expect("it is JSON").notices;
            groups(notices, &settings(), &UnknownNumbers::default(), &SentMessages::default(), NOW_MS).len()
        };

        assert_eq!((group_count("1"), group_count("9")), (1, 0));
    }

    fn reports(group: &NoticeGroup) -> impl Iterator<Item = &ReportedCall> {
        match group {
            NoticeGroup::Call { reports, .. } => reports.iter(),
            NoticeGroup::Other(notice) => panic!("this is about no call: {notice:?}"),
        }
    }

    fn grouped(calls: Value) -> Vec<NoticeGroup> {
        grouped_with(&json!({"phone_number_id": "1"}), calls)
    }

    fn grouped_with(metadata: &Value, calls: Value) -> Vec<NoticeGroup> {
        groups(
            read(metadata, calls),
            &settings(),
            &UnknownNumbers::default(),
            &SentMessages::default(),
            NOW_MS,
        )
    }

    fn read(metadata: &Value, calls: Value) -> Vec<Notice> {
        let value = json!({"metadata": metadata, "calls": calls});
        let body = json!({"entry": [{"changes": [{"field": "calls", "value": value}]}]});
        whatsapp::notice::read(body.to_string().as_bytes()).expect("it is JSON").notices
    }

    fn settings() -> IntakeSettings {
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
